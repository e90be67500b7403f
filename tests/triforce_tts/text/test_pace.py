import pytest

from triforce_tts.errors import ShardError
from triforce_tts.text.pace import FEWEST, Hold, holds, least_seconds
from triforce_tts.text.tokenizer import Piece

WHY = [Piece(("W", "AY1"), True), Piece(("?",), False)]


def test_the_low_quantile_by_hand() -> None:
    """Of 100 durations from 0.01 to 1.00 s, five are below 0.06."""
    spoken = [(WHY, [[1.0, 1.05, 1.05 + n / 100]]) for n in range(1, 101)]
    least = least_seconds(spoken)
    assert least["AY1"] == pytest.approx(0.06)
    assert least["W"] == pytest.approx(0.05)


def test_a_rare_symbol_gets_its_class() -> None:
    often = [([Piece(("B", "AA1"), True)], [[0.0, 0.04, 0.14]])] * FEWEST
    rare = [([Piece(("ZH", "OY1"), True)], [[0.0, 0.5, 1.5]])]
    least = least_seconds([*often, *rare])
    assert least["ZH"] == least["B"] == pytest.approx(0.04)
    assert least["OY1"] == least["AA1"] == pytest.approx(0.1)
    assert least["AA0"] == 0.0  # there is no unstressed vowel
    assert least["x"] == 0.0


def test_words_of_another_spelling_are_left_out() -> None:
    least = least_seconds([(WHY, [[0.0, 9.0]])] * FEWEST)
    assert set(least.values()) == {0.0}
    with pytest.raises(ShardError, match="build the shards again"):
        least_seconds([(WHY, [[0.0, 0.1, 0.2], [0.2, 0.3]])])


def test_holds_by_hand() -> None:
    """There are 10 frames a second.

    W may be passed within 0.04 s, the word takes 0.34 s, the mark takes no time, and the count starts again.
    """
    least = {"W": 0.04, "AY1": 0.3, "?": 0.0}
    assert holds(WHY, least, 10.0) == [Hold(True, 0), Hold(False, 3), Hold(True, 0)]
    long = holds([Piece(("W",) * 8, True)], least, 10.0)
    assert [hold.frames for hold in long] == [0, 1, 1, 2, 2, 2, 3, 3]


def test_without_knowledge_a_word_has_one_frame() -> None:
    pieces = [Piece(("AH0",), True), Piece((" ",), False), *WHY]
    assert [hold.frames for hold in holds(pieces, {}, 15.6)] == [1, 0, 0, 1, 0]
