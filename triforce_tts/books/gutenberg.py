"""Finds the texts of Project Gutenberg before and behind a book, in the three styles that it used in fifty years."""

import re
from dataclasses import replace

from .chapters import About

_START = re.compile(r"\s*\*{2,3}\s*START OF (?:THE|THIS) PROJECT GUTENBERG E-?(?:BOOK|TEXT)", re.IGNORECASE)
_END = re.compile(r"\s*\*{2,3}\s*END OF (?:THE|THIS) PROJECT GUTENBERG E-?(?:BOOK|TEXT)", re.IGNORECASE)
_SMALL_PRINT_END = re.compile(r"\s*\*END\s*\*?\s*THE SMALL PRINT!|.*\*END\*\s*$", re.IGNORECASE)
_SMALL_PRINT = re.compile(r"\s*\*{0,3}\s*START\s*\*{0,3}\s*THE SMALL PRINT!", re.IGNORECASE)
_FIRST = re.compile(r"[\s*]*(?:The )?Project Gutenberg(?:’s|'s)?\b", re.IGNORECASE)
_LAST = re.compile(r"\s*\*{0,3}\s*(?:This is the )?End of (?:the |this )?Project Gutenberg", re.IGNORECASE)
_CREDIT = re.compile(
    r"\s*(?:\[?(?:E-?text|This e-?text|Etext|Transcribed|Produced|Prepared|Scanned|Digitized) (?:was )?(?:prepared|produced|transcribed|scanned|by)\b.*|.*distributed proofread.*|HTML version by.*|.*pgdp\.net.*)",
    re.IGNORECASE,
)
_STARTS = re.compile(r"\*{3}\s*START OF (?:THE|THIS) PROJECT GUTENBERG", re.IGNORECASE)
_FIELD = re.compile(r"^[ \t]*(Title|Author)[ \t]*:[ \t]*(\S[^\n]*?)[ \t]*$", re.MULTILINE)
# The first paragraph of a header without fields: "**The Project Gutenberg Etext of The Lamp, by Ada N.**".
_CALLED = re.compile(
    r"Project Gutenberg(?:[’']s)?\s+(?:E-?(?:text|book),?\s+(?:of\s+)?)?(?P<title>[^#\[(]{1,400})", re.IGNORECASE
)
_BY = re.compile(r"(?P<comma>,)?\s+by\s+(?P<author>[^,#\[(\n]{1,80})")
_PART_OF_NAME = r"(?:[^\W\d_a-z][\w.'’-]*|and|&|de|du|la|le|of|van|von|der)"
_AUTHOR = re.compile(rf"{_PART_OF_NAME}(?: {_PART_OF_NAME}){{0,7}}")
_LOOKED_AT = 400  # the first line of a header may stand in the first so many lines
_CREDIT_LINES = 12  # a credit may begin in the first so many lines behind a header


def stated_in_header(text: str, about: About) -> About:
    """What the header of Project Gutenberg says of a book, in the place of what is known of it otherwise."""
    start = _STARTS.search(text)
    fields = {match[1].lower(): match[2] for match in _FIELD.finditer(text[: start.start()])} if start else {}
    return replace(about, title=fields.get("title", about.title), author=fields.get("author", about.author))


def called_in_header(lines: list[str]) -> tuple[str, str]:
    """The title and the author that the first paragraph of an old header names; empty if it names none."""
    first = next((n for n, line in enumerate(lines[:_LOOKED_AT]) if _FIRST.match(line)), None)
    if first is None:
        return "", ""
    last = next((n for n in range(first, len(lines)) if not lines[n].strip()), len(lines))
    match = _CALLED.search("\n".join(lines[first:last]).replace("*", " "))
    if match is None:
        return "", ""
    # A title may hold "by", too: the author stands behind the first one with a comma, or else behind the last one.
    found = list(_BY.finditer(match["title"]))
    by = next((one for one in found if one["comma"]), found[-1] if found else None)
    author = " ".join(by["author"].split()) if by else ""
    if by is None or not _AUTHOR.fullmatch(author) or not (by["comma"] or " " in author):
        return " ".join(match["title"].split()), ""
    return " ".join(match["title"][: by.start()].split()), author


def body_of(lines: list[str]) -> tuple[int, int]:
    """The numbers of the first line of the book and of the first line behind it."""
    begin, end = 0, len(lines)
    starts = [n for n, line in enumerate(lines) if _START.match(line)]
    is_gutenberg = bool(starts) or any(_FIRST.match(line) or _SMALL_PRINT.match(line) for line in lines[:_LOOKED_AT])
    if not is_gutenberg:
        return begin, end
    if starts:
        begin = starts[0] + 1
        while begin < end and lines[begin].strip() and lines[begin].rstrip().endswith("***"):
            begin += 1  # this line is the rest of a wrapped title
    small = [n for n, line in enumerate(lines[: len(lines) // 2]) if _SMALL_PRINT_END.match(line)]
    if small and small[-1] >= begin:
        begin = small[-1] + 1
    for number in range(begin, end):
        if _END.match(lines[number]) or _LAST.match(lines[number]):
            end = number
            break
    if not starts and not small:
        begin = _old_header(lines, end)
    return _behind_credits(lines, begin, end), end


def _old_header(lines: list[str], end: int) -> int:
    """The line behind an old header: the paragraph that names Project Gutenberg, and the lines about the file."""
    number = next((n for n, line in enumerate(lines[:_LOOKED_AT]) if _FIRST.match(line)), 0)
    about = re.compile(r"\s*(?:title|author|release date|posting date|language|character set|edition|translator|copyright|this ebook|\[?e?(?:book|text))\b", re.IGNORECASE)  # fmt: skip
    while number < end:
        while number < end and lines[number].strip():
            number += 1
        while number < end and not lines[number].strip():
            number += 1
        if number >= end or not (about.match(lines[number]) or _FIRST.match(lines[number])):
            break
    return number


def _behind_credits(lines: list[str], begin: int, end: int) -> int:
    for number in range(begin, min(end, begin + _CREDIT_LINES)):
        if _CREDIT.fullmatch(lines[number]):
            while number < end and lines[number].strip():
                number += 1
            return number
    return begin
