"""Finds the elements that style sheets hide from every reader: ``display: none`` and ``visibility: hidden``.

What hides from a voice counts too: ``speak: none`` and ``@media speech``. A rule that hides counts only if it surely holds;
one that shows counts also if it holds only in some states of an element or on some screens, so that in doubt a text is spoken.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice
from typing import Any

from .html_rules import SKIP_ATTRIBUTE, name_of
from .selectors import LARGE, MOST_TOKENS, NO, SURELY, Page, Selector, TooMuchWorkError, read_selector, size_of

_SURE = re.compile(
    r"(?:only\s+)?(?:all|screen|speech|aural)|not\s+(?:print|tty|tv|projection|braille|embossed)", re.IGNORECASE
)
_ON_PAPER = re.compile(r"@media\s+(?:only\s+)?print\b[^,]*", re.IGNORECASE)
_SHOWN_ON = re.compile(r"\s*(?:|(?:only\s+)?(?:all|screen|speech|aural)\b.*)\s*", re.IGNORECASE)
# 'speak' says what is read aloud; its other values and those of 'visibility' hold for what is inside until it says otherwise.
_HIDING = {"display": ("none",), "visibility": ("hidden", "collapse"), "speak": ("none", "never")}
_INHERITED = ("visibility", "speak")
_DEEPEST = 4  # rules inside so many others are not looked at
MOST_LETTERS = 2_000_000  # a longer sheet hides nothing
# A sheet whose selectors have more words and signs, each nested one with those around it, hides nothing.
MOST_TOKENS_READ = 400_000
_RULES_OF_STEP = 8  # so many rules are gone through in about the time of a test
_WHOLE = frozenset(["html", "body"])  # scripts show these again

# The last word on each property: its rank, and whether it hides.
_Words = dict[str, tuple[tuple[int, ...], bool]]
_Selectors = Sequence[Sequence[Any]]
_Block = tuple[_Selectors, Sequence[Any], bool]


@dataclass(frozen=True)
class _Rule:
    """What a rule says of one property: whom it fits, whether it hides, and its rank among others."""

    selector: Selector
    place: str
    hides: bool
    rank: tuple[int, ...]

    def fits(self, element: Any, page: Page) -> bool:
        """Whether the rule holds for an element; one that hides must hold surely."""
        fit = self.selector.fit(element, page)
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
    page = Page()
    for element in root.iter("{*}*"):
        name, words = name_of(element), element.get("class") or ""
        if name in _WHOLE or element.get(SKIP_ATTRIBUTE) is not None:
            continue
        keys = ("", name, f"#{element.get('id') or ''}", *(f".{word}" for word in dict.fromkeys(words.split())))
        found = [rule for key in keys if key in table for rule in table[key].values()]
        try:
            page.step(len(found) // _RULES_OF_STEP)
            said = _said_of(element, found, page)
        except TooMuchWorkError:
            return  # the rest of the page is spoken
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


def _said_of(element: Any, rules: Sequence[_Rule], page: Page) -> _Words:
    """The last word on each property for an element; nothing if no rule hides it."""
    fitting = [rule for rule in rules if rule.hides and rule.fits(element, page)]
    fitting += [
        rule for rule in rules if not rule.hides and (fitting or rule.place in _INHERITED) and rule.fits(element, page)
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
    for place, (hides, important) in _declared(_parsed(style)).items():
        own = (important, 1, 0, 0, 0, 0, 0)
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
    try:
        return tuple(_rules(sheet, number))
    except TooMuchWorkError:
        return ()


def _rules(sheet: str, number: int) -> Iterator[_Rule]:
    import tinycss2

    parts = tinycss2.parse_stylesheet(sheet, True, True) if len(sheet) <= MOST_LETTERS else []
    left = MOST_TOKENS_READ
    for order, (selectors, declarations, is_sure) in enumerate(_blocks(parts, [], 0)):
        declared = _declared(declarations)
        found = []
        for tokens in selectors if declared else ():
            left -= 1 + size_of(tokens)
            if left < 0:
                raise TooMuchWorkError
            found.append(read_selector(tokens))
        for selector in {selector.text: selector for selector in found if selector is not None}.values():
            for place, (hides, important) in declared.items():
                if not hides or (is_sure and selector is not LARGE):
                    yield _Rule(selector, place, hides, (important, 0, *selector.weight, number, order))


def _blocks(parts: Sequence[Any], outer: _Selectors, depth: int, *, is_sure: bool = True) -> Iterator[_Block]:
    """The selectors and the declarations of the rules that may hold for a listener, and whether they do for everyone.

    ``outer`` are the selectors of the rule around them, whose own declarations may stand between them.
    """
    listed: list[Any] = []
    for kind, group in groupby(parts, key=lambda part: part.type):
        rules = list(group)
        if kind == "declaration" and outer:
            yield outer, rules, is_sure
        for rule in rules:
            if depth > _DEEPEST or kind not in ("at-rule", "qualified-rule") or rule.content is None:
                continue
            inner, around, sure = _parsed(rule.content), outer, is_sure
            if kind == "qualified-rule":
                listed = listed or _listed(outer)
                around = _within(rule.prelude, listed)
                if not around:
                    continue
            else:
                head = _head(rule)
                if _ON_PAPER.fullmatch(head):
                    continue
                sure = is_sure and _holds(head)
            yield from _blocks(inner, around, depth + 1, is_sure=sure)


def _head(rule: Any) -> str:
    """The words of a rule such as ``@media screen``; of a very long one only the sign."""
    import tinycss2

    is_short = size_of(rule.prelude) <= MOST_TOKENS
    return f"@{rule.lower_at_keyword}{tinycss2.serialize(rule.prelude)}".strip() if is_short else "@"


def _holds(head: str) -> bool:
    """Whether a rule such as ``@media screen`` holds wherever a text is read or heard."""
    name, _, queries = head.partition(" ")
    return name == "@media" and any(_SURE.fullmatch(query.strip()) for query in queries.split(","))


def _listed(selectors: _Selectors) -> list[Any]:
    """Selectors as one list with commas, as far as a selector around it would be read."""
    from tinycss2.ast import LiteralToken

    comma = LiteralToken(0, 0, ",")
    return list(islice((token for part in selectors for token in (*part, comma)), MOST_TOKENS + 2))[:-1]


def _within(prelude: Sequence[Any], listed: Sequence[Any]) -> _Selectors:
    """The selectors of a rule; of a nested one with the list of those around it in the place of ``&`` or before them."""
    from tinycss2.ast import FunctionBlock, LiteralToken, WhitespaceToken

    parts = [list(part) for is_comma, part in groupby(prelude, key=lambda token: token == ",") if not is_comma]
    if not listed:
        return parts
    around = [LiteralToken(0, 0, ":"), FunctionBlock(0, 0, "is", listed)]
    return [
        _put(part if "&" in part else [LiteralToken(0, 0, "&"), WhitespaceToken(0, 0, " "), *part], around)
        for part in parts
    ]


def _put(part: Sequence[Any], around: Sequence[Any]) -> list[Any]:
    """A selector with others in the place of ``&``."""
    return [put for token in part for put in (around if token == "&" else (token,))]


def _parsed(content: str | Sequence[Any]) -> list[Any]:
    import tinycss2

    return list(tinycss2.parse_blocks_contents(content, True, True))


def _declared(declarations: Sequence[Any]) -> dict[str, tuple[bool, bool]]:
    """What declarations say last of each property of being shown: whether it hides, and whether that is important."""
    said: dict[str, tuple[bool, bool]] = {}
    for declaration in declarations:
        if declaration.type != "declaration":
            continue
        place = declaration.lower_name.removeprefix("-epub-")
        words = [token.lower_value for token in declaration.value if token.type == "ident"]
        if place in _HIDING and words and (declaration.important or not said.get(place, (False, False))[1]):
            said[place] = (words[0] in _HIDING[place], declaration.important)
    return said
