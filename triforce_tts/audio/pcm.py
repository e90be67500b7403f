"""Samples as 16-bit integers (PCM), and back: the one scale for files, recognisers and sound that is kept on disk.

A sample of 1.0 would be 32768, one more than 16 bits hold. So decoders divide by 32768, and 1.0 is stored as 32767:
every 16-bit value goes in and out unchanged, -1.0 is exact, and full scale upwards loses one step.
"""

import numpy as np
import numpy.typing as npt

FULL_SCALE = 32768  # the integer that stands for 1.0
PCM16 = np.dtype("<i2")  # little-endian on every machine


def to_pcm16(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """Float samples of any shape as 16-bit integers, rounded to the nearest; what is louder than full scale is cut off."""
    scaled = samples * np.float32(FULL_SCALE)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1, out=scaled)
    pcm: npt.NDArray[np.int16] = scaled.astype(PCM16)
    return pcm


def from_pcm16(pcm: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """16-bit integers as float samples in [-1, 1)."""
    samples: npt.NDArray[np.float32] = pcm.astype(np.float32) / np.float32(FULL_SCALE)
    return samples
