"""The head of a 16-bit mono WAV file, for sound that goes into a pipe, where the length may not be known."""

import struct
from collections.abc import Mapping

UNKNOWN = 0xFFFFFFFF  # as a size: up to the end of the pipe; players read it so
_BYTES = 2  # of a sample
_NAMES = {"software": b"ISFT", "comment": b"ICMT", "title": b"INAM", "artist": b"IART"}  # RIFF's names of tags


def wav_head(sample_rate: int, tags: Mapping[str, str], samples: int | None = None) -> bytes:
    """The bytes before the first sample; without a number of ``samples`` its sizes are ``UNKNOWN``.

    Tags that RIFF has no name for are left out.
    """
    form = struct.pack("<HHIIHH", 1, 1, sample_rate, _BYTES * sample_rate, _BYTES, 8 * _BYTES)
    info = b"".join(_chunk(_NAMES[tag], text.encode() + b"\0") for tag, text in tags.items() if tag in _NAMES)
    before = b"WAVE" + _chunk(b"fmt ", form) + (_chunk(b"LIST", b"INFO" + info) if info else b"")
    if samples is None:
        data = whole = UNKNOWN
    else:
        data = _BYTES * samples
        whole = len(before) + 8 + data
    return b"RIFF" + struct.pack("<I", whole) + before + b"data" + struct.pack("<I", data)


def _chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of RIFF; its content is filled up to an even number of bytes."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
