"""Puts the signs into formulas of MathML that are drawn and not written: the bar of a fraction, the place of a power, a root."""

from typing import Any

from .html_rules import name_of

_LEAVES = frozenset(["mi", "mn", "mo", "mtext"])
_BETWEEN = {"mfrac": "/", "msup": "^", "msub": " "}


def write_signs(root: Any) -> None:
    """Write the signs of the formulas of a page that have no description of their own: ``1/3`` for a fraction."""
    for formula in root.iter("{*}math"):
        if not formula.get("alttext"):
            for element in formula.iter("{*}*"):
                _write(element)


def _write(element: Any) -> None:
    name, inner = name_of(element), [child for child in element if name_of(child)]
    if name in _BETWEEN and len(inner) == 2:
        _group(inner[0])
        _group(inner[1])
        inner[0].tail = (inner[0].tail or "").rstrip() + _BETWEEN[name]
    elif name == "msqrt" and inner:
        is_one = len(inner) == 1 and _is_one(inner[0])
        element.text = "√" if is_one else "√("
        if not is_one:
            inner[-1].tail = (inner[-1].tail or "").rstrip() + ")"
    elif name == "mfenced" and inner:
        element.text = element.get("open", "(")
        for child in inner[:-1]:
            child.tail = ", "
        inner[-1].tail = element.get("close", ")")


def _is_one(element: Any) -> bool:
    """Whether an element is one letter or number."""
    inner = [child for child in element if name_of(child)]
    return name_of(element) in _LEAVES or (name_of(element) == "mrow" and len(inner) == 1 and _is_one(inner[0]))


def _group(element: Any) -> None:
    """Put brackets into a part of several letters or numbers."""
    if not _is_one(element) and len(element) and name_of(element) == "mrow":
        element.text = "("
        element[-1].tail = (element[-1].tail or "").rstrip() + ")"
