"""A known text put to a long recording: which of a book's words are read in which segment.

A recogniser's rough words find the way: groups of three words that occur once in both texts are anchors, the longest
chain of them in order is the path, and between anchors words are matched with the fewest edits. So a recording may be a part of the
book, skip front matter, or hold what the book does not. Words at the edges of segments, where the recogniser is weakest, are
given to the side whose sound they fit: forced alignment scores each way to share them out.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from pydantic import Field, NonNegativeInt, PositiveInt

from triforce_tts.audio.io import Audio
from triforce_tts.errors import TextError
from triforce_tts.judges.recognisers import pocketsphinx
from triforce_tts.schema import Config
from triforce_tts.text.normalize import normalize
from triforce_tts.text.phonemes import Lexicon

from .align import MODEL_RATE, aligner
from .epub import read_epub
from .segments import Segment, Sound
from .texts import UnreadableText, read_text
from .transcribe import PUNCT, TRANSCRIBER

ANCHOR = 3  # words
MOST_BYTES = 50_000_000  # of a text; the longest books have a tenth
MOST_CELLS = 4_000_000  # of a table of edits; between anchors farther apart nothing is matched
UNREAD_WORDS = 6  # more than twice the words heard, and so many more, were left out by the reader
SKIPPED_WORDS = 3  # so many more than were heard may have been left out: the sound tells
PAUSE_S = 2.0  # between neighbours; in a longer one something may have been left out
NOT_FOUND = "text not found"
_BEHIND_DASH = re.compile(r"(?<=[—–…])(?=\w)|(?<=--)(?=\w)")


class BookConfig(Config):
    """When a stretch of the book counts as what is read in a segment."""

    min_match: float = Field(default=0.35, ge=0, le=1)  # share of words that recogniser and text agree in
    min_matched_words: PositiveInt = 2
    max_between: PositiveInt = 12  # unplaced words between neighbours that are still shared out; more were not read
    candidates: NonNegativeInt = 2  # words around the expected edge up to which each place is tried; 0: no refinement


@dataclass(frozen=True)
class Book:
    """A text: ``tokens`` as printed, and the ``words`` that are heard of them, with the token that each is of.

    Tokens are divided by white space, and behind a dash: readers pause there. ``glued`` ones follow without a space.
    Words are letters only, for recognisers and printers differ in the rest; ``spelled`` has their apostrophes too.
    """

    tokens: list[str]
    words: list[str]
    spelled: list[str]
    token_of: list[int]
    glued: frozenset[int] = frozenset()

    def printed(self, tokens: Sequence[int]) -> str:
        """The text of the tokens with these numbers, which rise."""
        text = ""
        before = -1
        for number in tokens:
            joined = not text or (number in self.glued and before == number - 1)
            text += self.tokens[number] if joined else f" {self.tokens[number]}"
            before = number
        return text


@dataclass
class _Placed:
    """A segment with what was heard in it, and the book's words [first, last) that it got; none: first is -1."""

    segment: Segment
    heard: list[str]
    pairs: list[tuple[int, int]] = field(default_factory=list)  # (place in heard, place in the book), both rising
    first: int = -1
    last: int = -1
    holes: list[tuple[int, int]] = field(default_factory=list)  # of the book's words [from, to) that were not read

    def words(self, before: int = 0, behind: int = 0) -> list[int]:
        """The places of its words in the book, with so many more at its ends."""
        every = range(self.first - before, self.last + behind)
        return [place for place in every if not any(start <= place < end for start, end in self.holes)]


# --- reading -------------------------------------------------------------------------------------------------------


def read_book(path: Path) -> Book:
    """The text of a .txt file (UTF-8, or what its byte-order mark says) or of an epub.

    Raises:
        TextError: it cannot be read, or holds no words.
    """
    try:
        text = read_epub(path) if path.suffix.lower() == ".epub" else read_text(path, MOST_BYTES)
    except UnreadableText as error:
        raise TextError(str(error)) from error
    book = make_book(text)
    if not book.words:
        raise TextError(f"{path}: there are no words in it")
    return book


def make_book(text: str) -> Book:
    """``text`` as printed tokens and heard words."""
    tokens: list[str] = []
    glued = []
    for token in text.replace("\u00ad", "").split():  # soft hyphens show where a line may end, and are not read
        for number, part in enumerate(_BEHIND_DASH.split(token)):
            if number:
                glued.append(len(tokens))
            tokens.append(part)
    spelled: list[str] = []
    token_of: list[int] = []
    for number, token in enumerate(tokens):
        for word in spelled_words(token):
            spelled.append(word)
            token_of.append(number)
    return Book(tokens, [_letters(word) for word in spelled], spelled, token_of, frozenset(glued))


