"""Finds the speakers in a paragraph of prose, if simple rules leave no doubt.

A quotation has a speaker in three cases. A clause such as ``said Jack`` or ``Jack said`` follows it. A clause such as
``Jack said,`` leads to it. Or it goes on with a speech that only such a clause interrupted: "No," said Jack, "not now."
Pronouns, two names, and a name in the possessive give no speaker. All other quotations stay without one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_UPPER = "A-ZÀ-ÖØ-Þ"
_TITLES = ("Mr", "Mrs", "Ms", "Dr", "Prof", "Capt", "Col", "Gen", "Rev", "Hon", "St", "Sir", "Lady", "Lord")
_TITLE = rf"(?:{'|'.join(_TITLES)})\.?"
_NAME = (
    rf"(?:[Tt]he\s+)?(?:{_TITLE}\s+)?(?P<{{0}}>[{_UPPER}][\w’'-]*(?:\s+(?:(?:of|de|von|van|le|la)\s+)?[{_UPPER}][\w’'-]*)*)"
    rf"(?<!['’]s)(?<!['’])(?![\w’'-])(?!\s+[{_UPPER}])(?!,?\s+(?:and|or|&)\s+(?:[{_UPPER}]|the\b|his\b|her\b|their\b))"
)
_VERBS = (
    "said|says|asked|asks|replied|replies|answered|answers|cried|cries|exclaimed|whispered|shouted|called|murmured|muttered|"
    "returned|remarked|added|continued|repeated|inquired|enquired|observed|interrupted|growled|sighed|screamed|yelled|begged|"
    "demanded|declared|suggested|began|snapped|gasped|pleaded|roared|sobbed|thought|explained|protested|agreed|admitted"
)
_NO_NAMES = frozenset(
    [
        "I",
        "He",
        "She",
        "It",
        "They",
        "We",
        "You",
        "Who",
        "This",
        "That",
        "There",
        "Here",
        "Somebody",
        "Someone",
        "Everybody",
        "Everyone",
        "Nobody",
        "One",
        "Both",
        "All",
        "Then",
        "And",
        "But",
        "So",
        "Now",
    ]
)
_BEHIND = re.compile(
    rf"[\s—–-]*(?:(?:{_VERBS})\s+{_NAME.format('a')}|{_NAME.format('b')}\s+(?:{_VERBS})\b(?P<rest>\s*[.,;:!?—]|\s+\w+ly\s*[.,;:]|))"
)
_BEFORE = re.compile(
    rf"(?:^|[.!?][\"”’]?\s+)(?:(?:Then|And|But|So|Now|At last)\s+)?{_NAME.format('a')}\s+(?:{_VERBS})(?:\s+\w+ly)?\s*[,:]\s*$"
)
_OTHERS = re.compile(rf"\s*(?:[a-z]|(?:He|She|It|They|We|You|I)\s+(?:{_VERBS})\b)")
_SECOND = re.compile(
    rf"[{_UPPER}][\w’'-]*\s+(?:{_VERBS})\b|\b(?:{_VERBS})\s+[{_UPPER}]"
)  # another clause, such as "as Jill said"
_SENTENCE_END = re.compile(r"[.!?](?=[\s\"”’])")


@dataclass(frozen=True)
class Speech:
    """A part of a text and the name of its speaker; the narrator speaks a part without a name."""

    text: str
    speaker: str = ""


def speeches(text: str) -> list[Speech]:
    """The parts of a paragraph in order, each with the speaker that is certain; their texts joined are ``text``."""
    spans = list(_quotations(text))
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    gaps = [text[edges[n] : edges[n + 1]] for n in range(0, len(edges) - 1, 2)]
    parts: list[Speech] = []
    speaker = ""
    for number, (begin, end) in enumerate(spans):
        quoted, before, behind = text[begin:end], gaps[number], gaps[number + 1]
        goes_on = speaker if number and _only_attributes(before) and _is_end(quoted, behind) else ""
        speaker = _stated(quoted, before, behind) or goes_on
        parts += [Speech(before), Speech(quoted, speaker)]
    return [part for part in [*parts, Speech(gaps[-1])] if part.text]


def _quotations(text: str) -> Iterator[tuple[int, int]]:
    """The begin and the end of each outermost quotation, with its marks."""
    at = 0
    while at < len(text):
        mark = text[at]
        opens = mark in '“"‘' and (at == 0 or text[at - 1] in " \n([—–-") and text[at + 1 : at + 2].strip()
        end = _closing(text, at) if opens else -1
        if end > 0:
            yield at, end
        at = max(at + 1, end)


def _closing(text: str, begin: int) -> int:
    """The place behind the mark that closes the quotation at ``begin``; -1 if it is not closed."""
    mark = text[begin]
    if mark != "‘":
        end = text.find("”" if mark == "“" else '"', begin + 1)
        is_closed = (
            end > begin + 1 and not text[end - 1].isspace() and (mark != "“" or "“" not in text[begin + 1 : end])
        )
        return end + 1 if is_closed else -1
    closed = re.compile(r"[.,!?…;—–-]’(?=$|[\s.,;:)—–-])").search(text, begin + 1)
    if closed is None or re.search(r"(?:^|[\s(])‘", text[begin + 1 : closed.end()]):
        return -1
    return closed.end()


def _stated(quoted: str, before: str, behind: str) -> str:
    """The speaker that a clause before or behind a quotation names; none if both do and differ."""
    last = quoted.rstrip('"”’')[-1:]
    names = set()
    match = _BEHIND.match(behind) if last in ",!?…—–-" else None
    # Behind a question, "Jack returned to his seat" is no attribution, but "Jack asked." is one.
    if match and (match["a"] or last == "," or match["rest"]):
        names.add(_name(match, "a" if match["a"] else "b"))
    if match := _BEFORE.search(before):
        names.add(_name(match, "a"))
    names.discard("")
    return names.pop() if len(names) == 1 else ""


def _name(match: re.Match[str], group: str) -> str:
    """The name in a match with its title, or nothing if it is a pronoun or a lone title."""
    name = match[group]
    if name.split()[0] in _NO_NAMES or name in _TITLES:
        return ""
    title = re.search(rf"({_TITLE})\s+$", match.string[match.start() : match.start(group)])
    return " ".join(f"{title[1]} {name}".split()) if title else " ".join(name.split())


def _only_attributes(gap: str) -> bool:
    """Whether nothing but one clause of attribution stands between two quotations."""
    match = _BEHIND.match(gap)
    rest = gap[match.end() :].rstrip()[:-1] + " " if match else ""
    return match is not None and not _SENTENCE_END.search(rest) and not _SECOND.search(rest)


def _is_end(quoted: str, behind: str) -> bool:
    """Whether the text behind a quotation attributes it to nobody else."""
    return quoted.rstrip('"”’')[-1:] != "," and not _OTHERS.match(behind)
