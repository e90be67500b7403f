"""Reads a text file into chapters: encoding, header and footer, contents, headings, verse, notes."""

import re
from itertools import pairwise
from pathlib import Path

from triforce_tts.errors import TextError
from triforce_tts.files import read_file
from triforce_tts.text.phonemes import Lexicon

from .chapters import About, ChapterBook, ReadOptions, Reason, count_words, letters, require_words
from .division import Mark, assemble, heading_marks
from .draft import Draft, DraftBlock
from .encodings import decode_book
from .gutenberg import body_of
from .plain_lines import LineJoiner, Paragraph
from .sign_notes import sign_notes, split_marks

MOST_BYTES = 50_000_000  # the largest text file, in bytes; the longest books have a tenth of that
_NUMBER = r"(?:\d{1,4}|[IVXLCDM]{1,9}|[ivxlcdm]{1,9}|(?:the\s+)?(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine|first|second|third))?)"
_PART = re.compile(rf"(?:BOOK|PART|VOLUME|VOL\.)\s+(?:THE\s+)?{_NUMBER}\b(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_CHAPTER = re.compile(
    rf"(?:(?:CHAPTER|CHAP\.|ACT|STAVE|CANTO|LETTER|SECTION|STORY|ADVENTURE|FIT|LECTURE|EPISODE)\s+{_NUMBER}(?![\w'’])(?P<rest>.*)"
    r"|(?:PROLOGUE|EPILOGUE|PREFACE|INTRODUCTION|FOREWORD|AFTERWORD|DEDICATION|APPENDIX|CONCLUSION|POSTSCRIPT|INTERLUDE)(?P<named>[.:]?(?:\s+[A-Z].*)?))",
    re.IGNORECASE | re.DOTALL,
)
_SCENE = re.compile(rf"SCENE\s+{_NUMBER}\b.*", re.IGNORECASE | re.DOTALL)
_ROMAN = re.compile(r"(?P<number>[IVXLC]{1,7})(?P<rest>\.?|[.:—–-]+\s+\S.*)", re.DOTALL)
_HASHES = re.compile(r"(#{1,6})\s+\S.*")
_CONTENTS = re.compile(r"\s*(?:TABLE OF )?(?:CONTENTS|ILLUSTRATIONS|LIST OF ILLUSTRATIONS)[.:]?\s*", re.IGNORECASE)
_PICTURE = re.compile(r"\[Illustration\b.*\]", re.IGNORECASE | re.DOTALL)
_NOTE = re.compile(r"\[(?:Footnote|Note)\s+(\w{1,4})\s*:.*|\[(\d{1,3}|[A-Z]|\*+)\]\s+\S.*", re.DOTALL)
_SPEECH = re.compile(r"[\"“‘'’(]")
_LONGEST_HEADING = 120  # characters
_MOST_FRONT = 120  # the most words before the first heading that count as a title page
_FRONT = re.compile(r"(?:PREFACE|INTRODUCTION|FOREWORD|DEDICATION)\b", re.IGNORECASE)
_UNDERLINED = re.compile(r"(?<![^\W_])_(?=\S)([^_]*?)_(?![^\W_])")
_FIELD = re.compile(r"\s*(Title|Author|Language):\s*(\S.*?)\s*")
_LEVELS = {"part": 1, "chapter": 2, "roman": 3, "scene": 4}
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def read_plain(path: Path, options: ReadOptions) -> ChapterBook:
    """The chapters of a text file.

    Raises:
        TextError: the file cannot be read, is larger than any book, is no text, or has no words.
    """
    text = decode_book(read_file(path, MOST_BYTES), str(path))
    require_words(text, str(path))
    return _PlainReader(text, path, options).read()


