"""The result does not depend on the division of a line into chunks, or on the lines in the same batch."""

from dataclasses import replace

import pytest
import torch

from tests.triforce_tts.synthesis.conftest import MakeModel
from triforce_tts.errors import ConfigError
from triforce_tts.sampling.diffusion import utterance_noise
from triforce_tts.synthesis import Settings, Stopwatch
from triforce_tts.synthesis.model import Model
from triforce_tts.synthesis.vocoding import Utterance, needed_context, sections, vocode, vocode_sections
from triforce_tts.voices import Voice

pytestmark = pytest.mark.usefixtures("one_thread")

FRAMES = 60  # frames of codes; several times the context that is needed
QUICK = Settings(phase_iterations=3)
WAYS = {
    "one step": QUICK,
    "three steps": replace(QUICK, diffusion_steps=3, phase_iterations=1),
    "midpoint": replace(QUICK, diffusion_steps=2, sampler="midpoint", phase_iterations=1),
    "multistep": replace(QUICK, diffusion_steps=4, sampler="multistep", phase_iterations=1),
    "bare": replace(QUICK, diffusion_steps=0),
}
TARGETS = pytest.mark.parametrize("target", ["magnitude", "complex", "source"])
ALL_WAYS = pytest.mark.parametrize(
    ("target", "way"),
    [(target, way) for target in ("magnitude", "complex") for way in WAYS]
    + [("source", "one step"), ("source", "bare")],
)


def utterance_of(voice: Voice, frames: int = FRAMES, seed: int = 4) -> Utterance:
    codes = torch.randint(0, 60, (frames, 2), generator=torch.Generator().manual_seed(seed))
    return Utterance(codes, voice.speaker, seed, voice.timbre)


def same(target: str, made: torch.Tensor, expected: torch.Tensor, atol: float) -> bool:
    """Whether two sounds agree; where pulses count from the start of a line, roundings add up, so 54 dB are enough."""
    if target == "source":
        return float((made - expected).square().mean()) < 4e-6 * float(expected.square().mean())
    return torch.allclose(made, expected, atol=atol)


def sound(model: Model, utterance: Utterance, settings: Settings, size: int | None = None) -> torch.Tensor:
    return vocode(model, [utterance], settings, Stopwatch(), size)[0]


@ALL_WAYS
def test_chunked_is_whole(make_model: MakeModel, voice: Voice, target: str, way: str) -> None:
    """The result is the same everywhere, also at the seams: every section has all the context that can influence it.

    Only the rounding of floats differs, by 1e-5 or less; most of it comes from two predictions of a random network in
    each step.
    """
    model, utterance, settings = make_model(target, True), utterance_of(voice), WAYS[way]
    assert 2 * needed_context(model, settings) + 1 < FRAMES
    whole = sound(model, utterance, settings)
    assert len(whole) == FRAMES * model.code_samples
    assert whole.std() > 0.01
    for size in (1, 7, 25, FRAMES - 1):
        assert same(target, sound(model, utterance, settings, size), whole, atol=1e-3)


