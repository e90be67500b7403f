"""A streamed text is the spoken text: the same codes, the same sound, the same pauses; it comes in chunks, and can be stopped."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.triforce_tts.synthesis.conftest import MakeModel
from tests.triforce_tts.synthesis.test_vocoding import same
from triforce_tts.audio.edit import join
from triforce_tts.errors import ConfigError
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.sampling.tokens import Step, draw_steps
from triforce_tts.speech import Speech
from triforce_tts.synthesis import Settings, Synthesizer, streaming
from triforce_tts.synthesis.model import Model
from triforce_tts.text.phonemes import PHONES
from triforce_tts.voices import Voice

pytestmark = pytest.mark.usefixtures("one_thread")

TEXT = (
    "[pause 100ms] Six old hats and a red mat, and then a very big cat came in from the road. It [pause 0.3s] sat down. "
    "Why? [pause 1s]"
)
QUICK = Settings(sampling=TokenSampling(1.0, 0.95), phase_iterations=4, tries=1)


def synthesizer_of(model: Model, settings: Settings = QUICK) -> Synthesizer:
    synthesizer = Synthesizer(model)
    synthesizer.settings = settings
    return synthesizer


@pytest.fixture
def wide_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of the context that can have an influence on the tiny networks, so that only rounding is left."""
    monkeypatch.setattr(streaming, "_LOOKAHEAD", (14,))
    monkeypatch.setattr(streaming, "_CONTEXT", 14)


def slow(model: Model, **limits: Any) -> Model:
    """``model`` at a word a second or so, so that a line has several sections."""
    least = dict.fromkeys(PHONES, 0.1)
    return replace(model, limits=model.limits.model_copy(update={"least_seconds": least, **limits}))


def spoken_whole(synthesizer: Synthesizer, voice: Voice) -> Speech:
    speech = synthesizer.speak(TEXT, voice, 3)
    assert max(len(line.codes) for line in speech.lines) > 40  # A line of this length has several sections.
    return speech


@pytest.mark.usefixtures("wide_context")
@pytest.mark.parametrize(
    ("target", "reads"), [("magnitude", True), ("complex", True), ("complex", False), ("source", True)]
)
def test_streamed_is_whole(make_model: MakeModel, voice: Voice, target: str, reads: bool) -> None:
    synthesizer = synthesizer_of(slow(make_model(target, reads)))
    whole = spoken_whole(synthesizer, voice)
    stream = synthesizer.stream(TEXT, voice, 3)
    chunks = list(stream)
    assert all(chunk.dtype == torch.float32 and chunk.ndim == 1 and len(chunk) for chunk in chunks)
    assert len(chunks) > 6
    for line, expected in zip(stream.lines, whole.lines, strict=True):
        assert torch.equal(line.codes, expected.codes)
        assert (line.text, line.ended, line.unsaid, line.pause_s, line.source, line.tries) == (
            expected.text, expected.ended, expected.unsaid, expected.pause_s, expected.source, expected.tries,
        )  # fmt: skip
        assert line.words == expected.words
        assert bool(line.words) == reads
        assert same(target, line.samples, expected.samples, atol=1e-3)
    assert stream.faults == whole.faults
    assert same(target, torch.cat(chunks), whole.samples, atol=1e-3)


def test_with_the_usual_context_the_sound_is_the_same_away_from_the_seams(make_model: MakeModel, voice: Voice) -> None:
    synthesizer = synthesizer_of(slow(make_model("complex", True)))
    whole = spoken_whole(synthesizer, voice).samples
    streamed = torch.cat(list(synthesizer.stream(TEXT, voice, 3)))
    assert len(streamed) == len(whole)
    apart = (streamed - whole).abs()
    assert (apart < 1e-3).float().mean() > 0.95
    assert apart.square().mean() < 1e-3 * whole.square().mean()


