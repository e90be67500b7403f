"""Subtitles: texts with the times at which they are shown, as SubRip or WebVTT.

Phones in braces are shown in letters. WebVTT has escapes for what would be a tag. SubRip has none, and players take ``<b>``, ``{\\an8}``
and ``&lt;`` for marks of their own, so there a space without a width stands behind the first sign, which shows the text as it is.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from triforce_tts.speech import TimedWord
from triforce_tts.text.respelling import readable

# Places in which SubRip gets a space without a width: behind the first sign of a tag, of an entity, and within an arrow.
_SRT_MARKS = re.compile(r"(?<=<)(?=[A-Za-z/!?])|(?<=\{)(?=[\\A-Za-z/])|(?<=&)(?=#?\w+;)|(?<=--)(?=>)")
_NO_SPACE = "\u200b"


class Cue(NamedTuple):
    """A text from one time to another, in seconds."""

    start_s: float
    end_s: float
    text: str
    words: Sequence[TimedWord] = ()  # the words of the text; WebVTT marks the time of each


def format_cues(cues: Iterable[Cue], path: Path) -> str:
    """The content of a file of ``cues``: WebVTT if its suffix is .vtt, else SubRip."""
    is_vtt = path.suffix.lower() == ".vtt"
    mark = "." if is_vtt else ","
    blocks = [
        f"{number}\n{_clock(cue.start_s, mark)} --> {_clock(cue.end_s, mark)}\n{_vtt_text(cue) if is_vtt else _srt_text(cue)}\n"
        for number, cue in enumerate(cues, 1)
    ]
    return ("WEBVTT\n\n" if is_vtt else "") + "\n".join(blocks)


def _srt_text(cue: Cue) -> str:
    return _SRT_MARKS.sub(_NO_SPACE, readable(cue.text))


def _vtt_text(cue: Cue) -> str:
    """The text of a cue; if its words are known, it is made of them, each after its time."""
    if not cue.words:
        return _escaped(cue.text)
    first, *others = cue.words
    timed = [f"<{_clock(word.start_s, '.')}>{_escaped(word.text)}" for word in others]
    return " ".join([_escaped(first.text), *timed])


def _escaped(text: str) -> str:
    return escape(readable(text), quote=False)


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, minutes = milliseconds // 3_600_000, milliseconds // 60_000 % 60
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000 % 60:02d}{mark}{milliseconds % 1000:03d}"
