"""The network of target ``source``: what a frame depends on, what its state holds, and how it decides on a pitch."""

import math

import pytest
import torch

from tests.conftest import scrambled
from tests.triforce_tts.models.test_diffusion import LENGTHS, Inputs
from triforce_tts import schema
from triforce_tts.audio.fundamental import CLASSES, class_hertz
from triforce_tts.audio.mel import AudioConfig, mel_spectrogram
from triforce_tts.errors import ConfigError
from triforce_tts.models import source_filter
from triforce_tts.models.diffusion import Diffusion
from triforce_tts.models.source_filter import SPLIT, Source, SourceFilter, decided, sharpened, source_grid
from triforce_tts.models.targets import DiffusionConfig
from triforce_tts.models.upsampler import make_upsampler

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = {
    "target": "source", "channels": 16, "hidden": 32, "blocks": 2, "kernel_size": 5, "reference_channels": 8,
    "pitch_channels": 8, "pitch_blocks": 1,
}  # fmt: skip

# The sound of the bundled model.
AUDIO = AudioConfig(sample_rate=24000, n_fft=1536, hop_length=384, n_mels=100)


@pytest.fixture
def network(tiny_audio: AudioConfig) -> SourceFilter:
    made = scrambled(make_upsampler(DiffusionConfig.model_validate(SIZES), tiny_audio))
    assert isinstance(made, SourceFilter)
    return made


def source_of(inputs: Inputs, network: SourceFilter) -> Source:
    return Source.of_state(inputs(network), network.audio)


@torch.no_grad()
def test_a_state_holds_a_source(network: SourceFilter, tiny_audio: AudioConfig) -> None:
    inputs = Inputs(network)
    state = inputs(network)
    source = Source.of_state(state, tiny_audio)
    frames = SPLIT * max(LENGTHS)
    assert source.hertz.shape == source.voiced.shape == source.turns.shape == (4, frames)
    assert source.pulse_bands.shape == source.noise_bands.shape == (4, frames, tiny_audio.n_mels)
    assert torch.equal(source.white, inputs.noisy)
    assert torch.equal(source.state(), state)
    assert set(source.voiced.unique().tolist()) == {0.0, 1.0}
    assert ((source.turns >= 0) & (source.turns < 1)).all()
    samples = network.target.samples(state, inputs.decode, 0)
    assert samples.shape == (4, max(LENGTHS) * tiny_audio.hop_length)
    assert network.target.magnitude(state, inputs.decode).shape == (4, max(LENGTHS), tiny_audio.n_bins)


@torch.no_grad()
def test_batched_is_alone_and_padding_changes_nothing(network: SourceFilter) -> None:
    inputs, padded = Inputs(network), Inputs(network, 100.0, 7)
    together, beside = source_of(inputs, network), source_of(padded, network)
    for row, length in enumerate(LENGTHS):
        cut, lengths = (slice(row, row + 1), slice(length)), torch.tensor([length])
        speaker = network.reference(inputs.reference[cut], lengths)
        alone = Source.of_state(
            network(inputs.noisy[cut], inputs.t[:1], inputs.decode[cut], speaker, lengths), network.audio
        )
        for name in ("hertz", "voiced", "turns", "pulse_bands", "noise_bands"):
            expected = getattr(alone, name)[0]
            for found in (together, beside):
                assert torch.allclose(getattr(found, name)[row, : SPLIT * length], expected, atol=1e-3), name


@torch.no_grad()
def test_a_frame_depends_on_its_receptive_field_alone(network: SourceFilter) -> None:
    inputs = Inputs(network)
    before = source_of(inputs, network)
    inputs.decode[0, 12] += 1.0
    after = source_of(inputs, network)
    felt = torch.zeros(30, dtype=torch.bool)
    for name in ("hertz", "voiced", "pulse_bands", "noise_bands"):
        apart = (getattr(after, name)[0] - getattr(before, name)[0]).abs().reshape(30, -1).amax(1)
        felt |= apart > 1e-4 * getattr(before, name).abs().max()
    near = (torch.arange(30) - 12).abs()
    assert not felt[near > network.reach].any()
    assert felt[near <= 4].all()  # the blocks of the filters alone


