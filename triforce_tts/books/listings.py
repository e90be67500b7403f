"""Takes out of a draft what a listener does not need: contents, indexes, Gutenberg's texts, and numbers of pages.

Each rule wants a title or a mark, and the form of the lines behind it; a title alone is never enough.
"""

import re
from collections.abc import Callable
from itertools import groupby, islice, pairwise, zip_longest
from statistics import fmean

from .chapters import Reason, count_words, letters
from .division import Mark
from .download_facts import withdraw_facts
from .draft import LINE_END, Draft, DraftBlock
from .gutenberg import body_of
from .numerals import NUMBER
from .plain_furniture import TRANSCRIBER, running_heads

_CONTENTS = frozenset(["contents", "tableofcontents", "listofcontents", "listofillustrations", "illustrations", "listofplates", "listoffigures", "listoftables", "listofmaps", "tableofillustrations"])  # fmt: skip
_INDEXES = frozenset(["index", "generalindex", "subjectindex", "indexofnames", "indexofsubjects", "nameindex", "indexoffirstlines"])  # fmt: skip
_LEAST_LINKED = 0.5  # the least share of a paragraph's letters in links that make it an entry of contents
_MOST_ENTRY = 40  # the most words of an entry of contents
_LEAST_ENTRIES = 2  # so many entries with links are contents
_LEAST_EQUAL = 3  # so many lines that equal headings are contents
_MOST_BETWEEN = 12  # the most words of a line between entries, such as the title of a part
_BETWEEN = 2  # the most such lines in a row
_PAGE_AT_END = re.compile(r"[\s.…·]*(?:\d{1,4}|(?<=[\s.…])[ivxl]{1,6})?\s*$")
_COUNTED = re.compile(rf"\s*(?:chapter\s+)?{NUMBER}\s*[.:)—–-]+\s*", re.IGNORECASE)
_PLACES = re.compile(
    r"(?:,|[.·]\s?[.·]|…)\s*(?:\d+(?:\s*[–—-]\s*\d+)?\s?(?:n|nn|f|ff)?\.?\s?\d*|\b[ivxlc]+)[\s,;.)\]*†‡]*$"
)
_SEE = re.compile(r"[,.;:(—–]\s*[Ss]ee\s(?:also\s|under\s)?\s*[“‘\"']?[^\W\d_]")
_MOST_INDEXED = 16  # the most words of a line of an index, on average
_SHARE_INDEXED = 0.6  # the least share of an index's lines that end in numbers or links
_LEAST_INDEXED = 2  # so many entries are an index
_LEAST_PEERS = 3  # so many letters in rising order divide an index, though their headings are not lower than its own
_MOST_TRANSCRIBER = 500  # the most words of a section of transcriber's notes
_PAGE = re.compile(r"(?P<left>[\[({—–-]?)\s*(?:(?:page|pg|p)\.?\s*)?(?P<number>\d{1,4})\s*[\])}—–-]?", re.IGNORECASE)
_LEAST_PAGES = 3  # so many numbers that count up are numbers of pages
_MOST_ON_PAGE = 800  # the most words between two numbers of pages, on average
_MOST_TITLES = 100  # at most so many titles of one kind are looked at, because each may cost the time of a whole book
_MOST_REST = 60  # the most words of a credit that shares a block with Gutenberg's header
_ENDED = re.compile(r"[.!?…:][\"'”’)\]]*$")
_SENTENCE = re.compile(
    r"(?:[!?…]|(?<!\b[^\W\d_])\.)[\"'”’)\]]*$"
)  # the end of a sentence, but not of a name such as "Smith, J."
_LEAST_BROKEN = 3  # at least one of so many numbers of pages stands inside a sentence
_MANY_PAGES = 10  # so many numbers in a row that do not begin with one are those of pages


def withdraw_listings(draft: Draft) -> set[int]:
    """Skip contents, indexes, Gutenberg's texts and the facts of a program in a draft that has been read; the numbers of their blocks."""
    gone = _withdraw_gutenberg(draft) | withdraw_facts(draft)
    if is_of_gutenberg(draft):
        gone |= _withdraw_transcriber(draft)
    return gone | _withdraw_contents(draft) | withdraw_indexes(draft)


