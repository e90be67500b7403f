import pytest
import torch

from triforce_tts.audio.mel import AudioConfig, envelope
from triforce_tts.models.diffusion import (
    Diffusion,
    from_target,
    noise_shape,
    time_features,
    to_target,
    wiener_gain,
)

pytestmark = pytest.mark.usefixtures("one_thread")

LENGTHS = (30, 17, 6, 1)


class Inputs:
    """Random inputs of the diffusion network; what lies past the lengths is ``filler``."""

    def __init__(self, audio: AudioConfig, filler: float = 0.0, extra: int = 0) -> None:
        rng = torch.Generator().manual_seed(0)
        self.lengths = torch.tensor(LENGTHS)
        self.t = torch.tensor([0.0, 0.3, 0.8, 0.95])
        shape = (len(LENGTHS), max(LENGTHS) + extra)
        self.noisy, self.decode = torch.full((*shape, audio.n_bins), filler), torch.full((*shape, audio.n_mels), filler)
        self.reference = torch.full((*shape, audio.n_mels), filler)
        for tensor in (self.noisy, self.decode, self.reference):
            for row, length in enumerate(LENGTHS):
                tensor[row, :length] = torch.randn(length, tensor.shape[-1], generator=rng)

    def __call__(self, network: Diffusion) -> torch.Tensor:
        speaker = network.reference(self.reference, self.lengths)
        out: torch.Tensor = network(self.noisy, self.t, self.decode, speaker, self.lengths)
        return out


def test_the_target_by_hand() -> None:
    magnitude, shape = torch.tensor([0.998, 0.098, 0.0]), torch.tensor([0.998, 0.998, 0.998])
    ratio = torch.tensor([0.0, -2.302585, -6.214608])  # ln of 1, 1/10 and 1/500
    assert torch.allclose(to_target(magnitude, shape), (ratio + 0.4) / 0.9, atol=1e-5)


def test_target_and_magnitude_are_each_others_inverse() -> None:
    rng = torch.Generator().manual_seed(0)
    magnitude = torch.exp(3 * torch.randn(4, 9, 50, generator=rng))
    shape = torch.exp(3 * torch.randn(4, 9, 50, generator=rng))
    again = from_target(to_target(magnitude, shape), shape)
    assert torch.allclose(again, magnitude, rtol=1e-4, atol=1e-5)
    target = torch.randn(4, 9, 50, generator=rng) + 2
    found = from_target(target, shape)
    assert torch.allclose(to_target(found, shape)[found > 0], target[found > 0], atol=1e-4)
    assert from_target(torch.full((1,), -50.0), torch.ones(1)) == 0
    assert found.min() >= 0


def test_silence_comes_back_as_silence() -> None:
    nothing = torch.zeros(3, 5)
    assert torch.allclose(from_target(to_target(nothing, nothing), nothing), nothing, atol=1e-8)


def test_the_shape_is_the_envelope_of_the_decode(tiny_audio: AudioConfig) -> None:
    decode = torch.randn(2, 7, tiny_audio.n_mels, generator=torch.Generator().manual_seed(0))
    assert torch.equal(noise_shape(decode, tiny_audio), envelope(decode, tiny_audio))
    assert noise_shape(decode.bfloat16(), tiny_audio).dtype == torch.float32


def test_the_wiener_gain_is_the_least_squares_gain() -> None:
    rng = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 100_000, generator=rng)
    for time in (0.0, 0.2, 0.5, 0.9, 1.0):
        noisy = (1 - time) * noise + time * clean
        best = (noisy @ clean) / (noisy @ noisy)
        assert wiener_gain(torch.tensor(time)) == pytest.approx(float(best), abs=0.01)


def test_time_features_tell_times_apart() -> None:
    features = time_features(torch.tensor([0.0, 1e-3, 0.5, 1.0]), 16)
    assert features.shape == (4, 16)
    assert features[0].tolist() == [1.0] * 8 + [0.0] * 8
    assert torch.pdist(features).min() > 0.1
    slowest = torch.cat((torch.tensor([0.5]).cos(), torch.tensor([0.5]).sin()))
    assert torch.allclose(features[2, [0, 8]], slowest, atol=1e-6)


