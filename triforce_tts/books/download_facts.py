"""Takes out of a draft what programs write around a story that they download: its tags, its address and its dates.

These are the forms of FanFicFare and of the Archive of Our Own. The notes of the author are read, and so is a
summary that stands apart from such facts.
"""

import re

from .chapters import count_words
from .draft import Draft
from .plain_headings import ENDS_SENTENCE, is_prose

_FACT = re.compile(
    r"(?:Title|Author|Authors|Story URL|Author URL|Categor(?:y|ies)|Genres?|Characters?|Relationships?|Pairings?|Fandoms?|Rating"
    r"|(?:Archive )?Warnings?|Additional Tags|Language|Series|Collections?|Stats|Status|Published|Updated|Packaged|Completed|Chapters?|Words?"
    r"|Publisher|Site|Comments|Kudos|Bookmarks|Hits|Reviews|Favou?rites|Follows)\s*:(?:\s.*|$)",
    re.DOTALL,
)
_CERTAIN = re.compile(r"Story URL\s*:", re.MULTILINE)
_SUMMARY = re.compile(r"^(?:Summary|Description)\s*:", re.MULTILINE)
_LEAST_FACTS = 4  # lines
_LONGEST_SUMMARY = 1250  # the most characters of a summary that the Archive of Our Own takes
_MOST_ABOVE = 2  # title and author above such lines
_MOST_BEFORE = 60  # the most words of a page or a text before them; behind more of a novel they belong to it
_POSTED = re.compile(r"(?:.{0,200}\n)?Posted originally on the Archive of Our Own(?:\s+at)?[\s.]*")
_COMMENT = re.compile(
    r"Please drop by the (?:Archive|archive) and comment to let (?:the|your) (?:creator|author)s? know\b[^\n]{0,60}"
)
_AFTERWORD = re.compile(r"(?:Afterword|End Notes)\W*", re.IGNORECASE)


def withdraw_facts(draft: Draft) -> set[int]:
    """Skip what a program wrote around a story; the numbers of the blocks."""
    filled = [n for n, block in enumerate(draft.blocks) if not block.is_empty]
    gone: set[int] = set()
    for place, n in enumerate(filled):
        text = draft.blocks[n].text
        if n in gone:
            continue
        if _CERTAIN.search(text):
            gone |= _facts_around(draft, filled, place)
        elif _POSTED.fullmatch(text):
            gone.add(n)
            for behind in filled[place + 1 :]:
                if not _are_facts(draft.blocks[behind].text):
                    break
                gone.add(behind)
    for n in gone:
        draft.withdraw(draft.blocks[n], "front matter")
    return gone | _withdraw_comment(draft, filled)


def _are_facts(text: str) -> bool:
    """Whether every line states a fact, and none is running text that begins with such a word."""
    return all(_FACT.match(line) and not is_prose(line) for line in text.split("\n"))


def _is_summary(text: str) -> bool:
    """Whether a text is a summary alone: short enough, and without a line that begins behind the end of a sentence."""
    lines = text.split("\n")
    return len(text) <= _LONGEST_SUMMARY and not any(map(ENDS_SENTENCE.search, lines[:-1]))


def _facts_around(draft: Draft, filled: list[int], place: int) -> set[int]:
    """The blocks of facts around that with the address of the story, and the title and author above them if these begin the book."""
    first = last = place
    facts, summary = _divided(draft.blocks[filled[place]].text)
    if not _are_facts(facts) or not _is_summary(summary):
        return set()
    while first and _are_facts(draft.blocks[filled[first - 1]].text):
        first -= 1
    while last + 1 < len(filled) and _are_facts(draft.blocks[filled[last + 1]].text):
        last += 1
    behind = draft.blocks[filled[last + 1]].text if last + 1 < len(filled) else ""
    last += bool(_SUMMARY.match(behind)) and _is_summary(behind)
    own = filled[first : last + 1]
    if sum(draft.blocks[n].text.count("\n") + 1 for n in own) < _LEAST_FACTS or not _begins(draft, filled, first):
        return set()
    return {*own, *_title_above(draft, filled[:first], filled[last + 1 :])}


def _begins(draft: Draft, filled: list[int], place: int) -> bool:
    """Whether a block stands at the begin of its page, or of the text, so that at most a title and a motto are above it."""
    words = 0
    for n in reversed(filled[max(0, place - _MOST_BEFORE) : place]):
        if draft.blocks[n].where != draft.blocks[filled[place]].where:
            break
        words += count_words(draft.blocks[n].text)
    return words <= _MOST_BEFORE


def _divided(text: str) -> tuple[str, str]:
    """The lines of a block of facts, and the summary that may end it."""
    match = _SUMMARY.search(text)
    return (text[: match.start()].rstrip("\n"), text[match.start() :]) if match else (text, "")


def _title_above(draft: Draft, above: list[int], behind: list[int]) -> list[int]:
    """The title and the author above the facts; a title that is the only heading stays, and so does everything if there is more."""
    if len(above) > _MOST_ABOVE:
        return []
    heads = [n for n in above if draft.blocks[n].kind == "heading"]
    is_only = bool(heads) and not any(draft.blocks[n].kind == "heading" for n in behind)
    is_title = not any(ENDS_SENTENCE.search(draft.blocks[n].text) for n in above)
    return above if is_title and not is_only else []


def _withdraw_comment(draft: Draft, filled: list[int]) -> set[int]:
    """Skip the line behind a story that asks for comments, with the heading above it if nothing else stands below that."""
    gone: set[int] = set()
    for place, n in enumerate(filled):
        if not _COMMENT.fullmatch(draft.blocks[n].text):
            continue
        gone.add(n)
        is_last = place + 1 == len(filled) or draft.blocks[filled[place + 1]].kind == "heading"
        if place and is_last and _AFTERWORD.fullmatch(draft.blocks[filled[place - 1]].text):
            gone.add(filled[place - 1])
    for n in gone:
        draft.withdraw(draft.blocks[n], "back matter")
    return gone