class _PlainReader:
    def __init__(self, text: str, path: Path, options: ReadOptions) -> None:
        self._text, self._path, self._options = text, path, options
        self._lines = re.split(r"[\n\f\v]", text)
        self._draft = Draft(with_pauses=True)
        self._draft.where = path.name
        self._pattern = _compiled(options.chapter_pattern)
        self._labels: set[str] = set()
        self._has_signs = False  # whether asterisks or daggers mark notes

    def read(self) -> ChapterBook:
        begin, end = body_of(self._lines)
        self._skip_lines(0, begin, "Gutenberg header")
        joiner = LineJoiner(self._lines[:end], Lexicon())
        paragraphs = joiner.paragraphs(begin, end)
        self._labels = {match[1] or match[2] for p in paragraphs if (match := _NOTE.fullmatch(self._of(p)))}
        noted = (
            sign_notes([self._of(paragraph) for paragraph in paragraphs]) if self._options.notes == "skip" else set()
        )
        self._has_signs = bool(noted)
        levels = self._levels(paragraphs)
        listed = self._contents(paragraphs)
        after_heading = False
        for number, paragraph in enumerate(paragraphs):
            self._draft.close()
            if number in listed:
                self._skip_lines(paragraph.first, paragraph.last, "navigation")
                continue
            if number in noted:
                self._draft.skip(self._of(paragraph), "note")
                continue
            level = levels.get(number)
            if level is None and after_heading and self._is_subtitle(paragraphs, number, levels):
                self._draft.blocks[-1].texts.append("\u2028")
                self._say_more(self._draft.blocks[-1], joiner.texts(paragraph))
                after_heading = False
                continue
            self._read(paragraph, joiner.texts(paragraph), level)
            after_heading = level is not None and _is_number_only(self._of(paragraph))
        self._skip_lines(end, len(self._lines), "Gutenberg footer")
        about = self._about(begin)
        marks = heading_marks(self._draft)
        self._skip_title_page(marks, about)
        marks = [Mark(m.start, m.title, m.level, m.is_part, bool(_FRONT.match(m.title))) for m in marks]
        return assemble(self._draft, marks, self._options, about, self._text, str(self._path))

    def _of(self, paragraph: Paragraph) -> str:
        return "\n".join(line.strip() for line in self._lines[paragraph.first : paragraph.last])

    def _skip_lines(self, first: int, last: int, reason: Reason) -> None:
        self._draft.close()
        self._draft.skip("\n".join(self._lines[first:last]), reason)

    def _read(self, paragraph: Paragraph, texts: list[str], level: int | None) -> None:
        text = self._of(paragraph)
        note = _NOTE.fullmatch(text)
        if paragraph.is_break and level is None:
            self._draft.rule()
        elif level is not None:
            block = self._draft.open("heading", level=level)
            block.keeps_lines = True
            lines = [line.strip() for line in text.split("\n")]
            lines[0] = lines[0].lstrip("# ") if _HASHES.fullmatch(lines[0]) else lines[0]
            self._say_more(block, [lines[0], *(f"\u2028{line}" for line in lines[1:])])
        elif _PICTURE.fullmatch(text) and not self._options.pictures:
            self._draft.skip(text, "description of a picture")
        elif note and self._options.notes == "skip":
            self._draft.skip(text, "note")
        else:
            block = self._draft.open("verse" if paragraph.is_verse else "paragraph")
            block.keeps_lines = paragraph.is_verse
            block.note = (note[1] or note[2]) if note else ""
            self._say_more(block, texts)

    def _say_more(self, block: DraftBlock, texts: list[str]) -> None:
        """Append lines to a block; skip marks of notes that the book has."""
        self._draft.reopen(block)
        joined = _without_underlines(texts)
        for text in joined:
            at = 0
            for mark in re.finditer(r"\s*\[(\w{1,4}|\*+)\]", text) if self._labels and not block.note else ():
                if mark[1] in self._labels:
                    self._say_unmarked(text[at : mark.start()])
                    self._draft.skip(mark[0], "mark of a note")
                    block.marks.append(mark[1])
                    at = mark.end()
            self._say_unmarked(text[at:])

    def _say_unmarked(self, text: str) -> None:
        """Put ``text`` into the block without the signs that are marks of notes."""
        for place, part in enumerate(split_marks(text) if self._has_signs else [text]):
            if place % 2:
                self._draft.skip(part, "mark of a note")
            else:
                self._draft.say(part)

    # --- headings ---

    def _levels(self, paragraphs: list[Paragraph]) -> dict[int, int]:
        """The paragraphs that are headings, with their levels."""
        levels: dict[int, int] = {}
        romans: list[tuple[int, int]] = []
        for number, paragraph in enumerate(paragraphs):
            text = self._of(paragraph)
            if self._pattern is not None:
                if self._pattern.search(text.split("\n")[0]):
                    levels[number] = _LEVELS["chapter"]
                continue
            if len(text) > _LONGEST_HEADING or text.count("\n") > 2:
                continue
            if _HASHES.fullmatch(text):
                inner = _ROMAN.fullmatch(text.lstrip("# "))
                levels[number] = 5 + (len(text) - len(text.lstrip("#"))) + bool(inner)
            elif (kind := _kind_of(text)) is not None:
                levels[number] = _LEVELS[kind]
            elif match := _ROMAN.fullmatch(text):
                romans.append((number, _value(match["number"])))
        if self._pattern is None and _count_up([value for _, value in romans]):
            levels |= {number: _LEVELS["roman"] for number, _ in romans}
        return levels

    def _is_subtitle(self, paragraphs: list[Paragraph], number: int, levels: dict[int, int]) -> bool:
        """Whether a short line behind a heading that is a number alone is the chapter's title."""
        text = self._of(paragraphs[number])
        follows = number + 1 < len(paragraphs) and number + 1 not in levels
        is_short = len(text) <= 70 and text.count("\n") < 2 and not paragraphs[number].is_break
        is_title = text[:1].isupper() and text[-1:] not in '.,;:!"”’—-' and not _SPEECH.match(text)
        longer = follows and len(self._of(paragraphs[number + 1])) > len(text)
        return is_short and is_title and (longer or text.isupper())

    def _contents(self, paragraphs: list[Paragraph]) -> set[int]:
        """The paragraphs of a table of contents: from its title to the second occurrence of its first line."""
        listed: set[int] = set()
        for number, paragraph in enumerate(paragraphs):
            lines = self._of(paragraph).split("\n")
            if number in listed or not _CONTENTS.fullmatch(lines[0]):
                continue
            entries = [line for line in lines[1:] if letters(line)]
            if not entries and number + 1 < len(paragraphs):
                entries = self._of(paragraphs[number + 1]).split("\n")
            again = self._again(paragraphs, number + 1, _entry(entries[0])) if entries else None
            if again is None:
                again = number + (1 if len(lines) > 1 else 2)
            listed |= set(range(number, again))
        return listed

    def _again(self, paragraphs: list[Paragraph], first: int, entry: str) -> int | None:
        """The paragraph behind the contents that begins as ``entry`` does."""
        matches = 0 if first and entry not in letters(self._of(paragraphs[first - 1])) else 1
        for number in range(first, min(len(paragraphs), first + 400)):
            line = letters(self._of(paragraphs[number]).split("\n")[0])
            if line and (line == entry or (len(line) > 5 and entry.startswith(line))):
                matches += 1
                if matches > 1:
                    return number
        return None

    # --- what stands around ---

    def _about(self, begin: int) -> About:
        match = {m[1]: m[2] for line in self._lines[:begin] if (m := _FIELD.fullmatch(line))}
        language = {"english": "en"}.get(match.get("Language", "").lower(), "")
        return About(match.get("Title", self._path.stem), match.get("Author", ""), language)

    def _skip_title_page(self, marks: list[Mark], about: About) -> None:
        """The few words before the first heading are a title page if they hold the book's title."""
        if not marks:
            return
        own = self._draft.blocks[: marks[0].start]
        text = letters(" ".join(block.text for block in own))
        is_named = letters(about.title) in text or (bool(about.author) and letters(about.author) in text)
        if sum(count_words(block.text) for block in own) <= _MOST_FRONT and is_named:
            for block in own:
                self._draft.withdraw(block, "front matter")


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern) if pattern else None
    except re.error as error:
        raise TextError(
            f"the pattern for chapters {pattern!r} is no regular expression ({error}); give one such as '^CHAPTER'"
        ) from error


