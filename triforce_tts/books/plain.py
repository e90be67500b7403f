"""Reads a text file into chapters: encoding, header and footer, contents, headings, verse, notes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from triforce_tts.files import read_file
from triforce_tts.text.phonemes import Lexicon

from .chapter_pattern import compiled
from .chapters import About, ChapterBook, ReadOptions, Reason, count_words, letters, require_words
from .division import Mark, assemble, heading_marks, joined_pages, with_title_above
from .download_facts import withdraw_facts
from .draft import LINE_END, Draft, DraftBlock
from .encodings import decode_book
from .gutenberg import body_of, called_in_header
from .heading_finder import HeadingFinder
from .listings import withdraw_indexes, without_withdrawn
from .outside import withdraw_outside
from .plain_adverts import find_adverts
from .plain_contents import find_contents
from .plain_furniture import (
    INNER_TRANSCRIBER,
    PAGE_MARK,
    PICTURE,
    find_page_ends,
    find_page_numbers,
    find_pictures,
    find_transcriber_notes,
)
from .plain_headings import HASHES, bare, heading_lines, is_prose, kind_of
from .plain_lines import LINE_NUMBER, LineJoiner, Paragraph
from .plain_notes import INNER_NOTE, MARK, Notes, find_notes
from .plain_signs import without_signs
from .sign_notes import sign_notes, split_marks
from .title_pages import dedication_of, is_dedication, withdraw_imprints, withdraw_printer

MOST_BYTES = 50_000_000  # the largest text file, in bytes; the longest books have a tenth of that
_MOST_FRONT = 120  # the most words before the first heading that count as a title page
_INTRODUCTION = re.compile(r"(?:PREFACE|INTRODUCTION|FOREWORD|DEDICATION)\b", re.IGNORECASE)
_FIELD = re.compile(r"\s*(Title|Author|Language):\s*(\S.*?)\s*")
_COPYRIGHT = re.compile(r"\W*(?:Copyright|Entered according|All rights|Printed)", re.IGNORECASE)


def _before_sign(pattern: re.Pattern[str]) -> str:
    """A pattern that also takes the white space in front of it, if a sign that ends a part of a sentence follows."""
    return rf"(?i:(?:(?<!\s)\s+(?=(?:{pattern.pattern})[.,;:!?]))?(?:{pattern.pattern}))"


# What may stand inside a paragraph and is not read: pictures, numbers of pages and of lines, and marks of notes.
_INSIDE = re.compile(
    rf"(?P<picture>{PICTURE.pattern})|(?P<page>{_before_sign(PAGE_MARK)})|(?P<note>{_before_sign(INNER_NOTE)})"
    rf"|(?P<typing>{_before_sign(INNER_TRANSCRIBER)})"
    rf"|(?P<tag></?(?i:i|b|u|em|strong|sc|small|sup|sub)>)"
    rf"|{LINE_NUMBER}(?P<line>\d+)|(?P<mark>{MARK.pattern}|\{{\d{{1,4}}\}})"
)
_LINE_JOIN = "\x1f"


def read_plain(path: Path, options: ReadOptions) -> ChapterBook:
    """The chapters of a text file.

    Raises:
        TextError: the file cannot be read, is larger than any book, is no text, or has no words.
    """
    return read_typed(decode_book(read_file(path, MOST_BYTES), str(path)), path, options, About(path.stem))


def read_typed(
    text: str, path: Path, options: ReadOptions, about: About, aside: Sequence[tuple[str, Reason]] = ()
) -> ChapterBook:
    """The chapters of a text that was typed line by line.

    ``about`` is what else is known of the book, and ``aside`` is what its file holds beside the text and is not read.

    Raises:
        TextError: the text has no words.
    """
    require_words(text, str(path))
    return _PlainReader(text, path, options, about).read(aside)


class _PlainReader:
    def __init__(self, text: str, path: Path, options: ReadOptions, about: About) -> None:
        self._text, self._path, self._options, self._stated = text, path, options, about
        parts = re.split(r"([\n\f\v])", text)
        self._lines = parts[::2]
        self._feeds = [line for line, end in enumerate(parts[1::2]) if end == "\f"]  # the lines that end a page
        self._draft = Draft(with_pauses=True)
        self._draft.where = path.name
        self._pattern = compiled(options.chapter_pattern)
        self._levels: dict[int, int] = {}
        self._lowest: int | None = None  # the level of headings below which none begins a chapter
        self._subtitles: set[int] = set()
        self._silent: dict[int, Reason] = {}  # the paragraphs that are not read
        self._notes = Notes()
        self._page_marks: set[tuple[int, str]] = set()
        self._breaks: list[int] = []  # the blocks before which a page ends
        self._has_signs = False  # whether asterisks or daggers mark notes

    def read(self, aside: Sequence[tuple[str, Reason]]) -> ChapterBook:
        for text, reason in aside:
            self._draft.skip(text, reason)
        begin, end = body_of(self._lines)
        self._skip_lines(0, begin, "Gutenberg header")
        self._joiner = joiner = LineJoiner(self._lines[:end], Lexicon())
        paragraphs = self._with_headings_apart(joiner.paragraphs(begin, end))
        self._find(paragraphs)
        for number, paragraph in enumerate(paragraphs):
            self._draft.close()
            if number in self._silent:
                self._skip_paragraph(paragraph, self._silent[number])
            elif number in self._subtitles:
                self._draft.blocks[-1].texts.append(LINE_END)
                self._say_more(self._draft.blocks[-1], joiner.texts(paragraph), number)
            else:
                self._read(number, paragraph, joiner.texts(paragraph))
        self._skip_lines(end, len(self._lines), "Gutenberg footer")
        about = self._about(begin)
        withdraw_printer(self._draft)
        withdraw_imprints(self._draft, [n for n, block in enumerate(self._draft.blocks) if block.kind == "heading"])
        gone = withdraw_indexes(self._draft) | withdraw_facts(self._draft)
        marks = without_withdrawn(self._draft, heading_marks(self._draft, lowest=self._lowest), gone)
        joined_pages(self._draft, self._breaks, {mark.start for mark in marks})
        marks = self._skip_title_page(marks, about)
        marks = without_withdrawn(self._draft, marks, withdraw_outside(self._draft, marks, about))
        marks = with_title_above(self._draft, marks)
        marks = [replace(mark, front=mark.front or bool(_INTRODUCTION.match(mark.title))) for mark in marks]
        source = "".join([*(text for text, _ in aside), self._text])
        return assemble(self._draft, marks, self._options, about, source, str(self._path))

    def _with_headings_apart(self, paragraphs: list[Paragraph]) -> list[Paragraph]:
        """The paragraphs, of which a heading with text right below it is divided."""
        divided: list[Paragraph] = []
        for paragraph in paragraphs:
            is_ended = self._joiner.is_short_line(paragraph.first)
            count = heading_lines([bare(line) for line in self._of(paragraph).split("\n")]) if is_ended else 0
            if not count:
                divided.append(paragraph)
                continue
            behind = paragraph.first + count
            divided += [Paragraph(paragraph.first, behind), *self._joiner.divided(behind, paragraph.last)]
        return divided

    def _find(self, paragraphs: list[Paragraph]) -> None:
        """Find what each paragraph is: a heading, a subtitle, text, or something that is not read."""
        raw = [self._of(paragraph) for paragraph in paragraphs]
        texts = [bare(PAGE_MARK.sub("", text).strip()) for text in raw]
        listed = find_contents(paragraphs, texts)
        adverts = find_adverts(texts, listed.paragraphs)
        ends = find_page_ends(paragraphs, texts, self._feeds) - listed.paragraphs
        finder = HeadingFinder(paragraphs, texts, listed.paragraphs | adverts | ends, listed.entries, self._pattern)
        self._levels, underlines, self._lowest = finder.find()
        self._draft.fits_pattern = bool(self._levels)
        self._subtitles = finder.subtitles()
        self._notes = find_notes(raw, self._levels.__contains__)
        headings = set(self._levels) | self._subtitles | listed.paragraphs
        pages = find_page_numbers(raw, headings | set(self._notes.labels), self._notes.known)
        self._page_marks = pages.marks
        self._silent = dict.fromkeys(pages.paragraphs | ends, "page number")
        if not self._options.pictures:
            has_music = not any(kind_of(texts[n]) == "scene" or texts[n].startswith("ACT") for n in self._levels)
            pictures = find_pictures(raw, headings.__contains__, has_music=has_music)
            self._silent |= dict.fromkeys(pictures, "description of a picture")
        signs = sign_notes(raw, self._notes.labels) if self._options.notes == "skip" else set()
        self._has_signs = bool(signs)
        self._silent |= dict.fromkeys(signs | self._notes.headings, "note")
        if self._options.notes == "skip":
            self._silent |= dict.fromkeys([*self._notes.labels, *self._notes.unmarked], "note")
        transcribers = find_transcriber_notes(paragraphs, texts, headings.__contains__)
        self._silent |= dict.fromkeys(transcribers, "transcriber's note")
        self._silent |= dict.fromkeys(adverts, "back matter")
        self._silent |= dict.fromkeys(underlines, "markup")
        self._silent |= dict.fromkeys(listed.paragraphs, "navigation")

    def _of(self, paragraph: Paragraph) -> str:
        return "\n".join(line.strip() for line in self._lines[paragraph.first : paragraph.last])

    def _skip_lines(self, first: int, last: int, reason: Reason) -> None:
        self._draft.close()
        self._draft.skip("\n".join(self._lines[first:last]), reason)

    def _skip_paragraph(self, paragraph: Paragraph, reason: Reason) -> None:
        self._skip_lines(paragraph.first, paragraph.last, reason)
        self._breaks.append(len(self._draft.blocks))

    def _read(self, number: int, paragraph: Paragraph, texts: list[str]) -> None:
        level = self._levels.get(number)
        if paragraph.is_break and level is None:
            self._draft.rule()
        elif level is not None:
            block = self._draft.open("heading", level=level)
            block.keeps_lines = True
            self._say_more(block, self._heading_lines(paragraph), number)
        else:
            block = self._draft.open("verse" if paragraph.is_verse else "paragraph")
            block.keeps_lines = paragraph.is_verse
            block.note = self._notes.labels.get(number, "")
            self._say_more(block, texts, number)

    def _heading_lines(self, paragraph: Paragraph) -> list[str]:
        """The lines of a heading; those of a long title, which were ended by the width of the page, are joined."""
        lines = [line.strip() for line in bare(self._of(paragraph)).split("\n")]
        lines[0] = lines[0].lstrip("# ") if HASHES.fullmatch(lines[0]) else lines[0]
        ends = [self._joiner.is_short_line(paragraph.first + n) for n in range(len(lines) - 1)]
        return [lines[0], *((LINE_END if end else " ") + line for end, line in zip(ends, lines[1:], strict=True))]

    def _say_more(self, block: DraftBlock, texts: list[str], number: int) -> None:
        """Append lines to a block; skip what is no text inside them."""
        self._draft.reopen(block)
        joined = without_signs(_LINE_JOIN.join(texts))
        at = 0
        for match in _INSIDE.finditer(joined):
            reason = self._reason_of(match, block, number)
            if reason is not None:
                self._say_lines(joined[at : match.start()])
                self._draft.skip(match[0], reason)
                at = match.end()
        self._say_lines(joined[at:])

    def _reason_of(self, match: re.Match[str], block: DraftBlock, number: int) -> Reason | None:
        """The reason why a part of a paragraph is not read, if it is not."""
        if match["picture"]:
            return None if self._options.pictures else "description of a picture"
        if match["note"]:
            return "note" if self._options.notes == "skip" and not block.note else None
        if match["typing"]:
            return "transcriber's note"
        if match["tag"]:
            return "markup"
        if match["page"] or match["line"] or (number, match[0].strip()) in self._page_marks:
            return "page number"
        label = self._notes.label_of(match) if not block.note else None
        if label is None:
            return None
        block.marks.append(label)
        return "mark of a note"

    def _say_lines(self, text: str) -> None:
        """Put lines into the open block without the signs that are marks of notes."""
        for line in text.split(_LINE_JOIN):
            for place, part in enumerate(split_marks(line) if self._has_signs else [line]):
                if place % 2:
                    self._draft.skip(part, "mark of a note")
                else:
                    self._draft.say(part)

    # --- what stands around ---

    def _about(self, begin: int) -> About:
        match = {m[1]: m[2] for line in self._lines[:begin] if (m := _FIELD.fullmatch(line))}
        language = {"english": "en"}.get(match.get("Language", "").lower(), self._stated.language)
        called = called_in_header(self._lines[:begin])
        title = match.get("Title") or called[0] or self._stated.title
        author = match.get("Author") or called[1] or self._stated.author
        return replace(self._stated, title=title, author=author, language=language)

    def _skip_title_page(self, marks: list[Mark], about: About) -> list[Mark]:
        """The few short lines before the first heading or text are a title page if they hold the book's title.

        A dedication and a motto among them are read, as a chapter of their own before the others.
        """
        own: list[DraftBlock] = []
        for block in self._draft.blocks[: marks[0].start if marks else 0]:
            if block.kind == "heading" or _is_text(block):
                break
            own.append(block)
        text = letters(" ".join(block.text for block in own))
        is_named = letters(about.title) in text or (bool(about.author) and letters(about.author) in text)
        if sum(count_words(block.text) for block in own) <= _MOST_FRONT and is_named:
            kept = dedication_of(own, about)
            for block in own:
                if not any(block is one for one in kept):
                    self._draft.withdraw(block, "front matter")
            if kept:
                title = "Dedication" if is_dedication(kept[0].text) else "Epigraph"
                first = next(n for n, block in enumerate(self._draft.blocks) if block is kept[0])
                marks = [Mark(first, title, marks[0].level if marks else 1, front=True), *marks]
        return marks


def _is_text(block: DraftBlock) -> bool:
    """Whether a block is running text and no line of a title page."""
    return is_prose(block.text) and not _COPYRIGHT.match(block.text)
