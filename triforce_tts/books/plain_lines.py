"""The lines of a text file as paragraphs: hard ends of lines are joined, verse and breaks stay."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from statistics import median

from triforce_tts.text.phonemes import Lexicon

from .draft import LINE_END
from .plain_headings import kind_of

_ROW = re.compile(r"\s*(?:[*·•~#=_+.\-–—⁂❦]\s*){1,60}")
_LONG = 120  # a line with more characters was not wrapped to a fixed width
_SHORT = 0.75  # a line shorter than this share of the usual width was ended on purpose
_INDENT = 2  # a line with so many more spaces before it is indented
SET_OFF = 3  # what stands behind so many blank lines is set off from the text before it
LINE_NUMBER = "\x1e"  # this character stands before the number of a line of verse, which is not read
_CAPITAL = re.compile(r"\W*[^\W\d_a-zß-ÿ]")
_NUMBERED = re.compile(r"(.*\S)\s{2,}(\d{1,4})\s*")
_NUMBERED_BEFORE = re.compile(r"\s*(\d{1,4})\s{2,}(?=\S)")
# The begin of a message of a chat: '[10:32] Ada: ...', '01/05/2024, 10:32 - Ada: ...'.
_STAMPED = re.compile(
    r"\s*[\[(<]?\s*(?:\d{1,4}[-./]\d{1,2}[-./]\d{1,4}[ ,T]{1,3})?\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AaPp]\.?[Mm]\.?)?\s*[\])>]?[\s–:-]+\S"
)
_MOST_OF_MESSAGE = 3  # at least one of so many lines begins a message
_FEWEST_BETWEEN = 4  # lines of verse are numbered at most so densely
_NARROW = 55  # prose is seldom wrapped to lines of fewer characters
_VERSE_LINES = 8  # so many lines show whether a text is all verse
_VERSE_SHARE = 0.8  # so many of the lines of a verse begin with a capital letter
_FULL = 0.85  # lines of prose are longer than this share of the usual width
_HYPHENED = re.compile(r"(?<![^\W\d_])([^\W\d_]+)-$")
_LEAST_HYPHENED = 2  # so many words divided at the ends of lines show that these are prose
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_WORDS_WITH_HYPHEN = re.compile(r"(?<![^\W\d_])[^\W\d_]+-[^\W\d_]+")


@dataclass(frozen=True)
class Paragraph:
    """Lines without a blank line between them: their numbers, and the way in which they are read."""

    first: int
    last: int
    is_verse: bool = False
    is_break: bool = False


def blank_lines(before: Paragraph, behind: Paragraph) -> int:
    """The number of lines between two paragraphs."""
    return behind.first - before.last


class LineJoiner:
    """Knows the width of a text's lines and the words that it hyphenates."""

    def __init__(self, lines: list[str], lexicon: Lexicon) -> None:
        self._lines, self._lexicon = lines, lexicon
        self._numbers = _line_numbers(lines)
        self._left = _numbers_before(lines)
        lengths = [len(self._without_number(n).rstrip()) for n, line in enumerate(lines) if line.strip()]
        self._width = sorted(lengths)[int(len(lengths) * 0.9)] if lengths else 0
        self._is_wrapped = bool(lengths) and median(lengths) <= _LONG and self._width <= _LONG
        blank = sum(not line.strip() for line in lines)
        inner = "\n".join(lines).strip().split("\n")
        self._is_dense = sum(not line.strip() for line in inner) <= 0.02 * len(inner)
        self._has_blanks = blank > 0.02 * len(lines)
        self._hyphenated = Counter(
            word.lower() for line in lines for word in _WORDS_WITH_HYPHEN.findall(line) if "-" in line
        )

        begins = [bool(_CAPITAL.match(line)) for block in self._blocks() if len(block) > 2 for line in block[1:]]
        self._is_all_verse = len(begins) >= _VERSE_LINES and sum(begins) >= _VERSE_SHARE * len(begins)

    def _blocks(self) -> Iterator[list[str]]:
        """The lines between blank lines."""
        block: list[str] = []
        for line in [*self._lines, ""]:
            if line.strip():
                block.append(line)
            elif block:
                yield block
                block = []

    def _without_number(self, number: int) -> str:
        line = self._lines[number]
        if number in self._left:
            return " " * self._left[number] + line[self._left[number] :]
        return line[: self._numbers[number]] if number in self._numbers else line

    def paragraphs(self, first: int, last: int) -> list[Paragraph]:
        """The paragraphs of the lines ``first`` to before ``last``."""
        paragraphs: list[Paragraph] = []
        number = first
        while number < last:
            if not self._lines[number].strip():
                number += 1
                continue
            if self._is_row(number):
                paragraphs.append(Paragraph(number, number + 1, is_break=True))
                number += 1
                continue
            end = number
            while end < last and self._lines[end].strip() and not self._is_row(end):
                end += 1
            paragraphs += self.divided(number, end)
            number = end
        return paragraphs

    def _is_row(self, number: int) -> bool:
        line = self._lines[number]
        return len(line) < _LONG and bool(_ROW.fullmatch(line))

    def divided(self, first: int, last: int) -> list[Paragraph]:
        """The paragraphs of lines without a blank line between them; in a text without any, headings are paragraphs, too."""
        heads = [n for n in range(first, last) if self._is_dense and self._is_head(n)]
        edges = sorted({first, last, *heads, *(n + 1 for n in heads)})
        return [one for begin, end in pairwise(edges) for one in self._divided(begin, end)]

    def _is_head(self, number: int) -> bool:
        return self.is_short_line(number) and kind_of(self._lines[number].strip()) in ("chapter", "part", "named")

    def _divided(self, first: int, last: int) -> list[Paragraph]:
        lines = [self._without_number(number).expandtabs().rstrip() for number in range(first, last)]
        if not self._is_wrapped or max(map(len, lines)) > _LONG or (not self._has_blanks and not self._can_wrap()):
            return [Paragraph(first + n, first + n + 1) for n in range(len(lines))]
        stamps = [n for n, line in enumerate(lines) if _STAMPED.match(line)]
        if len(stamps) > 1 and stamps[0] == 0 and len(stamps) * _MOST_OF_MESSAGE >= len(lines):
            return [Paragraph(first + begin, first + end) for begin, end in pairwise([*stamps, len(lines)])]
        indents = [len(line) - len(line.lstrip()) for line in lines]
        if self._are_hyphened(lines):
            return self._by_indent(first, last, indents)
        if len(lines) > 1 and all(indent >= _INDENT for indent in indents[1:]) and self._is_short(lines):
            return [Paragraph(first, last, is_verse=True)]
        if len(lines) > 1 and indents[0] < _INDENT and self._is_short(lines):
            return [Paragraph(first, last, is_verse=True)]
        if self._is_verse(lines):
            return [Paragraph(first, last, is_verse=True)]
        return self._by_indent(first, last, indents)

    def _is_verse(self, lines: list[str]) -> bool:
        """Whether lines are verse although they are long: each begins with a capital letter."""
        begins = [bool(_CAPITAL.match(line)) for line in lines]
        if self._is_all_verse:
            return len(lines) > 1 and sum(begins) >= _VERSE_SHARE * len(lines)
        is_ragged = median(len(line) for line in lines[:-1] or lines) < _FULL * self._width
        return len(lines) > (3 if is_ragged or self._width < _NARROW else 5) and all(begins)

    def is_short_line(self, number: int) -> bool:
        """Whether a line was ended before the usual width was reached."""
        return len(self._without_number(number).strip()) < _SHORT * self._width

    def _can_wrap(self) -> bool:
        return self._width <= 90

    def _is_short(self, lines: list[str]) -> bool:
        """Whether every line except the last was ended before the usual width was reached."""
        return all(len(line.strip()) < _SHORT * self._width for line in lines[:-1])

    def _by_indent(self, first: int, last: int, indents: list[int]) -> list[Paragraph]:
        """Divide at indented lines: such a line begins a paragraph if the lines around it are not indented."""
        margin = min(indents)
        starts = [
            n for n in range(len(indents)) if n == 0 or (indents[n] >= margin + _INDENT and indents[n - 1] <= margin)
        ]
        if not self._has_blanks and len(starts) == 1:
            starts = [0] + [
                n
                for n in range(1, len(indents))
                if len(self._lines[first + n - 1].rstrip()) < _SHORT * self._width
                and self._lines[first + n - 1].rstrip()[-1:] in ".!?\"”’'"
            ]
        if any(end - start > 1 and indents[start + 1] > margin for start, end in zip(starts, [*starts[1:], len(indents)], strict=True)):  # fmt: skip
            starts = [0]  # If several lines are indented together, they are a quotation inside its paragraph.
        ends = [*starts[1:], len(indents)]
        return [Paragraph(first + start, first + end) for start, end in zip(starts, ends, strict=True)]

    def texts(self, paragraph: Paragraph) -> list[str]:
        """The lines of a paragraph in a form in which they can be joined."""
        texts: list[str] = []
        for number in range(paragraph.first, paragraph.last):
            line = self._without_number(number).strip()
            if number in self._left:
                line = f"{LINE_NUMBER}{self._lines[number][: self._left[number]].strip()} {line}"
            elif number in self._numbers:
                line += LINE_NUMBER + self._lines[number][self._numbers[number] :].strip()
            if not texts or paragraph.is_verse:
                texts.append((LINE_END if texts else "") + line)
                continue
            before = texts[-1]
            if before.endswith(("\u00ad", "--", "—")) or line.startswith(("--", "—")):
                texts.append(line)
            elif match := _HYPHENED.search(before):
                keeps = self._keeps_hyphen(match[1], line)
                texts[-1] = before if keeps else before[:-1]
                texts.append(line)
            else:
                texts.append(f" {line}")
        return texts

    def _keeps_hyphen(self, start: str, line: str) -> bool:
        """Whether a hyphen at the end of a line belongs to the word: "well-known", but not "won-derful"."""
        match = _FIRST_WORD.match(line)
        if match is None or match[0][0].isupper():
            return True
        rest = match[0]
        if self._lexicon.lookup(start + rest) is not None:
            return False
        if self._hyphenated[f"{start}-{rest}".lower()]:
            return True
        return self._is_word(start) and self._is_word(rest)

    def _are_hyphened(self, lines: list[str]) -> bool:
        """Whether words are divided at the ends of several lines, so that the lines are prose, however short they are."""
        divided = (
            before
            for before, behind in pairwise(lines)
            if (match := _HYPHENED.search(before)) and not self._keeps_hyphen(match[1], behind.lstrip())
        )
        return len(list(islice(divided, _LEAST_HYPHENED))) == _LEAST_HYPHENED

    def _is_word(self, word: str) -> bool:
        return len(word) > 1 and self._lexicon.lookup(word) is not None


