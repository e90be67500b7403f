"""The one way in and out for audio: any file to float32 mono, and back to a file with its tags.

libsndfile (through soundfile) decodes first: it is fast and seeks exactly. FFmpeg (through PyAV, whose wheel
carries it) decodes what libsndfile does not know, such as m4a, and writes all files but WAV, because it alone
puts the same tags into every format; it is imported when it is first needed. ``wav.py`` writes WAV. Whatever cannot be used is refused with an ``AudioError`` that names it.
"""

import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf  # type: ignore[import-untyped]
import torch

from triforce_tts.audio.decoding import (
    BLOCK,
    LOUDEST,
    Source,
    Wave,
    damaged,
    open_container,
    open_ffmpeg,
    open_libsndfile,
    present,
    too_long,
)
from triforce_tts.audio.pcm import to_pcm16
from triforce_tts.audio.resample import resample
from triforce_tts.audio.wav import wav_head
from triforce_tts.errors import AudioError
from triforce_tts.files import as_path, atomic_path, refuse_sources, require_file_target

OPUS_BIT_RATE = (
    32000  # bits a second; mono speech at full bandwidth, as RFC 6716 (section 2.1.1) recommends 28-40 kbit/s
)
TAGS = ("title", "artist", "album", "comment", "software", "copyright", "date")


class _Format(NamedTuple):
    container: str
    codec: str
    sample_rates: tuple[int, ...] = ()  # the sample rates that the format allows; empty if it allows any


_FORMATS = {
    ".wav": _Format("wav", "pcm_s16le"),
    ".flac": _Format("flac", "flac"),
    ".mp3": _Format("mp3", "libmp3lame", (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)),
    ".ogg": _Format("ogg", "libopus", (8000, 12000, 16000, 24000, 48000)),
}
WRITTEN = tuple(_FORMATS)  # the suffixes of the files that can be written


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
    path = as_path(path, "the recording")
    with present(path):
        return _read(path, str(path), sample_rate, 0.0, first_seconds, max_seconds)


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
    with present(path), open_container(path, str(path)) as container:
        metadata = {**container.metadata, **container.streams.audio[0].metadata}
    tags = {key.lower(): value for key, value in metadata.items()}
    if "encoder" in tags:  # FFmpeg has this name for the software field of a wav file.
        tags.setdefault("software", tags.pop("encoder"))
    return tags


def flac_tags(path: Path | str) -> dict[str, str]:
    """The tags of a FLAC file that ``encode_flac`` would write; FFmpeg is not needed, and its comments are not read.

    Raises:
        AudioError: the file is missing or cannot be read.
    """
    with present(Path(path)):
        try:
            with sf.SoundFile(path) as file:
                return {name: value for name, value in file.copy_metadata().items() if name in TAGS}
        except sf.LibsndfileError as error:
            raise AudioError(f"{path}: cannot read this as FLAC ({error.error_string})") from error


def claimed_seconds(path: Path | str) -> float:
    """The length that a file's header claims, in seconds; 0 if it claims none or cannot be read."""
    import av

    path = Path(path)
    try:
        with present(path), open_container(path, str(path)) as container:
            return max(0.0, float(container.duration or 0) / av.time_base)
    except AudioError:
        return 0.0


def encode_flac(audio: Audio) -> bytes:
    """The sound as a 16-bit FLAC file with its tags; equal sound and tags give equal bytes."""
    buffer = io.BytesIO()
    samples = to_pcm16(audio.samples.detach().cpu().numpy())
    with sf.SoundFile(buffer, "w", audio.sample_rate, 1, "PCM_16", format="FLAC") as file:
        for name, value in audio.tags.items():
            setattr(file, name, value)
        file.write(samples)
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
    # The sound is encoded in memory first: FFmpeg may lose a write error, while Python raises it. A limit on the size
    # of files raises an error just as a full disk does, because Python ignores SIGXFSZ.
    encoded = _mux(form, audio)
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded)


def require_target(path: Path | str, sources: Iterable[Path | str | None] = ()) -> None:
    """Refuse, before any work is done, a file that ``write_audio`` could not write or that is one of ``sources``.

    Raises:
        AudioError: the suffix is not known.
        TriforceError: the path is a source, a folder, a pipe or a device, or its folder cannot be made.
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
        rate, blocks = open_libsndfile(source, name, start_s, most)
    except sf.LibsndfileError:
        rate, blocks = open_ffmpeg(source, name, start_s, most)
    try:
        wave = _collect(blocks, rate, duration_s, most, name)
    except sf.LibsndfileError as error:
        raise damaged(name, error) from error
    if len(wave) == 0:
        where = f" after {start_s:g} s" if start_s else ""
        raise AudioError(f"{name}: it holds no samples{where}")
    wave = resample(wave, rate, sample_rate)
    return Audio(torch.from_numpy(wave).clamp_(-1, 1), sample_rate or rate)


def _collect(blocks: Iterator[Wave], rate: int, duration_s: float | None, most: float, name: str) -> Wave:
    """The mono blocks joined, up to ``duration_s``; decoding stops there. More than ``most`` seconds are refused."""
    limit = None if duration_s is None else max(1, round(duration_s * rate))
    parts: list[Wave] = []
    total = 0
    for block in blocks:
        if not np.isfinite(block).all():
            raise AudioError(f"{name}: it holds samples that are not finite numbers")
        if block.size and (peak := float(np.abs(block).max())) > LOUDEST:
            raise AudioError(f"{name}: a sample of {peak:g} was found, expected values in [-1, 1]; rescale the file")
        parts.append(block if limit is None else block[: limit - total])
        total += len(parts[-1])
        if total > most * rate:
            raise too_long(name, f"more than {most:g}", most)
        if total == limit:
            break
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


# --- writing ---------------------------------------------------------------------------------------------------


def _mux(form: _Format, audio: Audio, bit_rate: int | None = None) -> bytes:
    samples, rate = audio.samples, audio.sample_rate
    if form.sample_rates and rate not in form.sample_rates:
        target = min((choice for choice in form.sample_rates if choice > rate), default=form.sample_rates[-1])
        samples = torch.from_numpy(resample(samples.detach().cpu().numpy(), rate, target))
        rate = target
    pcm = to_pcm16(samples.detach().cpu().numpy())
    if form.container == "wav":  # wav files are written without FFmpeg, whose import takes a fifth of a second
        return wav_head(rate, audio.tags, len(pcm)) + pcm.astype("<i2").tobytes()

    import av
    from av.audio.stream import AudioStream

    # "bitexact" leaves out dates, versions and random serials, so that equal sound gives equal files.
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form.container, options={"fflags": "+bitexact"}) as container:
        container.metadata.update(audio.tags)
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
