"""Subtitles of a narration, a cue a line, as SubRip or WebVTT."""

from collections.abc import Iterator
from pathlib import Path

from triforce_tts.cues import Cue, format_cues
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
    rate = timeline.sample_rate
    cues = [Cue(placed.start / rate, placed.end / rate, text) for placed, text in _cues(timeline)]
    write_text(path, format_cues(cues, path))


def _cues(timeline: Timeline) -> Iterator[tuple[Placed, str]]:
    """Each line that has a sound, and its text: as written, or as spoken where a sentence is divided into lines."""
    placed = [line for part in timeline.parts for line in part.lines]
    sources = [line.line.source for line in placed]
    for i, line in enumerate(placed):
        if line.end > line.start:
            is_divided = sources[i] in (*sources[max(0, i - 1) : i], *sources[i + 1 : i + 2]) or line.line.changed
            yield line, " ".join((line.line.text if is_divided else line.line.source).split())
