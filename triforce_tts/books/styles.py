"""Finds the elements that style sheets hide from every reader: ``display: none`` and ``visibility: hidden``.

What hides from a voice counts too: ``speak: none`` and ``@media speech``. A rule that hides counts only if it surely holds;
one that shows counts also if it holds only in some states of an element or on some screens, so that in doubt a text is spoken.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .html_rules import SKIP_ATTRIBUTE, name_of
from .selectors import MOST_LETTERS, NO, SURELY, Selector, forget, read_selectors, split_list

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_STRING = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
# A sign of a name, as in ``.wide\:shown``, is kept as one for private use.
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_SIGN = re.compile(r"[;{}]")
_SURE = re.compile(
    r"(?:only\s+)?(?:all|screen|speech|aural)|not\s+(?:print|tty|tv|projection|braille|embossed)", re.IGNORECASE
)
_ON_PAPER = re.compile(r"@media\s+(?:only\s+)?print\b[^,]*", re.IGNORECASE)
_SHOWN_ON = re.compile(r"\s*(?:|(?:only\s+)?(?:all|screen|speech|aural)\b.*)\s*", re.IGNORECASE)
# 'speak' says what is read aloud; its other values and those of 'visibility' hold for what is inside until it says otherwise.
_HIDING = {"display": ("none",), "visibility": ("hidden", "collapse"), "speak": ("none", "never")}
_INHERITED = ("visibility", "speak")
_DEEPEST = 4  # rules inside so many others are not looked at
_MOST_TRIES = 1_000_000  # when so many selectors were tried on a page, the rest of it is spoken
_WHOLE = frozenset(["html", "body"])  # scripts show these again

# The last word on each property: its rank, and whether it hides.
_Words = dict[str, tuple[tuple[int, ...], bool]]


@dataclass(frozen=True)
class _Rule:
    """What a rule says of one property: whom it fits, whether it hides, and its rank among others."""

    selector: Selector
    place: str
    hides: bool
    rank: tuple[int, ...]

    def fits(self, element: Any) -> bool:
        """Whether the rule holds for an element; one that hides must hold surely."""
        fit = self.selector.fit(element)
        return fit == SURELY if self.hides else fit != NO


def mark_hidden(root: Any, sheets: Sequence[str]) -> None:
    """Set an attribute on the elements of a page that its style sheets, in their order, hide."""
    rules = [rule for number, sheet in enumerate(sheets) for rule in _rules_of(sheet, number)]
    if not any(rule.hides for rule in rules):
        return
    table: dict[str, dict[tuple[object, ...], _Rule]] = {}
    for rule in sorted(rules, key=lambda rule: rule.rank):
        table.setdefault(rule.selector.key, {})[rule.selector.text, rule.place] = rule
    inherited: dict[str, tuple[list[Any], list[Any]]] = {place: ([], []) for place in _INHERITED}
    tries = 0
    for element in root.iter("{*}*"):
        name, words = name_of(element), element.get("class") or ""
        if name in _WHOLE or element.get(SKIP_ATTRIBUTE) is not None:
            continue
        keys = ("", name, f"#{element.get('id') or ''}", *(f".{word}" for word in dict.fromkeys(words.split())))
        found = [rule for key in keys if key in table for rule in table[key].values()]
        tries += sum(rule.hides for rule in found)
        said = _said_of(element, found) if tries < _MOST_TRIES else {}
        if "display" in said and said["display"][1]:
            element.set(SKIP_ATTRIBUTE, "hidden")
            continue
        for place in _INHERITED:
            if place in said:
                inherited[place][not said[place][1]].append(element)
    for unseen, seen in inherited.values():
        around = _around(seen)
        for element in unseen:
            if element not in around:
                element.set(SKIP_ATTRIBUTE, "hidden")
    forget(rule.selector for rule in rules)


def _said_of(element: Any, rules: Sequence[_Rule]) -> _Words:
    """The last word on each property for an element; nothing if no rule hides it."""
    fitting = [rule for rule in rules if rule.hides and rule.fits(element)]
    fitting += [
        rule for rule in rules if not rule.hides and (fitting or rule.place in _INHERITED) and rule.fits(element)
    ]
    if not fitting:
        return {}
    words: _Words = {}
    for rule in sorted(fitting, key=lambda rule: rule.rank):
        words[rule.place] = (rule.rank, rule.hides)
    return _with_own_style(words, element.get("style") or "")


def _around(elements: Sequence[Any]) -> set[Any]:
    """The elements that hold one of these, up to one that is skipped."""
    around: set[Any] = set()
    for element in elements:
        for outer in element.iterancestors():
            if outer in around or outer.get(SKIP_ATTRIBUTE) is not None:
                break
            around.add(outer)
    return around


def _with_own_style(words: _Words, style: str) -> _Words:
    """The last word on each property, of rules or of the element's own style."""
    words = words.copy()
    for place, (hides, important) in _declared(style).items():
        own = (important, 1, 0, 0, 0)
        if place not in words or own > words[place][0]:
            words[place] = (own, hides)
    return words


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
    strings: list[str] = []

    def kept(match: re.Match[str]) -> str:
        strings.append(match[0][1:-1])
        return f'"{len(strings) - 1}"'

    text = _STRING.sub(kept, _COMMENT.sub(" ", sheet))
    text = _ESCAPED.sub(lambda match: chr(0xE000 + ord(match[1])), text)
    for order, (selectors, body, is_sure) in enumerate(_blocks(text, "", 0)):
        declared = _declared(body)
        for selector in _selectors(selectors, tuple(strings)) if declared else ():
            for place, (hides, important) in declared.items():
                if is_sure or not hides:
                    yield _Rule(selector, place, hides, (important, 0, selector.weight, number, order))


