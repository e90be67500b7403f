"""Finds the notes of Markdown that stand where their marks would stand: ``word^[The note.]``."""

import re
from collections import deque
from collections.abc import Sequence

# The parser gets this sign of punctuation, which no book has, in the place of each character of such a note.
INLINE_MASK = "\ufe45"
_LONGEST = 10_000  # characters of a note
_START = re.compile(r"(?<!\\)\^\[")
_SIGN = re.compile(r"\\.|[\[\]]|\n[ \t]*\n", re.DOTALL)
# Here the sign begins no note: code, tags and descriptions of pictures.
_ELSEWHERE = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).){1,2000}?(?<!`)(?P=ticks)(?!`)|<!--.*?(?:-->|\Z)|</?[A-Za-z][^<>]*>"
    r"|!\[(?:[^\[\]]|\[[^\[\]]*\])*\]",
    re.DOTALL,
)


def inline_notes(text: str, others: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The begin and the end of each note in a line; ``others`` are parts of the file that hold none."""
    if INLINE_MASK in text or not _START.search(text):
        return []
    shown = blank_elsewhere(text, others)
    ends = _ends(shown)
    notes: list[tuple[int, int]] = []
    for match in _START.finditer(shown):
        end = ends.get(match.end(), 0) if not notes or match.start() >= notes[-1][1] else 0
        if any(character.isalnum() for character in text[match.start() : end]):
            notes.append((match.start(), end))
    return notes


def blank_elsewhere(text: str, others: Sequence[tuple[int, int]]) -> str:
    """``text`` with spaces in place of ``others``, of code in its lines, of tags and of descriptions of pictures."""
    shown, at = "", 0
    for first, last in sorted(others):
        if last > at:
            shown += text[at : max(at, first)] + _blank(text[max(at, first) : last])
            at = last
    return _ELSEWHERE.sub(lambda match: _blank(match[0]), shown + text[at:])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _ends(text: str) -> dict[int, int]:
    """The place behind each bracket that opens a note, and the place behind the one that closes it in its paragraph."""
    ends: dict[int, int] = {}
    opened: deque[int] = deque(maxlen=_LONGEST)  # more brackets than that are not closed within a note
    for sign in _SIGN.finditer(text):
        if sign[0] == "[":
            opened.append(sign.end())
        elif sign[0] == "]" and opened:
            begin = opened.pop()
            if text[begin - 2 : begin] == "^[" and sign.end() <= begin + _LONGEST:
                ends[begin] = sign.end()
        elif sign[0][0] == "\n":
            opened.clear()
    return ends
