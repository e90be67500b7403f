"""Measures in words: ``10 μg`` as ten micrograms, ``9.8 m/s^2`` as meters per second squared, ``£10/wk`` as per week."""

import re

from triforce_tts.text.numbers import NUMBER, START, Rule, is_attribute, number_words, ordinal, rule

Names = tuple[str, str]  # the names of one and of several of a unit

_PREFIXES = {
    **{
        "k": "kilo",
        "M": "mega",
        "G": "giga",
        "T": "tera",
        "c": "centi",
        "m": "milli",
        "μ": "micro",
        "n": "nano",
        "p": "pico",
    },
    **{"h": "hecto", "d": "deci", "f": "femto"},
}
# The unit, and the prefixes that are used with it. A capital alone is mostly a label ('5A'), so that those of
# _PREFIXED_ONLY need a prefix or stand in a rate.
_METRIC: dict[str, tuple[str, str]] = {
    "m": ("meter", "kcmμnd"),
    "g": ("gram", "kmμn"),
    "L": ("liter", "mμnchd"),
    "l": ("liter", "mμchd"),
    "W": ("watt", "kMGTmμ"),
    "V": ("volt", "kMmμn"),
    "A": ("ampere", "kmμnp"),
    "J": ("joule", "kMGm"),
    "N": ("newton", "kMm"),
    "F": ("farad", "mμnp"),
    "H": ("henry", "mμn"),
    "T": ("tesla", "mμn"),
    "S": ("siemens", "mμn"),
    "C": ("coulomb", "mμn"),
    "K": ("kelvin", "m"),
    "Pa": ("pascal", "hkMG"),
    "Hz": ("hertz", "kMGTm"),
    "Ω": ("ohm", "kMGmμ"),
    "mol": ("mole", "mμnk"),
    "eV": ("electron volt", "kMGTm"),
    "Wh": ("watt hour", "kMGTm"),
    "Ah": ("ampere hour", "m"),
    "cal": ("calorie", "k"),
    "bar": ("bar", "m"),
    "Bq": ("becquerel", "kMGT"),
    "Sv": ("sievert", "mμ"),
    "Gy": ("gray", "mμ"),
    "lm": ("lumen", "k"),
    "B": ("byte", "kMGT"),
    "bps": ("bit per second", "kMGT"),
    "bit": ("bit", "kMGT"),
    "ton": ("ton", "kM"),
}
_PREFIXED_ONLY = {"A", "J", "N", "F", "H", "T", "S", "C", "K", "B", "bar", "bit", "ton", "Ω"}
_SPACED_CAPITALS = {"A", "J", "N", "K"}  # '5 A' is amperes only where no word follows
_OTHERS: dict[str, Names] = {
    **{"kmh": ("kilometer per hour", "kilometers per hour"), "kph": ("kilometer per hour", "kilometers per hour")},
    **{"mph": ("mile per hour", "miles per hour"), "mpg": ("mile per gallon", "miles per gallon")},
    **{"mi": ("mile", "miles"), "ft": ("foot", "feet"), "yd": ("yard", "yards"), "yds": ("yard", "yards")},
    **{"lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"), "qt": ("quart", "quarts")},
    **{
        "pt": ("point", "points"),
        "gal": ("gallon", "gallons"),
        "tbsp": ("tablespoon", "tablespoons"),
        "tsp": ("teaspoon", "teaspoons"),
    },
    **{"fl oz": ("fluid ounce", "fluid ounces"), "fl. oz": ("fluid ounce", "fluid ounces")},
    **{
        "sq ft": ("square foot", "square feet"),
        "sq. ft": ("square foot", "square feet"),
        "sq m": ("square meter", "square meters"),
    },
    **{
        "sq km": ("square kilometer", "square kilometers"),
        "sq mi": ("square mile", "square miles"),
        "sq in": ("square inch", "square inches"),
    },
    **{
        "sq yd": ("square yard", "square yards"),
        "sq. m": ("square meter", "square meters"),
        "sq. km": ("square kilometer", "square kilometers"),
    },
    **{
        "sq. mi": ("square mile", "square miles"),
        "cu ft": ("cubic foot", "cubic feet"),
        "cu. ft": ("cubic foot", "cubic feet"),
    },
    **{
        "cu m": ("cubic meter", "cubic meters"),
        "cc": ("cc", "cc"),
        "ha": ("hectare", "hectares"),
    },
    **{
        "KB": ("kilobyte", "kilobytes"),
        "Kb": ("kilobit", "kilobits"),
        "Mb": ("megabit", "megabits"),
        "Gb": ("gigabit", "gigabits"),
    },
    **{
        "PB": ("petabyte", "petabytes"),
        "KiB": ("kibibyte", "kibibytes"),
        "MiB": ("mebibyte", "mebibytes"),
        "GiB": ("gibibyte", "gibibytes"),
    },
    **{
        "TiB": ("tebibyte", "tebibytes"),
        "MHZ": ("megahertz", "megahertz"),
        "GHZ": ("gigahertz", "gigahertz"),
        "KHz": ("kilohertz", "kilohertz"),
    },
    **{"mbps": ("megabit per second", "megabits per second"), "gbps": ("gigabit per second", "gigabits per second")},
    **{
        "Kbps": ("kilobit per second", "kilobits per second"),
        "KWh": ("kilowatt hour", "kilowatt hours"),
        "kva": ("kilovolt ampere", "kilovolt amperes"),
    },
    **{
        "kVA": ("kilovolt ampere", "kilovolt amperes"),
        "MVA": ("megavolt ampere", "megavolt amperes"),
        "Nm": ("newton meter", "newton meters"),
    },
    **{
        "N m": ("newton meter", "newton meters"),
        "hp": ("horsepower", "horsepower"),
        "psi": ("pound per square inch", "pounds per square inch"),
    },
    **{
        "mmHg": ("millimeter of mercury", "millimeters of mercury"),
        "atm": ("atmosphere", "atmospheres"),
        "dpi": ("dot per inch", "dots per inch"),
    },
    **{
        "dB": ("decibel", "decibels"),
        "dBA": ("A-weighted decibel", "A-weighted decibels"),
        "ms": ("millisecond", "milliseconds"),
    },
    **{"μs": ("microsecond", "microseconds"), "ns": ("nanosecond", "nanoseconds"), "ps": ("picosecond", "picoseconds")},
    **{
        "sec": ("second", "seconds"),
        "secs": ("second", "seconds"),
        "min": ("minute", "minutes"),
        "mins": ("minute", "minutes"),
    },
    **{
        "h": ("hour", "hours"),
        "hr": ("hour", "hours"),
        "hrs": ("hour", "hours"),
        "wk": ("week", "weeks"),
        "wks": ("week", "weeks"),
    },
    **{"mo": ("month", "months"), "mos": ("month", "months"), "yr": ("year", "years"), "yrs": ("year", "years")},
    **{"rpm": ("revolution per minute", "revolutions per minute"), "bpm": ("beat per minute", "beats per minute")},
    **{
        "fps": ("frame per second", "frames per second"),
        "ppm": ("part per million", "parts per million"),
        "ppb": ("part per billion", "parts per billion"),
    },
    **{
        "px": ("pixel", "pixels"),
        "MP": ("megapixel", "megapixels"),
        "ly": ("light year", "light years"),
        "AU": ("astronomical unit", "astronomical units"),
    },
    **{
        "IU": ("international unit", "international units"),
        "mcg": ("microgram", "micrograms"),
        "kt": ("knot", "knots"),
        "kn": ("knot", "knots"),
    },
    **{"KM": ("kilometer", "kilometers"), "KG": ("kilogram", "kilograms"), "CM": ("centimeter", "centimeters")},
    **{"MM": ("millimeter", "millimeters"), "MPH": ("mile per hour", "miles per hour"), "LBS": ("pound", "pounds")},
    **{"db": ("decibel", "decibels"), "VAC": ("volt A C", "volts A C"), "VDC": ("volt D C", "volts D C")},
    **{"Kg": ("kilogram", "kilograms"), "kgs": ("kilogram", "kilograms"), "Km": ("kilometer", "kilometers")},
    **{"kms": ("kilometer", "kilometers"), "FT": ("foot", "feet"), "°c": ("degree Celsius", "degrees Celsius")},
    **{"°f": ("degree Fahrenheit", "degrees Fahrenheit"), "khz": ("kilohertz", "kilohertz")},
    **{"mhz": ("megahertz", "megahertz"), "ghz": ("gigahertz", "gigahertz")},
    **{"rad": ("radian", "radians"), "Å": ("angstrom", "angstroms"), "°C": ("degree Celsius", "degrees Celsius")},
    **{
        "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
        "°K": ("degree Kelvin", "degrees Kelvin"),
        "°": ("degree", "degrees"),
    },
    **{
        "° C": ("degree Celsius", "degrees Celsius"),
        "° F": ("degree Fahrenheit", "degrees Fahrenheit"),
        "%": ("percent", "percent"),
    },
}
# Units that may follow a slash.
_PER: dict[str, str] = {
    **{
        "s": "second",
        "H": "hour",
        "d": "day",
        "day": "day",
        "week": "week",
        "w": "week",
        "month": "month",
        "year": "year",
        "y": "year",
        "a": "year",
    },
    **{
        "hour": "hour",
        "minute": "minute",
        "second": "second",
        "night": "night",
        "person": "person",
        "head": "head",
        "unit": "unit",
    },
    **{
        "ea": "each",
        "capita": "capita",
        "in": "inch",
        "liter": "liter",
        "litre": "litre",
        "kilo": "kilo",
        "pound": "pound",
        "mile": "mile",
    },
    **{
        "square meter": "square meter",
        "gallon": "gallon",
        "barrel": "barrel",
        "bbl": "barrel",
        "acre": "acre",
        "share": "share",
    },
    **{
        "ounce": "ounce",
        "ton": "ton",
        "tonne": "tonne",
        "t": "tonne",
        "user": "user",
        "seat": "seat",
        "page": "page",
        "word": "word",
    },
    **{
        "child": "child",
        "student": "student",
        "patient": "patient",
        "dose": "dose",
        "game": "game",
        "item": "item",
        "piece": "piece",
        "qtr": "quarter",
    },
    **{
        "family": "family",
        "household": "household",
        "car": "car",
        "room": "room",
        "bottle": "bottle",
        "ticket": "ticket",
        "couple": "couple",
    },
}
_TIMES = {"second", "minute", "hour", "day", "week", "month", "year"}


