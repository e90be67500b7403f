"""Subtitles of a narration, a cue a line, as SubRip or WebVTT."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from triforce_tts.errors import ConfigError
from triforce_tts.files import write_text
from triforce_tts.narrator.timeline import Placed, Timeline

SUFFIXES = (".srt", ".vtt")


def require_subtitles(path: Path) -> None:
    """Refuse a file of another kind.

    Raises:
        ConfigError: the suffix is no subtitles'.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path}: cannot write '{path.suffix}' subtitles; choose one of {', '.join(SUFFIXES)}")


def write_subtitles(path: Path, timeline: Timeline) -> None:
    """Write the lines of a file with their times."""
    is_vtt = path.suffix.lower() == ".vtt"
    cues = []
    for number, (placed, text) in enumerate(_cues(timeline), 1):
        start, end = (_clock(at / timeline.sample_rate, "." if is_vtt else ",") for at in (placed.start, placed.end))
        cues.append(f"{number}\n{start} --> {end}\n{escape(text, quote=False) if is_vtt else text}\n")
    write_text(path, ("WEBVTT\n\n" if is_vtt else "") + "\n".join(cues))


def _cues(timeline: Timeline) -> Iterator[tuple[Placed, str]]:
    """Each line that has a sound, and its text: as written, or as spoken where a sentence is divided into lines."""
    placed = [line for part in timeline.parts for line in part.lines]
    sources = [line.line.source for line in placed]
    for i, line in enumerate(placed):
        if line.end > line.start:
            is_divided = sources[i] in (*sources[max(0, i - 1) : i], *sources[i + 1 : i + 2]) or line.line.changed
            yield line, " ".join((line.line.text if is_divided else line.line.source).split())


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, minutes = milliseconds // 3_600_000, milliseconds // 60_000 % 60
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000 % 60:02d}{mark}{milliseconds % 1000:03d}"
