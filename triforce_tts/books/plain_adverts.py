"""Finds the publisher's advertisements behind the end of a text file's book: lists of books with prices, sizes and houses."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from .chapters import count_words
from .plain_headings import ENDS_SENTENCE, kind_of

# The line that ends a book. Advertisements may also stand behind an index.
_END = re.compile(r"\W*(?:(?:THE\s+)?END(?:\s+OF\s+\S.{0,60})?|FINIS)\W*", re.IGNORECASE)
_OF = re.compile(r"\W*(?:(?P<the>THE)\s+)?END\s+OF\s", re.IGNORECASE)
_INDEX = re.compile(r"\W*(?:GENERAL\s+)?INDEX\W*", re.IGNORECASE)
_BOOKS = r"(?:books|works|novels|fiction|stories|tales|romances|publications|volumes|poetry)"
_TITLE = re.compile(
    rf"\W*(?:advertisements?|by the same author|(?:also|uniform with) .{{0,40}}\b(?:by|volume)\b.*"
    rf"|(?:[\w.'’&]+ ){{0,6}}(?:catalogue|announcements?|publications|series|library)(?: of .{{1,60}})?"
    rf"|(?:a )?(?:list|selection) of .{{0,40}}\b{_BOOKS}\b.*"
    rf"|(?:[\w'’&]+ ){{0,5}}{_BOOKS} (?:by|for|from|published|of|on|issued|worth)\b.*"
    rf"|(?:[\w.'’&]+ ){{0,5}}(?:new|other|more|popular|recent|standard|choice|good|famous|famed|latest)\b.{{0,40}}\b{_BOOKS}\b.{{0,40}}"
    rf"|(?:just |recently |books? )?published by\b.*)\W*",
    re.IGNORECASE,
)
# Such a title is no story's, also without a sign of trade below it.
_OF_TRADE = re.compile(
    r"\badvertis|\bpubli(?:sh|cation)|\bsame author\b|\b(?:books|novels|works|volumes)\b.{0,40}\bby\b", re.IGNORECASE
)
_NAMED = re.compile(rf"\W*(?:[\w.'’&]+ ){{1,6}}(?:and|&)?\s*{_BOOKS}\W*", re.IGNORECASE)  # "ADA NORTH'S NOVELS"
_PRICE = re.compile(r"[$£]\s?\d|\b\d{1,2}s\.|\b\d{1,2}/\d{1,2}\b|\b\d{1,2}d\.|\b\d+\s?(?:cents|cts)\b", re.IGNORECASE)
_SIZE = re.compile(
    r"\b(?:8vo|12mo|16mo|18mo|24mo|32mo|4to|octavo|duodecimo)\b|\bcloth\b(?=[,.;:]| (?:gilt|bound|boards|extra))"
    r"|\bpost(?:age)?[- ]?(?:paid|free|extra)\b|\b(?:illustrated|pictures|illustrations|drawings|frontispiece) (?:by|with|in colou?rs?)\b|\bwith frontispiece\b",
    re.IGNORECASE,
)
_TRADE = re.compile(
    r"\bpublish(?:ed|ers?|ing)\b|&\s+(?:co\b|sons?\b|company\b|brothers\b)|\bbook-?sellers?\b|\bby the (?:same )?author of\b"
    r"|&\s+\w+(?:['’]s)?,? publishers\b|\bwherever books are sold\b|\b(?:ask|send|write) for\b.{0,40}\b(?:list|catalogue)\b"
    r"|\bcatalogue\b|\bedition\b|\bvols?\.|\bprice\b|\bgilt\b",
    re.IGNORECASE,
)
_MOST_ENDS = 20  # at most so many such lines are looked at, the last ones
_LONGEST_TITLE = 90  # characters
_FEWEST_SIGNS = 3  # so many prices and sizes are advertisements, also without a title that says so
_FEWEST_OF_BOOKS = 2  # if so many signs are those of books
_FEWEST_TITLED = 2  # below such a title, so many prices and sizes are enough
_LEAST_SENTENCE = 8  # words
_WORDS_A_SIGN = 60  # the most words, on average, for each sign of an advertisement
_MOST_LISTED = 400  # the most words of a list below a title without any price
_TEXT: tuple[str | None, ...] = ("chapter", "part", "named", "series")  # a book goes on at such headings


class _Counts(NamedTuple):
    """What paragraphs hold: prices, sizes and signs of trade, words, and how many of them are sentences."""

    prices: int = 0
    sizes: int = 0
    trade: int = 0
    words: int = 0
    sentences: int = 0


def find_adverts(texts: Sequence[str], silent: set[int]) -> set[int]:
    """The paragraphs of advertisements that reach from the end of the book to the end of the text.

    ``silent`` are the paragraphs that are not read for another reason. What stands between the end and the first sign of an
    advertisement is kept, and so is everything up to the end of the last chapter, epilogue or appendix.
    """
    texts = [text.replace("_", "") for text in texts]
    own = [n for n in range(len(texts)) if n not in silent]
    ends = [
        n
        for n, behind in pairwise([*own, -1])
        if (_END.fullmatch(texts[n]) and not (behind > n and _is_chapter(texts[n], texts[behind])))
        or _INDEX.fullmatch(texts[n].split("\n")[0])
    ]
    ends = ends[-_MOST_ENDS:]
    counts = {n: _counts_of(texts[n]) for n in own if ends and n > ends[0]}
    found = (_behind(texts, end, {n: own for n, own in counts.items() if n > end}) for end in ends)
    return next(filter(None, found), set())


def _behind(texts: Sequence[str], end: int, counts: dict[int, _Counts]) -> set[int]:
    """The advertisements among the paragraphs that are counted, behind the line or the index that ends a book."""
    last = max((n for n in counts if kind_of(texts[n]) in _TEXT), default=-1)
    has_text = last > end or bool(_INDEX.fullmatch(texts[end].split("\n")[0]))
    left = [n for n in counts if n > last]
    sums = [_Counts()]  # of the paragraphs from each one on
    for number in reversed(left):
        sums.append(_Counts(*map(sum, zip(sums[-1], counts[number], strict=True))))
    sums.reverse()
    words = sum(count_words(text) for text in texts[:end])
    begin = 0  # the first of the lines in capital letters right above, such as a name or a title
    for place, number in enumerate(left):
        if has_text or not (place and _is_in_capitals(texts[left[place - 1]])):
            begin = place
        is_title = _is_title(texts[number])
        own = counts[number]
        if not is_title and (has_text or not (own.prices or own.sizes or own.trade)):
            continue
        of_trade = is_title and bool(_OF_TRADE.search(texts[number].split("\n")[0]))
        if _are_adverts(sums[begin], is_titled=is_title, of_trade=of_trade) and sums[begin].words < words:
            return set(left[begin:])
        if not is_title:
            break
    return set()


def _is_chapter(title: str, behind: str) -> bool:
    """Whether a line such as "The End of the Affair" is the title of a chapter: prose stands right below it."""
    of = _OF.match(title)
    return of is not None and (bool(of["the"]) or not title.isupper()) and _is_sentence(behind)


def _is_title(text: str) -> bool:
    line = text.split("\n")[0]
    is_named = line.isupper() and bool(_NAMED.fullmatch(line))
    return (
        len(line) <= _LONGEST_TITLE
        and (is_named or bool(_TITLE.fullmatch(line)))
        and not ENDS_SENTENCE.search(line.rstrip(".:"))
    )


def _counts_of(text: str) -> _Counts:
    prices, sizes, trade = (sum(1 for _ in pattern.finditer(text)) for pattern in (_PRICE, _SIZE, _TRADE))
    return _Counts(prices, sizes, trade, count_words(text), _is_sentence(text))


def _is_in_capitals(text: str) -> bool:
    return text.isupper() and len(text) <= _LONGEST_TITLE


def _is_sentence(text: str) -> bool:
    """Whether a paragraph is a sentence, and no title of a book."""
    return count_words(text) >= _LEAST_SENTENCE and bool(ENDS_SENTENCE.search(text)) and not text.isupper()


def _are_adverts(own: _Counts, *, is_titled: bool, of_trade: bool) -> bool:
    signs = own.prices + own.sizes + own.trade
    if is_titled and (signs or of_trade) and not own.sentences and own.words <= _MOST_LISTED:
        return True
    is_dense = own.words <= _WORDS_A_SIGN * signs
    is_sure = own.prices + own.sizes >= _FEWEST_SIGNS and own.sizes + own.trade >= _FEWEST_OF_BOOKS
    return is_dense and (is_sure or (is_titled and own.prices + own.sizes >= _FEWEST_TITLED))
