"""Finds the signs of the dialects of Markdown that are no text: of Obsidian, GitHub, Pandoc, Quarto, Leanpub, mdBook, Jekyll and Hugo."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from .chapters import Reason
from .markdown_notes import blank_elsewhere

_MOST_BLANKS = 100  # a comment takes at most so many blanks behind it along
Span = tuple[int, int]
# A name, a class, or a key with its value, as they stand in braces behind a picture, a link or a formula.
_VALUE = r"(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'|[^\s,(){}\"']{1,80})"
_ATTRIBUTE = rf"(?:[#.:][\w:.-]{{1,80}}|[A-Za-z][\w-]{{0,40}}[ \t]?[=:][ \t]?{_VALUE})"
_ATTRIBUTES = rf"\{{[ \t]?{_ATTRIBUTE}(?:[ \t,]{{1,2}}{_ATTRIBUTE}){{0,12}}[ \t]?\}}"
_MATTER = r"\{/?(?:frontmatter|mainmatter|backmatter|pagebreak|newpage|blurb|aside|sample)(?:,[^}\n]*)?\}"
_TAG = r"#(?=[\w/-]*[A-Za-z])[\w/-]+"
_SAID_TAG = re.compile(r"[a-z][A-Z]")  # "#NeverAgain" at the end of a story is said in it
# What is taken out before the parser sees it: parts with a style, orders for the printer, attributes, meanings of abbreviations and
# several tags, each on a line of its own; the signs before the lines of an aside or the title of a part; attributes behind a link, a
# picture or a formula, and the name of a paragraph at its end; and comments between two signs each, which may have several paragraphs.
_APART = re.compile(
    r"^ {0,3}(?P<order>:{3,}(?!:)(?:[ \t]*(?:\{[^}\n]*\}|[\w-]+))?[ \t:]*|\\(?:newpage|pagebreak|clearpage)[ \t]*|\{:[^}\n]*\}[ \t]*|"
    rf"\*\[[^\]\n]+\]:[^\n]*|(?P<braces>{_ATTRIBUTES}[ \t]*|{_MATTER}[ \t]*)|(?P<tags>{_TAG}(?:[ \t]+{_TAG})+[ \t]*))$"
    rf"|^(?P<sign>-(?=#{{1,6}}[ \t])|(?P<aside>[ABCDEIQTWX]>)(?=[ \t]|$))"
    rf"|(?P<label>(?<=[)\]]){_ATTRIBUTES}|(?<=\$\$)[ \t]?{_ATTRIBUTES}[ \t]*$"
    r"|(?<=[.!?…\"”’)*_])[ \t]\^(?=[\w-]{4})[\w-]+(?=[ \t]*(?:\n[ \t]*(?:\n|\Z)|\Z)))"
    r"|(?<![\w%])%%(?=[^%\s]|\s+[^%\s])(?:(?!%%).){1,4000}?%%(?![\w%])",
    re.MULTILINE | re.DOTALL,
)
# What stands inside a line: a file that is shown, a link to a page with its words, an emoji, orders of site generators, and the mark of
# a source: ``[see @smith2004, p. 33]``.
_INSIDE = re.compile(
    r"(?P<embed>!\[\[[^\[\]\n]+\]\])"
    r"|(?P<left>(?<!\w)\[\[(?!_?TOC_?\]\])(?:[^\[\]|\n]+\|)?)(?P<words>[^\[\]|\n]+)(?P<right>\]\])"
    r"|(?P<emoji>(?<![\w:]):[a-z][a-z0-9_+-]{1,30}:(?![\w:]))"
    r"|(?P<code>\{\{[<%].{0,1000}?[%>]\}\}|\{%.{0,1000}?%\}|\{\{[ \t]*#[^{}\n]{0,1000}\}\})"
    r"|(?P<source>(?:(?<![ \t])[ \t]+)?\[(?:(?:see|see also|cf\.?|e\.g\.,?|compare)\s+)?-?@[\w{][^\[\]\n]{0,300}\])",
    re.DOTALL,
)
_REASONS: dict[str, Reason] = {"embed": "description of a picture", "code": "code", "source": "mark of a note"}
# Raised and lowered signs, and words that are marked as with a pen: ``x^2^``, ``H~2~O``, ``==words==``.
_RAISED = re.compile(
    r"(?<=[^\s~^])([~^])([\w+\-]{1,20})\1(?!\1)|(?<![\w=])(==)(?=[^\s=])([^=\n]{1,200})(?<!\s)==(?![\w=])"
)
_RAISED_DIGITS = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
_LOWERED_DIGITS = str.maketrans("0123456789+-", "₀₁₂₃₄₅₆₇₈₉₊₋")
_ALERT = re.compile(r"\[!([\w-]+)\][+-]?[ \t]*")


def signs_apart(text: str, code: Sequence[Span], taken: Sequence[Span]) -> Iterator[tuple[int, int, Reason]]:
    """The begin and the end of each sign that the parser must not see; none is in ``code`` or crosses what is ``taken``."""
    spans = sorted(taken)
    shown = blank_elsewhere(text, code)
    begin = max((last for first, last in spans if first == 0), default=0)
    for match in _APART.finditer(shown):
        if not _stands_apart(shown, match, begin):
            continue
        order = next((name for name in ("order", "sign", "label") if match[name]), 0)
        first, last = match.span(order)
        if not order and (first == 0 or shown[first - 1].isspace()):
            last += len(shown[last : last + _MOST_BLANKS]) - len(shown[last : last + _MOST_BLANKS].lstrip(" \t"))
        at = bisect_right(spans, (last, 0)) - 1
        if at < 0 or spans[at][1] <= first:
            yield first, last, "markup" if order else "comment"


def _stands_apart(text: str, match: re.Match[str], begin: int) -> bool:
    """Whether a line of braces, tags or an aside stands where its dialect has it, and is no line of a paragraph.

    Braces stand at the begin of a block, at the end of one if a sign of a division follows the first, or above a heading or a picture; tags at the ``begin`` or the end of the text; an aside at the
    begin of a block or below another line of it.
    """
    above = text[text.rfind("\n", 0, max(0, match.start() - 1)) + 1 : match.start()].strip()
    if match["braces"]:
        is_end = match["braces"].startswith("{/")
        return is_end or not above or text[match.end() : match.end() + 3].lstrip("\n").startswith(("#", "!["))
    if match["tags"]:
        is_said = bool(_SAID_TAG.search(match["tags"])) and bool(text[begin : match.start()].strip())
        return not is_said and (not text[begin : match.start()].strip() or not text[match.end() :].strip())
    return not match["aside"] or not above or above.startswith(match["aside"])


def signs_inside(text: str) -> Iterator[tuple[str, Reason | None]]:
    """A text of the parser, cut into its signs, each with the reason why it is not read, and what is read."""
    at = 0
    for match in _INSIDE.finditer(text):
        yield text[at : match.start()], None
        if match["words"]:
            yield match["left"], "markup"
            yield match["words"], None
            yield match["right"], "markup"
        else:
            yield match[0], _REASONS.get(match.lastgroup or "", "markup")
        at = match.end()
    yield text[at:], None


def alert(text: str) -> tuple[str, str] | None:
    """The sign at the begin of a quotation that is an alert, such as "[!NOTE]", and its kind, which is its title if it has no other."""
    match = _ALERT.match(text)
    return (match[0], match[1]) if match else None


def scripts(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text, and in which form each is written: ``H~2~O`` and ``x^2^`` have lowered and raised digits."""
    at = 0
    for match in _RAISED.finditer(text):
        inside = match[4] or match[2]
        digits = _LOWERED_DIGITS if match[1] == "~" else _RAISED_DIGITS
        is_number = match[1] is not None and inside.strip("+-").isdigit()
        if at < match.start():
            yield text[at : match.start()], ""
        yield inside.translate(digits) if is_number else inside, match[0]
        at = match.end()
    if at < len(text):
        yield text[at:], ""


def has_bars(tokens: list[Any]) -> bool:
    """Whether each of several lines begins with a bar, as Pandoc writes verse."""
    firsts = [behind for before, behind in pairwise(tokens) if before.type == "softbreak"]
    return bool(firsts) and all(
        token.type == "text" and token.content.startswith("| ") for token in [tokens[0], *firsts]
    )
