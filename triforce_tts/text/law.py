"""Places in laws and rules of courts: ``Rule 12(b)(6)``, ``501(c)(3)``, ``Fed. R. Civ. P. 12``, ``F. Supp. 2d``."""

import re

from triforce_tts.text.numbers import Rule, number_words, pairs, rule, spell_digits
from triforce_tts.text.roman import roman_value

_RULES_OF_COURTS = {
    "Civ. P": "Civil Procedure",
    "Crim. P": "Criminal Procedure",
    "App. P": "Appellate Procedure",
    "Bankr. P": "Bankruptcy Procedure",
    "Evid": "Evidence",
}
_PART = r"\((?:[a-z]|[A-Z]|[0-9]{1,2}|[ivx]{2,4})\)"
# A full stop behind the first of each pair ends no sentence before the second.
_OPEN = [
    (re.compile(r"\bFed\.$"), re.compile(r"R\. (?:Civ|Crim|App|Bankr|Evid)\.")),
    (re.compile(r"\bR\. (?:Civ|Crim|App|Bankr)\.$"), re.compile(r"P\.")),
    (re.compile(r"\bPub\.$"), re.compile(r"L\. ?(?:No\. )?[0-9]")),
    (re.compile(r"\bPub\. L\.$"), re.compile(r"(?:No\. )?[0-9]")),
    (
        re.compile(r"(?:[0-9] (?:F|F\. Supp|[SL]\. Ct|[SL]\. Ed|Stat)|[0-9](?:st|nd|rd|d|th) Cir)\.$"),
        re.compile(r"[23]d\b|Supp\.|[0-9]{1,4}[ ,(.;]|[12][0-9]{3}\)"),
    ),
]


def is_within_place(before: str, after: str) -> bool:
    """Whether a full stop stands inside a place in a law or a report of cases: '410 F. Supp. 2d', 'Fed. R. Civ. P. 12'."""
    return any(first.search(before) and second.match(after) for first, second in _OPEN)


def _say_rule(match: re.Match[str]) -> str:
    return f"{'Federal ' if match[1] else ''}Rule of {_RULES_OF_COURTS[match[2]]}"


def _say_place(match: re.Match[str]) -> str:
    """``12(b)(6)`` as 'twelve b six'; a tax law of three digits is said in pairs: 'five oh one c three'."""
    number, parts = match.group(1, 2)
    words = [pairs(number) if number == "501" else number, *map(_say_part, re.findall(r"\w+", parts))]
    return " ".join(words)


def _say_part(part: str) -> str:
    value = roman_value(part) if len(part) > 1 and part.isalpha() else 0
    return number_words(str(value or part)) if value or part.isdigit() else part


_NAMED = re.compile(
    r"(?i:(?:\b(?:sections?|rules?|art\.|articles?|secs?\.|clauses?|paras?\.|paragraphs?|subsections?)|§) ?)$"
)
_SERIES = {"2": "second", "3": "third", "4": "fourth"}


def _say_one_part(match: re.Match[str]) -> str:
    """``Rule 12(b)``; in 'he ate 12 (b)' the bracket is no part of the number."""
    is_named = _NAMED.search(match.string[max(0, match.start() - 14) : match.start()])
    return _say_place(match) if is_named else match[0]


RULES: list[Rule] = [
    # The sections of a British act: 's. 12 of the Act', 'ss 3-5 of the Act', 's.12(1)(b)'.
    rule(
        r"(?<![\w.'/-])(?<![0-9] )(ss?)(?:\. ?| )(?=[0-9]{1,4}[A-Z]{0,2}(?:(?:\([0-9a-z]{1,4}\)){1,4}(?!\w)|(?:-[0-9]{1,4})? of (?:the|that|this) (?:(?:[A-Z0-9][\w']{0,20}|of|and) ){0,6}(?:Act|Code|Ordinance|Constitution|Regulations?|Law|Statute|Schedule|Order|Rules|Charter)\b))",
        lambda m: f"section{'s' if m[1] == 'ss' else ''} ",
    ),
    # The number of a case at a court: 'No. 1:23-cv-04567'.
    rule(
        r"\bNo\. ([0-9]{1,2}):([0-9]{2})-([a-z]{2})-([0-9]{3,6})(?![\w-])",
        lambda m: f"Number {number_words(m[1])}, {number_words(m[2])} {' '.join(m[3].upper())} {spell_digits(m[4])}",
    ),
    rule(r"\bPub\. ?L\. (?:No\. )?(?=[0-9])", lambda m: "Public Law "),
    rule(r"(?<=\bPublic Law )([0-9]{2,3})-([0-9]{1,3})(?![0-9-])", lambda m: f"{pairs(m[1])}-{pairs(m[2])}"),
    rule(rf"\b(Fed\. )?R\. ({'|'.join(map(re.escape, _RULES_OF_COURTS))})\.", _say_rule),
    rule(r"\bF\. ?Supp\. ?([23])d\b", lambda m: f"Federal Supplement {_SERIES[m[1]]}"),
    rule(r"\bF\. ?Supp\.(?= [0-9])", lambda m: "Federal Supplement"),
    rule(r"(?<=[0-9] )F\. ?([234])d\b", lambda m: f"F {_SERIES[m[1]]}"),
    rule(r"(?:(?<=[0-9](?:st|nd|rd|th) )|(?<=[0-9]d ))Cir\.", lambda m: "Circuit"),
    rule(r"\bU\. ?S\. Const\.", lambda m: "U.S. Constitution"),
    rule(r"\bamend\. (?=[IVX0-9])", lambda m: "Amendment "),
    rule(rf"(?<![\w.,/-])([0-9]{{1,4}})((?:{_PART}){{2,5}})(?!\w)", _say_place),
    rule(r"(?<![\w.,/-])([0-9]{1,4})(\([a-z]\))(?!\w)", _say_one_part),
]
