"""The rules by which a page's marks of notes, page numbers and lists of links are told from its text."""

import re
from typing import Any

EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
_UNREAD = {"noteref", "pagebreak", "backlink"} | {
    f"{kind}{number}" for kind in ("footnote", "endnote", "rearnote") for number in ("", "s")
}
# a link whose whole text is such a mark leads to a note
_NOTE_MARK = re.compile(r"\[(\d{1,4}|[A-Za-z]|[*†‡§¶]+)\]|[*†‡§¶]+")
_NOTE_NUMBERS = re.compile(r"[\[(]?\s*(\d{1,4})(?:\s*[,–-]\s*(\d{1,4}))*\s*[\])]?")
_WORD_BEFORE = re.compile(r"(?:^|[\s(\[“‘\"'—–-])([^\W\d_]{2,}(?:['’-][^\W\d_]+)*)[.,;:!?…\"'”’)\]—–]*$")
_END_OF_SENTENCE = re.compile(r"[.!?][\"'”’)\]]*$")
# A number that is at most so much higher than the last one still counts up, because a table that was left out may hold
# a note.
_GAP = 2
_UNITS = frozenset(["mm", "cm", "dm", "km", "ft", "yd", "mi", "in", "kg", "mg", "lb", "ms", "min", "sq", "cu", "ha"])
# These elements stand within a line. Every other element is a block, and the words of two blocks are never one word.
INLINE = frozenset(
    ["a", "abbr", "acronym", "b", "bdi", "bdo", "big", "button", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins", "kbd", "label", "map", "mark", "math", "meter", "noscript", "output", "progress", "q", "rb", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"]
)  # fmt: skip


class NoteCounter:
    """Remembers the last note of a book: marks of notes count up, exponents do not."""

    def __init__(self) -> None:
        self._last_note = 0

    def is_mark(self, element: Any, name: str, before: str) -> bool:
        """Whether a raised number, or a link that is a number, is the mark of a note: it follows a word, and counts up.

        In "10<sup>6</sup>", "x<sup>2</sup>" and "km<sup>2</sup>" no word comes before, "1<sup>st</sup>" is no number, and of
        "or <a>4</a>" the link stands for itself. ``before`` is what was read of its block.
        """
        is_link = name == "a" and element.get("href")
        if not (name == "sup" or is_link) or not (numbers := _NOTE_NUMBERS.fullmatch(text_in(element))):
            return False
        if not is_link:
            before = before.rstrip(" \t")
        word = _WORD_BEFORE.search(before)
        if not (word and word[1].lower() not in _UNITS) and not _END_OF_SENTENCE.search(before):
            return False
        first, last = int(numbers[1]), int(numbers[2] or numbers[1])
        if first != 1 and not (self._last_note and self._last_note < first <= self._last_note + _GAP):
            return False
        self._last_note = last
        return True


def is_unread(element: Any, name: str) -> bool:
    """Whether readers leave an element out: a list of links, a note or its mark, a page number, or hidden text."""
    if name in ("script", "style", "head", "nav", "template") or element.get("hidden") is not None:
        return True
    # the second form occurs if the prefix is not declared
    types = element.get(EPUB_TYPE) or element.get("epub:type", "")
    roles = element.get("role", "")
    if not _UNREAD.isdisjoint(kind.removeprefix("doc-") for kind in f"{types} {roles}".lower().split()):
        return True
    if name == "sup":
        return any(link.get("href") for link in element.iter("{*}a"))
    if name == "a":
        mark = text_in(element)
        return bool(_NOTE_MARK.fullmatch(mark)) or mark in [text_in(raised) for raised in element.iter("{*}sup")]
    return False


def text_in(element: Any) -> str:
    """The whole text of an element."""
    return "".join(element.itertext()).strip()