def _plural_name(name: str) -> str:
    return name if name.endswith(("z", "s", "x")) else f"{name}s"


def _all_units() -> dict[str, Names]:
    units: dict[str, Names] = {}
    for unit, (name, prefixes) in _METRIC.items():
        for prefix in ["", *prefixes]:
            # 'kiloohms' would be hard to say.
            joint = "-" if prefix and name[0] == "o" else ""
            one = f"{_PREFIXES[prefix]}{joint}{name}" if prefix else name
            several = one.replace("bit per", "bits per") if name == "bit per second" else _plural_name(one)
            units[prefix + unit] = (one, several)
    units["H"] = ("henry", "henries")
    return units | _OTHERS


_UNITS = _all_units()
_BARE_CAPITALS = _PREFIXED_ONLY - {"Ω", "bar", "bit", "ton"}
_POWERS = {"2": "square ", "3": "cubic "}


def _names(units: object) -> str:
    return "|".join(sorted(map(re.escape, units), key=len, reverse=True))  # type: ignore[call-overload]


_AFTER_NUMBER = _names(unit for unit in _UNITS if unit not in _BARE_CAPITALS)
_ANY = _names({*_UNITS, *_PER})
_PER_ONE = rf"(?P<per>{_ANY})(?:\^?(?P<per_power>[23]))?"
_END = r"(?![0-9A-Za-z'μΩ^])"
# The first part of a rate without a number: no single capital, because W/L and A/C are no rates.
_RATE_TOP = _names(unit for unit in _UNITS if unit not in _BARE_CAPITALS and not (len(unit) == 1 and unit in "WVLhl%°"))


