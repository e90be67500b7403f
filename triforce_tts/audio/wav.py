"""The header of a 16-bit mono WAV file. In a pipe the length of the sound may not be known."""

import struct
from collections.abc import Mapping

from triforce_tts.errors import AudioError

# This size in a header stands for an unknown one: players read up to the end of the pipe.
UNKNOWN = 0xFFFFFFFF
_BYTES = 2  # the bytes of a sample
_NAMES = {  # the names of tags in RIFF
    "title": b"INAM", "artist": b"IART", "album": b"IPRD", "comment": b"ICMT", "software": b"ISFT",
    "copyright": b"ICOP", "date": b"ICRD",
}  # fmt: skip


def wav_head(sample_rate: int, tags: Mapping[str, str], samples: int | None = None) -> bytes:
    """The bytes before the first sample; without a number of ``samples`` its sizes are ``UNKNOWN``.

    Tags that RIFF has no name for are left out.

    Raises:
        AudioError: there are more than 4 GB of samples, which no WAV file can hold.
    """
    form = struct.pack("<HHIIHH", 1, 1, sample_rate, _BYTES * sample_rate, _BYTES, 8 * _BYTES)
    info = b"".join(_chunk(_NAMES[tag], text.encode() + b"\0") for tag, text in tags.items() if tag in _NAMES)
    before = b"WAVE" + _chunk(b"fmt ", form) + (_chunk(b"LIST", b"INFO" + info) if info else b"")
    if samples is None:
        data = whole = UNKNOWN
    else:
        data = _BYTES * samples
        whole = len(before) + 8 + data
        if whole >= UNKNOWN:
            hours = samples / sample_rate / 3600
            raise AudioError(
                f"a WAV file holds at most 4 GB, and {hours:.1f} hours of sound are more; write .flac instead"
            )
    return b"RIFF" + struct.pack("<I", whole) + before + b"data" + struct.pack("<I", data)


def _chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of RIFF; its content is filled up to an even number of bytes."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
