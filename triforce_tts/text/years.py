"""Years from 1000 to 1099, which look like counts: ``Hastings (1066)``, ``from 1042 to 1066``, ``1012-1066``."""

import re

from triforce_tts.text.dates import MONTHS
from triforce_tts.text.numbers import START, Rule, number_words, rule, year

YEAR_OF_4 = r"(?:1[0-9]|20)[0-9]{2}"  # where the words around say that it is a year
# Numbers from 1000 to 1099 are mostly counts. These words or signs beside one show that it is a year.
_EARLY = r"10(?!24)[0-9]{2}(?![0-9A-Za-z^]|[.,][0-9])"
_MONTHS = "|".join(MONTHS)

_HISTORY = "battle|king|queen|duke|treaty|council|conquest|invasion|siege|death|reign|year|crusade|charter|charters"
# Without one of these near it a number in brackets or a range is a count: 'Anna (1050)', 'They sold 1050-1060'.
_HISTORY_NEAR = re.compile(
    rf"\b(?i:(?:{_HISTORY}|pope|emperor|bishop|archbishop|abbot|earl|prince|saint|war|dynasty|century|empire|kingdom|throne)"
    r"s?|born|died|reigned|ruled|crowned|lived|wars|centuries|dynasties)\b|\bA ?\.? ?D\b|\bNorman\b"
    rf"|\b(?i:in|since|until|till|before|after) {_EARLY}(?! [a-z]+s\b)"
)


def _is_history_near(match: re.Match[str]) -> bool:
    return bool(
        _HISTORY_NEAR.search(match.string[max(0, match.start() - 80) : match.start()])
        or _HISTORY_NEAR.search(match.string[match.end() : match.end() + 60])
        or _HISTORY_NEAR.search(match[1])
    )


def _say_year_in_history(match: re.Match[str]) -> str:
    return _say_early_year(match) if _is_history_near(match) else match[0]


def _say_early_year(match: re.Match[str]) -> str:
    return match[1] + re.sub(r"[0-9]{4}", lambda m: year(int(m[0])), match[2])


def _say_early_years(match: re.Match[str]) -> str:
    """``1012-1066`` as years, unless the word before says that these are pages or lines."""
    counted = re.search(r"(?i:\b(?!years )[a-z]+s|no|p)\.? $", match.string[max(0, match.start() - 16) : match.start()])
    first, last = int(match[1]), int(match[2]) + (0 if len(match[2]) > 2 else int(match[1][:2]) * 100)
    is_bracketed = match.string[: match.start()][-1:] in ("(", "[")
    if counted or not first < last or not (is_bracketed or _is_history_near(match)):
        return match[0]
    return f"{year(first)} to {year(last) if len(match[2]) > 2 else number_words(match[2])}"


RULES: list[Rule] = [
    # These look at the years around, so they stand before the rules that put those in words.
    rule(rf"(\b[Ff]rom )({_EARLY} (?:to|until|till) {YEAR_OF_4})(?![0-9]|[.,][0-9]| [a-z]+s\b)", _say_year_in_history),
    rule(rf"(\b[Bb]etween )({_EARLY} and {YEAR_OF_4})(?![0-9]|[.,][0-9]| [a-z]+s\b)", _say_year_in_history),
    rule(
        rf"((?:\b[A-Z][a-z]+|\b(?:{_HISTORY})) \(|\((?:circa|c\.|died|d\.|born|b\.|reigned|r\.|in) )({_EARLY})(?=\))",
        _say_year_in_history,
    ),
    rule(rf"(\b[Ii]n )({_EARLY})", _say_early_year),
    rule(rf"(\bA D )({_EARLY})", _say_early_year),
    rule(rf"()({_EARLY})(?= (?:A D|B C|C E|B C E)\b)", _say_early_year),
    rule(rf"(\b(?i:year|anno) )({_EARLY})", _say_early_year),
    rule(rf"(\b(?:{_MONTHS})(?: [a-z]+(?: [a-z]+)?)?,? )({_EARLY})", _say_early_year),
    rule(
        rf"(\b(?i:since|until|till|before|after|circa) |\bBy |(?:,|and) by )({_EARLY})(?=[.,;:)]|$| (?:he|she|it|they|the|and|when|in|at|was)\b)",
        _say_early_year,
    ),
    rule(rf"(\bof [A-Z][a-z]+(?: [A-Z][a-z]+)?, )({_EARLY})(?=[.,;)]|$)", _say_early_year),
    rule(rf"(^|[.!?;,] )({_EARLY})(?= (?:was|is) (?:the|a) year\b| saw\b)", _say_early_year),
]

# Between two years a hyphen is 'to'.
RANGE_RULES: list[Rule] = [
    rule(
        rf"{START}(10(?!24)[0-9]{{2}})-({YEAR_OF_4}|[0-9]{{2}})(?=[.,;:)\]](?![0-9])|$| (?:and|was|were|is|the|by|when|in|as|he|she|or)\b)",
        _say_early_years,
    ),
]
