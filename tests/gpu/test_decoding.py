"""Speaking on a GPU, and decoding by a step that is recorded once."""

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from tests.conftest import computed_again, next_logits, scrambled
from triforce_tts import Synthesizer
from triforce_tts.models.frame_gpt import make_gpt
from triforce_tts.models.gpt import GPT, GPTConfig, HeadConfig, KVCache
from triforce_tts.sampling import stepping, tokens
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.sampling.stepping import EagerStepper, GraphStepper, Stepper, make_stepper
from triforce_tts.sampling.tokens import Reading, generate, speech_grammar
from triforce_tts.sequences import Vocabulary, VocabularyConfig

PROMPTS = [[1, 12, 20, 2, 6, 7, 3], [1, 13, 21, 2, 8, 5, 3], [1, 14, 22, 2, 9, 9, 3]]
LIMIT, SEEDS = 40, [3, 4, 5]
gpu = pytest.mark.gpu


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Without the garbage collector, memory that cycles hold is never free."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("kind", ["codes", "frames", "guided"])
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=gpu)])
def test_a_recorded_step_draws_what_the_modules_draw(
    device: str, kind: str, temperature: float, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    """Rows of several lengths that end at several steps; each draw is recorded anew."""
    is_guided, by_frames = kind == "guided", kind != "codes"
    vocabulary = Vocabulary(VocabularyConfig(n_text=6, n_codes=8, groups=2, reads=is_guided, by_frames=by_frames))
    head = HeadConfig(layers=1, hidden=40) if by_frames else None
    config = GPTConfig(layers=2, dim=32, heads=4, hidden=48, max_tokens=64, head=head)
    model = scrambled(make_gpt(config, vocabulary)).to(device)
    texts = [[3, 0, 5], [1], [2, 4]]
    prompts = [vocabulary.read_prompt(torch.ones(2, 2), text) for text in texts] if is_guided else PROMPTS
    sampling = TokenSampling(temperature, top_p=0.95, guidance=2.0 if is_guided else 1.0)

    def drawn(stepper: Callable[[GPT, KVCache], Stepper]) -> list[list[int]]:
        monkeypatch.setattr(tokens, "make_stepper", stepper)
        grammar = Reading(vocabulary, texts, 3, device=device) if is_guided else speech_grammar(vocabulary)
        return generate(model, prompts, grammar, [LIMIT, LIMIT - 9, LIMIT], SEEDS, sampling)

    def recorded(model: GPT, cache: KVCache) -> Stepper:
        stepper = GraphStepper(model, cache)
        assert cache.used == cache.max_tokens  # No shape may grow with the steps.
        steppers.append(weakref.ref(stepper))
        return stepper

    steppers: list[weakref.ref[GraphStepper]] = []
    if device == "cpu":
        monkeypatch.setattr(stepping, "record", computed_again)
    expected = drawn(EagerStepper)
    assert drawn(recorded) == expected
    assert drawn(recorded) == expected
    assert len({len(row) for row in expected}) > 1
    assert [stepper() for stepper in steppers] == [None, None]  # Their memory is free without the garbage collector.


@gpu
def test_a_gpu_records_its_steps(tiny_gpt: GPT) -> None:
    """Autocast and training keep the modules."""
    model = tiny_gpt.to("cuda").eval()
    cache = KVCache(model.config, 1, 8, model.model.norm.weight)
    assert isinstance(make_stepper(model, cache), GraphStepper)
    with torch.autocast("cuda", torch.bfloat16):
        assert isinstance(make_stepper(model, cache), EagerStepper)
    assert isinstance(make_stepper(model.train(), cache), EagerStepper)


@gpu
def test_a_gpu_draws_the_tokens_of_a_cpu(tiny_gpt: GPT, tiny_vocabulary: Vocabulary, exact: None) -> None:
    """At least 99 % of them: a sum in another order may tip a draw, and the rest of that row with it."""
    prompts, seeds = PROMPTS * 40, list(range(120))
    arguments = (prompts, speech_grammar(tiny_vocabulary), [LIMIT] * 120, seeds, TokenSampling(0.8))
    on_cpu = generate(tiny_gpt, *arguments)
    on_gpu = generate(tiny_gpt.to("cuda"), *arguments)
    assert sum(a == b for a, b in zip(on_cpu, on_gpu, strict=True)) >= 0.99 * len(prompts)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=gpu)])
def test_guided_speech_reads_its_text(device: str, dtype: torch.dtype, one_thread: None) -> None:
    """On each device and with each kind of weights: every symbol once, whole frames, and the same again."""
    vocabulary = Vocabulary(VocabularyConfig(n_text=6, n_codes=8, groups=2, reads=True, by_frames=True))
    config = GPTConfig(layers=2, dim=32, heads=4, hidden=48, max_tokens=64, head=HeadConfig(layers=1, hidden=40))
    model = scrambled(make_gpt(config, vocabulary)).to(device, dtype)
    texts, sampling = [[3, 0, 5], [1]], TokenSampling(1.0, guidance=2.0)
    prompts = [vocabulary.read_prompt(torch.ones(2, 2), text) for text in texts]
    drawn = [
        generate(model, prompts, Reading(vocabulary, texts, 3, device=device), [40, 40], [1, 2], sampling)
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1]
    assert [vocabulary.text_tokens(ids) for ids in drawn[0]] == texts
    assert all(len(vocabulary.pack(ids)) > len(text) for ids, text in zip(drawn[0], texts, strict=True))


@gpu
def test_a_model_speaks_on_a_gpu_as_on_a_cpu(model: Path, exact: None) -> None:
    """The codes are drawn on the CPU, so that both decode the same; speaking as a whole ends with finite samples."""
    on_cpu, on_gpu = (Synthesizer.load(model, device) for device in ("cpu", "cuda"))
    spoken = on_gpu.speak("a cat sat on the mat", seed=3)
    assert torch.isfinite(spoken.samples).all()
    assert spoken.duration_s > 0.1
    codes = torch.randint(on_cpu.model.dvae.config.n_codes, (1, 50, on_cpu.model.dvae.config.groups))
    with torch.inference_mode():
        decoded = on_cpu.model.dvae.decode(codes)
        assert torch.allclose(on_gpu.model.dvae.decode(codes.cuda()).cpu(), decoded, atol=1e-3)
        same = on_gpu.model.dvae.encode(decoded.cuda()).cpu() == on_cpu.model.dvae.encode(decoded)
    assert same.float().mean() > 0.98  # a value next to a border may be rounded to its other side


@gpu
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_decodes(kind: torch.dtype, tiny_gpt: GPT, tiny_vocabulary: Vocabulary) -> None:
    """The next token's distribution is that of float32 within the rounding of the format."""
    ids = torch.tensor(PROMPTS, device="cuda")
    model = tiny_gpt.to("cuda")
    with torch.inference_mode():
        expected = next_logits(model, ids).softmax(-1)
        found = next_logits(model.to(kind), ids).float().softmax(-1)
    assert (found - expected).abs().sum(-1).max() < 0.2
