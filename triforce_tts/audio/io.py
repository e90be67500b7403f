"""The one way in and out for audio: any file to float32 mono, and back to a file with its tags.

libsndfile (through soundfile) decodes first: it is fast and seeks exactly. FFmpeg (through PyAV, whose wheel
carries it) decodes what libsndfile does not know, such as m4a, and writes the files, because it alone puts
the same tags into every format. Whatever cannot be used is refused with an ``AudioError`` that names it.

FFmpeg takes a name such as ``http:/x.wav`` or ``tcp:...`` for an address, and some of its formats name further files to
open. So ``open_container`` is the only place that hands it a file: by an absolute path, for sound alone.
"""

import io
import math
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import numpy.typing as npt
import soundfile as sf  # type: ignore[import-untyped]
import torch
from av.audio.stream import AudioStream

from triforce_tts.audio.resample import Wave, resample
from triforce_tts.errors import AudioError
from triforce_tts.files import atomic_path, refuse_sources, require_file_target

Source = Path | bytes

BLOCK = 1 << 16  # frames decoded at a time; bounds the memory of a long, many-channelled file
LOUDEST = 4.0  # lossy decoders overshoot 1.0 a little; integers stored as floats are thousands
HOPELESS = 0.5  # share of a file's bytes, or of its samples, above which what is left of it is no recording
OPUS_BIT_RATE = (
    32000  # bits a second; mono speech at full bandwidth, as RFC 6716 (section 2.1.1) recommends 28-40 kbit/s
)
_COUNTED = ("wav", "w64", "aiff", "flac", "mov")  # containers that count their samples; others estimate the length
_MISSING_S = 0.1  # seconds; encoders pad their last frame, so that lengths differ a little
_PLANES = 8  # of a frame that FFmpeg keeps in the frame itself; more lie elsewhere
RATES = (1000, 768_000)  # Hz of a recording: far below any telephone, and as fast as converters go
_MOST_CHANNELS = 8  # read ``BLOCK`` frames at a time; more are read in smaller blocks
# FFmpeg's names of what may be read: containers of sound. Others are pictures, or lists of files and addresses to open.
_DEMUXERS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,dtshd,dv,eac3,flac,flv,iff,ircam,latm,loas,matroska,"
    "mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nut,ogg,paf,pvf,qcp,qoa,rm,rso,shn,sol,sox,spdif,swf,tak,"
    "truehd,tta,voc,vqf,w64,wav,wsd,wtv,wv,wve,xa,xwma"
)
_PATIENCE = 100  # failed reads in a row after which the rest of a file is given up
TAGS = ("title", "artist", "album", "comment", "software", "copyright", "date")


class _Format(NamedTuple):
    container: str
    codec: str
    sample_rates: tuple[int, ...] = ()  # empty: any