@torch.no_grad()
@pytest.mark.parametrize("name", ["decode", "reference", "noisy"])
def test_every_input_counts(network: SourceFilter, name: str) -> None:
    inputs = Inputs(network)
    before = network.target.samples(inputs(network), inputs.decode, 0)
    getattr(inputs, name)[1] *= 0.5
    difference = (network.target.samples(inputs(network), inputs.decode, 0) - before).abs().amax(1)
    assert difference[1] > 1e-3 * before.std()
    assert difference[[0, 2, 3]].max() < 1e-6 * before.std()


def test_training_reaches_every_weight(network: SourceFilter) -> None:
    inputs = Inputs(network)
    speaker = network.reference(inputs.reference, inputs.lengths)
    mask = torch.ones(4, max(LENGTHS), 1)
    network.melody(inputs.decode, speaker, mask).square().mean().backward()
    hertz = torch.full((4, SPLIT * max(LENGTHS)), 200.0)
    source = network.source(
        inputs.noisy, inputs.decode, hertz, torch.ones_like(hertz), speaker.detach(), inputs.lengths
    )
    network.target.samples(source.state(), inputs.decode, 0).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@torch.no_grad()
def test_a_new_network_has_the_spectrum_of_its_decode(tiny_audio: AudioConfig, vowels: torch.Tensor) -> None:
    """Filters that are the decode itself: pulses and noise through them have nearly its mel."""
    torch.manual_seed(0)
    network = make_upsampler(DiffusionConfig.model_validate(SIZES), tiny_audio)
    assert isinstance(network, SourceFilter)
    mel = mel_spectrogram(vowels[None], tiny_audio)
    frames = mel.shape[1]
    hertz = torch.full((1, SPLIT * frames), 120.0)
    white = torch.randn(1, frames, tiny_audio.hop_length)
    source = network.source(white, mel, hertz, torch.ones_like(hertz), torch.zeros(1, 8), torch.tensor([frames]))
    made = mel_spectrogram(network.target.samples(source.state(), mel, 0), tiny_audio)
    apart = (made - mel)[:, 4:-4, 6:] * tiny_audio.mel_std  # The lowest bands lie between two partials.
    assert abs(float(apart.mean())) < 0.4
    assert float(apart.abs().mean()) < 0.6


def test_the_pitch_is_the_middle_of_the_likeliest_peak() -> None:
    """A peak between two classes lies between their pitches; another one far away does not pull it."""
    logits = torch.full((1, 3, CLASSES + 1), -20.0)
    logits[0, 0, [40, 41]] = 5.0
    logits[0, 1, [40, 120]] = torch.tensor([5.1, 5.0])
    logits[0, 2, 0] = 5.0
    logits[0, :, -1] = torch.tensor([2.0, -2.0, 0.5])
    hertz, voiced = decided(logits)
    assert voiced.tolist() == [[1.0, 0.0, 1.0]]
    assert torch.allclose(hertz[0], class_hertz(torch.tensor([40.5, 40.0, 0.0])), rtol=1e-4)


def test_near_the_ends_of_the_scale_no_class_counts_twice() -> None:
    logits = torch.full((1, 2, CLASSES + 1), -20.0)
    logits[0, 0, :5] = torch.tensor([4.0, 4.0, 5.0, 4.0, 4.0])
    logits[0, 1, CLASSES - 5 : CLASSES] = torch.tensor([4.0, 4.0, 5.0, 4.0, 4.0])
    hertz, _ = decided(logits)
    assert torch.allclose(hertz[0], class_hertz(torch.tensor([2.0, CLASSES - 3.0])), rtol=1e-3)