def _per(match: re.Match[str]) -> str:
    """`` per second squared`` for the part of a unit after its slash."""
    unit, power = match.group("per", "per_power")
    name = _PER.get(unit) or _UNITS[unit][0]
    if unit == "ea":
        return " each"
    if name in _TIMES:
        return f" per {name}{ {'2': ' squared', '3': ' cubed'}.get(power or '', '') }"
    return f" per {_POWERS.get(power or '', '')}{name}"


def _say_measure(match: re.Match[str]) -> str:
    amount, joint, unit, power = match.group("amount", "joint", "unit", "power")
    one, several = _UNITS[unit]
    name = one if amount == "1" or joint == "-" or is_attribute(match) else several
    said = f"{number_words(amount)}{joint or ' '}{_POWERS.get(power or '', '')}{name}"
    return said + (_per(match) if match["per"] else "")


def _say_rate(match: re.Match[str]) -> str:
    """A rate without a number: ``m/s^2``, ``mg/dL``."""
    return _POWERS.get(match["power"] or "", "") + _UNITS[match["unit"]][1] + _per(match)


def _say_angle(match: re.Match[str]) -> str:
    """``51° 30' 5" N`` in degrees, minutes and seconds."""
    degrees, minutes, seconds, side = match.group(1, 2, 3, 4)
    parts = [(degrees, "degree"), (minutes, "minute"), (seconds, "second")]
    said = " ".join(f"{number_words(n)} {name}{'' if n == '1' else 's'}" for n, name in parts if n)
    return said + (f" {_SIDES[side]}" if side else "")


