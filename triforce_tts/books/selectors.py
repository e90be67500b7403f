"""Which elements a selector of a style sheet fits: names, classes, attributes, places, ``:not``, and what stands around.

A selector fits surely, perhaps or not at all. It fits perhaps where that depends on a state of the element (``:hover``,
``[open]``), or on a class that a script sets or takes away.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .html_rules import name_of

NO, PERHAPS, SURELY = 0, 1, 2
MOST_PARTS = 12  # a selector with more parts fits nothing
MOST_LETTERS = 4000  # a longer selector fits nothing
_MOST_PLACES = 300  # the places of later elements among their neighbours are not counted
_DEEPEST = 4  # brackets inside so many others are not looked at

Test = Callable[[Any], int]

_IDENT = r"-{0,2}(?:[^\W\d]|[\ue000-\ue07f])[\w\ue000-\ue07f-]*"
_NAME = re.compile(rf"(?:(?:{_IDENT}|\*)?\|)?({_IDENT}|\*)")
_WORD = re.compile(rf"([.#])({_IDENT})")
_ATTRIBUTE = re.compile(
    rf"\[\s*(?:({_IDENT}|\*)?\|(?!=))?({_IDENT})\s*(?:([~|^$*]?=)\s*(\"\d+\"|[^\s\]\"]+)\s*([iIsS])?\s*)?\]"
)
_PSEUDO = re.compile(rf"(::?)({_IDENT})(\()?")
_COMBINATOR = re.compile(r"\s*([>+~])\s*|\s+")
_STEP = re.compile(r"([+-]?\d*)n\s*(?:([+-])\s*(\d+))?|([+-]?\d+)", re.IGNORECASE)
_KEPT = re.compile("[\ue000-\ue07f]")  # a sign of a name that was escaped, as in ``.wide\:shown``
# These are parts of an element, not the whole.
_PARTS_OF_ELEMENT = frozenset(["before", "after", "first-line", "first-letter", "host"])
# Words that a script sets when a text is to be seen, or when it runs at all.
_TOGGLED = re.compile(
    r"(?:is-|has-)?(?:active|open(?:ed)?|shown?|visible|loaded|ready|current|selected|expanded|in|on|focus(?:ed)?|hydrated)|(?:no-?)?js",
    re.IGNORECASE,
)
_STATES = re.compile(r"open|hidden|checked|disabled|selected|aria-[\w-]+|data-[\w-]+", re.IGNORECASE)
_WHOLE = frozenset(["html", "body"])


@dataclass(frozen=True)
class Selector:
    """A selector: its text, its weight, and its parts from right to left, each with what joins it to the next one."""

    text: str
    weight: int
    parts: tuple[tuple[str, tuple[Test, ...]], ...]
    key: str  # a part of the selector that every element which it fits has: a class, an identifier, a name, or nothing
    known: dict[tuple[int, Any], int] = field(default_factory=dict, compare=False)

    def fit(self, element: Any) -> int:
        """Whether the selector fits an element."""
        return _fit(self, 0, element)


def read_selectors(text: str, strings: Sequence[str] = ()) -> Iterator[Selector]:
    """The selectors of a list; those that cannot be read are left out, because they fit nothing.

    Strings stand in the text as ``"0"``, ``"1"``, ... and their values in ``strings``.
    """
    for part in split_list(text) if len(text) <= MOST_LETTERS else ():
        selector = _Parser(part.strip(), strings, 0).selector()
        if selector is not None:
            yield selector


def forget(selectors: Iterable[Selector]) -> None:
    """Forget what was found on a page."""
    for selector in selectors:
        selector.known.clear()
    _position.cache_clear()


def split_list(text: str) -> list[str]:
    """The parts of a list between commas outside of brackets."""
    parts, depth, at = [], 0, 0
    for match in re.finditer(r"[()\[\],]", text):
        if match[0] in "([":
            depth += 1
        elif match[0] in ")]":
            depth -= 1
        elif depth == 0:
            parts.append(text[at : match.start()])
            at = match.end()
    return [*parts, text[at:]]


def _fit(selector: Selector, number: int, element: Any) -> int:
    """Whether the parts from this number on fit an element and what is around it."""
    joint, tests = selector.parts[number]
    if len(selector.parts) == 1:
        return min((test(element) for test in tests), default=SURELY)
    place = (number, element)
    if place not in selector.known:
        fits = min((test(element) for test in tests), default=SURELY)
        if fits and number + 1 < len(selector.parts):
            fits = min(fits, _fit_beside(selector, number + 1, joint, element))
        selector.known[place] = fits
    return selector.known[place]


def _fit_beside(selector: Selector, number: int, joint: str, element: Any) -> int:
    """Whether the parts from this number on fit an element in the place that a sign such as ``>`` names."""
    if joint in ">+":
        other = element.getparent() if joint == ">" else _before(element)
        return _fit(selector, number, other) if other is not None else NO
    walked: list[tuple[Any, int]] = []
    best, at = NO, element
    while best < SURELY:
        if (-number, at) in selector.known:
            best = selector.known[-number, at]
            break
        other = at.getparent() if joint == " " else _before(at)
        if other is None:
            break
        best = _fit(selector, number, other)
        walked.append((at, best))
        at = other
    for at, fits in reversed(walked):  # what holds for the outer elements holds for the inner ones
        best = selector.known[-number, at] = max(best, fits)
    return best


def _before(element: Any) -> Any:
    """The element before another one, or None."""
    other = element.getprevious()
    while other is not None and not name_of(other):
        other = other.getprevious()
    return other


class _Parser:
    """Reads one selector."""

    def __init__(self, text: str, strings: Sequence[str], depth: int) -> None:
        self._text, self._strings, self._depth = text, strings, depth
        self._at = 0
        self._weight = 0
        self._key = ""

    def selector(self) -> Selector | None:
        """The selector, or None if it cannot be read or fits no whole element."""
        parts: list[tuple[str, tuple[Test, ...]]] = []
        joint = ""
        while self._at < len(self._text) and len(parts) < MOST_PARTS:
            self._key = ""
            tests = self._compound()
            if tests is None:
                return None
            parts.append((joint, tests))
            match = _COMBINATOR.match(self._text, self._at)
            joint = (match[1] or " ") if match else ""
            self._at = match.end() if match else self._at
            if match is None:
                break
        if self._at < len(self._text) or joint or not parts:
            return None
        text = re.sub(r'"(\d+)"', lambda match: repr(self._string(match[0])), self._text)
        return Selector(text, self._weight, tuple(reversed(parts)), self._key)

    def _compound(self) -> tuple[Test, ...] | None:
        """What one element must be, or None."""
        tests: list[Test] = []
        start = self._at
        if match := _NAME.match(self._text, self._at):
            self._at = match.end()
            if match[1] != "*":
                name = match[1].lower()
                self._weight, self._key = self._weight + 1, name
                tests.append(lambda element: SURELY if name_of(element) == name else NO)
        while self._at < len(self._text):
            test = self._simple()
            if test is None:
                break
            tests.append(test)
        return tuple(tests) if self._at > start else None

    def _simple(self) -> Test | None:
        if match := _WORD.match(self._text, self._at):
            self._at = match.end()
            word = _KEPT.sub(lambda kept: chr(ord(kept[0]) - 0xE000), match[2])
            is_class = match[1] == "."
            self._weight += 10 if is_class else 100
            self._key = match[1] + word if is_class or not self._key.startswith(".") else self._key
            return _class_test(word) if is_class else lambda element: SURELY if element.get("id") == word else NO
        if match := _ATTRIBUTE.match(self._text, self._at):
            self._at = match.end()
            self._weight += 10
            return self._attribute(match)
        if match := _PSEUDO.match(self._text, self._at):
            return self._pseudo(match)
        return None

    def _attribute(self, match: re.Match[str]) -> Test:
        name, sign, value = match[2], match[3], match[4] or ""
        value = self._string(value) if value.startswith('"') else value
        is_loose = (match[5] or "").lower() == "i"
        is_state = bool(_STATES.fullmatch(name))
        absent = PERHAPS if is_state else NO

        def test(element: Any) -> int:
            found = _attribute_of(element, name, has_prefix=match[1] is not None)
            if found is None:
                return absent
            if sign is None:
                return SURELY
            own, wanted = (found.lower(), value.lower()) if is_loose else (found, value)
            return SURELY if _compare(own, sign, wanted) else absent

        return test

    def _string(self, quoted: str) -> str:
        number = int(quoted[1:-1])
        return self._strings[number] if number < len(self._strings) else ""

    def _pseudo(self, match: re.Match[str]) -> Test | None:
        name = match[2].lower()
        if match[1] == "::" or name in _PARTS_OF_ELEMENT:
            return None
        self._at = match.end()
        inside = ""
        if match[3]:
            end = _closing(self._text, match.end() - 1)
            inside, self._at = self._text[match.end() : end].strip(), end + 1
        if name in ("not", "is", "where", "matches", "any", "-webkit-any", "-moz-any"):
            return self._group(name, inside)
        self._weight += 10
        return _PLACES[name](inside) if name in _PLACES else lambda element: PERHAPS

    def _group(self, name: str, inside: str) -> Test:
        """``:not(...)``, ``:is(...)`` and ``:where(...)``."""
        if self._depth >= _DEEPEST:
            return lambda element: PERHAPS
        found = [_Parser(part.strip(), self._strings, self._depth + 1).selector() for part in split_list(inside)]
        inner = [selector for selector in found if selector is not None]
        self._weight += max((selector.weight for selector in inner), default=0) if name != "where" else 0
        if name != "not":
            return lambda element: max((selector.fit(element) for selector in inner), default=NO)
        if len(inner) < len(found):
            return lambda element: PERHAPS
        is_toggled = any(_TOGGLED.fullmatch(word) for word in re.findall(rf"[.#]({_IDENT})", inside))

        def test(element: Any) -> int:
            fits = SURELY - max((selector.fit(element) for selector in inner), default=NO)
            return min(fits, PERHAPS) if is_toggled or name_of(element) in _WHOLE else fits

        return test


def _class_test(word: str) -> Test:
    is_toggled = re.fullmatch(r"(?:no-?)?js", word, re.IGNORECASE) is not None

    def test(element: Any) -> int:
        if word not in (element.get("class") or "").split():
            return PERHAPS if is_toggled and name_of(element) in _WHOLE else NO
        return PERHAPS if is_toggled else SURELY

    return test


def _attribute_of(element: Any, name: str, *, has_prefix: bool) -> str | None:
    """An attribute by its name, or by its name behind any prefix (``epub|type``)."""
    if not has_prefix:
        value: str | None = element.get(name)
        return value if value is not None else element.get(name.lower(), None)
    for key, value in element.attrib.items():
        if re.split("[}:]", key)[-1] == name and key != name:
            return str(value)
    return None


def _compare(own: str, sign: str, wanted: str) -> bool:
    if sign == "=":
        return own == wanted
    if sign == "~=":
        return wanted in own.split()
    if sign == "|=":
        return own == wanted or own.startswith(f"{wanted}-")
    if not wanted:
        return False
    return {"^=": own.startswith, "$=": own.endswith, "*=": own.__contains__}[sign](wanted)


def _closing(text: str, at: int) -> int:
    """The place of the bracket that closes the one at this place, or the end."""
    depth = 0
    for match in re.compile(r"[()]").finditer(text, at):
        depth += 1 if match[0] == "(" else -1
        if depth == 0:
            return match.start()
    return len(text)


@lru_cache(maxsize=50_000)
def _position(element: Any, *, is_last: bool, same: bool) -> int:
    """The place of an element among its neighbours, or among those of its name, from 1 on."""
    name, count = name_of(element), 1
    for other in element.itersiblings(preceding=not is_last):
        count += bool(name_of(other)) and (not same or name_of(other) == name)
        if count > _MOST_PLACES:
            break
    return count


def _nth(*, is_last: bool, same: bool) -> Callable[[str], Test]:
    def with_step(inside: str) -> Test:
        words = {"odd": "2n+1", "even": "2n"}.get(inside.lower(), inside)
        match = _STEP.fullmatch(words.strip())
        if match is None:
            return lambda element: PERHAPS
        if match[4]:
            step, offset = 0, int(match[4])
        else:
            step = int(match[1] + ("1" if match[1] in ("", "+", "-") else ""))
            offset = int((match[2] or "+") + (match[3] or "0"))

        def test(element: Any) -> int:
            place = _position(element, is_last=is_last, same=same)
            if place > _MOST_PLACES:
                return PERHAPS if step else NO
            beyond = place - offset
            fits = beyond == 0 if step == 0 else beyond % step == 0 and beyond // step >= 0
            return SURELY if fits else NO

        return test

    return with_step


def _only(*, same: bool) -> Callable[[str], Test]:
    def test(element: Any) -> int:
        return SURELY if all(_position(element, is_last=last, same=same) == 1 for last in (False, True)) else NO

    return lambda inside: test


_PLACES: dict[str, Callable[[str], Test]] = {
    "first-child": lambda inside: _nth(is_last=False, same=False)("1"),
    "last-child": lambda inside: _nth(is_last=True, same=False)("1"),
    "first-of-type": lambda inside: _nth(is_last=False, same=True)("1"),
    "last-of-type": lambda inside: _nth(is_last=True, same=True)("1"),
    "nth-child": _nth(is_last=False, same=False),
    "nth-last-child": _nth(is_last=True, same=False),
    "nth-of-type": _nth(is_last=False, same=True),
    "nth-last-of-type": _nth(is_last=True, same=True),
    "only-child": _only(same=False),
    "only-of-type": _only(same=True),
    "root": lambda inside: lambda element: SURELY if element.getparent() is None else NO,
    "empty": lambda inside: lambda element: SURELY if len(element) == 0 and not (element.text or "") else NO,
}
