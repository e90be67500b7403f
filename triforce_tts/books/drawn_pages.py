"""Reads pages of an epub that are drawings: their text is the text of the book, as that of any other page is."""

from typing import Any

from .html_rules import name_of

_XHTML = "{http://www.w3.org/1999/xhtml}"
# What an element of a drawing is called in a page: a line of text is a paragraph, and a title or a description is not shown.
_NAMES = {
    "svg": "div",
    "text": "p",
    "tspan": "span",
    "textpath": "span",
    "title": "head",
    "desc": "head",
    "metadata": "head",
}


def make_page(root: Any) -> None:
    """Turn the elements of a drawing, which is a page of its own, into those of a page."""
    drawn = root.tag.removesuffix("svg")
    for element in root.iter(f"{drawn}*"):
        name = name_of(element)
        if name == "tspan" and (element.get("y") or element.get("dy")):
            _set_apart(element)
        if element.get("display") == "none":
            name = "metadata"
        if name in _NAMES:
            element.tag = f"{_XHTML}{_NAMES[name]}"


def _set_apart(line: Any) -> None:
    """Put a space before a line of a text, which its place alone sets apart from the line above."""
    before = line.getprevious()
    if before is not None:
        before.tail = f"{before.tail or ''} "
    elif line.getparent() is not None and line.getparent().text:
        line.getparent().text += " "
