"""Finds the links to other chapters that stand above and below the chapters of a serial: "Previous Chapter", "Next Chapter"."""

import re
from itertools import islice
from typing import Any

from .html_rules import SKIP_ATTRIBUTE, has_heading, is_block, name_of
from .notes import text_in

_PIECE = r"chapter|page|part|post|entry|story|episode|update|section|scene"
_SIGNS = r"[^\w\"“”„'‘’!?,;]*"  # arrows and such; behind quotation marks somebody speaks
_TURNS = re.compile(
    rf"{_SIGNS}(?:(?:previous|prev|next)(?:\s+(?:{_PIECE}))?|back to (?:the )?(?:top|contents)){_SIGNS}",
    re.IGNORECASE,
)
# What stands beside such links, and alone may be a word of the text.
_BESIDE = re.compile(
    rf"{_SIGNS}(?:(?:back to (?:the )?)?(?:table of contents|contents|toc|index|home|top|start|main page|chapter (?:list|index)|archive)"
    rf"|(?:first|last)(?:\s+(?:{_PIECE}))?|menu){_SIGNS}",
    re.IGNORECASE,
)
_MOST_CHARACTERS = 200  # of a row of links
_MOST_ELEMENTS = 60  # that a row of links holds


def mark_chapter_links(page: Any) -> None:
    """Set an attribute on each block that holds nothing but links to the chapters before and behind it."""
    for link in page.iter("{*}a"):
        if not link.get("href") or not _TURNS.fullmatch(text_in(link)):
            continue
        row = None
        for around in link.iterancestors():
            name = name_of(around)
            if name in ("body", "html", "dt") or has_heading(around) or not _is_row(around):
                break
            row = around if is_block(around, name) else row
        if row is not None:
            row.set(SKIP_ATTRIBUTE, "navigation")


def _is_row(element: Any) -> bool:
    """Whether an element holds few characters, and all its words stand in links of these kinds."""
    if len(list(islice(element.iter(), _MOST_ELEMENTS + 1))) > _MOST_ELEMENTS:
        return False
    if sum(len(text.strip()) for text in element.itertext()) > _MOST_CHARACTERS:
        return False
    links = [text_in(link) for link in element.iter("{*}a") if text_in(link)]
    are_turns = all(_TURNS.fullmatch(text) or _BESIDE.fullmatch(text) for text in links)
    return are_turns and sum(c.isalnum() for c in text_in(element)) == sum(c.isalnum() for c in "".join(links))
