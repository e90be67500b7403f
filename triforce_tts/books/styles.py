"""Finds the elements that style sheets hide from every reader: ``display: none`` and ``visibility: hidden``.

A rule that hides counts only if its selector is plain: a name, classes and an identifier, as in ``p.note``. A rule that
shows counts also if it holds only inside other elements, so that in doubt a text is spoken.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .html_rules import SKIP_ATTRIBUTE, name_of

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_STRING = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_PLAIN = re.compile(r"(?P<name>[A-Za-z][\w-]*|\*)?(?P<rest>(?:[.#]-?[^\W\d][\w-]*)*)")
_WITHIN = re.compile(r"[\s>+~]+")
_MEDIA = re.compile(r"@media\s+(?:only\s+)?(?:all|screen)(?:\s*,.*)?\s*", re.IGNORECASE)
_SHOWN_ON = re.compile(r"\s*(?:|(?:only\s+)?(?:all|screen)\b.*)\s*", re.IGNORECASE)
_HIDING = {"display": ("none",), "visibility": ("hidden", "collapse")}
_DEEPEST = 4  # rules inside so many others are not looked at
_WHOLE = frozenset(["html", "body"])  # scripts show these again


@dataclass(frozen=True)
class _Rule:
    """What a rule says of one property: the elements that it fits, whether it hides them, and its rank among others."""

    name: str
    classes: frozenset[str]
    identifiers: frozenset[str]
    place: str
    hides: bool
    rank: tuple[int, ...]

    @property
    def key(self) -> str:
        """A part of the selector that every element which it fits has."""
        return next((f".{word}" for word in self.classes), next((f"#{word}" for word in self.identifiers), self.name))

    def fits(self, name: str, classes: set[str], identifier: str) -> bool:
        """Whether the rule holds for an element."""
        return self.name in ("", name) and self.classes <= classes and self.identifiers <= {identifier}


def mark_hidden(root: Any, sheets: Sequence[str]) -> None:
    """Set an attribute on the elements of a page that its style sheets, in their order, hide."""
    rules = [rule for number, sheet in enumerate(sheets) for rule in _rules_of(sheet, number)]
    if not any(rule.hides for rule in rules):
        return
    table: dict[str, list[_Rule]] = {}
    for rule in rules:
        table.setdefault(rule.key, []).append(rule)
    named = {identifier for rule in rules for identifier in rule.identifiers}
    known: dict[tuple[str, str, str], tuple[_Rule, ...]] = {}
    for element in root.iter("{*}*"):
        name, words, identifier = name_of(element), element.get("class") or "", element.get("id") or ""
        if name in _WHOLE or element.get(SKIP_ATTRIBUTE) is not None:
            continue
        key = (name, words, identifier if identifier in named else "")
        if key not in known:
            classes = set(words.split())
            found = (table.get(part, []) for part in ("", name, f"#{identifier}", *(f".{word}" for word in classes)))
            known[key] = tuple(rule for own in found for rule in own if rule.fits(name, classes, identifier))
        if known[key] and _is_hidden(known[key], element.get("style") or ""):
            element.set(SKIP_ATTRIBUTE, "hidden")


def _is_hidden(rules: tuple[_Rule, ...], style: str) -> bool:
    """Whether the last word on one of the properties, of rules or of the element's own style, is that it hides."""
    ranked = [(rule.place, rule.rank, rule.hides) for rule in rules]
    ranked += [(place, (important, 1, 0, 0, 0), hides) for place, hides, important in _declared(style)]
    return any(
        max((rank, hides) for named, rank, hides in ranked if named == place)[1] for place in {r[0] for r in ranked}
    )


def sheets_in(root: Any) -> Iterator[tuple[str, str]]:
    """The style sheets of a page that hold for a screen, in order: the address of each and, if it stands in the page, its text."""
    for element in root.iter("{*}link", "{*}style"):
        # What stands in a ``noscript`` holds only where no script runs.
        is_apart = any(name_of(around) == "noscript" for around in element.iterancestors())
        if is_apart or not _SHOWN_ON.fullmatch(element.get("media") or ""):
            continue
        if name_of(element) == "style":
            yield "", element.text or ""
        elif (element.get("rel") or "").lower().split() == ["stylesheet"] and element.get("href"):
            yield element.get("href"), ""


@lru_cache(maxsize=32)
def _rules_of(sheet: str, number: int) -> tuple[_Rule, ...]:
    """The rules of the sheet with this number that show or hide; the pages of a book share their sheets."""
    return tuple(_rules(sheet, number))


def _rules(sheet: str, number: int) -> Iterator[_Rule]:
    text = _STRING.sub('""', _COMMENT.sub(" ", sheet))
    for order, (selectors, body) in enumerate(_blocks(text, 0)):
        declared = list(_declared(body))
        for selector in selectors.split(",") if declared else ():
            parts = _WITHIN.split(selector.strip())
            match = _PLAIN.fullmatch(parts[-1])
            if match is None or not match[0]:
                continue
            words = re.findall(r"[.#][^.#]+", match["rest"])
            classes = frozenset(word[1:] for word in words if word[0] == ".")
            identifiers = frozenset(word[1:] for word in words if word[0] == "#")
            name = (match["name"] or "").lower().strip("*")
            for place, hides, important in declared:
                if hides and len(parts) > 1:
                    continue
                weight = 100 * len(identifiers) + 10 * (len(classes) + len(parts) - 1) + bool(name)
                rank = (important, 0, weight, number, order)
                yield _Rule(name, classes, identifiers, place, hides, rank)


def _blocks(text: str, depth: int) -> Iterator[tuple[str, str]]:
    """The selectors and the declarations of the rules that hold for a screen."""
    at = 0
    while (brace := text.find("{", at)) >= 0:
        head = re.split(r"[;}]", text[at:brace])[-1].strip()
        at = _end_of(text, brace)
        body = text[brace + 1 : at - 1]
        if not head.startswith("@"):
            yield head, body if "{" not in body else body[: body.index("{")].rpartition(";")[0]
        elif _MEDIA.fullmatch(head) and depth < _DEEPEST:
            yield from _blocks(body, depth + 1)


def _end_of(text: str, brace: int) -> int:
    """The place behind the brace that closes a rule; a rule that is not closed ends with the sheet."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(text, brace):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.end()
    return len(text) + 1


def _declared(body: str) -> Iterator[tuple[str, bool, bool]]:
    """What declarations say of being shown: a property, whether it hides, and whether it is important."""
    for declaration in body.split(";"):
        place, _, value = declaration.partition(":")
        place, words = place.strip().lower(), value.lower().replace("!", " !").split()
        if place in _HIDING and words:
            yield place, words[0] in _HIDING[place], "!important" in "".join(words[1:])