def _line_numbers(lines: list[str]) -> dict[int, int]:
    """The lines with the number of a line of verse at their end, and where it begins: they count the lines between them."""
    matches = {number: match for number, line in enumerate(lines) if (match := _NUMBERED.fullmatch(line))}
    numbered = _counting(lines, {number: int(match[2]) for number, match in matches.items()})
    return {number: matches[number].end(1) for number in numbered}


def _numbers_before(lines: list[str]) -> dict[int, int]:
    """The lines with such a number at their begin, and where it ends."""
    matches = {number: match for number, line in enumerate(lines) if (match := _NUMBERED_BEFORE.match(line))}
    numbered = _counting(lines, {number: int(match[1]) for number, match in matches.items()})
    ends = {number: matches[number].end(1) for number in numbered}
    return ends if _stand_in_margin(lines, ends) else {}


def _stand_in_margin(lines: list[str], ends: dict[int, int]) -> bool:
    """Whether numbers stand left of all lines between them, or these are verse; else rows of prose begin with numbers."""
    if not ends:
        return False
    width = max(ends.values())
    between = [line for n, line in enumerate(lines[min(ends) : max(ends)], min(ends)) if line.strip() and n not in ends]
    is_left = sum(not line[:width].strip() for line in between) >= _VERSE_SHARE * len(between)
    is_verse = sum(bool(_CAPITAL.match(line)) for line in between) >= _VERSE_SHARE * len(between)
    return is_left or (is_verse and median(map(len, between)) < _NARROW)


def _counting(lines: list[str], values: dict[int, int]) -> set[int]:
    """The lines whose values count the lines between them, if there are several."""
    count = 0
    places: dict[int, int] = {}  # the place of each line among those with text
    for number, line in enumerate(lines):
        count += bool(line.strip())
        places[number] = count
    numbered: set[int] = set()
    for first, second in pairwise(values):
        if values[second] - values[first] == places[second] - places[first] >= _FEWEST_BETWEEN:
            numbered |= {first, second}
    return numbered if len(numbered) > 2 else set()
