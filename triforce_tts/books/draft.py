"""The draft of a book while it is read: the pieces of its source, and the blocks and skipped runs that they make up."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from triforce_tts.text.pauses import pause_marks

from .chapters import Block, Kind, Pause, Reading, Reason, Skipped, has_letters, letters

LINE_END = "\u2028"  # this character in a draft is the end of a printed line, where it may matter
_INVISIBLE = re.compile("[\u00ad\u2060\u200b\ufeff]")  # these characters allow or forbid the end of a line
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_LIGATURE = re.compile("[ﬀ-ﬆ]")
_ORNAMENTS = re.compile(r"[\s*#~·•◆◇❦❧☙⁂∗✻✽❖§=_.…\-–—―─]+")
# The same with letters: "-o0o-", "oOo", "xXx".
_LETTER_ROW = re.compile(
    r"(?P<left>[-~=*_.•·\s]*)(?P<row>[oO0xX](?:[-~.*\s]{0,3}[oO0xX]){0,14})(?P<right>[-~=*_.•·\s]*)"
)
_ENDS_LINE = re.compile(r"[.,;:!?…—–-][\"'”’)\]]*$")
# An address ends before a dash, dots, the 's of a word, or the marks that close a sentence.
_ADDRESS = re.compile(
    r"(?:\b[a-z]{2,9}://|(?<![\w@.-])www\.(?=[^\s.]+\.))"
    r"(?:(?!\.\.|['’]s\b)[^\s<>\"“”—–…])*(?<![\s<>\"“”.,;:!?)\]’'])",
    re.IGNORECASE,
)
_MOST_JOINED = 500  # at most so many neighbouring pieces are listed as one
_LEAST_ROW = 3  # the letters of a row that stands between no signs
_LONGEST_BREAK = 80  # the most characters of a break between scenes


@dataclass
class DraftBlock:
    """A block that is being read: the numbers of its pieces, and whether it belongs to a note."""

    kind: Kind
    marker: str = ""
    level: int = 0
    note: str = ""
    texts: list[str] = field(default_factory=list)
    pieces: list[int] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)  # the notes that it refers to
    keeps_lines: bool = False
    speaker: str = ""
    where: str = ""  # the document that it stands in
    is_front: bool = False  # whether its type says that it stands before the main text
    linked: int = 0  # the number of its letters that stand in links to places in the book
    directions: list[str] = field(default_factory=list)
    # Places are counted by ``letters``. Such places stay valid when a text is cleaned or changed to small letters.
    readings: list[Reading] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    _counted: tuple[int, int] = (0, 0)  # the number of texts that have been counted, and the sum of their letters

    @property
    def letter_count(self) -> int:
        """The number of letters so far."""
        texts, count = self._counted
        count += sum(len(letters(text)) for text in self.texts[texts:])
        self._counted = (len(self.texts), count)
        return count

    def take_over(self, other: "DraftBlock") -> None:
        """Append the text of ``other``, which is empty afterwards."""
        count = self.letter_count
        self.readings += [Reading(r.begin + count, r.end + count, r.phones) for r in other.readings]
        self.pauses += [Pause(p.at + count, p.seconds) for p in other.pauses]
        self.texts += [" ", *other.texts]
        self.pieces += other.pieces
        self.marks += other.marks
        other.texts, other.pieces, other.marks, other.readings, other.pauses = [], [], [], [], []

    @property
    def text(self) -> str:
        """The text so far, as printed."""
        return clean("".join(self.texts), keeps_lines=self.keeps_lines)

    @property
    def is_empty(self) -> bool:
        """Whether nothing in the block can be spoken."""
        return not any(has_letters(text) for text in self.texts)

    @property
    def is_letter_row(self) -> bool:
        """Whether the block is a row of equal letters that divides scenes: in large and small ones, or between signs.

        "XXX" may be a number, "ooo" a sound and "xoxo" kisses, also in italics ("_ooo_") or trailing off ("...ooo...").
        """
        is_short = self.kind in ("paragraph", "verse") and sum(map(len, self.texts)) < _LONGEST_BREAK
        match = _LETTER_ROW.fullmatch("".join(self.texts).strip()) if is_short else None
        row = letters_in(match["row"]) if match else ""
        is_one = len(set(row.lower().replace("0", "o"))) == 1
        is_mixed = len(row) >= _LEAST_ROW and len(set(row)) > 1 and row == row[::-1]
        frame = (match["left"].strip(" ."), match["right"].strip(" .")) if match else ("", "")
        is_framed = all(frame) and frame not in (("*", "*"), ("_", "_")) and set(row) not in ({"X"}, {"0"})
        return is_one and (is_mixed or is_framed)

    @property
    def is_break(self) -> bool:
        """Whether the block is a break between scenes: a rule, or a row of ornaments."""
        text = "".join(self.texts).strip()
        return self.kind == "break" or (0 < len(text) < _LONGEST_BREAK and bool(_ORNAMENTS.fullmatch(text)))


def letters_in(text: str) -> str:
    """The letters and digits of a text as they are written."""
    return "".join(character for character in text if character.isalnum())


class Draft:
    """Pieces in the order of the source, each spoken in a block or skipped for a reason."""

    def __init__(self, *, with_pauses: bool = False) -> None:
        self._with_pauses = with_pauses
        self.pieces: list[str] = []
        self.blocks: list[DraftBlock] = []
        self.skipped: list[Skipped] = []
        self.anchors: dict[tuple[str, str], int] = {}
        self.where = ""
        # Whether a line fits the user's pattern for chapters; None in a format that is not divided by it.
        self.fits_pattern: bool | None = None
        self.in_link = False  # whether the text that comes stands in a link to a place in the book
        self._open: DraftBlock | None = None

    def first_filled(self, start: int) -> int:
        """The number of the first block from this one on that holds a text; that behind the last block if there is none."""
        return next((n for n in range(start, len(self.blocks)) if not self.blocks[n].is_empty), len(self.blocks))

    def say(self, text: str, kind: Kind = "paragraph", *, level: int = 0) -> None:
        """Add spoken text to the open block, or open one of this kind; web addresses and marks of pauses are skipped."""
        block = self.open(kind, level=level)
        at = 0
        for mark in pause_marks(text) if self._with_pauses else ():
            self._say_words(block, text[at : mark.begin])
            block.pauses.append(Pause(block.letter_count, mark.seconds))
            self.skip(text[mark.begin : mark.end], "mark of a pause")
            at = mark.end
        self._say_words(block, text[at:])

    def _say_words(self, block: DraftBlock, text: str) -> None:
        at = 0
        for address in _ADDRESS.finditer(text):
            self._say(block, text[at : address.start()])
            self.skip(address[0], "web address")
            at = address.end()
        self._say(block, text[at:])

    def _say(self, block: DraftBlock, text: str) -> None:
        if text:
            block.texts.append(text)
            block.linked += len(letters(text)) if self.in_link else 0
            block.pieces.append(len(self.pieces))
            self.pieces.append(text)

    def begin_reading(self) -> tuple[int, int]:
        """A place in the text, from which a pronunciation may hold."""
        begun = self._open is not None and not self._open.is_empty
        return len(self.blocks) - (self._open is not None), self._open.letter_count if self._open and begun else 0

    def end_reading(self, place: tuple[int, int], phones: str) -> None:
        """Give the text that was read since ``place`` a pronunciation, if it stands in one block."""
        blocks = [block for block in self.blocks[place[0] :] if not block.is_empty]
        if len(blocks) == 1 and blocks[0].letter_count > place[1]:
            blocks[0].readings.append(Reading(place[1], blocks[0].letter_count, phones))

    def add(self, text: str) -> None:
        """Add characters without letters that the source does not hold, such as quotation marks or the end of a line."""
        if self._open is not None:
            self._open.texts.append(text)

    def skip(self, text: str, reason: Reason) -> None:
        """Add text that is not spoken; the open block goes on behind it."""
        if not has_letters(text):
            return
        number = len(self.pieces)
        self.pieces.append(text)
        last = self.skipped[-1] if self.skipped else None
        is_next = last is not None and last.pieces[-1] == number - 1 and len(last.pieces) < _MOST_JOINED
        if last and is_next and last.reason == reason and last.where == self.where:
            self.skipped[-1] = replace(last, text=f"{last.text} {clean(text)}", pieces=(*last.pieces, number))
        else:
            self.skipped.append(Skipped(clean(text), reason, self.where, (number,)))

    def open(self, kind: Kind, *, level: int = 0) -> DraftBlock:
        """The open block, or a new one of this kind."""
        if self._open is None:
            self._open = DraftBlock(kind, level=level, where=self.where)
            self.blocks.append(self._open)
        return self._open

    def reopen(self, block: DraftBlock) -> None:
        """Go on with a block."""
        self._open = block

    def close(self) -> None:
        """End the open block."""
        self._open = None

    def rule(self) -> None:
        """Add a break between scenes."""
        self.close()
        self.blocks.append(DraftBlock("break"))

    def anchor(self, document: str, name: str) -> None:
        """Remember that the place ``name`` of a document is at the open block if that is empty, else at the next one."""
        begun = self._open is not None and not self._open.is_empty
        at = len(self.blocks) - (1 if self._open is not None and not begun else 0)
        self.anchors.setdefault((document, name), at)

    def before(self) -> str:
        """The end of the open block's text."""
        if self._open is None:
            return ""
        text = ""
        for part in reversed(self._open.texts):
            text = part + text
            if len(text) > 80:
                break
        return text

    def withdraw_rows(self) -> None:
        """Turn the rows of letters that divide scenes into breaks."""
        for block in self.blocks:
            if block.is_letter_row:
                self.withdraw(block, "markup")
                block.kind = "break"

    def withdraw(self, block: DraftBlock, reason: Reason) -> None:
        """Skip a block that was read."""
        texts = [self.pieces[number] for number in block.pieces]
        if any(has_letters(text) for text in texts):
            where = block.where or self.where
            self.skipped.append(Skipped(block.text, reason, where, tuple(block.pieces)))
        block.texts, block.pieces, block.readings, block.pauses = [], [], [], []

    def skipped_in_order(self) -> tuple[Skipped, ...]:
        """The skipped runs, in the order of the source."""
        return tuple(sorted(self.skipped, key=lambda part: part.pieces[0]))


