"""The pronunciations in an epub: lexicons that its pages link (PLS), and phones at a word (``ssml:ph``).

Both are English only in part and often hand-made, so unusable ones are left out
and reported; the word is then read as any other.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from triforce_tts.errors import TextError
from triforce_tts.text.phonemes import MAX_LEXICON_BYTES, Lexicon
from triforce_tts.text.pls import phones_of, read_pls
from triforce_tts.wording import counted

from .chapters import Block, Chapter, ChapterBook, Reading
from .epub import EpubFiles, resolve

_SSML = "{http://www.w3.org/2001/10/synthesis}"
# The most phones of one reading; a line cannot be divided inside a reading.
_MOST_PHONES = 60
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_WITHIN = re.compile(r"[\s.-]{1,3}")  # the signs between the words of a spelling
_POSSESSIVE = re.compile(r"['’]s$")
_SHOWN = 160  # a remark quotes at most so many characters of a fault
_NAMED = 5  # remarks name at most so many lexicons


def phones_at(element: Any) -> str | None:
    """The phones that ``ssml:ph`` gives an element; none without this attribute.

    Raises:
        TextError: the phones cannot be converted; the message quotes them.
    """
    written = _attribute(element, "ph")
    if not written or not written.strip():
        return None
    around = (_attribute(one, "alphabet") for one in (element, *element.iterancestors()))
    alphabet = next((name for name in around if name), "ipa")
    phones = phones_of(written, alphabet)
    if len(phones) > _MOST_PHONES:
        raise TextError(f"'{written[:30]}' has {len(phones)} sounds, expected at most {_MOST_PHONES}")
    return " ".join(phones)


def _attribute(element: Any, name: str) -> str | None:
    value: str | None = element.get(f"{_SSML}{name}") or element.get(f"ssml:{name}")
    return value


class BookLexicon:
    """Words of a book with their phones, in the spelling of its lexicons."""

    def __init__(self) -> None:
        self._exact: dict[tuple[str, ...], str] = {}
        # Spellings in small letters, if they are not all capitals.
        self._folded: dict[tuple[str, ...], str] = {}
        self._longest = 0

    def add(self, spelling: str, phones: Sequence[str]) -> None:
        """Add a word, or a name of several words; the first of equal spellings counts.

        Raises:
            TextError: there is no word in the spelling, it has too many sounds, or it has another pronunciation already.
        """
        words = tuple(_plain(match[0]) for match in _TOKEN.finditer(unicodedata.normalize("NFC", spelling)))
        if not words or len(phones) > _MOST_PHONES:
            raise TextError(f"'{spelling[:40]}' with {len(phones)} sounds is no word that can be looked up")
        sound = " ".join(phones)
        if self._exact.setdefault(words, sound) != sound:
            raise TextError(f"'{spelling[:40]}' has another pronunciation before, which is spoken")
        if not all(word.isupper() and len(word) > 1 for word in words):
            self._folded.setdefault(tuple(word.lower() for word in words), sound)
        self._longest = max(self._longest, len(words))

    def readings(self, text: str) -> list[Reading]:
        """Where a text holds words of the lexicon: as these are spelled, with a capital, in capitals, or with 's."""
        tokens = list(_TOKEN.finditer(text)) if self._longest else []
        readings: list[Reading] = []
        at = 0
        while at < len(tokens):
            count, reading = self._longest_at(text, tokens[at : at + self._longest])
            if reading is not None:
                readings.append(reading)
            at += count
        return readings

    def _longest_at(self, text: str, tokens: Sequence[re.Match[str]]) -> tuple[int, Reading | None]:
        """The longest spelling with which ``tokens`` begin, and the number of its words."""
        for count in range(len(tokens), 0, -1):
            own = tokens[:count]
            gaps = [text[a.end() : b.start()] for a, b in pairwise(own)]
            if all(_WITHIN.fullmatch(gap) for gap in gaps):
                for last in (own[-1][0], _POSSESSIVE.sub("", own[-1][0])):
                    words = tuple(_plain(word) for word in (*(match[0] for match in own[:-1]), last))
                    if phones := self._phones(words):
                        return count, Reading(own[0].start(), own[-1].start() + len(last), phones)
        return 1, None

    def _phones(self, words: tuple[str, ...]) -> str | None:
        if words in self._exact:
            return self._exact[words]
        has_capital = words[0][:1].isupper()
        return self._folded.get(tuple(word.lower() for word in words)) if has_capital else None


