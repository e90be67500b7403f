"""Finds the notes of Markdown that stand where their marks would stand: ``word^[The note.]``."""

import re
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
    shown, at = "", 0
    for first, last in sorted(others):
        if last > at:
            shown += text[at : max(at, first)] + _blank(text[max(at, first) : last])
            at = last
    shown = _ELSEWHERE.sub(lambda match: _blank(match[0]), shown + text[at:])
    notes: list[tuple[int, int]] = []
    for match in _START.finditer(shown):
        end = _end_of(shown, match.end()) if not notes or match.start() >= notes[-1][1] else 0
        if any(character.isalnum() for character in text[match.start() : end]):
            notes.append((match.start(), end))
    return notes


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _end_of(text: str, at: int) -> int:
    """The place behind the bracket that closes a note; zero if none in its paragraph does."""
    depth = 1
    for sign in _SIGN.finditer(text, at, at + _LONGEST):
        depth += {"[": 1, "]": -1}.get(sign[0], 0)
        if sign[0][0] == "\n":
            return 0
        if depth == 0:
            return sign.end()
    return 0
