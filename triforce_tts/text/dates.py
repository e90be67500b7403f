"""Dates and times of day in words: ``24.12.2024``, ``June 5-7``, ``25 jul 2012``, ``Mon-Fri``, ``3:30 pm``."""

import re

from triforce_tts.text.dotted_times import RULES as DOTTED_TIMES
from triforce_tts.text.numbers import (
    ORDINAL_END,
    START,
    YEAR,
    Rule,
    cardinal,
    is_ratio,
    number_words,
    ordinal,
    rule,
    spell_digits,
    year,
)
from triforce_tts.text.saints import kept_stop

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHORT_DAYS = {day[:3]: day for day in DAYS} | {"Tues": "Tuesday", "Thur": "Thursday", "Thurs": "Thursday"}
SHORT_MONTHS = {month[:3]: month for month in MONTHS} | {"Sept": "September"}


def _pattern(names: dict[str, str], dot: str) -> str:
    """Every name of a month or day, long or with a dot or two, in any case."""
    full = sorted(set(names.values()), key=len, reverse=True)
    short = sorted(names, key=len, reverse=True)
    return rf"(?i:{'|'.join(full)}|(?:{'|'.join(short)})\b{dot})"


MONTH = _pattern(SHORT_MONTHS, r"\.?")
_DAY_NAME = _pattern(SHORT_DAYS, r"\.?")
_BY_PREFIX = {month[:3].lower(): month for month in MONTHS} | {day[:3].lower(): day for day in DAYS}


def _full(name: str) -> str:
    return _BY_PREFIX[name[:3].lower()]


def _year_words(text: str) -> str:
    if re.fullmatch(YEAR, text):
        return year(int(text))
    return f"oh {cardinal(int(text))}" if len(text) == 2 and text[0] == "0" and text != "00" else number_words(text)


def _is_day(*days: str | None) -> bool:
    return all(day is None or 1 <= int(day) <= 31 for day in days)


def _month_first(month: int, day: str, year_: str | None) -> str:
    return f"{MONTHS[month - 1]} {ordinal(int(day))}" + (f", {_year_words(year_)}" if year_ else "")


def _day_first(month: int, day: str, year_: str | None) -> str:
    return f"the {ordinal(int(day))} of {MONTHS[month - 1]}" + (f", {_year_words(year_)}" if year_ else "")


def _say_year_first(match: re.Match[str]) -> str:
    return _month_first(int(match["month"]), match["day"], match["year"])


def _say_month_of_year(match: re.Match[str]) -> str:
    """``2014-01`` as January twenty fourteen; ``2001-02`` may be two years, so it stays."""
    year_, month = match.group(1, 2)
    return f"{MONTHS[int(month) - 1]} {year(int(year_))}" if int(month) <= int(year_[2:]) else match[0]


def _say_slash_date(match: re.Match[str]) -> str:
    first, second, last = match.group(1, 2, 3)
    # The month stands first, as in American dates, unless that is impossible.
    month, day = (first, second) if int(first) <= 12 else (second, first)
    if not (1 <= int(month) <= 12 and _is_day(day)):
        return f"{number_words(first)} slash {number_words(second)} slash {number_words(last)}"
    return _month_first(int(month), day, last)


def _say_dotted_date(match: re.Match[str]) -> str:
    """``24.12.2024`` and ``24-12-2024``: with dots the day stands first, unless that cannot be."""
    first, second, last = match.group("first", "second", "year")
    if match["sign"] == "-" and int(first) <= 12:
        # The month stands first, as in dates with slashes.
        first, second = second, first
    day, month = (first, second) if int(second) <= 12 else (second, first)
    if not (1 <= int(month) <= 12 and _is_day(day)):
        return match[0]
    return _month_first(int(month), day, last) if match["sign"] == "-" else _day_first(int(month), day, last)