_FORMATS = {
    ".wav": _Format("wav", "pcm_s16le"),
    ".flac": _Format("flac", "flac"),
    ".mp3": _Format("mp3", "libmp3lame", (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)),
    ".ogg": _Format("ogg", "libopus", (8000, 12000, 16000, 24000, 48000)),
}


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono sound: ``samples`` [samples] float32 in [-1, 1] at ``sample_rate`` Hz, and what a file should say about it."""

    samples: torch.Tensor
    sample_rate: int
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """The length in seconds."""
        return self.samples.shape[-1] / self.sample_rate

    def save(self, path: Path | str) -> None:
        """Write a .wav, .flac, .mp3 or .ogg file; see ``write_audio``."""
        write_audio(path, self)


def read_audio(
    path: Path | str,
    sample_rate: int | None = None,
    max_seconds: float | None = None,
    first_seconds: float | None = None,
) -> Audio:
    """The sound in a file, mono, at its own rate or resampled to ``sample_rate`` Hz.

    A file that is longer than ``max_seconds`` is refused as soon as that is seen: ten hours of silence are two megabytes
    of Opus. Of a file of any length ``first_seconds`` takes the beginning, and decodes no more.

    Raises:
        AudioError: missing, no regular file, empty, not audio, damaged, without samples, not finite, or too long.
    """
    path = Path(path)
    with _present(path):
        return _read(path, str(path), sample_rate, 0.0, first_seconds, max_seconds)


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
    with _present(path):
        try:
            container = open_container(path, name)
        except AudioError:
            try:
                rate, blocks = _open_libsndfile(path, name, 0.0, math.inf)
            except sf.LibsndfileError:
                rate = 0
            if not rate:
                raise
        else:
            stream = container.streams.audio[0]
            rate, blocks = stream.rate, _salvaged(container, stream, stream.rate, name, faults)
            if container.format.name == "wav" and _wav_ends_early(path):
                faults.append("it ends before the length in its header")
    return SoundStream(rate, _usable(blocks, name, faults), faults)


def decode_audio(
    data: bytes,
    name: str,
    sample_rate: int | None = None,
    start_s: float = 0.0,
    duration_s: float | None = None,
    max_seconds: float | None = None,
) -> Audio:
    """The sound in an encoded file held in memory; ``name`` stands for it in messages.

    With ``start_s`` and ``duration_s`` the decoder seeks, so that only the crop is decoded (wav, flac, opus). More than
    ``max_seconds`` are refused, as by ``read_audio``.

    Raises:
        AudioError: as ``read_audio``; also when ``start_s`` is at or past the end.
    """
    if not data:
        raise AudioError(f"{name}: the file is empty (0 bytes)")
    return _read(data, name, sample_rate, start_s, duration_s, max_seconds)


def read_tags(path: Path | str) -> dict[str, str]:
    """The tags of a file (title, comment, software and others), under the names that ``write_audio`` takes.

    Raises:
        AudioError: the file is missing or is not audio.
    """
    path = Path(path)
    with _present(path), open_container(path, str(path)) as container:
        found = {**container.metadata, **container.streams.audio[0].metadata}
    tags = {key.lower(): value for key, value in found.items()}
    if "encoder" in tags:  # what FFmpeg calls the software field of a wav file
        tags.setdefault("software", tags.pop("encoder"))
    return tags


def claimed_seconds(path: Path | str) -> float:
    """The length that a file's header claims, in seconds; 0 where it claims none, or cannot be read."""
    path = Path(path)
    try:
        with _present(path), open_container(path, str(path)) as container:
            return max(0.0, float(container.duration or 0) / av.time_base)
    except AudioError:
        return 0.0


