"""A recording of any length, decoded block by block; damage in it costs no more than it hides."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile as sf  # type: ignore[import-untyped]
from av.audio.stream import AudioStream

from triforce_tts.audio.decoding import (
    BLOCK,
    COUNTED,
    LOUDEST,
    Wave,
    mono,
    open_container,
    open_libsndfile,
    present,
    reason_of,
    wav_ends_early,
)
from triforce_tts.audio.quiet import is_mpeg
from triforce_tts.errors import AudioError

# A file of which a larger share is lost, in bytes or in samples, is no recording any more.
HOPELESS = 0.5
_MISSING_S = 0.1  # seconds; lengths differ a little, because encoders pad the first and the last frames
_PADDED = 2 * 1152  # samples; the padding of an mp3, which lasts longer at a low rate
_EXACT = ("wav", "w64", "aiff", "flac")  # the containers whose length is that of the sound, to the sample
_XING = (b"Xing", b"Info")  # one of these begins the header in which an mp3's encoder counts its frames
_XING_FRAMES = 1  # the bit of the header's flags that says so
_PATIENCE = 100  # after so many failed reads in a row the rest of a file is given up


@dataclass(eq=False)
class SoundStream:
    """A file that is decoded as it is read, block by block; it can be read once.

    ``blocks`` are mono float32 [samples] in [-LOUDEST, LOUDEST] at ``sample_rate`` Hz. ``faults`` says, one a line, what
    could not be decoded; it is complete once the blocks are used up.
    """

    sample_rate: int
    blocks: Iterator[Wave]
    faults: list[str]


def stream_audio(path: Path | str) -> SoundStream:
    """The sound in a file of any length, a block of ``BLOCK`` samples at a time; damage costs no more than it hides.

    Unlike ``read_audio`` this is for recordings that nobody looks at: it goes on behind what cannot be decoded, silences
    samples that are no sound, and tells of both in ``faults``. FFmpeg comes first here, because it finds its way again
    after damage, also where the sample rate changes at a splice; the first rate counts.

    Raises:
        AudioError: missing, a folder, empty, not audio; from ``blocks`` also when less than half of it can be used.
    """
    path = Path(path)
    name = str(path)
    faults: list[str] = []
    with present(path):
        try:
            container = open_container(path, name)
        except AudioError:
            try:
                rate, blocks = open_libsndfile(path, name, 0.0, math.inf)
            except sf.LibsndfileError:
                rate = 0
            if not rate:
                raise
        else:
            stream = container.streams.audio[0]
            rate, blocks = stream.rate, _salvaged(container, stream, stream.rate, name, faults)
            if container.format.name == "wav" and wav_ends_early(path):
                faults.append("it ends before the length in its header")
    return SoundStream(rate, _usable(blocks, name, faults), faults)


@dataclass
class _Tally:
    """The counts of a file's decoding."""

    failures: int = 0
    lost_bytes: int = 0
    read_bytes: int = 0  # all bytes that were read, with the lost ones
    start_s: float = math.inf  # the start by the timestamps of the file
    end_s: float = 0.0


def _salvaged(
    container: av.container.InputContainer, stream: AudioStream, rate: int, name: str, faults: list[str]
) -> Iterator[Wave]:
    """The parts of a file that FFmpeg can decode, in blocks of at least ``BLOCK`` samples; the last may be shorter."""
    tally = _Tally()
    decoded = 0
    kind = container.format.name.split(",")[0]
    with container:
        if (kind in COUNTED or _counts_frames(Path(name))) and stream.duration and stream.time_base:
            tally.start_s, tally.end_s = 0.0, float(stream.duration * stream.time_base)
        for block in _blocks(mono(_frames(container, stream, tally), rate)):
            decoded += len(block)
            yield block
    if tally.lost_bytes > HOPELESS * tally.read_bytes:
        share = f"{tally.lost_bytes} of {tally.read_bytes} bytes"
        raise AudioError(f"{name}: the audio is damaged ({share} cannot be decoded)")
    if tally.failures:
        faults.append(f"damaged at {tally.failures} places, {tally.lost_bytes} bytes cannot be decoded")
    missing = tally.end_s - tally.start_s - decoded / rate
    if missing > (0.001 if kind in _EXACT else max(_MISSING_S, _PADDED / rate)):
        faults.append(f"{missing:.2f} s of {tally.end_s - tally.start_s:.2f} s are missing")


def _counts_frames(path: Path) -> bool:
    """Whether a file is an mp3 that says how many frames it has; the length of any other mp3 is an estimate."""
    with path.open("rb") as file:
        head = file.read(10)
        if len(head) == 10 and head.startswith(b"ID3"):  # the size of the tag has seven bits in each byte
            size = 0
            for byte in head[6:]:
                size = size << 7 | byte & 0x7F
            file.seek(10 + size)
        else:
            file.seek(0)
        frame = file.read(256)
    place = max(map(frame.find, _XING))
    return is_mpeg(frame) and place > 0 and len(frame) >= place + 8 and bool(frame[place + 7] & _XING_FRAMES)


def _frames(container: av.container.InputContainer, stream: AudioStream, tally: _Tally) -> Iterator[av.AudioFrame]:
    """The frames of ``stream``; parts that cannot be decoded are counted and left out."""
    packets = container.demux(stream)
    failed = 0  # the number of failed reads in a row
    while failed < _PATIENCE:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            # A generator that raised an error is finished, so a new one goes on where the old one stopped.
            failed, packets = failed + 1, container.demux(stream)
            tally.failures += 1
            continue
        if packet is None:
            return
        failed = 0
        tally.read_bytes += packet.size
        try:
            frames = packet.decode()
        except av.FFmpegError:
            tally.failures += 1
            tally.lost_bytes += packet.size
            continue
        for frame in frames:
            if (time := frame.time) is not None:
                tally.start_s = min(tally.start_s, time)
                tally.end_s = max(tally.end_s, time + frame.samples / frame.sample_rate)
            yield frame


def _blocks(pieces: Iterable[Wave]) -> Iterator[Wave]:
    """``pieces`` joined to blocks of ``BLOCK`` samples at least: decoders give a few hundred at a time."""
    block: list[Wave] = []
    count = 0
    for piece in pieces:
        block.append(piece)
        count += len(piece)
        if count >= BLOCK:
            yield np.concatenate(block)
            block, count = [], 0
    if count:
        yield np.concatenate(block)


def _usable(blocks: Iterator[Wave], name: str, faults: list[str]) -> Iterator[Wave]:
    """``blocks`` with silence in place of values that are not finite or, behind damage, far too loud."""
    total = bad = 0
    try:
        for block in blocks:
            total += len(block)
            # Every comparison with NaN is false, so this also finds NaN.
            if not (block.min() >= -LOUDEST and block.max() <= LOUDEST):
                wrong = ~(np.abs(block) <= LOUDEST)
                bad += int(wrong.sum())
                block = np.where(wrong, np.float32(0), block)
            yield block
    except (sf.LibsndfileError, av.FFmpegError) as error:
        raise AudioError(f"{name}: the audio is damaged ({reason_of(error)})") from error
    if not total:
        raise AudioError(f"{name}: it holds no samples")
    if bad > HOPELESS * total:
        raise AudioError(f"{name}: {bad} of {total} samples are not in [-{LOUDEST:g}, {LOUDEST:g}]; rescale the file")
    if bad:
        faults.append(f"{bad} of {total} samples are no numbers or beyond {LOUDEST:g}; they are silenced")
