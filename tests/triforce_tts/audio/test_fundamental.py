"""The fundamental frequency, compared with sounds whose pitch is known and with librosa's pYIN on speech."""

import math

import librosa
import numpy as np
import pytest
import torch

from triforce_tts.audio.fundamental import CLASSES, HIGHEST_HZ, LOWEST_HZ, class_hertz, fundamental, pitch_class
from triforce_tts.audio.io import read_audio
from triforce_tts.synthesis.model import bundled_model

pytestmark = pytest.mark.usefixtures("one_thread")

RATE, HOP = 16_000, 128


def harmonics(hertz: torch.Tensor, partials: int = 12) -> torch.Tensor:
    """A buzz [n] whose pitch at each sample is ``hertz`` [n]."""
    phase = 2 * math.pi * torch.cumsum(hertz.double() / RATE, 0)
    return sum(torch.cos(n * phase) / n for n in range(1, partials + 1)).float() * 0.1  # type: ignore[union-attr]


def semitones(found: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    return 12 * (found / expected).log2().abs()


def test_places_on_the_scale() -> None:
    assert pitch_class(torch.tensor([LOWEST_HZ, HIGHEST_HZ, 20.0, 2000.0])).tolist() == [0, CLASSES - 1, 0, CLASSES - 1]
    hertz = torch.tensor([60.0, 123.4, 500.0])
    assert torch.allclose(class_hertz(pitch_class(hertz)), hertz, rtol=1e-5)
    assert float(pitch_class(torch.tensor(110.0))) == pytest.approx(199 * math.log10(2), abs=1e-3)


@pytest.mark.parametrize("hertz", [70.0, 123.0, 210.5, 440.0])
def test_a_steady_buzz(hertz: float) -> None:
    found = fundamental(harmonics(torch.full((RATE,), hertz))[None], RATE, HOP)
    assert found.shape == (1, RATE // HOP)
    assert semitones(found[0, 5:-5], torch.tensor(hertz)).max() < 0.05


def test_a_glide_and_the_place_of_its_frames() -> None:
    time = torch.arange(2 * RATE) / RATE
    hertz = 180 * 2 ** (0.4 * torch.sin(2 * math.pi * 1.5 * time))
    found = fundamental(harmonics(hertz)[None], RATE, HOP)[0]
    assert semitones(found[5:-5], hertz[::HOP][5:-5]).max() < 0.1


def test_what_has_no_pitch_is_not_voiced() -> None:
    noise = 0.1 * torch.randn(1, RATE, generator=torch.Generator().manual_seed(0))
    assert (fundamental(noise, RATE, HOP) == 0).float().mean() > 0.95
    assert (fundamental(torch.zeros(1, RATE), RATE, HOP) == 0).all()
    half = harmonics(torch.full((RATE,), 150.0))
    half[RATE // 2 :] = 0
    found = fundamental(half[None], RATE, HOP)[0]
    middle = RATE // 2 // HOP
    assert (found[: middle - 3] > 0).all()
    assert (found[middle + 4 :] == 0).all()


def test_batched_is_alone_and_a_sound_without_a_whole_frame() -> None:
    sounds = torch.stack([harmonics(torch.full((4000,), hertz)) for hertz in (90.0, 300.0)])
    together = fundamental(sounds, RATE, HOP)
    for row in range(2):
        assert torch.allclose(together[row], fundamental(sounds[row : row + 1], RATE, HOP)[0])
    padded = torch.nn.functional.pad(sounds, (0, 3000))
    assert torch.allclose(fundamental(padded, RATE, HOP)[:, : together.shape[1] - 1], together[:, :-1])
    assert fundamental(torch.zeros(2, 5), RATE, HOP).tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_mixed_precision_changes_nothing(precision: torch.dtype) -> None:
    loud = 10 * harmonics(torch.full((4000,), 180.0))[None]
    expected = fundamental(loud, RATE, HOP)
    with torch.autocast("cpu", precision):
        assert torch.equal(fundamental(loud, RATE, HOP), expected)


def test_speech_as_librosa_hears_it() -> None:
    clip = read_audio(bundled_model() / "voice.flac", RATE).samples[: 5 * RATE]
    found = fundamental(clip[None], RATE, HOP)[0].numpy()
    hertz, voiced, _ = librosa.pyin(clip.numpy(), fmin=60, fmax=500, sr=RATE, frame_length=1024, hop_length=HOP)
    frames = min(len(found), len(hertz))
    found, hertz, voiced = found[:frames], hertz[:frames], voiced[:frames]
    assert np.mean((found > 0) == voiced) > 0.8
    both = (found > 0) & voiced
    assert both.mean() > 0.3
    apart = np.abs(12 * np.log2(found[both] / hertz[both]))
    assert np.median(apart) < 0.25
    assert np.mean(apart < 1.0) > 0.9