def _plain(word: str) -> str:
    return word.replace("’", "'")


def read_lexicons(files: EpubFiles, pages: Iterable[tuple[str, Any]]) -> tuple[BookLexicon, list[str], list[str]]:
    """The words of all English lexicons that pages of an epub link, what is wrong with entries, and with whole lexicons.

    Args:
        files: the files of the epub.
        pages: the names and the roots of the pages.
    """
    lexicon, faults, left_out = BookLexicon(), list[str](), list[str]()
    names = dict.fromkeys(name for page, root in pages for name in _linked(page, root))
    for name in names:
        try:
            content = files.content(name)
            if content is None or len(content) > MAX_LEXICON_BYTES:
                raise TextError(
                    f"{name}: {'it is not in the book' if content is None else 'it is larger than any lexicon'}"
                )
            for spelling, phones, place in read_pls(content, Path(name), Lexicon().lookup, faults):
                try:
                    lexicon.add(spelling, phones)
                except TextError as error:
                    faults.append(f"{place}: {error}")
        except TextError as error:
            left_out.append(str(error))
    return lexicon, faults, left_out


def _linked(page: str, root: Any) -> Iterable[str]:
    for link in root.iter("{*}link"):
        is_lexicon = "pronunciation" in link.get("rel", "").lower().split()
        is_english = link.get("hreflang", "en").lower().startswith("en")
        if is_lexicon and is_english and link.get("href"):
            yield resolve(page, link.get("href"))[0]


def with_readings(
    book: ChapterBook, lexicon: BookLexicon, faults: Sequence[str], left_out: Sequence[str]
) -> ChapterBook:
    """``book`` with the readings of its lexicons beside those that its pages hold, and remarks on both.

    Args:
        book: the book with the readings of its pages.
        lexicon: the words of the book's lexicons.
        faults: the faults of single pronunciations.
        left_out: the faults of lexicons of which nothing is used.
    """
    chapters = tuple(_chapter(chapter, lexicon) for chapter in book.chapters)
    count = sum(len(block.readings) for chapter in chapters for block in chapter.blocks)
    remarks = list(book.remarks)
    if count:
        remarks.append(
            f"The book gives the pronunciation of {counted(count, 'word')}, spoken so; --no-book-phones reads them as in any book."
        )
    if faults:
        remarks.append(
            f"{counted(len(faults), 'pronunciation')} of the book cannot be used; the first: {faults[0][:_SHOWN]}."
        )
    remarks += [f"A lexicon of the book is left out: {fault}." for fault in left_out[:_NAMED]]
    if more := left_out[_NAMED:]:
        remarks.append(f"{counted(len(more), 'more lexicon')} of the book cannot be used either.")
    return replace(book, chapters=chapters, remarks=tuple(remarks))


def _chapter(chapter: Chapter, lexicon: BookLexicon) -> Chapter:
    return replace(chapter, blocks=tuple(_block(block, lexicon) for block in chapter.blocks))


def _block(block: Block, lexicon: BookLexicon) -> Block:
    """``block`` with the readings of the lexicon; a reading in the page itself comes first."""
    listed = lexicon.readings(block.text)
    own = block.readings
    free = [one for one in listed if all(one.end <= other.begin or one.begin >= other.end for other in own)]
    return replace(block, readings=tuple(sorted((*own, *free)))) if free else block
