"""Opens and decodes files of sound to blocks of mono: by libsndfile first, by FFmpeg if libsndfile cannot.

FFmpeg takes a name such as ``http:/x.wav`` or ``tcp:...`` for an address, and some of its formats name further files to
open. So ``open_container`` is the only place that hands it a file: by an absolute path, for sound alone. FFmpeg's package
(PyAV, a wheel of some 40 MB) is imported when it is first needed: training on shards of Opus or FLAC does without.
"""

import io
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile as sf  # type: ignore[import-untyped]

from triforce_tts.audio.mixing import Wave as Wave
from triforce_tts.audio.mixing import mixed
from triforce_tts.audio.quiet import is_mpeg, no_notes
from triforce_tts.errors import AudioError

if TYPE_CHECKING:
    import av

Source = Path | bytes

# So many frames are decoded at a time, which limits the memory for a long file with many channels.
BLOCK = 1 << 16
# The largest sound sample: lossy decoders exceed 1.0 a little, while integers stored as floats are in the thousands.
LOUDEST = 4.0
# The lowest and the highest sample rate of a recording, in Hz: far below any telephone, and the fastest converters.
RATES = (1000, 768_000)
COUNTED = ("wav", "w64", "aiff", "flac", "mov")  # these containers count their samples; others estimate the length
# The codecs with a checksum in each frame. FFmpeg compares it only if it is asked to, and gives noise at full scale without.
_CHECKED = ("flac", "tak", "tta", "wavpack")
_PLANES = 8  # a frame of FFmpeg itself holds so many planes; further planes lie elsewhere
_MOST_CHANNELS = 8  # Files with up to so many channels are read ``BLOCK`` frames at a time, others in smaller blocks.
# FFmpeg's names of the containers that may be read, which hold sound. The others hold pictures, or lists of files and
# addresses that FFmpeg would open.
_DEMUXERS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,dtshd,dv,eac3,flac,flv,iff,ircam,latm,loas,matroska,"
    "mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nut,ogg,paf,pvf,qcp,qoa,rm,rso,shn,sol,sox,spdif,swf,tak,"
    "truehd,tta,voc,vqf,w64,wav,wsd,wtv,wv,wve,xa,xwma"
)


@contextmanager
def present(path: Path) -> Iterator[None]:
    """Refuse a ``path`` that is no regular file, is empty, or cannot be read by the block."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise AudioError(f"{path}: expected an audio file, found {_kind_of(status.st_mode)}")
        if status.st_size == 0:
            raise AudioError(f"{path}: the file is empty (0 bytes)")
        yield
    except FileNotFoundError as error:
        raise AudioError(f"{path}: there is no such file") from error
    except OSError as error:
        raise AudioError(f"{path}: cannot read the file ({error.strerror or error})") from error
    except ValueError as error:  # the system refuses a name with a zero byte
        if "null byte" not in str(error):
            raise
        raise AudioError(f"{str(path)!r}: there is no such file") from error


def _kind_of(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"))
    return next((name for is_kind, name in kinds if is_kind(mode)), "a device")


def too_long(name: str, seconds: str, most: float) -> AudioError:
    """The error for a sound that is longer than ``most`` seconds."""
    return AudioError(f"{name}: {seconds} s long, expected at most {most:g} s")


def _check_rate(rate: int, name: str) -> None:
    if not RATES[0] <= rate <= RATES[1]:
        raise AudioError(f"{name}: a sample rate of {rate} Hz, expected {RATES[0]} to {RATES[1]} Hz")


def open_libsndfile(source: Source, name: str, start_s: float, most: float) -> tuple[int, Iterator[Wave]]:
    """The sample rate in Hz of a sound, and its blocks from ``start_s`` on, decoded by libsndfile.

    Raises:
        AudioError: the sound is damaged, or its header says that it is longer than ``most`` seconds.
        LibsndfileError: libsndfile does not know the format.
    """
    file = _sound_file(source)
    try:
        _check_rate(file.samplerate, name)
        if _is_counted(file) and file.frames > most * file.samplerate:
            raise too_long(name, f"{file.frames / file.samplerate:.1f}", most)
        if _is_cut_short(file):
            raise AudioError(f"{name}: the audio is damaged (the file ends before the length in its header)")
    except AudioError:
        file.close()
        raise
    return file.samplerate, _libsndfile_blocks(file, name, round(start_s * file.samplerate))


def _sound_file(source: Source) -> sf.SoundFile:
    """``source`` opened by libsndfile.

    The library gets a descriptor, because it takes the name "-" for standard input, and .raw for a chosen format.
    """
    if isinstance(source, bytes):
        with no_notes(is_mpeg(source)):
            return sf.SoundFile(_in_memory(source))
    descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        beginning = os.pread(descriptor, 3, 0)
    except OSError:  # libsndfile refuses pipes and folders
        beginning = b""
    with no_notes(is_mpeg(beginning)):
        return sf.SoundFile(descriptor)


def _in_memory(content: bytes) -> int | io.BytesIO:
    """A file in memory, as a descriptor where the system has such files.

    libsndfile reads an object of Python through functions of Python, and an interrupt that comes while one of them runs
    is printed and forgotten: the program would go on.
    """
    if not hasattr(os, "memfd_create"):
        return io.BytesIO(content)
    descriptor = os.memfd_create("sound")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _is_counted(file: sf.SoundFile) -> bool:
    """Whether the length in the header is counted; that of an mp3 is often an estimate."""
    return bool(file.format != "MP3" and file.frames < np.iinfo(np.int64).max)


class _Closed:
    """A file that was closed. soundfile's own class runs code of Python when an object ends, and an interrupt there is lost."""


