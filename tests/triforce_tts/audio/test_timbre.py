"""A timbre is what the means of two recordings differ by beyond chance, and it is added to speech alone."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from triforce_tts.audio.mel import AudioConfig
from triforce_tts.audio.timbre import add_timbre, loudness
from triforce_tts.audio.timbre import timbre_between as between

N_MELS = 50
AUDIO = AudioConfig(sample_rate=24000, n_fft=1024, hop_length=256, n_mels=N_MELS)
TILT = torch.linspace(-0.5, 0.5, N_MELS)


def speech(seconds: float, seed: int, tilt: torch.Tensor | None = None) -> torch.Tensor:
    """Frames [n, N_MELS] that change every 8 frames, as phones do; every fifth stretch is a pause."""
    rng = torch.Generator().manual_seed(seed)
    phones = torch.randn(round(seconds * 12), N_MELS, generator=rng) + (0 if tilt is None else tilt)
    phones[::5] = -2.0
    return phones.repeat_interleave(8, 0)


def timbre_between(spoken: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return between(spoken, wanted, AUDIO)


def level(mel: torch.Tensor) -> float:
    """Of the mean spectrum of the speech in ``mel``, in nats: half the logarithm of the mean power of its bands."""
    nats = AUDIO.mel_std * mel[mel[:, 0] != -2].double().mean(0).numpy()
    return float(0.5 * np.log(np.exp(2 * nats).mean()))


def test_loudness_rises_from_pauses_to_speech() -> None:
    levels = torch.tensor([-3.0, -1.0, -0.75, -0.5, 2.0])
    assert loudness(levels[:, None].expand(-1, N_MELS)).tolist() == [0, 0, 0.5, 1, 1]


def test_pauses_keep_their_spectrum_and_speech_gets_the_timbre() -> None:
    mel = speech(2, 0)[None]
    changed = add_timbre(mel, TILT[None]) - mel
    is_pause = mel[0, :, 0] == -2.0
    assert torch.equal(changed[0, is_pause], torch.zeros_like(changed[0, is_pause]))
    assert torch.allclose(changed[0, ~is_pause], TILT.expand(int((~is_pause).sum()), -1), atol=1e-6)


def test_a_timbre_is_the_difference_of_the_means() -> None:
    """Of minutes of speech hardly anything is chance, and what is left is the smoothed difference, at the level of the speech."""
    spoken, wanted = speech(400, 1), speech(400, 2, TILT)
    found = timbre_between(spoken, wanted)
    by_hand = (wanted[wanted[:, 0] != -2].mean(0) - spoken[spoken[:, 0] != -2].mean(0)).numpy()
    expected = gaussian_filter1d(by_hand, 0.02 * N_MELS, mode="nearest", truncate=3)
    apart = found.numpy() - expected
    assert apart.std() < 0.01 and abs(apart.mean()) > 0.1
    corrected = add_timbre(spoken[None], found[None])[0]
    assert level(corrected) == pytest.approx(level(spoken), abs=0.02)
    assert float(timbre_between(corrected, wanted).std()) < 0.01


def test_the_largest_differences_are_of_the_recording() -> None:
    telephone = torch.where(torch.arange(N_MELS) < 25, 0.0, -3.0)
    found = timbre_between(speech(20, 1), speech(20, 2, telephone))
    assert float(found.max() - found.min()) <= 2.0


def test_chance_gives_no_timbre() -> None:
    """Two recordings of one voice differ by their words alone: over many of them a tenth of the difference is left."""
    left = [float(timbre_between(speech(6, seed), speech(6, 50 + seed)).var()) for seed in range(40)]
    all_of_it = [float((speech(6, s).mean(0) - speech(6, 50 + s).mean(0)).square().mean()) for s in range(40)]
    assert sum(left) < 0.1 * sum(all_of_it)
    assert left.count(0.0) > 10


@pytest.mark.parametrize("frames", [0, 1, 40, 100])
def test_too_little_speech_says_nothing(frames: int) -> None:
    nothing = torch.zeros(N_MELS)
    assert torch.equal(timbre_between(speech(9, 3)[:frames], speech(9, 4, TILT)), nothing)
    assert torch.equal(timbre_between(speech(9, 3), speech(9, 4, TILT)[:frames]), nothing)
    assert torch.equal(timbre_between(speech(9, 3), torch.full((900, N_MELS), -2.0)), nothing)