def is_of_gutenberg(draft: Draft) -> bool:
    """Whether a header or footer of Project Gutenberg was found in a draft whose listings are withdrawn."""
    return any(part.reason.startswith("Gutenberg") for part in draft.skipped)


def without_withdrawn(draft: Draft, marks: list[Mark], gone: set[int]) -> list[Mark]:
    """The begins of chapters without those whose whole text was withdrawn."""
    starts = sorted({mark.start for mark in marks if mark.start >= 0})
    ends = dict(pairwise([*starts, len(draft.blocks)]))

    def is_gone(mark: Mark) -> bool:
        own = range(mark.start, ends[mark.start]) if mark.start >= 0 else range(0)
        return any(n in gone for n in own) and all(draft.blocks[n].is_empty for n in own)

    return [mark for mark in marks if not is_gone(mark)]


def withdraw_pages(draft: Draft, starts: set[int]) -> list[int]:
    """Skip paragraphs that are numbers of pages, which count up; the numbers of their blocks. Chapters begin at ``starts``."""
    texts = ["" if block.is_empty else block.text for block in draft.blocks]
    heads = running_heads(texts)
    found = [
        (n, heads[n] if n in heads else int(match["number"]) if match else 0)
        for n, block in enumerate(draft.blocks)
        if block.kind == "paragraph" and ((match := _PAGE.fullmatch(texts[n])) or n in heads)
    ]
    runs: list[list[tuple[int, int]]] = []
    for n, value in found:
        if runs and value == runs[-1][-1][1] + 1:
            runs[-1].append((n, value))
        else:
            runs.append([(n, value)])
    pages = [n for run in runs if _are_pages(draft, run, starts) for n, _ in run]
    for n in pages:
        draft.withdraw(draft.blocks[n], "page number")
    return pages


def _are_pages(draft: Draft, run: list[tuple[int, int]], starts: set[int]) -> bool:
    """Whether numbers are those of pages and not of chapters or days: enough stand in sentences, or many begin above one."""
    places = [n for n, _ in run]
    if len(run) < _LEAST_PAGES or starts & set(places):
        return False
    before = [_before(draft, n) for n in places]
    broken = sum(block is not None and block.kind == "paragraph" and not _ENDED.search(block.text) for block in before)
    words = [sum(count_words(block.text) for block in draft.blocks[a + 1 : b]) for a, b in pairwise(places)]
    is_near = fmean(words) <= _MOST_ON_PAGE and min(words) > 0
    is_above_one = run[0][1] > 1 and (len(run) >= _MANY_PAGES or _LEAST_BROKEN * broken >= len(run))
    return is_near and (is_above_one or 2 * broken >= len(run)) and not any(b and b.kind == "heading" for b in before)


def _before(draft: Draft, number: int) -> DraftBlock | None:
    return next((block for block in reversed(draft.blocks[:number]) if not block.is_empty), None)


def _withdraw(draft: Draft, numbers: list[int], reason: Reason) -> set[int]:
    for n in numbers:
        draft.withdraw(draft.blocks[n], reason)
    return set(numbers)


# --- Project Gutenberg ---


def _withdraw_gutenberg(draft: Draft) -> set[int]:
    lines: list[str] = []
    owners: list[int] = []
    for n, block in enumerate(draft.blocks):
        if not block.is_empty:
            own = [" ".join(line.split()) for line in "".join(block.texts).split(LINE_END)]
            lines += [*own, ""]
            owners += [n] * (len(own) + 1)
    marks = [line.upper() for line in lines if line.startswith("*") and "PROJECT GUTENBERG" in line.upper()]
    if not marks:
        return set()
    begin, end = body_of(lines)
    if not any("START OF" in line for line in marks):
        begin = 0
    while begin < end and not lines[begin]:
        begin += 1
    end_block = owners[end] if end < len(lines) else len(draft.blocks)
    begin_block = owners[begin] if begin < len(lines) else end_block
    if 0 < begin < end and owners[begin - 1] == begin_block and _is_credit(lines, owners, begin):
        begin_block += 1
    if any(line for line, owner in zip(lines[:end], owners[:end], strict=True) if owner == end_block):
        end_block += 1  # the book's last lines stand in the block with the footer's first ones
    filled = [n for n, block in enumerate(draft.blocks) if not block.is_empty]
    header = _withdraw(draft, [n for n in filled if n < begin_block], "Gutenberg header")
    return header | _withdraw(draft, [n for n in filled if n >= end_block], "Gutenberg footer")


