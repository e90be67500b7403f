"""Fractions of units, and feet and inches by their signs: ``½ lb.``, ``3/16 in.``, ``3-in. nails``, ``10' x 12'``."""

import re

from triforce_tts.text.attributes import is_attribute
from triforce_tts.text.numbers import START, Rule, fraction, number_words, ordinal, rule, with_article
from triforce_tts.text.unit_names import UNITS

# These need no dot to be units behind a fraction.
_LONG = "lbs|lb|oz|ft|yds|yd|tsp|tbsp|qts|qt|gal|hrs|hr|mins|mi|km|cm|mm|kg|cwt|doz|ml|mL|cc|rpm|mph"
# These do, because they are also words or mean something else.
_DOTTED = {
    "in": ("inch", "inches"),
    "pt": ("pint", "pints"),
    "min": ("minute", "minutes"),
    "sec": ("second", "seconds"),
}
_ADJECTIVES = "tall|high|long|wide|deep|thick|across|apart|square|in (?:length|height|width|depth|diameter)|below|above"
_WEIGHTS = frozenset(["lb", "lbs", "oz", "pt", "qt", "qts", "tsp", "tbsp", "gal", "kg"])
_NO_NOUN = (
    "each|per|more|less|heavier|lighter|extra|apiece|heavy|net|weight|later|ago|off|short|over|under|than|only|not"
)
_SPEECH = (
    "he|she|it|they|we|you|i|said|says|asked|cried|replied|answered|and|but|or|as|is|was|were|are|had|has|in|on|at|to|of|for"
    "|when|while|then|with|from|by|so|that|because"
)


def _say_part(match: re.Match[str]) -> str:
    """``½ lb.`` as half a pound, ``3/16 in.`` as three sixteenths of an inch, ``1½ in.`` as one and a half inches."""
    whole, top, bottom = match.group("whole", "top", "bottom")
    if not 0 < int(top) < int(bottom):
        return match[0]
    unit = match["unit"] or match["dotted"]
    one, several = _DOTTED.get(unit) or UNITS[unit]
    words = fraction(int(top), int(bottom))
    if whole:
        words = f"{number_words(whole)} and {with_article(words) if top == '1' else words}"
    if match["joint"] == "-" or is_attribute(match):
        return f"{words}{match['joint'] or ' '}{one}"
    if whole:
        return f"{words} {several}"
    an = "an" if one[0] in "aeiou" or one == "hour" else "a"
    share = f"half {an} {one}" if words == "one half" else f"{words} of {an} {one}"
    return share + _of_what(match, unit)


def _of_what(match: re.Match[str], unit: str) -> str:
    """The word 'of' between a share of a weight and the noun after it: half a pound of butter."""
    is_noun = re.match(rf" (?!(?:{_SPEECH}|{_NO_NOUN})\b)[a-z]{{3,}}", match.string[match.end() : match.end() + 20])
    return " of" if is_noun and unit in _WEIGHTS else ""


def _say_pints(match: re.Match[str]) -> str:
    return f"{number_words(match[1])} pint{'' if match[1] == '1' else 's'}"


def _length(amount: str, sign: str, singular: bool) -> str:
    one, several = ("foot", "feet") if sign == "'" else ("inch", "inches")
    words = (
        amount if len(amount) < 4 or "/" in amount else number_words(amount)
    )  # Digits may be a side of a product: '8 x 11"'.
    return f"{words} {one if amount == '1' or singular else several}"


def _say_product(match: re.Match[str]) -> str:
    """``10' x 12'`` as ten feet by twelve feet."""
    return " by ".join(_length(side, match[1], False) for side in re.findall(_SIDE, match[0]))


def _say_length(match: re.Match[str]) -> str:
    """A length before an adjective such as 'tall'; a sign that closes a quotation stays."""
    measured = _MEASURED_BEFORE.search(match.string[max(0, match.start() - 12) : match.start()])
    if not (measured and _SIZE.match(match.string, match.end())) and _is_closing_quote(match, match[2]):
        return match[0]
    return _length(match[1], match[2], False)


