"""Numbers as English words: cardinals, ordinals, years, fractions, powers, ranges, and the digits of codes.

The words of small numbers come from the ``wetext`` grammars, given one number at a time. Whole sentences are
not, because they come back damaged: '1,234' loses its 'one', 'May 5 people' becomes a date, '#' or a double
space fails an assertion, '$3.50' is 'three point five dollars'. Tests hold each of these.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Speak = Callable[[re.Match[str]], str]
Rule = tuple[re.Pattern[str], Speak]

_SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion")
_LARGEST = 1000 ** len(_SCALES) - 1
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


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
    return " ".join(words) or DIGITS[0]


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
        return cardinal(number) if century == 10 else f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def spell_digits(digits: str) -> str:
    """``007`` as 'zero zero seven'."""
    return " ".join(DIGITS[int(digit)] for digit in digits)


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


def pairs(digits: str) -> str:
    """Three or four digits as they are said in house numbers and addresses: 'one twenty three', 'twelve hundred'."""
    if len(digits) < 3 or digits[0] == "0" or len(digits) > 4:
        return number_words(digits) if len(digits) < 3 else spell_digits(digits)
    if digits.endswith("000"):
        return cardinal(int(digits))
    first, rest = int(digits[:-2]), int(digits[-2:])
    if not rest:
        return f"{cardinal(first)} hundred"
    return f"{cardinal(first)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def fraction(top: int, bottom: int) -> str:
    """``3/4`` as 'three quarters', ``5/18`` as 'five eighteenths'."""
    name = {2: "half", 4: "quarter"}.get(bottom) or ordinal(bottom)
    if top != 1:
        name = "halves" if bottom == 2 else f"{name}s"
    return f"{cardinal(top)} {name}"


def with_article(words: str) -> str:
    """'one eighth' as 'an eighth', 'one half' as 'a half'."""
    share = words.removeprefix("one ")
    return f"an {share}" if share.startswith("e") else f"a {share}"


def rule(pattern: str, speak: Speak, flags: int = 0) -> Rule:
    """A pattern and the words that replace it."""
    return re.compile(pattern, flags), speak


def apply(rules: list[Rule], text: str) -> str:
    """The text with every match of each rule, in their order, replaced; words never stick to a letter or digit beside."""
    for pattern, speak in rules:
        text = pattern.sub(lambda match, speak=speak: _apart(match, speak(match)), text)  # type: ignore[misc]
    return text


def _apart(match: re.Match[str], reading: str) -> str:
    text, start, end = match.string, match.start(), match.end()
    if reading == match[0] or not reading:
        return reading
    if start and reading[0] != match[0][:1] and reading[0].isalnum() and text[start - 1].isalnum():
        reading = f" {reading}"
    if end < len(text) and reading[-1] != match[0][-1:] and reading[-1].isalnum() and text[end].isalnum():
        reading = f"{reading} "
    return reading


def _with_suffix(number: int) -> str:
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


@lru_cache(maxsize=4096)
def _library_words(span: str) -> str:
    """The words of the library for a number below 1000, or for its ordinal."""
    return str(_library().normalize(span))


@lru_cache(maxsize=1)
def _library() -> Any:
    import wetext  # type: ignore[import-untyped]  # a quarter of a second, so only once there is a number

    return wetext.Normalizer(lang="en", operator="tn")


# ---- the rules, in their order; each pattern is tried at a number's start only, so that none is quadratic ----

START = r"(?<![0-9A-Za-z])(?<![0-9][.,:/])"
NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?![0-9]|,[0-9])|[0-9]+(?:\.[0-9]+)?|(?<!\.)\.[0-9]+)"
YEAR = r"(?:1[1-9]|20)[0-9]{2}"
ORDINAL_END = r"(?:st|nd|rd|th|ST|ND|RD|TH)"
_LONE_DOT = r"(?<![^.]\.)(?<!^\.)"  # no decimal point stands before the number


def _say_ordinal(match: re.Match[str]) -> str:
    digits = match[1].replace(",", "")
    return ordinal(int(digits)) if len(digits) <= 18 else spell_digits(digits) + "th"


def _say_decade(match: re.Match[str]) -> str:
    digits = match["digits"]
    return plural(year(int(digits)) if len(digits) == 4 else cardinal(int(digits)))


def _say_plural(match: re.Match[str]) -> str:
    """``747s`` in the plural; ``9.58s`` are seconds."""
    return f"{number_words(match[1])} seconds" if "." in match[1] else plural(number_words(match[1]))


def _say_hundreds(match: re.Match[str]) -> str:
    """``100s of`` as 'hundreds of'."""
    return plural(cardinal(int(match[1].replace(",", ""))).removeprefix("one "))


# These look like fractions, but are said as two numbers.
_NO_FRACTIONS = {"24/7", "9/11", "7/7", "7/11", "20/20", "50/50"}


def _say_fraction(match: re.Match[str]) -> str:
    whole, top, bottom = match.group("whole", "top", "bottom")
    pair = f"{top}/{bottom}"
    is_pair = (
        pair in _NO_FRACTIONS
        or int(bottom) < 2
        or (not whole and int(top) + int(bottom) == 100 and int(top) % 5 == 0)  # the shares of a split: '60/40'
        or int(top) < 1
        or (int(top) >= int(bottom) and int(top) % int(bottom) == 0)
    )
    if not is_pair and int(bottom) > 100 and bottom.strip("0") != "1" and top != "1":
        return " ".join(
            part
            for part in (whole and number_words(whole), f"{number_words(top)} slash {number_words(bottom)}")
            if part
        )
    if not is_pair and int(top) > max(60, int(bottom)) and int(bottom) >= 40 and not whole:  # This is a blood pressure.
        return f"{cardinal(int(top))} over {cardinal(int(bottom))}"
    if is_pair or (whole and len(whole) >= 10):
        return " ".join(number_words(part) for part in (whole, top, bottom) if part)
    words = fraction(int(top), int(bottom))
    if not whole:
        return words
    return f"{number_words(whole)} and {with_article(words) if top == '1' else words}"


def _say_power(match: re.Match[str]) -> str:
    """``^6`` as 'to the sixth', ``^-3`` as 'to the minus third'; squares and cubes by their names."""
    sign, digits = match.group(1, 2)
    if not sign and digits in ("2", "3"):
        return " squared" if digits == "2" else " cubed"
    if len(digits) > 18:
        return f" to the power of {'minus ' if sign == '-' else ''}{spell_digits(digits)}"
    return f" to the {'minus ' if sign == '-' else ''}{ordinal(int(digits))}"


def _say_scientific(match: re.Match[str]) -> str:
    mantissa, sign, exponent = match.group(1, 2, 3)
    return f"{number_words(mantissa)} times ten to the {'minus ' if sign == '-' else ''}{ordinal(int(exponent))}"


def _say_plain(match: re.Match[str]) -> str:
    return number_words(match[0])


def _say_joint(word: str) -> Speak:
    return lambda match: f" {word} "


_PROPER = re.compile(r"(?<![0-9/.,])(?<!/ )(?:([1-9][0-9]{0,2}) )?([1-9][0-9]?)/([2-9]|[1-9][0-9]|100)(?![0-9/.,]| /)")


def _say_sum(match: re.Match[str]) -> str:
    """The left side of an equation; a proper fraction in it is one: ``3/4 + 1/2`` as 'three quarters plus one half'."""
    if match[0] == "9/11" or match.string[: match.start()].endswith("-"):
        return _say_signs(match[0])
    is_mixed = re.search("[0-9] $", match.string[max(0, match.start() - 2) : match.start()]) and _PROPER.match(match[0])
    return ("and" if is_mixed else "") + _say_signs(_PROPER.sub(_say_proper, match[0]))


def _say_signs(text: str) -> str:
    signs = "|".join(map(re.escape, _SUM_SIGNS))
    return re.sub(
        rf"(?:(?<=[0-9]) ?|(?<=[a-z]) {{1,2}})({signs}) ?",
        lambda m: f" {_SUM_SIGNS[m[1]]} ",
        text,
    )


def _say_proper(match: re.Match[str]) -> str:
    """``3/4`` as 'three quarters', ``1 1/2`` as 'one and one half'."""
    whole, top, bottom = match.groups()
    if int(top) >= int(bottom):
        return match[0]
    return f" {number_words(whole) + ' and ' if whole else ''}{fraction(int(top), int(bottom))} "


def _say_clock_or_ratio(match: re.Match[str]) -> str:
    """``25:30``: minutes and seconds, or a ratio where the words around say so."""
    return f"{number_words(match[1])} {'to ' if is_ratio(match) else ''}"


def _say_verses(match: re.Match[str]) -> str:
    chapter, first, last = (number_words(part) for part in match.groups())
    return f"{chapter} {first} to {last}"


def _say_verse(match: re.Match[str]) -> str:
    """``Romans 8:3`` or a score after a name; a ratio stays."""
    if is_ratio(match):
        return match[0]
    return f"{match[1]}{number_words(match[2])} {number_words(match[3])}"


def is_ratio(match: re.Match[str]) -> bool:
    """Whether the words around say that ``10:20`` is a ratio."""
    before = match.string[max(0, match.start() - 10) : match.start() + 6]
    after = match.string[match.end() : match.end() + 12]
    words = "ratio|odds|scale|mix"
    return bool(re.search(rf"\b(?:{words})\b", before, re.IGNORECASE) or re.match(rf"[0-9]* (?:{words})\b", after))


def _start_of_range(match: re.Match[str]) -> str:
    """``1990`` in 1990-95 stays for the rule of years; ``1234`` in 1234-123 is no year."""
    end = re.match(r"[0-9.,]*", match.string[match.end() : match.end() + 24])
    is_year = end is not None and re.fullmatch(rf"{YEAR}|[0-9]{{2}}", end[0].rstrip(".,"))
    behind = match.string[match.end() : match.end() + 24]
    if end is not None and end[0].rstrip(".,") == match[1] and not re.match("[0-9]+ [0-9]/[0-9]", behind):
        return f"{number_words(match[1])}-"  # '50-50', '2-2'
    return f"{match[1] if is_year else number_words(match[1])} to "


def _say_hexadecimal(match: re.Match[str]) -> str:
    """``0x1F`` as 'zero x one F'."""
    return "zero x " + " ".join(spell_digits(sign) if sign.isdigit() else sign.upper() for sign in match[1])


def _say_foot_or_minutes(match: re.Match[str]) -> str:
    """``6'2"`` as six foot two; no foot has twelve inches left over, so ``28' 40"`` is an angle or a time, except before 'long'."""
    first, second = cardinal(int(match[1])), cardinal(int(match[2]))
    is_length = int(match[2]) < 12 or re.match(
        " (?:tall|high|long|wide|deep|thick|across)\\b", match.string[match.end() : match.end() + 8]
    )
    return f"{first} foot {second}" if is_length else f"{first} minutes {second} seconds"


