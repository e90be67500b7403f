"""Times of day with a point, as in Britain: ``the 9.15 from Paddington``, ``dinner is at 7.45``, ``from 9.30 to 5.30``."""

import re

from triforce_tts.text.numbers import Rule, rule

_TIME = (
    r"(0?[1-9]|1[0-9]|2[0-3])\.([0-5][0-9])"
    r"(?![0-9A-Za-z%°]|[.,:][0-9]| ?(?:%|percent|per ?cent|million|billion|thousand|times|dollars?|pounds?|euros?|cents|pence|points?|goals|runs"
    r"|seconds?|minutes?|hours?|degrees?|inch(?:es)?|feet|foot|yards?|miles?|meters?|metres?|k?m|cm|mm|k?g|lbs?|ft|tons?|tonnes?|acres?"
    r"|grams?|liters?|litres?|gallons?|volts?|watts?|bn)\b)"
)
_RUNS = "train|express|mail|boat|bus|special|ferry|coach|flight|local|slow|fast|up|down|steamer|packet|showing|performance|bulletin"
# What happens at a time of day, and what is a number for certain.
_HAPPENS = re.compile(
    r"\b(?i:trains?|leaves|left|leaving|depart\w*|arriv\w+|starts?|started|begins?|began|meets?|met|meeting|breakfast|lunch|luncheon|dinner"
    r"|dined?|supper|tea|clock|watch|morning|evening|night|afternoon|noon|midnight|appointment|woke|wake|bed|station|ferry|bus|opens?|opened"
    r"|closes|curtain|doors|shift|called|came|returned|home|precisely|sharp|today|tomorrow|tonight|yesterday|daily|till|until|mass|matinee)\b"
)
_NUMBER = re.compile(
    r"\b(?i:averag\w+|rates?|shares?|prices?|priced|valued?|values|index|ratio|magnitude|odds|percent|trad(?:ed|ing)|score[ds]?|scoring|rated"
    r"|rating|level|estimated|scale|median|mean|measured?|sold|cost|version|figure|section|table|chapter|fig|sec|pH|GPA|density|deviation|speed|twice|faster|slower|loss|stocks?|inflation|unemployment|interest|yields?|bonds?|currency|euro|dollar|sterling|yen|exchange|barrel|futures)\b|[$£€%]"
)
_REACH = 60  # characters on each side that may tell


def _mark(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}:{match[3]}"


def _mark_by_words(match: re.Match[str]) -> str:
    """The time with a colon where the words around speak of what happens then."""
    around = _around(match)
    return _mark(match) if _HAPPENS.search(around) and not _NUMBER.search(around) else match[0]


def _mark_unless_number(match: re.Match[str]) -> str:
    """The time with a colon unless the words around speak of an amount: 'the dollar closed at 1.25 today'."""
    return match[0] if _NUMBER.search(_around(match)) else _mark(match)


def _around(match: re.Match[str]) -> str:
    before = re.split(r"[.;!?] ", match.string[max(0, match.start() - _REACH) : match.start()])[-1]
    after = re.split(r"[.;!?] ", match.string[match.end() : match.end() + _REACH])[0]
    return f"{before} {after}"


RULES: list[Rule] = [
    rule(
        rf"(\b(?i:the|a) ){_TIME}(?= (?:{_RUNS})\b| (?:from|to|for) (?:the )?[A-Z]| (?:was|is|had) (?:late|early|due|delayed|cancelled|gone|leaving|running|in)\b)",
        _mark,
    ),
    rule(
        rf"(\b(?i:catch(?:ing)?|caught|miss(?:ed|ing)?|tak(?:e|es|en|ing)|took|by|on) the ){_TIME}"
        r"(?=[.,;:!?)\"'](?![0-9])|$| (?:and|up|down|in|back|home|at|this|that|tomorrow)\b)",
        _mark,
    ),
    rule(
        rf"(\b(?i:at|until|till|before|after|by|since|about|around|nearly|past|from|between) ){_TIME}"
        r"(?= (?:in the (?:morning|afternoon|evening)|at night|this|that|tomorrow|tonight|sharp|precisely|today|yesterday"
        r"|on (?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday))\b)",
        _mark_unless_number,
    ),
    rule(
        rf"(\b(?i:at|until|till|before|after|by|since|about|around|from|between) ){_TIME}(?=[.,;:!?)\"'-]|$| (?:and|or|to|when|he|she|they|we|I|it|the|on|in|for|with|there|as)\b)",
        _mark_by_words,
    ),
    rule(rf"(?<![\w.,:/$£€-])(){_TIME}(?= ?(?:-|to) ?(?:0?[1-9]|1[0-9]|2[0-3])\.[0-5][0-9](?![0-9]))", _mark_by_words),
    rule(rf"((?<=:[0-5][0-9] to )|(?<=:[0-5][0-9] and )|(?<=:[0-5][0-9]-)){_TIME}", _mark),
]
