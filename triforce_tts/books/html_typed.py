"""Finds what was typed line by line in pages: HTML files that stand in ``pre`` nearly whole, and prose in other ``pre``."""

import re
from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

from triforce_tts.text.letters import is_known
from triforce_tts.text.phonemes import Lexicon

from .chapters import Reason, count_words
from .draft import LINE_END
from .html_rules import HEADINGS, is_block, name_of, skip_reason
from .plain_lines import LINE_NUMBER, LineJoiner

_LEAST_SET = 0.9  # the least share of a page's words in ``pre`` that makes the page a typed text
_LEAST_WORDS = 60  # fewer words are no book, but a poem or a note
_LEAST_HEADINGS = 2  # so many headings of a level divide the book
_SPACE = re.compile(r"\s+")
_FEWEST_LINES = 5  # so many lines show whether a ``pre`` holds prose
_NARROWEST = 45  # the least characters of a line of prose
_FULL, _MOST_FULL = 0.8, 0.8  # so many of its lines are nearly as long as the longest
_COLUMNS = re.compile(r"\S(?:\s{3,}|\t)\S")


_FEWEST_WORDS = 6  # fewer words may be a command
_KNOWN = 0.85  # at least such a share of the words of a text is in the dictionary
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_CODE = re.compile(
    r"[{}=\\|_`]|<\w|->|\$\s?[A-Za-z_(]|^\s*[#$>]|\w\(|\(\)|\);?$|[a-z]{2}\.[a-z]{2}|[A-Za-z]:[A-Za-z]|\s/\w|\w/\w+/|\s--?[a-z]"
    r"|^\s*(?:def|import|return|sudo|git|cd|pip)\b",
    re.MULTILINE,
)
_MARKED = re.compile(r"[^\W\d_][,.;:!?—][\"'”’)]*\s*$")


class Typed(NamedTuple):
    """A typed text, with a number sign before each heading of the page, and what the page holds beside it."""

    text: str
    aside: list[tuple[str, Reason]]


def typed_text(root: Any) -> Typed | None:
    """The text of a page if it was typed line by line; None for any other page."""
    if not any(True for _ in root.iter("pre")):
        return None
    walk = _Walk(root)
    words = [count_words("".join(parts)) for parts in (walk.set_parts, walk.parts)]
    return Typed("".join(walk.parts), walk.aside) if words[0] >= max(_LEAST_WORDS, _LEAST_SET * words[1]) else None


def unwrap_prose(root: Any, lexicon: Lexicon) -> None:
    """Turn each ``pre`` that holds nothing but prose, whose lines are full, into paragraphs."""
    for element in list(root.iter("{*}pre")):
        text = (element.text or "").replace("\r\n", "\n").replace("\r", "\n").replace(LINE_END, " ")
        lines = text.split("\n")
        if len(element) or skip_reason(element, "pre") or not _is_prose(lines):
            continue
        joiner = LineJoiner(lines, lexicon)
        prefix = element.tag.removesuffix("pre")
        element.tag, element.text = f"{prefix}div", None
        for paragraph in joiner.paragraphs(0, len(lines)):
            name = "hr" if paragraph.is_break else "pre" if paragraph.is_verse else "p"
            part = element.makeelement(f"{prefix}{name}")
            part.text = (
                None
                if paragraph.is_break
                else "".join(joiner.texts(paragraph)).replace(LINE_END, "\n").replace(LINE_NUMBER, " ")
            )
            element.append(part)


def is_indented_text(lines: list[str]) -> bool:
    """Whether indented lines of Markdown are verse, a letter or prose, and no code: words with the marks of sentences."""
    text = "\n".join(lines)
    words = _WORDS.findall(text)
    if len(words) < _FEWEST_WORDS or _CODE.search(text) or not any(_MARKED.search(line) for line in lines):
        return False
    return sum(is_known(word) for word in words) >= _KNOWN * len(words)


def _is_prose(lines: list[str]) -> bool:
    """Whether lines are those of prose: most that a blank line does not follow are about as long as the longest."""
    inner = [line.rstrip() for line, behind in pairwise(lines) if line.strip() and behind.strip()]
    width = max(map(len, inner), default=0)
    if (
        len(inner) < _FEWEST_LINES
        or width < _NARROWEST
        or 4 * sum(bool(_COLUMNS.search(line)) for line in inner) > len(inner)
    ):
        return False
    return sum(len(line) >= _FULL * width for line in inner) >= _MOST_FULL * len(inner)


class _Walk:
    """Collects the text of a page in one pass: ``parts`` are all that is read, and ``set_parts`` those in ``pre``."""

    def __init__(self, root: Any) -> None:
        from lxml import etree

        self.parts: list[str] = []
        self.set_parts: list[str] = []
        self.aside: list[tuple[str, Reason]] = []
        self._skipped: list[tuple[Any, Reason]] = []  # the element that is being skipped, and why
        self._depth = 0  # in so many ``pre``
        self._in_headings = 0
        self._headings = Counter(map(name_of, root.iter(*HEADINGS)))
        for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
            if event == "start":
                self._start(node, name_of(node))
            elif event == "end":
                self._end(node, name_of(node))
                self._add(node.tail)
            else:
                self.aside.append((node.text or "", "comment"))
                self._add(node.tail)

    def _start(self, node: Any, name: str) -> None:
        reason = None if self._skipped else skip_reason(node, name)
        if reason is not None:
            self._skipped.append((node, reason))
        self._depth += name == "pre"
        self._in_headings += name in HEADINGS
        if name == "img":
            self.aside.append((node.get("alt", ""), "description of a picture"))
        self._edge(name, node, is_start=True)
        if self._headings[name] >= _LEAST_HEADINGS and not self._skipped:
            self.parts.append(f"{'#' * HEADINGS[name]} ")
        self._add(node.text)

    def _end(self, node: Any, name: str) -> None:
        self._edge(name, node, is_start=False)
        self._depth -= name == "pre"
        self._in_headings -= name in HEADINGS
        if self._skipped and self._skipped[-1][0] is node:
            self._skipped.pop()

    def _edge(self, name: str, node: Any, *, is_start: bool) -> None:
        if self._skipped:
            return
        if name in ("br", "hr"):
            edge = "\n\n* * *\n\n" if name == "hr" else " " if self._in_headings else "\n"
            self.parts.append(edge if is_start else "")
        elif is_block(node, name):
            self.parts.append("\n\n")

    def _add(self, text: str | None) -> None:
        if not text:
            return
        if self._skipped:
            self.aside.append((text, self._skipped[-1][1]))
        elif self._depth:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            self.parts.append(text)
            self.set_parts.append(text)
        else:
            self.parts.append(_SPACE.sub(" ", text))
