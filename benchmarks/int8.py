"""What eight bits cost the GPT: ``python -m benchmarks.int8 GPT... --codes FOLDER --out FILE``.

Give two checkpoints that were trained alike, with and without the attention sink (``model.sink=true``): a head that has
nothing to say parks its weight on some token and grows large activations for that, and one large value takes the
resolution from all others that share its scale. Measured on held-out speech, nats a code given its text:

  weights             symmetric int8, a scale an output channel (a row of the token table)
  weights+tokens      and the input of every product in int8, a scale a token
  weights+utterances  and the input of every product in int8, one scale an utterance: where outliers hurt

The numbers are rounded to int8 and back, so this is the accuracy of int8, not its speed. Beside it stand the kurtosis
(3 for a normal distribution) and the largest value of the inputs of the products and of the residual stream; and
tokens a CPU second of cached decoding with torch's own dynamic int8 products, where this processor has them.
"""

import argparse
import copy
import json
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.quality import heldout_task
from triforce_tts import checkpoint
from triforce_tts.evaluation.statistics import interval
from triforce_tts.files import write_json
from triforce_tts.models.gpt import GPT, KVCache
from triforce_tts.models.load import load_gpt

LARGEST = 127  # the largest value of a symmetric int8
# For each way: whether the weights are rounded, and the axes that share a scale.
WAYS: dict[str, tuple[bool, tuple[int, ...] | None]] = {
    "fp32": (False, None),
    "weights": (True, None),
    "weights+tokens": (True, (-1,)),
    "weights+utterances": (True, (-2, -1)),
}


