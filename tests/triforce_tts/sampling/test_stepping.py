"""The native step against the modules of the network. Without the library there is nothing to compare."""

import warnings
from pathlib import Path

import pytest
import torch

from tests.conftest import scrambled
from triforce_tts import native
from triforce_tts.errors import ConfigError
from triforce_tts.models.frame_gpt import make_gpt
from triforce_tts.models.gpt import GPT, GPTConfig, HeadConfig, KVCache
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.sampling.stepping import EagerStepper, NativeStepper, Stepper, make_stepper
from triforce_tts.sampling.tokens import Reading, generate, speech_grammar
from triforce_tts.sequences import END, PAD, Vocabulary, VocabularyConfig
from triforce_tts.text.pace import Hold

built = pytest.mark.skipif(not native.LIBRARY.is_file(), reason="the native operators were not built ('make ext')")
pytestmark = pytest.mark.usefixtures("one_thread", "fresh_switch")

FRAMES = Vocabulary(VocabularyConfig(n_text=6, n_codes=21, groups=4, reads=True, by_frames=True))
FLAT_READING = Vocabulary(VocabularyConfig(n_text=6, n_codes=21, groups=2, reads=True))
FLAT = Vocabulary(VocabularyConfig(n_text=6, n_codes=21, groups=2))
SIZES = {
    "frames": GPTConfig(layers=2, dim=32, heads=2, hidden=48, max_tokens=64, head=HeadConfig(layers=2, hidden=40)),
    # No width is a multiple of the tiles or of a vector of the processor.
    "odd": GPTConfig(layers=1, dim=42, heads=3, hidden=37, max_tokens=64, head=HeadConfig(layers=1, hidden=11)),
    "flat": GPTConfig(layers=2, dim=32, heads=4, hidden=56, max_tokens=64),
    "sink": GPTConfig(layers=2, dim=32, heads=4, hidden=56, max_tokens=64, sink=True),
}
WARM, GREEDY = TokenSampling(temperature=0.9, top_p=0.8), TokenSampling(temperature=0.0)


def network(size: str, half: bool = False) -> GPT:
    """A network of a size; with ``half`` its weights are numbers that float16 holds exactly, as those of a bundle."""
    config = SIZES[size]
    made = scrambled(make_gpt(config, FLAT if config.head is None else FRAMES))
    if half:
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.copy_(parameter.half().float())
    return made


def random_steps(model: GPT, steps: int, batch: int) -> torch.Tensor:
    """Ids [steps, batch, width]: frames, and every third step a text token."""
    rng = torch.Generator().manual_seed(1)
    vocabulary = FLAT if model.width == 1 else FRAMES
    ids = torch.randint(0, 21, (steps, batch, model.width), generator=rng)
    ids += vocabulary.code_offset + 21 * torch.arange(model.width)
    ids[::3] = PAD
    ids[::3, :, 0] = vocabulary.text_offset + 1
    return ids


def states(stepper: Stepper, ids: torch.Tensor) -> torch.Tensor:
    """The states [steps, batch, dim] after each step."""
    batch = ids.shape[1]
    rows = []
    for place, step in enumerate(ids):
        if isinstance(stepper, EagerStepper):
            stepper.cache.advance(1)
        rows.append(stepper.hidden(step, torch.full((batch,), place)))
    return torch.stack(rows)


@built
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("batch", [1, 4, 7])
@pytest.mark.parametrize("size", list(SIZES))
@torch.inference_mode()
def test_the_native_step_computes_what_the_modules_compute(size: str, batch: int, half: bool) -> None:
    assert native.available()
    model = network(size, half)
    eager, fast = (
        kind(model, KVCache(model.config, batch, 40, model.model.norm.weight)) for kind in (EagerStepper, NativeStepper)
    )
    ids = random_steps(model, 30, batch)
    expected, got = states(eager, ids), states(fast, ids)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(fast.first_logits(got[-1]), eager.first_logits(got[-1]), atol=1e-5, rtol=1e-5)
    first = ids[-1, :, 0].clone()
    uniforms = torch.rand(batch, model.width - 1, generator=torch.Generator().manual_seed(2))
    for sampling in (WARM, GREEDY):
        assert torch.equal(
            fast.whole(got[-1], first, uniforms, sampling), eager.whole(got[-1], first, uniforms, sampling)
        )