def _say_month_day(match: re.Match[str]) -> str:
    upper, year_ = (part or None for part in match.group("upper", "year"))
    month, day = match.group("month", "day")
    if not _is_day(day, upper) or (upper and int(upper) <= int(day)):
        return match[0]
    end = f" to {ordinal(int(upper))}" if upper else ""
    return f"{_full(month)} {ordinal(int(day))}{end}" + (f", {_year_words(year_)}" if year_ else "")


def _say_day_month(match: re.Match[str]) -> str:
    the, upper, year_ = (part or None for part in match.group("the", "upper", "year"))
    day = str(match["day"])
    month = match["month"] or match["may"]
    if not _is_day(day, upper):
        return match[0]
    end = f" to the {ordinal(int(upper))}" if upper else ""
    # The dot of '25 sept.' may end the sentence.
    dot = "." if month.endswith(".") and re.match(r"\s*$| [A-Z]", match.string[match.end() : match.end() + 2]) else ""
    dot = "" if year_ else dot
    return f"{the or 'the '}{ordinal(int(day))}{end} of {_full(month)}" + (f", {_year_words(year_)}" if year_ else dot)


def _say_month_year(match: re.Match[str]) -> str:
    return f"{_full(match['month'])} {year(int(match['year']))}"


def _say_name_range(match: re.Match[str]) -> str:
    return f"{_full(match[1])} to {_full(match[2])}{kept_stop(match)}"


def _count(number: str, name: str) -> str:
    return f"{cardinal(int(number))} {name}{'' if int(number) == 1 else 's'}"


def _say_time(match: re.Match[str]) -> str:
    hour, minute, second, part, half = match.group("hour", "minute", "second", "part", "half")
    if part:  # These are the minutes and seconds, or hours, minutes and seconds, of a clock that measures.
        split = f" point {spell_digits(part)}"
        if second:
            return f"{_count(hour, 'hour')} {_count(minute, 'minute')} and {cardinal(int(second))}{split} seconds"
        return f"{cardinal(int(hour))} {'oh ' if int(minute) < 10 else ''}{cardinal(int(minute))}{split}"
    if not second and not half and is_ratio(match):
        return f"{number_words(hour)} to {number_words(minute)}"
    if second:
        return f"{_count(hour, 'hour')} {_count(minute, 'minute')} and {_count(second, 'second')}"
    words_ = cardinal(int(hour))
    if int(minute):
        words_ += f" {'oh ' if int(minute) < 10 else ''}{cardinal(int(minute))}"
    elif not half:
        words_ += " o'clock" if 1 <= int(hour) <= 12 else " hundred"
    return words_


# What begins a sentence after 'p.m.': a capital that is neither a zone of time nor a day.
AFTER_HALF = rf"(?!(?:[ECMPB][SD]?T|GMT|UTC|CET|Eastern|Central|Mountain|Pacific|{'|'.join(SHORT_DAYS)}))[A-Z]"


def _say_half(match: re.Match[str]) -> str:
    """``pm`` as 'P M'; its dot stays where it ends the sentence too."""
    after = match.string[match.end() : match.end() + 16]
    ends = match[2] and re.match(rf"[\"')\]]*(?:\s*$| [\"']?{AFTER_HALF})", after)
    return f" {match[1].upper()} M" + ("." if ends else "")


def _say_old_ordinal(match: re.Match[str]) -> str:
    """``22d`` and ``3d`` as they were written for 22nd and 3rd."""
    return match[1] + ("nd" if match[1].endswith("2") else "rd")


