"""The one way to another sample rate for a sound that lies whole in memory (soxr, its high quality)."""

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]

Wave = npt.NDArray[np.float32]
ANALYSIS_RATE = 16000  # Hz; the sample rate at which the detectors, recognisers and judges listen


def resample(samples: Wave, sample_rate: int, target_rate: int | None) -> Wave:
    """``samples`` [n] float32 at ``target_rate`` in Hz; unchanged if they have this rate, or if it is ``None``.

    The result may pass 1.0 a little where the samples come near it: the caller clips what a file cannot hold.
    """
    if target_rate is None or target_rate == sample_rate or not len(samples):
        return samples
    return np.asarray(soxr.resample(samples, sample_rate, target_rate), np.float32)
