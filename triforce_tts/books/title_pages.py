"""Finds the title page that shares a page, or a file, with the text of a book: title, author, publisher, place and year.

A page of an epub that holds nothing else is judged as a whole (``epub_judge``). Books of Project Gutenberg have one file, or
have the title page behind the header, so its lines must be told from those of the book.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, takewhile

from .chapters import About, count_words, letters
from .draft import Draft, DraftBlock
from .numbered import numbered
from .outside import SIGN
from .plain_headings import is_title_case

# A line that says how a book was made, in any letters.
_MADE = re.compile(
    r".*(?:©|\bcopyright\b|\brights reserved\b|\bpublish(?:ed (?:by|in|for|at)|ers?)\b|\bprinted (?:and bound )?(?:in|by|at|for)\b|\bentered according\b"
    r"|\b(?:written|edited|translated|retold|illustrated|selected|compiled|drawn|pictured) by\b).*"
    r"|(?:with |and )(?:\w+ ){0,4}(?:illustrations?|drawings|pictures|frontispiece|portraits?|plates|maps?)(?:\W*|\s(?:by|from|in|after)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
_FIRM = r"\bpublish|\bprinted\b|\bpress\b|& co\b|\bcompany\b|\b(?:limited|ltd|inc)\b|\b(?:brothers|sons|bros)\b"
# What a line of a title page holds beside the names of the book and its author, in capital letters or as a title: who made it,
# where, and when. A sentence or a line of a poem may hold the same words.
_CERTAIN = re.compile(
    r"(?:by|a|an|the|and|or|with|being|to which is added|profusely illustrated|complete|unabridged)[.,]?"
    r"|by\b.*|author (?:of|and)\b.*|etc\.?,?|(?:with |and )?(?:\w+ ){0,3}(?:illustrations?|drawings|pictures|frontispiece|portraits?|plates|maps?)\b.*"
    r"|(?:an? |the |in )?(?:\w+ ){0,3}(?:novel|novella|romance|tale|story|stories|poems|verses|play|farce|comedy|tragedy|memoir|essays?|edition|volumes?)\b.*"
    rf"|.*(?:{_FIRM}|\billustrated\b|\btranslated\b).*"
    r"|(?:.*[^\w-])?(?:1[5-9]|20)\d\d\W*|M[DC][CDLXVI. ]{3,}",
    re.IGNORECASE | re.DOTALL,
)
_SMALL = re.compile(
    r"(?:by|a|an|the|and|or|with|being|to which is added|author of|etc)[.,]?|.*\d\d\d\d\W*", re.IGNORECASE
)
_SENTENCE = re.compile(r"\b(?:was|were|is|are|had|has|have|did|said|came|went)\b", re.IGNORECASE)
_IMPRINT = re.compile(rf"©|\bcopyright\b|\brights reserved\b|{_FIRM}", re.IGNORECASE)
_YEAR = re.compile(r"\W*(?:1[5-9]|20)\d\d\W*")
_DEDICATED = re.compile(r"(?:to(?! which\b)|for(?! sale\b)|dedicated|inscribed|in memory)\b", re.IGNORECASE)
_CREDITED = re.compile(r"(?:^|[.!?][\"”’']*\s*)(?:—|–|--)\s*[^\W\d_a-z]")  # a motto ends with the name of who said it
_BY = re.compile(r"(?:written )?by\s+", re.IGNORECASE)
_PRINTER = re.compile(
    r"\W*(?:(?:made|typeset|set up) and )?printed (?:and bound )?(?:in|by|at|for)\b(?P<who>.*)",
    re.IGNORECASE | re.DOTALL,
)
_HOUSE = re.compile(r"\bpublishers?\b|\bprinted (?:by|for|at)\b|& co\b", re.IGNORECASE)
_YEAR_AT_END = re.compile(r"\n\W*(?:1[5-9]\d\d|M[DC][CDLXVI. ]{3,})\W*$")
_VOLUME = re.compile(r"VOL(?:UME|\.)", re.IGNORECASE)
_NEAR_VOLUME = 4  # so many paragraphs before and behind the heading of a volume belong to its title page
_MOST_LINE = 16  # the most words of a line of a title page
_LEAST_QUOTED = 8  # a shorter quotation in a paragraph may be the title of another book
_LEAST_BLOCKS = 2  # a title alone is no title page
_MOST_WORDS = 150  # the most words of a title page


def withdraw_title_page(draft: Draft, about: About, *, is_gutenberg: bool) -> set[int]:
    """Skip the lines of a title page at the begin of a draft; the numbers of their blocks.

    In a book that is not from Project Gutenberg, a title alone is the book's first heading, and is spoken; a title page has more
    blocks, and one of them names the publisher.
    """
    filled = [n for n, block in enumerate(draft.blocks) if not block.is_empty]
    run: list[int] = []
    for n in filled:
        if not _may_be_line(draft.blocks[n]):
            break
        run.append(n)
    run = _before_chapter(draft, run, filled[len(run) :], about)
    while run and not _is_certain(draft.blocks[run[-1]], about):
        run.pop()
    text = "\n".join(draft.blocks[n].text for n in run)
    is_named = any(_names(line, about) for line in text.split("\n"))
    if not is_named or len(run) == len(filled) or count_words(text) > _MOST_WORDS:
        return set()
    own = [draft.blocks[n].text for n in run if draft.blocks[n].kind != "heading"]
    if not is_gutenberg and (len(run) < _LEAST_BLOCKS or not any(_IMPRINT.search(text) for text in own)):
        return set()
    for n in run:
        draft.withdraw(draft.blocks[n], "front matter")
    return set(run)


def _before_chapter(draft: Draft, run: list[int], behind: list[int], about: About) -> list[int]:
    """The blocks of ``run`` before the title of the first chapter: the last heading before text, if others of its level follow.

    It may be "The Press Gang", "A Winter Tale", "1914" or the title of the book, but is no name of an author and no imprint.
    """
    heads = [n for n in run if draft.blocks[n].kind == "heading"]
    if not behind or draft.blocks[behind[0]].kind == "heading" or not heads or heads[-1] == run[0]:
        return run
    last = draft.blocks[heads[-1]]
    lines = last.text.split("\n")
    is_chapter = any(draft.blocks[n].kind == "heading" and draft.blocks[n].level == last.level for n in behind)
    is_author = any(_MADE.fullmatch(line) or _names(line, replace(about, title="")) for line in lines)
    return run[: run.index(heads[-1])] if is_chapter and not is_author else run


def withdraw_printer(draft: Draft) -> None:
    """Skip the name of the printer behind the last words of a book."""
    filled = [block for block in draft.blocks if not block.is_empty and not block.note]
    printer = _PRINTER.fullmatch(filled[-1].text) if len(filled) > 1 else None
    # "Printed in the snow was his name." is a sentence of the story: a printer has a name, and is at a place that has one.
    if printer and is_title_case(printer["who"].strip().removeprefix("the ")) and count_words(printer[0]) <= _MOST_LINE:
        draft.withdraw(filled[-1], "back matter")


def withdraw_imprints(draft: Draft, starts: Sequence[int]) -> None:
    """Skip the names of printers and publishers, in capital letters, on the title pages of volumes.

    They stand right before or behind the headings of the volumes, which begin at the blocks ``starts``.
    """
    for start in starts:
        if not _VOLUME.match(draft.blocks[start].text):
            continue
        before = (n for n in range(start - 1, -1, -1) if not draft.blocks[n].is_empty)
        behind = (n for n in range(start + 1, len(draft.blocks)) if not draft.blocks[n].is_empty)
        for numbers in (before, behind):
            near = [draft.blocks[n] for n in islice(numbers, _NEAR_VOLUME)]
            for block in takewhile(lambda one: one.kind != "heading" and one.text.isupper(), near):
                if names_house(block.text):
                    draft.withdraw(block, "front matter")


def dedication_of(blocks: Sequence[DraftBlock], about: About) -> list[DraftBlock]:
    """The dedication and the motto among the blocks of a title page; what names the book, its author or publisher ends them."""
    kept: list[DraftBlock] = []
    waiting: list[DraftBlock] = []  # what stands right before a line that may say whose words it is
    is_kept = False
    for block in blocks:
        if _is_certain(block, about) or block.text.isupper():
            waiting = []
        elif not is_kept:
            waiting.append(block)
        if is_dedication(block.text) or _is_motto(block):
            if not is_kept and _CREDITED.match(block.text):
                kept += waiting[:-1]
            is_kept = True
        elif _is_certain(block, about):
            is_kept = False
        if is_kept:
            kept.append(block)
    return kept


def names_house(text: str) -> bool:
    """Whether a text is the lines of a printer or publisher: "THE COMPANY OF THE RING" is a title, and so is a year alone."""
    return bool(_HOUSE.search(text)) or ("\n" in text and bool(_YEAR_AT_END.search(text)))


def is_dedication(text: str) -> bool:
    """Whether a text on a page before the story begins as a dedication does."""
    return bool(_DEDICATED.match(text)) and not _IMPRINT.search(text)


def _is_motto(block: DraftBlock) -> bool:
    lines = block.text.split("\n")
    is_long = count_words(block.text) >= _LEAST_QUOTED and not is_title_case(block.text)
    is_quoted = (block.kind == "verse" or is_long) and lines[0][:1] in "\"“‘'"
    return not block.is_empty and (is_quoted or bool(_CREDITED.search(lines[-1])))


def _may_be_line(block: DraftBlock) -> bool:
    """Whether a block may stand on a title page: names and titles in short lines, and no dedication, preface or chapter."""
    lines = block.text.split("\n")
    counts = numbered(block.text) and not _YEAR.fullmatch(block.text)
    if block.kind not in ("heading", "paragraph", "verse", "caption") or counts or _DEDICATED.match(lines[0]):
        return False
    return all(count_words(line) <= _MOST_LINE and (_is_titled(line) or _is_made(line)) for line in lines)


def _is_titled(line: str) -> bool:
    """Whether a line is written in capital letters, or as a title; "by" and "with" may begin it."""
    return line.isupper() or is_title_case(line[:1].upper() + line[1:])


def _is_made(line: str) -> bool:
    """Whether a line says what kind of book it is, or who made it, where or when."""
    line = line.strip()
    if _MADE.fullmatch(line) or _SMALL.fullmatch(line):
        return True
    return bool(_CERTAIN.fullmatch(line)) and _is_titled(line) and not _SENTENCE.search(line)


def _is_certain(block: DraftBlock, about: About) -> bool:
    """Whether a block names the book, its author, or how it was made; any other one may be the title of the first chapter."""
    return any(_names(line, about) or _is_made(line) for line in block.text.split("\n"))


def _names(line: str, about: About) -> bool:
    """Whether a line is the title of the book, the name of its author, or a part of them."""
    own = letters(_BY.sub("", line, count=1))
    title, author = letters(about.title), letters(about.author)
    heads = {title, letters(SIGN.split(about.title)[0]), author, *map(letters, about.author.split(", "))} - {""}
    return own in heads or (len(own) > 2 and own in title) or (bool(author) and author in own)
