"""The finished file: it is written with chapters, tags and cover, read back, measured, and only then put in place."""

import base64
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from triforce_tts.audio.decoding import open_container, open_ffmpeg
from triforce_tts.audio.pcm import to_pcm16
from triforce_tts.audio.resample import Wave
from triforce_tts.errors import AudioError, ConfigError, TriforceError
from triforce_tts.files import atomic_path
from triforce_tts.narrator.cover import Cover
from triforce_tts.narrator.lines import Lines
from triforce_tts.narrator.loudness import Loudness, Meter
from triforce_tts.narrator.master import MOST_PASSES, Level, Profile, Result, first_level, next_level, results
from triforce_tts.narrator.timeline import Timeline, sound
from triforce_tts.wording import cut

if TYPE_CHECKING:
    from av.container import OutputContainer

# Nero's list can hold so many chapters. With more, players read the track with the chapters.
_CHPL_CHAPTERS = 255
_TITLE_BYTES = 255
_CHAPTER_S = 0.002  # formats round the start of a chapter to milliseconds
_FRAME = 2048  # the most samples that a coder adds at the end of a file to fill its last frame
_AAC = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


class Step(Protocol):
    """A receiver of progress."""

    def __call__(self, event: str, done: float, total: float, time: int = 1) -> None:
        """Take the report that ``done`` of ``total`` seconds are done; ``time`` says how often the event came so far."""


class _Format(NamedTuple):
    container: str
    codec: str
    bit_rate: int | None = None
    sample_rates: tuple[int, ...] = ()  # the sample rates that the format allows; empty if it allows any
    options: tuple[tuple[str, str], ...] = ()
    most_chapters: int = 65_535  # 0: the format has no chapters
    has_cover: bool = True


FORMATS = {
    ".m4b": _Format("mp4", "aac", 64_000, _AAC, (("movflags", "+faststart"), ("brand", "M4B "))),
    ".m4a": _Format("mp4", "aac", 64_000, _AAC, (("movflags", "+faststart"), ("brand", "M4A "))),
    ".mp3": _Format("mp3", "libmp3lame", 96_000, _AAC, (("id3v2_version", "3"),)),
    ".opus": _Format("ogg", "libopus", 32_000, (8000, 12000, 16000, 24000, 48000), most_chapters=1000),
    ".flac": _Format("flac", "flac", most_chapters=1000),
    ".wav": _Format("wav", "pcm_s16le", options=(("rf64", "auto"),), most_chapters=0, has_cover=False),
}


@dataclass(frozen=True)
class Content:
    """The content of a file: the lines with their times, the tags under FFmpeg's names, and a cover."""

    timeline: Timeline
    lines: Lines
    tags: dict[str, str]
    cover: Cover | None = None


@dataclass(frozen=True)
class Written:
    """A finished file, as it was read back."""

    path: Path
    loudness: Loudness
    chapters: int
    results: tuple[Result, ...]
    passes: int


def file_rate(suffix: str, sample_rate: int, profile: Profile) -> int:
    """The sample rate of a file of this format, in Hz, for speech at ``sample_rate``."""
    target, rates = profile.sample_rate or sample_rate, FORMATS[suffix].sample_rates
    if not rates or target in rates:
        return target
    return min((rate for rate in rates if rate > target), default=rates[-1])


def write_book(path: Path, content: Content, profile: Profile, step: Step) -> Written:
    """Write a file that meets the profile as well as it can be met, and read it back.

    Raises:
        TriforceError: the disk is full or the folder cannot be written; the file that was there stays.
        AudioError: the file that was read back differs from what was written.
    """
    suffix = path.suffix.lower()
    form = FORMATS[suffix]
    if 0 < form.most_chapters < len(content.timeline.parts):
        raise TriforceError(
            f"{path}: {len(content.timeline.parts)} chapters, a {suffix} file holds at most {form.most_chapters}; write .m4b"
        )
    bit_rate = (profile.bit_rate if profile.suffix == suffix else None) or form.bit_rate
    with atomic_path(path) as temporary:
        level, passes = _first_level(content, profile, step), 0
        while True:
            passes += 1
            told: Step = step if passes == 1 else partial(step, time=passes)
            _encode(temporary, content, form, bit_rate, level, told)
            loudness, chapters = _read_back(temporary, content.timeline, form, told)
            better = next_level(profile, level, loudness)
            if better is None or passes == MOST_PASSES:
                break
            level = better
    return Written(path, loudness, chapters, tuple(results(profile, loudness, suffix, bit_rate)), passes)


def _first_level(content: Content, profile: Profile, step: Step) -> Level:
    if not profile.measure:
        return Level()
    timeline = content.timeline
    return first_level(profile, _measure(sound(timeline, content.lines, Level()), timeline, "measure", step))


def _measure(waves: Iterator[Wave], timeline: Timeline, event: str, step: Step, rate: int | None = None) -> Loudness:
    meter = Meter(rate or timeline.sample_rate)
    done = 0
    for wave in waves:
        meter.feed(wave)
        done += len(wave)
        step(event, done / meter.sample_rate, timeline.seconds)
    return meter.result()


# --- writing ------------------------------------------------------------------------------------------------------


