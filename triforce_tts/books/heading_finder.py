"""Finds the headings of a text file, with their levels and their subtitles."""

import re
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from statistics import mean, median, pstdev
from typing import NamedTuple

from triforce_tts.text.roman import roman_value

from .chapters import count_words, letters
from .numerals import number_value
from .plain_headings import (
    DIGIT_LINE,
    HASHES,
    IN_WHICH,
    LONGEST_HEADING,
    LONGEST_SUBTITLE,
    LONGEST_TITLE,
    MOST_LINES,
    PATTERNS,
    ROMAN_LINE,
    SENTENCE_END,
    SERIES_WORDS,
    TITLE_OPENING,
    HeadingKind,
    chapter_count,
    characters_of_play,
    divides_sentence,
    is_number_only,
    is_number_word,
    is_prose,
    is_title_case,
    kind_of,
)
from .plain_lines import SET_OFF, Paragraph, blank_lines
from .title_pages import names_house

_SPEECH = re.compile(r"[\"“‘'’(]")
# A line ends with a sign before one with a capital letter, or a name stands behind a dash, as in a motto.
_LINES_OF_VERSE = re.compile(r"[.,;:!?]\n\s*[^\W\d_a-z]|\n\s*[—–-]")
_DASHES = re.compile(r"--|[—–]|\s-\s")
_OPENS_SCENE = re.compile(r"SCENE\W*", re.IGNORECASE)  # this opens a direction for the stage, and is no title of an act
_BY = re.compile(r"\W*(?:written )?by\W*", re.IGNORECASE)  # the name of the author follows
_MOST_OFF = 5  # a number of a chapter that is printed wrongly is off by no more than this
_PROSE_WORDS = 20  # chapters by a number alone hold at least so many words
_SHORT_CHAPTER = 100  # words; shorter texts behind unusual headings are no chapters
_FEWEST_STORIES = 3  # titles above numbers that begin again; fewer are parts of one story
_MOST_INSIDE = 5  # the most numbers that stand inside a story on average; a part of a novel has more
_MANY_PAGES = 12  # so many numbers at even distances are the numbers of pages
_EVEN = 0.1  # the greatest deviation of the lengths of pages, in parts of their mean
_LARGEST_PAGE = 600  # words
_LEVELS: dict[HeadingKind, int] = {"part": 1, "chapter": 2, "named": 2, "series": 2, "scene": 4}
_CHAPTER_LEVEL = 2
_LOWER_LEVEL = 3  # numbers without a word, if there are other headings above them
_FIRST_HASH_LEVEL = 5


class Found(NamedTuple):
    """The headings: paragraphs with their levels, the rows of signs that only underline them, and the lowest level of chapters."""

    levels: dict[int, int]
    underlines: set[int]
    # Headings below this level begin no chapters, such as the numbers inside stories that the contents list.
    lowest: int | None = None