def rounded(x: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    """``x`` rounded to symmetric int8 and back, with one scale for all values along ``axes``."""
    scale = x.abs().amax(axes, keepdim=True).clamp_min(1e-12) / LARGEST
    return (x / scale).round() * scale


def products(network: GPT) -> list[nn.Linear]:
    """The matrix products of the layers; the product with the token table is not among them."""
    return [module for module in network.model.layers.modules() if isinstance(module, nn.Linear)]


def with_int8_weights(network: GPT) -> GPT:
    """A copy whose matrices are rounded to int8 and back, with one scale for each row."""
    twin = copy.deepcopy(network)
    with torch.no_grad():
        for weight in (*(product.weight for product in products(twin)), twin.model.embed_tokens.weight):
            weight.copy_(rounded(weight, (-1,)))
    return twin


@contextmanager
def int8_inputs(network: GPT, axes: tuple[int, ...] | None) -> Iterator[None]:
    """Round the input of every product, with one scale for all values along ``axes`` of [batch, tokens, channels]."""
    if axes is None:
        yield
        return
    hooks = [m.register_forward_pre_hook(lambda _, inputs: (rounded(inputs[0], axes),)) for m in products(network)]
    # The output of the last norm is the input of the product with the token table.
    hooks.append(network.model.norm.register_forward_hook(lambda _, __, output: rounded(output, axes)))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@dataclass
class Moments:
    """Running sums of the powers of all counted values."""

    count: float = 0.0
    sums: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    largest: float = 0.0

    def add(self, x: torch.Tensor) -> None:
        """Count all values of ``x``."""
        values = x.double().flatten()
        self.count += values.numel()
        first, second, third, fourth = (float(values.pow(power).sum()) for power in (1, 2, 3, 4))
        self.sums = (
            self.sums[0] + first,
            self.sums[1] + second,
            self.sums[2] + third,
            self.sums[3] + fourth,
        )
        self.largest = max(self.largest, float(values.abs().max()))

    @property
    def kurtosis(self) -> float:
        """The fourth central moment divided by the squared variance, which is 3 for a normal distribution."""
        m, m2, m3, m4 = (value / self.count for value in self.sums)
        variance = m2 - m * m
        return (m4 - 4 * m * m3 + 6 * m * m * m2 - 3 * m**4) / variance**2


@contextmanager
def outliers(network: GPT) -> Iterator[dict[str, list[Moments]]]:
    """Moments of the inputs of the products and of the residual stream, one for each module, while the block runs."""
    recorded: dict[str, list[Moments]] = {"inputs of products": [], "residual stream": []}
    hooks = []

    def watch(name: str) -> Moments:
        recorded[name].append(Moments())
        return recorded[name][-1]

    for product in products(network):
        moments = watch("inputs of products")
        hooks.append(product.register_forward_pre_hook(lambda _, inputs, moments=moments: moments.add(inputs[0])))
    for layer in network.model.layers:
        moments = watch("residual stream")
        hooks.append(layer.register_forward_hook(lambda _, __, output, moments=moments: moments.add(output)))
    try:
        yield recorded
    finally:
        for hook in hooks:
            hook.remove()


def measure(path: Path, codes: list[Path], limit: int) -> dict[str, Any]:
    """The nats for each code in every way of WAYS, the cost of each way compared with fp32, and the outliers."""
    from triforce_tts.stages.gpt import speech_losses

    network, _ = load_gpt(path)
    config = checkpoint.read_config(path, "gpt")
    task = heldout_task(config, codes)
    checkpoint.require_same("DVAE", str(codes[0]), task.code["dvae"], str(path), checkpoint.read_lineage(path)["dvae"])
    count = min(limit, len(task.heldout))
    result: dict[str, Any] = {"sink": bool(config["model"].get("sink")), "utterances": count}
    exact: list[float] = []
    for way, (weights, axes) in WAYS.items():
        network = with_int8_weights(network) if weights else network  # rounding a second time changes nothing
        with int8_inputs(network, axes), outliers(network) as recorded:
            losses = speech_losses(task, network, count)
        each = [nats / number for nats, number in losses]
        exact = exact or each
        result[way] = {
            "nats_per_code": sum(nats for nats, _ in losses) / sum(number for _, number in losses),
            "cost": interval([a - b for a, b in zip(each, exact, strict=True)]),
        }
        if way == "fp32":
            result["outliers"] = {name: summary(moments) for name, moments in recorded.items()}
    return result


def summary(moments: list[Moments]) -> dict[str, float]:
    """The mean and the largest kurtosis over all modules, and the largest value."""
    kurtoses = [m.kurtosis for m in moments]
    return {
        "kurtosis_mean": sum(kurtoses) / len(kurtoses),
        "kurtosis_max": max(kurtoses),
        "largest": max(m.largest for m in moments),
    }


def engines() -> list[str]:
    """torch's implementations of int8 products that this processor can run."""
    return [name for name in torch.backends.quantized.supported_engines if name != "none"]


def dynamic(network: GPT) -> GPT:
    """``network`` with torch's dynamic int8 products, which need one of ``engines``."""
    with warnings.catch_warnings():  # torch warns that another package replaces this one.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message="(?s).*(deprecated|quantize)", category=UserWarning)
        quantize: Any = torch.ao.quantization.quantize_dynamic  # this function has no types
        twin: GPT = quantize(copy.deepcopy(network), {nn.Linear}, dtype=torch.qint8)
    return twin


@torch.inference_mode()
def decode(network: GPT, tokens: int) -> None:
    """Decode ``tokens`` tokens of one row with the cache, always the likeliest one."""
    cache = KVCache(network.config, 1, tokens + 1, network.model.norm.weight)
    ids = torch.zeros(1, 1, dtype=torch.long)
    for step in range(tokens):
        hidden = network.hidden(ids, torch.full((1, 1), step), cache)
        ids = network.logits(hidden[:, -1]).argmax(-1, keepdim=True)


def speed(network: GPT, tokens: int = 200, rounds: int = 5) -> float:
    """Tokens a CPU second of decoding with one thread, the best of ``rounds``.

    The CPU time is measured, because other programs lengthen only the time on the clock.
    """
    decode(network, 10)
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        decode(network, tokens)
        best = min(best, time.process_time() - began)
    return tokens / best


def markdown(report: dict[str, Any]) -> str:
    """A table with one row for each checkpoint."""
    names = ["GPT", "sink", "fp32", *(f"{way}: cost" for way in WAYS if way != "fp32")]
    names += ["kurtosis, inputs (mean, largest)", "largest input", "largest in the residual stream"]
    lines = [names, ["---"] * len(names)]
    for path, figures in report.items():
        cells = [f"`{path}`", "yes" if figures["sink"] else "no", f"{figures['fp32']['nats_per_code']:.3f}"]
        for way in WAYS:
            if way != "fp32":
                mean, low, high = figures[way]["cost"]
                cells.append(f"{mean:+.4f} ({low:+.4f} to {high:+.4f})")
        inputs, stream = figures["outliers"]["inputs of products"], figures["outliers"]["residual stream"]
        cells += [f"{inputs['kurtosis_mean']:.1f}, {inputs['kurtosis_max']:.1f}"]
        lines.append([*cells, f"{inputs['largest']:.1f}", f"{stream['largest']:.1f}"])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gpt", type=Path, nargs="+", help="run, checkpoint, or gpt/ of a model folder")
    parser.add_argument("--codes", type=Path, action="append", required=True, help="coded shards of their DVAE")
    parser.add_argument("--limit", type=int, default=200, help="held-out clips; default: %(default)s")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    report = {str(path): measure(path, arguments.codes, arguments.limit) for path in arguments.gpt}
    torch.set_num_threads(1)
    for path in arguments.gpt:
        network = load_gpt(path)[0]
        rates: dict[str, float | str] = {"fp32": speed(network)}
        if engines():
            rates["dynamic int8"] = speed(dynamic(network))
        else:
            rates["dynamic int8"] = "not measured: torch has no int8 products for this processor"
        report[str(path)]["tokens_per_cpu_second"] = rates
    write_json(arguments.out, report)
    print(json.dumps(report, indent=1))
    print(markdown(report))


if __name__ == "__main__":
    main()