def _say_rare_unit(match: re.Match[str]) -> str:
    """Units that are also words or endings: they need a space, and 'in.' needs its dot."""
    unit, amount = match.group("unit", "amount")
    names = {"s": ("second", "seconds"), "in": ("inch", "inches"), "t": ("tonne", "tonnes")}.get(unit) or _UNITS[unit]
    power = _POWERS.get(match["power"] or "", "")
    return f"{number_words(amount)} {power}{names[amount != '1']}" + (_per(match) if match["per"] else "")


def _say_power_of_unit(match: re.Match[str]) -> str:
    """A power before a unit: ``10^-3 mol`` in moles."""
    power = ordinal(int(match["exponent"]))
    return f" to the {'minus ' if match['sign'] == '-' else ''}{power} {_UNITS[match['unit']][1]}" + (
        _per(match) if match["per"] else ""
    )


def _say_feet_and_inches(match: re.Match[str]) -> str:
    return f" feet {number_words(match['amount'])} inch{'' if match['amount'] == '1' else 'es'}"


_SIDES = {"N": "north", "S": "south", "E": "east", "W": "west"}
_NO_LONE_PER = {"a", "d", "w", "y", "t", "l", "B", "C", "F", "K", "T", "S", "N", "J", "H", "A", "V", "W"}
RULES: list[Rule] = [
    rule(
        rf"{START}([0-9]{{1,3}}(?:\.[0-9]{{1,9}})?)° ?([0-9]{{1,2}}(?:\.[0-9]{{1,9}})?)'(?: ?([0-9]{{1,2}}(?:\.[0-9]{{1,9}})?)(?:\"|''))?(?: ?([NSEW])\b)?",
        _say_angle,
    ),
    rule(rf"{START}([0-9]{{1,3}}(?:\.[0-9]{{1,9}})?)°()() ?([NSEW])\b(?!\.)", _say_angle),
    rule(
        rf"{START}(?P<amount>{NUMBER})(?P<joint>[ -])?(?P<unit>{_AFTER_NUMBER})(?:\^?(?P<power>[23]))?(?: ?/ ?{_PER_ONE})?{_END}(?:\.(?= [a-z]))?",
        _say_measure,
    ),
    rule(
        rf"{START}(?P<amount>{NUMBER}) (?P<unit>{_names([*_SPACED_CAPITALS, 's', 't'])}|in(?=\.|\^|/))(?:\^(?P<power>[23]))?(?:/{_PER_ONE}{_END}|{_END}(?= of\b| and\b| or\b| at\b|[,;:)?!]|\.(?= |$)|$))(?:\.(?= [a-z]))?",
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
        lambda m: _POWERS[m["power"]] + _UNITS[m["unit"]][1],
    ),
    rule(rf"(?<![\w/^.'])(?P<unit>{_RATE_TOP})(?:\^?(?P<power>[23]))?/{_PER_ONE}(?![\w/^])", _say_rate),
]
_PER_OF_MONEY = {unit for unit in {**_UNITS, **_PER} if unit not in _NO_LONE_PER and unit.isalpha()}
FIRST_RULES: list[Rule] = [
    rule(rf"(?<=[0-9]) ?(?:ft|feet|foot)\.?,? (?P<amount>{NUMBER}) ?in\b\.?", _say_feet_and_inches),
    rule(
        rf"(?<=[0-9])\^(?P<sign>[-+]?)(?P<exponent>[0-9]{{1,9}}) (?P<unit>{_AFTER_NUMBER})(?:/{_PER_ONE})?{_END}",
        _say_power_of_unit,
    ),
    # '$20/mo', '12/kg', '5 m/day' and 'litres/day': the number or the word before stays for the other rules.
    rule(
        rf"(?<=[0-9]) ?/ ?(?P<per>{_names(u for u in {*_UNITS, *_PER} if u not in _NO_LONE_PER)})(?:\^?(?P<per_power>[23]))?{_END}(?!/)",
        _per,
    ),
    rule(rf"(?:(?<=[0-9][kKmMbB%])|(?<=[€£$¥₹])) ?/ ?(?P<per>{_names(_PER_OF_MONEY)})(?P<per_power>){_END}", _per),
    rule(
        rf"(?:(?<=[a-z]s)|(?<=feet)|(?<=\bcent)|(?<=people)|(?<=\byen)) ?/ ?(?P<per>{_names(u for u in _PER if len(u) > 3)}|day|wk|mo|yr|hr|min|sec)(?P<per_power>)\b(?![/-])",
        _per,
    ),
]
