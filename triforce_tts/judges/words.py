"""The wrong words and characters of a recognised text, after both texts were brought to one spelling.

The spelling is that of whisper-normalizer (OpenAI's rules for English): small letters, no marks, numbers in digits,
contractions and British spellings written in one way. It joins numbers that follow one another ("one two" becomes 12), so
lists of numbers are better compared in ``letters``, which spells all of them out. The counting is jiwer's: substitutions,
deletions and insertions.
"""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from triforce_tts.errors import TextError
from triforce_tts.judges.align import sound_of
from triforce_tts.text.normalize import normalize
from triforce_tts.text.tokenizer import TextTokenizer

PACKAGES = ("jiwer", "whisper_normalizer")


@dataclass(frozen=True)
class Edits:
    """How many of ``total`` words or characters of a reference are wrong; insertions can make it more than all."""

    wrong: int
    total: int

    @property
    def error(self) -> float:
        """The wrong ones divided by all of the reference; if that is empty, 0 if nothing was heard, else 1."""
        return self.wrong / self.total if self.total else float(self.wrong > 0)


@lru_cache(maxsize=1)
def _normalizer() -> Any:
    with warnings.catch_warnings():  # Compiling its source makes Python warn of escape sequences.
        warnings.simplefilter("ignore")
        from whisper_normalizer.english import EnglishTextNormalizer
    return EnglishTextNormalizer()


def plain(text: str) -> str:
    """The words of an English ``text`` in the spelling in which they are compared."""
    return " ".join(str(_normalizer()(text)).split())


def letters(text: str) -> str:
    """The words of an English ``text`` as this project speaks them: small letters and single spaces, numbers as words."""
    return re.sub(r"[^a-z]+", " ", normalize(text).lower().replace("'", "")).strip() if text.strip() else ""


@lru_cache(maxsize=1)
def _tokenizer() -> TextTokenizer:
    return TextTokenizer()


def phones(text: str) -> list[str]:
    """The phones of an English ``text``, without stress: words that sound alike are equal, however they are written.

    A word that the lexicon lacks is spelled letter by letter. A text that cannot be spoken has no phones.
    """
    try:
        pieces = _tokenizer().spell(normalize(text)) if text.strip() else []
    except TextError:
        return []
    return [sound for piece in pieces if piece.is_word for symbol in piece.symbols if (sound := sound_of(symbol))]


def word_edits(reference: str, heard: str, spelled: Callable[[str], str] = plain) -> Edits:
    """The words of ``heard`` against those of ``reference``, both as ``spelled``."""
    from jiwer import process_words

    target, got = spelled(reference), spelled(heard)
    if not target:
        return Edits(len(got.split()), 0)
    alignment = process_words(target, got)
    return Edits(alignment.substitutions + alignment.deletions + alignment.insertions, len(target.split()))


def character_edits(reference: str, heard: str, spelled: Callable[[str], str] = plain) -> Edits:
    """The characters of ``heard``, spaces among them, against those of ``reference``, both as ``spelled``."""
    from jiwer import process_characters

    target, got = spelled(reference), spelled(heard)
    if not target:
        return Edits(len(got), 0)
    alignment = process_characters(target, got)
    return Edits(alignment.substitutions + alignment.deletions + alignment.insertions, len(target))


@dataclass(frozen=True)
class HeardWord:
    """How a recogniser heard a word of a text."""

    is_right: bool
    is_followed: bool = False  # whether it heard a word after this one that the text lacks


def words_heard(words: Sequence[str], heard: str) -> list[HeardWord] | None:
    """How each of the ``words`` of a text was heard; a word is wrong, too, if one that the text lacks was heard after it.

    A word that the text lacks before its first word counts as one after it. The result is None if the words in their common
    spelling are others than those of the whole text, such as 20 and 1 for "twenty one", which is spelled 21.
    """
    from jiwer import process_words

    parts = [plain(word).split() for word in words]
    owners = [number for number, part in enumerate(parts) for _ in part]
    target = " ".join(word for part in parts for word in part)
    if not target or target != plain(" ".join(words)):
        return None
    if not (got := plain(heard)):
        return [HeardWord(False)] * len(words)
    wrong, followed = set[int](), set[int]()
    for chunk in process_words(target, got).alignments[0]:
        if chunk.type == "insert":
            followed.add(owners[max(0, chunk.ref_start_idx - 1)])
        elif chunk.type != "equal":
            wrong |= set(owners[chunk.ref_start_idx : chunk.ref_end_idx])
    return [HeardWord(number not in wrong | followed, number in followed) for number in range(len(words))]
