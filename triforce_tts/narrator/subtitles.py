"""Subtitles of a narration, one cue for each line, as SubRip or WebVTT."""

from pathlib import Path

from triforce_tts.cues import Cue, format_cues
from triforce_tts.errors import ConfigError
from triforce_tts.files import write_text
from triforce_tts.narrator.timeline import Part, Timeline
from triforce_tts.narrator.written import written_parts

SUFFIXES = (".srt", ".vtt")


def require_subtitles(path: Path) -> None:
    """Refuse a file of another kind.

    Raises:
        ConfigError: the suffix belongs to no file of subtitles.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path}: cannot write '{path.suffix}' subtitles; choose one of {', '.join(SUFFIXES)}")


def write_subtitles(path: Path, timeline: Timeline) -> None:
    """Write the lines of a file with their times."""
    cues = [cue for part in timeline.parts for cue in _cues(part, timeline.sample_rate)]
    write_text(path, format_cues(cues, path))


def _cues(part: Part, sample_rate: int) -> list[Cue]:
    """A cue for each line of a chapter that has a sound; a line without a written part of its own prolongs the cue before it."""
    cues: list[Cue] = []
    for placed, text in zip(part.lines, written_parts([placed.line for placed in part.lines]), strict=True):
        end_s = placed.end / sample_rate
        if placed.end > placed.start and text:
            cues.append(Cue(placed.start / sample_rate, end_s, " ".join(text.split())))
        elif placed.end > placed.start and cues:
            cues[-1] = cues[-1]._replace(end_s=end_s)
    return cues
