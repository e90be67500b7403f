import pytest

from triforce_tts.errors import ShardError
from triforce_tts.text.alignment import symbol_starts
from triforce_tts.text.tokenizer import Piece, TextTokenizer


def test_starts_by_hand() -> None:
    """Every sound of "A cat, sat" has its own start; a space or a comma starts where the word before it ends."""
    pieces = TextTokenizer().spell("a cat, sat")
    assert [piece.symbols for piece in pieces] == [
        ("AH0",),
        (" ",),
        ("K", "AE1", "T"),
        (",",),
        (" ",),
        ("S", "AE1", "T"),
    ]
    words = [[0.1, 0.2], [0.2, 0.3, 0.35, 0.5], [0.9, 1.0, 1.1, 1.2]]
    assert symbol_starts(pieces, words) == [0.1, 0.2, 0.2, 0.3, 0.35, 0.5, 0.5, 0.9, 1.0, 1.1]


def test_other_symbols_share_the_time_of_the_word() -> None:
    """Four letters in a word that was aligned as two phones, or as a whole."""
    pieces = [Piece(tuple("eyes"), True), Piece((".",), False)]
    assert symbol_starts(pieces, [[1.0, 1.1, 1.8]]) == pytest.approx([1.0, 1.2, 1.4, 1.6, 1.8])
    assert symbol_starts(pieces, [[1.0, 1.8]]) == pytest.approx([1.0, 1.2, 1.4, 1.6, 1.8])


def test_a_mark_before_the_first_word_starts_the_recording() -> None:
    pieces = [Piece(('"',), False), Piece(("AY1",), True)]
    assert symbol_starts(pieces, [[0.3, 0.6]]) == [0.0, 0.3]


def test_another_text_is_refused() -> None:
    with pytest.raises(ShardError, match="alignment has 1 word, its text has 2; build the shards again"):
        symbol_starts(TextTokenizer().spell("a cat"), [[0.1, 0.2]])
