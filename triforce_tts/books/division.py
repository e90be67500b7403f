"""Divides a draft into chapters, puts notes where they are wanted, and proves that nothing was lost."""

import re
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from statistics import median

from triforce_tts.errors import TextError
from triforce_tts.text.phonemes import Lexicon

from .chapter_pattern import pattern_remark
from .chapters import About, Chapter, ChapterBook, ReadOptions, account, account_pieces, count_words, require_words
from .draft import Draft, DraftBlock, finished
from .numbered import is_number, numbered
from .numerals import number_value
from .openings import lower_opening, name_headings
from .plain_headings import BEGINS_PLAY, CHARACTERS, FRONT_TITLE, is_prose, is_title_case, kind_of

# The most words of a part's own text that are joined to the part's first chapter.
_MOST_PART = 80
_MOST_TITLE = 40  # the most words of the book's title and author above the first chapter
_LEAST_LOWER = 2  # a title of the book stands above at least so many chapters
_MANY = 20  # so many chapters or fewer are not joined, however small they are
_TINY = 60  # chapters are joined if their median is below so many words
_JOINED = 300  # joined chapters should have at least so many words
# The end of a line that the next one goes on with.
_GOES_ON = re.compile(r"\s(?:and|or|of|the|to|with|in|an?|for|from|at|by|on|but)$", re.IGNORECASE)
_THE_END = re.compile(r"\W*(?:the end|finis|the end of .*)\W*", re.IGNORECASE)
_ENDS = ".!?…:—–\"'”’)]"


@dataclass(frozen=True)
class Mark:
    """The begin of a chapter or a part: the number of its first block, or -1 for a part's title that is no text."""

    start: int
    title: str
    level: int
    is_part: bool = False
    front: bool = False


@dataclass
class _Section:
    title: str
    blocks: list[DraftBlock]
    parts: list[str]
    front: bool


def assemble(
    draft: Draft, marks: list[Mark], options: ReadOptions, about: About, source: str, where: str
) -> ChapterBook:
    """The finished book of a draft; ``source`` is its whole text, read in another way, and ``where`` names it.

    Raises:
        TextError: the book has no words, or the proof that nothing was lost fails.
    """
    require_words(source, where)
    draft.withdraw_rows()
    sections = _sections(draft, _with_front(marks))
    if options.notes != "skip":
        _place_notes(draft, sections, at_end=options.notes == "end")
    lexicon = Lexicon()
    chapters = []
    for section in sections:
        name_headings(section.blocks, section.title)
        lower_opening(section.blocks, lexicon)
        if blocks := finished(section.blocks):
            title = section.title or _title_of(section.blocks) or about.title
            chapters.append(Chapter(title, blocks, tuple(section.parts), section.front))
    if not chapters:
        raise TextError(f"{where}: there are no words in it that would be spoken; expected a book's text")
    joined, remarks = _joined_tiny(chapters)
    remarks += tuple(pattern_remark(options.chapter_pattern, draft.fits_pattern))
    book = ChapterBook(about, tuple(joined), draft.skipped_in_order(), tuple(draft.pieces), remarks)
    account_pieces(book.pieces, source, where)
    try:
        account(book)
    except TextError as error:
        raise TextError(f"{where}: {error}") from error
    return book


def _sections(draft: Draft, marks: list[Mark]) -> list[_Section]:
    """The blocks of each chapter; a part without a text of its own is joined to the chapter behind it."""
    first = next((mark.start for mark in marks if mark.start >= 0), len(draft.blocks))
    if any(not block.is_empty for block in draft.blocks[:first]):
        marks = [Mark(0, "", 1), *marks]
    sections: list[_Section] = []
    parts: list[str] = []
    begin: int | None = None
    for number, mark in enumerate(marks):
        if mark.start < 0:
            parts.append(mark.title)
            continue
        behind = next((other for other in marks[number + 1 :] if other.start >= 0), None)
        end = max(behind.start, mark.start) if behind else len(draft.blocks)
        own = draft.blocks[mark.start : end]
        is_empty = all(block.is_empty for block in own)
        is_small = is_empty or (mark.is_part and sum(count_words(block.text) for block in own) <= _MOST_PART)
        if behind is not None and is_small and (mark.is_part or behind.level > mark.level):
            parts.append(mark.title)
            begin = mark.start if begin is None else begin
        elif not is_empty or begin is not None:
            start = mark.start if begin is None else begin
            sections.append(_Section(mark.title, draft.blocks[start:end], parts, mark.front))
            parts, begin = [], None
    return sections


def _with_front(marks: list[Mark]) -> list[Mark]:
    """The begins of chapters; a dedication, a motto, a preface and persons of a play before all others stand before the main text."""
    first = next((n for n, mark in enumerate(marks) if mark.start >= 0 and not FRONT_TITLE.match(mark.title)), 0)
    titles = [mark.title for mark in marks[first : first + 2]]
    if len(titles) > 1 and CHARACTERS.fullmatch(titles[0]) and BEGINS_PLAY.match(titles[1]):
        first += 1
    return [replace(mark, front=mark.front or mark.start >= 0) for mark in marks[:first]] + marks[first:]