def _is_credit(lines: list[str], owners: list[int], begin: int) -> bool:
    """Whether only a few words stand behind the header in the block that ends it."""
    rest = [line for line, owner in zip(lines[begin:], owners[begin:], strict=True) if owner == owners[begin]]
    return count_words(" ".join(rest)) <= _MOST_REST


def _withdraw_transcriber(draft: Draft) -> set[int]:
    """Notes of the person who typed a book of Project Gutenberg: a paragraph that says so, or a section."""
    gone: set[int] = set()
    for n in _titles(draft, lambda block: bool(TRANSCRIBER.match(block.text))):
        block = draft.blocks[n]
        match = TRANSCRIBER.match(block.text)
        if match is None or block.is_empty:
            continue
        if letters(match["rest"]) and block.kind != "heading":
            gone |= _withdraw(draft, [n], "transcriber's note")
            continue
        section = _section(draft, n)
        words = sum(count_words(draft.blocks[m].text) for m in section)
        if words <= _MOST_TRANSCRIBER and 2 * words < sum(count_words(b.text) for b in draft.blocks):
            gone |= _withdraw(draft, section, "transcriber's note")
    return gone


# --- contents and indexes ---


def _titles(draft: Draft, is_wanted: Callable[[DraftBlock], bool]) -> list[int]:
    """The first blocks that may be such a title."""
    kinds = ("heading", "paragraph", "caption")
    found = (n for n, b in enumerate(draft.blocks) if b.kind in kinds and not b.is_empty and is_wanted(b))
    return list(islice(found, _MOST_TITLES))


def _section(draft: Draft, number: int) -> list[int]:
    """The title ``number`` and the blocks behind it up to the next heading that is not lower."""
    title = draft.blocks[number]
    level = title.level if title.kind == "heading" else 0
    section = [number]
    for n in range(number + 1, len(draft.blocks)):
        block = draft.blocks[n]
        if block.is_empty:
            continue
        if block.kind == "heading" and (not level or block.level <= level):
            break
        section.append(n)
    return section


def _withdraw_contents(draft: Draft) -> set[int]:
    gone: set[int] = set()
    texts = [block.text for block in draft.blocks if block.kind == "heading"]
    headings = {letters(part) for text in texts for part in (text, *text.split("\n")) if letters(part)}
    headings |= {letters(text + below) for text, below in pairwise(texts)}  # a number and the title below it
    for n in _titles(draft, lambda block: letters(block.text) in _CONTENTS):
        entries = _entries(draft, n, headings)
        if entries:
            gone |= _withdraw(draft, [n, *entries], "navigation")
    return gone | _withdraw_untitled(draft, headings)


def _withdraw_untitled(draft: Draft, headings: set[str]) -> set[int]:
    """Skip contents without a title: items of a list that are nothing but links and equal headings."""
    filled = [n for n, block in enumerate(draft.blocks) if not block.is_empty]
    gone: set[int] = set()
    for is_entry, group in groupby(filled, lambda n: _is_listed(draft.blocks[n], headings)):
        own = list(group)
        if is_entry and len(own) >= _LEAST_EQUAL:
            gone |= _withdraw(draft, own, "navigation")
    return gone


def _is_listed(block: DraftBlock, headings: set[str]) -> bool:
    return block.kind == "list" and block.linked == len(letters(block.text)) and letters(block.text) in headings


def _entries(draft: Draft, title: int, headings: set[str]) -> list[int]:
    """The blocks behind the title of a table of contents that are its entries, with the few lines between them."""
    taken: list[int] = []
    waiting: list[int] = []
    linked = equal = 0
    for n in range(title + 1, len(draft.blocks)):
        block = draft.blocks[n]
        if block.is_empty:
            continue
        lines = [line for line in block.text.split("\n") if letters(line)]
        equals = sum(_is_entry(line, headings) for line in lines)
        is_equal = block.kind != "heading" and (equals == len(lines) or _is_entry(block.text, headings))
        if _is_linked(block) or is_equal:
            taken += [*waiting, n]
            waiting = []
            linked += len(lines) if _is_linked(block) else 0
            equal += max(equals, is_equal) if is_equal else 0
        elif block.kind != "heading" and count_words(block.text) <= _MOST_BETWEEN and len(waiting) < _BETWEEN:
            waiting.append(n)
        else:
            break
    return taken if linked >= _LEAST_ENTRIES or equal >= _LEAST_EQUAL else []


