"""Decoding speed of the GPT: ``python -m benchmarks.decode --sizes nano``, on a GPU if there is one.

Codes a second of the sampling loop by the modules of the network (eager), on a CPU by the native operators ('make ext') and by
``generate`` of transformers where the network is a plain Llama, and beside them the floor: how many codes a second the
memory can deliver the weights for, at the speed at which this machine reads a large tensor. The clock starts when the
prompt was read and the first step drawn, because all ways read the prompt alike. On a GPU the steps of a draw are also
recorded once and repeated (``GraphStepper``), which is what speaking does there; the time of recording is inside the clock.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.train import add_sizes, load_config, table
from triforce_tts import native
from triforce_tts.models.frame_gpt import FrameGPT, make_gpt
from triforce_tts.models.gpt import GPT
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.sampling.stepping import EagerStepper
from triforce_tts.sampling.tokens import draw_steps, speech_grammar
from triforce_tts.sequences import END, Vocabulary, VocabularyConfig
from triforce_tts.stages import dvae as dvae_stage
from triforce_tts.stages import gpt as gpt_stage
from triforce_tts.text.tokenizer import TextTokenizer

PROMPT, ROUNDS = 100, 2  # the tokens of a prompt, and the number of measurements
TOKENS = {"cuda": 200, "cpu": 100}  # the number of tokens that are drawn on each device
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def codes_grammar(vocabulary: Vocabulary) -> torch.Tensor:
    """The grammar of ``speech_grammar`` without <end>: every row draws as many tokens as its limit."""
    allowed = speech_grammar(vocabulary)
    allowed[0, END] = False
    return allowed


def build(size: str) -> tuple[GPT, Vocabulary]:
    """A new GPT of ``size`` and its vocabulary."""
    settings = load_config(gpt_stage.GPTSettings, "gpt", size)
    codes = load_config(dvae_stage.DVAESettings, "dvae", size).model
    sizes = VocabularyConfig(
        n_text=TextTokenizer().size,
        n_codes=codes.n_codes,
        groups=codes.groups,
        by_frames=settings.model.head is not None,
    )
    vocabulary = Vocabulary(sizes)
    return make_gpt(settings.model, vocabulary).eval(), vocabulary


def seconds_of(work: Callable[[], Any]) -> float:
    """The median seconds of ``work``, after one call that is not timed."""
    times = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def seconds_a_step(draw: Callable[[], Iterator[Any]], steps: int, device: torch.device) -> float:
    """The median seconds of a step of ``draw`` after its first one; the first of several draws is not timed."""
    times = []
    for _ in range(ROUNDS + 1):
        drawing = draw()
        next(drawing)
        began = now(device)
        for _ in zip(range(steps - 1), drawing, strict=False):
            pass
        times.append((now(device) - began) / (steps - 1))
    return statistics.median(times[1:])


def now(device: torch.device) -> float:
    """The time in seconds when ``device`` has done all that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def bytes_a_frame(model: GPT, small: bool) -> int:
    """The bytes of weights that one step of a batch reads; in float16 if ``small``."""
    table = model.model.embed_tokens.weight
    read = model.first_ids + (model.width - 1) * (model.vocabulary.config.n_codes if isinstance(model, FrameGPT) else 0)
    numbers = sum(p.numel() for p in model.parameters()) - table.numel() + read * table.shape[1]
    return numbers * (2 if small else model.model.norm.weight.element_size())


def read_speed(device: torch.device) -> float:
    """The bytes a second when a tensor of 400 MB is read."""
    large = torch.ones(100_000_000, device=device)
    return 4e8 / seconds_of(lambda: large.sum().item())


def transformers_speed(model: GPT, prompts: torch.Tensor, steps: int) -> float:
    """Tokens a second of ``generate`` of transformers with the weights of ``model``, greedily, after the first token."""
    from transformers import LlamaConfig, LlamaForCausalLM, LogitsProcessorList

    llama = LlamaForCausalLM(LlamaConfig(**model.config.huggingface(model.vocabulary_size))).eval()
    llama.load_state_dict(model.state_dict(), strict=False)  # the table of the output is the same as that of the input
    seconds = []
    for _ in range(ROUNDS + 1):
        times: list[float] = []

        def note(ids: torch.Tensor, logits: torch.Tensor, times: list[float] = times) -> torch.Tensor:
            times.append(time.perf_counter())
            return logits

        llama.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            max_new_tokens=steps,
            min_new_tokens=steps,
            do_sample=False,
            logits_processor=LogitsProcessorList([note]),
        )
        seconds.append((times[-1] - times[0]) / (steps - 1))
    return len(prompts) / statistics.median(seconds[1:])


def measure(size: str, batch: int, precision: str, device: torch.device, tokens: int) -> dict[str, Any]:
    """Codes a second at one batch size."""
    torch.manual_seed(0)
    model, vocabulary = build(size)
    with torch.no_grad():
        for parameter in model.parameters():  # the weights of a bundle are float16
            parameter.copy_(parameter.half().float())
    model = model.to(device, PRECISIONS[precision])
    steps = min(tokens, model.config.max_tokens - PROMPT)
    grammar, sampling, seeds = codes_grammar(vocabulary), TokenSampling(), list(range(batch))
    prompts = torch.randint(vocabulary.text_offset, vocabulary.code_offset, (batch, PROMPT))
    codes = batch * vocabulary.width  # of one step

    def draw() -> Iterator[Any]:
        return draw_steps(model, prompts.tolist(), grammar, [steps] * batch, seeds, sampling)

    def speed() -> int:
        return round(codes / seconds_a_step(draw, steps, device))

    with patch("triforce_tts.sampling.tokens.make_stepper", EagerStepper):
        row = {"size": size, "batch": batch, "precision": precision, "eager codes/s": speed()}
    if device.type == "cuda":
        return {**row, "graph codes/s": speed(), "device": torch.cuda.get_device_name()}
    row["graph codes/s"] = "needs CUDA"
    row["native codes/s"] = speed() if native.available() else "not built"
    plain = vocabulary.width == 1 and not model.config.sink
    row["transformers codes/s"] = round(transformers_speed(model, prompts, steps)) if plain else "no plain Llama"
    floor = codes * read_speed(device) / bytes_a_frame(model, small=native.available())
    return {**row, "floor codes/s": round(floor), "device": f"{torch.get_num_threads()} threads"}


def main() -> None:
    """Print a row for each size, precision and batch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_sizes(parser)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--tokens", type=int, help="drawn by each row; at least 2; default: 200 on a GPU, 100 on a CPU")
    parser.add_argument("--precisions", nargs="+", choices=list(PRECISIONS), help="default: fp32, and bf16 on a GPU")
    chosen = parser.parse_args()
    if chosen.tokens is not None and chosen.tokens < 2:
        parser.error(f"--tokens {chosen.tokens}: expected at least 2")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    precisions = chosen.precisions or (["fp32", "bf16"] if device.type == "cuda" else ["fp32"])
    rows = [
        measure(size, batch, precision, device, chosen.tokens or TOKENS[device.type])
        for size in chosen.sizes
        for precision in precisions
        for batch in chosen.batches
    ]
    print(table(rows))


if __name__ == "__main__":
    main()
