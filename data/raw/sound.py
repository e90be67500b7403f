"""Decodes a recording into a file of plain samples, from which any part is read quickly and with little memory."""

import statistics
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr  # type: ignore[import-untyped]

from triforce_tts.audio.edit import offset_of
from triforce_tts.audio.pcm import PCM16, from_pcm16, to_pcm16
from triforce_tts.audio.resample import resample
from triforce_tts.audio.streaming import stream_audio
from triforce_tts.errors import AudioError, TriforceError

from ..common.segments import Wave

_SHARED = 0.9  # a share of the blocks of a sound


@dataclass(frozen=True)
class FileSound:
    """A decoded recording, a ``Sound``: 16-bit mono samples in a file.

    Reading seeks in the file. The file is not mapped into memory, because the read pages of a mapped file count as
    memory of the process.
    """

    path: Path
    sample_rate: int  # Hz
    samples: int
    native_rate: int  # Hz; the sample rate of the recording's own file
    faults: tuple[str, ...] = ()  # the parts that could not be decoded
    offset: float = 0.0  # a constant part of all samples in the file, which is taken off when they are read

    @property
    def duration_s(self) -> float:
        """The length in seconds."""
        return self.samples / self.sample_rate

    def read(self, start_s: float, end_s: float, sample_rate: int | None = None) -> Wave:
        """As ``Sound.read``; times outside of the recording are moved to its ends."""
        start, end = (min(max(round(s * self.sample_rate), 0), self.samples) for s in (start_s, end_s))
        return resample(self._samples(start, end), self.sample_rate, sample_rate)

    def blocks(self, seconds: float, sample_rate: int | None = None) -> Iterator[Wave]:
        """As ``Sound.blocks``."""
        step = max(1, round(seconds * self.sample_rate))
        pieces = (self._samples(start, min(start + step, self.samples)) for start in range(0, self.samples, step))
        rate = sample_rate or self.sample_rate
        return _regrouped(_resampled(pieces, self.sample_rate, rate), max(1, round(seconds * rate)))

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def _samples(self, start: int, end: int) -> Wave:
        # If somebody shortened the file meanwhile, this must be an error and not a shorter recording.
        count = max(0, end - start)
        pcm = np.fromfile(self.path, PCM16, count, offset=start * PCM16.itemsize)
        if len(pcm) < count:
            raise AudioError(f"{self.path}: expected {count} samples at {start}, found {len(pcm)}; decode it again")
        wave = from_pcm16(pcm)
        return wave - np.float32(self.offset) if self.offset else wave


def decode(path: Path | str, folder: Path, sample_rate: int) -> FileSound:
    """Decode the file ``path`` into a new file in ``folder``: mono, 16 bits, at ``sample_rate`` Hz.

    The sound is decoded in blocks, so its length does not matter; channels are mixed, and the blocks are resampled as
    one stream. ``faults`` of the result lists the damaged parts. ``FileSound.remove`` deletes the new file.

    Raises:
        AudioError: see ``stream_audio``; no file remains.
        TriforceError: the disk is full or the folder cannot be written; no file remains.
    """
    stream = stream_audio(path)
    target: Path | None = None
    count, power = 0, 0.0
    means: list[float] = []  # of the blocks
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The new name is not made from the recording's name, which may be too long or invalid for this file system.
        with tempfile.NamedTemporaryFile("wb", prefix="sound-", suffix=".pcm", dir=folder, delete=False) as file:
            target = Path(file.name)
            for block in _resampled(stream.blocks, stream.sample_rate, sample_rate):
                file.write(to_pcm16(block).tobytes())
                count += len(block)
                if len(block):
                    means.append(float(block.mean(dtype=np.float64)))
                power += float(np.square(block, dtype=np.float64).sum())
        if not count:
            raise AudioError(f"{path}: it holds no sound at {sample_rate} Hz")
    except BaseException as error:
        if target is not None:
            target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise TriforceError(
                f"{folder}: cannot write the decoded sound of {path} ({error.strerror or error}); free some space"
            ) from error
        raise
    offset = offset_of(_constant(means), power / count)
    return FileSound(target, sample_rate, count, stream.sample_rate, tuple(stream.faults), offset)


def _constant(means: Sequence[float]) -> float:
    """The mean that nearly all blocks of a sound share; 0 if there is none.

    What is taken off must be in all of the sound: where a part alone has it, the rest would get the opposite.
    """
    middle = statistics.median_low(means)
    shared = sum(abs(mean - middle) <= abs(middle) / 2 for mean in means)
    return middle if shared >= _SHARED * len(means) else 0.0


def _resampled(pieces: Iterable[Wave], rate: int, target_rate: int) -> Iterator[Wave]:
    """``pieces`` of one sound at another rate, as if the whole sound had been resampled at once."""
    if rate == target_rate:
        yield from pieces
        return
    resampler = soxr.ResampleStream(rate, target_rate, 1, dtype="float32")
    for piece in pieces:
        yield resampler.resample_chunk(piece)
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _regrouped(pieces: Iterable[Wave], size: int) -> Iterator[Wave]:
    """``pieces`` of one sound in blocks of ``size`` samples; the last block may be shorter."""
    rest = np.zeros(0, np.float32)
    for piece in pieces:
        rest = np.concatenate([rest, piece])
        whole = len(rest) // size * size
        for start in range(0, whole, size):
            yield rest[start : start + size]
        rest = rest[whole:]
    if len(rest):
        yield rest