@torch.no_grad()
def test_long_sounds_are_filtered_in_blocks(network: SourceFilter, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = Inputs(network)
    state = inputs(network)[:1]
    whole = network.target.samples(state, inputs.decode, 0)
    monkeypatch.setattr(source_filter, "_BLOCK", 13)
    assert torch.allclose(network.target.samples(state, inputs.decode, 0), whole, atol=1e-5 * float(whole.abs().max()))


def test_what_speaking_made_can_be_trained_with(network: SourceFilter) -> None:
    """Tables that are made while speaking are kept, and training uses them."""
    source_filter._knots.cache_clear()
    inputs = Inputs(network)
    with torch.inference_mode():
        network.target.samples(inputs(network), inputs.decode, 0)
    state = inputs(network)
    network.target.samples(state, inputs.decode, 0).square().mean().backward()


@torch.no_grad()
def test_pulses_can_be_moved(network: SourceFilter) -> None:
    inputs = Inputs(network)
    state = inputs(network)[:1]
    moved = network.target.turned(state, 10, 0.25)
    turns, before = network.target.turns(moved), network.target.turns(state)
    assert turns.shape == (1, 31)
    assert float(turns[0, 10]) == pytest.approx(0.25, abs=1e-5)
    apart = (turns - before).remainder(1.0)
    assert float(torch.sin(2 * math.pi * (apart - apart[:, :1])).abs().max()) < 1e-4
    assert torch.equal(moved[..., SPLIT:], state[..., SPLIT:])


def test_peaks_are_deepened() -> None:
    flat = torch.full((2, 3, 100), -4.0)
    assert torch.allclose(sharpened(flat, 0.5, AUDIO), flat)
    wave = torch.sin(2 * math.pi * torch.arange(100) / 20).expand(1, 1, -1)  # 5 peaks; the mean over them is 0
    found = sharpened(wave, 0.4, AUDIO)[..., 25:75]
    damped = math.exp(-0.5 * (2 * math.pi / 20 * 6) ** 2)  # what a Gaussian of 6 bands leaves of this wave
    expected = wave[..., 25:75] * (1 + 0.4 * (1 - damped))
    shift = found - expected
    assert float((shift - shift.mean()).abs().max()) < 2e-3
    assert sharpened(wave, 0.0, AUDIO) is wave


def test_sharpening_keeps_the_power() -> None:
    """The power of white noise through the filters of some formants, measured in the sound itself."""
    frames, grid = 400, source_grid(AUDIO)
    apart = torch.arange(AUDIO.n_mels) - torch.tensor([[12.0], [40.0], [62.0]])
    formants = 3.0 * torch.exp(-0.5 * (apart / 4.0).square()).sum(0) - 4.0
    bands = formants.expand(1, frames, -1)
    white = torch.randn(1, frames // SPLIT, AUDIO.hop_length, generator=torch.Generator().manual_seed(0))

    def power(noise_bands: torch.Tensor) -> float:
        zero, low = torch.zeros(1, frames), torch.full_like(bands, -30.0)
        source = Source(zero, zero + 150.0, zero, low, noise_bands, white)
        return float(source.samples(AUDIO)[:, 4 * grid.window : -4 * grid.window].square().mean())

    before, after = power(bands), power(sharpened(bands, 0.4, AUDIO))
    assert abs(10 * math.log10(after / before)) < 0.1


@torch.no_grad()
def test_sharpness_is_for_speaking_alone(network: SourceFilter) -> None:
    inputs = Inputs(network)
    before = source_of(inputs, network)
    network.config = network.config.model_copy(update={"sharpness": 0.3})
    after = source_of(inputs, network)
    assert torch.allclose(after.pulse_bands, sharpened(before.pulse_bands, 0.3, network.audio), atol=1e-4)
    assert torch.allclose(after.noise_bands, sharpened(before.noise_bands, 0.3, network.audio), atol=1e-4)
    assert torch.equal(after.hertz, before.hertz)
    speaker = network.reference(inputs.reference, inputs.lengths)
    learnt = network.source(inputs.noisy, inputs.decode, before.hertz, before.voiced, speaker, inputs.lengths)
    assert torch.allclose(learnt.pulse_bands, before.pulse_bands, atol=1e-4)


def test_settings_that_do_not_fit(tiny_audio: AudioConfig) -> None:
    for changes, message in (
        ({"pitch_blocks": 0}, "needs pitch_channels and pitch_blocks"),
        ({"target": "magnitude"}, "no other target has them"),
        ({"null_condition": True}, "null_condition allows guidance"),
        ({"target": "magnitude", "pitch_blocks": 0, "pitch_channels": 0, "sharpness": 0.2}, "sharpness belongs to"),
        ({"bands": 3}, "belong to target 'complex'"),
    ):
        with pytest.raises(ConfigError, match=message):
            schema.parse(DiffusionConfig, {**SIZES, **changes}, "here")
    odd = tiny_audio.model_copy(update={"hop_length": 66, "n_fft": 264})
    with pytest.raises(ConfigError, match="hop_length is 66: target 'source' needs a multiple of 4"):
        make_upsampler(DiffusionConfig.model_validate(SIZES), odd)
    assert source_grid(tiny_audio).hop == 16
    flow = {name: value for name, value in SIZES.items() if not name.startswith("pitch")} | {"target": "magnitude"}
    assert isinstance(make_upsampler(DiffusionConfig.model_validate(flow), tiny_audio), Diffusion)
