"""Sounds that are empty, very long, silent, broken, of rare formats, or that have a wrong suffix."""

import io
import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import soundfile as sf

from .case import Case
from .checks import found_talk, kept, sounds
from .words import BUILD, BUILD_RAW, BUNDLE, FETCH, LISTEN, PARTS, RESYNTHESIZE, SCORE, SOON, SPEAK_VOICE, WRITES, short
from .world import RATE

KIND = "sounds"
HOURS = 10
_RNG = 0


def _noise(seconds: float, rate: int = RATE, channels: int = 1) -> np.ndarray:
    return (0.1 * np.random.default_rng(_RNG).standard_normal((round(seconds * rate), channels))).astype(np.float32)


def _checksum(page: bytes) -> int:
    """The CRC-32 of an Ogg page."""
    value = 0
    for byte in page:
        value = ((value << 8) & 0xFFFFFFFF) ^ _TABLE[(value >> 24) ^ byte]
    return value


def _row(number: int) -> int:
    value = number << 24
    for _ in range(8):
        value = ((value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


_TABLE = [_row(number) for number in range(256)]


@cache
def _long_opus() -> bytes:
    """Ten hours of silence in a small file: the pages of one minute are repeated with new numbers."""
    buffer = io.BytesIO()
    sf.write(buffer, np.zeros((60 * RATE, 1), np.float32), RATE, format="OGG", subtype="OPUS")
    pages = [b"OggS" + page for page in buffer.getvalue().split(b"OggS")[1:]]
    heads, minute = pages[:2], pages[2:]
    last = struct.unpack_from("<q", minute[-1], 6)[0]
    pages, number = list(heads), len(heads)
    for repeat in range(HOURS * 60):
        for place, page in enumerate(minute):
            granule = struct.unpack_from("<q", page, 6)[0] + repeat * last
            ends = 4 if repeat == HOURS * 60 - 1 and place == len(minute) - 1 else 0
            head = (
                page[:5]
                + bytes([(page[5] & 3) | ends])
                + struct.pack("<q", granule)
                + page[14:18]
                + struct.pack("<I", number)
            )
            whole = head + bytes(4) + page[26:]
            pages.append(whole[:22] + struct.pack("<I", _checksum(whole)) + whole[26:])
            number += 1
    return b"".join(pages)


@cache
def _long_flac() -> bytes:
    """Ten hours of silence as FLAC."""
    buffer = io.BytesIO()
    with sf.SoundFile(buffer, "w", RATE, 1, format="FLAC") as file:
        minute = np.zeros(60 * RATE, np.int16)
        for _ in range(HOURS * 60):
            file.write(minute)
    return buffer.getvalue()


def _wave(
    rate: int, channels: int = 1, bits: int = 16, data: bytes = bytes(16000), data_size: int | None = None, tag: int = 1
) -> bytes:
    """A RIFF file whose header holds the given values, right or wrong."""
    size = len(data) if data_size is None else data_size
    block = max(1, channels * bits // 8) & 0xFFFF
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate, (rate * block) & 0xFFFFFFFF, block, bits)
    return (
        b"RIFF"
        + struct.pack("<I", (36 + size) & 0xFFFFFFFF)
        + b"WAVE"
        + head
        + b"data"
        + struct.pack("<I", size & 0xFFFFFFFF)
        + data
    )


def _write(samples: np.ndarray, rate: int, form: str, subtype: str | None = None) -> Callable[[Path], None]:
    return lambda path: sf.write(path, samples, rate, format=form, subtype=subtype)


def _bytes(data: Callable[[], bytes]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(data())

    return make


def _floats(value: float) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        samples = _noise(2)
        samples[1000:1010] = value
        sf.write(path, samples, RATE, format="WAV", subtype="FLOAT")

    return make


NO_SOUND = np.zeros((0, 1), np.float32)
SILENCE = np.zeros((5 * RATE, 1), np.float32)
# By label: how the sound is made, its suffix, and whether a command must refuse it as a voice.
SOUNDS: dict[str, tuple[Callable[[Path], None], str, bool]] = {
    "no-samples": (_write(NO_SOUND, RATE, "WAV"), ".wav", True), "no-samples-flac": (_write(NO_SOUND, RATE, "FLAC"), ".flac", True), "one-sample": (_write(_noise(1 / RATE), RATE, "WAV"), ".wav", True),
    "silence": (_write(SILENCE, RATE, "WAV"), ".wav", True), "nan": (_floats(np.nan), ".wav", True), "infinite": (_floats(np.inf), ".wav", True), "huge-values": (_floats(1e30), ".wav", False),
    "denormal": (_write(np.full((2 * RATE, 1), 1e-40, np.float32), RATE, "WAV", "FLOAT"), ".wav", True), "constant": (_write(np.full((2 * RATE, 1), 0.5, np.float32), RATE, "WAV"), ".wav", False),
    "clipped": (_write(np.sign(_noise(2)), RATE, "WAV"), ".wav", False), "1-hz": (_bytes(lambda: _wave(1)), ".wav", True), "0-hz": (_bytes(lambda: _wave(0)), ".wav", True), "4-ghz": (_bytes(lambda: _wave(0xFFFFFFFF)), ".wav", True),
    "100-hz": (_bytes(lambda: _wave(100)), ".wav", False), "10-mhz": (_bytes(lambda: _wave(10_000_000)), ".wav", True), "0-channels": (_bytes(lambda: _wave(RATE, 0)), ".wav", True), "32-channels": (_write(_noise(2, channels=32), RATE, "WAV"), ".wav", False),
    "1024-channels": (_write(_noise(0.5, channels=1024), RATE, "WAV"), ".wav", True), "65535-channels": (_bytes(lambda: _wave(RATE, 65535)), ".wav", True), "header-lies-long": (_bytes(lambda: _wave(RATE, data_size=0x7FFFFFF0)), ".wav", False),
    "header-lies-all": (_bytes(lambda: _wave(RATE, data_size=0xFFFFFFFF)), ".wav", False), "3-bits": (_bytes(lambda: _wave(RATE, bits=3)), ".wav", False), "tag-unknown": (_bytes(lambda: _wave(RATE, tag=0x4242)), ".wav", True),
    "riff-only": (_bytes(lambda: b"RIFF"), ".wav", True), "random": (_bytes(lambda: np.random.default_rng(1).bytes(20_000)), ".mp3", True), "ten-hours-opus": (_bytes(_long_opus), ".opus", False), "ten-hours-flac": (_bytes(_long_flac), ".flac", False),
    "flac-called-mp3": (_write(_noise(2), RATE, "FLAC"), ".mp3", False), "wave-called-flac": (_write(_noise(2), RATE, "WAV"), ".flac", False), "mp3": (_write(_noise(2, 16000), 16000, "MP3"), ".mp3", False), "no-suffix": (_write(_noise(2), RATE, "WAV"), "", False),
    "text-called-wav": (_bytes(lambda: b"words, not waves\n" * 60), ".wav", True), "html-called-mp3": (_bytes(lambda: b"<html><body>404</body></html>"), ".mp3", True), "playlist": (_bytes(lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n"), ".mp3", True),
    "playlist-files": (_bytes(lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n"), ".m4a", True), "concat-script": (_bytes(lambda: b"ffconcat version 1.0\nfile /etc/passwd\n"), ".wav", True),
    "sdp": (_bytes(lambda: b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"), ".mp3", True), "gif": (_bytes(lambda: b"GIF89a" + bytes(500)), ".ogg", True), "zip": (_bytes(lambda: b"PK\x03\x04" + bytes(500)), ".m4a", True),
    "8-bits": (_write(_noise(2), RATE, "WAV", "PCM_U8"), ".wav", False), "64-bits": (_write(_noise(2), RATE, "WAV", "DOUBLE"), ".wav", False), "aiff": (_write(_noise(2), RATE, "AIFF"), ".aiff", False), "ogg-half": (lambda path: _half(path, "OGG"), ".ogg", False),
    "flac-half": (lambda path: _half(path, "FLAC"), ".flac", False), "short": (_write(_noise(0.05), RATE, "WAV"), ".wav", True), "192-khz": (_write(_noise(1.5, 192_000), 192_000, "WAV"), ".wav", False), "raw-mulaw": (_write(_noise(2), RATE, "WAV", "ULAW"), ".wav", False),
}  # fmt: skip


def _half(path: Path, form: str) -> None:
    sf.write(path, _noise(4), RATE, format=form)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


# The sounds that a whole raw build meets.
PROCESSED = (
    "no-samples",
    "nan",
    "silence",
    "1-hz",
    "header-lies-long",
    "random",
    "32-channels",
    "flac-half",
    "10-mhz",
    "one-sample",
)
DRY_RUN = ("build", "raw", "--config", "podcast", "--dry-run", "--out", "made")


def cases() -> Iterator[Case]:
    """Each sound as a voice, as what is listened to, as a labelled and as a raw recording."""
    for label, (make, suffix, bad) in SOUNDS.items():
        yield from _heard(label, make, suffix, bad)
        yield from _built(label, make, suffix)
    for label in PROCESSED:
        make, suffix, _ = SOUNDS[label]
        prepare = _made(f"raw/odd{suffix}", make)
        yield Case(f"build/sounds/processed-{label}", KIND, BUILD_RAW, ("raw",), prepare, writes=("made",), cheap=False)


def _made(name: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda folder: make(folder / name)


def _heard(label: str, make: Callable[[Path], None], suffix: str, bad: bool) -> Iterator[Case]:
    """The sound in place of the voice of every command that takes one; half of the sounds for the slower commands."""
    name = f"odd{suffix}"
    for words in (SPEAK_VOICE, RESYNTHESIZE, LISTEN, SCORE, BUNDLE):
        if words in (SCORE, BUNDLE) and len(label) % 2:
            continue
        whole = tuple(name if word == "voice.wav" else word for word in words)
        parts = tuple(part for part in PARTS[words] if part != "voice.wav")
        expect = "refused" if bad and words in (SPEAK_VOICE, BUNDLE) else "either"
        check = sounds() if words in (SPEAK_VOICE, RESYNTHESIZE) else None
        yield Case(f"{short(words)}/sounds/{label}", KIND, whole, parts, _made(name, make), expect, check, WRITES.get(words, ()),
                   cheap=words in SOON or words == SPEAK_VOICE)  # fmt: skip


def _built(label: str, make: Callable[[Path], None], suffix: str) -> Iterator[Case]:
    """The sound among good recordings, labelled and raw: a build keeps the good ones."""

    def labelled(folder: Path) -> None:
        make(folder / "labelled" / f"odd{suffix or '.wav'}")
        (folder / "labelled" / "odd.txt").write_text("a cat sat on the mat\n")

    raw = _made(f"raw/odd{suffix}", make)
    yield Case(f"build/sounds/labelled-{label}", KIND, BUILD, ("labelled",), labelled, "ran", kept(3), ("made",))
    yield Case(f"build/sounds/raw-{label}", KIND, FETCH, ("raw",), raw, "ran", found_talk, ("made",))
    yield Case(f"build/sounds/dry-run-{label}", KIND, DRY_RUN, ("raw",), raw, "ran")
