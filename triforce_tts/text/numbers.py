"""Everything with digits in it, as English words: dates, times, money, measures, ordinals, years, numbers.

The words of small numbers come from the ``wetext`` grammars, given one number at a time. Whole sentences are
not, because they come back damaged: '1,234' loses its 'one', 'May 5 people' becomes a date, '#' or a double
space fails an assertion, '$3.50' is 'three point five dollars'. Tests hold each of these.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

_SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion")
_LARGEST = 1000 ** len(_SCALES) - 1
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

# One of a unit, several of it. Case matters: m is a metre, M is not.
_UNITS = {
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "kmh": ("kilometer per hour", "kilometers per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "m/s": ("meter per second", "meters per second"),
    "km": ("kilometer", "kilometers"),
    "m": ("meter", "meters"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "mi": ("mile", "miles"),
    "ft": ("foot", "feet"),
    "yd": ("yard", "yards"),
    "kg": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "mg": ("milligram", "milligrams"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "l": ("liter", "liters"),
    "L": ("liter", "liters"),
    "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"),
    "KB": ("kilobyte", "kilobytes"),
    "kB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "W": ("watt", "watts"),
    "kW": ("kilowatt", "kilowatts"),
    "MW": ("megawatt", "megawatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "V": ("volt", "volts"),
    "dB": ("decibel", "decibels"),
    "ms": ("millisecond", "milliseconds"),
    "min": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "fps": ("frame per second", "frames per second"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
    "%": ("percent", "percent"),
}

# Of each currency: one, several, one hundredth, several hundredths.
_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "", ""),
    "₹": ("rupee", "rupees", "paisa", "paise"),
}
_POWERS = {"2": "square ", "3": "cubic "}
_MAGNITUDES = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}


def cardinal(number: int) -> str:
    """``1234`` as 'one thousand two hundred and thirty four'; beyond 10^18 digit by digit."""
    if number > _LARGEST:
        return spell_digits(str(number))
    words: list[str] = []
    for power in reversed(range(len(_SCALES))):
        group = number // 1000**power % 1000
        if group:
            joint = "and " if power == 0 and group < 100 and words else ""
            words.append(f"{joint}{_library_words(str(group))} {_SCALES[power]}".rstrip())
    return " ".join(words) or _DIGITS[0]


def ordinal(number: int) -> str:
    """``21`` as 'twenty first'."""
    if number > _LARGEST:
        return spell_digits(str(number)) + "th"
    head, group = number // 1000 * 1000, number % 1000
    if not head:
        return _library_words(_with_suffix(group))
    if not group:
        return cardinal(head) + "th"
    return cardinal(head) + (" and " if group < 100 else " ") + _library_words(_with_suffix(group))


def year(number: int) -> str:
    """A year in 1000-2099 as it is said: 'nineteen oh five', 'two thousand five', 'twenty twenty four'."""
    century, rest = divmod(number, 100)
    if century == 20 and rest < 10:
        return "two thousand" + (f" {cardinal(rest)}" if rest else "")
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def spell_digits(digits: str) -> str:
    """``007`` as 'zero zero seven'."""
    return " ".join(_DIGITS[int(digit)] for digit in digits)


def plural(words: str) -> str:
    """The plural of a number word: 'nineties', 'sixes', 'sevens'."""
    if words.endswith("y"):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith("x") else "s")


def number_words(text: str) -> str:
    """A number as it is written (``1,234.5``, ``.5``, ``007``) in words."""
    whole, point, decimals = text.replace(",", "").partition(".")
    # A leading zero says that this is a code, and int() of a huge one would be slow.
    spelled = len(whole) > 18 or (len(whole) > 1 and whole[0] == "0")
    words = spell_digits(whole) if spelled else cardinal(int(whole or "0"))
    return f"{words} point {spell_digits(decimals)}" if point else words


def speak_numbers(text: str) -> str:
    """The text with every digit, and the signs that belong to digits, in words."""
    for pattern, speak in _RULES:
        text = pattern.sub(speak, text)
    return text


def _with_suffix(number: int) -> str:
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


@lru_cache(maxsize=4096)
def _library_words(span: str) -> str:
    """What the library says for a number below 1000, its ordinal, or a fraction."""
    return str(_library().normalize(span))


@lru_cache(maxsize=1)
def _library() -> Any:
    import wetext  # type: ignore[import-untyped]  # a quarter of a second, so only once there is a number

    return wetext.Normalizer(lang="en", operator="tn")


# ---- the rules, in their order; each pattern is tried at a number's start only, so that none is quadratic ----

_START = r"(?<![0-9A-Za-z])(?<![0-9][.,:/])"
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_MONTH = "|".join(MONTHS)
_YEAR = r"(?:1[1-9]|20)[0-9]{2}"
_ORDINAL_END = r"(?:st|nd|rd|th)"
_MAGNITUDE = r"(?: (?:hundred|thousand|million|billion|trillion)\b|(?:[kKmMbB]|bn)\b)"
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))


def _say_time(match: re.Match[str]) -> str:
    hour, minute, second, half = match.group("hour", "minute", "second", "half")
    words = cardinal(int(hour))
    if int(minute):
        words += f" {'oh ' if int(minute) < 10 else ''}{cardinal(int(minute))}"
    elif not half:
        words += " o'clock" if 1 <= int(hour) <= 12 else " hundred"
    if second:
        words += f" and {cardinal(int(second))} second{'' if int(second) == 1 else 's'}"
    return words


def _say_iso_date(match: re.Match[str]) -> str:
    return f"{MONTHS[int(match['month']) - 1]} {ordinal(int(match['day']))}, {_year_or_number(match['year'])}"


def _say_slash_date(match: re.Match[str]) -> str:
    first, second, last = match.group(1, 2, 3)
    month, day = (first, second) if int(first) <= 12 else (second, first)  # American unless it cannot be
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return " ".join(number_words(part) for part in match.groups())
    return f"{MONTHS[int(month) - 1]} {ordinal(int(day))}, {_year_or_number(last)}"


def _say_month_day(match: re.Match[str]) -> str:
    month, day, year_ = match.group("month", "day", "year")
    if not 1 <= int(day) <= 31:
        return match[0]
    return f"{month} {ordinal(int(day))}" + (f", {_year_or_number(year_)}" if year_ else "")


def _say_day_month(match: re.Match[str]) -> str:
    the, day, month, year_ = match.group("the", "day", "month", "year")
    if not 1 <= int(day) <= 31:
        return match[0]
    return f"{the or 'the '}{ordinal(int(day))} of {month}" + (f", {_year_or_number(year_)}" if year_ else "")


def _year_or_number(text: str) -> str:
    if re.fullmatch(_YEAR, text):
        return year(int(text))
    return f"oh {cardinal(int(text))}" if len(text) == 2 and text[0] == "0" else number_words(text)


def _say_phone(match: re.Match[str]) -> str:
    return ", ".join(spell_digits(group) for group in re.findall("[0-9]+", match[0]))


def _say_money(match: re.Match[str]) -> str:
    symbol, amount, upper, magnitude = match.group("symbol", "amount", "upper", "magnitude")
    scale = (magnitude or "").strip().lower()
    scale = _MAGNITUDES.get(scale, scale)
    words = _amount(symbol, amount, scale or bool(upper))
    if upper:
        words = f"{number_words(amount)} to {_amount(symbol, upper, scale)}"
    return words


def _amount(symbol: str, amount: str, scale: str | bool) -> str:
    """An amount of money: 'three dollars fifty', 'three dollars and five cents', 'five million dollars'."""
    one, several, hundredth, hundredths = _CURRENCIES[symbol]
    whole, _, cents = amount.replace(",", "").partition(".")
    if len(cents) == 2 and hundredth and not scale:
        minor = f"{cardinal(int(cents))} {hundredth if int(cents) == 1 else hundredths}"
        if int(whole or "0") == 0 and len(whole) < 2:
            return minor
        major = f"{number_words(whole)} {one if whole == '1' else several}"
        if not int(cents):
            return major
        return f"{major} {cardinal(int(cents))}" if int(cents) >= 10 else f"{major} and {minor}"
    scaled = f"{number_words(amount)} {scale}".rstrip() if isinstance(scale, str) else number_words(amount)
    return f"{scaled} {one if amount == '1' and not scale else several}"


def _say_money_behind(match: re.Match[str]) -> str:
    if match["symbol"] == "¢":
        return f"{number_words(match['amount'])} cent{'' if match['amount'] == '1' else 's'}"
    return _amount(match["symbol"], match["amount"], "")


def _say_measure(match: re.Match[str]) -> str:
    amount, joint, unit, power = match.group("amount", "joint", "unit", "power")
    one, several = _UNITS[unit]
    name = one if amount == "1" or joint == "-" else several
    return f"{number_words(amount)}{joint or ' '}{_POWERS.get(power or '', '')}{name}"


def _say_rare_unit(match: re.Match[str]) -> str:
    """Units that are words or endings too, so that they need a space, and 'in.' its dot."""
    names = {"s": ("second", "seconds"), "in": ("inch", "inches")}[match["unit"]]
    return f"{number_words(match['amount'])} {names[match['amount'] != '1']}"


def _say_ordinal(match: re.Match[str]) -> str:
    digits = match[1].replace(",", "")
    return ordinal(int(digits)) if len(digits) <= 18 else spell_digits(digits) + "th"


def _say_decade(match: re.Match[str]) -> str:
    digits = match["digits"]
    return plural(year(int(digits)) if len(digits) == 4 else cardinal(int(digits)))


def _say_plural(match: re.Match[str]) -> str:
    return plural(number_words(match[1]))


def _say_fraction(match: re.Match[str]) -> str:
    whole, top, bottom = match.group("whole", "top", "bottom")
    if 0 < int(top) < int(bottom) and bottom in _DENOMINATORS and (not whole or len(whole) < 10):
        words = _library_words(f"{int(top)}/{bottom}")
        if not whole:
            return words
        return f"{number_words(whole)} and {'a' + words[3:] if top == '1' else words}"
    return " ".join(number_words(part) for part in (whole, top, bottom) if part)


_DENOMINATORS = {"2", "3", "4", "5", "6", "7", "8", "9", "10", "12", "16", "20", "32", "64", "100"}


def _say_chain(match: re.Match[str]) -> str:
    return " point ".join(number_words(part) for part in match[0].split("."))


def _rule(
    pattern: str, speak: Callable[[re.Match[str]], str]
) -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    return re.compile(pattern), speak


_DAY = rf" (?P<day>[0-9]{{1,2}})(?:{_ORDINAL_END}\b|(?![0-9:/%°]|,[0-9]|[A-Za-z]))"
_DAY_YEAR = rf"(?:,? (?P<year>{_YEAR})\b)?"
# After 'May' and 'March' a plain number is no day where a counted noun follows: 'May 5 people', 'March 5 miles'.
_NO_NOUN = r"(?! (?!at|in|on|and|to|is|was|from|until|or|for|the)[a-z])"
_RULES = [
    _rule(
        rf"{_START}(?P<year>[12][0-9]{{3}})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12][0-9]|3[01])(?![0-9-])",
        _say_iso_date,
    ),
    _rule(rf"{_START}([0-9]{{1,2}})/([0-9]{{1,2}})/([0-9]{{4}}|[0-9]{{2}})(?![0-9/])", _say_slash_date),
    _rule(r"(?<=:[0-5][0-9])-(?=[0-9]{1,2}:[0-5][0-9])", lambda m: " to "),
    _rule(
        rf"{_START}(?P<hour>[01]?[0-9]|2[0-4]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?(?![0-9:])(?= ?(?P<half>[APap]\.? ?[Mm]\b)?)",
        _say_time,
    ),
    _rule(rf"\b(?P<month>May|March){_DAY}(?:(?<=[a-z])|{_NO_NOUN}){_DAY_YEAR}", _say_month_day),
    _rule(rf"\b(?P<month>{_MONTH})(?<!May)(?<!March){_DAY}{_DAY_YEAR}", _say_month_day),
    _rule(
        rf"(?P<the>\b[Tt]he )?{_START}(?P<day>[0-9]{{1,2}})(?:{_ORDINAL_END})?(?: of)? (?P<month>{_MONTH})\b{_DAY_YEAR}",
        _say_day_month,
    ),
    _rule(
        r"(?<![0-9A-Za-z.,/-])(?:\+?[0-9]{1,3}[-. ])?(?:\([0-9]{3}\) ?|[0-9]{3}[-.])[0-9]{3}[-.][0-9]{4}(?![0-9-])",
        _say_phone,
    ),
    _rule(r"(?<![0-9A-Za-z.,/-])[0-9]{3}-[0-9]{4}(?![0-9-])", _say_phone),
    _rule(r"(?<![0-9A-Za-z.,):'\"-])-(?=[$£€¥₹]?\.?[0-9])", lambda m: "minus "),
    _rule(
        rf"(?:\bUS)?(?P<symbol>[$£€¥₹]) ?(?P<amount>{_NUMBER})(?:-[$£€¥₹]?(?P<upper>{_NUMBER}))?(?P<magnitude>{_MAGNITUDE})?(?: USD\b)?",
        _say_money,
    ),
    _rule(rf"{_START}(?P<amount>{_NUMBER})(?: ?(?=[€¥₹¢]))?(?P<symbol>[$£€¥₹¢])(?![0-9])", _say_money_behind),
    _rule(
        rf"{_START}([0-9]{{1,3}})' ?([0-9]{{1,2}})(?:\"|'')",
        lambda m: f"{cardinal(int(m[1]))} foot {cardinal(int(m[2]))}",
    ),
    _rule(rf"{_START}({_NUMBER})-(?={_NUMBER}(?![-0-9]))", lambda m: f"{m[1]} to "),
    _rule(
        rf"{_START}(?P<amount>{_NUMBER})(?P<joint>[ -])?(?P<unit>{_UNIT})(?:\^?(?P<power>[23]))?(?![0-9A-Za-z'])(?:\.(?= [a-z]))?",
        _say_measure,
    ),
    _rule(
        rf"{_START}(?P<amount>{_NUMBER})(?P<joint> )(?P<unit>s|in(?=\.))(?![0-9A-Za-z'])(?:\.(?= [a-z]))?",
        _say_rare_unit,
    ),
    _rule(rf"{_START}([0-9][0-9,]*){_ORDINAL_END}\b", _say_ordinal),
    _rule(rf"{_START}(?P<digits>(?:1[1-9]|20)[0-9]0)'?s\b", _say_decade),
    _rule(r"(?<![0-9A-Za-z.,:/])'?(?P<digits>[1-9]0)'?s\b", _say_decade),
    _rule(rf"{_START}({_NUMBER})s\b", _say_plural),
    _rule(rf"{_START}(?:(?P<whole>[0-9]+) )?(?P<top>[0-9]{{1,3}})/(?P<bottom>[0-9]{{1,3}})(?![0-9/])", _say_fraction),
    _rule(rf"{_START}[0-9]+(?:\.[0-9]+){{2,}}", _say_chain),
    _rule(rf"{_START}([0-9]+):(?=[0-9])", lambda m: f"{number_words(m[1])} to "),
    _rule(r"(?<=[0-9]) ?[x×] ?(?=[0-9])", lambda m: " by "),
    _rule(rf"{_START}({_YEAR})(?![0-9]|[.,][0-9]|[A-Za-z])", lambda m: year(int(m[1]))),
    _rule(r"(?<=\b[Ii]n )(10[0-9]{2})(?![0-9]|[.,][0-9]|[A-Za-z])", lambda m: year(int(m[1]))),
    _rule(r"\^2(?![0-9])", lambda m: " squared "),
    _rule(r"\^3(?![0-9])", lambda m: " cubed "),
    _rule(r"\^(?=[0-9])", lambda m: " to the power of "),
    _rule(r"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])", lambda m: " "),
    _rule(_NUMBER, lambda m: number_words(m[0])),
]
