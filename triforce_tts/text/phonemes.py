"""Pronunciations: the ARPAbet phones, and a lexicon of words from the CMU dictionary and the user's own file.

Words that the lexicon does not hold are not guessed; the tokenizer spells them in letters, which the model
is trained to read as well. The only inference is the English ending of a known word (-s, -'s, -ed, -ing),
each measured against the dictionary's own entries; ``spoken_forms`` has those that nobody lists, such as ``John'll``.
"""

import gzip
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from triforce_tts.errors import TextError, TriforceError
from triforce_tts.files import read_file, read_text_file
from triforce_tts.text.arpabet import CONSONANTS, PHONES, VOWELS, parse_phones
from triforce_tts.text.pls import read_pls
from triforce_tts.text.signs import fold
from triforce_tts.wording import counted

__all__ = ["BRACES", "CONSONANTS", "PHONES", "VOWELS", "WORD_IN_BRACES", "Lexicon", "in_plural", "parse_phones"]

BRACES = re.compile(r"\{([^{}]*)\}")
"""Inline phonemes in a text: ``{T AH0 M EY1 T OW0}``."""
WORD_IN_BRACES = r"\{[^{}]*\}(?:'[sS](?![A-Za-z']))?"
"""The pattern of one word that is written as phonemes, perhaps with ``'s`` behind them."""

MAX_LEXICON_BYTES = 16_000_000  # bytes: four times the whole CMU dictionary; a longer file is no lexicon

_NAMED = 5  # remarks name at most so many words of a file
_PLS = (".pls", ".xml")
_WORD = re.compile(r"[a-z']*[a-z][a-z']*")
_VARIANT = re.compile(r"\([0-9]+\)$")  # the CMU dictionary's mark of a further pronunciation: tomato(2)
_SIBILANTS = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
_VOICELESS = frozenset({"P", "T", "K", "F", "TH"})


class Lexicon:
    """Pronunciations by lower-case word. The dictionary is read at the first look-up.

    ``remarks`` name words to which a file of the user's gives two pronunciations, one sentence each.
    """

    def __init__(self, extra: Mapping[str, tuple[str, ...]] | None = None, remarks: Sequence[str] = ()):
        self._extra = dict(extra or {})
        self.remarks = tuple(remarks)

    @classmethod
    def load(cls, extra: Path | Sequence[Path] = ()) -> "Lexicon":
        """The CMU dictionary; words in the files ``extra`` override it, and the first file that has a word counts.

        Within a file the first pronunciation of a word counts; a remark names the word if there is another one. A file holds lines ``word  P H OW0 N``, or is a PLS lexicon (.pls or .xml).

        Raises:
            TextError: a file cannot be read, or an entry of it is wrong; file and line are named.
        """
        words: dict[str, tuple[str, ...]] = {}
        remarks: list[str] = []
        for path in [extra] if isinstance(extra, Path) else extra:
            for word, phones in _read_user_lexicon(path, remarks).items():
                words.setdefault(word, phones)
        return cls(words, remarks)

    def overrides(self, word: str) -> bool:
        """Whether a file of the user's has ``word`` (any case)."""
        return word.lower().replace("’", "'") in self._extra

    def lookup(self, word: str) -> tuple[str, ...] | None:
        """The phones of ``word`` (any case), or None if neither it nor a form it is derived from is known."""
        word = word.lower()
        return self._listed(word) or self._derived(word)

    def _listed(self, word: str) -> tuple[str, ...] | None:
        if word in self._extra:
            return self._extra[word]
        entry = None if "(" in word else _entry(word)
        # A few entries end in a remark: "aalborg AO1 L B AO0 R G # place, danish".
        return tuple(entry.partition("#")[0].split()) if entry else None

    def _derived(self, word: str) -> tuple[str, ...] | None:
        for ending, join in _ENDINGS:
            if word.endswith(ending) and len(word) > len(ending) + 1:
                for base in _bases(word, ending):
                    phones = self._listed(base)
                    if phones:
                        return join(phones)
        return None


def in_plural(phones: tuple[str, ...]) -> tuple[str, ...]:
    """The phones of a word with -s or -'s, given those of the word."""
    if phones[-1] in _SIBILANTS:
        return (*phones, "IH0", "Z")
    return (*phones, "S" if phones[-1] in _VOICELESS else "Z")


def _past(phones: tuple[str, ...]) -> tuple[str, ...]:
    if phones[-1] in ("T", "D"):
        return (*phones, "IH0", "D")
    return (*phones, "T" if phones[-1] in _VOICELESS | {"S", "SH", "CH"} else "D")


