"""Which elements a selector of a style sheet fits; cssselect2 reads the selectors.

A selector fits surely, perhaps or not at all. It fits perhaps where that depends on a state of the element (``:hover``,
``[open]``), or on a class that a script sets or takes away.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from .html_rules import name_of

NO, PERHAPS, SURELY = 0, 1, 2
MOST_TOKENS = 400  # a selector of more words and signs is not read; the tests call each other for each part
_DEEPEST = 6  # a selector with brackets inside so many others is not read
MOST_STEPS = 3_000_000  # the tests of elements on a page
_LETTERS_OF_STEP = 100  # so many letters of an attribute are compared in about the time of a test
# Words that a script sets when a text is to be seen, or when it runs at all.
_TOGGLED = re.compile(
    r"(?:is-|has-)?(?:active|open(?:ed)?|shown?|visible|loaded|ready|current|selected|expanded|in|on|focus(?:ed)?|hydrated)|(?:no-?)?js",
    re.IGNORECASE,
)
_OF_SCRIPTS = re.compile(r"(?:no-?)?js", re.IGNORECASE)
_STATES = re.compile(r"open|hidden|checked|disabled|selected|aria-[\w-]+|data-[\w-]+", re.IGNORECASE)
_WHOLE = frozenset(["html", "body"])
_PLACES = re.compile(r"(?:(first|last|only)|nth(-last)?)-(child|of-type)")


class TooMuchWorkError(Exception):
    """The selectors are more work than those of any book."""


@dataclass
class Page:
    """What was found on a page, so that no selector looks at an element twice, and how many steps are left."""

    known: dict[tuple[object, Any], int] = field(default_factory=dict)
    places: dict[Any, dict[Any, tuple[int, ...]]] = field(default_factory=dict)
    words: dict[Any, frozenset[str]] = field(default_factory=dict)
    earlier: dict[Any, Any] = field(default_factory=dict)
    left: int = field(default_factory=lambda: MOST_STEPS)

    def step(self, count: int = 1) -> None:
        """Count steps."""
        self.left -= count
        if self.left < 0:
            raise TooMuchWorkError

    def classes(self, element: Any) -> frozenset[str]:
        """The classes of an element."""
        if element not in self.words:
            self.words[element] = frozenset((element.get("class") or "").split())
        return self.words[element]

    def before(self, element: Any) -> Any:
        """The element before another one, or nothing."""
        if element not in self.earlier:
            other = element.getprevious()
            while other is not None and not name_of(other):
                other = other.getprevious()
            self.earlier[element] = other
        return self.earlier[element]


_Test = Callable[[Any, Page], int]


@dataclass(frozen=True)
class Selector:
    """A selector: its text, its weight, and its test."""

    text: str
    weight: tuple[int, int, int]
    key: str  # a part of the selector that every element which it fits has: a class, an identifier, a name, or nothing
    fit: _Test


def _perhaps(element: Any, page: Page) -> int:
    return PERHAPS


# Stands for every selector that is too large to be read: it may fit, and come before all others.
LARGE = Selector("", (1 << 30, 0, 0), "", _perhaps)


class _AnyPrefix:
    """The namespaces of a sheet: every prefix is taken, and stands for itself."""

    def get(self, prefix: str | None, default: None = None) -> str | None:
        return prefix


def read_selector(tokens: Sequence[Any]) -> Selector | None:
    """A selector; nothing if it is wrong or fits no whole element."""
    import tinycss2
    from cssselect2 import parser

    if size_of(tokens) > MOST_TOKENS:
        return LARGE
    try:
        (selector,) = parser.parse(tokens, _AnyPrefix())
    except ValueError:
        return None
    if selector.pseudo_element is not None:
        return None
    tree = selector.parsed_tree
    return Selector(tinycss2.serialize(tokens).strip(), selector.specificity, _key(tree), _test(tree))


def size_of(tokens: Sequence[Any]) -> int:
    """How many tokens these are with those in their brackets; more than ``MOST_TOKENS`` if it goes too deep."""
    count = 0
    for _ in range(_DEEPEST):
        count += len(tokens)
        if not tokens or count > MOST_TOKENS:
            return count
        tokens = list(islice((inner for outer in tokens for inner in _inside(outer)), MOST_TOKENS + 1))
    return count if not tokens else MOST_TOKENS + 1


def _inside(token: Any) -> Sequence[Any]:
    """What stands in the brackets of a token."""
    return getattr(token, "content", None) or getattr(token, "arguments", None) or ()


def _key(tree: Any) -> str:
    keys = {"": ""}
    for part in getattr(tree, "right", tree).simple_selectors:
        kind = type(part).__name__
        keys[kind] = getattr(
            part, {"ClassSelector": "class_name", "IDSelector": "ident"}.get(kind, "lower_local_name"), ""
        )
    signs = (("ClassSelector", "."), ("IDSelector", "#"), ("LocalNameSelector", ""))
    return next((sign + keys[kind] for kind, sign in signs if keys.get(kind)), "")


def _test(node: Any) -> _Test:
    """The test of a part of a selector."""
    kind = type(node).__name__
    return _TESTS[kind](node) if kind in _TESTS else _perhaps


def _combined(node: Any) -> _Test:
    left, right, joint, walk = _test(node.left), _test(node.right), node.combinator, object()

    def beside(element: Any, page: Page) -> int:
        if joint in ">+":
            other = _next(element, joint, page)
            return left(other, page) if other is not None else NO
        walked: list[tuple[Any, int]] = []
        best, at = NO, element
        while best < SURELY and (walk, at) not in page.known:
            page.step()
            other = _next(at, joint, page)
            if other is None:
                break
            best = left(other, page)
            walked.append((at, best))
            at = other
        best = page.known.get((walk, at), best)
        for at, fits in reversed(walked):  # what holds for the outer elements holds for the inner ones
            best = page.known[walk, at] = max(best, fits)
        return best

    def test(element: Any, page: Page) -> int:
        if (node, element) not in page.known:
            page.step()
            fits = right(element, page)
            page.known[node, element] = min(fits, beside(element, page)) if fits else NO
        return page.known[node, element]

    return test


def _next(element: Any, joint: str, page: Page) -> Any:
    """The element around another one, or before it; or nothing."""
    return element.getparent() if joint in "> " else page.before(element)


def _compound(node: Any) -> _Test:
    tests = [_test(part) for part in node.simple_selectors]

    def test(element: Any, page: Page) -> int:
        worst = SURELY
        for part in tests:
            page.step()
            worst = min(worst, part(element, page))
            if worst == NO:
                break
        return worst

    return test


def _any_of(node: Any) -> _Test:
    tests = [_test(selector.parsed_tree) for selector in node.selector_list]
    return lambda element, page: max((test(element, page) for test in tests), default=NO)


def _none_of(node: Any) -> _Test:
    any_of = _any_of(node)
    is_toggled = any(_TOGGLED.fullmatch(word) for word in re.findall(r"[.#]([\w-]+)", repr(node)))

    def test(element: Any, page: Page) -> int:
        fits = SURELY - any_of(element, page)
        return min(fits, PERHAPS) if is_toggled or name_of(element) in _WHOLE else fits

    return test


def _class(node: Any) -> _Test:
    word, is_toggled = node.class_name, bool(_OF_SCRIPTS.fullmatch(node.class_name))

    def test(element: Any, page: Page) -> int:
        if word not in page.classes(element):
            return PERHAPS if is_toggled and name_of(element) in _WHOLE else NO
        return PERHAPS if is_toggled else SURELY

    return test


def _attribute(node: Any) -> _Test:
    absent = PERHAPS if _STATES.fullmatch(node.name) else NO

    def test(element: Any, page: Page) -> int:
        found = _value_of(element, node)
        if found is None:
            return absent
        page.step(len(found) // _LETTERS_OF_STEP)
        own, wanted = (
            (found, node.value or "") if node.case_sensitive is not False else (found.lower(), node.value.lower())
        )
        return SURELY if node.operator is None or _compare(own, node.operator, wanted) else absent

    return test


def _value_of(element: Any, node: Any) -> str | None:
    """An attribute by its name, or by its name behind any prefix (``epub|type``)."""
    if node.namespace == "":
        return next(
            (str(value) for name in (node.name, node.lower_name) if (value := element.get(name)) is not None), None
        )
    names = ((key, re.split("[}:]", key)[-1]) for key in element.attrib)
    return next((str(element.get(key)) for key, name in names if name == node.name != key), None)


def _compare(own: str, sign: str, wanted: str) -> bool:
    if sign == "=":
        return own == wanted
    if sign == "~=":
        return wanted in own.split()
    if sign == "|=":
        return own == wanted or own.startswith(f"{wanted}-")
    return bool(wanted) and {"^=": own.startswith, "$=": own.endswith, "*=": own.__contains__}[sign](wanted)


def _pseudo(node: Any) -> _Test:
    """What a word such as ``:first-child`` or ``:nth-child(2n+1)`` says; a word that is not known is a state."""
    from tinycss2.nth import parse_nth

    match = _PLACES.fullmatch(node.name)
    if match is None:
        return _OTHERS.get(node.name, _perhaps)
    step = (0, 1) if match[1] else parse_nth(getattr(node, "arguments", ()))
    if step is None:
        return _perhaps
    ends = (0, 1) if match[1] == "only" else (int("last" in node.name),)
    base = 2 if match[3] == "of-type" else 0

    def test(element: Any, page: Page) -> int:
        places = _places(element, page)
        return SURELY if all(_is_at(places[base + end], *step) for end in ends) else NO

    return test


def _is_at(place: int, step: int, offset: int) -> bool:
    return place == offset if step == 0 else (place - offset) % step == 0 and (place - offset) // step >= 0


def _places(element: Any, page: Page) -> tuple[int, ...]:
    """The place of an element among its neighbours, from both ends, and among those of its name."""
    parent = element.getparent()
    if parent is None:
        return (1, 1, 1, 1)
    if parent not in page.places:
        children = [child for child in parent if name_of(child)]
        counts = Counter(map(name_of, children))
        seen: Counter[str] = Counter()
        page.places[parent] = {}
        for number, child in enumerate(children, start=1):
            seen[name_of(child)] += 1
            place, count = seen[name_of(child)], counts[name_of(child)]
            page.places[parent][child] = (number, len(children) + 1 - number, place, count + 1 - place)
    return page.places[parent][element]


_OTHERS: dict[str, _Test] = {
    "root": lambda element, page: SURELY if element.getparent() is None else NO,
    "empty": lambda element, page: SURELY if next(element.iterchildren(), None) is None and not element.text else NO,
}
_TESTS: dict[str, Callable[[Any], _Test]] = {
    "CombinedSelector": _combined,
    "CompoundSelector": _compound,
    "MatchesAnySelector": _any_of,
    "SpecificityAdjustmentSelector": _any_of,
    "NegationSelector": _none_of,
    "LocalNameSelector": lambda node: lambda element, page: SURELY if name_of(element) == node.lower_local_name else NO,
    "NamespaceSelector": lambda node: lambda element, page: SURELY,
    "ClassSelector": _class,
    "IDSelector": lambda node: lambda element, page: SURELY if element.get("id") == node.ident else NO,
    "AttributeSelector": _attribute,
    "PseudoClassSelector": _pseudo,
    "FunctionalPseudoClassSelector": _pseudo,
}