def _title_of(blocks: list[DraftBlock]) -> str:
    return next((joined_title(block.text) for block in blocks if block.kind == "heading" and not block.is_empty), "")


def joined_title(text: str) -> str:
    """A heading of several lines as one line."""
    title = ""
    for line in text.split("\n"):
        goes_on = title[-1:] in ".:,;—-!?" or _GOES_ON.search(title)
        title += (" " if goes_on else ": ") + line if title else line
    return title


def heading_marks(draft: Draft, *, titled: bool = False, lowest: int | None = None) -> list[Mark]:
    """The begins of chapters by their headings: those of the highest level that has texts; higher levels are parts.

    With ``titled``, a single highest heading may be the book's title, and a number alone takes the title below it.
    Headings below the level ``lowest`` begin no chapters.
    """
    heads = [(n, block) for n, block in enumerate(draft.blocks) if block.kind == "heading" and not block.is_empty]
    heads = [(n, block) for n, block in heads if lowest is None or block.level <= lowest]
    marks: list[Mark] = []
    levels = sorted({block.level for _, block in heads})
    for level, deeper in pairwise([*levels, 0]):
        own = [(n, block) for n, block in heads if block.level == level]
        bare = {n for n, _ in own if deeper and _is_bare(draft, n, level)}
        lower = [n for n, block in heads if block.level == deeper]
        few_bare = not bare or len(bare) * 2 < len(own) or (len(own) > 1 and len(lower) < 2 * len(bare))
        titles = {n: joined_title(block.text) for n, block in own}
        named_parts = {n for n, title in titles.items() if numbered(title) == "part"}
        counted = sum(numbered(joined_title(draft.blocks[n].text)) == "chapter" for n in lower)
        # Beside parts stand only the title of the book, a preface and an epilogue.
        are_parts = all(n in bare | named_parts or numbered(title) == "named" for n, title in titles.items())
        have_chapters = counted >= len(named_parts) or (named_parts <= bare and len(lower) >= 2 * len(named_parts))
        are_inside = all(kind_of(title) == "chapter" for title in titles.values()) and all(
            is_number(text) and kind_of(text) is None for text in (joined_title(draft.blocks[n].text) for n in lower)
        )
        # Numbers alone that begin again below each "CANTO I" or "CHAPTER I" count parts of it.
        firsts = [b.text for (_, a), (_, b) in pairwise(heads) if a.level == level and b.level == deeper]
        few_bare = few_bare or (are_inside and all(number_value(text.strip("(). :")) == 1 for text in firsts))
        descends = not few_bare or (bool(named_parts) and are_parts and have_chapters)
        parts = bare | named_parts if descends else set[int]()
        if titled:
            are_chapters = 2 * sum(numbered(title) == "chapter" for title in titles.values()) > len(own)
            descends = (descends and not are_chapters) or _is_title_of_all(draft, own, lower)
            next_levels = {n: block.level for (n, _), (_, block) in pairwise(heads)}
            parts = {n for n, _ in own if descends and next_levels.get(n, 0) > level}
            titles = full_titles(draft, titles)
        marks += [Mark(n, title, level, n in parts) for n, title in titles.items()]
        if not descends:
            break
    marks = sorted(marks, key=lambda mark: mark.start)
    return _with_bare_parts(draft, marks) if titled else marks


def with_title_above(draft: Draft, marks: list[Mark]) -> list[Mark]:
    """The begins of chapters; the few words before the first one, if they are the book's title, belong to it as a part's do."""
    own = [block for block in draft.blocks[: marks[0].start if marks else 0] if not block.is_empty]
    texts = [block.text for block in own if block.kind in ("paragraph", "verse", "heading")]
    if not own or len(texts) < len(own) or any(map(is_prose, texts)) or sum(map(count_words, texts)) > _MOST_TITLE:
        return marks
    title = texts[0].split("\n")[0]
    is_named = any(block.kind == "heading" and (numbered(block.text) or kind_of(block.text)) for block in own)
    is_title = not is_named and (title.isupper() or is_title_case(title))
    return [Mark(0, title, 0, is_part=True), *marks] if is_title else marks


def _with_bare_parts(draft: Draft, marks: list[Mark]) -> list[Mark]:
    """The begins of chapters; one without a number of a chapter and a text of its own, such as a name below a title, is a part."""
    bare = {
        mark.start
        for mark, following in pairwise(marks)
        if numbered(mark.title) in (None, "part")
        and all(block.is_empty or block.kind == "heading" for block in draft.blocks[mark.start : following.start])
    }
    return [replace(mark, is_part=mark.is_part or mark.start in bare) for mark in marks]


def _is_title_of_all(draft: Draft, own: list[tuple[int, DraftBlock]], lower: list[int]) -> bool:
    """Whether a level's only heading is the book's title: several lower ones follow, and only little text stands before them."""
    if (
        len(own) != 1
        or len(lower) < _LEAST_LOWER
        or own[0][0] > lower[0]
        or numbered(joined_title(own[0][1].text)) in ("chapter", "named")
    ):
        return False
    words = [count_words(block.text) for block in draft.blocks]
    before = sum(words[own[0][0] + 1 : lower[0]])
    return before <= max(_MOST_PART, sum(words[lower[0] :]) / len(lower))