@TARGETS
def test_a_stream_is_a_loop_over_sections(make_model: MakeModel, voice: Voice, target: str) -> None:
    model, utterance = make_model(target, True), utterance_of(voice)
    stream = [vocode_sections(model, [part], QUICK, Stopwatch())[0] for part in sections(model, utterance, QUICK, 16)]
    assert [len(part) // model.code_samples for part in stream] == [16, 16, 16, 12]
    assert same(target, torch.cat(stream), sound(model, utterance, QUICK), atol=1e-4)


def test_timbre_is_added_to_the_decode(make_model: MakeModel, voice: Voice) -> None:
    model, utterance = make_model("magnitude", True), utterance_of(voice)
    plain = sound(model, replace(utterance, timbre=None), QUICK)
    assert not torch.allclose(sound(model, utterance, QUICK), plain, atol=1e-2)
    assert torch.equal(sound(model, replace(utterance, timbre=0 * voice.timbre), QUICK), plain)


@ALL_WAYS
def test_no_less_context_would_do(make_model: MakeModel, voice: Voice, target: str, way: str) -> None:
    """Without context there is an error at the seam, but not away from it.

    Behind a seam, pulses that were counted wrongly there stay where they are.
    """
    model, utterance, settings = make_model(target, True), utterance_of(voice), WAYS[way]
    parts = sections(model, utterance, settings, FRAMES // 2, context=0)
    apart = torch.cat(vocode_sections(model, parts, settings, Stopwatch())) - sound(model, utterance, settings)
    seam, reach = FRAMES // 2, needed_context(model, settings)
    by_frame = apart.abs().view(FRAMES, -1).amax(1)
    assert by_frame[seam - 1 : seam + 1].min() > 1e-2
    assert by_frame[: seam - reach].max() < 1e-3
    if target != "source" or way == "bare":
        assert by_frame[seam + reach :].max() < 1e-3


@TARGETS
@pytest.mark.parametrize("size", [None, 11])
def test_lines_together_are_each_alone(make_model: MakeModel, voice: Voice, target: str, size: int | None) -> None:
    model = make_model(target, True)
    other = replace(voice, speaker=-voice.speaker, timbre=None)
    lines = [utterance_of(v, n, n) for v, n in ((voice, 25), (other, 3), (voice, 40), (other, 1))]
    together = vocode(model, lines, QUICK, Stopwatch(), size)
    for line, samples in zip(lines, together, strict=True):
        assert len(samples) == len(line.codes) * model.code_samples
        assert same(target, samples, sound(model, line, QUICK), atol=1e-4)
    assert vocode(model, [], QUICK, Stopwatch()) == []


@pytest.mark.parametrize("steps", [2, 5])
def test_a_source_is_predicted_in_one_step(make_model: MakeModel, voice: Voice, steps: int) -> None:
    with pytest.raises(ConfigError, match=f"{steps} steps of stage 3: .* predicts in one step .* use 1, or 0"):
        sound(make_model("source", True), utterance_of(voice, 3), replace(QUICK, diffusion_steps=steps))


def test_pulses_go_on_at_a_seam_with_little_context(make_model: MakeModel, voice: Voice) -> None:
    """With too little context the pitch at a seam is a little off, but the next section begins where the last one ended."""
    model, utterance = make_model("source", True), utterance_of(voice)
    parts = sections(model, utterance, QUICK, 9, context=2)
    assert all(part.turns is parts[0].turns for part in parts)
    for part in parts:
        noted = dict(part.turns)
        vocode_sections(model, [part], QUICK, Stopwatch())
        assert part.turns[part.start] == pytest.approx(noted.get(part.start, 0.0), abs=1e-6)
    assert sorted(parts[0].turns) == list(range(FRAMES + 1))
    assert len({round(turns, 3) for turns in parts[0].turns.values()}) > FRAMES // 2


@pytest.mark.parametrize("sampler", ["midpoint"])
def test_a_sampler_with_two_predictions_is_refused_for_a_source(
    make_model: MakeModel, voice: Voice, sampler: str
) -> None:
    with pytest.raises(ConfigError, match=r"predicts in one step .* sampler euler"):
        sound(make_model("source", True), utterance_of(voice, 3), replace(QUICK, sampler=sampler))


def test_sections_cover_a_line_once(make_model: MakeModel, voice: Voice) -> None:
    model, utterance = make_model("magnitude", True), utterance_of(voice, 23)
    parts = sections(model, utterance, QUICK, 5, context=3)
    assert torch.equal(torch.cat([part.codes[part.first : part.end] for part in parts]), utterance.codes)
    assert [len(part.codes) for part in parts] == [8, 11, 11, 11, 6]
    noise = utterance_noise([4], [23 * 4], model.diffusion.target.width)[0]
    assert torch.equal(torch.cat([part.noise[part.first * 4 : part.end * 4] for part in parts]), noise)
    (whole,) = sections(model, utterance, QUICK)
    assert (whole.first, whole.end) == (0, 23)
    assert torch.equal(whole.noise, noise)


@torch.no_grad()
def test_the_reach_of_the_decoder_is_its_receptive_field(make_model: MakeModel) -> None:
    dvae = make_model("magnitude", True).dvae
    codes = torch.randint(0, 60, (1, 21, 2), generator=torch.Generator().manual_seed(0))
    other = codes.clone()
    other[0, 10] = (codes[0, 10] + 7) % 60
    changed = (dvae.decode(codes) != dvae.decode(other)).any(-1)[0].view(21, -1).any(1).nonzero().flatten().tolist()
    assert changed == list(range(10 - dvae.decoder_reach, 11 + dvae.decoder_reach))


@torch.no_grad()
@pytest.mark.parametrize("target", ["magnitude", "complex"])
def test_the_reach_of_a_prediction_is_its_receptive_field(make_model: MakeModel, target: str) -> None:
    network = make_model(target, True).diffusion
    rng = torch.Generator().manual_seed(0)
    state = torch.randn(1, 41, network.target.width, generator=rng)
    decode, speaker = torch.randn(1, 41, network.audio.n_mels, generator=rng), torch.randn(1, 8, generator=rng)
    other, lengths = state.clone(), torch.tensor([41])
    other[0, 20] += 1.0
    both = [network(x, torch.tensor([0.5]), decode, speaker, lengths) for x in (state, other)]
    frames = (both[0] != both[1]).any(-1)[0].nonzero().flatten()
    assert (int(frames.min()), int(frames.max())) == (20 - network.reach, 20 + network.reach)
