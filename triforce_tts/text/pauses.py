"""Pauses that a text asks for: ``[pause 500ms]`` or ``[pause 0.5s]``, between sentences or inside one."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from triforce_tts.bounds import PAUSE
from triforce_tts.errors import ConfigError, TextError
from triforce_tts.text.normalize import is_speakable

_MARK = re.compile(r"\[\s*pause\b([^\[\]]*)\]", re.IGNORECASE)
_TIME = re.compile(r"\s+([0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})\s*(ms|s)\s*", re.IGNORECASE)
# Several words without a digit are a remark of the text, such as "[pause for applause]", and are read.
_REMARK = re.compile(r"\s+[^\W\d]+(?:\s+[^\W\d]+)+\s*")


class Stretch(NamedTuple):
    """A piece of a text without marks of pauses."""

    text: str
    pause_s: float | None  # the silence that the text asks for after it; None: it does not ask for one


def split_pauses(text: str) -> tuple[float, list[Stretch]]:
    """The silence in seconds before the first word of ``text``, and its stretches that can be spoken.

    Pauses without a word between them add up.

    Raises:
        TextError: a mark has no time that can be understood, or one out of bounds; or there are only marks.
    """
    marks = [mark for mark in _MARK.finditer(text) if not _REMARK.fullmatch(mark[1])]
    if not marks:
        return 0.0, [Stretch(text, None)]
    before_s, stretches, end = 0.0, list[Stretch](), 0
    for mark in marks:
        stretch, pause_s, end = text[end : mark.start()], _seconds(mark), mark.end()
        if is_speakable(stretch):
            stretches.append(Stretch(stretch, pause_s))
        elif stretches:
            last = stretches.pop()
            stretches.append(Stretch(last.text, (last.pause_s or 0.0) + pause_s))
        else:
            before_s += pause_s
    if is_speakable(text[end:]):
        stretches.append(Stretch(text[end:], None))
    if not stretches:
        raise TextError(f"'{text.strip()[:60]}' holds pauses alone; give at least one word")
    return before_s, stretches


class PauseMark(NamedTuple):
    """A mark that asks for a pause: its place in a text, and the length of the silence."""

    begin: int
    end: int
    seconds: float


def pause_marks(text: str) -> Iterator[PauseMark]:
    """The marks in a text in which not every bracket is a mark: only those that name a time.

    Raises:
        TextError: a time is out of bounds.
    """
    for mark in _MARK.finditer(text):
        if _TIME.fullmatch(mark[1]):
            yield PauseMark(mark.start(), mark.end(), _seconds(mark))


def _seconds(mark: re.Match[str]) -> float:
    time = _TIME.fullmatch(mark[1])
    if time is None:
        raise TextError(
            f"'{mark[0][:60]}': expected a pause in seconds or milliseconds, such as [pause 0.5s] or [pause 500ms]"
        )
    seconds = float(time[1]) / (1000 if time[2].lower() == "ms" else 1)
    try:
        PAUSE.check("a pause in seconds, found", seconds)
    except ConfigError as error:
        raise TextError(f"'{mark[0][:60]}': {error}") from error
    return seconds
