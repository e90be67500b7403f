"""A book as chapters to be read aloud, and the proof that each word of its source is spoken once or skipped with a reason.

The reader of a format cuts the whole text of its source into pieces, in the order of the source. A piece belongs to one
block of one chapter, or to one entry of what is skipped. ``account`` proves it letter by letter.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from triforce_tts.errors import TextError

Kind = Literal["heading", "paragraph", "verse", "list", "table", "caption", "break", "speaker", "note"]
Reason = Literal[
    "front matter",
    "back matter",
    "note",
    "mark of a note",
    "transcriber's note",
    "hidden",
    "page number",
    "navigation",
    "Gutenberg header",
    "Gutenberg footer",
    "code",
    "comment",
    "description of a picture",
    "drawing",
    "ruby",
    "formula",
    "outside the reading order",
    "outside the article",
    "pull quote",
    "markup",
    "document title",
    "form",
    "name of a speaker",
    "web address",
    "mark of a pause",
]
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
LONGEST_WORD = 10_000  # the most characters in a row without white space
_SHOWN = 60  # a message quotes at most so many characters of a text


@dataclass(frozen=True)
class ReadOptions:
    """The options for what is read of a book.

    Attributes:
        notes: notes are silent, or are read behind the block that refers to them, or at the end of its chapter.
        pictures: whether the descriptions (``alt``) of pictures are read.
        speakers: whether the names of the speakers of a play are read.
        chapter_pattern: a regular expression for the lines of a text file that begin a chapter, instead of the usual ones; a
            book in another format says in a remark that it is not divided by it.
        phones: whether words are spoken with the pronunciations that the book gives them.
    """

    notes: Literal["skip", "inline", "end"] = "skip"
    pictures: bool = False
    speakers: Literal["read", "drop"] = "read"
    chapter_pattern: str | None = None
    phones: bool = True


class Reading(NamedTuple):
    """The pronunciation that a book gives the characters from ``begin`` up to ``end`` of a block's text."""

    begin: int
    end: int
    phones: str  # phones in ARPAbet


class Pause(NamedTuple):
    """A silence that a book asks for before the character ``at`` of a block's text, or behind its last one."""

    at: int
    seconds: float


@dataclass(frozen=True)
class Block:
    """A part of a chapter that is read without a longer pause.

    Attributes:
        kind: what the block is; a ``break`` between scenes has no text.
        text: the words as printed; a line feed is the end of a line of verse, of a letter, or of a cell of a table.
        marker: the number in front of a list's item, which is said, but which the source does not hold as text.
        level: of a heading, from 1.
        pieces: the numbers of the source's pieces that make up the text.
        speaker: who speaks it in a play, as the play names them.
        directions: the parts of the text that are directions for the stage, in order.
        readings: the pronunciations that the book gives to parts of the text, in order and without overlaps.
        pauses: which the book asks for, in order.
    """

    kind: Kind
    text: str
    marker: str = ""
    level: int = 0
    pieces: tuple[int, ...] = ()
    speaker: str = ""
    directions: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    pauses: tuple[Pause, ...] = ()

    @property
    def spoken(self) -> str:
        """The text with its marker."""
        return f"{self.marker} {self.text}" if self.marker else self.text


@dataclass(frozen=True)
class Chapter:
    """A chapter: its title, the titles of the parts that begin with it, and its blocks in order.

    ``front`` says that it stands before the book's main text: a dedication, a preface, a list of persons.
    """

    title: str
    blocks: tuple[Block, ...]
    parts: tuple[str, ...] = ()
    front: bool = False

    @property
    def words(self) -> int:
        """The number of words that are spoken."""
        return sum(count_words(block.spoken) for block in self.blocks)


@dataclass(frozen=True)
class Skipped:
    """A run of the source that is not spoken: its text, the reason, its place, and its pieces."""

    text: str
    reason: Reason
    where: str = ""
    pieces: tuple[int, ...] = ()

    @property
    def words(self) -> int:
        """The number of words that are not spoken."""
        return count_words(self.text)


@dataclass(frozen=True)
class About:
    """The facts that a book states about itself; empty if it states nothing.

    ``cover`` is the name of its picture inside the source, ``date`` is its day, month or year as ISO 8601 has it, and ``number`` is
    its place in the ``series``.
    """

    title: str = ""
    author: str = ""
    language: str = ""
    identifier: str = ""
    cover: str = ""
    date: str = ""
    series: str = ""
    number: str = ""


