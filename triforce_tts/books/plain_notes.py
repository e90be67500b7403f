"""Finds the notes of a text file: footnotes in brackets, and numbered notes behind the book whose marks stand in it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .chapters import count_words, has_letters
from .plain_furniture import bracketed

_NOTE = re.compile(r"\[(?:Footnote|Note)\s+(\w{1,4})\s*:.*|\[(\d{1,3}|[A-Z]|\*+)\]\s+\S.*", re.DOTALL)
_OPEN_NOTE = re.compile(r"\[(?:Footnote|Note)\s+\w{1,4}\s*:", re.IGNORECASE)
# These numbers mark a note only behind a word: "had met the visitor.(2)"
_OTHER_NOTE = re.compile(r"([({])(\d{1,3})[)}]\s+\S.*", re.DOTALL)
_LISTED_NOTE = re.compile(r"(\d{1,3})[.)]\s+\S.*", re.DOTALL)
# Notes without a mark: those of the margin, and footnotes that stand where they belong.
_MARGIN = r"(?:side|margin(?:al)?|head)[-\s]?notes?"
_UNMARKED_START = re.compile(rf"\[(?:{_MARGIN}|footnote)\s*:", re.IGNORECASE)
_LABEL = re.compile(r"\[footnote\s+(\w{1,4})", re.IGNORECASE)
# Such a note, or one with a label, inside a paragraph.
INNER_NOTE = re.compile(
    rf"\[(?:{_MARGIN}|footnote(?:\s+\w{{1,4}})?)\s*:[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]", re.IGNORECASE
)
_MOST_CONTINUED = 3  # the most paragraphs between two notes of a list that go on with the first one
_MOST_CONTINUED_WORDS = 120
_BEHIND_WORD = r"(?<=[\w.,;:!?\"”’'])"
_HEADING = re.compile(r"[\s_*=]*(?:FOOT|END)?NOTES?[.:]?[\s_*=]*", re.IGNORECASE)
# A row of spaces is tried from its first one only.
MARK = re.compile(
    rf"(?<!\s)\s*\[(?P<square>\w{{1,4}}|\*+)\]|{_BEHIND_WORD}(?P<other>\(\d{{1,3}}\)|\{{\d{{1,3}}\}})(?!\w)"
)


@dataclass
class Notes:
    """The notes of a text.

    Attributes:
        labels: for the first paragraph of a note, and each that goes on with it, the label of the note.
        unmarked: the paragraphs of notes that no mark leads to, such as those of the margin.
        headings: paragraphs such as "FOOTNOTES:", which stand above notes.
        known: the labels of all notes.
    """

    labels: dict[int, str] = field(default_factory=dict)
    unmarked: set[int] = field(default_factory=set)
    headings: set[int] = field(default_factory=set)
    known: set[str] = field(default_factory=set)

    def label_of(self, mark: re.Match[str]) -> str | None:
        """The label that a match of ``MARK`` refers to, if there is such a note."""
        label = mark["square"] or mark["other"]
        return label if label in self.known else None


def find_notes(texts: Sequence[str], is_heading: Callable[[int], bool]) -> Notes:
    """The notes, with their later paragraphs and the headings above them."""
    notes = Notes()
    own = [[(mark["square"], mark["other"]) for mark in MARK.finditer(text)] for text in texts]
    others = {other for found in own for _, other in found if other}
    for number, text in enumerate(texts):
        if number in notes.labels or number in notes.unmarked:
            continue
        notes.known |= {label[1] for inner in INNER_NOTE.finditer(text) if (label := _LABEL.match(inner[0]))}
        if (match := INNER_NOTE.match(text)) and text[match.end() :].strip():
            continue  # the text goes on behind the note
        if _UNMARKED_START.match(text):
            notes.unmarked |= set(range(number, bracketed(texts, number, is_heading)))
        elif match := _NOTE.fullmatch(text):
            end = bracketed(texts, number, is_heading) if _OPEN_NOTE.match(text) else number + 1
            notes.labels |= dict.fromkeys(range(number, max(end, number + 1)), match[1] or match[2])
        elif (match := _OTHER_NOTE.fullmatch(text)) and text.split(maxsplit=1)[0] in others:
            notes.labels[number] = text.split(maxsplit=1)[0]
    marks: set[str] = set()  # those that stand before the current paragraph
    for number, text in enumerate(texts):
        if _HEADING.fullmatch(text):
            _add_listed(texts, number, is_heading, notes, marks)
            _add_continued(texts, number, lambda n: is_heading(n) or bool(own[n]), notes)
        marks |= {square or other for square, other in own[number]}
    notes.known |= set(notes.labels.values())
    return notes


def _add_listed(
    texts: Sequence[str], number: int, is_heading: Callable[[int], bool], notes: Notes, marks: set[str]
) -> None:
    """Add the notes below a heading such as "NOTES", if the mark of each is among the ``marks`` of the text before."""
    at = number + 1
    while at < len(texts) and not is_heading(at) and at not in notes.labels:
        found = [match[1] for line in texts[at].split("\n") if (match := _LISTED_NOTE.fullmatch(line))]
        labels = [value if value in marks else f"({value})" for value in found]
        if not found or not _LISTED_NOTE.fullmatch(texts[at]) or not marks.issuperset(labels):
            break
        notes.labels[at] = labels[0]
        notes.known |= set(labels)
        at += 1
    if number + 1 in notes.labels:
        notes.headings.add(number)


def _add_continued(texts: Sequence[str], number: int, ends: Callable[[int], bool], notes: Notes) -> None:
    """Add the further paragraphs of the notes below a heading such as "FOOTNOTES:", each up to the next note of the list.

    Text in between is longer, or stands below another heading, or ``ends`` the list because it holds a mark. What stands behind the
    last note is no part of it, because the text itself may go on there.
    """
    at, label = number + 1, notes.labels.get(number + 1, "")
    waiting: list[int] = []
    while label and at < len(texts) and not _HEADING.fullmatch(texts[at]):
        if at in notes.labels:
            notes.labels |= dict.fromkeys(waiting, label)
            waiting, label = [], notes.labels[at]
        else:
            waiting.append(at)
            is_long = sum(count_words(texts[n]) for n in waiting) > _MOST_CONTINUED_WORDS
            if (
                len(waiting) > _MOST_CONTINUED
                or is_long
                or ends(at)
                or texts[at].isupper()
                or not has_letters(texts[at])
            ):
                return
        at += 1