def _is_linked(block: DraftBlock) -> bool:
    """Whether a block is an entry of contents by its links: a heading never is, for headings lead back to the contents."""
    if (
        not block.linked
        or block.kind == "heading"
        or count_words(block.text) > _MOST_ENTRY * block.text.count("\n") + _MOST_ENTRY
    ):
        return False
    return (
        block.kind in ("table", "list")
        or block.linked >= _LEAST_LINKED * len(letters(block.text))
        or bool(re.search(r"\d\W*$", block.text))
    )


def _is_entry(line: str, headings: set[str]) -> bool:
    """Whether a line of a table of contents is a heading: without its page number, or also without the number before it."""
    title = _PAGE_AT_END.sub("", line)
    return letters(title) in headings or letters(_COUNTED.sub("", title, count=1)) in headings


def withdraw_indexes(draft: Draft) -> set[int]:
    """Skip indexes: lines that end in numbers of pages below such a title; the numbers of their blocks."""
    gone: set[int] = set()
    for n in _titles(draft, lambda block: letters(block.text) in _INDEXES):
        if n in gone:
            continue
        section, listed = _index(draft, n)
        lines = [line for m in section for line in _index_lines(draft.blocks[m])]
        words = sum(map(count_words, lines))
        if listed >= _LEAST_INDEXED and listed >= _SHARE_INDEXED * len(lines) and words <= _MOST_INDEXED * len(lines):
            gone |= _withdraw(draft, [n, *section], "navigation")
    return gone


def _index(draft: Draft, title: int) -> tuple[list[int], int]:
    """The blocks behind the title of an index up to its last entry, and the number of their lines that are entries."""
    section = _index_section(draft, title)
    end = listed = 0
    for place, n in enumerate(section):
        block = draft.blocks[n]
        if block.kind == "heading":
            continue
        lines = _index_lines(block)
        entries = [line for line in lines if _PLACES.search(line) or _SEE.search(line)]
        found = len(lines) if _is_linked(block) else len(entries)
        # A sentence of the story ends the index, also where it shares a block with entries.
        if any(_SENTENCE.search(line) for line in lines if line not in entries):
            break
        listed += found
        end = place + 1 if found else end
    return section[:end], listed


def _index_lines(block: DraftBlock) -> list[str]:
    """The lines of a block of an index, without the letters that divide it; the cells of a row are one line."""
    if block.kind == "table":
        return [block.text.replace("\n", ", ")]
    return [line for line in block.text.split("\n") if len(letters(line)) > 1]


def _index_section(draft: Draft, title: int) -> list[int]:
    """The blocks behind the title of an index up to the next heading that is neither lower nor one of its letters."""
    level = draft.blocks[title].level if draft.blocks[title].kind == "heading" else 0
    filled = [n for n in range(title + 1, len(draft.blocks)) if not draft.blocks[n].is_empty]
    section: list[int] = []
    peers: list[int] = []  # the places in the section of letters whose headings are not lower
    last = ""
    for n, following in zip_longest(filled, filled[1:]):
        block = draft.blocks[n]
        if block.kind == "heading":
            letter = letters(block.text)
            is_letter = len(letter) == 1 and letter.isascii() and letter.isalpha() and letter > last
            is_lower = bool(level) and block.level > level
            if is_letter and not is_lower:
                is_letter = following is not None and letters(draft.blocks[following].text).startswith(letter)
                peers.append(len(section))
            if not is_letter and (not is_lower or len(letter) == 1):
                break
            last = letter if is_letter else last
        section.append(n)
    peers = [place for place in peers if place < len(section)]
    return section[: peers[0]] if 0 < len(peers) < _LEAST_PEERS else section