def _kind_of(text: str) -> str | None:
    for kind, pattern in (("part", _PART), ("chapter", _CHAPTER), ("scene", _SCENE)):
        match = pattern.fullmatch(text)
        if match is None:
            continue
        rest = (match.groupdict().get("rest") or "").strip()
        # "Chapter three of this book was" is a sentence: a title begins with a capital letter or behind a sign.
        sentence = bool(rest) and (rest[0].islower() or (rest[0] == "," and rest[1:].strip()[:1].islower()))
        if not sentence and not (text[0].islower() or (kind != "scene" and rest[-1:] in (",", ";"))):
            return kind
    return None


def _is_number_only(text: str) -> bool:
    match = _CHAPTER.fullmatch(text) or _PART.fullmatch(text)
    if match is not None:
        return not letters(match.groupdict().get("rest") or "") and not letters(match.groupdict().get("named") or "")
    roman = _ROMAN.fullmatch(text)
    return roman is not None and not letters(roman["rest"])


def _value(roman: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in roman]
    return sum(-v if v < n else v for v, n in zip(values, [*values[1:], 0], strict=True))


def _count_up(values: list[int]) -> bool:
    """Whether roman numbers begin with one and mostly count up, so that they are headings and not the word "I"."""
    steps = sum(b in (a + 1, 1) for a, b in pairwise(values))
    return len(values) > 1 and values[0] == 1 and values.count(2) > 0 and steps >= 0.6 * (len(values) - 1)


def _entry(line: str) -> str:
    """A line of a table of contents without its page number."""
    return letters(re.sub(r"[\s.]+\d+\s*$", "", line))


def _without_underlines(texts: list[str]) -> list[str]:
    """Lines without the underscores that mark italics, which may begin on one line and end on another."""
    joined = "\x1f".join(texts)
    return _UNDERLINED.sub(lambda match: match[1], joined).split("\x1f") if "_" in joined else texts
