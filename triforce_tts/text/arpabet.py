"""The ARPAbet: the phones that the text tokens stand for."""

import difflib

from triforce_tts.errors import TextError

VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
CONSONANTS = (
    "B",
    "CH",
    "D",
    "DH",
    "F",
    "G",
    "HH",
    "JH",
    "K",
    "L",
    "M",
    "N",
    "NG",
    "P",
    "R",
    "S",
    "SH",
    "T",
    "TH",
    "V",
    "W",
    "Y",
    "Z",
    "ZH",
)
STRESSES = ("0", "1", "2")  # stress: none, primary, secondary
PHONES = (*(vowel + stress for vowel in VOWELS for stress in STRESSES), *CONSONANTS)
"""All phones in the order of their token ids: 45 stressed vowels, then 24 consonants."""

_PHONE_SET = frozenset(PHONES)
_LONGEST = max(map(len, PHONES))


def parse_phones(text: str) -> tuple[str, ...]:
    """The phones of a space-separated string such as ``T AH0 M EY1 T OW0``.

    Raises:
        TextError: there is no phone, or one is unknown; the message names it and the nearest known phone.
    """
    phones = tuple(text.split())
    if not phones:
        raise TextError("no phones given: expected ARPAbet with stress digits, such as T AH0 M EY1 T OW0")
    for phone in phones:
        if phone not in _PHONE_SET:
            raise TextError(f"unknown phone '{phone[:20]}' in '{text[:60]}': {_advice(phone)}")
    return phones


def _advice(phone: str) -> str:
    """What to write instead of an unknown ``phone``."""
    upper = phone.upper()
    # A longer word is no misspelt phone, so the most similar phone would tell nothing.
    near = difflib.get_close_matches(upper, PHONES, n=1, cutoff=0.5) if len(phone) <= _LONGEST else []
    if nearest := f"{upper}1" if upper in VOWELS else "".join(near):
        return f"the nearest is '{nearest}' (vowels end in a stress digit 0-2)"
    return "expected ARPAbet with stress digits, such as T AH0 M EY1 T OW0"
