"""Measures in words: ``10 μg`` as ten micrograms, ``9.8 m/s^2`` as meters per second squared, ``£10/wk`` as per week."""

import re

from triforce_tts.text import cookery
from triforce_tts.text.attributes import is_attribute
from triforce_tts.text.fractions import FRACTIONS, GOES_ON, LENGTHS
from triforce_tts.text.numbers import NUMBER, START, Rule, number_words, ordinal, rule
from triforce_tts.text.saints import kept_stop
from triforce_tts.text.unit_names import BARE_CAPITALS, PER, SPACED_CAPITALS, TIMES, UNITS

_POWERS = {"2": "square ", "3": "cubic "}


def _names(units: object) -> str:
    return "|".join(sorted(map(re.escape, units), key=len, reverse=True))  # type: ignore[call-overload]


_AFTER_NUMBER = _names(unit for unit in UNITS if unit not in BARE_CAPITALS)
_ANY = _names({*UNITS, *PER})
_PER_ONE = rf"(?P<per>{_ANY})(?:\^?(?P<per_power>[23]))?"
_END = r"(?![0-9A-Za-z'μΩ^])"
# The first part of a rate without a number. It is never a single capital, because W/L and A/C are no rates.
_RATE_TOP = _names(unit for unit in UNITS if unit not in BARE_CAPITALS and not (len(unit) == 1 and unit in "WVLhl%°"))


def _per(match: re.Match[str]) -> str:
    """The words for the part of a unit after its slash, such as `` per second squared``."""
    unit, power = match.group("per", "per_power")
    name = PER.get(unit) or UNITS[unit][0]
    if unit == "ea":
        return " each"
    if name in TIMES:
        return f" per {name}{ {'2': ' squared', '3': ' cubed'}.get(power or '', '') }"
    return f" per {_POWERS.get(power or '', '')}{name}"


def _say_measure(match: re.Match[str]) -> str:
    amount, joint, unit, power = match.group("amount", "joint", "unit", "power")
    one, several = UNITS[unit]
    name = one if amount == "1" or joint == "-" or is_attribute(match) else several
    reading = f"{number_words(amount)}{joint or ' '}{_POWERS.get(power or '', '')}{name}"
    return reading + (_per(match) if match["per"] else "")


def _say_rate(match: re.Match[str]) -> str:
    """A rate without a number: ``m/s^2``, ``mg/dL``; 'm/m' is none."""
    if match["unit"] == match["per"]:
        return match[0]
    return _POWERS.get(match["power"] or "", "") + UNITS[match["unit"]][1] + _per(match)


def _say_angle(match: re.Match[str]) -> str:
    """``51° 30' 5" N`` in degrees, minutes and seconds."""
    degrees, minutes, seconds, side = match.group(1, 2, 3, 4)
    # The zero of 05 only fills its place.
    parts = [
        (re.sub("^0(?=[0-9])", "", n or ""), name)
        for n, name in ((degrees, "degree"), (minutes, "minute"), (seconds, "second"))
    ]
    reading = " ".join(f"{number_words(n)} {name}{'' if n == '1' else 's'}" for n, name in parts if n)
    return reading + (f" {_SIDES[side]}" if side else "")


def _say_rare_unit(match: re.Match[str]) -> str:
    """Units that are also words or endings: they need a space, and 'in.' needs its dot."""
    unit, amount = match.group("unit", "amount")
    names = {"s": ("second", "seconds"), "in": ("inch", "inches"), "t": ("tonne", "tonnes")}.get(unit) or UNITS[unit]
    power = _POWERS.get(match["power"] or "", "")
    is_one = amount == "1" or (unit != "s" and is_attribute(match))
    return f"{number_words(amount)} {power}{names[not is_one]}" + (_per(match) if match["per"] else "")


def _say_power_of_unit(match: re.Match[str]) -> str:
    """A power before a unit: ``10^-3 mol`` in moles."""
    power = ordinal(int(match["exponent"]))
    return f" to the {'minus ' if match['sign'] == '-' else ''}{power} {UNITS[match['unit']][1]}" + (
        _per(match) if match["per"] else ""
    )


_INTEREST = re.compile(
    r"\b(?i:yields?|rates?|spreads?|hikes?|hiked|fed|ecb|boj|banks?|bonds?|treasur(?:y|ies)|gilts?|bunds?|margins?|basis|cut|easing|fees?|percent)\b|%"
)