def _selectors(text: str, strings: tuple[str, ...]) -> list[Selector]:
    """The selectors of a list, each of them once."""
    return list({selector.text: selector for selector in read_selectors(text, strings)}.values())


def _blocks(text: str, outer: str, depth: int, *, is_sure: bool = True) -> Iterator[tuple[str, str, bool]]:
    """The selectors and the declarations of the rules that may hold for a listener, and whether they do for everyone.

    ``outer`` is the selector of the rule around them, whose own declarations may stand between them.
    """
    at = 0
    while at < len(text):
        sign = _SIGN.search(text, at)
        head = text[at : sign.start() if sign else len(text)].strip()
        if sign is None or sign[0] != "{":
            at = sign.end() if sign else len(text)
            if outer and head:
                yield outer, head, is_sure
            continue
        at = _end_of(text, sign.start())
        body = text[sign.end() : at - 1]
        if depth >= _DEEPEST or _ON_PAPER.fullmatch(head):
            continue
        if head.startswith("@"):
            yield from _blocks(body, outer, depth + 1, is_sure=is_sure and _holds(head))
        elif "{" in body:
            yield from _blocks(body, _within(head, outer), depth + 1, is_sure=is_sure)
        else:
            yield _within(head, outer), body, is_sure


def _holds(head: str) -> bool:
    """Whether a rule such as ``@media screen`` holds wherever a text is read or heard."""
    name, _, queries = head.partition(" ")
    return name.lower() == "@media" and any(_SURE.fullmatch(query.strip()) for query in queries.split(","))


def _within(selectors: str, outer: str) -> str:
    """The selectors of a nested rule, with that of the rule around it in the place of ``&`` or before them."""
    if not outer:
        return selectors
    around = f":is({outer})"
    if len(outer) > MOST_LETTERS:
        return ""
    parts = (part.strip() for part in split_list(selectors))
    return ",".join(part.replace("&", around) if "&" in part else f"{around} {part}" for part in parts)


def _end_of(text: str, brace: int) -> int:
    """The place behind the brace that closes a rule; a rule that is not closed ends with the sheet."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(text, brace):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.end()
    return len(text) + 1


def _declared(body: str) -> dict[str, tuple[bool, bool]]:
    """What declarations say last of each property of being shown: whether it hides, and whether that is important."""
    said: dict[str, tuple[bool, bool]] = {}
    for declaration in body.split(";"):
        place, _, value = declaration.partition(":")
        place, words = place.strip().lower().removeprefix("-epub-"), value.lower().replace("!", " !").split()
        if place in _HIDING and words:
            important = "!important" in "".join(words[1:])
            if important or not said.get(place, (False, False))[1]:
                said[place] = (words[0] in _HIDING[place], important)
    return said
