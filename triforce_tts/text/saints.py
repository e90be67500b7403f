"""``St.`` and ``Dr.``: Saint and Doctor before a name, Street and Drive behind one."""

import re
from collections.abc import Callable

from triforce_tts.text.abbreviation_names import OPENERS, SAINTS, TITLES

ENDS_TEXT = r"[\"')\] ]*$"
AMOUNT = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    "|hundred|thousand|dozen|few|several|many|half"
)
# 'In Oak St. John was' speaks of a street, 'Mark St. John' does not.
_ON_A_STREET = re.compile(
    rf"\b(?i:on|off|along|down|up|to|from|at|of|near|in|[0-9]\w*|one|{AMOUNT}) (?:[A-Z]\w*\.? ){{1,2}}$"
)
_AND_WIFE = re.compile(r" (?:and|or|&) (?:Mrs|Mr|Ms|Mme|Prof|Missus|Mister|Miz|Madame|Professor|Miss|Lady)\b")
_OWNED = re.compile(r"\b(?i:the|a|my|this|our|her|his|your|dear|good|old) $")
_BEHIND = re.compile(
    rf"\b(?:In|At|To|From|The|And|Of|By|For|Sir|Miss|Lord|Lady|(?:{OPENERS})'\w+|{'|'.join(TITLES.values())}) $"
)


def kept_stop(match: re.Match[str]) -> str:
    """The full stop of an abbreviation at the end of the text, where it closes the sentence as well; empty elsewhere."""
    closes = match[0].endswith(".") and re.match(ENDS_TEXT, match.string[match.end() : match.end() + 8])
    return "." if closes else ""


def is_named(before: str, after: str) -> bool:
    """Whether 'Dr.' belongs to one of two names that are words: 'Dr. No (1962)', 'Dr. Who'; not in 'on Oak Dr. No one came'."""
    return bool(re.match(r" (?:Who|No)\b(?! [a-z])| Who is\b", after)) and not re.search(r"[A-Z]\w+ $", before)


def say_saint_or(street: str, before_name: str) -> Callable[[re.Match[str]], str]:
    """The words for the abbreviation, by what stands around it."""

    def say(match: re.Match[str]) -> str:
        before = match.string[max(0, match.start() - 30) : match.start()]
        after = match.string[match.end() : match.end() + 8]
        named_before = re.search(r"[A-Z0-9][\w']* $", before)
        sentence_start = re.search(r"(?:^|[.!?\"] ?)[A-Z][\w']* $", before) and len(before) < 30
        name_follows = re.match(r" [A-Z]", after)
        saint_follows = re.match(rf" (?:{SAINTS})\b", match.string[match.end() : match.end() + 16])
        if before_name == "Saint" and saint_follows and not _ON_A_STREET.search(before):
            return before_name
        if before_name == "Doctor" and is_named(before, match.string[match.end() :][:8]):
            return before_name
        if before_name == "Doctor" and (_OWNED.search(before) or _AND_WIFE.match(match.string, match.end())):
            return before_name
        if name_follows and (not named_before or sentence_start or _BEHIND.search(before)):
            return before_name
        if named_before or not name_follows:
            return f"{street}." if re.match(ENDS_TEXT, after) or name_follows else street
        return before_name

    return say