@dataclass(frozen=True)
class ChapterBook:
    """A book that is ready to be planned.

    Attributes:
        about: what the source says of itself.
        chapters: in reading order; none is empty.
        skipped: what is not spoken, in the order of the source.
        pieces: the whole text of the source, in its order.
        remarks: what was decided that a user may want to know, one sentence each.
    """

    about: About
    chapters: tuple[Chapter, ...]
    skipped: tuple[Skipped, ...]
    pieces: tuple[str, ...] = field(repr=False, default=())
    remarks: tuple[str, ...] = ()

    def blocks(self) -> Iterator[Block]:
        """The blocks of all chapters."""
        return (block for chapter in self.chapters for block in chapter.blocks)


@dataclass(frozen=True)
class Account:
    """The result of the proof: how many words are spoken, and how many skipped for each reason."""

    spoken: int
    skipped: dict[Reason, int]


def count_words(text: str) -> int:
    """The number of words in ``text``."""
    return sum(1 for _ in WORD.finditer(text))


def letters(text: str) -> str:
    """The letters and digits of ``text``, without case, accents and forms: these must not be lost."""
    plain = text.lower() if text.isascii() else unicodedata.normalize("NFKD", text.replace("İ", "I")).casefold()
    return "".join(character for character in plain if character.isalnum())


def require_words(text: str, where: str) -> None:
    """Refuse text that holds a word so long that reading it would take for ever.

    Raises:
        TextError: a run without white space is longer than any in a book.
    """
    longest = max(map(len, text.split()), default=0)
    if longest > LONGEST_WORD:
        raise TextError(
            f"{where}: it holds {longest} characters without a space, expected at most {LONGEST_WORD}; is it a book's text?"
        )


def has_letters(text: str) -> bool:
    """Whether there is anything in ``text`` that could be spoken."""
    return any(character.isalnum() for character in text)


def account(book: ChapterBook) -> Account:
    """Prove that every word of the source is spoken once, in order, or is listed as skipped.

    Notes may stand behind the place that the source gives them; nothing else may move.

    Raises:
        TextError: words were lost, doubled, changed or moved; the message quotes the place.
    """
    owners = [0] * len(book.pieces)
    last = -1
    for block in book.blocks():
        _compare(book, block.text, block.pieces, f"a {block.kind}")
        for number in block.pieces:
            owners[number] += 1
        moved = block.kind == "note"
        if block.pieces and not moved:
            if block.pieces[0] <= last:
                raise TextError(f"the text {block.text[:_SHOWN]!r} is not in the order of the source")
            last = block.pieces[-1]
    for part in book.skipped:
        _compare(book, part.text, part.pieces, "what is skipped")
        for number in part.pieces:
            owners[number] += 1
    for number, count in enumerate(owners):
        if count != 1 and letters(book.pieces[number]):
            happened = "neither spoken nor listed as skipped" if count == 0 else f"used {count} times"
            raise TextError(f"the text {book.pieces[number][:_SHOWN]!r} of the source is {happened}")
    skipped: dict[Reason, int] = {}
    for part in book.skipped:
        skipped[part.reason] = skipped.get(part.reason, 0) + part.words
    return Account(sum(chapter.words for chapter in book.chapters), skipped)


def account_pieces(pieces: tuple[str, ...], source: str, where: str) -> None:
    """Prove that ``pieces`` hold every letter of ``source``, in order.

    Raises:
        TextError: the pieces do not; the message quotes the first place that differs.
    """
    cut, whole = letters("".join(pieces)), letters(source)
    if cut != whole:
        shorter = min(len(cut), len(whole))
        at = next((n for n in range(shorter) if cut[n] != whole[n]), shorter)
        raise TextError(
            f"{where}: the text was not read whole: the source has {whole[at : at + _SHOWN]!r} where "
            f"{cut[at : at + _SHOWN]!r} was read"
        )


def _compare(book: ChapterBook, text: str, pieces: tuple[int, ...], what: str) -> None:
    if list(pieces) != sorted(set(pieces)):
        raise TextError(f"the text {text[:_SHOWN]!r} of {what} is not in the order of the source")
    source = "".join(book.pieces[number] for number in pieces)
    if letters(text) != letters(source):
        raise TextError(f"the text {text[:_SHOWN]!r} of {what} differs from its source {source[:_SHOWN]!r}")