def _is_closing_quote(match: re.Match[str], sign: str) -> bool:
    """Whether the sign behind a number closes a quotation that opened before it and that no later sign closes."""
    before = match.string[max(0, match.start() - 500) : match.start() + len(match[1])]
    after = match.string[match.end() : match.end() + 500]
    if not _is_open(before, sign):
        return False
    later = re.search(rf"(?<![0-9A-Za-z]){sign}(?=\w)|(?<=[A-Za-z.,!?;]){sign}(?!\w)", after)
    return not later or after[later.end() : later.end() + 1].isalnum()


def _is_open(before: str, sign: str) -> bool:
    """Whether a quotation is open at the end of the text: its last mark opens one."""
    opened = [mark.start() for mark in re.finditer(rf"(?<!\w){sign}(?=\w)(?!{_ELIDED})", before)]
    closed = [mark.start() for mark in re.finditer(rf"(?<=[A-Za-z.,!?;]){sign}(?!\w)", before)]
    return bool(opened) and (not closed or opened[-1] > closed[-1])


def _say_last_length(match: re.Match[str]) -> str:
    """``a depth of 100'`` at the end of a part of a sentence; a sign that closes a quotation stays."""
    before = match.string[max(0, match.start() - 500) : match.start()]
    marks = re.findall(r"(?<![0-9])'(?!\w)|(?<!\w)'" if match[2] == "'" else r'(?<![0-9])"', before)
    if len(marks) % 2 or _is_open(before + match[1], match[2]) or "`" in before or re.search(r"[\\=+/,:-]$", before):
        return match[0]
    return _length(match[1], match[2], match.string[match.end() : match.end() + 1] == " ")


def _say_decimal_length(match: re.Match[str]) -> str:
    """``1.2"`` of rain in inches."""
    is_open = len(re.findall(r'(?<![0-9])"', match.string[max(0, match.start() - 500) : match.start()])) % 2
    return match[0] if is_open else _length(match[1], '"', is_attribute(match))


def _mark_inches(match: re.Match[str]) -> str:
    """``1/2" pipe`` as '1/2-in. pipe', which a later rule reads."""
    is_noun = re.match(rf" (?!(?:{_SPEECH})\b)[a-z]{{3,}}", match.string[match.end() : match.end() + 20])
    return f"{match[1]}{'-' if is_noun else ' '}in.{'' if is_noun or match.string[match.end() :][:1] == ',' else ' '}"


def _say_inches_of(match: re.Match[str]) -> str:
    """``38"`` before a noun in inches; a sign that closes a quotation stays."""
    return (
        match[0] if _is_closing_quote(match, '"') else _length(match[1], '"', is_attribute(match) or match[2] != " of")
    )


def _say_feet_of(match: re.Match[str]) -> str:
    """``a 10' pole`` in feet, where the words around show that the number describes a noun."""
    return match[0] if not is_attribute(match) or _is_closing_quote(match, "'") else _length(match[1], "'", True)


