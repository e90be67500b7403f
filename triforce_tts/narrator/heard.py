"""The words that a recogniser should hear in a line, as it would spell them."""

import re
from collections.abc import Iterator, Sequence

from triforce_tts.judges.words import letters, phones

_SOUND = re.compile(r"(\{[^{}]*\}(?:['’]s)?)")
# So many words of a recogniser together may stand for one pair of braces: "St. John" is one pair.
_MOST_WORDS = 4


def wanted_words(text: str, heard: Sequence[str]) -> list[str]:
    """The words of a spoken ``text`` in small letters.

    A pair of braces with phones is no letters. It stands for the first words of ``heard`` that have its sound, or for one word that
    equals none of them.
    """
    words: list[str] = []
    for place, part in enumerate(_SOUND.split(text)):
        words += letters(part).split() if place % 2 == 0 else _heard_as(part, heard)
    return words


def _heard_as(sound: str, heard: Sequence[str]) -> list[str]:
    target = phones(sound)
    spellings = (words for words in _neighbours(heard) if phones(" ".join(words)) == target)
    return next(spellings, [sound])


def _neighbours(words: Sequence[str]) -> Iterator[list[str]]:
    """Runs of one, two and more neighbouring ``words``."""
    for count in range(1, _MOST_WORDS + 1):
        for first in range(len(words) - count + 1):
            yield list(words[first : first + count])
