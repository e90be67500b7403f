"""The mel compared with librosa's, the arithmetic of frames, and the ways back to sound."""

import librosa
import numpy as np
import pytest
import torch
from torchaudio.functional import griffinlim

from triforce_tts.audio.mel import (
    AudioConfig,
    envelope,
    log_mel_nats,
    mel_filters,
    mel_of_magnitude,
    mel_spectrogram,
    stft,
)
from triforce_tts.audio.phase import griffin_lim
from triforce_tts.data.labelled import babble
from triforce_tts.errors import ConfigError
from triforce_tts.schema import parse

pytestmark = pytest.mark.usefixtures("one_thread")

RATES = [
    AudioConfig(sample_rate=8000, n_fft=256, hop_length=64, n_mels=20),
    AudioConfig(sample_rate=16000, n_fft=1024, hop_length=256, n_mels=80),
    AudioConfig(sample_rate=24000, n_fft=1024, hop_length=256, n_mels=100, mel_mean=-4.0, mel_std=2.5, mel_floor=1e-3),
]


@pytest.mark.parametrize("config", RATES, ids=lambda c: str(c.sample_rate))
def test_filters_are_those_of_librosa(config: AudioConfig) -> None:
    expected = librosa.filters.mel(sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels)
    found = mel_filters(config.sample_rate, config.n_fft, config.n_mels)
    assert found.shape == (config.n_mels, config.n_bins) == expected.shape
    assert np.allclose(found.numpy(), expected, atol=1e-7, rtol=1e-4)


@pytest.mark.parametrize("config", RATES, ids=lambda c: str(c.sample_rate))
@pytest.mark.parametrize("length", [12000, 8192, 8193, 8191])
def test_log_mel_is_that_of_librosa(vowels: torch.Tensor, config: AudioConfig, length: int) -> None:
    samples = vowels[:length]
    magnitudes = librosa.feature.melspectrogram(
        y=samples.numpy(),
        sr=config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        power=1.0,
        pad_mode="constant",
    )
    expected = (np.log(np.maximum(magnitudes.T, config.mel_floor)) - config.mel_mean) / config.mel_std
    found = mel_spectrogram(samples, config)
    assert len(found) == config.frames(length)
    assert len(expected) - len(found) == (1 if length % config.hop_length == 0 else 0)
    assert np.allclose(found.numpy(), expected[: len(found)], atol=1e-4)


def test_silence_is_the_floor(tiny_audio: AudioConfig) -> None:
    mel = mel_spectrogram(torch.zeros(1000), tiny_audio)
    assert torch.allclose(log_mel_nats(mel, tiny_audio).exp(), torch.tensor(tiny_audio.mel_floor))


def test_samples_frames_and_seconds() -> None:
    config = RATES[2]
    assert config.n_bins == 513
    assert config.frame_rate == 93.75
    assert [config.frames(n) for n in (0, 1, 255, 256, 257, 512, 24000)] == [0, 1, 1, 1, 2, 2, 94]
    assert [config.samples(n) for n in (0, 1, 94)] == [0, 256, 24064]
    assert config.seconds(375) == 4.0
    assert [config.frames_of_seconds(s) for s in (0.0, 0.001, 1.0, 4.0)] == [1, 1, 94, 375]
    for frames in range(1, 50):
        assert config.frames(config.samples(frames)) == frames
        assert config.frames_of_seconds(config.seconds(frames)) == frames


@pytest.mark.parametrize("length", [4000, 4032, 4033, 63, 1])
def test_a_clip_in_a_padded_batch_has_the_frames_it_has_alone(
    vowels: torch.Tensor, tiny_audio: AudioConfig, length: int
) -> None:
    clip = vowels[:length]
    batch = torch.stack([torch.nn.functional.pad(clip, (0, 8000 - length)), vowels[:8000]])
    alone, batched = mel_spectrogram(clip, tiny_audio), mel_spectrogram(batch, tiny_audio)
    assert alone.shape == (tiny_audio.frames(length), tiny_audio.n_mels)
    assert batched.shape == (2, tiny_audio.frames(8000), tiny_audio.n_mels)
    assert torch.allclose(batched[0, : len(alone)], alone, atol=1e-5)
    assert torch.allclose(batched[1], mel_spectrogram(vowels[:8000], tiny_audio), atol=1e-5)


