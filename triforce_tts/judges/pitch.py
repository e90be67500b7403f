"""The fundamental frequency of a voice, by librosa's pYIN (Mauch and Dixon, ICASSP 2014)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from triforce_tts.audio.resample import ANALYSIS_RATE, Wave, resample
from triforce_tts.locks import one_at_a_time

PACKAGES = ("librosa",)
BOUNDS_HZ = (60.0, 500.0)  # the lowest and the highest pitch of a speaking voice
_FRAME, _HOP = 1024, 256  # samples at 16 kHz; 64 ms hold nearly four periods of the lowest voice
# The range lies between these percentiles, so that single octave errors do not count.
_SHARES = (5, 95)
_LEAST = 5  # a figure needs at least so many voiced frames (80 ms)


@dataclass(frozen=True)
class Pitch:
    """The melody of a clip."""

    median_hz: float
    range_semitones: float  # the distance from the 5th to the 95th percentile
    voiced: float  # the share of voiced frames


def pitch(samples: Wave, sample_rate: int) -> Pitch | None:
    """The pitch of ``samples`` [n]; ``None`` if hardly anything is voiced."""
    wave = resample(samples, sample_rate, ANALYSIS_RATE)
    if len(wave) < 2 * _FRAME:
        return None
    hertz, voiced, _ = _pyin()(wave)
    voiced_hz = hertz[voiced & np.isfinite(hertz)]
    if len(voiced_hz) < _LEAST:
        return None
    low, high = np.percentile(voiced_hz, _SHARES)
    return Pitch(float(np.median(voiced_hz)), float(12 * np.log2(high / low)), float(np.mean(voiced)))


@lru_cache(maxsize=1)
def _pyin() -> Callable[..., Any]:
    """librosa's pYIN with our settings, compiled by numba or read from numba's cache, by one process at a time.

    Two processes that compile it at once can leave a cache whose parts do not fit: the code of one names functions of the other
    by their addresses. Every later process then ends with a segmentation fault.
    """
    with one_at_a_time("librosa"):
        from librosa import pyin

        track: Callable[..., Any] = partial(
            pyin, fmin=BOUNDS_HZ[0], fmax=BOUNDS_HZ[1], sr=ANALYSIS_RATE, frame_length=_FRAME, hop_length=_HOP
        )
        track(np.zeros(2 * _FRAME, np.float32))
    return track
