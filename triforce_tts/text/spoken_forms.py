"""Forms of known words as people say them: ``John'll``, ``fixin'``, ``Nooooo``, ``W-w-what``."""

import re
from collections.abc import Callable, Sequence

from triforce_tts.text.arpabet import CONSONANTS

Phones = tuple[str, ...]
Lookup = Callable[[str], Phones | None]

_SHORT_VERBS: dict[str, tuple[Phones, Phones]] = {
    # behind a vowel, and behind a consonant
    "'ll": (("L",), ("AH0", "L")),
    "'ve": (("V",), ("AH0", "V")),
    "'re": (("ER0",), ("ER0",)),
    "'d": (("D",), ("AH0", "D")),
}
_LONG_RUN = re.compile(r"([a-z])\1{2,}")
# With one letter these are commoner than the rare words with two: 'soo', 'loong', 'mee'.
_ONE_LETTER = frozenset(
    [
        *["so", "do", "go", "no", "me", "be", "he", "she", "we", "who", "ago", "also"],
        *["hello", "long", "strong", "song", "wrong", "gone", "done", "love", "pro"],
    ]
)
_LETTERS_OF_ONE_SOUND = ("th", "sh", "ch", "wh", "ph", "kn", "wr", "gn")
# What is written with a letter and a hyphen, and is no stutter.
_COMPOUNDS = frozenset(
    [
        *["day", "test", "tests", "tested", "testing", "clamp", "clamps", "class", "ball", "section"],
        *["sections", "shaped", "dimer", "clef"],
    ]
)
_MOST_LETTERS = 3  # of the part of a word that a stutter repeats


def pronounce_form(word: str, lookup: Lookup) -> Phones | None:
    """The phones of a form that no dictionary lists: a short verb behind a word, -in' for -ing, or a drawn-out sound."""
    for ending, (behind_vowel, behind_consonant) in _SHORT_VERBS.items():
        if word.endswith(ending) and len(word) > len(ending) + 1:
            base = word[: -len(ending)]
            phones = lookup(base) or pronounce_form(base, lookup)
            return phones and phones + (behind_vowel if phones[-1][-1].isdigit() else behind_consonant)
    if word.endswith("in'") and len(word) > len("in'") + 1:
        phones = lookup(f"{word[:-1]}g")
        return (*phones[:-1], "N") if phones and phones[-2:] == ("IH0", "NG") else None
    return _shorten(word, lookup) if _LONG_RUN.search(word) else None


def _shorten(word: str, lookup: Lookup) -> Phones | None:
    """The phones of ``goood`` by 'good' and of ``sooo`` by 'so': long runs of a letter have two letters or one."""
    once = _LONG_RUN.sub(r"\1", word)
    twice = _LONG_RUN.sub(r"\1\1", word)
    if once in _ONE_LETTER:
        return lookup(once)
    # In 'baaaallll' for 'ball' the first run has one letter and the other one two.
    first = _LONG_RUN.sub(r"\1", word, count=1)
    for spelling in (twice, _LONG_RUN.sub(r"\1\1", first), once):
        if len(spelling) > 1 and (spelling == twice or re.search("[aeiouy]", spelling)) and (found := lookup(spelling)):
            return found
    return None


def stutter(pieces: Sequence[str], place: int, lookup: Lookup) -> Phones | None:
    """The sound that a stutter repeats: of 'w' in ``w-w-what`` it is W AH0; None if the piece is no stutter."""
    piece = pieces[place]
    if len(piece) > _MOST_LETTERS or not piece.isalpha():
        return None
    if place > 1 and pieces[place - 1] == "-" and pieces[place - 2] != piece:
        return None  # a letter inside a compound
    target = place
    while target + 2 < len(pieces) and pieces[target + 1] == "-" and pieces[target] == piece:
        target += 2
    word = pieces[target]
    if target == place or not word.startswith(piece) or len(word) <= len(piece) or word in _COMPOUNDS:
        return None
    if re.match(rf"{piece}(?:'|$)", word):
        return None  # 'I-I'm' repeats the whole word
    phones = lookup(word)
    if not phones:
        return None
    if phones[0] not in CONSONANTS:
        return phones[:1] if len(piece) == 1 else None
    n_letters = 1 if piece in _LETTERS_OF_ONE_SOUND else len(piece)
    onset = phones[: next((i for i, phone in enumerate(phones) if phone not in CONSONANTS), len(phones))]
    is_onset = len(piece) == 1 or piece in _LETTERS_OF_ONE_SOUND or not re.search("[aeiouy]", piece)
    return (*onset[:n_letters], "AH0") if is_onset else None