def _progressive(phones: tuple[str, ...]) -> tuple[str, ...]:
    return (*phones, "IH0", "NG")


_ENDINGS = (("'s", in_plural), ("s'", in_plural), ("s", in_plural), ("ed", _past), ("ing", _progressive))


def _bases(word: str, ending: str) -> list[str]:
    """The spellings that ``word`` may come from, likeliest first."""
    stem = word[: -len(ending)]
    if ending == "'s":
        return [stem]
    if ending in ("s", "s'"):
        if stem.endswith("s"):
            return []  # 'grass' is no plural of 'gras'
        if stem.endswith("ie"):
            return [stem[:-2] + "y", stem]
        return [stem, stem[:-1]] if re.search(r"(s|x|z|sh|ch)e$", stem) else [stem]
    if not re.search("[aeiouy]", stem) or stem.endswith("ee"):
        return []  # 'bling' and 'aniseed' have no such ending
    doubled = len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] in "bdgmnprt"
    if ending == "ed" and stem.endswith("i"):
        return [stem[:-1] + "y"]
    # 'hoped' and 'hoping' come from 'hope', not 'hop': a single consonant after a single vowel would have doubled.
    return [stem[:-1], stem] if doubled else [stem + "e", stem]


@lru_cache(maxsize=1)
def _dictionary() -> list[str]:
    """The lines ``word P H OW0 N`` of the CMU dictionary in order, which takes a third of the time of a ``dict``.

    Second pronunciations have words of their own, such as ``a(2)``, which ``Lexicon`` never returns.
    """
    packed = (Path(__file__).parents[1] / "assets/cmudict/cmudict.dict.gz").read_bytes()
    return sorted(gzip.decompress(packed).decode("ascii").splitlines())


def _entry(word: str) -> str | None:
    """The phones of the dictionary's line for ``word``, with the remark that may follow them."""
    lines, start = _dictionary(), word + " "
    place = bisect_left(lines, start)
    return lines[place][len(start) :] if place < len(lines) and lines[place].startswith(start) else None


def _read_user_lexicon(path: Path, remarks: list[str]) -> dict[str, tuple[str, ...]]:
    words: dict[str, tuple[str, ...]] = {}
    places: dict[str, str] = {}
    twice: list[str] = []
    for word, phones, place in (_read_pls if path.suffix.lower() in _PLS else _read_lines)(path):
        plain = _plain_word(word, place)
        if words.setdefault(plain, phones) != phones:
            first = places[plain].rpartition(":")[2]
            twice.append(
                f"{place}: '{plain[:40]}' has another pronunciation in line {first}, which is spoken; remove one of them"
            )
        places.setdefault(plain, place)
    remarks += twice[:_NAMED]
    if more := twice[_NAMED:]:
        remarks.append(f"{path}: {counted(len(more), 'more pronunciation')} of words that have another one before")
    return words


def _plain_word(word: str, place: str) -> str:
    """``word`` in the form in which the text is looked up: lower case, without accents."""
    plain = fold(word.replace("’", "'")).lower()
    if not _WORD.fullmatch(plain):
        raise TextError(
            f"{place}: '{word.lower()[:40]}' is not a word of letters a-z and apostrophes; give each word of it an entry"
        )
    return plain


def _read_pls(path: Path) -> Iterator[tuple[str, tuple[str, ...], str]]:
    try:
        content = read_file(path, MAX_LEXICON_BYTES)
    except TriforceError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise TextError(f"{path}: cannot read the lexicon ({reason}); expected a PLS lexicon of the W3C") from error
    yield from read_pls(content, path, Lexicon().lookup)


def _read_lines(path: Path) -> Iterator[tuple[str, tuple[str, ...], str]]:
    try:
        content = read_text_file(path, MAX_LEXICON_BYTES)
    except TriforceError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise TextError(
            f"{path}: cannot read the lexicon ({reason}); expected UTF-8 lines such as 'phonemes  F OW1 N IY2 M Z'"
        ) from error
    seen: set[str] = set()
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith(("#", ";;;")):
            place = f"{path}:{number}"
            word, phones = (*line.split(maxsplit=1), "")[:2]
            plain = _plain_word(_VARIANT.sub("", word), place)
            if _VARIANT.search(word) and plain in seen:
                continue
            seen.add(plain)
            try:
                yield plain, parse_phones(phones.partition("#")[0]), place
            except TextError as error:
                raise TextError(f"{place}: {error}") from error
