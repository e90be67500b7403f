import pytest
import torch

from tests.conftest import scrambled
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.models.diffusion import Diffusion, time_features, wiener_gain
from triforce_tts.models.targets import DiffusionConfig
from triforce_tts.sampling.diffusion import sample_euler, uniform_times

pytestmark = pytest.mark.usefixtures("one_thread")

LENGTHS = (30, 17, 6, 1)


@pytest.fixture(params=["magnitude", "complex"])
def tiny_diffusion(request: pytest.FixtureRequest, tiny_audio: AudioConfig) -> Diffusion:
    """One network of each target."""
    bands = {"bands": 3, "band_overlap": 2} if request.param == "complex" else {}
    config = DiffusionConfig(
        target=request.param, channels=16, hidden=32, blocks=2, kernel_size=5, reference_channels=8, **bands
    )
    network = scrambled(Diffusion(config, tiny_audio))
    assert isinstance(network, Diffusion)
    return network


class Inputs:
    """Random inputs of a diffusion network; the values past the lengths are ``filler``."""

    def __init__(self, network: Diffusion, filler: float = 0.0, extra: int = 0) -> None:
        audio = network.audio
        rng = torch.Generator().manual_seed(0)
        self.lengths = torch.tensor(LENGTHS)
        self.t = torch.tensor([0.0, 0.3, 0.8, 0.95])
        shape = (len(LENGTHS), max(LENGTHS) + extra)
        self.noisy = torch.full((*shape, network.target.width), filler)
        self.decode = torch.full((*shape, audio.n_mels), filler)
        self.reference = torch.full((*shape, audio.n_mels), filler)
        for tensor in (self.noisy, self.decode, self.reference):
            for row, length in enumerate(LENGTHS):
                tensor[row, :length] = torch.randn(length, tensor.shape[-1], generator=rng)

    def __call__(self, network: Diffusion) -> torch.Tensor:
        speaker = network.reference(self.reference, self.lengths)
        out: torch.Tensor = network(self.noisy, self.t, self.decode, speaker, self.lengths)
        return out


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
def test_a_new_network_is_the_linear_guess(tiny_diffusion: Diffusion) -> None:
    torch.manual_seed(0)
    inputs = Inputs(tiny_diffusion)
    new = Diffusion(tiny_diffusion.config, tiny_diffusion.audio)
    assert torch.equal(inputs(new), wiener_gain(inputs.t)[:, None, None] * inputs.noisy)
    assert (inputs(tiny_diffusion) - inputs(new)).std() > 0.1


@torch.no_grad()
def test_batched_is_alone(tiny_diffusion: Diffusion) -> None:
    inputs = Inputs(tiny_diffusion)
    together = inputs(tiny_diffusion)
    for row, length in enumerate(LENGTHS):
        cut = slice(row, row + 1), slice(length)
        lengths = torch.tensor([length])
        speaker = tiny_diffusion.reference(inputs.reference[cut], lengths)
        alone = tiny_diffusion(inputs.noisy[cut], inputs.t[row : row + 1], inputs.decode[cut], speaker, lengths)
        assert torch.allclose(together[row, :length], alone[0], atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("extra", [0, 1, 30])
def test_what_lies_past_the_end_changes_nothing(tiny_diffusion: Diffusion, extra: int) -> None:
    clean, noisy = Inputs(tiny_diffusion)(tiny_diffusion), Inputs(tiny_diffusion, 100.0, extra)(tiny_diffusion)
    for row, length in enumerate(LENGTHS):
        assert torch.allclose(clean[row, :length], noisy[row, :length], atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("extra", [0, 1, 2, 11])
def test_a_reference_ends_at_its_length(tiny_diffusion: Diffusion, extra: int) -> None:
    clean, noisy = Inputs(tiny_diffusion), Inputs(tiny_diffusion, 100.0, extra)
    expected = tiny_diffusion.reference(clean.reference, clean.lengths)
    assert torch.pdist(expected).min() > 0.01
    assert torch.allclose(tiny_diffusion.reference(noisy.reference, noisy.lengths), expected, atol=1e-5)
    for row, length in enumerate(LENGTHS):
        alone = tiny_diffusion.reference(clean.reference[row : row + 1, :length], torch.tensor([length]))
        assert torch.allclose(alone[0], expected[row], atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("name", ["noisy", "decode"])
def test_a_frame_depends_on_its_receptive_field_alone(tiny_diffusion: Diffusion, name: str) -> None:
    """Two blocks of 5 frames reach 4 frames to each side; a spectrum reaches 3 hops more in each direction."""
    inputs = Inputs(tiny_diffusion)
    before = inputs(tiny_diffusion)[0]
    getattr(inputs, name)[0, 12] += 1.0
    difference = (inputs(tiny_diffusion)[0] - before).abs().amax(-1)
    # At the edges of a window the spectrum has hardly any weight, so only changes in the middle are sure to have an
    # effect.
    reach, felt = (4, slice(8, 17)) if tiny_diffusion.config.target == "magnitude" else (7, slice(10, 14))
    near = (torch.arange(30) - 12).abs() <= reach
    assert difference[~near].max() < 1e-6 * max(1.0, float(before.abs().max()))
    assert difference[felt].min() > 1e-4


@torch.no_grad()
def test_a_long_sound_can_be_made_in_chunks(tiny_diffusion: Diffusion) -> None:
    """A chunk with as much context as two steps and the shaped noise reach equals that part of the whole result."""
    rng = torch.Generator().manual_seed(0)
    target, audio = tiny_diffusion.target, tiny_diffusion.audio
    white, decode = torch.randn(1, 60, target.width, generator=rng), torch.randn(1, 60, audio.n_mels, generator=rng)
    speaker = torch.randn(1, tiny_diffusion.config.reference_channels, generator=rng)

    def made(first: int, last: int) -> torch.Tensor:
        given, lengths = decode[:, first:last], torch.tensor([last - first])
        return sample_euler(
            lambda x, t: tiny_diffusion(x, t, given, speaker, lengths),
            target.noise(white[:, first:last], given, lengths),
            uniform_times(2),
        )[0]

    start, end, context = 28, 32, 2 * 7 + 3
    whole = made(0, 60)[start:end]
    near = float(whole.abs().max())
    chunk = made(start - context, end + context)[context:-context]
    assert torch.allclose(chunk, whole, atol=1e-5 * near)
    assert not torch.allclose(made(start, end), whole, atol=1e-2 * near)


@torch.no_grad()
@pytest.mark.parametrize("name", ["decode", "reference", "t", "noisy"])
def test_every_input_counts(tiny_diffusion: Diffusion, name: str) -> None:
    inputs = Inputs(tiny_diffusion)
    before = inputs(tiny_diffusion)
    getattr(inputs, name)[1] *= 0.5
    difference = (inputs(tiny_diffusion) - before).abs().amax((1, 2))
    assert difference[1] > 1e-3 * before.std()
    assert difference[[0, 2, 3]].max() < 1e-6 * before.std()


def test_training_reaches_every_weight(tiny_diffusion: Diffusion) -> None:
    Inputs(tiny_diffusion)(tiny_diffusion).square().mean().backward()
    for name, parameter in tiny_diffusion.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