@torch.no_grad()
def test_a_new_network_is_the_linear_guess(tiny_diffusion: Diffusion, tiny_audio: AudioConfig) -> None:
    torch.manual_seed(0)
    inputs = Inputs(tiny_audio)
    new = Diffusion(tiny_diffusion.config, tiny_audio)
    assert torch.equal(inputs(new), wiener_gain(inputs.t)[:, None, None] * inputs.noisy)
    assert (inputs(tiny_diffusion) - inputs(new)).std() > 0.1


@torch.no_grad()
def test_batched_is_alone(tiny_diffusion: Diffusion, tiny_audio: AudioConfig) -> None:
    inputs = Inputs(tiny_audio)
    together = inputs(tiny_diffusion)
    for row, length in enumerate(LENGTHS):
        cut = slice(row, row + 1), slice(length)
        lengths = torch.tensor([length])
        speaker = tiny_diffusion.reference(inputs.reference[cut], lengths)
        alone = tiny_diffusion(inputs.noisy[cut], inputs.t[row : row + 1], inputs.decode[cut], speaker, lengths)
        assert torch.allclose(together[row, :length], alone[0], atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("extra", [0, 1, 30])
def test_what_lies_past_the_end_changes_nothing(tiny_diffusion: Diffusion, tiny_audio: AudioConfig, extra: int) -> None:
    clean, noisy = Inputs(tiny_audio)(tiny_diffusion), Inputs(tiny_audio, 100.0, extra)(tiny_diffusion)
    for row, length in enumerate(LENGTHS):
        assert torch.allclose(clean[row, :length], noisy[row, :length], atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("extra", [0, 1, 2, 11])
def test_a_reference_ends_at_its_length(tiny_diffusion: Diffusion, tiny_audio: AudioConfig, extra: int) -> None:
    clean, noisy = Inputs(tiny_audio), Inputs(tiny_audio, 100.0, extra)
    expected = tiny_diffusion.reference(clean.reference, clean.lengths)
    assert torch.pdist(expected).min() > 0.01
    assert torch.allclose(tiny_diffusion.reference(noisy.reference, noisy.lengths), expected, atol=1e-5)
    for row, length in enumerate(LENGTHS):
        alone = tiny_diffusion.reference(clean.reference[row : row + 1, :length], torch.tensor([length]))
        assert torch.allclose(alone[0], expected[row], atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("name", ["noisy", "decode"])
def test_a_frame_depends_on_its_receptive_field_alone(
    tiny_diffusion: Diffusion, tiny_audio: AudioConfig, name: str
) -> None:
    """Two blocks of 5 frames reach 4 frames to either side: long sounds can be made in chunks."""
    inputs = Inputs(tiny_audio)
    before = inputs(tiny_diffusion)[0]
    getattr(inputs, name)[0, 12] += 10.0
    difference = (inputs(tiny_diffusion)[0] - before).abs().amax(-1)
    near = (torch.arange(30) - 12).abs() <= 4
    assert difference[~near].max() < 1e-6
    assert difference[near].min() > 1e-4


@torch.no_grad()
@pytest.mark.parametrize("name", ["decode", "reference", "t", "noisy"])
def test_every_input_counts(tiny_diffusion: Diffusion, tiny_audio: AudioConfig, name: str) -> None:
    inputs = Inputs(tiny_audio)
    before = inputs(tiny_diffusion)
    getattr(inputs, name)[1] *= 0.5
    difference = (inputs(tiny_diffusion) - before).abs().amax((1, 2))
    assert difference[1] > 1e-3
    assert difference[[0, 2, 3]].max() < 1e-6


def test_training_reaches_every_weight(tiny_diffusion: Diffusion, tiny_audio: AudioConfig) -> None:
    Inputs(tiny_audio)(tiny_diffusion).square().mean().backward()
    for name, parameter in tiny_diffusion.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
