"""Decides which segment gets the words at an edge between two segments, where the recogniser is weakest.

Forced alignment scores each way to divide the words between the two segments; the way that fits the sound best is
taken.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch

from triforce_tts.audio.io import Audio
from triforce_tts.books.book import Book, letters_in
from triforce_tts.judges.align import MODEL_RATE, aligner
from triforce_tts.text.phonemes import Lexicon

from ..common.segments import Segment, Sound

SKIPPED_WORDS = 3  # if the book has this many words more than were heard, the sound decides whether they were read
PAUSE_S = 2.0  # seconds; in a longer pause between two segments, words of the book may have been left out


@dataclass
class Placed:
    """A segment with the words that were heard in it, and the range [first, last) of the book's words that it gets."""

    segment: Segment
    heard_words: list[str]
    pairs: list[tuple[int, int]] = field(default_factory=list)  # (place in heard_words, place in the book), both rising
    first: int = -1  # -1 if the segment gets no words
    last: int = -1
    holes: list[tuple[int, int]] = field(default_factory=list)  # ranges [from, to) of the book's words that nobody read

    def words(self, before: int = 0, behind: int = 0) -> list[int]:
        """The places of its words in the book, and of the words ``before`` and ``behind`` them."""
        every = range(self.first - before, self.last + behind)
        return [place for place in every if not any(start <= place < end for start, end in self.holes)]


def refine(sound: Sound, placed: Sequence[Placed], book: Book, candidates: int, max_between: int) -> None:
    """Divide the words between neighbouring segments by the sound: each word goes to the segment that it fits."""
    with_text = [item for item in placed if item.first >= 0]
    score = _Scorer(sound, book)
    for item in with_text:
        _fit_holes(item, score)
        _find_holes(item, score)
    for left, right in pairwise([None, *with_text, None]):
        # ``behind`` and ``ahead`` are words that were heard beyond the last and before the first word found in the
        # book.
        behind = len(left.heard_words) - 1 - left.pairs[-1][0] if left else 0
        ahead = right.pairs[0][0] if right else 0
        low = left.last if left else max(0, right.first - ahead - candidates) if right else 0
        high = right.first if right else min(len(book.words), low + behind + candidates)
        between = high - low
        if between <= 0:
            continue
        ends = _places(behind, between, candidates) if left else [0]
        starts = _places(ahead, between, candidates) if right else [0]
        if left and right and between <= max_between and right.segment.start_s - left.segment.end_s < PAUSE_S:
            n, m = _share(left, right, between, behind, score)
        else:
            # The words between may not have been read. Of the numbers of words that fit the sound, take the one that is
            # nearest to the number of words heard.
            fitting = [n for n in ends if left and score(left, 0, n) is not None]
            n = min(fitting, key=lambda n: (abs(n - behind), -n), default=min(behind, between))
            fitting = [m for m in starts if right and n + m <= between and score(right, m, 0) is not None]
            m = min(fitting, key=lambda m: (abs(m - ahead), -m), default=0)
        if left:
            left.last += n
        if right:
            right.first -= m


def _share(left: Placed, right: Placed, between: int, behind: int, score: "_Scorer") -> tuple[int, int]:
    """How many of the words ``between`` go to ``left`` and to ``right``, if only a pause lies between the two segments.

    Then all of these words were read. The result is the likeliest way that fits both segments; if none fits, ``left``
    gets as many words as were heard there.
    """
    best, way = -math.inf, min(behind, between)
    for n in range(between + 1):
        scores = score(left, 0, n), score(right, between - n, 0)
        if scores[0] is not None and scores[1] is not None and sum(scores) > best:  # type: ignore[arg-type]
            best, way = scores[0] + scores[1], n
    return way, between - way


def _fit_holes(item: Placed, score: "_Scorer") -> None:
    """Move each hole to its likeliest place: some words that were heard near it lie before it, and some behind it."""
    for number, (start, end) in enumerate(item.holes):
        heard = start - max(place for _, place in item.pairs if place < start) - 1
        scores = {}
        for behind in range(heard + 1):
            item.holes[number] = (start - behind, end - behind)
            scores[behind] = score(item, 0, 0)
        fitting = {behind: value for behind, value in scores.items() if value is not None}
        best = max(fitting, key=lambda behind: fitting[behind]) if fitting else 0
        item.holes[number] = (start - best, end - best)


def _find_holes(item: Placed, score: "_Scorer") -> None:
    """Add a hole for a short passage that the recogniser did not hear, if the sound fits better without the passage."""
    for (i, here), (j, there) in pairwise(item.pairs):
        heard = j - i - 1
        if there - here - 1 < heard + SKIPPED_WORDS or any(start <= there and here <= end for start, end in item.holes):
            continue
        whole = score(item, 0, 0)
        best, hole = -math.inf if whole is None else whole, None
        for behind in range(heard + 1):  # some words that were heard here lie before the passage, and some behind it
            item.holes.append((here + 1 + heard - behind, there - behind))
            value = score(item, 0, 0)
            if value is not None and value > best:
                best, hole = value, item.holes[-1]
            item.holes.pop()
        if hole:
            item.holes.append(hole)


def _places(expected: int, most: int, around: int) -> list[int]:
    """The numbers of words to try: those near ``expected``, the number of words heard."""
    return list(range(max(0, expected - around), min(most, expected + around) + 1))


class _Scorer:
    """Scores how well the sound of a segment fits its words and some more words at its ends.

    The score is None if the words do not fit.
    """

    def __init__(self, sound: Sound, book: Book) -> None:
        self.sound, self.book = sound, book
        self._known: dict[tuple[int, tuple[int, ...]], float | None] = {}

    def __call__(self, item: Placed, before: int, behind: int) -> float | None:
        places = item.words(before, behind)
        key = (id(item), tuple(places))
        if key not in self._known:
            wave = self.sound.read(item.segment.start_s, item.segment.end_s, MODEL_RATE)
            audio = Audio(torch.from_numpy(wave), MODEL_RATE)
            lexicon = aligner().tokenizer.lexicon
            words = (as_listed(self.book.spelled[place], lexicon) for place in places)
            self._known[key] = aligner().score(audio, " ".join(words))
        return self._known[key]


def as_listed(word: str, lexicon: Lexicon) -> str:
    """A spelled word in the form that ``lexicon`` has, with or without apostrophes at its ends.

    If the lexicon has no form of the word, the result is its letters.
    """
    if word.endswith("s'"):
        word = word.rstrip("'")  # "dogs'" sounds as "dogs", but a quotation mark makes "his'" the plural of "hi"
    return next((form for form in (word, word.strip("'")) if lexicon.lookup(form)), letters_in(word))
