"""Reads the pages of a book into a draft: each element as a block, a part of a line, or something that is skipped."""

import re
from dataclasses import dataclass, replace
from typing import Any

from triforce_tts.errors import TextError
from triforce_tts.text.latex import delimited

from .chapters import Kind, ReadOptions, Reason, has_letters
from .draft import LINE_END, Draft, clean
from .drop_caps import DropCaps
from .epub import resolve
from .html_rules import (
    HEADINGS,
    NOTE_ATTRIBUTE,
    classes_of,
    has_lines,
    is_block,
    is_inward,
    is_note_body,
    is_note_mark,
    is_replacement,
    is_single_note,
    is_speaker,
    is_title,
    is_whole_heading,
    name_of,
    raised_digits,
    skip_reason,
    source_parts,
    types_of,
    whole_number,
)
from .notes import NoteCounter, text_in
from .pronunciations import phones_at
from .ruby import ruby_parts

_VERSE = frozenset(["verse", "poem", "poetry", "stanza", "song", "hymn", "lyrics", "poetry-container", "canto-verse"])
_VERSE_LINE = re.compile(r"(?:line|verse|l|v|i\d+|poem-line)")
_DIRECTIONS = frozenset(["stage-direction", "stagedirection", "stagedir", "stage-dir"])
_CAPTIONS = frozenset(["caption", "figcaption", "legend"])
_CELL_BLOCKS = frozenset(["p", "div", "ul", "ol", "dl", "table", "blockquote", "section", "h1", "h2", "h3", "h4", "h5"])
# Text in more than so many nested elements is read without any rule.
_DEEPEST = 120


@dataclass(frozen=True)
class _Around:
    """The properties of a text that the elements around it decide."""

    kind: Kind = "paragraph"
    level: int = 0
    keeps_lines: bool = False
    is_set: bool = False  # whether the text is in a ``pre``, whose line ends belong to the text
    is_play: bool = False
    is_direction: bool = False  # whether the text is in a stage direction
    note: str = ""
    depth: int = 0
    quotes: int = 0


