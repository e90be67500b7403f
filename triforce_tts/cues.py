"""Subtitles: texts with the times at which they are shown, as SubRip or WebVTT.

Phones in braces are shown in letters. WebVTT has escapes for what would be a tag. SubRip has none, and players take ``<b>``, ``{\\an8}``
and ``&lt;`` for marks of their own, so there a space without a width stands behind the first sign, which shows the text as it is.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from html import escape
from pathlib import Path
from typing import NamedTuple

from triforce_tts.speech import TimedWord
from triforce_tts.text.respelling import readable

# Places in which SubRip gets a space without a width: behind the first sign of a tag, of an entity, and within an arrow.
_SRT_MARKS = re.compile(r"(?<=<)(?=[A-Za-z/!?])|(?<=\{)(?=[\\A-Za-z/])|(?<=&)(?=#?\w+;)|(?<=--)(?=>)")
# A word with the marks at it; phones in braces hold spaces.
_TOKEN = re.compile(r"(?:[^\s{]|\{[^{}]*\}|\{)+")
_PIECE = re.compile(r"\{[^{}]*\}|[\w']+")  # the part of a word that is spoken
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
    """The text of a cue as it is written, with the time of each word before it.

    A word that is not spoken as it is written, such as a number, has no time of its own.
    """
    tokens = _TOKEN.findall(cue.text)
    pieces = [
        (number, place == 0, piece) for number, token in enumerate(tokens) for place, piece in enumerate(_pieces(token))
    ]
    spoken = ["".join(_pieces(word.text)) for word in cue.words]
    starts: dict[int, str] = {}
    for block in SequenceMatcher(None, [piece for *_, piece in pieces], spoken, autojunk=False).get_matching_blocks():
        for (number, is_first, _), word in zip(
            pieces[block.a : block.a + block.size], cue.words[block.b : block.b + block.size], strict=True
        ):
            if is_first and number:
                starts[number] = f"<{_clock(word.start_s, '.')}>"
    return " ".join(starts.get(number, "") + _escaped(token) for number, token in enumerate(tokens))


def _pieces(text: str) -> list[str]:
    return _PIECE.findall(text.casefold().replace("’", "'"))


def _escaped(text: str) -> str:
    return escape(readable(text), quote=False)


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, minutes = milliseconds // 3_600_000, milliseconds // 60_000 % 60
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000 % 60:02d}{mark}{milliseconds % 1000:03d}"
