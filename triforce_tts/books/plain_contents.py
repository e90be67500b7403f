"""Finds the table of contents of a text file, and the list of its illustrations: their paragraphs and their entries."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from .chapters import letters
from .numerals import NUMBER, ORDINAL
from .plain_headings import ENDS_SENTENCE, SENTENCE_END, is_number_only, is_prose, kind_of
from .plain_lines import Paragraph, blank_lines

_TITLE = re.compile(
    r"[\s_*=]*(?:(?:THE |TABLE OF |LIST OF )?(?:CONTENTS|ILLUSTRATIONS)|LIST OF (?:CHAPTERS|PLATES|MAPS))"
    rf"(?:\s+(?:OF|TO)\s+(?:THE\s+)?(?:VOL(?:UME|\.)?\s+(?:THE\s+)?{NUMBER}|{ORDINAL}\s+VOLUME))?[.:]?[\s_*=]*",
    re.IGNORECASE,
)
_PAGE = re.compile(
    r"(?:\s{2,}PAGE|(?:\s{2,}|\t|\s*\.{2,}|\s*(?:\.\s){2,})\s*(?:\d{1,4}|[ivxlc]{1,7})|\s+_?Frontispiece_?)\s*$"
)
_NUMBER_AT_END = re.compile(r"[\s.]+\d+\s*$")
# Behind the title of a story in a collection stands who wrote it.
_NAME = r"[^\W\d_a-z][\w.'’-]*(?:\s+(?:[^\W\d_a-z][\w.'’-]*|de|of|van|von|and|&)){1,5}"
_AUTHOR_AT_END = re.compile(
    rf"(?<=[^\W_])[^\w\n]*(?:\s{{3,}}|\t|\.{{3,}}|(?:\s\.){{3,}}|[,:—–-]?\s+[Bb][Yy]\s+)[\W_]*{_NAME}[\W_]*$"
)
_COLUMNS = re.compile(r"\W*(?:(?:CHAPTER|CHAP\.|NO\.|BOOK|PART|STORY|TITLE)\s+)?PAGE\W*|\W*CHAPTER\W*", re.IGNORECASE)
_CHAPTER_WORD = re.compile(r"\s*(?:CHAPTER|CHAP\.)\s", re.IGNORECASE)
_DASHES = re.compile(r"--|[—–]")
_SPOKEN = re.compile(r"[\"“][^\"”]*[.!?,][\"”]")
_BLANK_LINES = 2  # lines between two paragraphs that are further apart than usual
_MOST_PARAGRAPHS = 400  # a table of contents has at most so many paragraphs
_LONGEST_ENTRY = 120  # characters of a line that may be an entry or a heading


class Listed(NamedTuple):
    """The paragraphs that are lists of contents, and the letters of each of their entries."""

    paragraphs: set[int]
    entries: frozenset[str]


def find_contents(paragraphs: Sequence[Paragraph], texts: Sequence[str]) -> Listed:
    """The tables of contents: each reaches from its title to the heading that begins the text of the book."""
    finder = _ContentsFinder(paragraphs, texts)
    listed: set[int] = set()
    entries: set[str] = set()
    places = {letters(text): n for n, text in enumerate(texts) if len(text) <= _LONGEST_ENTRY}
    for number, text in enumerate(texts):
        lines = text.split("\n")
        if number in listed or not _TITLE.fullmatch(lines[0]):
            continue
        own = range(number, finder.end(number, lines[1:]))
        listed |= set(own)
        lines = [line for n in own for line in texts[n].split("\n")[1 if n == number else 0 :]]
        # An entry that stands in the text as it is holds no author.
        entries |= {f for line in lines for f in _forms(line, has_author=places.get(letters(line), -1) < own.stop)}
    return Listed(listed, frozenset(entries))


class _ContentsFinder:
    def __init__(self, paragraphs: Sequence[Paragraph], texts: Sequence[str]) -> None:
        self._paragraphs, self._texts = paragraphs, texts

    def end(self, title: int, lines: list[str]) -> int:
        """The number of the paragraph behind the contents that begin with the paragraph ``title``."""
        first = title + 1
        limit = min(len(self._texts), first + _MOST_PARAGRAPHS)
        prose = next((n for n in range(first, limit) if self._is_running_text(title, n) or self._is_speech(n)), limit)
        front = next((n for n in range(first, prose) if self._is_front_heading(title, n)), prose)
        again = self._again(title, lines, front)
        if again is not None:
            return again
        if front < prose:
            return front
        if prose < limit:
            return self._begin_of_text(first, prose)
        return min(first + (not lines), len(self._texts)) if lines or self._is_list(first) else title + 1

    def _is_list(self, number: int) -> bool:
        return number < len(self._texts) and not is_prose(self._texts[number])

    def _is_running_text(self, title: int, number: int) -> bool:
        """Whether a paragraph is text of the book, and no entry with a number of a page or a summary under an entry."""
        text = self._texts[number]
        if not is_prose(text) or _PAGE.search(text) or len(_DASHES.findall(text)) > 2:
            return False
        if len(SENTENCE_END.findall(text)) > 1 or number + 1 >= len(self._texts) or number == title + 1:
            return not self._is_entries(text)
        # A single sentence between two entries that are new may be a summary of a chapter.
        before, behind = self._texts[number - 1], self._texts[number + 1]
        is_between = kind_of(before) not in (None, "named") and kind_of(behind) is not None
        is_new = not self._stands_before(title, number - 1)
        return not (is_between and is_new and self._returns(number - 1)) and not self._is_entries(text)

    def _is_front_heading(self, title: int, number: int) -> bool:
        """Whether a preface or a dedication begins here: a heading that no entry names, behind blank lines, above a text."""
        if number < title + 2 or number + 1 >= len(self._texts) or kind_of(self._texts[number]) != "named":
            return False
        gap = blank_lines(self._paragraphs[number - 1], self._paragraphs[number])
        behind = self._texts[number + 1]
        is_entry = bool(kind_of(behind) or is_number_only(behind) or _PAGE.search(behind) or self._is_entries(behind))
        return gap >= _BLANK_LINES and not is_entry and not self._stands_before(title, number)

    def _is_speech(self, number: int) -> bool:
        """Whether a paragraph is what a person says, as a story has it: it begins with a quotation mark and ends a sentence."""
        text = self._texts[number]
        return bool(_SPOKEN.match(text)) and bool(ENDS_SENTENCE.search(text)) and not self._is_entries(text)

    def _is_entries(self, text: str) -> bool:
        """Whether a paragraph has several lines that are entries."""
        lines = text.split("\n")
        return len(lines) > 1 and 2 * sum(bool(_PAGE.search(line) or kind_of(line)) for line in lines) >= len(lines)

    def _stands_before(self, title: int, number: int) -> bool:
        """Whether a heading is an entry of the list above it."""
        own = set(_forms(self._texts[number].split("\n")[0]))
        above = (line for n in range(title, number) for line in self._texts[n].split("\n")[n == title :])
        return any(_is_same(own, set(_forms(line))) for line in above)

    def _returns(self, number: int) -> bool:
        """Whether a heading stands once more further down."""
        own = self._texts[number].split("\n")[0].rstrip(" .:")
        begins = re.compile(rf"{re.escape(own)}(?!\w)", re.IGNORECASE)
        return any(begins.match(text) for text in self._texts[number + 1 : number + _MOST_PARAGRAPHS])

    def _again(self, title: int, lines: list[str], limit: int) -> int | None:
        """The paragraph before ``limit`` that repeats the first entry, alone or together with the one behind it."""
        at, entry = title, next((line for line in lines if letters(line) and not _COLUMNS.fullmatch(line)), "")
        while not entry and at + 1 < limit:
            at += 1
            entry = next((t for t in self._texts[at].split("\n") if letters(t) and not _COLUMNS.fullmatch(t)), "")
        forms = set(_forms(entry))
        for number in range(at + 1, limit) if forms else ():
            line = letters(self._texts[number].split("\n")[0])
            both = line + letters(self._texts[number + 1].split("\n")[0]) if number + 1 < len(self._texts) else line
            is_start = len(line) > 5 and any(form.startswith(line) for form in forms)
            is_named = line in forms or is_start or both in forms or self._counts_as(number, forms)
            if line and is_named and not _PAGE.search(self._texts[number]):
                return number
        return None

    def _counts_as(self, number: int, forms: set[str]) -> bool:
        """Whether "CHAPTER I" with the title below it is an entry such as "I. The Lamp"."""
        lines = "\n".join(self._texts[number : number + 2]).split("\n")
        is_number = kind_of(lines[0]) == "chapter" and is_number_only(lines[0]) and len(lines) > 1
        return is_number and letters(_CHAPTER_WORD.sub("", lines[0]) + lines[1]) in forms

    def _begin_of_text(self, first: int, prose: int) -> int:
        """The first of the headings right before the first running text behind a list."""
        begin = prose
        while begin > first and self._may_be_heading(begin - 1):
            begin -= 1
        if begin == prose:
            return self._first_heading(first, prose)
        before = range(first, begin)
        if any(self._is_entries(self._texts[n]) or _PAGE.search(self._texts[n]) for n in before):
            return begin
        repeated = [n for n in range(max(begin, first + 1), prose) if self._stands_before(first - 1, n)]
        if repeated:
            return repeated[0]
        headings = [n for n in range(begin, prose) if kind_of(self._texts[n]) or is_number_only(self._texts[n])]
        if len(headings) == 1:
            return headings[0]
        gaps = {n: blank_lines(self._paragraphs[n - 1], self._paragraphs[n]) for n in range(begin, prose)}
        widest = max(gaps, key=lambda n: gaps[n])
        if sum(gap == gaps[widest] for gap in gaps.values()) == 1 or len(gaps) == 1:
            return widest
        return next((n for n in reversed(range(begin, prose)) if kind_of(self._texts[n])), prose - 1)

    def _first_heading(self, first: int, prose: int) -> int:
        """The first heading of a chapter behind the last entry with a number of a page, if there is one before ``prose``."""
        paged = [n for n in range(first, prose) if _PAGE.search(self._texts[n]) or self._is_entries(self._texts[n])]
        behind = range(paged[-1] + 1, prose) if paged else range(0)
        return next((n for n in behind if kind_of(self._texts[n]) in ("part", "chapter", "named")), prose)

    def _may_be_heading(self, number: int) -> bool:
        text = self._texts[number]
        is_short = len(text) <= _LONGEST_ENTRY and text.count("\n") < 3
        return is_short and not _PAGE.search(text) and not self._is_entries(text) and not _TITLE.fullmatch(text)


def _forms(line: str, *, has_author: bool = True) -> list[str]:
    """The letters of an entry, without its page; a number at its end may also belong to it, as in "Chapter 1".

    ``has_author`` says that its end may be the name of an author, which does not stand beside the title in the text.
    """
    without = _PAGE.sub("", line)
    forms = [letters(without)] if without != line else [letters(line), letters(_NUMBER_AT_END.sub("", line))]
    title = _AUTHOR_AT_END.sub("", without) if has_author and len(without) <= _LONGEST_ENTRY else without
    if title != without and not is_number_only(title.strip()) and kind_of(title.strip()) is None:
        forms.append(letters(title))
    if is_number_only(line.strip()):
        forms = [letters(line)]
    return [form for form in dict.fromkeys(forms) if form]


def _is_same(one: set[str], other: set[str]) -> bool:
    return bool(one & other) or any(len(a) > 5 and b.startswith(a) for a in one for b in other)
