"""Phones in letters that a reader can pronounce: ``{T AH0 M EY1 T OW0}`` is shown as "tuh-may-toh".

Whoever writes phones into a text writes no word, and a dictionary does not have those that are worth writing. So the word is shown as it sounds.
"""

from itertools import pairwise

from triforce_tts.errors import TextError
from triforce_tts.text import latex
from triforce_tts.text.arpabet import CONSONANTS, parse_phones
from triforce_tts.text.phonemes import BRACES

_VOWELS = {
    "AA": "ah", "AE": "a", "AH": "uh", "AO": "aw", "AW": "ow", "AY": "igh", "EH": "e", "ER": "er", "EY": "ay", "IH": "i",
    "IY": "ee", "OW": "oh", "OY": "oy", "UH": "oo", "UW": "oo",
}  # fmt: skip
_OPEN = {"AE": "ah", "EH": "eh", "IH": "ih"}  # at the end of a syllable a single letter would be read as another vowel
_LETTERS = {consonant: consonant.lower() for consonant in CONSONANTS} | {"DH": "th", "HH": "h", "JH": "j"}
_GLIDES = {"L", "R", "W", "Y"}  # a consonant before one of these begins a syllable together with it
_BEFORE_GLIDES = set(CONSONANTS) - _GLIDES - {"M", "N", "NG", "CH", "JH", "Z", "ZH"}


def readable(text: str) -> str:
    """``text`` with letters in place of the phones in braces; other braces, such as those of formulas, stay."""
    shown, at = "", 0
    for begin, end in latex.places(text):
        shown += BRACES.sub(lambda match: _shown(match[1]) or match[0], text[at:begin]) + text[begin:end]
        at = end
    return shown + BRACES.sub(lambda match: _shown(match[1]) or match[0], text[at:])


def _shown(inside: str) -> str:
    try:
        return respelled(parse_phones(inside))
    except TextError:
        return ""


def respelled(phones: tuple[str, ...]) -> str:
    """The syllables of a word in letters, with hyphens between them."""
    return "-".join("".join(_letters(syllable)) for syllable in _syllables(phones))


def _syllables(phones: tuple[str, ...]) -> list[tuple[str, ...]]:
    """A syllable begins with the consonant before its vowel, and the one before that if both can begin a word."""
    vowels = [place for place, phone in enumerate(phones) if phone[-1].isdigit()]
    cuts = [0]
    for before, vowel in pairwise(vowels):
        cut = vowel
        if cut - 1 > before and phones[cut - 1] != "NG":
            cut -= 1
            if cut - 1 > before and phones[cut] in _GLIDES and phones[cut - 1] in _BEFORE_GLIDES:
                cut -= 1
        cuts.append(cut)
    return [phones[begin:end] for begin, end in zip(cuts, [*cuts[1:], len(phones)], strict=True)]


def _letters(syllable: tuple[str, ...]) -> list[str]:
    """The letters of each phone; the last phone of an open syllable is its vowel."""
    spelled = [_LETTERS.get(phone) or _VOWELS[phone[:-1]] for phone in syllable]
    spelled[-1] = _OPEN.get(syllable[-1][:-1], spelled[-1]) if syllable[-1][-1].isdigit() else spelled[-1]
    return spelled
