"""Text tokens: one fixed inventory of punctuation, letters and phonemes.

A word is either its phonemes, where the lexicon knows it, or its letters. In training the two are mixed at
random, so that one model reads both: phonemes say exactly what is meant, letters cover every word there is.
Ids start at 0; the offset into the GPT's vocabulary is added elsewhere.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triforce_tts.errors import TextError
from triforce_tts.text.homographs import REACH as HOMOGRAPH_REACH
from triforce_tts.text.homographs import is_homograph, pronounce
from triforce_tts.text.phonemes import BRACES, PHONES, WORD_IN_BRACES, Lexicon, in_plural, parse_phones
from triforce_tts.text.spoken_forms import pronounce_form, stutter

if TYPE_CHECKING:
    import torch

VERSION = 1
"""Raised when the same symbols come to mean something else, for example by another rule in ``encode``."""

SPACE = " "
PUNCTUATION = (".", ",", "!", "?", ";", ":", "-", '"')
LETTERS = (*"abcdefghijklmnopqrstuvwxyz", "'")
SYMBOLS = (SPACE, *PUNCTUATION, *LETTERS, *PHONES)

_PIECE = re.compile(WORD_IN_BRACES + r"""|[A-Za-z']+|[.,!?;:\-"]|\s+|.""")
_PHONE_SET = frozenset(PHONES)
# The word 'a' is the article, AH0, in the dictionary. In a spelled-out run such as 'u s a' it is the letter.
_LETTER_A = ("EY1",)
_LABELLED = frozenset(
    ["vitamin", "plan", "group", "type", "grade", "class", "section", "part", "option", "hepatitis", "appendix"]
)


@dataclass(frozen=True)
class Piece:
    """A word, a mark or a space of a text."""

    symbols: tuple[str, ...]
    is_word: bool


class TextTokenizer:
    """Turns text into ids in [0, ``size``), and back."""

    def __init__(self, lexicon: Lexicon | None = None):
        self.lexicon = lexicon or Lexicon.load()
        self.symbols = SYMBOLS
        self._ids = {symbol: i for i, symbol in enumerate(SYMBOLS)}

    @property
    def size(self) -> int:
        """The number of symbols."""
        return len(self.symbols)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change with the symbols, their order, or the tokenizer's version."""
        return hashlib.sha256(json.dumps([VERSION, list(self.symbols)]).encode()).hexdigest()[:16]

    def encode(self, text: str, letters_share: float = 0.0, generator: "torch.Generator | None" = None) -> list[int]:
        """The ids of a normalised text; a capital within a sentence tells few words apart ('a Polish wife').

        Args:
            text: what ``normalize`` returned; ``{T AH0 M EY1 T OW0}`` stands for itself.
            letters_share: probability in [0, 1] that a word is spelled although the lexicon knows it.
            generator: draws one number a word; words, not their pronunciations, decide what is drawn.

        Raises:
            TextError: a character outside the inventory (the text was not normalised), or an unknown phone.
        """
        return self.ids(self.spell(text, letters_share, generator))

    def ids(self, pieces: Iterable[Piece]) -> list[int]:
        """The ids of the symbols of ``pieces``."""
        return [self._ids[symbol] for piece in pieces for symbol in piece.symbols]

    def spell(self, text: str, letters_share: float = 0.0, generator: "torch.Generator | None" = None) -> list[Piece]:
        """The words, marks and spaces of a normalised text with their symbols; arguments and errors as ``encode``."""
        written = _split(text)
        pieces = [piece if piece.startswith("{") else piece.lower() for piece in written]
        words = [i for i, piece in enumerate(pieces) if _is_word(piece)]
        in_letters = _draw(words, letters_share, generator)
        letter_names = _spelled_runs(pieces)
        spelled: list[Piece] = []
        for i, piece in enumerate(pieces):
            if piece.startswith("{"):
                symbols: Iterable[str] = _phones_in_braces(piece)
            elif i in in_letters or not _is_word(piece):
                symbols = piece
            elif piece == "a" and (i in letter_names or _ends_clause(pieces, i) or _is_grade(pieces, i, written[i])):
                symbols = _LETTER_A
            else:
                symbols = self._pronounce(pieces, i, written[i].istitle())
            spelled.append(Piece(tuple(symbols), _is_word(piece) or piece.startswith("{")))
        return spelled

    def _pronounce(self, pieces: list[str], place: int, has_capital: bool) -> Iterable[str]:
        """The phones of a word, which may depend on the words around; its letters if the lexicon does not know it."""
        piece = pieces[place]
        if is_homograph(piece) and not self.lexicon.overrides(piece):
            first, last = max(0, place - HOMOGRAPH_REACH), place + HOMOGRAPH_REACH
            before = [other for other in pieces[first:place] if other != SPACE]
            after = [other for other in pieces[place + 1 : last] if other != SPACE]
            return pronounce(piece, before, after, has_capital)
        repeated = stutter(pieces, place, self.lexicon.lookup) if pieces[place + 1 : place + 2] == ["-"] else None
        listed = repeated or self.lexicon.lookup(piece) or self.lexicon.lookup(piece.strip("'"))
        return listed or pronounce_form(piece, self.lexicon.lookup) or piece

    def encode_letters(self, text: str) -> list[int]:
        """Ids of the letters a-z, apostrophes and single spaces of a text, as listening and scoring use them.

        Punctuation becomes a space; inline phonemes have no spelling and are left out.
        """
        letters = re.sub(r"[^a-z']+", " ", BRACES.sub(" ", text).lower()).strip()
        return [self._ids[letter] for letter in letters]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids, phonemes in braces; ``encode(decode(ids), letters_share=1.0)`` gives the ids back."""
        out: list[str] = []
        phones: list[str] = []
        for symbol in (self.symbols[i] for i in ids):
            if symbol in _PHONE_SET:
                phones.append(symbol)
                continue
            if phones:
                out.append("{" + " ".join(phones) + "}")
                phones = []
            out.append(symbol)
        if phones:
            out.append("{" + " ".join(phones) + "}")
        return "".join(out)


def _is_word(piece: str) -> bool:
    return any("a" <= character <= "z" for character in piece) and not piece.startswith("{")


def _phones_in_braces(piece: str) -> tuple[str, ...]:
    """The phones of a word that is written as phones in braces, perhaps with ``'s`` behind them."""
    inside, _, ending = piece[1:].partition("}")
    phones = parse_phones(inside)
    return in_plural(phones) if ending else phones


def _split(text: str) -> list[str]:
    """Words, punctuation, single spaces and braces."""
    pieces: list[str] = []
    for piece in _PIECE.findall(text.strip()):
        if piece.isspace():
            piece = SPACE
        elif len(piece) == 1 and piece.lower() not in SYMBOLS:
            raise TextError(f"the character {piece!r} in '{text[:60]}' has no token; normalise the text first")
        pieces.append(piece)
    return pieces


def _draw(words: list[int], share: float, generator: "torch.Generator | None") -> set[int]:
    """The positions among ``words`` to be spelled in letters."""
    if share <= 0.0 or not words:
        return set()
    # This import stands here, because it takes seconds, and most uses of a tokenizer draw nothing.
    import torch

    return {
        word for word, u in zip(words, torch.rand(len(words), generator=generator).tolist(), strict=True) if u < share
    }


def _ends_clause(pieces: list[str], place: int) -> bool:
    """Whether a mark behind an 'a' shows that it is the letter: 'Plan A.'; an article has a word behind it."""
    following = pieces[place + 1 : place + 2]
    is_labelled = place > 1 and pieces[place - 2] in _LABELLED
    return bool(following) and (following[0] in (".", "!", "?", ";", ":") or (following[0] == "," and is_labelled))


def _is_grade(pieces: list[str], place: int, written: str) -> bool:
    """Whether a hyphen behind a capital shows that it is the letter: 'A-list'; not in 'A-hunting we will go' and 'A-and'."""
    following = pieces[place + 1 : place + 3]
    if written != "A" or len(following) < 2 or following[0] != "-" or not following[1].isalpha():
        return False
    return not re.match(r"a|ha$|.+ing$", following[1])


def _spelled_runs(pieces: list[str]) -> set[int]:
    """Positions of single letters in runs of two or more, as in ``u s a``; but 'I a' is two words."""
    positions: set[int] = set()
    run: list[int] = []
    for i, piece in enumerate([*pieces, "."]):
        if len(piece) == 1 and piece.isalpha():
            run.append(i)
        elif piece != SPACE:
            if len(run) > 1 and [pieces[j] for j in run] != ["i", "a"]:
                positions.update(run)
            run = []
    return positions