class PageReader:
    """Reads pages in order. A book has one reader, because the marks of its notes count up."""

    def __init__(self, draft: Draft, options: ReadOptions) -> None:
        self._draft, self._options = draft, options
        self._notes = NoteCounter()
        self._caps = DropCaps()
        self._document = ""
        self._marker = ""
        self._behind_speaker = False
        self._speech = ""  # the name of the speaker whose speech is being read
        self._scope: Any = None  # the element at whose end that speech ends
        self.faults: list[str] = []  # the faults of pronunciations in the pages

    def read(self, document: str, page: Any) -> None:
        """Read a page, whose links are relative to ``document``."""
        self._document = self._draft.where = document
        self._visit(page, _Around())
        self._draft.close()

    def skip(self, document: str, page: Any, reason: Reason) -> None:
        """Skip a whole page."""
        self._document = self._draft.where = document
        self._skip(page, reason)

    def _visit(self, element: Any, around: _Around) -> None:
        name = name_of(element)
        if not name:
            if not isinstance(element.tag, str) and "Comment" in getattr(element.tag, "__name__", ""):
                self._draft.skip(element.text or "", "comment")
            return
        self._anchor(element)
        is_direction = around.is_direction or bool((types_of(element) | classes_of(element)) & _DIRECTIONS)
        phones = self._phones(element)
        place = self._draft.begin_reading() if phones else None
        was_in_link = self._draft.in_link
        self._draft.in_link = was_in_link or (name == "a" and is_inward(element))
        self._read_element(element, name, replace(around, depth=around.depth + 1, is_direction=is_direction))
        self._draft.in_link = was_in_link
        if phones and place:
            self._draft.end_reading(place, phones)
        if element is self._scope or name in HEADINGS:
            self._speech, self._scope = "", None

    def _phones(self, element: Any) -> str | None:
        """The pronunciation that the page gives an element, if it is wanted and can be used."""
        try:
            return phones_at(element) if self._options.phones else None
        except TextError as error:
            self.faults.append(str(error))
            return None

    def _read_element(self, element: Any, name: str, around: _Around) -> None:
        if around.depth > _DEEPEST:
            self._say("".join(source_parts(element)), around)
        elif is_note_body(element, name):
            self._note(element, name, around)
        elif self._is_mark(element, name):
            self._mark(element)
        elif reason := skip_reason(element, name):
            self._skip(element, reason)
        elif reader := _READERS.get(name):
            reader(self, element, around)
        elif is_speaker(element, name):
            self._speaker(element, around)
        elif self._caps.is_cap(element):
            self._cap(element, around)
        elif is_block(element, name):
            self._block(element, name, around)
        else:
            self._children(element, around)

    def _children(self, element: Any, around: _Around) -> None:
        self._say(element.text, around)
        for child in element:
            self._visit(child, around)
            self._say(child.tail, around)

    # --- text ---

    def _say(self, text: str | None, around: _Around) -> None:
        if not text:
            return
        text = text.replace(LINE_END, " ")
        if around.is_set:
            text = text.replace("\n", LINE_END)
        text = self._caps.joined(text)
        if self._behind_speaker and text.strip():
            text, self._behind_speaker = text.lstrip(" \t\n.:\u2003\u00a0"), False
        if not text.strip():
            self._draft.add(text)
            return
        block = self._draft.open(around.kind, level=around.level)
        if not block.texts:
            block.keeps_lines, block.note = around.keeps_lines, around.note
            block.speaker = self._speech if around.kind not in ("speaker", "heading", "note") else ""
            block.marker, self._marker = self._marker, ""
        if around.is_direction:
            block.directions.append(text)
        self._draft.say(text, around.kind)

    def _close(self) -> None:
        if not self._caps.is_waiting:
            self._draft.close()

    def _anchor(self, element: Any) -> None:
        for attribute in ("id", "name"):
            value = element.get(attribute)
            if value and (attribute == "id" or name_of(element) == "a"):
                self._draft.anchor(self._document, value)

    def _skip(self, element: Any, reason: Reason) -> None:
        block = is_block(element, name_of(element))
        if block:
            self._close()
        for child in element.iter("{*}*"):
            self._anchor(child)
        self._draft.skip("".join(source_parts(element)), reason)
        if block:
            self._close()

    # --- blocks ---

    def _block(self, element: Any, name: str, around: _Around) -> None:
        types, classes = types_of(element), classes_of(element)
        if around.kind == "verse" and around.keeps_lines and any(_VERSE_LINE.fullmatch(word) for word in classes):
            self._draft.add(LINE_END)
            self._children(element, around)
            self._draft.add(LINE_END)
            return
        self._close()
        if name in HEADINGS:
            around = replace(around, kind="heading", level=HEADINGS[name], keeps_lines=True)
        elif name in ("p", "div", "span") and is_title(element, name, types):
            around = replace(around, kind="heading", level=max(around.level, 2), keeps_lines=True)
        elif name in _CAPTIONS:
            around = replace(around, kind="caption")
        elif (types | classes) & _VERSE or (name == "p" and around.kind == "paragraph" and has_lines(element)):
            around = replace(around, kind="verse", keeps_lines=True)
        self._children(element, around)
        self._close()

    def _read_pre(self, element: Any, around: _Around) -> None:
        self._close()
        self._children(element, replace(around, kind="verse", keeps_lines=True, is_set=True))
        self._close()

    def _read_break(self, element: Any, around: _Around) -> None:
        before = element.getprevious()
        is_second = before is not None and name_of(before) == "br" and not (before.tail or "").strip()
        if is_second and around.kind in ("paragraph", "verse"):
            self._close()  # an empty line ends a paragraph or a stanza
        else:
            self._draft.add(LINE_END)

    def _read_rule(self, element: Any, around: _Around) -> None:
        self._draft.rule()

    def _cap(self, element: Any, around: _Around) -> None:
        self._say(text_in(element) or element.get("alt", ""), around)
        self._caps.wait()

    def _read_picture(self, element: Any, around: _Around) -> None:
        description = element.get("alt", "")
        if self._caps.is_cap(element):
            self._cap(element, around)
        elif self._options.pictures or (around.kind == "heading" and is_whole_heading(element)):
            self._say(f" {description} " if description else None, around)
        else:
            self._draft.skip(description, "description of a picture")

    def _read_formula(self, element: Any, around: _Around) -> None:
        spoken = delimited(element.get("alttext", ""))
        if has_letters(spoken):
            self._say(f" {spoken}" if self._draft.before()[-1:].isalnum() else spoken, around)
            self._draft.skip("".join(source_parts(element, described=False)), "formula")
            return
        self._children(element, around)

    def _read_insertion(self, element: Any, around: _Around) -> None:
        if is_replacement(element) and self._draft.before()[-1:].isalnum():
            self._draft.add(" ")
        self._children(element, around)

    def _read_quotation(self, element: Any, around: _Around) -> None:
        written = text_in(element)[:1] in ("“", '"', "‘", "«", "'", "„")
        left, right = ("", "") if written else ("“”", "‘’")[around.quotes % 2]
        self._draft.open(around.kind, level=around.level)
        self._draft.add(left)
        self._children(element, replace(around, quotes=around.quotes + 1))
        self._draft.add(right)

    def _read_raised(self, element: Any, around: _Around) -> None:
        digits = raised_digits(element)
        if digits:
            self._say(digits, around)
        else:
            self._children(element, around)

    def _read_ruby(self, element: Any, around: _Around) -> None:
        for text, reason in ruby_parts(element):
            if reason is None:
                self._say(text, around)
            else:
                self._draft.skip(text, reason)

    # --- lists and tables ---

    def _read_list(self, element: Any, around: _Around) -> None:
        self._close()
        number = whole_number(element.get("start")) if name_of(element) == "ol" else None
        self._say(element.text, around)
        for child in element:
            if name_of(child) == "li":
                number = whole_number(child.get("value")) or number
                if number is not None:
                    self._marker, number = f"{number}.", number + 1
            self._visit(child, around if around.kind == "verse" else replace(around, kind="list"))
            self._marker = ""
            self._say(child.tail, around)
        self._close()

    def _read_explanation(self, element: Any, around: _Around) -> None:
        """A ``dd`` goes on behind its ``dt``, which ends with a colon."""
        before = self._draft.before().rstrip()
        if before and not any(name_of(child) in _CELL_BLOCKS for child in element):
            self._draft.add(" " if before[-1] in ".,;:!?" else ": ")
        else:
            self._close()
        self._children(element, replace(around, kind="list"))
        self._close()

    def _read_term(self, element: Any, around: _Around) -> None:
        self._close()
        if is_speaker(element, "dt"):
            self._speaker(element, around)
        else:
            self._children(element, replace(around, kind="list"))

    def _read_terms(self, element: Any, around: _Around) -> None:
        self._close()
        self._children(element, around)
        self._close()

    def _read_table(self, element: Any, around: _Around) -> None:
        """A table in which speakers stand beside their speeches is a play."""
        self._close()
        is_play = any("persona" in types_of(cell) for name in ("td", "th") for cell in element.iter(f"{{*}}{name}"))
        self._children(element, replace(around, is_play=is_play))
        self._close()

    def _read_row(self, element: Any, around: _Around) -> None:
        self._close()
        cells = [cell for cell in element if name_of(cell) in ("td", "th")]
        apart = around.is_play or any(name_of(part) in _CELL_BLOCKS for cell in cells for part in cell)
        within = around if apart else replace(around, kind="table", keeps_lines=True)
        self._say(element.text, within)
        for child in element:
            if apart:
                self._close()
            elif name_of(child):
                self._draft.add(LINE_END)
            if child in cells and not is_speaker(child, "td") and not skip_reason(child, "td"):
                self._anchor(child)
                self._children(child, within)
            else:
                self._visit(child, within)
            self._say(child.tail, within)
        self._close()

    # --- plays and notes ---

    def _speaker(self, element: Any, around: _Around) -> None:
        self._speech = clean(text_in(element)).strip(" .:")
        self._scope = next((e for e in element.iterancestors() if name_of(e) == "tr"), element.getparent())
        if self._options.speakers == "drop":
            self._skip(element, "name of a speaker")
        else:
            self._close()
            self._children(element, replace(around, kind="speaker"))
            self._close()
        self._behind_speaker = not is_block(element, name_of(element))

    def _is_mark(self, element: Any, name: str) -> bool:
        if name not in ("a", "sup", "span"):
            return False
        return is_note_mark(element, name) or self._notes.is_mark(element, name, self._draft.before())

    def _mark(self, element: Any) -> None:
        for child in element.iter("{*}*"):
            self._anchor(child)
            if child.get("href") and self._options.notes != "skip":
                self._draft.open("paragraph").marks.append("#".join(resolve(self._document, child.get("href"))))
        self._draft.skip("".join(source_parts(element)), "mark of a note")

    def _note(self, element: Any, name: str, around: _Around) -> None:
        key = element.get(NOTE_ATTRIBUTE) or (f"{self._document}#{element.get('id')}" if element.get("id") else "")
        inner = [part for part in element.iter("{*}*") if part is not element and is_single_note(part)]
        if self._options.notes == "skip" or (not key and not inner):
            self._skip(element, "note")
            return
        if not inner:
            self._close()
            element.attrib.pop(NOTE_ATTRIBUTE, None)
            self._children(element, replace(around, kind="note", note=key))
            self._close()
            return
        self._close()
        self._draft.skip(element.text or "", "note")
        for child in element:
            if not name_of(child) or is_note_body(child, name_of(child)) or any(part is child for part in inner):
                self._visit(child, around)
            elif any(is_single_note(part) for part in child.iter("{*}*")):
                self._note(child, name_of(child), around)
            else:
                self._skip(child, "note")
            self._draft.skip(child.tail or "", "note")


_READERS = {
    "pre": PageReader._read_pre,
    "br": PageReader._read_break,
    "hr": PageReader._read_rule,
    "img": PageReader._read_picture,
    "math": PageReader._read_formula,
    "q": PageReader._read_quotation,
    "ins": PageReader._read_insertion,
    "sup": PageReader._read_raised,
    "sub": PageReader._read_raised,
    "ruby": PageReader._read_ruby,
    "ol": PageReader._read_list,
    "ul": PageReader._read_list,
    "dl": PageReader._read_terms,
    "dt": PageReader._read_term,
    "dd": PageReader._read_explanation,
    "table": PageReader._read_table,
    "tr": PageReader._read_row,
}
