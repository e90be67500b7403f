"""The mel against librosa, and the arithmetic of frames."""

import librosa
import numpy as np
import pytest
import torch

from triforce_tts.audio.mel import (
    AudioConfig,
    envelope,
    griffin_lim,
    log_mel_nats,
    mel_filters,
    mel_of_magnitude,
    mel_spectrogram,
    stft,
)
from triforce_tts.data import babble

CONFIG = AudioConfig(sample_rate=16000, n_fft=1024, hop_length=256, n_mels=80)


@pytest.fixture(scope="module")
def speech() -> torch.Tensor:
    return babble.speak("hello there this is a tone", "mid").samples


@pytest.mark.parametrize(("rate", "n_fft", "n_mels"), [(16000, 1024, 80), (24000, 1024, 100), (8000, 512, 40)])
def test_filters_are_librosas(rate: int, n_fft: int, n_mels: int) -> None:
    theirs = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels)
    assert np.abs(mel_filters(rate, n_fft, n_mels).numpy() - theirs).max() < 1e-7


def test_log_mel_is_librosas(speech: torch.Tensor) -> None:
    theirs = librosa.feature.melspectrogram(
        y=speech.numpy(), sr=16000, n_fft=1024, hop_length=256, n_mels=80, power=1.0, pad_mode="constant"
    )
    ours = log_mel_nats(mel_spectrogram(speech, CONFIG), CONFIG).numpy().T
    theirs = np.log(np.maximum(theirs, CONFIG.mel_floor))[:, : ours.shape[1]]
    assert np.abs(ours - theirs).max() < 1e-4


def test_a_hop_begun_is_a_frame() -> None:
    assert [CONFIG.frames(n) for n in (0, 1, 256, 257)] == [0, 1, 1, 2]
    assert CONFIG.samples(3) == 768
    assert CONFIG.seconds(125) == pytest.approx(2.0)
    assert CONFIG.frames_of_seconds(2.0) == 125
    for n in (1, 255, 256, 257, 5000):
        assert mel_spectrogram(torch.zeros(n), CONFIG).shape == (CONFIG.frames(n), 80)


def test_padding_changes_nothing(speech: torch.Tensor) -> None:
    alone = mel_spectrogram(speech[:10000], CONFIG)
    padded = mel_spectrogram(torch.nn.functional.pad(speech[:10000], (0, 5000)), CONFIG)
    assert torch.allclose(alone, padded[: len(alone)], atol=1e-5)


def test_the_envelope_has_the_mel_it_came_from(speech: torch.Tensor) -> None:
    mel = mel_spectrogram(speech, CONFIG)
    shape = envelope(mel, CONFIG)
    assert shape.min() > 0
    error = (mel_of_magnitude(shape, CONFIG) - mel).abs().mean() * CONFIG.mel_std
    assert error < 0.25


def test_griffin_lim_gives_sound_of_that_spectrogram(speech: torch.Tensor) -> None:
    magnitude = stft(speech, CONFIG).abs()
    sound = griffin_lim(magnitude, CONFIG)
    assert sound.shape == (CONFIG.samples(len(magnitude)),)
    assert torch.equal(sound, griffin_lim(magnitude, CONFIG))
    error = (mel_spectrogram(sound, CONFIG) - mel_spectrogram(speech, CONFIG)).abs().mean() * CONFIG.mel_std
    assert error < 0.35