def test_the_spectrogram_keeps_the_energy(vowels: torch.Tensor, tiny_audio: AudioConfig) -> None:
    """The squares of a window sum to 3/8 of its length: by Parseval's theorem 4 overlapping windows give the energy."""
    spectrum = stft(torch.nn.functional.pad(vowels, (0, tiny_audio.n_fft)), tiny_audio).abs().square()
    bins = torch.full((tiny_audio.n_bins,), 2.0)
    bins[0] = bins[-1] = 1.0
    energy = float((spectrum * bins).sum()) / tiny_audio.n_fft
    windows = 3 / 8 * tiny_audio.n_fft / tiny_audio.hop_length
    assert energy == pytest.approx(float(vowels.square().sum()) * windows, rel=1e-3)


def test_the_envelope_stands_for_its_mel(vowels: torch.Tensor, tiny_audio: AudioConfig) -> None:
    mel = mel_spectrogram(vowels, tiny_audio)
    shape = envelope(mel, tiny_audio)
    assert shape.shape == (len(mel), tiny_audio.n_bins)
    assert shape.min() > 0
    error = (mel_of_magnitude(shape, tiny_audio) - mel).abs().mean() * tiny_audio.mel_std
    assert error < 0.02  # nats; the log-mel itself varies by 1.5


def test_the_envelope_of_silence_is_its_floor(tiny_audio: AudioConfig) -> None:
    shape = envelope(mel_spectrogram(torch.zeros(640), tiny_audio), tiny_audio, floor=0.01)
    assert torch.equal(shape, torch.full_like(shape, 0.01))


def test_speech_at_the_rate_of_a_model_survives_envelope_and_griffin_lim() -> None:
    """With 80 mels of 1024 samples, the filters at low frequencies are narrower than a bin, which is the hard case."""
    config = RATES[1]
    speech = babble.speak("hello there this is a tone", "mid").samples
    mel = mel_spectrogram(speech, config)
    shape = envelope(mel, config)
    assert shape.min() > 0
    assert (mel_of_magnitude(shape, config) - mel).abs().mean() * config.mel_std < 0.25
    found = mel_spectrogram(griffin_lim(stft(speech, config).abs(), config), config)
    assert (found - mel).abs().mean() * config.mel_std < 0.35


def test_griffin_lim_finds_a_sound_of_the_spectrogram(vowels: torch.Tensor, tiny_audio: AudioConfig) -> None:
    magnitude = stft(vowels, tiny_audio).abs()
    samples = griffin_lim(magnitude, tiny_audio)
    assert samples.shape == (len(magnitude) * tiny_audio.hop_length,)
    assert torch.equal(samples, griffin_lim(magnitude, tiny_audio))
    expected = mel_spectrogram(vowels, tiny_audio)

    def error(iterations: int) -> float:
        found = mel_spectrogram(griffin_lim(magnitude, tiny_audio, iterations), tiny_audio)
        return float((found - expected).abs().mean()) * tiny_audio.mel_std

    assert error(32) < 0.06
    assert error(32) < 0.3 * error(1)


@pytest.mark.parametrize("config", RATES, ids=lambda c: str(c.sample_rate))
@pytest.mark.parametrize("iterations", [0, 1, 4])
def test_griffin_lim_is_torchaudios_away_from_the_ends(
    vowels: torch.Tensor, config: AudioConfig, iterations: int
) -> None:
    """Torchaudio has one frame more, here silent, and reflects the sound at its ends; what that changes moves on by a window each time."""
    magnitude = stft(vowels, config).abs()
    expected = griffinlim(
        torch.nn.functional.pad(magnitude.T, (0, 1)), torch.hann_window(config.n_fft), config.n_fft, config.hop_length, config.n_fft, power=1.0,
        n_iter=iterations, momentum=0.99, length=config.samples(len(magnitude)), rand_init=False,
    )  # fmt: skip
    far = slice((iterations + 1) * config.n_fft, -(iterations + 1) * config.n_fft)
    assert len(expected[far]) > config.n_fft
    torch.testing.assert_close(griffin_lim(magnitude, config, iterations)[far], expected[far], atol=1e-5, rtol=0)


def test_griffin_lim_keeps_the_last_hop_and_draws_no_random_numbers(tiny_audio: AudioConfig) -> None:
    state = torch.get_rng_state()
    time = torch.arange(64 * 40) / 8000
    samples = griffin_lim(stft(torch.sin(2 * torch.pi * 440 * time), tiny_audio).abs(), tiny_audio)
    assert torch.equal(torch.get_rng_state(), state)
    assert samples[-64:].abs().max() > 0.3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hop_length": 100}, "multiple of hop_length"),
        ({"mel_floor": 0.0}, "greater than 0"),
        ({"mel_std": -1.0}, "greater than 0"),
    ],
)
def test_impossible_settings_are_refused(tiny_audio: AudioConfig, changes: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(AudioConfig, {**tiny_audio.model_dump(), **changes}, "here")