def encode_flac(audio: Audio) -> bytes:
    """The sound as a 16-bit FLAC file; equal samples give equal bytes."""
    buffer = io.BytesIO()
    sf.write(buffer, _to_int16(audio.samples), audio.sample_rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def encode_opus(audio: Audio, bit_rate: int = OPUS_BIT_RATE) -> bytes:
    """The sound as an Ogg Opus file of ``bit_rate`` bits a second; equal samples give equal bytes.

    It decodes to just as many samples. Opus knows 8, 12, 16, 24 and 48 kHz; another rate is resampled to the next higher.
    """
    return _mux(_FORMATS[".ogg"], audio, bit_rate)


def write_audio(path: Path | str, audio: Audio) -> None:
    """Write a .wav or .flac (16 bits), .mp3 or .ogg (Opus) file with its tags, whole or not at all.

    mp3 and Opus know only some sample rates; for another one the sound is resampled to the next higher.

    Raises:
        AudioError: the suffix or a tag is not known, or there are no samples.
        TriforceError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    path = Path(path)
    form = _format_of(path)
    if unknown := sorted(set(audio.tags) - set(TAGS)):
        raise AudioError(f"{path}: unknown tag '{unknown[0]}'; choose from: {', '.join(TAGS)}")
    if audio.samples.dim() != 1 or audio.samples.numel() == 0:
        raise AudioError(f"{path}: expected samples of shape [samples], found {list(audio.samples.shape)}")
    if not bool(torch.isfinite(audio.samples).all()):
        raise AudioError(f"{path}: the samples hold values that are not finite")
    # Encoded in memory first: FFmpeg may drop a write error, Python raises it. A file-size limit raises like a
    # full disk, because Python ignores SIGXFSZ.
    encoded = _mux(form, audio)
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded)


def require_target(path: Path | str, sources: Iterable[Path | str | None] = ()) -> None:
    """Refuse, before any work is done, a file that ``write_audio`` could not write or that is one of ``sources``.

    Raises:
        AudioError: the suffix is not known.
        TriforceError: it is a source, a folder, a pipe or a device, or its folder cannot be made.
    """
    path = Path(path)
    _format_of(path)
    refuse_sources(path, [source for source in sources if source is not None])
    require_file_target(path)


def _format_of(path: Path) -> _Format:
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise AudioError(f"{path}: cannot write '{path.suffix}' audio; choose one of: {', '.join(_FORMATS)}")
    return form


# --- reading ---------------------------------------------------------------------------------------------------


@contextmanager
def _present(path: Path) -> Iterator[None]:
    """Refuse a ``path`` that is no regular file with something in it, and one that the block cannot read."""
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
    except ValueError as error:  # what the system says of a name with a zero byte
        if "null byte" not in str(error):
            raise
        raise AudioError(f"{str(path)!r}: there is no such file") from error


def _kind_of(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"))
    return next((name for is_kind, name in kinds if is_kind(mode)), "a device")


def _read(
    source: Source,
    name: str,
    sample_rate: int | None,
    start_s: float,
    duration_s: float | None,
    max_seconds: float | None,
) -> Audio:
    most = math.inf if max_seconds is None else max_seconds
    try:
        rate, blocks = _open_libsndfile(source, name, start_s, most)
    except sf.LibsndfileError:
        rate, blocks = _open_ffmpeg(source, name, start_s, most)
    try:
        wave = _collect(blocks, rate, duration_s, most, name)
    except (sf.LibsndfileError, av.FFmpegError) as error:
        raise AudioError(f"{name}: the audio is damaged ({_reason(error)})") from error
    if len(wave) == 0:
        where = f" after {start_s:g} s" if start_s else ""
        raise AudioError(f"{name}: it holds no samples{where}")
    wave = resample(wave, rate, sample_rate)
    return Audio(torch.from_numpy(wave).clamp_(-1, 1), sample_rate or rate)


def _too_long(name: str, found: str, most: float) -> AudioError:
    return AudioError(f"{name}: {found} s long, expected at most {most:g} s")


def _check_rate(rate: int, name: str) -> None:
    if not RATES[0] <= rate <= RATES[1]:
        raise AudioError(f"{name}: a sample rate of {rate} Hz, expected {RATES[0]} to {RATES[1]} Hz")


def _collect(blocks: Iterator[Wave], rate: int, duration_s: float | None, most: float, name: str) -> Wave:
    """The mono blocks joined, up to ``duration_s``; decoding stops there. More than ``most`` seconds are refused."""
    limit = None if duration_s is None else max(1, round(duration_s * rate))
    kept: list[Wave] = []
    total = 0
    for block in blocks:
        if not np.isfinite(block).all():
            raise AudioError(f"{name}: it holds samples that are not finite numbers")
        if block.size and (peak := float(np.abs(block).max())) > LOUDEST:
            raise AudioError(f"{name}: a sample of {peak:g} was found, expected values in [-1, 1]; rescale the file")
        kept.append(block if limit is None else block[: limit - total])
        total += len(kept[-1])
        if total > most * rate:
            raise _too_long(name, f"more than {most:g}", most)
        if total == limit:
            break
    return np.concatenate(kept) if kept else np.zeros(0, np.float32)


def _open_libsndfile(source: Source, name: str, start_s: float, most: float) -> tuple[int, Iterator[Wave]]:
    file = _sound_file(source)
    try:
        _check_rate(file.samplerate, name)
        if _is_counted(file) and file.frames > most * file.samplerate:
            raise _too_long(name, f"{file.frames / file.samplerate:.1f}", most)
        if _is_cut_short(file):
            raise AudioError(f"{name}: the audio is damaged (the file ends before the length in its header)")
    except AudioError:
        file.close()
        raise
    return file.samplerate, _libsndfile_blocks(file, name, round(start_s * file.samplerate))


def _sound_file(source: Source) -> sf.SoundFile:
    """``source`` opened by libsndfile. It gets a descriptor, because it takes "-" for standard input and .raw for a wish."""
    if isinstance(source, bytes):
        return sf.SoundFile(io.BytesIO(source))
    return sf.SoundFile(os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))


def _is_counted(file: sf.SoundFile) -> bool:
    """Whether its length is counted: that of an mp3 is often an estimate."""
    return bool(file.format != "MP3" and file.frames < np.iinfo(np.int64).max)


def _libsndfile_blocks(file: sf.SoundFile, name: str, start: int) -> Iterator[Wave]:
    size = BLOCK if file.channels <= _MOST_CHANNELS else max(1, BLOCK * _MOST_CHANNELS // file.channels)
    with file:
        if start >= file.frames > 0:
            return
        position = file.seek(start) if start else 0
        while len(block := file.read(size, dtype="float32", always_2d=True)):
            position += len(block)
            yield block.mean(axis=1)
        if _is_counted(file) and position < file.frames:
            missing = (file.frames - position) / file.samplerate
            raise AudioError(f"{name}: the audio is damaged (the last {missing:.2f} s cannot be decoded)")


def _is_cut_short(file: sf.SoundFile) -> bool:
    """Whether a wav file's header promises more than there is; libsndfile only says so in its log.

    Programs that write to a pipe cannot know the length and promise the most possible: that is no fault.
    """
    if file.format not in ("WAV", "WAVEX") or "(should be " not in file.extra_info:
        return False
    for line in file.extra_info.splitlines():
        if line.startswith("data :") and "(should be " in line:
            promised, found = (int(part.strip(" )")) for part in line.removeprefix("data :").split("(should be "))
            return found < promised < 0x7FFFF000
    return False


def _open_ffmpeg(source: Source, name: str, start_s: float, most: float) -> tuple[int, Iterator[Wave]]:
    container = open_container(source, name)
    stream = container.streams.audio[0]
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    if container.format.name.split(",")[0] in _COUNTED and seconds > most:
        container.close()
        raise _too_long(name, f"{seconds:.1f}", most)
    return stream.rate, _ffmpeg_blocks(container, stream.rate, round(start_s * stream.rate))


def _wav_ends_early(path: Path) -> bool:
    """``_is_cut_short`` of a file that FFmpeg reads, which does not tell."""
    try:
        with _sound_file(path) as file:
            return _is_cut_short(file)
    except sf.LibsndfileError:
        return False


def open_container(source: Source, name: str) -> av.container.InputContainer:
    """A file, or one held in memory, opened by FFmpeg: it has sound, at a rate in ``RATES``, and leads nowhere else.

    A scraped "recording" may be a playlist in disguise: it must not make FFmpeg fetch or open what it lists.

    Raises:
        AudioError: it is no container of sound that can be read.
    """
    try:
        # An absolute path begins with a slash, and so is never taken for an address.
        file = io.BytesIO(source) if isinstance(source, bytes) else str(source.absolute())
        container = av.open(file, "r", options={"protocol_whitelist": "file", "format_whitelist": _DEMUXERS})
    except (av.FFmpegError, ValueError) as error:
        raise AudioError(f"{name}: not an audio file, or damaged at its beginning ({_reason(error)})") from error
    try:
        if not container.streams.audio:
            raise AudioError(f"{name}: the file holds no sound")
        stream = container.streams.audio[0]
        if stream.codec_context is None:  # PyAV's way to say that no decoder knows it
            raise AudioError(f"{name}: not an audio file, or damaged at its beginning (its coding is not known)")
        if not (rate := stream.rate):
            raise AudioError(f"{name}: the file does not say its sample rate")
        _check_rate(rate, name)
    except AudioError:
        container.close()
        raise
    return container


def _ffmpeg_blocks(container: av.container.InputContainer, rate: int, start: int) -> Iterator[Wave]:
    with container:
        for block in _mono(container.decode(audio=0), rate):
            skip = min(start, len(block))
            start -= skip
            yield block[skip:]


def _mono(frames: Iterable[av.AudioFrame], rate: int) -> Iterator[Wave]:
    """The mean of the channels of each frame, at ``rate`` Hz; a splice may change the channels and the rate."""
    converter: av.AudioResampler | None = None
    form = None
    for frame in frames:
        found = (frame.format.name, frame.layout.name, frame.sample_rate)
        if converter is None or form != found:
            if converter is not None:
                yield from map(_mean, converter.resample(None))
            # PyAV reads past the end of a frame's list of planes when there are eight or more, and Python dies of it:
            # so many channels are handed over interleaved, in one plane.
            interleaved = frame.layout.nb_channels >= _PLANES
            converter, form = av.AudioResampler(format="flt" if interleaved else "fltp", rate=rate), found
        # Only the sample format is converted: FFmpeg's own down-mix weighs channels differently from a mean.
        yield from map(_mean, converter.resample(frame))
    if converter is not None:
        yield from map(_mean, converter.resample(None))


def _mean(frame: av.AudioFrame) -> Wave:
    samples = frame.to_ndarray()  # [channels, samples], or [1, samples * channels]
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    # np.mean spends more on itself than on the few hundred samples of a frame.
    return np.asarray(np.add.reduce(samples, 0) * np.float32(1 / len(samples)))


@dataclass
class _Tally:
    """What decoding a file came to."""

    failures: int = 0
    lost_bytes: int = 0
    read_bytes: int = 0  # the lost ones among them
    start_s: float = math.inf  # by the timestamps of the file
    end_s: float = 0.0


def _salvaged(
    container: av.container.InputContainer, stream: AudioStream, rate: int, name: str, faults: list[str]
) -> Iterator[Wave]:
    """What FFmpeg can decode of a file, in blocks of at least ``BLOCK`` samples; the last may be shorter."""
    tally = _Tally()
    decoded = 0
    with container:
        if container.format.name.split(",")[0] in _COUNTED and stream.duration and stream.time_base:
            tally.start_s, tally.end_s = 0.0, float(stream.duration * stream.time_base)
        for block in _blocks(_mono(_frames(container, stream, tally), rate)):
            decoded += len(block)
            yield block
    if tally.lost_bytes > HOPELESS * tally.read_bytes:
        share = f"{tally.lost_bytes} of {tally.read_bytes} bytes"
        raise AudioError(f"{name}: the audio is damaged ({share} cannot be decoded)")
    if tally.failures:
        faults.append(f"damaged at {tally.failures} places, {tally.lost_bytes} bytes cannot be decoded")
    missing = tally.end_s - tally.start_s - decoded / rate
    if missing > _MISSING_S:
        faults.append(f"{missing:.2f} s of {tally.end_s - tally.start_s:.2f} s are missing")


def _frames(container: av.container.InputContainer, stream: AudioStream, tally: _Tally) -> Iterator[av.AudioFrame]:
    """The frames of ``stream``; what cannot be decoded is counted and left out."""
    packets = container.demux(stream)
    failed = 0  # reads in a row
    while failed < _PATIENCE:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            # Reading goes on where it stopped, but a generator that raised is spent.
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
    held: list[Wave] = []
    count = 0
    for piece in pieces:
        held.append(piece)
        count += len(piece)
        if count >= BLOCK:
            yield np.concatenate(held)
            held, count = [], 0
    if count:
        yield np.concatenate(held)


def _usable(blocks: Iterator[Wave], name: str, faults: list[str]) -> Iterator[Wave]:
    """``blocks`` with silence for what is no sound: values that are not finite or, past damage, far too loud."""
    total = bad = 0
    try:
        for block in blocks:
            total += len(block)
            if not (block.min() >= -LOUDEST and block.max() <= LOUDEST):  # no comparison holds for what is not a number
                wrong = ~(np.abs(block) <= LOUDEST)
                bad += int(wrong.sum())
                block = np.where(wrong, np.float32(0), block)
            yield block
    except (sf.LibsndfileError, av.FFmpegError) as error:
        raise AudioError(f"{name}: the audio is damaged ({_reason(error)})") from error
    if not total:
        raise AudioError(f"{name}: it holds no samples")
    if bad > HOPELESS * total:
        raise AudioError(f"{name}: {bad} of {total} samples are not in [-{LOUDEST:g}, {LOUDEST:g}]; rescale the file")
    if bad:
        faults.append(f"{bad} of {total} samples are no numbers or beyond {LOUDEST:g}; they are silenced")


def _reason(error: Exception) -> str:
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return str(text).strip().rstrip(".")


# --- writing ---------------------------------------------------------------------------------------------------


def _to_int16(samples: torch.Tensor) -> npt.NDArray[np.int16]:
    # 32768 is the divisor of decoders, so that 16-bit audio goes in and out unchanged.
    return samples.detach().cpu().mul(32768).round_().clamp_(-32768, 32767).to(torch.int16).numpy()


def _mux(form: _Format, audio: Audio, bit_rate: int | None = None) -> bytes:
    samples, rate = audio.samples, audio.sample_rate
    if form.sample_rates and rate not in form.sample_rates:
        target = min((known for known in form.sample_rates if known > rate), default=form.sample_rates[-1])
        samples = torch.from_numpy(resample(samples.detach().cpu().numpy(), rate, target))
        rate = target
    pcm = _to_int16(samples)
    # "bitexact" leaves out dates, versions and random serials, so that equal sound gives equal files.
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form.container, options={"fflags": "+bitexact"}) as container:
        software = "ISFT" if form.container == "wav" else "software"
        container.metadata.update({software if key == "software" else key: value for key, value in audio.tags.items()})
        stream = container.add_stream(form.codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        for start in range(0, len(pcm), BLOCK):
            frame = av.AudioFrame.from_ndarray(pcm[None, start : start + BLOCK], format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()