def heard_words(token: str) -> tuple[str, ...]:
    """The words that are heard of a printed token, in lower-case letters: "1914," is two, "--" is none."""
    return tuple(_letters(word) for word in spelled_words(token))


def _letters(word: str) -> str:
    return "".join(c for c in word if c.isalpha())


@lru_cache(maxsize=100_000)
def spelled_words(token: str) -> tuple[str, ...]:
    """``heard_words`` with every apostrophe, which may be a quotation mark: "‘Don’t" is "'don't"."""
    plain = token.replace("’", "'").replace("‘", "'")
    counted = any(character.isdigit() or character in "$£€%&" for character in plain)
    # One letter that the recogniser and the aligner do not know, as in "café", and no edge of its segment could be scored.
    if counted or any(character.isalpha() and not character.isascii() for character in plain):
        try:
            plain = normalize(plain if counted else plain.lower())  # "ÎLE" is a heading, not letters to be spelled
        except TextError:
            return ()
    for dash in ("-", "–", "—", "…", "..."):
        plain = plain.replace(dash, " ")
    words = ("".join(c for c in word if c.isalpha() or c == "'") for word in plain.lower().split())
    return tuple(word for word in words if _letters(word))


# --- finding the way -----------------------------------------------------------------------------------------------


def align_text(sound: Sound, segments: Sequence[Segment], book: Book, config: BookConfig) -> None:
    """Give each kept segment the stretch of ``book`` that is read in it; drop those whose stretch is not found.

    Adds the score ``text_match``: the share of words that recogniser and text agree in.
    """
    recogniser = pocketsphinx()
    placed = [
        _Placed(segment, recogniser(sound.read(segment.start_s, segment.end_s, MODEL_RATE)).split())
        for segment in segments
        if segment.kept
    ]
    place(placed, book, config)
    if config.candidates:
        refine(sound, placed, book, config)
    keep_whole(placed, book)
    for item in placed:
        _write(item, book, config)


def place(placed: Sequence[_Placed], book: Book, config: BookConfig) -> None:
    """Find the words of each of ``placed`` in the book: from the first to the last that recogniser and book share."""
    heard = [_letters(word) for item in placed for word in item.heard]
    owner = [(number, i) for number, item in enumerate(placed) for i in range(len(item.heard))]
    for position, where in match(heard, book.words):
        number, i = owner[position]
        placed[number].pairs.append((i, where))
    for item in placed:
        if len(item.pairs) >= config.min_matched_words:
            item.first, item.last = item.pairs[0][1], item.pairs[-1][1] + 1
            for (i, here), (j, there) in pairwise(item.pairs):
                if there - here > 2 * (j - i) + UNREAD_WORDS:  # far more in the book than was heard
                    item.holes.append((here + 1 + (j - i - 1), there))


