"""Reads the pages of a book into a draft: each element as a block, a part of a line, or something that is skipped."""

from dataclasses import replace
from typing import Any

from triforce_tts.text.latex import delimited

from .chapters import ReadOptions, Reason, has_letters
from .draft import LINE_END, Draft, clean
from .epub import resolve
from .html_rules import (
    CAPTIONS,
    CELL_BLOCKS,
    DIRECTIONS,
    HEADINGS,
    NOTE_ATTRIBUTE,
    VERSE,
    VERSE_LINE,
    begins_front,
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
    kept_parts,
    name_of,
    raised_digits,
    skip_reason,
    source_parts,
    types_of,
    whole_number,
)
from .html_text import Around, PageText
from .notes import NoteCounter, text_in
from .ruby import ruby_parts

# Text in more than so many nested elements is read without any rule.
_DEEPEST = 120


class PageReader(PageText):
    """Reads pages in order. A book has one reader, because the marks of its notes count up."""

    def __init__(self, draft: Draft, options: ReadOptions) -> None:
        super().__init__(draft, options)
        self._notes = NoteCounter()

    def read(self, document: str, page: Any) -> None:
        """Read a page, whose links are relative to ``document``."""
        self._document = self._draft.where = document
        self._visit(page, Around())
        self._draft.close()

    def skip(self, document: str, page: Any, reason: Reason) -> None:
        """Skip a whole page."""
        self._document = self._draft.where = document
        self._skip(page, reason)

    def _visit(self, element: Any, around: Around) -> None:
        name = name_of(element)
        if not name:
            if not isinstance(element.tag, str) and "Comment" in getattr(element.tag, "__name__", ""):
                self._draft.skip(element.text or "", "comment")
            return
        self._anchor(element)
        is_direction = around.is_direction or bool((types_of(element) | classes_of(element)) & DIRECTIONS)
        phones = self._phones(element)
        place = self._draft.begin_reading() if phones else None
        was_in_link = self._draft.in_link
        self._draft.in_link = was_in_link or (name == "a" and is_inward(element))
        is_front = around.is_front or begins_front(element, name)
        inner = replace(around, depth=around.depth + 1, is_direction=is_direction, is_front=is_front)
        self._read_element(element, name, inner)
        self._draft.in_link = was_in_link
        if phones and place:
            self._draft.end_reading(place, phones)
        if element is self._scope or name in HEADINGS:
            self._speech, self._scope = "", None

    def _read_element(self, element: Any, name: str, around: Around) -> None:
        if around.depth > _DEEPEST:
            self._say("".join(source_parts(element)), around)
        elif is_note_body(element, name):
            self._note(element, name, around)
        elif self._is_mark(element, name):
            self._mark(element)
        elif reason := skip_reason(element, name):
            self._skip_around(element, reason, kept_parts(element, reason), around)
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

    def _children(self, element: Any, around: Around) -> None:
        self._say(element.text, around)
        for child in element:
            self._visit(child, around)
            self._say(child.tail, around)

    # --- what is skipped ---

    def _skip_around(self, element: Any, reason: Reason, kept: list[Any], around: Around) -> None:
        """Skip an element except for the parts of it that are read, such as the motto on a title page."""
        if not kept:
            self._skip(element, reason)
            return
        self._close()
        self._draft.skip(element.text or "", reason)
        for child in element:
            if not name_of(child) or any(child is part for part in kept):
                self._visit(child, around)
            else:
                inner = [part for part in kept if any(up is child for up in part.iterancestors())]
                self._skip_around(child, reason, inner, around)
            self._draft.skip(child.tail or "", reason)
        self._close()

    # --- blocks ---

    def _block(self, element: Any, name: str, around: Around) -> None:
        types, classes = types_of(element), classes_of(element)
        if around.kind == "verse" and around.keeps_lines and any(VERSE_LINE.fullmatch(word) for word in classes):
            self._draft.add(LINE_END)
            self._children(element, around)
            self._draft.add(LINE_END)
            return
        self._close()
        if name in HEADINGS:
            around = replace(around, kind="heading", level=HEADINGS[name], keeps_lines=True)
        elif name in ("p", "div", "span") and is_title(element, name, types):
            around = replace(around, kind="heading", level=max(around.level, 2), keeps_lines=True)
        elif name in CAPTIONS:
            around = replace(around, kind="caption")
        elif (types | classes) & VERSE or (name == "p" and around.kind == "paragraph" and has_lines(element)):
            around = replace(around, kind="verse", keeps_lines=True)
        self._children(element, around)
        self._close()

    def _read_pre(self, element: Any, around: Around) -> None:
        self._close()
        self._children(element, replace(around, kind="verse", keeps_lines=True, is_set=True))
        self._close()

    def _read_break(self, element: Any, around: Around) -> None:
        before = element.getprevious()
        is_second = before is not None and name_of(before) == "br" and not (before.tail or "").strip()
        if is_second and around.kind in ("paragraph", "verse"):
            self._close()  # an empty line ends a paragraph or a stanza
        else:
            self._draft.add(LINE_END)

    def _read_rule(self, element: Any, around: Around) -> None:
        self._draft.rule()

    def _cap(self, element: Any, around: Around) -> None:
        self._say(text_in(element) or element.get("alt", ""), around)
        self._caps.wait()

    def _read_picture(self, element: Any, around: Around) -> None:
        description = element.get("alt", "")
        if self._caps.is_cap(element):
            self._cap(element, around)
        elif self._options.pictures or (around.kind == "heading" and is_whole_heading(element)):
            self._say(f" {description} " if description else None, around)
        else:
            self._draft.skip(description, "description of a picture")

    def _read_formula(self, element: Any, around: Around) -> None:
        spoken = delimited(element.get("alttext", ""))
        if has_letters(spoken):
            self._say(f" {spoken}" if self._draft.before()[-1:].isalnum() else spoken, around)
            self._draft.skip("".join(source_parts(element, described=False)), "formula")
            return
        self._children(element, around)

    def _read_insertion(self, element: Any, around: Around) -> None:
        if is_replacement(element) and self._draft.before()[-1:].isalnum():
            self._draft.add(" ")
        self._children(element, around)

    def _read_quotation(self, element: Any, around: Around) -> None:
        written = text_in(element)[:1] in ("“", '"', "‘", "«", "'", "„")
        left, right = ("", "") if written else ("“”", "‘’")[around.quotes % 2]
        self._draft.open(around.kind, level=around.level)
        self._draft.add(left)
        self._children(element, replace(around, quotes=around.quotes + 1))
        self._draft.add(right)

    def _read_raised(self, element: Any, around: Around) -> None:
        digits = raised_digits(element)
        if digits:
            self._say(digits, around)
        else:
            self._children(element, around)

    def _read_ruby(self, element: Any, around: Around) -> None:
        for text, reason in ruby_parts(element):
            if reason is None:
                self._say(text, around)
            else:
                self._draft.skip(text, reason)

    def _read_switch(self, element: Any, around: Around) -> None:
        """Of a choice between forms of the same text, the one for readers that know no other, or else all others."""
        defaults = [child for child in element if name_of(child) == "default" and has_letters(text_in(child))]
        for child in element:
            if name_of(child) == "case" and defaults:
                self._skip(child, "hidden")
            else:
                self._visit(child, around)

    # --- lists and tables ---

    def _read_list(self, element: Any, around: Around) -> None:
        self._close()
        number = whole_number(element.get("start")) if name_of(element) == "ol" else None
        step = 1 if element.get("reversed") is None else -1
        self._say(element.text, around)
        for child in element:
            if name_of(child) == "li":
                number = whole_number(child.get("value")) or number
                if number is not None:
                    self._marker, number = f"{number}.", number + step
            self._visit(child, around if around.kind == "verse" else replace(around, kind="list"))
            self._marker = ""
            self._say(child.tail, around)
        self._close()

    def _read_explanation(self, element: Any, around: Around) -> None:
        """A ``dd`` goes on behind its ``dt``, which ends with a colon."""
        before = self._draft.before().rstrip()
        if before and not any(name_of(child) in CELL_BLOCKS for child in element):
            self._draft.add(" " if before[-1] in ".,;:!?" else ": ")
        else:
            self._close()
        self._children(element, replace(around, kind="list"))
        self._close()

    def _read_term(self, element: Any, around: Around) -> None:
        self._close()
        if is_speaker(element, "dt"):
            self._speaker(element, around)
        else:
            self._children(element, replace(around, kind="list"))

    def _read_terms(self, element: Any, around: Around) -> None:
        self._close()
        self._children(element, around)
        self._close()

    def _read_table(self, element: Any, around: Around) -> None:
        """A table in which speakers stand beside their speeches is a play."""
        self._close()
        is_play = any("persona" in types_of(cell) for name in ("td", "th") for cell in element.iter(f"{{*}}{name}"))
        self._children(element, replace(around, is_play=is_play))
        self._close()

    def _read_row(self, element: Any, around: Around) -> None:
        self._close()
        cells = [cell for cell in element if name_of(cell) in ("td", "th")]
        apart = around.is_play or any(name_of(part) in CELL_BLOCKS for cell in cells for part in cell)
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

    def _speaker(self, element: Any, around: Around) -> None:
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

    def _note(self, element: Any, name: str, around: Around) -> None:
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
    "switch": PageReader._read_switch,
    "ol": PageReader._read_list,
    "ul": PageReader._read_list,
    "dl": PageReader._read_terms,
    "dt": PageReader._read_term,
    "dd": PageReader._read_explanation,
    "table": PageReader._read_table,
    "tr": PageReader._read_row,
}
