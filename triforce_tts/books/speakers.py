"""The speakers of a play that does not mark them: names in capitals that begin its paragraphs, such as "JACK. Come in."."""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from triforce_tts.books.chapters import Block, ChapterBook, Reading, Skipped, account, letters

PROSE = ("paragraph", "list", "verse", "note")  # the kinds of blocks in which somebody can speak
_OPENING = re.compile(
    r"(?P<name>(?:(?:Mr|Mrs|Dr|St|Prof|MR|MRS|DR|ST|PROF)\. )?[A-ZÀ-ÖØ-Þ](?:[\w’' -]|\.(?= ?\w)){0,38}?\w)(?:[.:]|(?= ?[\[(]))\s*(?=\S)"
)
# A name in capitals that begins fewer paragraphs than this is not taken for a speaker.
_LEAST_OPENINGS = 2


def name_key(name: str) -> str:
    """A name in the form in which names are compared: without case, article and the marks around it."""
    words = " ".join(name.replace("’", "'").split()).strip(" .,:;").casefold()
    return words.removeprefix("the ")


def opening_names(book: ChapterBook) -> frozenset[str]:
    """The names in capitals that begin speeches in this book, by ``name_key``."""
    blocks = [
        block for chapter in book.chapters for block in chapter.blocks if block.kind in PROSE and not block.speaker
    ]
    found = (match["name"] for block in blocks if (match := _OPENING.match(block.text)))
    begun = Counter(name_key(name) for name in found if name.isupper())
    for chapter in book.chapters:
        first = next((block for block in chapter.blocks if block.kind in PROSE), None)
        match = find_opening(first, begun.keys()) if first else None
        if first and match and not first.text[: match.end("name")].isupper():
            begun[name_key(match["name"])] += 1
    return frozenset(key for key, count in begun.items() if count >= _LEAST_OPENINGS)


def find_opening(block: Block, names: Collection[str]) -> re.Match[str] | None:
    """One of ``names`` at the start of a block; the reader has taken the capitals from the first words of a chapter."""
    if block.kind not in PROSE or block.speaker:
        return None
    upper = block.text.upper()
    for text in (block.text, upper if len(upper) == len(block.text) else ""):
        if (match := _OPENING.match(text)) and name_key(match["name"]) in names:
            return match
    return None


def drop_names(book: ChapterBook) -> ChapterBook:
    """``book`` without the names that begin its speeches; they are listed as skipped, and the speeches keep their speakers.

    Raises:
        TextError: the words are no longer accounted for.
    """
    names = opening_names(book)
    if not names:
        return book
    dropping = _Dropping(book, names)
    chapters = tuple(
        replace(chapter, blocks=tuple(dropping.block(block) for block in chapter.blocks)) for chapter in book.chapters
    )
    done = replace(book, chapters=chapters, skipped=(*book.skipped, *dropping.skipped), pieces=tuple(book.pieces))
    done = dropping.numbered(done)
    account(done)
    return done


class _Dropping:
    """Takes the names off the blocks of a book. A piece that holds a name and words of its speech becomes two pieces."""

    def __init__(self, book: ChapterBook, names: frozenset[str]) -> None:
        self._pieces, self._names = book.pieces, names
        self._cuts: dict[int, int] = {}  # where the pieces are divided
        self.skipped: list[Skipped] = []

    def block(self, block: Block) -> Block:
        """The block without its name. Its pieces, and those of ``skipped``, are still numbered as in the source."""
        match = find_opening(block, self._names)
        if match is None:
            return block
        cut = match.end()
        count = self._count(block.pieces, letters(block.text[:cut]))
        first = max(0, count - (count > 0 and block.pieces[count - 1] in self._cuts))
        self.skipped.append(Skipped(block.text[:cut].strip(), "name of a speaker", pieces=block.pieces[:count]))
        readings = [Reading(r.begin - cut, r.end - cut, r.phones) for r in block.readings if r.begin >= cut]
        pauses = [pause._replace(at=max(0, pause.at - cut)) for pause in block.pauses]
        return replace(
            block, text=block.text[cut:], pieces=block.pieces[first:], speaker=match["name"],
            readings=tuple(readings), pauses=tuple(pauses),
        )  # fmt: skip

    def _count(self, pieces: tuple[int, ...], name: str) -> int:
        """How many pieces hold the letters of ``name``; the last of them is divided if it holds more."""
        left = name
        for count, number in enumerate(pieces, 1):
            piece = self._pieces[number]
            if not left.startswith(letters(piece)):
                self._cuts[number] = next(at for at in range(len(piece)) if letters(piece[:at]) == left)
                return count
            left = left.removeprefix(letters(piece))
            if not left:
                return count
        return len(pieces)

    def numbered(self, book: ChapterBook) -> ChapterBook:
        """``book`` with the divided pieces, numbered anew."""
        pieces: list[str] = []
        parts: list[tuple[int, ...]] = []  # the new numbers of each piece
        for number, piece in enumerate(self._pieces):
            cut = self._cuts.get(number)
            new = [piece] if cut is None else [piece[:cut], piece[cut:]]
            parts.append(tuple(range(len(pieces), len(pieces) + len(new))))
            pieces += new
        names = {id(part) for part in self.skipped}

        def of_block(numbers: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(parts[number][-1] for number in numbers)

        chapters = tuple(
            replace(chapter, blocks=tuple(replace(block, pieces=of_block(block.pieces)) for block in chapter.blocks))
            for chapter in book.chapters
        )
        skipped = tuple(
            replace(
                part,
                pieces=tuple(parts[number][0] for number in part.pieces)
                if id(part) in names
                else of_block(part.pieces),
            )
            for part in book.skipped
        )
        return replace(book, chapters=chapters, skipped=skipped, pieces=tuple(pieces))
