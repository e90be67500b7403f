"""Number words against an independent reader of them."""

import random
import re

from triforce_tts.text.letters import _ROMAN_NUMERAL
from triforce_tts.text.numbers import cardinal, fraction, ordinal, year
from triforce_tts.text.roman import value_of

UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]


TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


SCALES = ["thousand", "million", "billion", "trillion", "quadrillion"]


ORDINALS = {
    "first": "one",
    "second": "two",
    "third": "three",
    "fifth": "five",
    "eighth": "eight",
    "ninth": "nine",
    "twelfth": "twelve",
}


def read_number(words):
    total = group = 0
    for word in words.split():
        if word in UNITS:
            group += UNITS.index(word)
        elif word in TENS:
            group += 10 * TENS.index(word) + 20
        elif word == "hundred":
            group *= 100
        elif word in SCALES:
            total, group = total + group * 1000 ** (SCALES.index(word) + 1), 0
        else:
            assert word == "and", words
    return total + group


def read_ordinal(words):
    *head, last = words.split()
    cardinal_form = ORDINALS.get(last) or (last[:-4] + "y" if last.endswith("ieth") else last.removesuffix("th"))
    return read_number(" ".join([*head, cardinal_form]))


def test_cardinals_and_ordinals():
    rng = random.Random(0)
    numbers = [*range(1000), *(rng.randrange(10 ** rng.randint(3, 18)) for _ in range(500)), 10**6, 10**15, 10**18 - 1]
    assert [read_number(cardinal(number)) for number in numbers] == numbers
    assert [read_ordinal(ordinal(number)) for number in numbers[1:]] == numbers[1:]


def test_years():
    for number in range(1000, 2100):
        words = year(number).replace("oh ", "")
        value = read_number(words) if "thousand" in words else read_year(words)
        assert value == number, words


def read_year(words):
    if words.endswith(" hundred"):
        return read_number(words)
    first, *rest = words.split()
    if first == "twenty" and rest and rest[0] in UNITS and len(rest) > 1:
        raise AssertionError(words)
    return 100 * read_number(first) + read_number(" ".join(rest))


def test_fractions():
    for bottom in range(2, 101):
        for top in range(1, bottom):
            words = fraction(top, bottom)
            assert re.fullmatch("[a-z ]+", words)
            assert words.endswith("s") == (top > 1)


def test_roman_numerals():
    for value in range(1, 90):
        tens, ones = divmod(value, 10)
        numeral = ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX"][tens] + [
            "",
            "I",
            "II",
            "III",
            "IV",
            "V",
            "VI",
            "VII",
            "VIII",
            "IX",
        ][ones]
        assert _ROMAN_NUMERAL.fullmatch(numeral)
        assert value_of(numeral) == value
    assert not any(_ROMAN_NUMERAL.fullmatch(bad) for bad in ("", "IIII", "VV", "IL", "VX", "IC", "XM"))
