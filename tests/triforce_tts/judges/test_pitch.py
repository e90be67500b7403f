"""Pitch of sounds whose pitch is known."""

import numpy as np
import pytest

from triforce_tts.judges import pitch

pytest.importorskip("librosa")
RATE = 16000


def voice(hertz: np.ndarray) -> np.ndarray:
    """A buzz with harmonics, at ``hertz`` [n] from sample to sample."""
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, 9))
    return np.asarray(0.2 * sound, np.float32)


def test_a_steady_voice_has_its_pitch_and_no_range() -> None:
    found = pitch.pitch(voice(np.full(RATE, 150.0)), RATE)
    assert found is not None
    assert found.median_hz == pytest.approx(150, rel=0.01)
    assert found.range_semitones < 0.5
    assert found.voiced > 0.8


def test_a_glide_over_an_octave_has_a_range_of_nearly_twelve_semitones() -> None:
    found = pitch.pitch(voice(np.geomspace(120.0, 240.0, 2 * RATE)), RATE)
    assert found is not None
    assert 9.5 < found.range_semitones < 12.0  # 90 % of it lies between the percentiles
    assert found.median_hz == pytest.approx(120 * 2**0.5, rel=0.03)


def test_silence_and_very_short_sounds_have_none() -> None:
    assert pitch.pitch(np.zeros(RATE, np.float32), RATE) is None
    assert pitch.pitch(np.zeros(100, np.float32), RATE) is None
