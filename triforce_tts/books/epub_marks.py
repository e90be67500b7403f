"""Where the chapters of an epub begin: at the places that its contents name, or else at its headings."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from .chapters import count_words, letters
from .contents import Contents, Entry
from .division import Mark, full_titles, heading_marks, joined_title
from .draft import Draft, DraftBlock
from .epub_judge import MOST_PART, Judge, Page, kind_of_front
from .numbered import is_number, numbered
from .plain_headings import is_prose

_CHAPTER = re.compile(r"chap(?:ter|\.)\s", re.IGNORECASE)
# An entry that a program made up, because it found no heading.
_MADE_UP = re.compile(r"(?:section|untitled|document|page)[ _-]*\d+", re.IGNORECASE)
_LONGEST_HEAD = 40  # the most characters of a first line of a page that may be its title
_MOST_ABOVE = 20  # the most words of the title of the book and its author above the first chapter
_LEAST_HEADINGS = 2  # so many headings divide a book whose contents name only one place


def find_marks(draft: Draft, contents: Contents, pages: list[Page], judge: Judge, starts: dict[str, int]) -> list[Mark]:
    """The begins of chapters in a draft whose pages begin at the blocks ``starts``."""
    marks = _MarkFinder(draft, contents, pages, judge, starts).find()
    marks = _with_named_parts(draft, marks, set(starts.values()))
    begins = sorted({mark.start for mark in marks})
    ends = dict(pairwise([*begins, len(draft.blocks)]))
    return [replace(mark, front=mark.front or _is_front(draft, mark.start, ends[mark.start])) for mark in marks]


def _is_front(draft: Draft, start: int, end: int) -> bool:
    """Whether all the text of a chapter stands before the main text by its type."""
    own = [block for block in draft.blocks[start:end] if not block.is_empty] if start >= 0 else []
    return any(block.is_front for block in own) and all(block.is_front or block.kind == "heading" for block in own)


class _MarkFinder:
    def __init__(
        self, draft: Draft, contents: Contents, pages: list[Page], judge: Judge, starts: dict[str, int]
    ) -> None:
        self._draft, self._judge, self._starts = draft, judge, starts
        self._pages = [page for page in pages if judge.reason(page) is None]
        self._entries = [] if self._are_made_up(contents.entries) else contents.entries
        self._by_name = {page.name: page for page in self._pages}

    def find(self) -> list[Mark]:
        """The table of contents in the order of the spine, and pages before its first place; parts have pages of their own."""
        marks = self._from_headings(self._from_contents())
        if sum(mark.start >= 0 for mark in marks) == 1 and self._count_numbered_pages() >= _LEAST_HEADINGS:
            marks = []
        first = next((mark.start for mark in marks if mark.start >= 0), len(self._draft.blocks))
        opening = self._opening(first, has_marks=bool(marks))
        if not marks:
            opening = self._with_kinds(self._inside_pages(opening))
        taken = {mark.start for mark in marks}
        parts = [
            Mark(self._starts[page.name], page.heading, 1, is_part=True)
            for page in self._pages
            if page.is_part and self._starts[page.name] not in taken
        ]
        return _with_parts(opening + marks, parts)

    def _count_numbered_pages(self) -> int:
        """The number of pages that begin with a heading that counts chapters."""
        firsts = self._first_blocks(self._starts[page.name] for page in self._pages)
        return sum(block.kind == "heading" and numbered(block.text) == "chapter" for block in firsts)

    def _first_blocks(self, starts: Iterable[int]) -> Iterator[DraftBlock]:
        """The first block with a text from each of these numbers on, where there is one."""
        blocks = self._draft.blocks
        return (blocks[n] for n in map(self._draft.first_filled, starts) if n < len(blocks))

    # --- the table of contents ---

    def _are_made_up(self, entries: list[Entry]) -> bool:
        """Whether a program made up all entries, none of which is a heading of the book, and most pages have headings of their own."""
        if not entries or not all(_MADE_UP.fullmatch(entry.title) for entry in entries):
            return False
        short = (block for block in self._first_blocks(self._starts.values()) if len(block.text) <= _LONGEST_HEAD)
        heads = {letters(b.text) for b in (*short, *(b for b in self._draft.blocks if b.kind == "heading"))}
        titles = {page.heading for page in self._pages if page.heading and not _MADE_UP.fullmatch(page.heading)}
        return not any(letters(entry.title) in heads for entry in entries) and 2 * len(titles) > len(self._pages)

    def _from_contents(self) -> list[Mark]:
        marks: list[Mark] = []
        taken: set[int] = set()
        for number, entry in enumerate(self._entries):
            if entry.place is None:
                marks.append(Mark(-1, entry.title, entry.level, is_part=True))
                continue
            page = self._by_name.get(entry.place[0])
            start = self._start(entry, taken) if page else None
            if page is None or start is None:
                continue
            behind = self._entries[number + 1] if number + 1 < len(self._entries) else None
            part = _is_part(page, entry, behind)
            taken.add(start)
            marks.append(Mark(start, entry.title, entry.level, is_part=part, front=self._judge.is_front(page)))
        return self._with_titles_below(_in_reading_order(marks))

    def _with_titles_below(self, marks: list[Mark]) -> list[Mark]:
        """The begins of chapters; an entry that is the title of the number before it begins none, and the number takes it."""
        kept: list[Mark] = []
        for number, mark in enumerate(marks):
            if number and self._is_title_of(marks[number - 1], mark, marks[number + 1 : number + 2]):
                kept[-1] = replace(kept[-1], title=joined_title(f"{kept[-1].title}\n{mark.title}"), is_part=False)
            else:
                kept.append(mark)
        return kept

    def _is_title_of(self, count: Mark, mark: Mark, behind: list[Mark]) -> bool:
        """Whether an entry stands right below the heading of a number alone, and is the only one that belongs to the number."""
        is_only = mark.level == count.level or all(other.level <= count.level for other in behind)
        if not is_only or mark.level < count.level or not 0 <= count.start <= mark.start or numbered(mark.title):
            return False
        between = self._draft.blocks[count.start : mark.start]
        return (
            numbered(count.title) == "chapter"
            and is_number(count.title)
            and all(block.is_empty or block.kind == "heading" for block in between)
        )

    def _start(self, entry: Entry, taken: set[int]) -> int | None:
        """The block at which an entry leads; a place that is missing is its heading or the page's start, if that is free."""
        name, fragment = entry.place or ("", "")
        start = self._starts[name]
        if not fragment:
            return start
        if entry.place in self._draft.anchors:
            return self._draft.anchors[entry.place]
        end = min((other for other in self._starts.values() if other > start), default=len(self._draft.blocks))
        wanted = letters(entry.title)
        for number in range(start, end):
            block = self._draft.blocks[number]
            if block.kind == "heading" and wanted and letters(block.text) == wanted and number not in taken:
                return number
        return None if start in taken else start

    def _from_headings(self, marks: list[Mark]) -> list[Mark]:
        """The begins of chapters at headings such as "Chapter 1", if the contents name far fewer places than there are of them."""
        heads = {
            n: joined_title(block.text)
            for n, block in enumerate(self._draft.blocks)
            if block.kind == "heading"
            and not block.is_empty
            and _CHAPTER.match(block.text)
            and numbered(block.text) == "chapter"
        }
        starts = sorted({mark.start for mark in marks if mark.start >= 0})
        filled = {begin for begin, end in pairwise([*starts, len(self._draft.blocks)]) if self._has_words(begin, end)}
        own = [mark for mark in marks if mark.start in filled]
        is_far_fewer = len(heads) >= _LEAST_HEADINGS and (len(own) <= 1 or 2 * len(own) < len(heads))
        if not marks or not is_far_fewer:
            return marks
        level = max(mark.level for mark in marks)
        kept = [mark for mark in own if mark.start not in heads and not self._is_above_heading(mark, heads)]
        chapters = [Mark(n, title, level) for n, title in full_titles(self._draft, heads).items()]
        first = min(heads)
        kept = [replace(m, is_part=True) if m.start < first and self._above(m.start, first) else m for m in kept]
        return sorted(kept + chapters, key=lambda mark: mark.start)

    def _has_words(self, begin: int, end: int) -> bool:
        return any(not self._draft.blocks[n].is_empty for n in range(begin, end))

    def _is_above_heading(self, mark: Mark, heads: dict[int, str]) -> bool:
        """Whether nothing stands between the begin of an entry and such a heading."""
        return self._draft.first_filled(mark.start) in heads

    # --- headings ---

    def _opening(self, first: int, *, has_marks: bool) -> list[Mark]:
        """The begins of the pages before the first place that the contents name, or of all pages with a heading."""
        opening: list[Mark] = []
        for page in self._pages:
            start = self._starts[page.name]
            if page.is_part or (start >= first and self._entries):
                continue
            front = self._judge.is_front(page)
            above = self._above(start, first) if has_marks else []
            if above:
                opening.append(Mark(start, above[0].text.split("\n")[0], 0, is_part=True, front=front))
            elif has_marks and (not page.heading or self._is_first(page.heading, first)):
                opening.append(Mark(start, self._judge.name_of_untitled(page), 1, front=front))
            elif page.heading or not opening:
                opening.append(Mark(start, page.heading, 1, front=front))
        return opening

    def _is_first(self, heading: str, first: int) -> bool:
        """Whether a heading of a page is that of the first chapter, so that what stands above it has another title."""
        found = self._draft.first_filled(first)
        return found < len(self._draft.blocks) and letters(self._draft.blocks[found].text) == letters(heading)

    def _above(self, start: int, first: int) -> list[DraftBlock]:
        """The few words of a page above the first chapter, which the page holds too: the title of the book and its author."""
        is_last = not any(start < other <= first for other in self._starts.values())
        if not is_last or first >= len(self._draft.blocks):
            return []
        own = [block for block in self._draft.blocks[start:first] if not block.is_empty]
        words = sum(count_words(block.text) for block in own)
        kinds_fit = all(block.kind in ("paragraph", "verse") and not block.is_front for block in own)
        is_title = kinds_fit and words <= _MOST_ABOVE
        return own if is_title and not any(is_prose(block.text) for block in own) else []

    def _with_kinds(self, marks: list[Mark]) -> list[Mark]:
        """The begins of chapters; pages without a heading that a dedication or its like begins take their titles from that."""
        pages = {self._starts[page.name]: kind_of_front(page) for page in self._pages if not page.heading}
        named = [mark if mark.title else replace(mark, title=pages.get(mark.start, "")) for mark in marks]
        first = min((mark.start for mark in marks), default=0)
        return [Mark(n, kind, 1, front=True) for n, kind in pages.items() if kind and n < first] + named

    def _inside_pages(self, opening: list[Mark]) -> list[Mark]:
        """The begins of pages, and of chapters inside of them, in a book without contents."""
        heads = [n for n, block in enumerate(self._draft.blocks) if block.kind == "heading" and not block.is_empty]
        titled = [mark for mark in opening if mark.title]
        if len(titled) <= 1:
            return heading_marks(self._draft, titled=True) or opening
        first_heads = {mark.start: next((n for n in heads if n >= mark.start), -1) for mark in titled}
        levels = Counter(self._draft.blocks[n].level for n in first_heads.values() if n >= 0)
        level = max(levels, key=lambda one: (levels[one], one), default=0)
        begins = {n: start for start, n in first_heads.items() if n >= 0}
        own = [n for n in heads if n in begins or self._draft.blocks[n].level <= level]
        titles = full_titles(self._draft, {n: joined_title(self._draft.blocks[n].text) for n in own})
        front = {mark.start: mark.front for mark in opening}
        marks = [
            Mark(begins.get(n, n), title, 1, front=front.get(begins.get(n, n), False)) for n, title in titles.items()
        ]
        return sorted(marks + [mark for mark in opening if not mark.title], key=lambda mark: mark.start)


