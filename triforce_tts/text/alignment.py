"""The time of each symbol of a text: the builder's aligner writes the times, and they order the GPT's sequences.

An alignment is kept in a sample's JSON: for every word of the normalised text its start, then the end of each of its
symbols (phones, or letters where the lexicon does not know the word), in seconds.
"""

from collections.abc import Sequence

from triforce_tts.errors import ShardError
from triforce_tts.text.tokenizer import Piece
from triforce_tts.wording import counted

Word = Sequence[float]  # seconds: the start of the word, then the end of each of its symbols

KEY = "alignment"  # the key of the list of words in a sample's JSON


def words_of(pieces: Sequence[Piece], words: Sequence[Word]) -> list[tuple[Piece, Word]]:
    """The words among ``pieces``, each with its times.

    Raises:
        ShardError: the text has another number of words than the alignment.
    """
    spoken = [piece for piece in pieces if piece.is_word]
    if len(spoken) != len(words):
        raise ShardError(
            f"an alignment has {counted(len(words), 'word')}, its text has {len(spoken)}; "
            "build the shards again with --align"
        )
    return list(zip(spoken, words, strict=True))


def symbol_starts(pieces: Sequence[Piece], words: Sequence[Word]) -> list[float]:
    """The time at which each symbol of ``pieces`` starts, seconds, never falling.

    A word that is spelled by other symbols than it was aligned with shares its time evenly among them. Marks and
    spaces start where the word before them ends, so that a pause belongs to the mark that asks for it.

    Raises:
        ShardError: the text has another number of words than the alignment.
    """
    starts: list[float] = []
    now, rest = 0.0, iter(words_of(pieces, words))
    for piece in pieces:
        if piece.is_word:
            (_, word), number = next(rest), len(piece.symbols)
            if len(word) == number + 1:
                starts += word[:-1]
            else:
                starts += [word[0] + (word[-1] - word[0]) * i / number for i in range(number)]
            now = word[-1]
        else:
            starts += [now] * len(piece.symbols)
    return starts
