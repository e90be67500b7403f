"""Finds the headings of pages that have no elements for them: paragraphs such as "CHAPTER I", by the rules of a text file."""

import re
from collections.abc import Sequence
from typing import Any

from .chapters import has_letters, letters
from .division import joined_title
from .draft import Draft, DraftBlock, clean
from .heading_finder import HeadingFinder
from .html_rules import HEADING_ATTRIBUTE, HEADINGS, classes_of, is_block, name_of
from .notes import text_in
from .numbered import numbered
from .plain_contents import find_contents
from .plain_headings import LONGEST_HEADING, bare, is_prose, kind_of
from .plain_lines import Paragraph

_FEWEST = 2  # a single paragraph that looks like a heading divides nothing
_CHAPTER_LEVEL = 2  # the level that the finder gives to chapters
_BELOW = 6  # headings inside the chapters are so many levels lower
_BREAK = "* * *"
_CLASS = re.compile(
    r"(?:chap(?:ter)?|part|section|story)[-_]?(?:title|heading|head|header|number|num|no|name|label)?\d*|heading[-_]?\d*|h[1-6]",
    re.IGNORECASE,
)


def mark_titles(pages: Sequence[Any]) -> None:
    """Set an attribute on the paragraphs whose class says that they are headings, if the pages have no element for them.

    A class says so if it stands only on short paragraphs that are no sentences, and on more than one.
    """
    if any(name_of(element) in HEADINGS for page in pages for element in page.iter("{*}*")):
        return
    found: dict[str, list[Any]] = {}
    for page in pages:
        for element in page.iter("{*}p", "{*}div"):
            words = [word for word in classes_of(element) if _CLASS.fullmatch(word)]
            if (
                words
                and has_letters(text_in(element))
                and not any(is_block(child, name_of(child)) for child in element)
            ):
                found.setdefault(min(words), []).append(element)
    for elements in found.values():
        texts = [clean(text_in(element)) for element in elements]
        if len(elements) >= _FEWEST and all(len(text) <= LONGEST_HEADING and not is_prose(text) for text in texts):
            for element in elements:
                element.set(HEADING_ATTRIBUTE, "")


def name_paragraphs(draft: Draft) -> None:
    """Make the paragraphs of a draft that are headings by their words headings, if no heading of it counts chapters.

    The headings that a draft has, such as the title of the book and a preface, stand before them, or are few and stand inside
    the chapters, such as that of a letter.
    """
    heads = [n for n, block in enumerate(draft.blocks) if block.kind == "heading" and not block.is_empty]
    titles = [joined_title(draft.blocks[n].text) for n in heads]
    if any(numbered(title) in ("part", "chapter") for title in titles):
        return
    owners = [n for n, block in enumerate(draft.blocks) if not block.is_empty or block.is_break]
    blocks = [draft.blocks[n] for n in owners]
    texts = [_BREAK if block.is_empty else bare(block.text) for block in blocks]
    paragraphs = [Paragraph(2 * n, 2 * n + 1, is_break=block.is_break) for n, block in enumerate(blocks)]
    listed = find_contents(paragraphs, texts)
    once = {letters(text) for text, block in zip(texts, blocks, strict=True) if not block.linked}
    silent = listed.paragraphs | {n for n, block in enumerate(blocks) if not _may_be_heading(block, texts[n], once)}
    finder = HeadingFinder(paragraphs, texts, silent, listed.entries, None)
    levels = finder.find().levels
    inside = [n for n in heads if levels and n > owners[min(levels)]]
    counted = sum(kind_of(texts[n]) == "chapter" for n in levels)
    if len(levels) < _FEWEST or (inside and counted <= len(inside)):
        return
    for n in inside:
        draft.blocks[n].level += _BELOW
    heads = heads[: len(heads) - len(inside)]
    higher = _level_above(draft, heads, titles) + (0 if min(levels.values()) >= _CHAPTER_LEVEL or not heads else 1)
    subtitles = {n: levels[n - 1] for n in finder.subtitles()}
    for n, level in {**levels, **subtitles}.items():
        blocks[n].kind, blocks[n].level, blocks[n].keeps_lines = "heading", max(1, level + higher), True
    for n in listed.paragraphs:
        draft.withdraw(blocks[n], "navigation")


def _may_be_heading(block: DraftBlock, text: str, once: set[str]) -> bool:
    """Whether a block may be a heading: not a link to another one, and not a list, a table or a note."""
    if block.note or (block.linked and letters(text) in once):
        return False
    return block.kind in ("paragraph", "break") or (block.kind == "verse" and kind_of(text) is not None)


def _level_above(draft: Draft, heads: list[int], titles: list[str]) -> int:
    """What is added to the levels, so that the title of the book stands above its chapters, and a preface beside them."""
    if not heads:
        return 0
    deepest = max(draft.blocks[n].level for n in heads)
    is_title = len(heads) == 1 and numbered(titles[0]) is None
    return deepest + is_title - _CHAPTER_LEVEL
