"""The upsampler: batched is alone, padding changes nothing, nothing reaches across time."""

import pytest
import torch

from triforce_tts.audio.mel import AudioConfig
from triforce_tts.models.diffusion import Diffusion, DiffusionConfig, from_target, noise_shape, to_target, wiener_gain

AUDIO = AudioConfig(sample_rate=8000, n_fft=512, hop_length=128, n_mels=40)
CONFIG = DiffusionConfig(target="magnitude", channels=32, hidden=48, blocks=2, kernel_size=7, reference_channels=16)


@pytest.fixture(scope="module")
def network() -> Diffusion:
    torch.manual_seed(0)
    made = Diffusion(CONFIG, AUDIO).eval()
    torch.nn.init.normal_(made.project_out.weight, std=0.1)  # it starts at zero, where nothing could be seen
    return made


def test_the_target_is_invertible() -> None:
    magnitude = torch.rand(2, 30, AUDIO.n_bins) * 5
    shape = noise_shape(torch.randn(2, 30, 40), AUDIO)
    assert torch.allclose(from_target(to_target(magnitude, shape), shape), magnitude, rtol=1e-3, atol=1e-4)


@torch.inference_mode()
def test_batched_is_alone(network: Diffusion) -> None:
    lengths = torch.tensor([50, 23])
    noisy, decode = torch.randn(2, 50, AUDIO.n_bins), torch.randn(2, 50, 40)
    t, speaker = torch.tensor([0.2, 0.7]), torch.randn(2, 16)
    both = network(noisy, t, decode, speaker, lengths)
    for row, n in enumerate(lengths.tolist()):
        one = slice(row, row + 1)
        alone = network(noisy[one, :n], t[one], decode[one, :n], speaker[one], lengths[one])
        assert torch.allclose(both[one, :n], alone, atol=1e-5)


@torch.inference_mode()
def test_the_reference_ignores_padding(network: Diffusion) -> None:
    mel, lengths = torch.randn(2, 61, 40), torch.tensor([61, 30])
    both = network.reference(mel, lengths)
    assert torch.allclose(both[1:], network.reference(mel[1:, :30], lengths[1:]), atol=1e-5)


@torch.inference_mode()
def test_nothing_reaches_across_time(network: Diffusion) -> None:
    lengths, t, speaker = torch.tensor([100]), torch.tensor([0.5]), torch.randn(1, 16)
    noisy, decode = torch.randn(1, 100, AUDIO.n_bins), torch.randn(1, 100, 40)
    before = network(noisy, t, decode, speaker, lengths)
    decode[:, 60:] += 5
    after = network(noisy, t, decode, speaker, lengths)
    reach = CONFIG.blocks * (CONFIG.kernel_size // 2)
    assert torch.allclose(before[:, : 60 - reach], after[:, : 60 - reach], atol=1e-6)
    assert not torch.allclose(before[:, 60:], after[:, 60:], atol=1e-3)


def test_the_wiener_gain_is_the_best_linear_guess() -> None:
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 200_000, generator=generator)
    for t in (0.0, 0.3, 0.8, 1.0):
        mixed = (1 - t) * noise + t * clean
        fitted = (mixed * clean).mean() / mixed.square().mean()
        assert float(wiener_gain(torch.tensor(t))) == pytest.approx(float(fitted), abs=0.01)
