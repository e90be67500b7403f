"""Notes of a text file with a sign as their mark: "old,* and rich" in a paragraph, and "* Some say not." behind it."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

_SIGN = r"(?:\*{1,3}|[†‡]{1,3})"
_NOTE = re.compile(rf"({_SIGN})\s*[^\W_].*", re.DOTALL)
_MARK = re.compile(rf"(?<=[\w.,;:!?\"”’')])({_SIGN})(?![\w*†‡])")
_EMPHASIS = re.compile(r"(?<![^\s\"“‘'(])\*+(?=\w)")  # the beginning of "*very* old"
_NEAR = 3  # the mark of a note stands at most so many paragraphs before it


def sign_notes(texts: Sequence[str], others: Collection[int] = ()) -> set[int]:
    """The numbers of the paragraphs that are such notes. Each needs a mark of its own, so that a list with asterisks is none.

    ``others`` are notes of another kind, which may stand between a mark and its note.
    """
    notes: set[int] = set()
    marks: list[Counter[str]] = []  # for each earlier paragraph, the marks that have no note yet
    for number, text in enumerate(texts):
        if number in others:
            continue
        note = _NOTE.fullmatch(text)
        near = next((open_marks for open_marks in marks[-_NEAR:] if note and open_marks[note[1]]), None)
        if note and near is not None:
            near[note[1]] -= 1
            notes.add(number)
        else:
            marks.append(Counter() if _EMPHASIS.search(text) else Counter(match[1] for match in _MARK.finditer(text)))
    return notes


def split_marks(text: str) -> list[str]:
    """``text`` divided at its marks: every second part is one. Where asterisks emphasise words, there are no marks."""
    return [text] if _EMPHASIS.search(text) else _MARK.split(text)