_BITS = re.compile(r"\b(?i:modems?|(?:bit|data|transfer|sampling|sample) ?rates?|baud|bandwidth|serial|downloads?)\b")


def _say_basis_points(match: re.Match[str]) -> str:
    around = match.string[max(0, match.start() - 80) : match.end() + 40]
    is_of_bits = _BITS.search(match.string[max(0, match.start() - 30) : match.end() + 20])
    if not _INTEREST.search(around) or is_of_bits or float(match[1].replace(",", "")) >= 1000:  # a modem has more bits
        return match[0]
    return f"{number_words(match[1])} basis point{'' if match[1] == '1' else 's'}"


def _say_age(match: re.Match[str]) -> str:
    """``25yo`` as 'twenty five years old', and 'a 25yo nurse' as 'twenty five year old'."""
    is_adjective = is_attribute(match) or re.match(
        r" (?!and|but|who|with|when|from|has|had|was|now|or|at|in)[a-z]{3,}", match.string[match.end() :][:8]
    )
    return f"{number_words(match[1])} year{'' if is_adjective else 's'} old"


def _say_feet_and_inches(match: re.Match[str]) -> str:
    return f" feet {number_words(match['amount'])} inch{'' if match['amount'] == '1' else 'es'}{kept_stop(match)}"


