"""Places in laws and rules of courts: ``Rule 12(b)(6)``, ``501(c)(3)``, ``Fed. R. Civ. P. 12``, ``F. Supp. 2d``."""

import re

from triforce_tts.text.numbers import Rule, number_words, pairs, rule

_RULES_OF_COURTS = {
    "Civ. P": "Civil Procedure",
    "Crim. P": "Criminal Procedure",
    "App. P": "Appellate Procedure",
    "Bankr. P": "Bankruptcy Procedure",
    "Evid": "Evidence",
}
_PART = r"\((?:[a-z]|[A-Z]|[0-9]{1,2}|[ivx]{2,4})\)"
# No sentence ends behind these where a capital or a number follows.
ABBREVIATED = re.compile(
    r"(?:\bPub(?:\. L)?|[0-9] Stat|\bFed\. R\. (?:Civ|Crim|App|Bankr)|\bFed|\bF\. Supp|\bF|\b[SL]\. Ct|\b[SL]\. Ed|[0-9](?:st|nd|rd|d|th) Cir)\.$"
)
FOLLOWING = re.compile(
    r"L\. |R\. (?:Civ|Crim|App|Bankr|Evid)\.|P\. [0-9]|[23]d\b|Supp\.|[0-9]{1,4}[ ,(.;]|[12][0-9]{3}\)"
)


def _say_rule(match: re.Match[str]) -> str:
    return f"{'Federal ' if match[1] else ''}Rule of {_RULES_OF_COURTS[match[2]]}"


def _say_place(match: re.Match[str]) -> str:
    """``12(b)(6)`` as 'twelve b six'; a tax law of three digits is said in pairs: 'five oh one c three'."""
    number, parts = match.group(1, 2)
    return " ".join(
        [
            pairs(number) if number == "501" else number,
            *(number_words(part) if part.isdigit() else part for part in re.findall(r"\w+", parts)),
        ]
    )


_NAMED = re.compile(
    r"(?i:(?:\b(?:sections?|rules?|art\.|articles?|secs?\.|clauses?|paras?\.|paragraphs?|subsections?)|§) ?)$"
)
_SERIES = {"2": "second", "3": "third", "4": "fourth"}


def _say_one_part(match: re.Match[str]) -> str:
    """``Rule 12(b)``; in 'he ate 12 (b)' the bracket is no part of the number."""
    is_named = _NAMED.search(match.string[max(0, match.start() - 14) : match.start()])
    return _say_place(match) if is_named else match[0]


RULES: list[Rule] = [
    rule(r"\bPub\. ?L\. (?:No\. )?(?=[0-9])", lambda m: "Public Law "),
    rule(rf"\b(Fed\. )?R\. ({'|'.join(map(re.escape, _RULES_OF_COURTS))})\.", _say_rule),
    rule(r"\bF\. ?Supp\. ?([23])d\b", lambda m: f"Federal Supplement {_SERIES[m[1]]}"),
    rule(r"\bF\. ?Supp\.(?= [0-9])", lambda m: "Federal Supplement"),
    rule(r"(?<=[0-9] )F\. ?([234])d\b", lambda m: f"F {_SERIES[m[1]]}"),
    rule(r"(?<=[0-9](?:st|nd|rd|th) )Cir\.", lambda m: "Circuit"),
    rule(rf"(?<![\w.,/-])([0-9]{{1,4}})((?:{_PART}){{2,5}})(?!\w)", _say_place),
    rule(r"(?<![\w.,/-])([0-9]{1,4})(\([a-z]\))(?!\w)", _say_one_part),
]
