"""Aligns a known text with a long recording: it finds which words of a book are read in which segment.

A recogniser writes down roughly what is said, and its words are searched in the book (``triforce_tts/books/match.py``).
So a recording may hold only a part of the book, skip its front matter, or hold speech that is not in the book.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from pydantic import Field, NonNegativeInt, PositiveInt

from triforce_tts.books.book import Book, letters_in
from triforce_tts.books.match import match
from triforce_tts.judges.align import MODEL_RATE
from triforce_tts.judges.recognisers import pocketsphinx
from triforce_tts.schema import Config
from triforce_tts.wording import counted

from ..common.segments import Segment, Sound
from .book_edges import Placed, refine
from .transcribe import PUNCT, TRANSCRIBER

# If the book has more than twice as many words at a place as were heard there, and this many more, the reader left
# some out.
UNREAD_WORDS = 6
NOT_FOUND = "text not found"


class BookConfig(Config):
    """When a stretch of the book counts as the text that is read in a segment."""

    min_match: float = Field(default=0.35, ge=0, le=1)  # share of words that recogniser and text must have in common
    min_matched_words: PositiveInt = 2  # number of words that they must have in common
    # If at most this many words lie between two segments, they are divided between them; if more, nobody read them.
    max_between: PositiveInt = 12
    candidates: NonNegativeInt = 2  # an edge is tried this many words around its expected place; 0: no refinement


def align_text(sound: Sound, segments: Sequence[Segment], book: Book, config: BookConfig) -> None:
    """Give each kept segment the stretch of ``book`` that is read in it; drop a segment whose stretch is not found.

    The score ``text_match`` is added: the share of words that recogniser and text have in common.
    """
    recogniser = pocketsphinx()
    placed = [
        Placed(segment, recogniser(sound.read(segment.start_s, segment.end_s, MODEL_RATE)).split())
        for segment in segments
        if segment.kept
    ]
    place(placed, book, config)
    if config.candidates:
        refine(sound, placed, book, config.candidates, config.max_between)
    keep_whole(placed, book)
    for item in placed:
        _write(item, book, config)


def place(placed: Sequence[Placed], book: Book, config: BookConfig) -> None:
    """Find the words of each segment in the book: from the first to the last word that recogniser and book share."""
    heard = [letters_in(word) for item in placed for word in item.heard_words]
    owner = [(number, i) for number, item in enumerate(placed) for i in range(len(item.heard_words))]
    for position, where in match(heard, book.words):
        number, i = owner[position]
        placed[number].pairs.append((i, where))
    for item in placed:
        if len(item.pairs) >= config.min_matched_words:
            item.first, item.last = item.pairs[0][1], item.pairs[-1][1] + 1
            for (i, here), (j, there) in pairwise(item.pairs):
                if there - here > 2 * (j - i) + UNREAD_WORDS:  # the book has far more words here than were heard
                    item.holes.append((here + 1 + (j - i - 1), there))


def keep_whole(placed: Sequence[Placed], book: Book) -> None:
    """Give each printed token to one segment only: to the one with most of the token's words, or the first of equals.

    A token such as "1914" is two words, and a cut may lie between them, but half a token cannot be printed.
    """
    with_text = [item for item in placed if item.first >= 0]
    claims: dict[int, list[Placed]] = {}
    for item in with_text:
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
    for item in with_text:
        item.pairs = [(i, where) for i, where in item.pairs if item.first <= where < item.last]
        if item.first >= item.last:
            item.first = -1


def _write(item: Placed, book: Book, config: BookConfig) -> None:
    segment = item.segment
    if item.first < 0:
        segment.drop(NOT_FOUND, f"{counted(len(item.pairs), 'word')} in common")
        return
    places = item.words()
    agreed = len(item.pairs) / max(len(places), len(item.heard_words))
    segment.scores["text_match"] = round(agreed, 3)
    if agreed < config.min_match:
        segment.drop(NOT_FOUND, f"{100 * agreed:.0f} % of the words in common")
        return
    tokens = sorted({book.token_of[place] for place in places})
    # A token without words, such as a dash, belongs to the segment that has the tokens around it.
    inside = [t for left, right in pairwise(tokens) for t in ([*range(left, right)] if right - left < 4 else [left])]
    segment.text = book.printed([*inside, tokens[-1]])
    segment.details |= {TRANSCRIBER: "text", PUNCT: segment.text != segment.text.upper()}