# The words around that show that '2d' and '3d' are ordinals: '3d' may be three dimensions, and '2d.' twopence.
_ORDINAL_AFTER = (
    r"(?: (?:of|and last|day|of the month|edition|ed\.|vol\.|volume|book|chapter|part|person|class|instance|place|century|story|floor|row"
    r"|street|avenue|grade|son|daughter|wife|session|regiment|battalion|division|brigade|company|corps|cavalry|infantry"
    r"|artillery|lieutenant|mate|verse|line|page|month|year|week|quarter|period|degree|inst|ult|prox|instant|ultimo)\b"
    r"| (?!Model|Print|Studio|Graphic|Touch|Engine|Movie|Film|Art\b|Design|Scan|TV|Mode\b|Max\b|Game|View|World)[A-Z](?:[a-z]|\. ))"
)
# These show that '2d' and '3d' are dimensions: 'a 3d line', unless the line is one of a text.
_DIMENSIONS = (
    r"(?i: (?:animation|story ?board|line(?! of)|model|print|printer|printing|film|movie|effect|image|graphic|video|game|shape"
    r"|view|scan|world)s?\b)"
)
_OLD_ORDINALS: list[Rule] = [
    rule(r"(?<=[0-9](?:st|nd|rd|th))\.(?= [a-z])", lambda m: ""),  # 'the 1st. of May'
    rule(rf"\b({MONTH},? (?:the )?[0-9]{{0,2}}[23])d\b\.?(?=[,;:)]| [a-z1-9])", _say_old_ordinal),
    rule(rf"\b({MONTH},? (?:the )?[0-9]{{0,2}}[23])d\b", _say_old_ordinal),
    rule(rf"(?<![\w.,/$£-])([0-9]{{0,2}}[23])d\b\.?(?= (?:of )?{MONTH}\b)", _say_old_ordinal),
    rule(r"(?<![\w.,/$£-])([0-9]{0,2}[02-9][23])d\b(?!\.|[ ]?[0-9])", _say_old_ordinal),
    rule(
        rf"(?<![\w.,/$£-])(?<![0-9]s\. )(?<![0-9]s )([0-9]{{0,2}}[23])d\b(?!{_DIMENSIONS})(?={_ORDINAL_AFTER})",
        _say_old_ordinal,
    ),
    rule(
        r"(\b(?i:on|until|till|by|since|from|before|after) the [23])d\b\.?"
        r"(?= (?:and|he|she|it|they|we|I|the|to|at|in)\b|[,;:)]|$)",
        _say_old_ordinal,
    ),
    *[rule(r"(?<=[0-9](?:st|nd|rd|th))((?:,| and|, and| or| to) [0-9]{0,2}[23])d\b", _say_old_ordinal)] * 2,
]
_HALF = r"(?= ?(?P<half>[APap]\.? ?[Mm]\b)?)"
_DAY = rf"(?P<day>[0-9]{{1,2}}){ORDINAL_END}?"
_UPPER = rf"(?: ?- ?(?P<upper>[0-9]{{1,2}}){ORDINAL_END}?(?![0-9:/%°.,]?[0-9]))?"
_YEAR_AFTER = rf"(?:,? (?P<year>{YEAR})\b)"
# A plain number after the month is its day, unless it is part of a longer number, a time or a measure.
_PLAIN_END = r"(?:(?<=[a-zA-Z])\b|(?![0-9:/%°]|[.,][0-9]|[A-Za-z]))"
_MAY = r"(?i:may|march|mar\b\.?)"  # the number may be written in words too
# After 'May' and 'March' a plain number is no day where a counted noun follows: 'May 5 people', 'March 5 miles'.
_NO_NOUN = r"(?! (?!at|in|on|and|to|is|was|from|until|or|for|the)[a-z])"
_NOT_MAY = rf"(?!{_MAY})(?P<month>{MONTH})"
_CAPITAL_MAY = r"(?P<month>May|March|Mar\b\.?|MAY|MARCH|MAR\b\.?)"
RULES: list[Rule] = [
    *_OLD_ORDINALS,
    *DOTTED_TIMES,
    rule(
        rf"{START}(?P<year>[12][0-9]{{3}})(?P<sign>[-/.])(?P<month>0?[1-9]|1[0-2])(?P=sign)(?P<day>0?[1-9]|[12][0-9]|3[01])(?:T(?=[0-9]{{2}}:)|(?![0-9/-]|\.[0-9]))",
        lambda m: _say_year_first(m) + (" " if m[0].endswith("T") else ""),
    ),
    rule(rf"{START}({YEAR})-(0[1-9]|1[0-2])(?![0-9A-Za-z-]|[.,:/][0-9])", _say_month_of_year),
    rule(rf"(?:\b[Tt]he )?{START}([0-9]{{1,2}})/([0-9]{{1,2}})/([0-9]{{4}}|[0-9]{{2}})(?![0-9/])", _say_slash_date),
    rule(
        rf"{START}(?P<first>[0-9]{{1,2}})(?P<sign>[-.])(?P<second>[0-9]{{1,2}})(?P=sign)(?P<year>{YEAR}|(?<=[0-9][0-9][.][0-9][0-9][.])[0-9]{{2}})(?![0-9-]|\.[0-9])",
        _say_dotted_date,
    ),
    rule(
        rf"(?P<the>){START}{_DAY}(?P<upper>)-(?P<month>{MONTH})(?P<may>)-(?P<year>{YEAR}|[0-9]{{2}})(?![0-9-])",
        _say_day_month,
    ),
    # From one month to another: '06/2018-05/2020'; from day to day: 'Mon 9am-Fri 5pm'; to a time with its half: '9-10:30am'.
    rule(
        r"(?<![\w/.])((?:0[1-9]|1[0-2])/(?:19|20)[0-9]{2}) ?-{1,2} ?(?=(?:0[1-9]|1[0-2])/(?:19|20)[0-9]{2}(?![0-9/]))",
        lambda m: f"{m[1]} to ",
    ),
    rule(rf"(?<=[0-9])( ?[ap]\.?m\b\.?) ?-{{1,2}} ?(?=(?:{_DAY_NAME})\.? [0-9])", lambda m: f"{m[1]} to "),
    rule(
        r"(?<![\w.:,/$£€-])(1[0-2]|[1-9]) ?- ?(?=(?:1[0-2]|[1-9]):[0-5][0-9] ?[aApP]\.?[mM]\b)", lambda m: f"{m[1]} to "
    ),
    rule(
        rf"{START}(0[1-9]|1[0-2])/((?:19|20)[0-9]{{2}})(?![0-9/]|[.,][0-9])",
        lambda m: f"{MONTHS[int(m[1]) - 1]} {year(int(m[2]))}",
    ),
    rule(rf"(?<=[0-9]) ?-{{1,2}} ?(?={MONTH} [0-9]{{1,2}}(?![0-9]))", lambda m: " to "),
    rule(
        rf"(?<![\w.,/-])([0-9]{{1,2}} {MONTH}) ?-{{1,2}} ?(?=[0-9]{{1,2}} {MONTH}(?![A-Za-z]))", lambda m: f"{m[1]} to "
    ),
    rule(rf"\b({_DAY_NAME}) ?-{{1,2}} ?({_DAY_NAME})(?![A-Za-z])", _say_name_range),
    rule(rf"\b({MONTH}) ?-{{1,2}} ?({MONTH})(?![A-Za-z-])", _say_name_range),
    rule(r"\b(noon|midnight|dawn|dusk) ?-{1,2} ?(?=[0-9])", lambda m: f"{m[1]} to "),
    rule(
        r"(?:(?<=[0-9])|(?<=[0-9] [ap]m)|(?<=[0-9][ap]m)|(?<=[ap]\.m\.)) ?-{1,2} ?(?=(?:noon|midnight|dawn|dusk)\b)",
        lambda m: " to ",
    ),
    rule(r"(?<=:[0-5][0-9]) ?-{1,2} ?(?=[0-9]{1,2}:[0-5][0-9])", lambda m: " to "),
    rule(
        r"(?<=[0-9])( ?[APap]\.?[Mm]\b\.?) ?-{1,2} ?(?=[0-9]{1,2}(?::[0-9]{2})? ?[APap]\.?[Mm]\b)",
        lambda m: f"{m[1]} to ",
    ),
    rule(
        r"(?<![0-9A-Za-z.,:/])([0-9]{1,2})\.([0-5][0-9])(?= ?(?:[APap]\.[Mm]\.|[APap][Mm]\b))",
        lambda m: f"{m[1]}:{m[2]}",
    ),
    rule(
        r"(?<![0-9A-Za-z.,:/])(?![12]H)([01]?[0-9]|2[0-3])[hH]([0-5][0-9])(?![0-9A-Za-z])", lambda m: f"{m[1]}:{m[2]}"
    ),
    rule(r"(?<=[0-9]) ?([AaPp])\.? ?[Mm]\b(?!')(\.)?", _say_half),
    rule(
        rf"{START}(?P<hour>[01]?[0-9]|2[0-4]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?(?:\.[0-9]{{1,9}}(?=Z)|\.(?P<part>[0-9]{{1,3}})(?!\.?[0-9]))?(?![0-9:]|,[0-9]{{3}}){_HALF}",
        _say_time,
    ),
    rule(rf"\b{_CAPITAL_MAY} {_DAY}{_UPPER}{_PLAIN_END}(?:(?<=[a-z])|{_NO_NOUN}){_YEAR_AFTER}?", _say_month_day),
    rule(rf"\b(?P<month>{_MAY}) {_DAY}{_UPPER}{_PLAIN_END}{_YEAR_AFTER}", _say_month_day),
    rule(rf"\b(?P<month>{_MAY}) (?P<day>[0-9]{{1,2}}){ORDINAL_END}\b(?P<upper>){_YEAR_AFTER}?", _say_month_day),
    rule(rf"\b{_NOT_MAY}[ -]{_DAY}{_UPPER}{_PLAIN_END}{_YEAR_AFTER}?", _say_month_day),
    rule(
        rf"(?P<the>\b[Tt]he )?{START}{_DAY}{_UPPER}(?: of)? (?:{_NOT_MAY}|(?=May|March|MAY|MARCH|(?i:{_MAY}),? [12][0-9]{{3}})(?P<may>{_MAY}))(?![A-Za-z]){_YEAR_AFTER}?",
        _say_day_month,
    ),
    rule(
        rf"\b(?P<month>{MONTH}),? '(?P<year>[0-9]{{2}})(?![\w'])",
        lambda m: f"{_full(m['month'])} {_year_words(m['year'])}",
    ),
    rule(r"\b([QH][1-4]) ?-{1,2} ?(?=[QH][1-4]\b)", lambda m: f"{m[1]} to "),
    rule(r"\b(GMT|UTC) ?-{1,2}(?=[0-9])", lambda m: f"{m[1]} minus "),
    rule(r"(?<=\bQ[1-4])'([0-9]{2})(?![\w'])", lambda m: f" {_year_words(m[1])}"),
    rule(r"(?<=[0-9] )(BCE?|AD|CE) ?-{1,2} ?(?=(?:AD ?)?[0-9])", lambda m: f"{m[1]} to "),
    rule(r"(?<![\w'])'([0-9]{2})-'?([0-9]{2})(?![\w'])", lambda m: f"{_year_words(m[1])} to {_year_words(m[2])}"),
    rule(r"(?<![\w'])'([0-9]{2})(?=[ ,.;:!?)]|$)(?![.,][0-9])", lambda m: _year_words(m[1])),
    rule(rf"{START}({YEAR})/({YEAR}|[0-9]{{2}})(?![0-9/])", lambda m: f"{year(int(m[1]))} slash {_year_words(m[2])}"),
    rule(rf"\b(?P<month>{MONTH}),?[ -](?P<year>{YEAR})(?![0-9A-Za-z-]|[.,][0-9])", _say_month_year),
]