def match(heard: Sequence[str], words: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of places with equal words, both rising: along anchors, and with the fewest edits between them."""
    chain = anchors(heard, words)
    found: list[tuple[int, int]] = []
    at = (0, 0)
    for end in [*chain, (len(heard), len(words))]:
        if end[0] >= at[0] and end[1] >= at[1]:
            found += _match_between(heard, words, at, end)
            if end[0] < len(heard):
                found.append(end)
            at = (end[0] + 1, end[1] + 1)
    return found


def anchors(heard: Sequence[str], words: Sequence[str]) -> list[tuple[int, int]]:
    """The longest chain of places that rise in both texts, at which ``ANCHOR`` words follow that occur once in each."""
    ours, theirs = _once(heard), _once(words)
    shared = sorted((ours[gram], theirs[gram]) for gram in ours.keys() & theirs.keys())
    # Longest rising chain by patience: tails[n] is the end of the best chain of n + 1 places.
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_, where) in enumerate(shared):
        n = bisect_left(tails, where)
        before.append(ends[n - 1] if n else -1)
        if n == len(tails):
            tails.append(where)
            ends.append(number)
        else:
            tails[n], ends[n] = where, number
    chain = []
    number = ends[-1] if ends else -1
    while number >= 0:
        chain.append(shared[number])
        number = before[number]
    chain.reverse()
    # The words of an anchor are matched each, and once where anchors overlap.
    return sorted({(i + k, j + k) for i, j in chain for k in range(ANCHOR)})


def _once(words: Sequence[str]) -> dict[tuple[str, ...], int]:
    places: dict[tuple[str, ...], int] = {}
    for i in range(len(words) - ANCHOR + 1):
        gram = tuple(words[i : i + ANCHOR])
        places[gram] = -1 if gram in places else i
    return {gram: i for gram, i in places.items() if i >= 0}


def _match_between(
    heard: Sequence[str], words: Sequence[str], start: tuple[int, int], end: tuple[int, int]
) -> list[tuple[int, int]]:
    """Equal words at the places of the fewest edits between ``heard`` and ``words`` from ``start`` to ``end``."""
    a, b = heard[start[0] : end[0]], words[start[1] : end[1]]
    # Far from an anchor the way is not known; before the first and behind the last one, words near it still are.
    if start == (0, 0):
        b = b[max(0, len(b) - 2 * len(a) - 8) :]
        start = (start[0], end[1] - len(b))
    elif end[1] == len(words):
        b = b[: 2 * len(a) + 8]
    if not a or not b or len(a) * len(b) > MOST_CELLS:
        return []
    codes: dict[str, int] = {}
    left, right = (np.array([codes.setdefault(word, len(codes)) for word in side]) for side in (a, b))
    costs = np.zeros((len(a) + 1, len(b) + 1), np.int32)
    costs[0] = np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        # Substitution and deletion at once; insertions, which hang on their left neighbour, by a running minimum.
        row = np.minimum(costs[i - 1, :-1] + 2 * (left[i - 1] != right), costs[i - 1, 1:] + 1)
        row = np.concatenate(([i], row)) - np.arange(len(b) + 1)
        costs[i] = np.minimum.accumulate(row) + np.arange(len(b) + 1)
    found = []
    i, j = len(a), len(b)
    while i and j:
        if left[i - 1] == right[j - 1] and costs[i, j] == costs[i - 1, j - 1]:
            found.append((start[0] + i - 1, start[1] + j - 1))
            i, j = i - 1, j - 1
        elif costs[i, j] == costs[i - 1, j] + 1:
            i -= 1
        elif costs[i, j] == costs[i, j - 1] + 1:
            j -= 1
        else:
            i, j = i - 1, j - 1
    return found[::-1]


# --- edges ---------------------------------------------------------------------------------------------------------


def refine(sound: Sound, placed: Sequence[_Placed], book: Book, config: BookConfig) -> None:
    """Share out the words between neighbours by the sound: each word goes to the segment that it fits."""
    found = [item for item in placed if item.first >= 0]
    score = _Scorer(sound, book)
    for item in found:
        _fit_holes(item, score)
        _find_holes(item, score)
    for left, right in pairwise([None, *found, None]):
        behind = len(left.heard) - 1 - left.pairs[-1][0] if left else 0  # heard words after the last that is placed
        ahead = right.pairs[0][0] if right else 0
        low = left.last if left else max(0, right.first - ahead - config.candidates) if right else 0
        high = right.first if right else min(len(book.words), low + behind + config.candidates)
        between = high - low
        if between <= 0:
            continue
        ends = _places(behind, between, config.candidates) if left else [0]
        starts = _places(ahead, between, config.candidates) if right else [0]
        if left and right and between <= config.max_between and right.segment.start_s - left.segment.end_s < PAUSE_S:
            n, m = _share(left, right, between, behind, score)
        else:
            # What lies between may not have been read: of the numbers of words that fit the nearest to those heard.
            fitting = [n for n in ends if left and score(left, 0, n) is not None]
            n = min(fitting, key=lambda n: (abs(n - behind), -n), default=min(behind, between))
            fitting = [m for m in starts if right and n + m <= between and score(right, m, 0) is not None]
            m = min(fitting, key=lambda m: (abs(m - ahead), -m), default=0)
        if left:
            left.last += n
        if right:
            right.first -= m


def _share(left: _Placed, right: _Placed, between: int, behind: int, score: "_Scorer") -> tuple[int, int]:
    """Nothing but a pause lies between the two: all of the words are read, in one or in the other.

    Of the ways that fit both sounds it is the likeliest; where none fits, as many go to ``left`` as were heard there.
    """
    best, way = -math.inf, min(behind, between)
    for n in range(between + 1):
        scores = score(left, 0, n), score(right, between - n, 0)
        if scores[0] is not None and scores[1] is not None and sum(scores) > best:  # type: ignore[arg-type]
            best, way = scores[0] + scores[1], n
    return way, between - way


def _fit_holes(item: _Placed, score: "_Scorer") -> None:
    """Of the words heard where the reader left a passage out, some are before it and some behind."""
    for number, (start, end) in enumerate(item.holes):
        heard = start - max(place for _, place in item.pairs if place < start) - 1
        scores = {}
        for behind in range(heard + 1):
            item.holes[number] = (start - behind, end - behind)
            scores[behind] = score(item, 0, 0)
        fitting = {behind: value for behind, value in scores.items() if value is not None}
        best = max(fitting, key=lambda behind: fitting[behind]) if fitting else 0
        item.holes[number] = (start - best, end - best)


def _find_holes(item: _Placed, score: "_Scorer") -> None:
    """A shorter passage that was not heard, between two words that were: left out if the sound fits better without it."""
    for (i, here), (j, there) in pairwise(item.pairs):
        heard = j - i - 1
        if there - here - 1 < heard + SKIPPED_WORDS or any(start <= there and here <= end for start, end in item.holes):
            continue
        whole = score(item, 0, 0)
        best, hole = -math.inf if whole is None else whole, None
        for behind in range(heard + 1):  # of the words heard there, some are before the passage and some behind
            item.holes.append((here + 1 + heard - behind, there - behind))
            value = score(item, 0, 0)
            if value is not None and value > best:
                best, hole = value, item.holes[-1]
            item.holes.pop()
        if hole:
            item.holes.append(hole)


def _places(expected: int, most: int, around: int) -> list[int]:
    """Numbers of words to try: those near the number of words heard."""
    return list(range(max(0, expected - around), min(most, expected + around) + 1))


class _Scorer:
    """How well a segment's sound fits its words and some more at its ends; None: not at all."""

    def __init__(self, sound: Sound, book: Book) -> None:
        self.sound, self.book = sound, book
        self._known: dict[tuple[int, tuple[int, ...]], float | None] = {}

    def __call__(self, item: _Placed, before: int, behind: int) -> float | None:
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
    """A spelled word as ``lexicon`` has it, with or without the apostrophes at its ends; in letters only, if not at all."""
    if word.endswith("s'"):
        word = word.rstrip("'")  # "dogs'" sounds as "dogs", but a quotation mark makes "his'" the plural of "hi"
    return next((form for form in (word, word.strip("'")) if lexicon.lookup(form)), _letters(word))


def keep_whole(placed: Sequence[_Placed], book: Book) -> None:
    """Give each printed token to one segment alone, that with most of its words; the first of equals.

    A token such as "1914" is two words, and a cut may lie between them, but half of it cannot be printed.
    """
    found = [item for item in placed if item.first >= 0]
    claims: dict[int, list[_Placed]] = {}
    for item in found:
        for token in dict.fromkeys(book.token_of[place] for place in item.words()):
            claims.setdefault(token, []).append(item)
    for token, items in claims.items():
        if len(items) > 1:
            start, end = bisect_left(book.token_of, token), bisect_right(book.token_of, token)
            shares = [sum(start <= place < end for place in item.words()) for item in items]
            keeper = shares.index(max(shares))
            for item in items[:keeper]:
                item.last = start
            items[keeper].first = min(items[keeper].first, start)
            items[keeper].last = max(items[keeper].last, end)
            for item in items[keeper + 1 :]:
                item.first = end
    for item in found:
        item.pairs = [(i, where) for i, where in item.pairs if item.first <= where < item.last]
        if item.first >= item.last:
            item.first = -1


# --- writing -------------------------------------------------------------------------------------------------------


def _write(item: _Placed, book: Book, config: BookConfig) -> None:
    segment = item.segment
    if item.first < 0:
        segment.drop(NOT_FOUND, f"{len(item.pairs)} words in common")
        return
    places = item.words()
    agreed = len(item.pairs) / max(len(places), len(item.heard))
    segment.scores["text_match"] = round(agreed, 3)
    if agreed < config.min_match:
        segment.drop(NOT_FOUND, f"{100 * agreed:.0f} % of the words in common")
        return
    tokens = sorted({book.token_of[place] for place in places})
    # Tokens without words, such as a dash, belong to those around them.
    inside = [t for left, right in pairwise(tokens) for t in ([*range(left, right)] if right - left < 4 else [left])]
    segment.text = book.printed([*inside, tokens[-1]])
    segment.details |= {TRANSCRIBER: "text", PUNCT: segment.text != segment.text.upper()}
