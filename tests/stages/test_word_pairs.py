"""Pairs about single words, by hand."""

from typing import Any

import pytest
import torch

from triforce_tts.stages.preferences.pairs import Rendition
from triforce_tts.stages.preferences.rule import Judgement
from triforce_tts.stages.preferences.word_pairs import word_pairs
from triforce_tts.synthesis.script import Line
from triforce_tts.text.tokenizer import TextTokenizer

pytest.importorskip("whisper_normalizer")

TEXT = "the cat sat down."
TOKENIZER = TextTokenizer()
PIECES = tuple(TOKENIZER.spell(TEXT))
SYMBOLS = sum(len(piece.symbols) for piece in PIECES)


def a_line() -> Line:
    return Line(TEXT, TEXT, PIECES, tuple(TOKENIZER.ids(PIECES)), 0.0, 1.0)


def a_rendition(stretch: int = 1) -> Rendition:
    """A rendition in which each symbol, be it of a word, a space or a mark, has ``stretch`` frames."""
    starts = tuple(range(0, SYMBOLS * stretch, stretch))
    return Rendition(torch.zeros(SYMBOLS * stretch, 2, dtype=torch.long), starts, True)


def first_frame(word: int) -> int:
    """The frame with which a word begins if each symbol has one frame; one past the last word for its number."""
    place = words = 0
    for piece in PIECES:
        if piece.is_word:
            if words == word:
                return place
            words += 1
        place += len(piece.symbols)
    return place


def heard(seed: int, text: str, **changes: Any) -> Judgement:
    figures = {
        "line": "k", "seed": seed, "text": TEXT, "heard": text, "words_wrong": 0, "words": 4, "characters_wrong": 0,
        "characters": 8, "unsaid": [], "ended": True, "seconds": 2.0, "predicted_s": 2.0, "similarity": 1.0,
    }  # fmt: skip
    return Judgement(**{**figures, **changes})


def test_a_pair_is_about_the_words_that_differ() -> None:
    renditions = {0: a_rendition(), 1: a_rendition(2)}
    (pair,) = word_pairs(a_line(), [heard(0, "the cap sat down"), heard(1, "the cat sat down")], renditions)
    assert pair.seeds == (1, 0)
    first, after = first_frame(1), first_frame(1) + len([p for p in PIECES if p.is_word][1].symbols)
    assert pair.worse.places == ((first, after + 1),)  # a word reaches into the frame after it
    assert pair.better.places == ((2 * first, 2 * after + 1),)
    assert torch.equal(pair.worse.codes, renditions[0].codes)


def test_what_is_heard_after_the_last_word_counts_up_to_the_end() -> None:
    renditions = {0: a_rendition(), 1: a_rendition()}
    (pair,) = word_pairs(a_line(), [heard(0, "the cat sat down there"), heard(1, TEXT)], renditions)
    assert pair.worse.places == ((first_frame(3), SYMBOLS + 1),)
    assert pair.better.places[0][1] < SYMBOLS + 1


def test_what_is_heard_between_two_words_counts_up_to_the_next_one() -> None:
    renditions = {0: a_rendition(), 1: a_rendition()}
    (pair,) = word_pairs(a_line(), [heard(0, "the cat oh sat down"), heard(1, TEXT)], renditions)
    assert pair.worse.places == ((first_frame(1), first_frame(2)),)


def test_a_word_that_no_rendition_says_is_in_no_pair() -> None:
    renditions = dict.fromkeys(range(3), a_rendition())
    judged = [heard(0, "a cat sat down"), heard(1, "a cap sat down"), heard(2, "a cap sat town")]
    pairs = word_pairs(a_line(), judged, renditions)
    assert [pair.seeds for pair in pairs] == [(0, 1), (0, 2)]
    assert all(first >= first_frame(1) for pair in pairs for first, _ in pair.worse.places)
    assert len(pairs[1].worse.places) == 2


def test_the_better_one_says_the_most_of_the_wrong_words_rightly() -> None:
    renditions = dict.fromkeys(range(4), a_rendition())
    judged = [
        heard(0, "a cap sat down"), heard(1, "the cap sat down"), heard(2, "the cat sat town"), heard(3, TEXT),
    ]  # fmt: skip
    pairs = word_pairs(a_line(), judged, renditions)
    assert [pair.seeds for pair in pairs] == [(3, 0), (3, 1), (3, 2)]


def test_renditions_that_were_stopped_are_left_out() -> None:
    renditions = dict.fromkeys(range(2), a_rendition())
    assert not word_pairs(a_line(), [heard(0, "the cap sat down"), heard(1, TEXT, ended=False)], renditions)
    assert not word_pairs(a_line(), [heard(0, "the cap sat down", ended=False), heard(1, TEXT)], renditions)


def test_without_the_places_of_words_there_are_no_pairs() -> None:
    bare = Rendition(torch.zeros(9, 2, dtype=torch.long), (), True)
    assert not word_pairs(a_line(), [heard(0, "the cap sat down"), heard(1, TEXT)], {0: bare, 1: bare})
