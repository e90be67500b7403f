"""The numbers of chapters: "12", "XII", "twelve", "the twelfth" and "sixty-one" as a pattern and as a value."""

import re

from triforce_tts.text.roman import LONG_NUMERAL, roman_value

# The library that says numbers takes a second to load, and dividing a book needs no other word of it.
_UNITS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINAL_UNITS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"]  # fmt: skip
_ORDINAL_TENS = [f"{word[:-1]}ieth" for word in _TENS]
_VALUES = (
    {word: value for words in (_UNITS, _ORDINAL_UNITS) for value, word in enumerate(words, 1)}
    | {word: 10 * value for words in (_TENS, _ORDINAL_TENS) for value, word in enumerate(words, 2)}
    | {"hundred": 100, "hundredth": 100}
)


def _any(*lists: list[str]) -> str:
    return "(?:" + "|".join(sorted((word for words in lists for word in words), key=len, reverse=True)) + ")"


ROMAN = rf"(?:(?=[IVXLCDM]){LONG_NUMERAL.pattern})"
_SMALL_ORDINAL = (
    rf"(?:{_any(_TENS)}[-\s]+{_any(_ORDINAL_UNITS[:9])}|{_any(_ORDINAL_TENS)}|{_any(_ORDINAL_UNITS)}|hundredth|last)"
)
_SMALL = rf"(?:{_any(_TENS)}(?:[-\s]+{_any(_UNITS[:9])})?|{_any(_UNITS)})"
_HUNDREDS = rf"(?:(?:a|{_any(_UNITS[:9])})\s+)?hundred"
_BEHIND_HUNDREDS = rf"(?:(?:\s+and)?[-\s]+(?:{_SMALL_ORDINAL}|{_SMALL}))"
# An ordinal number, as it stands before the word that it counts: "THE EIGHTH CHAPTER", "7th Chapter".
ORDINAL = rf"(?:\d{{1,3}}(?:st|nd|rd|th)|{_SMALL_ORDINAL})"
CARDINAL = rf"(?:{_HUNDREDS}(?:(?:\s+and)?[-\s]+{_SMALL})?|{_SMALL})"
NUMBER = (
    rf"(?:\d{{1,4}}(?:st|nd|rd|th)?|{ROMAN}|"
    rf"(?:the\s+)?(?:{_SMALL_ORDINAL}|{_HUNDREDS}{_BEHIND_HUNDREDS}?|{_SMALL}))"
)


def number_value(text: str) -> int | None:
    """The value of a number that ``NUMBER`` or ``ORDINAL`` matches; None for "the last"."""
    text = text.strip().lower()
    if digits := re.match(r"\d+", text):
        return int(digits[0])
    words = [word for word in re.split(r"[-\s]+", text) if word not in ("the", "and", "a")]
    if len(words) == 1 and words[0] not in _VALUES and re.fullmatch(ROMAN, words[0], re.IGNORECASE):
        return roman_value(words[0])
    if any(word not in _VALUES for word in words):
        return None
    total = 0
    for word in words:
        value = _VALUES[word]
        total = max(total, 1) * 100 if value == 100 else total + value
    return total