def test_the_first_chunk_needs_only_the_beginning(
    make_model: MakeModel, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing stops the network at once, and what is not asked for is not drawn."""
    steps: list[int] = []

    def counted(*arguments: Any) -> Iterator[Step]:
        drawn = draw_steps(*arguments)
        try:
            for step in drawn:
                steps.append(1)
                yield step
        finally:
            drawn.close()
            steps.append(-1)

    monkeypatch.setattr(streaming, "draw_steps", counted)
    synthesizer = synthesizer_of(make_model("complex", True))
    stream = synthesizer.stream(TEXT.removeprefix("[pause 100ms]"), voice, 3)
    assert steps == []
    next(stream)
    until_first = len(steps)
    assert until_first < 3 * 30  # twelve frames of two codes, and the text tokens among them
    stream.close()
    assert steps[until_first:] == [-1]
    assert list(stream) == []
    assert stream.lines == []


@pytest.mark.parametrize("in_thread", [True, False])
def test_a_stream_is_closed_while_it_makes_a_chunk(
    make_model: MakeModel, voice: Voice, monkeypatch: pytest.MonkeyPatch, in_thread: bool
) -> None:
    """A player is stopped by another thread than the one that fills it, or by the handler of a signal."""
    steps: list[int] = []

    def drawn(*arguments: Any) -> Iterator[Step]:
        for step in draw_steps(*arguments):
            steps.append(0)
            if len(steps) == 5:
                closer = threading.Thread(target=stream.close)
                (closer.start if in_thread else stream.close)()
                assert not in_thread or stream._closed.wait(10)
            yield step

    monkeypatch.setattr(streaming, "draw_steps", drawn)
    stream = synthesizer_of(slow(make_model("complex", True))).stream(TEXT, voice)
    assert len(list(stream)) == 1  # the pause before the first word
    assert len(steps) == 5
    assert next(stream, None) is None


def test_what_was_heard_is_not_tried_again(make_model: MakeModel, voice: Voice) -> None:
    """A line that ends at its limit is incomplete: it is said in ``faults``, after one try."""
    model = slow(make_model("complex", True), slack=1.0, pauses_s=0.0)
    synthesizer = synthesizer_of(model, replace(QUICK, tries=3))
    stream = synthesizer.stream("A very big cat came in from the old road.", voice, 1)
    assert stream.faults == []
    sound = torch.cat(list(stream))
    (line,) = stream.lines
    assert not line.ended
    assert (line.tries, len(line.samples)) == (1, len(sound))
    assert len(stream.faults) == 1
    assert stream.faults[0].startswith("incomplete after 1 try: 'A very big cat")


def test_a_line_without_any_sound_is_tried_again(
    make_model: MakeModel, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, silent = streaming.vocode_sections, [True]

    def vocoded(model: Model, batch: Any, *rest: Any) -> list[torch.Tensor]:
        sounds = usual(model, batch, *rest)
        is_last = len(batch[0].codes) == batch[0].end
        quiet = silent[0]
        silent[0] = silent[0] and not is_last
        return [0 * sound for sound in sounds] if quiet else sounds

    monkeypatch.setattr(streaming, "vocode_sections", vocoded)
    synthesizer = synthesizer_of(make_model("complex", True), replace(QUICK, tries=3))
    stream = synthesizer.stream("It sat down.", voice, 1)
    assert len(torch.cat(list(stream))) > 0
    assert stream.lines[0].tries == 2


def test_left_out_characters_and_candidates(make_model: MakeModel, voice: Voice) -> None:
    synthesizer = synthesizer_of(make_model("complex", True))
    assert "left out" in synthesizer.stream("It sat 猫 down.", voice, 1).faults[0]
    synthesizer.settings = replace(QUICK, candidates=2)
    with pytest.raises(ConfigError, match="candidates is 2: a stream cannot choose between readings; use 1"):
        synthesizer.stream(TEXT, voice)


@pytest.mark.parametrize("size", [37, 119, 120, 700])
def test_ends_are_faded_as_in_a_joint(size: int) -> None:
    """Whatever the chunks are, a line between two others has the fades that ``join`` gives it."""
    line = torch.randn(1000, generator=torch.Generator().manual_seed(1))

    def chunks() -> Any:
        yield from line.split(size)
        return "spoken"

    faded = torch.cat(list(streaming._with_faded_ends(chunks(), 8000, True, True)))
    assert torch.allclose(faded, join([line] * 3, [0.0, 0.0], 8000)[1000:2000])
    assert torch.equal(torch.cat(list(streaming._with_faded_ends(chunks(), 8000, False, False))), line)