@dataclass
class HeadingFinder:
    """Finds the headings of a text.

    Attributes:
        paragraphs: all of the text.
        texts: their texts, without marks of pages and signs around a heading.
        silent: those that are no text of the book, such as the table of contents.
        entries: the lines of the table of contents, letters alone.
        pattern: what the user says that headings are, instead of the usual ones.
    """

    paragraphs: Sequence[Paragraph]
    texts: Sequence[str]
    silent: set[int]
    entries: frozenset[str]
    pattern: re.Pattern[str] | None
    _levels: dict[int, int] = field(default_factory=dict)
    _counts: list[int] = field(default_factory=list)  # for each paragraph, the words of all before it

    def find(self) -> Found:
        """The headings with their levels; the highest level is 1."""
        candidates = [n for n, p in enumerate(self.paragraphs) if n not in self.silent and not p.is_break]
        if self.pattern is not None:
            found = [n for n in candidates if self.pattern.search(self.texts[n].split("\n")[0])]
            return Found(dict.fromkeys(found, _CHAPTER_LEVEL), set())
        kinds = {n: kind for n in candidates if (kind := kind_of(self.texts[n]))}
        kinds |= dict.fromkeys(characters_of_play(self.texts, candidates, min(kinds, default=0)), "named")
        self._drop_single_series(kinds)
        self._drop_listed(kinds)
        underlines = self._add_marked(candidates, kinds)
        marked = list(self._levels.values())
        self._levels |= {n: _LEVELS[kind] for n, kind in kinds.items() if kind != "named"}
        named = [n for n, kind in kinds.items() if kind == "named"]
        others = [n for n in candidates if n not in kinds and n not in self._levels]
        numbered = any(kind in ("chapter", "series") for kind in kinds.values())
        romans, digits = self._romans(others), self._digits(others, named)
        if not kinds and not self._levels:
            romans, digits = ([] if self._are_steps(numbers) else numbers for numbers in (romans, digits))
        numbers_alone = {*romans, *digits}
        titles = self._listed_titles([n for n in others if n not in numbers_alone], named)
        if titles and (len(titles) > 1 or numbered or romans or digits):
            named += titles
            numbered = numbered or (len(titles) > 1 and not any(map(self._is_listed, romans + digits)))
        for numbers in (*self._romans_by_rank(romans), digits):
            self._levels |= dict.fromkeys(numbers, _LOWER_LEVEL if numbered else _CHAPTER_LEVEL)
            numbered = numbered or bool(numbers)
        self._levels |= dict.fromkeys(named, _LEVELS["named"] if numbered else self._level_beside(marked, kinds))
        if len(self._levels) == len(named):  # a preface is a heading of every kind of book
            self._levels |= dict.fromkeys(self._set_off(others), _CHAPTER_LEVEL)
        are_inside = self._count_inside(romans + digits, titles)
        return Found(self._levels, underlines, _LEVELS["named"] if are_inside else None)

    def _count_inside(self, numbers: list[int], titles: list[int]) -> bool:
        """Whether numbers alone, which the contents do not list, begin again in each of several stories, which they do list."""
        are_bare = all(is_number_only(self.texts[n]) and not self._is_listed(n) for n in numbers)
        firsts = sum(number_value(self.texts[n].strip("(). :")) == 1 for n in numbers)
        only = all(level in (_LEVELS["named"], _LOWER_LEVEL) for level in self._levels.values())
        are_few = len(numbers) <= _MOST_INSIDE * len(titles)
        return are_bare and only and are_few and len(titles) >= _FEWEST_STORIES and firsts > 1

    def _level_beside(self, marked: list[int], kinds: dict[int, HeadingKind]) -> int:
        """The level of headings such as "PREFACE" in a book without numbered chapters: that of its other headings."""
        if marked:
            return max(marked, key=marked.count)
        others = {kind for kind in kinds.values() if kind in ("part", "scene")}
        holds_named = any(kind == "part" and kinds.get(n + 1) == "named" for n, kind in kinds.items())
        return _LEVELS["named"] if len(others) != 1 or holds_named else _LEVELS[others.pop()]

    def _drop_single_series(self, kinds: dict[int, HeadingKind]) -> None:
        """Keep "DAY ONE" only if "DAY TWO" follows."""
        for word in SERIES_WORDS.split("|"):
            own = [n for n, kind in kinds.items() if kind == "series" and word in self.texts[n].upper().split("\n")[0]]
            matches = [PATTERNS["series"].fullmatch(self.texts[n]) for n in own]
            values = [number_value(match["number"] or match["ordinal"]) or 0 for match in matches if match]
            if own and not _count_up(values):
                for number in own:
                    kinds.pop(number, None)

    def _drop_listed(self, kinds: dict[int, HeadingKind]) -> None:
        """Drop headings without any text between them if all of them come again, such as the scenes of a play before its acts."""
        counted = {n: chapter_count(self.texts[n]) for n, kind in kinds.items() if kind == "chapter"}
        runs: list[list[int]] = []
        for number, (word, count) in counted.items():
            before = counted.get(number - 1)
            if before and before[0] == word and (before[1] or 0) < (count or 0):  # a list counts up
                runs[-1].append(number)
            else:
                runs.append([number])
        last = {count: n for n, count in counted.items()}
        for run in runs:
            if len(run) > 1 and all(last[counted[n]] > run[-1] for n in run):
                for number in run:
                    del kinds[number]

    def _add_marked(self, candidates: list[int], kinds: dict[int, HeadingKind]) -> set[int]:
        """Add the headings that are marked by "##" before them or by a row of signs under them."""
        for number in candidates:
            text = self.texts[number]
            if len(text) <= LONGEST_HEADING and HASHES.fullmatch(text):
                inner = ROMAN_LINE.fullmatch(text.lstrip("# "))
                self._levels[number] = _FIRST_HASH_LEVEL + len(text) - len(text.lstrip("#")) + bool(inner)
        underlined = {n: row for n in candidates if (row := self._underline(n)) is not None}
        if len(underlined) < 2 and not any(n in kinds for n in underlined):
            return set()
        rows: set[int] = set()
        for number, row in underlined.items():
            if number not in kinds:
                self._levels[number] = _FIRST_HASH_LEVEL + (1 if self.texts[number + 1][0] == "=" else 2)
            rows |= row
        return rows

    def _underline(self, number: int) -> set[int] | None:
        """The rows of signs right under, and right above, a line that is about as long."""
        title = self.texts[number]
        if number + 1 >= len(self.paragraphs) or "\n" in title or len(title) > LONGEST_HEADING:
            return None
        own, row = self.paragraphs[number], self.paragraphs[number + 1]
        signs = self.texts[number + 1].strip()
        is_row = row.is_break and row.first == own.last and len(set(signs)) == 1 and signs[0] in "=-"
        is_free = number + 2 >= len(self.paragraphs) or self.paragraphs[number + 2].first > row.last
        if not is_row or not is_free or not 0.6 * len(title) <= len(signs) <= 1.5 * len(title) + 2:
            return None
        above = self.paragraphs[number - 1] if number else None
        return {number + 1} | ({number - 1} if above and above.is_break and above.last == own.first else set())

    def _listed_titles(self, others: list[int], named: list[int]) -> list[int]:
        """The titles without a number that the table of contents before them lists, and that stand before text."""
        first = min(self.silent, default=len(self.texts))
        found = [
            n
            for n in others
            if n > first
            and letters(self.texts[n]) in self.entries
            and self._may_be_title(n)
            and not self._is_below_number(n)
            and not self._is_summary(n)
        ]
        heads = {*found, *self._levels, *named}
        return [n for n in found if n + 1 < len(self.texts) and n + 1 not in heads]

    def _is_listed(self, number: int) -> bool:
        """Whether the table of contents lists a heading, alone or together with its title below it."""
        own = letters(self.texts[number])
        below = letters(self.texts[number + 1]) if number + 1 < len(self.texts) else ""
        return own in self.entries or own + below in self.entries

    def _may_be_title(self, number: int) -> bool:
        text = self.texts[number]
        return len(text) <= LONGEST_HEADING and text.count("\n") < 3 and not text[0].islower()

    def _is_below_number(self, number: int) -> bool:
        before = self.texts[number - 1] if number and number - 1 not in self.silent else ""
        return bool(before) and len(before) <= LONGEST_HEADING and is_number_only(before)

    def _is_summary(self, number: int) -> bool:
        """Whether a paragraph below the title of a numbered chapter tells its events, divided by dashes, as contents may, too."""
        below = number > 1 and self._is_below_number(number - 1) and self._may_be_title(number - 1)
        return below and bool(_DASHES.search(self.texts[number])) and kind_of(self.texts[number - 2]) != "part"

    def _romans(self, others: list[int]) -> list[int]:
        found = [
            (n, match)
            for n in others
            if len(self.texts[n]) <= LONGEST_HEADING and (match := ROMAN_LINE.fullmatch(self.texts[n]))
            and not (n and _BY.fullmatch(self.texts[n - 1]))
        ]  # fmt: skip
        values = [roman_value(match["number"]) for _, match in found]
        counted: list[tuple[int, int]] = []
        for (n, _), value, following in zip(found, values, [*values, 0][1:], strict=True):
            # An initial, such as that of "C. OKE" on the title page, is far from the numbers before and behind it.
            is_next = bool(counted) and abs(value - counted[-1][1] - 1) <= _MOST_OFF
            if value == 1 or is_next or value < following <= value + _MOST_OFF:
                counted.append((n, value))
        return [n for n, _ in counted] if _count_up([value for _, value in counted]) else []

    def _romans_by_rank(self, romans: list[int]) -> list[list[int]]:
        """Roman numbers with titles, and those alone that count inside the chapters which the others begin."""
        matches = {n: match for n in romans if (match := ROMAN_LINE.fullmatch(self.texts[n]))}
        titled = [n for n, match in matches.items() if letters(match["rest"])]
        alone = [n for n in romans if n not in titled]
        values = [[roman_value(matches[n]["number"]) for n in numbers] for numbers in (titled, alone)]
        is_apart = len(titled) > 1 and values[0] == list(range(1, len(titled) + 1)) and 1 in values[1]
        return [titled, alone] if is_apart else [romans]

    def _digits(self, others: list[int], named: list[int]) -> list[int]:
        """The lines "1", "2", "3", or "ONE", "TWO", or "1. The Lamp", "2. The Sea", that stand before text and count up from one."""
        found = [
            (n, int(match["number"]), bool(match["rest"]))
            for n in others
            if (match := DIGIT_LINE.fullmatch(self.texts[n])) and self._is_digit_line(n, match) and self._has_text(n)
        ]
        found += [
            (n, number_value(self.texts[n].strip(".")) or 0, False)
            for n in others
            if is_number_word(self.texts[n]) and self._has_text(n)
        ]
        chains = [
            self._chain([(n, value) for n, value, has_title in sorted(found) if has_title is titled], named)
            for titled in (True, False)
        ]
        titled = chains[0] if self._are_long(chains[0]) and _CHAPTER_LEVEL not in self._levels.values() else []
        return sorted(titled + ([] if self._are_pages(chains[1]) else chains[1]))

    def _are_long(self, chain: list[int]) -> bool:
        """Whether the texts behind numbers or titles are as long as chapters, and no steps, rules or signs."""
        return len(chain) > 1 and median(self._sizes([*chain, len(self.texts)])) >= _SHORT_CHAPTER

    def _are_steps(self, numbers: list[int]) -> bool:
        """Whether numbers count short texts inside a longer one, such as rules, and no chapters."""
        has_prose = (
            any(is_prose(self.texts[n]) for n in range(numbers[0]) if n not in self.silent) if numbers else False
        )
        return has_prose and len(numbers) > 1 and median(self._sizes(numbers)) < _SHORT_CHAPTER

    def _sizes(self, chain: list[int]) -> list[int]:
        """The number of words between each paragraph of a chain and the next one."""
        if not self._counts:
            self._counts = list(accumulate(map(count_words, self.texts), initial=0))
        return [self._counts[b] - self._counts[a + 1] for a, b in pairwise(chain)]

    def _has_text(self, number: int) -> bool:
        return number + 1 < len(self.texts) and not self.paragraphs[number + 1].is_break

    def _is_digit_line(self, number: int, match: re.Match[str]) -> bool:
        rest = match["rest"] or ""
        ends_well = rest[-1:] not in (".", ",", ";", ":") or rest.isupper() or is_title_case(rest)
        # The title may stand right below its number.
        is_alone = self.texts[number].split("\n")[0].strip(" .:)").isdigit()
        return ends_well and self.texts[number].count("\n") <= is_alone

    def _chain(self, found: list[tuple[int, int]], named: list[int]) -> list[int]:
        """The numbers that count up by one, with running text between; behind another heading they may begin again."""
        chain: list[int] = []
        last = 0
        heads = sorted({*self._levels, *named})
        for number, value in found:
            if value not in (1, last + 1):
                continue
            has_text = not chain or self._sizes([chain[-1], number])[0] >= _PROSE_WORDS
            is_below_other = bool(chain) and bisect(heads, number - 1) > bisect(heads, chain[-1])
            if has_text and (value == last + 1 or is_below_other):
                chain.append(number)
                last = value
        return chain if len(chain) > 1 else []

    def _are_pages(self, chain: list[int]) -> bool:
        """Whether bare numbers are those of pages: they divide sentences, go on over chapters, or stand at even distances."""
        cuts = sum(divides_sentence(self.texts[n - 1], self.texts[n + 1]) for n in chain if n)
        chapters = [n for n, level in self._levels.items() if level == _CHAPTER_LEVEL]
        passed = sum(
            any(a < n < b for n in chapters) and self.texts[b].strip("().: ").lower() not in ("1", "one")
            for a, b in pairwise(chain)
        )
        sizes = self._sizes(chain)
        is_even = len(chain) > _MANY_PAGES and mean(sizes) < _LARGEST_PAGE and pstdev(sizes) < _EVEN * mean(sizes)
        return cuts > max(1, len(chain) // 10) or passed > 0 or is_even

    def _set_off(self, others: list[int]) -> list[int]:
        """The lines in capital letters, or with such first letters, behind three blank lines or more, in a book without any other heading."""
        found = [
            n
            for n in others
            if n + 1 < len(self.texts)
            and (self.texts[n].isupper() or (is_title_case(self.texts[n]) and self.texts[n][-1] not in '.,;:!?"”’—-'))
            and "\n" not in self.texts[n]
            and len(self.texts[n]) <= LONGEST_SUBTITLE
            and is_prose(self.texts[n + 1])
            and (n == 0 or blank_lines(self.paragraphs[n - 1], self.paragraphs[n]) >= SET_OFF)
        ]
        return found if self._are_long(found) else []

    # --- subtitles ---

    def subtitles(self) -> set[int]:
        """The paragraphs that are the title of the heading before them, which is a number alone."""
        behind = [
            n + 1
            for n in self._levels
            if n + 1 < len(self.texts) and n + 1 not in self._levels and n + 1 not in self.silent
            and not self.paragraphs[n + 1].is_break and is_number_only(self.texts[n])
        ]  # fmt: skip
        titled = [n for n in behind if self._looks_like_title(n)]
        often = len(titled) > 1 and 2 * len(titled) >= len(behind)
        opened = [n for n in behind if TITLE_OPENING.match(self.texts[n].strip("_*="))]
        are_opened = len(opened) > 1 and 2 * len(opened) >= len(behind)
        return {n for n in behind if self._is_subtitle(n, are_opened=are_opened) or (often and n in titled)}

    def _next_length(self, number: int) -> int:
        """The length of the paragraph that follows, or zero for a heading."""
        follows = number + 1 < len(self.texts) and number + 1 not in self._levels
        return len(self.texts[number + 1]) if follows else 0

    def _is_subtitle(self, number: int, *, are_opened: bool) -> bool:
        """Whether a paragraph is a title wherever it stands: without the end of a sentence, in capitals, or "In which".

        A title is shorter than the text behind it, unless ``are_opened`` says that most titles of the text open as this one
        does. "Being" may also begin a sentence, so it opens a title only there.
        """
        text = self.texts[number].strip("_*=")
        longer = self._next_length(number) > len(text)
        if len(text) > LONGEST_TITLE or text.count("\n") >= MOST_LINES or _OPENS_SCENE.fullmatch(text):
            return False
        if text.isupper():
            if kind_of(self.texts[number - 1]) == "part" and "\n" in text and names_house(text):
                return False
            return len(text) <= LONGEST_HEADING or longer
        is_opened = IN_WHICH.match(text) or (TITLE_OPENING.match(text) and (are_opened or is_title_case(text)))
        if is_opened and not SENTENCE_END.search(text):
            return longer or are_opened or self._next_length(number) > LONGEST_HEADING
        if (len(text) > LONGEST_SUBTITLE and self.paragraphs[number].is_verse) or _LINES_OF_VERSE.search(text):
            return False
        is_ended = text[-1:] in '.,;:!?"”’—-' or (text.endswith("…") and not is_title_case(text))
        is_title = text[:1].isupper() and not is_ended and not _SPEECH.match(text)
        return is_title and longer and text.count("\n") < 3

    def _looks_like_title(self, number: int) -> bool:
        """Whether a short paragraph with the sign of a sentence behind it may be a title: "A Visitor.", "Who Was He?"."""
        text = self.texts[number].strip("_*=")
        is_short = len(text) <= LONGEST_SUBTITLE and "\n" not in text and text[-1:] not in ",;:—-"
        is_short = is_short and not _OPENS_SCENE.fullmatch(text)
        return is_short and is_title_case(text) and self._next_length(number) > len(text)


def _count_up(values: list[int]) -> bool:
    """Whether numbers begin with one and mostly count up, so that they are headings and not the word "I"."""
    steps = sum(b in (a + 1, 1) for a, b in pairwise(values))
    return len(values) > 1 and values[0] == 1 and values.count(2) > 0 and steps >= 0.6 * (len(values) - 1)