@built
@torch.inference_mode()
def test_rows_that_drew_no_frame_get_no_codes() -> None:
    assert native.available()
    model = network("frames")
    stepper = NativeStepper(model, KVCache(model.config, 3, 8, model.model.norm.weight))
    first = torch.tensor([END, FRAMES.code_offset + 3, FRAMES.text_offset])
    ids = stepper.whole(
        torch.randn(3, 32, generator=torch.Generator().manual_seed(0)), first, torch.full((3, 3), 0.5), WARM
    )
    assert ids[:, 0].tolist() == first.tolist()
    assert (ids[0, 1:] == PAD).all() and (ids[2, 1:] == PAD).all()
    assert [(code - FRAMES.code_offset) // 21 for code in ids[1].tolist()] == [0, 1, 2, 3]


@built
@torch.inference_mode()
def test_a_row_is_the_same_to_the_bit_in_any_company_and_with_any_number_of_threads() -> None:
    assert native.available()
    model = network("frames")
    ids = random_steps(model, 20, 7)
    ids[..., 0] = torch.where(ids[..., 0] < FRAMES.code_offset, ids[..., 0], FRAMES.code_offset + torch.arange(7))

    def alone(rows: list[int]) -> torch.Tensor:
        stepper = NativeStepper(model, KVCache(model.config, len(rows), 32, model.model.norm.weight))
        return states(stepper, ids[:, rows])

    whole = alone(list(range(7)))
    for rows in ([3], [6, 3], [3, 0, 1, 2, 4]):
        assert torch.equal(alone(rows)[:, rows.index(3)], whole[:, 3])
    torch.set_num_threads(2)
    assert torch.equal(alone(list(range(7))), whole)
    ids[10:, [0, 2, 5]] = END  # rows that have ended are left out
    assert not alone([0])[10:].any()
    assert torch.equal(alone(list(range(7)))[:, [1, 3, 4, 6]], whole[:, [1, 3, 4, 6]])


@built
@pytest.mark.parametrize("size", ["frames", "flat"])
def test_both_steps_draw_the_same_tokens(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, vocabulary = network(size), FLAT if size == "flat" else FRAMES
    voice = torch.randint(0, 21, (3, vocabulary.config.groups), generator=torch.Generator().manual_seed(0))
    prompts = [
        vocabulary.speak_prompt(voice, [1, 2]),
        vocabulary.speak_prompt(voice, [3]),
        vocabulary.speak_prompt(voice, [3]),
    ]
    drawn = []
    for switch in ("0", "1"):
        monkeypatch.setenv(native.SWITCH, switch)
        native.available.cache_clear()
        drawn.append(generate(model, prompts, speech_grammar(vocabulary), [20, 12, 16], [1, 2, 3], WARM))
    assert drawn[0] == drawn[1]
    assert any(drawn[0])


@built
@pytest.mark.parametrize("sampling", [WARM, GREEDY])
@pytest.mark.parametrize("vocabulary", [FRAMES, FLAT_READING])
def test_both_ways_of_reading_go_on_at_the_same_steps(
    vocabulary: Vocabulary, sampling: TokenSampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = torch.Generator().manual_seed(3)
    texts = [[1, 2, 3, 4], [5], [2, 2, 1]]
    held = [[Hold(True, 2), Hold(False, 0), Hold(True, 3), Hold(False, 1)], [Hold(True, 4)], [Hold(True, 0)] * 3]
    steps = 3.0 * torch.randn(120, 3, vocabulary.size, generator=rng)
    uniforms = torch.rand(120, 3, generator=rng)
    drawn = []
    for switch in ("0", "1"):
        monkeypatch.setenv(native.SWITCH, switch)
        native.available.cache_clear()
        reading = Reading(vocabulary, texts, 5, held, urge=-0.5)
        ids = torch.stack([reading.draw(logits, row, sampling) for logits, row in zip(steps, uniforms, strict=True)])
        state = torch.stack((reading.place, reading.group, reading.frames, reading.counted, reading.least))
        drawn.append((ids, state))
    assert torch.equal(drawn[0][0], drawn[1][0]) and torch.equal(drawn[0][1], drawn[1][1])
    read = [
        [i - vocabulary.text_offset for i in row if i < vocabulary.code_offset and i != END]
        for row in drawn[0][0].T.tolist()
    ]
    assert read == texts


@built
def test_weights_that_change_are_seen() -> None:
    assert native.available()
    model = network("flat")
    ids = random_steps(model, 3, 1)

    @torch.inference_mode()
    def last() -> torch.Tensor:
        return states(NativeStepper(model, KVCache(model.config, 1, 8, model.model.norm.weight)), ids)[-1]

    before = last()
    with torch.no_grad():
        model.model.layers[0].mlp.up_proj.weight.mul_(2.0)
    assert not torch.equal(last(), before)


@built
@torch.inference_mode()
def test_what_the_native_step_serves() -> None:
    model = network("flat")
    cache = KVCache(model.config, 1, 8, model.model.norm.weight)
    assert isinstance(make_stepper(model, cache), NativeStepper)
    assert isinstance(make_stepper(model.bfloat16(), cache), EagerStepper)
    assert isinstance(make_stepper(model.float().train(), cache), EagerStepper)


@built
@pytest.mark.parametrize("operator", ["llama_step", "linear", "frame_codes", "reading_step"])
def test_the_operators_keep_torchs_contract(operator: str) -> None:
    assert native.available()
    model = network("frames")
    keys, values = torch.zeros(2, 2, 2, 2, 8, 16).unbind()
    weights = NativeStepper(model, KVCache(model.config, 2, 8, model.model.norm.weight)).weights
    arguments = {
        "llama_step": (
            random_steps(model, 2, 2)[1], torch.tensor([0, 0]), keys, values, weights.table, weights.layers, weights.norm,
            weights.cos, weights.sin, 48, PAD, END, False, 1e-5,
        ),
        "linear": (torch.randn(2, 32), weights.first, model.first_ids),
        "frame_codes": (
            torch.randn(2, 32), torch.full((2,), FRAMES.code_offset), torch.rand(2, 3), weights.table, weights.head, 40,
            FRAMES.code_offset, 21, PAD, 0.5, 0.9, 1.0, 1e-5,
        ),
        "reading_step": (
            torch.randn(2, FRAMES.size), torch.rand(2), *torch.zeros(5, 2, dtype=torch.long).unbind(), torch.tensor([2, 1]),
            torch.full((2, 3), END), torch.zeros(2, 3, dtype=torch.bool), torch.zeros(2, 3, dtype=torch.long), 9, 0.0,
            FRAMES.text_offset, FRAMES.code_offset, 21, 1, END, 0.5, 0.9,
        ),
    }[operator]  # fmt: skip
    torch.library.opcheck(
        getattr(torch.ops.triforce_tts, operator).default, arguments, test_utils=("test_schema", "test_faketensor")
    )


def test_a_library_that_is_missing_or_old_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "LIBRARY", tmp_path / "_native.so")
    monkeypatch.setattr(native, "STAMP", tmp_path / "_native.txt")
    assert not native.available() and "make ext" in native.missing()
    native.available.cache_clear()
    monkeypatch.setenv(native.SWITCH, "1")
    with pytest.raises(ConfigError, match="was not built"):
        native.available()
    monkeypatch.delenv(native.SWITCH)
    (tmp_path / "_native.so").write_bytes(b"no library")
    (tmp_path / "_native.txt").write_text("torch 1.0, operators 1")
    with pytest.warns(RuntimeWarning, match=r"built for torch 1\.0"):
        assert not native.available()
    native.available.cache_clear()
    (tmp_path / "_native.txt").write_text(native.BUILD)
    with pytest.warns(RuntimeWarning, match="cannot be loaded"):
        assert not native.available()


def test_the_library_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(native.SWITCH, "0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not native.available()
    assert native.missing() == ""