# Units of more than one letter, which no sign needs.
_LONG_UNITS = _names(
    unit
    for unit in UNITS
    if len(unit) > 1 and unit.isascii() and unit.isalpha() and unit not in BARE_CAPITALS | {"bit", "ps", "pt"}
)
_SIDES = {"N": "north", "S": "south", "E": "east", "W": "west"}
_NO_LONE_PER = {"a", "d", "w", "y", "t", "l", "B", "C", "F", "K", "T", "S", "N", "J", "H", "A", "V", "W"}
RULES: list[Rule] = [
    rule(
        rf"{START}(?P<amount>{NUMBER})(?P<joint>[ -])?(?P<unit>{_AFTER_NUMBER})(?:\^?(?P<power>[23]))?(?: ?/ ?{_PER_ONE})?{_END}{GOES_ON}",
        _say_measure,
    ),
    rule(
        rf"{START}(?P<amount>{NUMBER}) (?P<unit>{_names([*SPACED_CAPITALS, 's', 't'])}|in(?=\.|\^|/))(?:\^(?P<power>[23]))?(?:/{_PER_ONE}{_END}|{_END}(?= of\b| and\b| or\b| at\b|[,;:)?!]|\.(?= |$)|$))(?:\.(?= [a-z]))?",
        _say_rare_unit,
    ),
    rule(
        rf"{START}(?P<amount>{NUMBER}) (?P<unit>s|in(?=\.))(?P<power>)(?P<per>)(?P<per_power>)(?![0-9A-Za-z'])(?:\.(?= [a-z]))?",
        _say_rare_unit,
    ),
    rule(
        r"( per [a-z]{1,20})/(?P<per>d|day|h|hr|hour|min|minute|s|sec|second|wk|week|mo|month|yr|year)(?P<per_power>)\b",
        lambda m: m[1] + _per(m),
    ),
    rule(
        r"(?<![\w/^.'])(?P<unit>km|cm|mm|ft|yd|mi)\^?(?P<power>[23])(?![\w/^])",
        lambda m: _POWERS[m["power"]] + UNITS[m["unit"]][1],
    ),
    rule(
        r"(?:(?<=[0-9])|(?<![\w/^.']))(?P<unit>[JNWV])(?P<power>)/(?P<per>m|cm|kg|g|mol)(?:\^?(?P<per_power>[23]))?(?![\w/^])",
        _say_rate,
    ),
    rule(rf"(?<![\w/^.'])(?P<unit>{_RATE_TOP})(?:\^?(?P<power>[23]))?/{_PER_ONE}(?![\w/^])", _say_rate),
]
RULES += [
    rule(r"(?<!\w)(?P<unit>[kMGmμ]Ω)(?!\w)", lambda m: UNITS[m["unit"]][1]),
    rule(r"(?<![\w])° ?(?P<side>[CF])\b", lambda m: UNITS[f"°{m['side']}"][1]),
]
_RATED = "km|cm|mm|m|kg|mg|g|mol|mL|L|J|N|W|V|Pa|s|h|K"
_PER_OF_MONEY = {unit for unit in {**UNITS, **PER} if unit not in _NO_LONE_PER and unit.isalpha()}
_DEGREES = r"[0-9]{1,3}(?:\.[0-9]{1,9})?"
_MINUTES = r"[0-9]{1,2}(?:\.[0-9]{1,9})?"
FIRST_RULES: list[Rule] = [
    *cookery.RULES,
    rule(rf"(?<![A-Za-z])([NSEW]) ?(?={_DEGREES}°(?! ?[NSEW]))", lambda m: f"{_SIDES[m[1]]} "),
    rule(r"(?<=°[NSEW]) ?- ?(?=[0-9.]{1,9}°)", lambda m: " to "),
    rule(r"(?<=[0-9])-(?=0 ?°)", lambda m: " to "),
    rule(r"(?<=[0-9]/[2348]) ?- ?(?=[0-9]{1,2}/[0-9]{1,2}(?![0-9/]| ?[-+=]))", lambda m: " to "),
    rule(
        rf"{START}([4-7])ft([0-9]|1[01])(?:in)?(?![0-9A-Za-z])",
        lambda m: f"{number_words(m[1])} foot {number_words(m[2])}",
    ),
    # What no table of units has, in a volume: 'CFU/mL', 'copies/mL'; 'mEq/L'.
    rule(r"(?:(?<=[A-Z]{3})|(?<=[a-z]s))/(mL|ml|dL|μL)(?![\w/^])", lambda m: f" per {UNITS[m[1]][0]}"),
    rule(
        r"(?<![\w/])(mEq|mOsm)/(L|kg)(?![\w/^])",
        lambda m: f"{'milliequivalents' if m[1] == 'mEq' else 'milliosmoles'} per {UNITS[m[2]][0]}",
    ),
    # At least so much: '10+ lbs', '50+ km'.
    rule(
        rf"{START}({NUMBER})\+ ?({_LONG_UNITS})(?![0-9A-Za-z'/^])(?:\.(?= [a-z(]))?",
        lambda m: f"{number_words(m[1])} plus {UNITS[m[2]][0 if is_attribute(m) else 1]}",
    ),
    rule(
        r"(?<![\w/])(mg|g|μg|mcg|ml|mL|kcal|IU)/kg/(d|day|h|hr|hour|min|dose|wk|week)(?![\w/])",
        lambda m: f"{UNITS[m[1]][1]} per kilogram per {PER.get(m[2]) or UNITS[m[2]][0]}",
    ),
    rule(r"(?<=[0-9]) ?- ?(?=[0-9]{1,3} [1-7]/[2348](?![0-9/]))", lambda m: " to "),
    rule(
        rf"{START}({_DEGREES})° ?({_MINUTES})'(?: ?({_MINUTES})(?:\"|''))?(?: ?([NSEW])\b(?:\.(?=[,;)]| [a-z]))?)?",
        _say_angle,
    ),
    rule(rf"{START}({_DEGREES})°()() ?([NSEW])\b(?:\.(?=[,;)]| [a-z0-9])|(?!\.[A-Za-z]))", _say_angle),
    rule(r"(?<=[0-9]) ?(mm|cm|m|km|ft|in|yd) ?[x×] ?(?=[0-9.]{1,9} ?\1\b)", lambda m: f" {m[1]} by "),
    rule(
        rf"{START}([0-9]{{2,3}})/([0-9]{{2,3}}) ?mm ?Hg\b",
        lambda m: f"{number_words(m[1])} over {number_words(m[2])} millimeters of mercury",
    ),
    rule(
        r"(?<=[0-9])( ?(?:mg|μg|g|kcal|l|L|ml|kWh|mm))/(100|1000|1,000) ?(km|ml|mL|g|kg|miles|m)\b",
        lambda m: f"{m[1]} per {m[2]} {m[3]}",
    ),
    rule(
        rf"{START}([0-9]{{2,3}})/([0-9]{{2,3}})(?= ?(?:Hz|VAC|V|W)\b)", lambda m: f"{number_words(m[1])} slash {m[2]}"
    ),
    rule(rf"{START}([0-9]{{1,3}})hrs?([0-9]{{2}})(?![0-9A-Za-z])", lambda m: f"{m[1]} h {int(m[2])} min"),
    rule(
        r"(?:(?<=[a-z]s)|(?<=people)) ?/ ?(?P<per>mm|cm|ml|mL|μL|km|kg)(?:\^?(?P<per_power>[23]))?(?![\w/^])",
        _per,
    ),
    rule(r"(?<=[0-9])( ?deg(?:rees?|\.)? ?|° )([CF])\b", lambda m: f"°{m[2]}"),
    rule(
        rf"{START}({_DEGREES})°(?= (?:angle|turn|rotation|view|panorama|bend|arc|slope|incline)s?\b)",
        lambda m: f"{number_words(m[1])} degree",
    ),
    rule(
        rf"{START}({NUMBER})-sq\.?[- ](ft|mi|yd|in|m)\b\.?",
        lambda m: f"{number_words(m[1])}-square-{UNITS[m[2]][0] if m[2] != 'in' else 'inch'}",
    ),
    rule(rf"{START}([0-9]{{1,3}})[ -]?(?:yo|y/o|y\.o\.)(?![\w-]|\.\w)", _say_age),
    rule(
        rf"(?<=[0-9] )({_RATED}) ({_RATED})-([123])(?![0-9])",
        lambda m: f"{m[1]}/{m[2]}{f'^{m[3]}' if m[3] != '1' else ''}",
    ),
    # 'm s^-2' is another way to write 'm/s^2'.
    *[
        rule(
            rf"(?<=[0-9] )({_RATED}) ?({_RATED})\^-([123])(?![0-9])",
            lambda m: f"{m[1]}/{m[2]}{f'^{m[3]}' if m[3] != '1' else ''}",
        )
    ],
    rule(
        rf"{START}([0-9]{{1,3}})h ?([0-9]{{1,2}})m(?:in)?(?: ?([0-9]{{1,2}})s)?(?![0-9A-Za-z])",
        lambda m: f"{m[1]} h {int(m[2])} min" + (f" {m[3]} sec" if m[3] else ""),
    ),
    rule(rf"{START}([0-9]{{1,3}})m ?([0-9]{{1,2}})s(?![0-9A-Za-z])", lambda m: f"{m[1]} min {m[2]} sec"),
    # A yield or a rate moves by basis points, which are no bits.
    rule(rf"{START}({NUMBER}) ?bps?\b", _say_basis_points),
    rule(
        r"(?<![\w.,/-])([12])x(?= (?:daily|weekly|monthly|yearly|a (?:day|week|month|year)|per (?:day|week|month|year))\b)",
        lambda m: "once" if m[1] == "1" else "twice",
    ),
    rule(
        r"(?<![\w.,/-])([1-9])x ?/ ?(day|week|month|year|wk|d|night)\b",
        lambda m: (
            f"{ {'1': 'once', '2': 'twice'}.get(m[1]) or number_words(m[1]) + ' times' } a { {'wk': 'week', 'd': 'day'}.get(m[2], m[2]) }"
        ),
    ),
    rule(rf"{START}([0-9]{{1,3}})d (?=[0-9]{{1,2}} ?h\b)", lambda m: f"{m[1]} day{'' if m[1] == '1' else 's'} "),
    *LENGTHS,
    *FRACTIONS,
    rule(
        rf"(?<=[0-9]) ?(?:ft|feet|foot)\.?,? (?P<amount>{NUMBER}) ?in\b(?:\.|(?! (?:his|her|my|your|their|its|the|a|bare|stocking|socks|shoes|boots|heels|sandals|slippers)\b))",
        _say_feet_and_inches,
    ),
    rule(
        rf"(?<=[0-9])\^(?P<sign>[-+]?)(?P<exponent>[0-9]{{1,9}}) (?P<unit>{_AFTER_NUMBER})(?:/{_PER_ONE})?{_END}",
        _say_power_of_unit,
    ),
    # The number or word before the slash stays for the other rules: '$20/mo', '12/kg', '5 m/day' and 'litres/day'.
    rule(
        rf"(?<=[0-9]) ?/ ?(?P<per>{_names(u for u in {*UNITS, *PER} if u not in _NO_LONE_PER)})(?:\^?(?P<per_power>[23]))?{_END}(?!/)(?:\.(?= [a-z+(]))?",
        _per,
    ),
    rule(rf"(?:(?<=[0-9][kKmMbB%])|(?<=[€£$¥₹¢])) ?/ ?(?P<per>{_names(_PER_OF_MONEY)})(?P<per_power>){_END}", _per),
    rule(
        rf"(?:(?<=[a-z]s)|(?<=feet)|(?<=\bcent)|(?<=people)|(?<=\byen)) ?/ ?(?P<per>{_names(u for u in PER if len(u) > 3)}|day|wk|mo|yr|hr|min|sec)(?P<per_power>)\b(?![/-])",
        _per,
    ),
]