_SUM_SIGNS = {"-": "minus", "+": "plus", "*": "times", "×": "times", "x": "times", "/": "divided by"}
_SUM = rf"{NUMBER}(?: ?[-+*/×x] ?{NUMBER}){{1,9}}(?= ?=| {{1,2}}is not equal)"  # the left side of an equation
RULES_BEFORE_UNITS: list[Rule] = [
    rule(rf"{START}({NUMBER})[eE]([-+]?)([0-9]{{1,3}})(?![0-9A-Za-z.])", _say_scientific),
    rule(r"(?<=[0-9])\*\*(?=[0-9])", lambda m: "^"),
    rule(r"(?<=[0-9)])\^([-+]?)([0-9]+)(?![0-9]|\.[0-9])", _say_power),
    rule(rf"{START}{_SUM}", _say_sum),
    rule(r"(?<=[0-9]) - (?=-?[0-9]{1,18} ?=)", _say_joint("minus")),
    rule(r"(?<=[0-9]) ?[x×*] ?(?=10 (?:to the |squared|cubed))", _say_joint("times")),
    rule(rf"{START}0[xX]([0-9A-Fa-f]{{1,16}})(?![0-9A-Za-z])", _say_hexadecimal),
    rule(r"(?<=[0-9]) ?[x×] ?(?=[0-9])", _say_joint("by")),
    rule(r"(?<=[0-9])!(?= ?(?:[=*×+/]|- ?[0-9]))", _say_joint("factorial")),
    rule(r"(?<=root of )([0-9]{1,6})/(?=[0-9])", lambda m: f"{m[1]} over "),
    rule(rf"{START}([0-9]{{1,3}})-([1-7]/[2348])(?![0-9/]| ?=)", lambda m: f"{m[1]} {m[2]}"),
    rule(r"(?<=[0-9])/(?=[a-z](?![A-Za-z0-9]))", _say_joint("over")),
    rule(r"(?<![0-9A-Za-z.,):%°^'\"-])-(?=[$£€¥₹]?\.?[0-9])", lambda m: "minus "),
    rule(rf"{START}([0-9]{{1,3}})' ?([0-9]{{1,2}})(?:\"|'')", _say_foot_or_minutes),
    rule(rf"{START}([2-8])'([0-9]|1[01])(?![0-9A-Za-z'\"]|[.,][0-9])", _say_foot_or_minutes),
]
# Behind two numbers and a further hyphen these show a range: 'a 2-3-day trip'.
_MEASURED = "seconds?|minutes?|hours?|days?|nights?|weeks?|months?|years?|miles?|foot|inch|yards?|pages?|points?|persons?|man|pounds?|km|kg|fold|star"
# Between two quantities a hyphen is 'to'.
RANGE_RULES: list[Rule] = [
    rule(rf"{START}({NUMBER}) ?%(?= ?- ?{NUMBER} ?%)", lambda m: m[1]),
    rule(r"(?<=[0-9]/[2348]) ?- ?(?=[0-9])", _say_joint("to")),
    rule(r"(?<=[0-9][%°]) ?- ?(?=[0-9])", _say_joint("to")),
    rule(rf"(?<=[0-9])( ?[a-zA-Z]{{1,3}}/[a-zA-Z]{{1,3}}) ?- ?(?={NUMBER}\1(?![A-Za-z0-9]))", lambda m: f"{m[1]} to "),
    rule(rf"(?<=[0-9])( ?(?:°[CF]|[a-zA-Z]{{1,3}})) ?- ?(?={NUMBER} ?\1(?![A-Za-z0-9]))", lambda m: f"{m[1]} to "),
    rule(r"(?<=[0-9](?:st|nd|rd|th))-(?=[0-9]{1,9}(?:st|nd|rd|th)\b)", _say_joint("to")),
    rule(r"(?<=[0-9]0s)-(?=(?:[12][0-9])?[0-9]0s\b)", _say_joint("to")),
    rule(
        rf"{START}({YEAR})-0([1-9])(?![0-9A-Za-z-]|[.,:/][0-9])",
        lambda m: f"{year(int(m[1]))} to oh {DIGITS[int(m[2])]}",
    ),
    rule(rf"{START}([0-9]{{1,3}})-(?=[0-9]{{1,3}}-(?:{_MEASURED})\b)", lambda m: f"{number_words(m[1])} to "),
    rule(rf"{START}(?<![A-Za-z0-9]-)({NUMBER})-(?!0(?![0-9.]))(?={NUMBER}(?![-0-9]))", _start_of_range),
]
RULES: list[Rule] = [
    rule(rf"{START}([0-9][0-9,]{{0,5}}){ORDINAL_END}s\b", lambda m: f"{_say_ordinal(m)}s"),
    rule(rf"{START}([0-9][0-9,]*){ORDINAL_END}\b", _say_ordinal),
    rule(rf"{START}{_LONE_DOT}(?P<digits>(?:1[1-9]|20)[0-9]0)'?[sS]\b", _say_decade),
    rule(r"(?<![0-9A-Za-z.,:/])'(?P<digits>[1-9]0)S\b", _say_decade),
    rule(r"(?<![0-9A-Za-z.,:/])'?(?P<digits>[1-9]0)'?s\b", _say_decade),
    rule(rf"{START}(10{{1,3}}|1,000)s(?= of\b)", _say_hundreds),
    rule(rf"{START}({NUMBER})s\b", _say_plural),
    rule(
        rf"{START}(?:(?P<whole>[0-9]+) )?(?P<top>[0-9]{{1,3}})/(?P<bottom>[0-9]{{1,3}}|10{{3,6}})(?:(?:{ORDINAL_END})?s?\b)?(?![0-9/])",
        _say_fraction,
    ),
    rule(rf"{START}[0-9]+(?:\.[0-9]+){{2,}}", lambda m: " point ".join(number_words(part) for part in m[0].split("."))),
    rule(rf"{START}([0-9]{{1,3}}):([0-9]{{1,3}})-([0-9]{{1,3}})(?![0-9:])", _say_verses),
    rule(r"\b([A-Z][a-z]{2,} )([0-9]{1,3}):([0-9]{1,3})(?![0-9:])", _say_verse),
    rule(rf"{START}([0-9]{{2}}):(?=[0-5][0-9](?![0-9:]))", _say_clock_or_ratio),
    rule(rf"{START}([0-9]+(?:\.[0-9]+)?):(?=[0-9])", lambda m: f"{number_words(m[1])} to "),
    rule(r"(?<=[0-9]) ?\* ?(?=[0-9])", _say_joint("times")),
    rule(rf"{START}{_LONE_DOT}({YEAR})(?=[a-e]\b)", lambda m: f"{year(int(m[1]))} "),
    rule(rf"{START}{_LONE_DOT}({YEAR})(?![0-9]|[.,][0-9]|[A-Za-z^])", lambda m: year(int(m[1]))),
    rule(r" ?\^([-+]?)([0-9]+)(?![0-9]|\.[0-9])", _say_power),
    rule(r" ?\^(-?)(?=[(A-Za-z0-9.])", lambda m: f" to the power of {'minus ' if m[1] else ''}"),
    rule(r"(?<![0-9A-Za-z])([A-Za-z])\.(?=[0-9])", lambda m: f"{m[1]} point "),
    rule(NUMBER, _say_plain),
]