def finished(blocks: Iterable[DraftBlock]) -> tuple[Block, ...]:
    """The blocks of a chapter: those without words are dropped, and breaks stand only between others."""
    done: list[Block] = []
    for draft in blocks:
        if draft.is_empty:
            if (
                draft.pauses
                and (last := next((n for n in reversed(range(len(done))) if done[n].text), None)) is not None
            ):
                asked = [Pause(len(done[last].text), pause.seconds) for pause in draft.pauses]
                done[last] = replace(done[last], pauses=(*done[last].pauses, *asked))
            if draft.is_break and done and done[-1].kind != "break":
                done.append(Block("break", ""))
            continue
        kind: Kind = "note" if draft.note else draft.kind
        directions = tuple(text for text in map(clean, draft.directions) if has_letters(text))
        text, pieces = draft.text, tuple(draft.pieces)
        placed = _placed(text, draft) if draft.readings or draft.pauses else ((), ())
        done.append(Block(kind, text, draft.marker, draft.level, pieces, draft.speaker, directions, *placed))
    while done and done[-1].kind == "break":
        done.pop()
    return tuple(done)


def _placed(text: str, draft: DraftBlock) -> tuple[tuple[Reading, ...], tuple[Pause, ...]]:
    """The pronunciations and pauses of a block by the characters of its text; what divides a word is left out."""
    places = [place for place, character in enumerate(text) for _ in letters(character)]
    readings: list[Reading] = []
    for reading in sorted(draft.readings, key=lambda one: (one.begin, -one.end)):
        begin, end = places[reading.begin], places[reading.end - 1] + 1
        divides = text[begin - 1 : begin].isalnum() or text[end : end + 1].isalnum()
        if not divides and (not readings or begin >= readings[-1].end):
            readings.append(Reading(begin, end, reading.phones))
    return tuple(readings), tuple(Pause(_gap(text, places, pause.at), pause.seconds) for pause in draft.pauses)


def _gap(text: str, places: list[int], letter: int) -> int:
    """The place at which a text is divided before a letter: behind the last white space before it, if there is any."""
    if letter in (0, len(places)):
        return len(text) if letter else 0
    begin, end = places[letter - 1] + 1, places[letter]
    space = max(text.rfind(" ", begin, end), text.rfind("\n", begin, end))
    return space + 1 if space >= 0 else end


def clean(text: str, *, keeps_lines: bool = False) -> str:
    """``text`` as printed: white space becomes one space, and signs that only allow or forbid a line end are removed.

    The end of a line stays if ``keeps_lines``, behind a sign of punctuation, or before a capital letter.
    """
    text = _LIGATURE.sub(lambda match: _LIGATURES[match[0]], _INVISIBLE.sub("", text))
    lines = [" ".join(line.split()) for line in text.split(LINE_END)]
    lines = [line for line in lines if line]
    joined = lines[0] if lines else ""
    for line in lines[1:]:
        ends = keeps_lines or _ENDS_LINE.search(joined) or not line[0].islower()
        joined += ("\n" if ends else " ") + line
    return _composed(joined)


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)