def _libsndfile_blocks(file: sf.SoundFile, name: str, start: int) -> Iterator[Wave]:
    try:
        yield from mixed(block.T for block in _counted_blocks(file, name, start))
    finally:
        file.close()
        file.__class__ = _Closed


def _counted_blocks(file: sf.SoundFile, name: str, start: int) -> Iterator[Wave]:
    """The blocks [frames, channels] of an open file from the frame ``start`` on, as many as its header promises."""
    size = BLOCK if file.channels <= _MOST_CHANNELS else max(1, BLOCK * _MOST_CHANNELS // file.channels)
    if start >= file.frames > 0:
        return
    position = file.seek(start) if start else 0
    while len(block := _block(file, size)):
        position += len(block)
        yield block
    if _is_counted(file) and position < file.frames:
        missing = (file.frames - position) / file.samplerate
        raise AudioError(f"{name}: the audio is damaged (the last {missing:.2f} s cannot be decoded)")


def _block(file: sf.SoundFile, size: int) -> Wave:
    """The next frames [frames, channels], at most ``size``."""
    with no_notes(file.format == "MP3"):
        block: Wave = file.read(size, dtype="float32", always_2d=True)
    return block


def _is_cut_short(file: sf.SoundFile) -> bool:
    """Whether a wav file is shorter than its header says; libsndfile reports this only in its log.

    Programs that write to a pipe cannot know the length and promise the most possible: that is no fault.
    """
    if file.format not in ("WAV", "WAVEX") or "(should be " not in file.extra_info:
        return False
    for line in file.extra_info.splitlines():
        if line.startswith("data :") and "(should be " in line:
            promised, stored = (int(part.strip(" )")) for part in line.removeprefix("data :").split("(should be "))
            return stored < promised < 0x7FFFF000
    return False


def open_ffmpeg(source: Source, name: str, start_s: float, most: float) -> tuple[int, Iterator[Wave]]:
    """Do the same as ``open_libsndfile`` with FFmpeg.

    Raises:
        AudioError: it is no sound, or its header says that it is longer than ``most`` seconds.
    """
    container = open_container(source, name)
    stream = container.streams.audio[0]
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    if container.format.name.split(",")[0] in COUNTED and seconds > most:
        container.close()
        raise too_long(name, f"{seconds:.1f}", most)
    return stream.rate, _ffmpeg_blocks(container, name, stream.rate, round(start_s * stream.rate))


def wav_ends_early(path: Path) -> bool:
    """The same as ``_is_cut_short`` for a file that FFmpeg reads, because FFmpeg does not report it."""
    try:
        with _sound_file(path) as file:
            return _is_cut_short(file)
    except sf.LibsndfileError:
        return False


def open_container(source: Source, name: str) -> "av.container.InputContainer":
    """Open a file, or one in memory, by FFmpeg: it has sound, at a rate in ``RATES``, and leads to no other file.

    A scraped "recording" may be a playlist in disguise: it must not make FFmpeg fetch or open what it lists.

    Raises:
        AudioError: the file is no container of sound that can be read.
    """
    import av

    try:
        # An absolute path begins with a slash, so FFmpeg never takes it for an address.
        file = io.BytesIO(source) if isinstance(source, bytes) else str(source.absolute())
        container = av.open(file, "r", options={"protocol_whitelist": "file", "format_whitelist": _DEMUXERS})
    except (av.FFmpegError, ValueError) as error:
        raise AudioError(
            f"{name}: not an audio file, or damaged at its beginning ({reason_of(error)}); give another file"
        ) from error
    try:
        if not container.streams.audio:
            raise AudioError(f"{name}: the file holds no sound")
        stream = container.streams.audio[0]
        if stream.codec_context is None:  # PyAV gives None if no decoder knows the codec
            raise AudioError(
                f"{name}: not an audio file, or damaged at its beginning (its coding is not known); give another file"
            )
        if not (rate := stream.rate):
            raise AudioError(f"{name}: the file does not say its sample rate")
        _check_rate(rate, name)
        if stream.codec_context.name in _CHECKED:
            stream.codec_context.options = {"err_detect": "crccheck+explode"}
    except AudioError:
        container.close()
        raise
    return container


def _ffmpeg_blocks(container: "av.container.InputContainer", name: str, rate: int, start: int) -> Iterator[Wave]:
    import av

    try:
        with container:
            for block in mono(container.decode(audio=0), rate):
                skip = min(start, len(block))
                start -= skip
                yield block[skip:]
    except av.FFmpegError as error:
        raise damaged(name, error) from error


def damaged(name: str, error: Exception) -> AudioError:
    """The error for a sound that a library fails to decode."""
    return AudioError(f"{name}: the audio is damaged ({reason_of(error)})")


def mono(frames: "Iterable[av.AudioFrame]", rate: int) -> Iterator[Wave]:
    """The channels of the frames mixed to one, at ``rate`` Hz; a splice may change the channels and the rate."""
    return mixed(map(_channels, _converted(frames, rate)))


def _converted(frames: "Iterable[av.AudioFrame]", rate: int) -> "Iterator[av.AudioFrame]":
    """The frames in 32-bit floats, at ``rate`` Hz."""
    import av

    converter: av.AudioResampler | None = None
    previous = None
    for frame in frames:
        current = (frame.format.name, frame.layout.name, frame.sample_rate)
        if converter is None or previous != current:
            if converter is not None:
                yield from converter.resample(None)
            # With eight planes or more, PyAV reads past the end of a frame's list of planes, and Python crashes. So the
            # samples of so many channels are converted to one plane, interleaved.
            interleaved = frame.layout.nb_channels >= _PLANES
            converter, previous = av.AudioResampler(format="flt" if interleaved else "fltp", rate=rate), current
        # Only the sample format is converted: FFmpeg's own down-mix weighs channels differently from a mean.
        yield from converter.resample(frame)
    if converter is not None:
        yield from converter.resample(None)


def _channels(frame: "av.AudioFrame") -> Wave:
    """The samples [channels, samples] of a frame of 32-bit floats."""
    samples = frame.to_ndarray()  # [channels, samples], or [1, samples * channels]
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    return np.asarray(samples, np.float32)


def reason_of(error: Exception) -> str:
    """The reason that a library gives for an error, without a full stop."""
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return str(text).strip().rstrip(".")
