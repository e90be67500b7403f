"""One scale between floats and 16-bit integers, compared with values computed by hand."""

import io

import numpy as np
import pytest
import soundfile as sf
import torch

from triforce_tts.audio.io import Audio, encode_flac
from triforce_tts.audio.pcm import PCM16, from_pcm16, to_pcm16

EVERY = np.arange(-32768, 32768).astype(np.int16)


@pytest.mark.parametrize(
    ("sample", "integer"),
    [
        (0.0, 0),
        (1.0, 32767),  # 32768 does not fit into 16 bits
        (-1.0, -32768),
        (0.5, 16384),
        (-0.5, -16384),
        (32767 / 32768, 32767),
        (1 / 32768, 1),
        (0.6 / 32768, 1),
        (0.4 / 32768, 0),
        (-0.6 / 32768, -1),
        (1.5, 32767),  # a value out of range is clipped and does not wrap round
        (-1.5, -32768),
        (1e30, 32767),
    ],
)
def test_values_by_hand(sample: float, integer: int) -> None:
    assert to_pcm16(np.array([sample], np.float32)).tolist() == [integer]


def test_every_integer_goes_through_unchanged() -> None:
    samples = from_pcm16(EVERY)
    assert samples.dtype == np.float32 and samples.min() == -1.0 and samples.max() == 32767 / 32768
    assert np.array_equal(to_pcm16(samples), EVERY)


def test_it_is_little_endian_and_leaves_its_input_alone() -> None:
    samples = np.array([1 / 128, 1 / 32768], np.float32)
    pcm = to_pcm16(samples)
    assert pcm.dtype == PCM16 and pcm.tobytes() == b"\x00\x01\x01\x00"
    assert samples.tolist() == [1 / 128, 1 / 32768]


def test_files_have_the_same_scale() -> None:
    stored, _ = sf.read(io.BytesIO(encode_flac(Audio(torch.from_numpy(from_pcm16(EVERY)), 16000))), dtype="int16")
    assert np.array_equal(stored, EVERY)
