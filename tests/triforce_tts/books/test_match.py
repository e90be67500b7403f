"""Finds the words of one text in another one."""

from itertools import pairwise

import numpy as np
import pytest

from triforce_tts.books import match as b
from triforce_tts.books.match import anchors, match


def test_the_longest_chain_of_anchors_leaves_out_what_is_out_of_order() -> None:
    words = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"]
    assert anchors(words, words) == [(i, i) for i in range(16)]
    moved = ["a", "b", "c", "d", "e", "x", "x", "m", "n", "o", "x", "x", "f", "g", "h", "i", "j", "k"]
    chain = anchors(moved, words)
    assert chain == sorted(chain)
    assert (12, 5) in chain
    assert (7, 12) not in chain
    assert anchors([], words) == []


def test_words_are_matched_with_the_fewest_edits() -> None:
    words = [
        "front",
        "matter",
        "the",
        "quick",
        "brown",
        "fox",
        "jumps",
        "over",
        "the",
        "lazy",
        "dog",
        "and",
        "runs",
        "away",
        "over",
        "the",
        "hill",
    ]
    heard = ["the", "quick", "brawn", "fox", "jumps", "over", "a", "lazy", "dog", "and", "runs", "away"]
    assert match(heard, words) == [(0, 2), (1, 3), (3, 5), (4, 6), (5, 7), (7, 9), (8, 10), (9, 11), (10, 12), (11, 13)]
    assert match([], words) == []
    assert match(heard, []) == []


def test_only_words_near_the_anchors_are_matched_at_the_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording of one sentence is found in a whole book, whose other words would make too large a table."""
    monkeypatch.setattr(b, "MOST_CELLS", 24)
    others = [f"w{n}" for n in range(40)]
    words = [*others, *["so", "the", "quick", "brown", "fox", "jumps", "now"], *others]
    heard = ["so", "a", "quick", "brown", "fox", "jumped", "now"]
    assert match(heard, words) == [(0, 40), (2, 42), (3, 43), (4, 44), (6, 46)]


def test_matches_rise_whatever_is_matched() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{n}" for n in rng.integers(0, 30, 400)]
    heard = [w if rng.random() > 0.3 else f"x{rng.integers(9)}" for w in words[100:300]]
    pairs = match(heard, words)
    assert all(heard[i] == words[j] for i, j in pairs)
    assert all(a[0] < c[0] and a[1] < c[1] for a, c in pairwise(pairs))
    assert len([1 for i, j in pairs if j == i + 100]) > 100
