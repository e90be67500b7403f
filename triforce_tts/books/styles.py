"""Finds the elements that style sheets hide from every reader: ``display: none`` and ``visibility: hidden``.

A rule that hides counts only if its selector is plain: a name, classes and an identifier, as in ``p.note``. A rule that
shows counts also if it holds only inside other elements, in some states of an element or on some screens, so that in doubt
a text is spoken.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .html_rules import SKIP_ATTRIBUTE, name_of

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_STRING = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
# A sign of a name, as in ``.wide\:shown``, is kept as one for private use.
_ESCAPED, _KEPT = re.compile(r"\\([!-/:-@\[-`{-~])"), re.compile("[\ue000-\ue07f]")
_PLAIN = re.compile(r"(?P<name>[A-Za-z][\w-]*|\*)?(?P<rest>(?:[.#]-?(?:[^\W\d]|[\ue000-\ue07f])[\w\ue000-\ue07f-]*)*)")
_STATE = re.compile(r"\[\]|(?!::|:(?:before|after|first-line|first-letter|root|host)\b):[\w-]+")  # of a whole element
_WITHIN = re.compile(r"[\s>+~]+")
_MEDIA = re.compile(r"@media\s+(?:only\s+)?(?:all|screen)(?:\s*,.*)?\s*", re.IGNORECASE)
_ON_PAPER = re.compile(r"@media\s+(?:only\s+)?print\b[^,]*", re.IGNORECASE)
_SHOWN_ON = re.compile(r"\s*(?:|(?:only\s+)?(?:all|screen)\b.*)\s*", re.IGNORECASE)
_HIDING = {"display": ("none",), "visibility": ("hidden", "collapse")}
_DEEPEST = 4  # rules inside so many others are not looked at
_WHOLE = frozenset(["html", "body"])  # scripts show these again

# The last word on each property: its rank, and whether it hides.
_Words = dict[str, tuple[tuple[int, ...], bool]]


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
    table: dict[str, dict[tuple[object, ...], _Rule]] = {}
    for rule in sorted(rules, key=lambda rule: rule.rank):
        table.setdefault(rule.key, {})[rule.name, rule.classes, rule.identifiers, rule.place] = rule
    named = {identifier for rule in rules for identifier in rule.identifiers}
    known: dict[tuple[str, str, str], _Words] = {}
    unseen: list[Any] = []
    seen: list[Any] = []
    for element in root.iter("{*}*"):
        name, words, identifier = name_of(element), element.get("class") or "", element.get("id") or ""
        if name in _WHOLE or element.get(SKIP_ATTRIBUTE) is not None:
            continue
        key = (name, words, identifier if identifier in named else "")
        if key not in known:
            classes = set(words.split())
            found = (table.get(part, {}) for part in ("", name, f"#{identifier}", *(f".{word}" for word in classes)))
            fitting = (rule for own in found for rule in own.values() if rule.fits(name, classes, identifier))
            known[key] = {rule.place: (rule.rank, rule.hides) for rule in sorted(fitting, key=lambda rule: rule.rank)}
        said = _with_own_style(known[key], element.get("style") or "") if known[key] else {}
        if "display" in said and said["display"][1]:
            element.set(SKIP_ATTRIBUTE, "hidden")
        elif "visibility" in said:
            (unseen if said["visibility"][1] else seen).append(element)
    around = _around(seen)
    for element in unseen:
        if element not in around:
            element.set(SKIP_ATTRIBUTE, "hidden")


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
    text = _STRING.sub('""', _COMMENT.sub(" ", sheet))
    text = _ESCAPED.sub(lambda match: chr(0xE000 + ord(match[1])), text)
    for order, (selectors, body, is_sure) in enumerate(_blocks(text, 0)):
        declared = _declared(body)
        for selector in _without_brackets(selectors).split(",") if declared else ():
            parts = _WITHIN.split(selector.strip())
            plain, states = _STATE.subn("", parts[-1])
            match = _PLAIN.fullmatch(plain)
            if match is None or not parts[-1]:
                continue
            found = re.findall(r"[.#][^.#]+", match["rest"])
            words = [_KEPT.sub(lambda kept: chr(ord(kept[0]) - 0xE000), word) for word in found]
            classes = frozenset(word[1:] for word in words if word[0] == ".")
            identifiers = frozenset(word[1:] for word in words if word[0] == "#")
            name = (match["name"] or "").lower().strip("*")
            weight = 100 * len(identifiers) + 10 * (len(classes) + states + len(parts) - 1) + bool(name)
            for place, (hides, important) in declared.items():
                if hides and (len(parts) > 1 or states or not is_sure):
                    continue
                yield _Rule(name, classes, identifiers, place, hides, (important, 0, weight, number, order))


def _without_brackets(selectors: str) -> str:
    """Selectors with ``[]`` in the place of all that stands in brackets, such as ``[open]`` and the ``(.x)`` of ``:not(.x)``."""
    kept: list[str] = []
    depth = 0
    for part in re.split(r"([()\[\]])", selectors):
        if part in ("(", "["):
            depth += 1
        elif part in (")", "]"):
            depth = max(0, depth - 1)
            kept.append("" if depth else "[]")
        elif not depth:
            kept.append(part)
    return "".join(kept)


def _blocks(text: str, depth: int, *, is_sure: bool = True) -> Iterator[tuple[str, str, bool]]:
    """The selectors and the declarations of the rules that may hold for a screen, and whether they do on every one."""
    at = 0
    while (brace := text.find("{", at)) >= 0:
        head = re.split(r"[;}]", text[at:brace])[-1].strip()
        at = _end_of(text, brace)
        body = text[brace + 1 : at - 1]
        if not head.startswith("@"):
            yield head, body if "{" not in body else body[: body.index("{")].rpartition(";")[0], is_sure
        elif depth < _DEEPEST and not _ON_PAPER.fullmatch(head):
            yield from _blocks(body, depth + 1, is_sure=is_sure and bool(_MEDIA.fullmatch(head)))


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
        place, words = place.strip().lower(), value.lower().replace("!", " !").split()
        if place in _HIDING and words:
            important = "!important" in "".join(words[1:])
            if important or not said.get(place, (False, False))[1]:
                said[place] = (words[0] in _HIDING[place], important)
    return said
