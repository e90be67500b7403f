"""Finds pull quotes: sentences of a page that stand a second time, large, beside its text."""

import re
from typing import Any

from .chapters import letters
from .html_rules import SKIP_ATTRIBUTE, classes_of, lines_of, types_of

_TYPES = frozenset(["pullquote"])
_CLASS = re.compile(r"(?:[\w-]*[-_])?pull-?_?quotes?(?:[-_][\w-]*)?")
_CUT = re.compile(r"…|\.{3}|\[[^\]]*\]")  # what the quotation leaves out
_LEAST = 12  # a shorter piece of so many letters may stand in a page by chance


def mark_pull_quotes(root: Any) -> None:
    """Set an attribute on the pull quotes of a page: on those with that type, and on those of that class which repeat its text."""
    quotes: list[Any] = []  # those of that class, and not inside another one
    pulled: list[str] = []  # the letters of all pull quotes, which are no text that another one could repeat
    for element in root.iter("{*}*"):
        if not isinstance(element.tag, str) or element.get(SKIP_ATTRIBUTE) is not None:
            continue
        is_typed = bool(types_of(element) & _TYPES)
        if is_typed:
            element.set(SKIP_ATTRIBUTE, "pull quote")
        elif not any(map(_CLASS.fullmatch, classes_of(element))):
            continue
        if not any(map(_is_pull_quote, element.iterancestors())):
            quotes += [] if is_typed else [element]
            pulled.append(letters(" ".join(lines_of(element))))
    whole = letters(" ".join(lines_of(root))) if quotes else ""
    for element in quotes:
        if _is_repeated(element, whole, "\n".join(pulled)):
            element.set(SKIP_ATTRIBUTE, "pull quote")


def _is_pull_quote(element: Any) -> bool:
    return bool(types_of(element) & _TYPES) or any(map(_CLASS.fullmatch, classes_of(element)))


def _is_repeated(element: Any, whole: str, pulled: str) -> bool:
    """Whether every long piece of an element, but for a name behind a quotation, stands in the page outside pull quotes."""
    pieces = [letters(piece) for line in lines_of(element) for piece in _CUT.split(line)]
    long_pieces = [piece for piece in pieces if len(piece) >= _LEAST]
    longest = max(pieces, key=len, default="")
    return len(longest) >= _LEAST and all(
        whole.count(piece) > pulled.count(piece) or (piece is long_pieces[-1] and len(piece) * 3 < len(longest))
        for piece in long_pieces
    )