def full_titles(draft: Draft, titles: dict[int, str]) -> dict[int, str]:
    """The titles of headings; one that is a number alone takes the heading right below it, which then begins no chapter."""
    full: dict[int, str] = {}
    taken, plain_levels = -1, _plain_levels(draft)
    for n, title in titles.items():
        below = title_below(draft, n, plain_levels) if is_number(title) else None
        if n != taken:
            full[n] = title if below is None else joined_title(f"{title}\n{joined_title(draft.blocks[below].text)}")
            taken = -1 if below is None else below
    return full


def title_below(draft: Draft, number: int, plain_levels: set[int]) -> int | None:
    """The heading right below another one that is no number itself, and is no lower one of several in its chapter.

    A part takes no title of its own level if that is among ``plain_levels``, those of chapters without a number.
    """
    head = draft.blocks[number]
    filled = (n for n in range(number + 1, len(draft.blocks)) if not draft.blocks[n].is_empty)
    first = next(filled, None)
    below = draft.blocks[first] if first is not None else head
    if below is head or below.kind != "heading" or below.level < head.level or numbered(joined_title(below.text)):
        return None
    behind = (
        draft.blocks[n]
        for n in filled
        if draft.blocks[n].kind == "heading" and not _THE_END.fullmatch(draft.blocks[n].text)
    )
    if below.level == head.level:
        is_part = numbered(joined_title(head.text)) == "part" and head.level in plain_levels
        return None if is_part else first
    return first if all(b.level > below.level for b in takewhile(lambda b: b.level > head.level, behind)) else None


def _plain_levels(draft: Draft) -> set[int]:
    """The levels at which headings without a number stand behind text: beside them the heading of a part takes no title."""
    filled = [block for block in draft.blocks if not block.is_empty]
    return {
        block.level
        for before, block in pairwise(filled)
        if block.kind == "heading" and before.kind != "heading" and numbered(joined_title(block.text)) is None
    }


def _is_bare(draft: Draft, number: int, level: int) -> bool:
    """Whether a heading stands right above a lower one."""
    filled = (block for n in range(number + 1, len(draft.blocks)) if not (block := draft.blocks[n]).is_empty)
    below = next(filled, None)
    return below is not None and below.kind == "heading" and below.level > level


def joined_pages(draft: Draft, page_starts: list[int], chapter_starts: set[int]) -> None:
    """Join a paragraph that ends in mid-sentence with the one that goes on, in small letters, on the next page."""
    for start in page_starts:
        first = next((n for n in range(start, len(draft.blocks)) if not draft.blocks[n].is_empty), None)
        if first is None or any(number in chapter_starts for number in range(start, first + 1)):
            continue
        last = next((b for b in reversed(draft.blocks[:start]) if (not b.is_empty or b.is_break) and not b.note), None)
        block = draft.blocks[first]
        if last is None or last.kind != "paragraph" or block.kind != "paragraph" or block.note:
            continue
        if last.text[-1:] not in _ENDS and block.text[:1].islower():
            last.take_over(block)


def _place_notes(draft: Draft, sections: list[_Section], *, at_end: bool) -> None:
    notes: dict[str, list[DraftBlock]] = {}
    for block in draft.blocks:
        if block.note and not block.is_empty:
            notes.setdefault(block.note, []).append(block)
    for section in sections:
        placed: list[DraftBlock] = []
        ending: list[DraftBlock] = []
        for block in section.blocks:
            if block.note:
                continue
            placed.append(block)
            for mark in block.marks:
                (ending if at_end else placed).extend(notes.pop(mark, []))
        section.blocks = placed + ending
    for blocks in notes.values():
        for block in blocks:
            draft.withdraw(block, "note")


def _joined_tiny(chapters: list[Chapter]) -> tuple[list[Chapter], tuple[str, ...]]:
    """A book of very many tiny chapters, such as one for each poem of four lines, gets fewer and larger ones."""
    if len(chapters) <= _MANY or median(chapter.words for chapter in chapters) >= _TINY:
        return chapters, ()
    joined: list[Chapter] = []
    last_title = ""
    for chapter in chapters:
        begins = not joined or joined[-1].words >= _JOINED or chapter.words >= _JOINED or bool(chapter.parts)
        if begins or joined[-1].front != chapter.front:
            joined.append(chapter)
            last_title = chapter.title
        else:
            first = joined[-1].title.removesuffix(f" – {last_title}")
            title, last_title = " – ".join(filter(None, (first, chapter.title))), chapter.title
            joined[-1] = replace(joined[-1], title=title, blocks=joined[-1].blocks + chapter.blocks)
    remark = f"{len(chapters)} chapters, most of them shorter than {_TINY} words, were joined to {len(joined)}."
    return joined, (remark,)