_MEASURED_BEFORE = re.compile(r"\b(?:is|was|are|were|about|nearly|almost|over|measures|stands|stood|only) $")
_SIZE = re.compile(r" (?:tall|high|long|wide|deep|thick|across)\b(?! (?:above|below))")
_ELIDED = r"(?:[Tt]is|[Tt]was|[Tt]were|[Tt]will|[Tt]il|em|[Cc]ause|[Bb]out|[Rr]ound|n|[0-9]0s|[0-9]{2}(?= ))\b"  # behind an apostrophe
_NUMBER = r"[0-9]{1,4}(?:\.[0-9]{1,3})?"
_SIDE = rf"(?:(?:[0-9]{{1,3}} )?[0-9]{{1,2}}/[0-9]{{1,2}}|{_NUMBER})"
# The dot of a unit is no full stop if the sentence goes on, also with a smaller unit: '3 lb. 4 oz.'
GOES_ON = r"(?:\.(?=,| [a-z(]|-[a-z]| [0-9/]{1,5} ?(?:lbs?|oz|in|ft|mins?|secs?|pts?|qts?)\b))?"
LENGTHS: list[Rule] = [
    rule(r"(?<=[0-9] (?:ft|in|yd))\.? [x×] (?=[0-9])", lambda m: " by "),
    rule(r"(?:(?<=[0-9] feet)|(?<=[0-9] inches)) [x×] (?=[0-9])", lambda m: " by "),
    rule(rf"{START}({_NUMBER})(['\"]) ?- ?(?={_NUMBER}\2)", lambda m: f"{m[1]} to "),
    rule(rf"{START}{_SIDE}(['\"])(?: ?[x×] ?{_SIDE}\1){{1,2}}", _say_product),
    rule(rf"{START}((?:[0-9]{{1,3}} )?[0-9]{{1,2}}/(?:2|4|8|16|32|64))\"(?= [a-z]{{3}}|,)", _mark_inches),
    rule(rf"{START}(?<!['\"])({_NUMBER})(['\"])(?= (?:{_ADJECTIVES})\b)", _say_length),
    rule(rf"{START}(?<!['\"])(?<!' )({_NUMBER})\"(?=( of| (?!(?:{_SPEECH})\b)[a-z]{{3,}})\b)", _say_inches_of),
    rule(rf"{START}(?<!['\"])({_NUMBER})(')(?=( )[a-z]{{3,}}\b)", _say_feet_of),
    rule(rf"{START}(?<!['\"])({_NUMBER})(\")(?= (?:[A-Z]{{2}}|[a-z][A-Z]|[0-9]+[A-Z]))", _say_last_length),
    # A decimal number with this sign is a length, unless the sign closes a quotation.
    rule(rf"{START}(?<!['\"])([0-9]{{1,3}}\.[0-9]{{1,3}})\"(?= )", _say_decimal_length),
    rule(rf"{START}(?<!['\"])(?<!' )({_NUMBER})(['\"])(?=[.,;:!?)]|$)", _say_last_length),
]
FRACTIONS: list[Rule] = [
    rule(rf"{START}(?<![0-9] )1/2(?= (?:an?|the|my|his|her|their|our|your|its)\b)", lambda m: "half"),
    rule(
        rf"{START}1/([0-9]{{2,5}}) ?(?:s|sec)\b(?:\.(?= [a-z]))?(?!/)",
        lambda m: f"one {ordinal(int(m[1]))} of a second",
    ),
    rule(rf"{START}({_NUMBER}) ?st\b\.?(?= [0-9]{{1,2}} ?lbs?\b)", lambda m: f"{number_words(m[1])} stone"),
    # '15st' is a weight, because the ordinal is '15th'.
    rule(
        rf"{START}([2-9]|[1-3][02-9]) ?st(?=[ ,.;:)-]|$)(?! (?:Street|St|Avenue|Ave|Floor)\b)",
        lambda m: f"{number_words(m[1])} stone",
    ),
    rule(rf"{START}([0-9]{{1,2}}) pt\.(?= (?!font|type|text|bold)[a-z]{{3}})", _say_pints),
    rule(
        rf"{START}(?:(?P<whole>[0-9]{{1,4}})[ -])?(?P<top>[0-9]{{1,2}})/(?P<bottom>[0-9]{{1,3}})(?P<joint>[ -]?)"
        rf"(?:(?P<unit>{_LONG})\b{GOES_ON}|(?P<dotted>in|pt|min|sec)(?=\.){GOES_ON})(?![A-Za-z0-9^/])",
        _say_part,
    ),
    rule(rf"{START}({_NUMBER})-in\.?(?= [a-z]{{3}})", lambda m: f"{number_words(m[1])}-inch"),
]