def _encode(path: Path, content: Content, form: _Format, bit_rate: int | None, level: Level, step: Step) -> None:
    import av

    timeline = content.timeline
    rate, done = timeline.sample_rate, 0
    # "bitexact" leaves out dates, versions and random serials, so that equal books give equal files.
    options = {"fflags": "+bitexact", **dict(form.options)}
    if len(timeline.parts) > _CHPL_CHAPTERS and "movflags" in options:
        options["movflags"] += "+disable_chpl"
    with av.open(str(path.absolute()), "w", format=form.container, options=options) as container:
        _describe(container, content, form)
        stream: Any = container.add_stream(form.codec, rate=rate, layout="mono")
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        if content.cover is not None and form.has_cover and form.container != "ogg":
            _add_cover(container, content.cover)
        for wave in sound(timeline, content.lines, level):
            frame = av.AudioFrame.from_ndarray(to_pcm16(wave)[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, done, Fraction(1, rate)
            container.mux(stream.encode(frame))
            done += len(wave)
            step("encode", done / rate, timeline.seconds)
        container.mux(stream.encode(None))


def _describe(container: "OutputContainer", content: Content, form: _Format) -> None:
    parts, rate = content.timeline.parts, content.timeline.sample_rate
    container.metadata.update(content.tags)
    if content.cover is not None and form.container == "ogg":
        container.metadata["METADATA_BLOCK_PICTURE"] = base64.b64encode(content.cover.flac_block).decode()
    # FFmpeg writes no chapters to FLAC, and to Ogg those that begin in the second half of a second a second too late.
    if form.codec in ("flac", "libopus"):
        for number, part in enumerate(parts):
            container.metadata[f"CHAPTER{number:03d}"] = _clock(part.start / rate)
            container.metadata[f"CHAPTER{number:03d}NAME"] = cut_title(part.title)
    elif form.most_chapters:
        container.set_chapters(
            [
                {"id": number, "start": part.start, "end": part.end, "time_base": Fraction(1, rate),
                 "metadata": {"title": cut_title(part.title)}}
                for number, part in enumerate(parts)
            ]
        )  # fmt: skip


def cut_title(title: str) -> str:
    """A title of at most 255 bytes, cut between two characters."""
    return cut(title, _TITLE_BYTES)


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    return f"{milliseconds // 3_600_000:02d}:{milliseconds // 60_000 % 60:02d}:{milliseconds // 1000 % 60:02d}.{milliseconds % 1000:03d}"


def _add_cover(container: "OutputContainer", cover: Cover) -> None:
    import av

    stream: Any = container.add_stream(cover.codec)
    stream.width, stream.height, stream.pix_fmt = cover.width, cover.height, cover.pixels
    # PyAV 16 does not accept a member of the enumeration.
    stream.disposition = av.stream.Disposition.attached_pic.value
    packet = av.Packet(cover.data)
    packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1, 90_000)
    packet.is_keyframe = True
    container.mux(packet)


# --- reading back -------------------------------------------------------------------------------------------------


def _read_back(path: Path, timeline: Timeline, form: _Format, step: Step) -> tuple[Loudness, int]:
    """The figures of a written file and the number of its chapters.

    Raises:
        AudioError: the file has another number of samples, or other chapters, than were written.
    """
    with open_container(path, path.name) as container:
        chapters = [
            (float(chapter["start"] * chapter["time_base"]), chapter["metadata"].get("title", ""))
            for chapter in container.chapters()
        ]
    if form.most_chapters and not _are_written(chapters, timeline):
        raise AudioError(
            f"{path.name}: the file has not the chapters that were written; this is a fault of the program"
        )
    rate, blocks = open_ffmpeg(path, path.name, 0.0, math.inf)
    loudness = _measure(blocks, timeline, "verify", step, rate)
    more = loudness.samples * timeline.sample_rate / rate - timeline.samples
    if not -1 <= more <= _FRAME:
        raise AudioError(
            f"{path.name}: {loudness.seconds:.2f} s were read back, expected {timeline.seconds:.2f} s; free some space and "
            "start the command again"
        )
    return loudness, len(chapters)


def _are_written(chapters: Sequence[tuple[float, str]], timeline: Timeline) -> bool:
    """Whether these are the chapters of the timeline, with the seconds at which they start and their titles."""
    wanted = [(part.start / timeline.sample_rate, cut_title(part.title)) for part in timeline.parts]
    return len(chapters) == len(wanted) and all(
        title == wanted_title and abs(start_s - wanted_s) <= _CHAPTER_S
        for (start_s, title), (wanted_s, wanted_title) in zip(chapters, wanted, strict=True)
    )


def require_format(path: Path, chapter_format: str | None, is_folder: bool) -> None:
    """Refuse an output of a kind that cannot be written.

    Args:
        path: the file, or the folder with a file for each chapter.
        chapter_format: the format that the user gave for the files of a folder.
        is_folder: whether ``path`` is a folder.

    Raises:
        ConfigError: the format is unknown, or it was given although ``path`` is a file, whose name says its format.
        TriforceError: no file of this kind can be written.
    """
    if chapter_format is not None and chapter_format not in FORMATS:
        raise ConfigError(f"--format {chapter_format}: expected one of {', '.join(FORMATS)}")
    if is_folder:
        return
    if path.suffix.lower() not in FORMATS:
        raise TriforceError(
            f"{path}: cannot write '{path.suffix}'; choose one of {', '.join(FORMATS)}, or a folder for one file a chapter"
        )
    if chapter_format is not None:
        raise ConfigError(
            f"--format {chapter_format}: it is for the files of a folder, and the output is the file {path}, whose name "
            f"says its format; give a folder with --out, or leave --format out"
        )
