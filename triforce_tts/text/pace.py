"""The highest speed of reading a text: the least seconds of each symbol, measured on aligned speech.

A network that reads may leave a word before it has said it. So every word is held until it has had the frames that
even fast readers take. The least of a symbol is a low quantile of its durations in the training data, kept in the
checkpoint as seconds: a frame is about as long as a sound, so that quantiles of whole frames would nearly all be 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from triforce_tts.text.alignment import Word, words_of
from triforce_tts.text.phonemes import CONSONANTS, PHONES
from triforce_tts.text.tokenizer import LETTERS, Piece

LOW = 0.05  # this share of a symbol's durations lies below its least seconds
FEWEST = 20  # a quantile needs so many durations; a rarer symbol gets the quantile of its class

_CONSONANTS = frozenset(CONSONANTS)


class Hold(NamedTuple):
    """The frames that must pass before a symbol is left."""

    # Whether the symbol begins a word, a mark or a space; frames are counted from there.
    begins: bool
    frames: int  # the least number of frames since the count began


def least_seconds(spoken: Iterable[tuple[Sequence[Piece], Sequence[Word]]]) -> dict[str, float]:
    """The least seconds of each phone and letter in aligned speech: texts and their words' times.

    Words that are spelled by other symbols than they were aligned with are left out. A symbol that was met fewer than
    ``FEWEST`` times gets the quantile of its class (vowels of its stress, consonants, letters); 0 where that is rare too.

    Raises:
        ShardError: a text has another number of words than its alignment.
    """
    durations: dict[str, list[float]] = {symbol: [] for symbol in (*PHONES, *LETTERS)}
    for pieces, words in spoken:
        for piece, word in words_of(pieces, words):
            if len(word) == len(piece.symbols) + 1:
                for symbol, (start, end) in zip(piece.symbols, pairwise(word), strict=True):
                    durations[symbol].append(end - start)
    classes: dict[str, list[float]] = {}
    for symbol, seconds in durations.items():
        classes.setdefault(_class(symbol), []).extend(seconds)
    return {
        symbol: _low(seconds if len(seconds) >= FEWEST else classes[_class(symbol)])
        for symbol, seconds in durations.items()
    }


def _class(symbol: str) -> str:
    if symbol in LETTERS:
        return "letter"
    return "consonant" if symbol in _CONSONANTS else f"vowel {symbol[-1]}"


def _low(durations: list[float]) -> float:
    """The low quantile in seconds, rounded to milliseconds; 0 if there are too few durations."""
    return round(sorted(durations)[int(LOW * len(durations))], 3) if len(durations) >= FEWEST else 0.0


def holds(pieces: Sequence[Piece], least: Mapping[str, float], frame_rate: float) -> list[Hold]:
    """The ``Hold`` of each symbol of ``pieces``, in frames of ``frame_rate`` a second: when the symbol may be left.

    Frames are counted over the word: no beginning of it may be said faster than the least seconds of its symbols
    together, and a whole word has a frame at least, also where ``least`` knows nothing. Marks and spaces may be passed.
    """
    by_symbol: list[Hold] = []
    for piece in pieces:
        seconds = 0.0
        for place, symbol in enumerate(piece.symbols):
            seconds += least.get(symbol, 0.0)
            last = piece.is_word and place == len(piece.symbols) - 1
            by_symbol.append(Hold(place == 0, max(int(last), round(seconds * frame_rate))))
    return by_symbol
