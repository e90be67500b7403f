"""Reads a Markdown file into chapters. The parser's texts are found again, in order, in the file: the rest is markup."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triforce_tts.errors import TextError
from triforce_tts.files import read_file

from .chapters import About, ChapterBook, Kind, ReadOptions, Reason, has_letters, require_words
from .division import assemble, heading_marks, with_title_above
from .draft import LINE_END, Draft
from .encodings import decode_book
from .html_typed import is_indented_text
from .listings import withdraw_listings, without_withdrawn
from .markdown_about import about_of
from .markdown_dialects import alert, has_bars, scripts, signs_apart, signs_inside
from .markdown_math import add_formulas
from .markdown_notes import INLINE_MASK, inline_notes
from .outside import withdraw_outside
from .paragraph_headings import name_paragraphs
from .plain_headings import is_title_case

MOST_BYTES = 20_000_000  # the largest file, in bytes; the parser takes fifty times as much memory
_FRONT_MATTER = re.compile(
    r"\s*(?:---[ \t]*\n(.*?)\n(?:---|\.\.\.)|\+\+\+[ \t]*\n(.*?)\n\+\+\+)[ \t]*(?:\n|$)", re.DOTALL
)
_YAML_FIELD = re.compile(r"(?:[ \t]*(?:#.*)?\n)*[\"']?[\w-]+[\"']?[ \t]*:")
_NOTE = re.compile(r"^ {0,3}\[\^([^\]\s]+)\]:[ \t]*(.*(?:\n(?:[ \t]+\S.*|[ \t]*(?=\n(?: {4}|\t)\S)))*)", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_MARK = re.compile(rf"\[\^([^\]\s]+)\]|(?P<mask>{INLINE_MASK}+)")
_ATTRIBUTES = re.compile(r"\s*\{[#.:][^}]*\}\s*$")
_CONTENTS = re.compile(r"\s*(?:\[TOC\]|\[\[_?TOC_?\]\]|\$\{toc\})\s*", re.IGNORECASE)
_BOX = re.compile(r"(\[[ xX]\])\s+")  # a box before an item of a list of tasks
_MARKUP = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^>]*>", re.DOTALL | re.IGNORECASE)
# The lines of a title, authors and a date, each behind a sign; or a title alone above an empty line.
_TITLE_LINES = re.compile(r"\s*%[ \t]+(.*)\n(?:%[ \t]*(.*)\n(?:%.*\n)?(?!%)|(?=[ \t]*(?:\n|\Z)))")


@dataclass(frozen=True)
class _Apart:
    """A part of the file that is not given to the parser."""

    first: int
    last: int
    reason: Reason
    label: str = ""
    content: int = 0  # a note reads from here
    behind: int = 0  # and up to here
    is_inline: bool = False  # whether it stands in a line of the text


def read_markdown(path: Path, options: ReadOptions) -> ChapterBook:
    """The chapters of a Markdown file.

    Raises:
        TextError: the file cannot be read, is larger than any book, is no text, or has no words.
    """
    text = decode_book(read_file(path, MOST_BYTES), str(path))
    require_words(text, str(path))
    return _MarkdownReader(text, path, options).read()


class _MarkdownReader:
    def __init__(self, text: str, path: Path, options: ReadOptions) -> None:
        from markdown_it import MarkdownIt

        self._text, self._path, self._options = text, path, options
        self._shown = text  # what the parser sees: blanks stand in the place of what is taken out
        self._draft = Draft(with_pauses=True)
        self._draft.where = path.name
        # The parser's texts must equal those of the file, so entities and escaped signs stay as they are written.
        self._parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("text_join")
        add_formulas(self._parser)
        self._cursor = 0
        self._limit = len(text)
        self._apart: list[_Apart] = []
        self._labels: set[str] = set()
        self._has_inline_notes = False
        self._rewritten: list[
            tuple[int, int, str]
        ] = []  # names of characters, such as &eacute;, and what they stand for
        self._in_table = False

    def read(self) -> ChapterBook:
        about = self._find_apart()
        self._shown, parsed = self._masked()
        self._read_part(self._shown, 0, "", parsed)
        self._gap(len(self._text))
        source, at = "", 0
        for first, last, text in self._rewritten:
            source, at = source + self._text[at:first] + text, last
        source += self._text[at:]
        name_paragraphs(self._draft)
        gone = withdraw_listings(self._draft)
        marks = without_withdrawn(self._draft, heading_marks(self._draft, titled=True), gone)
        marks = without_withdrawn(self._draft, marks, withdraw_outside(self._draft, marks, about))
        marks = with_title_above(self._draft, marks)
        return assemble(self._draft, marks, self._options, about, source, str(self._path))

    def _masked(self) -> tuple[str, str]:
        """The text with blanks in the place of what is taken out, and the text for the parser, which has the same lines.

        A comment before the words of a line leaves no blanks for the parser, to which they would mean that the line is code.
        """
        shown: list[str] = []
        parsed: list[str] = []
        at = 0
        for part in self._apart:
            own = self._text[part.first : part.last]
            mask = INLINE_MASK * len(own) if part.is_inline else re.sub(r"[^\n]", " ", own)
            shown += [self._text[at : part.first], mask]
            parsed += [self._text[at : part.first], "\n" * own.count("\n") if part.reason == "comment" else mask]
            at = part.last
        return "".join([*shown, self._text[at:]]), "".join([*parsed, self._text[at:]])

    def _find_apart(self) -> About:
        about, begin = self._front()
        if begin:
            self._apart.append(_Apart(0, begin, "markup"))
        fences = [match.span() for match in _FENCE.finditer(self._text, begin)]
        starts = [span[0] for span in fences]

        def is_text(place: int) -> bool:
            at = bisect_right(starts, place) - 1
            return at < 0 or fences[at][1] <= place

        for match in filter(lambda found: is_text(found.start()), _NOTE.finditer(self._text, begin)):
            note = _Apart(match.start(), match.end(), "note", match[1], match.start(2), match.end())
            self._apart.append(note)
        spans = [*fences, *((part.first, part.last) for part in self._apart)]
        for number, (first, last) in enumerate(inline_notes(self._text, spans), 1):
            self._apart.append(_Apart(first, last, "note", f"^{number}", first + 2, last - 1, is_inline=True))
        taken = [(part.first, part.last) for part in self._apart]
        self._apart += [_Apart(*sign) for sign in signs_apart(self._text, fences, [(0, begin), *taken])]
        self._has_inline_notes = any(part.is_inline for part in self._apart)
        self._apart.sort(key=lambda part: part.first)
        self._labels = {part.label for part in self._apart if part.label}
        return about

    def _front(self) -> tuple[About, int]:
        """What the book says of itself before its text, and where that ends."""
        front = _FRONT_MATTER.match(self._text)
        if front and (front[1] is None or _YAML_FIELD.match(front[1]) or not has_letters(front[1])):
            return about_of(front, self._path), front.end()
        lines = _TITLE_LINES.match(self._text)
        if lines and (lines[2] is not None or is_title_case(lines[1].strip())):
            return About(lines[1] or self._path.stem, lines[2] or ""), lines.end()
        return About(self._path.stem), 0

    # --- the file and the parser's texts ---

    def _gap(self, to: int) -> None:
        """Pass the text up to ``to``: skip markup and parts that the parser did not get, but read notes if wanted."""
        while self._apart and self._apart[0].first < to:
            part = self._apart.pop(0)
            if part.first < self._cursor:
                continue  # it stands in code or a comment
            self._skip_to(part.first, "markup")
            if part.label and self._options.notes != "skip":
                self._skip_to(part.content, "mark of a note")
                limit, shown = self._limit, self._shown
                self._shown = self._text
                self._read_part(self._text[part.content : part.behind], part.content, part.label)
                self._limit, self._shown = limit, shown
            self._skip_to(part.last, part.reason)
        self._skip_to(to, "markup")

    def _skip_to(self, to: int, reason: Reason) -> None:
        if to <= self._cursor:
            return
        text, at = self._text[self._cursor : to], 0
        for comment in re.finditer(r"<!--.*?(?:-->|\Z)", text, re.DOTALL):
            self._draft.skip(text[at : comment.start()], reason)
            self._draft.skip(comment[0], "comment")
            at = comment.end()
        self._draft.skip(text[at:], reason)
        self._cursor = to

    def _find(self, text: str) -> int:
        """Move to the next place of ``text``."""
        at = self._shown.find(text, self._cursor, self._limit)
        if at < 0:
            raise TextError(
                f"{self._path}: the words {text[:60]!r} of the Markdown were not found in the file; give it as .txt"
            )
        self._gap(at)
        self._cursor = at + len(text)
        return at

    def _say(self, text: str, kind: Kind, written: str = "") -> None:
        """Speak a text of the parser, which the file has in the form ``written``."""
        needle = written or text
        if not needle.strip():  # code in a line may be an end of a line alone
            return self._draft.add(text)
        place = self._shown.find(needle, self._cursor, self._limit)
        if place >= 0 and self._text.startswith(needle, place):
            at = self._find(needle)
            if written:
                self._rewritten.append((at, at + len(written), text))
            self._draft.say(text, kind)
            return
        for part in re.split(r"(\w+)", needle):  # one of its signs is written in another way in the file
            if has_letters(part):
                self._find(part)
                self._draft.say(part, kind)
            else:
                self._draft.add(part)

    # --- blocks ---

    def _read_part(self, text: str, first: int, note: str, parsed: str | None = None) -> None:
        """Read a part of the file that begins at ``first``; the parser gets ``parsed``, which has the same lines, or else ``text``."""
        lines = [0]
        for line in text.split("\n"):
            lines.append(lines[-1] + len(line) + 1)
        kinds: list[Kind] = ["note" if note else "paragraph"]
        numbered: list[bool] = []
        level = 0
        for token in self._parser.parse(text if parsed is None else parsed):
            if token.map:
                self._gap(max(self._cursor, first + lines[token.map[0]]))
                self._limit = min(first + lines[min(token.map[1], len(lines) - 1)], len(self._text))
            name = token.type
            if name == "heading_open":
                level = int(token.tag[1])
            elif name == "code_block" and is_indented_text(typed := token.content.rstrip("\n").split("\n")):
                self._read_indented(typed)
            elif name in ("fence", "code_block"):
                self._draft.close()
                self._skip_to(self._limit, "code")
            elif name == "html_block":
                self._read_html(kinds[-1])
            elif name == "hr":
                self._draft.rule()
            elif name in ("ordered_list_open", "bullet_list_open"):
                # As on a page of HTML, the numbers of a list are read if it does not begin with one.
                numbered.append(bool(token.attrs.get("start")))
            elif name in ("ordered_list_close", "bullet_list_close"):
                numbered.pop()
            elif name == "list_item_open":
                self._draft.close()
                kinds.append("list")
                if numbered[-1:] == [True]:
                    self._say(f"{token.info}. ", "list", token.info)
            elif name == "list_item_close":
                self._draft.close()
                kinds.pop()
            elif name == "inline":
                kind: Kind = "heading" if level else "table" if self._in_table else kinds[-1]
                self._read_inline(token.children or [], kind, level, note)
                level = 0
            elif name in ("tr_open", "tr_close"):
                self._draft.close()
                self._in_table = name == "tr_open"
            elif name in ("td_open", "th_open"):
                self._draft.add(LINE_END)
            elif name in ("paragraph_close", "heading_close", "blockquote_close"):
                self._draft.close()

    def _read_indented(self, lines: list[str]) -> None:
        """Speak indented lines that are no code as verse, one stanza after another."""
        self._draft.close()
        for line in lines:
            if not line.strip():
                self._draft.close()
                continue
            block = self._draft.open("verse")
            self._draft.add(LINE_END if block.texts else "")
            block.keeps_lines = True
            self._say(line.strip(), "verse")
        self._draft.close()

    def _read_html(self, kind: Kind) -> None:
        """Speak the text between tags; skip comments, scripts and tags."""
        self._draft.close()
        shown, self._shown = self._shown, self._text  # what is taken out of other text stays in it
        text, begin = self._text[self._cursor : self._limit], self._cursor
        at = 0
        for markup in _MARKUP.finditer(text):
            self._say_between(text[at : markup.start()], kind)
            self._skip_to(begin + markup.end(), "code" if markup[1] else "markup")
            at = markup.end()
        self._say_between(text[at:], kind)
        self._shown = shown
        self._draft.close()

    def _say_between(self, text: str, kind: Kind) -> None:
        if has_letters(text):
            self._say(text, kind)

    def _read_inline(self, tokens: list[Any], kind: Kind, level: int, note: str) -> None:
        whole = "".join(token.content for token in tokens)
        if _CONTENTS.fullmatch(whole):
            self._find(
                whole.strip(" \n[]_${}")
            )  # the file may have "[[_TOC_]]", of which the parser takes the underscores
            self._draft.skip(whole, "navigation")
            return
        kind = "verse" if (is_verse := kind == "paragraph" and has_bars(tokens)) else kind
        block = self._draft.open(kind, level=level)
        block.note = note
        if kind in ("heading", "table", "verse"):
            block.keeps_lines = True
        if kind == "list" and tokens and (box := _BOX.match(tokens[0].content)):
            self._find(box[1])
            self._draft.skip(box[1], "markup")
            tokens[0].content = tokens[0].content[box.end() :]
        if tokens and (sign := alert(tokens[0].content)):
            self._read_alert(sign, tokens, kind)
        for token in tokens:
            if token.type == "text_special":
                self._say(token.content, kind, token.markup)
            elif token.type == "text":
                self._read_text(token.content.removeprefix("| ") if is_verse else token.content, kind)
            elif token.type == "code_inline":
                self._say(token.content, kind)
            elif token.type == "math":
                for line in token.content.split("\n"):
                    self._say(line, kind)
                    self._draft.add(" " if "\n" in token.content else "")
            elif token.type == "softbreak":
                self._draft.add(LINE_END if is_verse else " ")
            elif token.type == "hardbreak":
                self._draft.add(LINE_END)
            elif token.type in ("link_open", "link_close"):
                self._draft.in_link = str(token.attrs.get("href", "")).startswith("#")
            elif token.type == "image":
                self._read_picture(token, kind)
            elif token.type == "html_inline":
                at = self._find(token.content)
                self._cursor = at
                self._skip_to(at + len(token.content), "markup")

    def _read_alert(self, sign: tuple[str, str], tokens: list[Any], kind: Kind) -> None:
        """Begin an alert, whose title is the rest of its first line, or else the kind in its sign."""
        mark, title = sign
        tokens[0].content = tokens[0].content.removeprefix(mark)
        if tokens[0].content:
            self._find(mark.strip())
            self._draft.skip(mark, "markup")
            return
        self._say(title, kind)
        self._draft.close()

    def _read_picture(self, token: Any, kind: Kind) -> None:
        for child in token.children or []:
            if not has_letters(child.content):
                continue
            if self._options.pictures:
                self._say(child.content, kind, child.markup if child.type == "text_special" else "")
            else:
                self._find(child.markup if child.type == "text_special" else child.content)
                self._draft.skip(child.content, "description of a picture")

    def _read_text(self, text: str, kind: Kind) -> None:
        """A text without its marks of notes and, in a heading, without its attributes."""
        attributes = _ATTRIBUTES.search(text) if kind == "heading" else None
        end = attributes.start() if attributes else len(text)
        at = 0
        for mark in _MARK.finditer(text, 0, end):
            if mark["mask"] and not self._has_inline_notes:
                continue
            if mark["mask"]:
                self._say_signs(text[at : mark.start()], kind)
                self._read_notes(mark.end() - mark.start(), kind)
                at = mark.end()
            elif mark[1] in self._labels:
                self._say_signs(text[at : mark.start()], kind)
                self._find(mark[0])
                self._draft.skip(mark[0], "mark of a note")
                self._draft.open(kind).marks.append(mark[1])
                at = mark.end()
        self._say_signs(text[at:end], kind)
        if attributes:
            self._find(attributes[0].strip())
            self._draft.skip(attributes[0], "markup")

    def _read_notes(self, length: int, kind: Kind) -> None:
        """Pass the notes that stand next in a line, which have so many characters together."""
        block = self._draft.open(kind)
        self._draft.close()
        while length > 0 and self._apart:
            part = self._apart[0]
            block.marks.append(part.label)
            self._gap(part.last)
            length -= part.last - part.first
        self._draft.reopen(block)

    def _say_signs(self, text: str, kind: Kind) -> None:
        """Speak a text without the signs of dialects."""
        for part, reason in signs_inside(text):
            if reason is None:
                for piece, written in scripts(part):
                    self._say(piece, kind, written)
            elif has_letters(part):
                self._find(part)
                self._draft.skip(part, reason)
