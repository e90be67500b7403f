"""The values of roman numerals."""

import re

_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
LONG_NUMERAL = re.compile(r"M{0,3}(?:CM|CD|D?C{0,4})(?:XC|XL|L?X{0,4})(?:IX|IV|V?I{0,4})")


def roman_value(numeral: str) -> int:
    """The value of a roman numeral in small letters or capitals; 0 for letters that are none."""
    letters = numeral.upper()
    return value_of(letters) if letters and LONG_NUMERAL.fullmatch(letters) else 0


def value_of(numeral: str) -> int:
    """The value of letters that are a numeral in capitals."""
    values = [_ROMAN[letter] for letter in numeral]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))