def _with_named_parts(draft: Draft, marks: list[Mark], pages: set[int]) -> list[Mark]:
    """The begins of chapters; one called "Part Two" with hardly any text of its own, or a page
    with nothing but a heading that does not count chapters, is a part if a chapter follows. ``pages`` are their first blocks."""
    named = []
    for mark, behind in pairwise([*(mark for mark in marks if mark.start >= 0), None]):
        if mark is None or behind is None or mark.is_part or numbered(behind.title) == "part":
            continue
        own = [block for block in draft.blocks[mark.start : behind.start] if not block.is_empty]
        heading = next((joined_title(block.text) for block in own if block.kind == "heading"), "")
        is_named = (numbered(mark.title) or numbered(heading)) == "part"
        is_bare = {mark.start, behind.start} <= pages and bool(own) and all(block.kind == "heading" for block in own)
        is_bare = is_bare and not _CHAPTER.match(heading or mark.title)
        if (is_named or is_bare) and sum(count_words(block.text) for block in own) <= MOST_PART:
            named.append(mark)
    return [replace(mark, is_part=True) if mark in named else mark for mark in marks]


def _with_parts(marks: list[Mark], parts: list[Mark]) -> list[Mark]:
    for part in parts:
        at = next((n for n, mark in enumerate(marks) if mark.start > part.start), len(marks))
        if all(mark.start != part.start for mark in marks):
            marks.insert(at, part)
    return marks


def _in_reading_order(marks: list[Mark]) -> list[Mark]:
    """The entries, sorted by place; labels without a place stay in front of the next entry."""
    groups: list[list[Mark]] = []
    waiting: list[Mark] = []
    for mark in marks:
        waiting.append(mark)
        if mark.start >= 0:
            groups.append(waiting)
            waiting = []
    return [mark for group in sorted(groups, key=lambda group: group[-1].start) for mark in group]


def _is_part(page: Page, entry: Entry, behind: Entry | None) -> bool:
    """Whether an entry leads to a part: by type, or because it has entries below it and hardly any text of its own."""
    has_children = behind is not None and behind.level > entry.level
    is_alone = behind is None or behind.place is None or behind.place[0] != page.name
    label, title = letters(entry.title), letters(page.title)
    is_titled = bool(label and title) and (title in label or label in title) and numbered(entry.title) != "chapter"
    if page.is_part or (
        has_children and page.words <= MOST_PART and ((is_alone and is_titled) or page.has_only_headings)
    ):
        return True
    return has_children and entry.place is not None and entry.place[1] in page.part_names
