"""Reads the pages of a book into a draft: each element as a block, a part of a line, or something that is skipped."""

import re
from dataclasses import dataclass, replace
from typing import Any

from .chapters import Kind, ReadOptions, Reason, has_letters
from .draft import LINE_END, Draft, clean
from .drop_caps import DropCaps
from .epub import resolve
from .html_rules import (
    NOTE_ATTRIBUTE,
    classes_of,
    has_lines,
    is_block,
    is_note_body,
    is_note_mark,
    is_single_note,
    name_of,
    skip_reason,
    source_parts,
    types_of,
    whole_number,
)
from .notes import NoteCounter, text_in

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_TITLE_TYPES = frozenset(["title", "subtitle", "bridgehead", "fulltitle", "label", "ordinal"])
_VERSE = frozenset(["verse", "poem", "poetry", "stanza", "song", "hymn", "lyrics", "poetry-container", "canto-verse"])
_VERSE_LINE = re.compile(r"(?:line|verse|l|v|i\d+|poem-line)")
_DIRECTIONS = frozenset(["stage-direction", "stagedirection", "stagedir", "stage-dir"])
_CAPTIONS = frozenset(["caption", "figcaption", "legend"])
_CELL_BLOCKS = frozenset(["p", "div", "ul", "ol", "dl", "table", "blockquote", "section", "h1", "h2", "h3", "h4", "h5"])
_RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_LOWERED = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")
_DIGITS = re.compile(r"[+\-−]?\d+")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
_DEEPEST = 120  # elements within each other, below which their text is read without any rule


@dataclass(frozen=True)
class _Around:
    """What the elements around a text say of it."""

    kind: Kind = "paragraph"
    level: int = 0
    keeps_lines: bool = False
    is_set: bool = False  # in a ``pre``, where the ends of lines are those of the text
    is_play: bool = False
    is_direction: bool = False  # in a direction for the stage
    note: str = ""
    depth: int = 0
    quotes: int = 0


class PageReader:
    """Reads pages in order; one for a book, because marks of notes count up through it."""

    def __init__(self, draft: Draft, options: ReadOptions) -> None:
        self._draft, self._options = draft, options
        self._notes = NoteCounter()
        self._caps = DropCaps()
        self._document = ""
        self._marker = ""
        self._behind_speaker = False
        self._speech = ""  # the name of the speaker whose speech is read
        self._scope: Any = None  # the element with whose end that speech ends

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
        self._read_element(element, name, replace(around, depth=around.depth + 1, is_direction=is_direction))
        if element is self._scope or name in _HEADINGS:
            self._speech, self._scope = "", None

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
        elif self._is_speaker(element, name):
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
        if name in _HEADINGS:
            around = replace(around, kind="heading", level=_HEADINGS[name], keeps_lines=True)
        elif name in ("p", "div", "span") and self._is_title(element, name, types):
            around = replace(around, kind="heading", level=max(around.level, 2), keeps_lines=True)
        elif name in _CAPTIONS:
            around = replace(around, kind="caption")
        elif (types | classes) & _VERSE or (name == "p" and around.kind == "paragraph" and has_lines(element)):
            around = replace(around, kind="verse", keeps_lines=True)
        self._children(element, around)
        self._close()

    def _is_title(self, element: Any, name: str, types: set[str]) -> bool:
        if types & _TITLE_TYPES:
            return True
        parent = element.getparent()
        group = name_of(parent) if parent is not None else ""
        return name == "p" and (
            group == "hgroup" or (group == "header" and any(name_of(child) in _HEADINGS for child in parent))
        )

    def _read_pre(self, element: Any, around: _Around) -> None:
        self._close()
        self._children(element, replace(around, kind="verse", keeps_lines=True, is_set=True))
        self._close()

    def _read_break(self, element: Any, around: _Around) -> None:
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
        elif self._options.pictures or (around.kind == "heading" and self._is_whole_heading(element)):
            self._say(f" {description} " if description else None, around)
        else:
            self._draft.skip(description, "description of a picture")

    def _is_whole_heading(self, picture: Any) -> bool:
        heading = picture
        while heading is not None and name_of(heading) not in _HEADINGS:
            heading = heading.getparent()
        return heading is not None and not has_letters("".join(heading.itertext()))

    def _read_formula(self, element: Any, around: _Around) -> None:
        spoken = element.get("alttext", "")
        if has_letters(spoken):
            self._say(f" {spoken}" if self._draft.before()[-1:].isalnum() else spoken, around)
            self._draft.skip("".join(source_parts(element, described=False)), "formula")
            return
        self._children(element, around)

    def _read_quotation(self, element: Any, around: _Around) -> None:
        written = text_in(element)[:1] in ("“", '"', "‘", "«", "'", "„")
        left, right = ("", "") if written else ("“”", "‘’")[around.quotes % 2]
        self._draft.open(around.kind, level=around.level)
        self._draft.add(left)
        self._children(element, replace(around, quotes=around.quotes + 1))
        self._draft.add(right)

    def _read_raised(self, element: Any, around: _Around) -> None:
        table = _RAISED if name_of(element) == "sup" else _LOWERED
        if len(element) == 0 and element.text and _DIGITS.fullmatch(element.text.strip()):
            self._say(element.text.strip().translate(table), around)
        else:
            self._children(element, around)

    def _read_ruby(self, element: Any, around: _Around) -> None:
        readings = "".join("".join(part.itertext()) for part in element.iter("{*}rt"))
        whole = "".join(element.itertext())
        speaks_reading = not _LATIN.search(whole.replace(readings, "", 1)) and bool(_LATIN.search(readings))
        self._ruby_parts(element, around, speaks_reading, in_reading=False)

    def _ruby_parts(self, element: Any, around: _Around, speaks_reading: bool, in_reading: bool) -> None:
        def put(text: str | None, reading: bool) -> None:
            if text and reading == speaks_reading:
                self._say(text, around)
            elif text:
                self._draft.skip(text, "ruby")

        put(element.text, in_reading)
        for child in element:
            if name_of(child) == "rp":
                self._draft.skip("".join(source_parts(child)), "ruby")
            elif name_of(child):
                self._ruby_parts(child, around, speaks_reading, in_reading or name_of(child) in ("rt", "rtc"))
            else:
                self._visit(child, around)
            put(child.tail, in_reading)

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
        if self._is_speaker(element, "dt"):
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
            if child in cells and not self._is_speaker(child, "td") and not skip_reason(child, "td"):
                self._anchor(child)
                self._children(child, within)
            else:
                self._visit(child, within)
            self._say(child.tail, within)
        self._close()

    # --- plays and notes ---

    def _is_speaker(self, element: Any, name: str) -> bool:
        if "persona" not in types_of(element) or not has_letters(text_in(element)):
            return False
        parent = element.getparent()
        return is_block(element, name) or (
            parent is not None
            and is_block(parent, name_of(parent))
            and not (parent.text or "").strip()
            and element.getprevious() is None
        )

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
