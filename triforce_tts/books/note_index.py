"""Finds the bodies of a book's notes from their marks, also where nothing is typed, and marks them in the pages."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from .chapters import letters
from .epub import resolve
from .html_rules import (
    HEADINGS,
    MARK_ATTRIBUTE,
    NOTE_ATTRIBUTE,
    is_block,
    is_note_body,
    is_note_mark,
    name_of,
    types_of,
)
from .notes import NoteCounter, text_in

_HEADINGS = frozenset(HEADINGS)
_NUMBERED = re.compile(r"[\[(]?\s*(?:\d{1,4}(?!\w)|[*†‡])")  # the begin of a note that has its mark before it
_OWN_NUMBER = re.compile(r"[\[(]?(\d{1,3})[\])]?[.:]?\s*(?=[^\W\d_]|[\"“‘'])")
_TITLES = frozenset(["note", "notes", "footnote", "footnotes", "endnote", "endnotes"])
_ABOVE_NOTES = _TITLES | {"references", "notesandreferences"}  # what stands right above notes and nothing else
# A note may have so many further paragraphs without a mark of their own.
_BETWEEN = 3


def mark_notes(pages: list[tuple[str, Any]], *, unlinked: bool = False) -> None:
    """Set an attribute on each note that a mark leads to: it leads back, or stands below a heading such as "Notes".

    With ``unlinked``, also on notes whose marks are raised numbers without a link.
    """
    counter = NoteCounter()
    for _, page in pages if unlinked else ():
        _mark_unlinked(page, counter)
    sections = [section for _, page in pages for section in _sections(page)]
    listed = {element: number for number, section in enumerate(sections) for element in section}
    entered: set[int] = set()  # the sections that a mark outside them leads into
    places = {
        (document, address): element
        for document, page in pages
        for element in page.iter("{*}*")
        if (address := element.get("id") or (element.get("name") if name_of(element) == "a" else None))
    }
    for document, page in pages:
        for link in page.iter("{*}a"):
            # The number of a note leads back to its mark: a link inside a note that was found is no mark.
            if not link.get("href") or not _may_be_mark(link) or _is_in_note(link):
                continue
            place = resolve(document, link.get("href"))
            body = _block_of(places.get(place))
            if body is None or body is _block_of(link) or name_of(body) in (*_HEADINGS, "body", "html"):
                continue
            is_entered = body in listed and listed.get(link) != listed[body]
            is_listed = is_entered and (name_of(body) == "li" or bool(_NUMBERED.match(text_in(body))))
            if (
                is_listed
                or _answers(body, link)
                or is_note_body(body, name_of(body))
                or _leads_back(body, place[0], link, document)
            ):
                body.set(NOTE_ATTRIBUTE, "#".join(place))
                if is_entered:
                    entered.add(listed[body])
                if _is_attached(link):
                    link.set(MARK_ATTRIBUTE, "")
    for _, page in pages:
        _fill(page)
    for number in entered:
        _fill_section(sections[number])


def _mark_unlinked(page: Any, counter: NoteCounter) -> None:
    """Mark the paragraphs that begin with the numbers of the raised marks before them, up to a heading or the page's end.

    They hold the notes of these marks only if there is one for each mark that is still open, in order.
    """
    leaves = [e for e in page.iter("{*}*") if is_block(e, name_of(e)) and not _has_blocks(e) and text_in(e)]
    marks: list[int] = []  # those still open
    run: list[Any] = []
    for leaf in [*leaves, None]:
        if marks[len(run) :] and _first_number(leaf) == marks[len(run)]:
            run.append(leaf)
            continue
        if (leaf is None or name_of(leaf) in HEADINGS) and len(run) == len(marks):
            for note in run:
                note.set(NOTE_ATTRIBUTE, "")
            marks = []
        run = []
        for number in _raised_marks(leaf, counter):
            if number == 1:  # they begin again
                marks = []
            marks.append(number)


def _first_number(leaf: Any) -> int:
    """The number that a paragraph or an item begins with, or zero."""
    match = _OWN_NUMBER.match(text_in(leaf)) if leaf is not None and name_of(leaf) in ("p", "li", "div", "dd") else None
    return int(match[1]) if match else 0


def _raised_marks(leaf: Any, counter: NoteCounter) -> Iterator[int]:
    """The raised numbers without a link that are marks of notes."""
    for raised in leaf.iter("{*}sup") if leaf is not None else ():
        is_linked = name_of(raised.getparent()) == "a" or any(name_of(child) == "a" for child in raised)
        if counter.is_mark(raised, "sup", _text_before(raised)) and not is_linked and text_in(raised).isdecimal():
            yield int(text_in(raised))


def _text_before(element: Any) -> str:
    """What stands right before an element in its block."""
    while True:
        before, parent = element.getprevious(), element.getparent()
        while before is not None and not name_of(before) and not before.tail:  # a comment
            before = before.getprevious()
        text = (before.tail or text_in(before)) if before is not None else parent.text
        if text or before is not None or is_block(parent, name_of(parent)):
            return text or ""
        element = parent


def _sections(page: Any) -> list[list[Any]]:
    """The elements of each section below a heading such as "Notes", with that heading."""
    sections: list[list[Any]] = []
    level = 0
    for element in page.iter("{*}*"):
        name = name_of(element)
        if name in HEADINGS and letters(text_in(element)) in _TITLES and (not level or HEADINGS[name] <= level):
            level = HEADINGS[name]
            sections.append([])
        elif name in HEADINGS and HEADINGS[name] <= level:
            level = 0
        if level:
            sections[-1].append(element)
    return sections


def _answers(body: Any, link: Any) -> bool:
    """Whether a raised mark leads to an item of a list, or a sign such as an asterisk to a paragraph that begins with it."""
    sign = text_in(link)
    if sign and not sign.strip("*†‡"):
        return text_in(body).startswith(sign) and not text_in(body).startswith(sign + sign[-1])
    is_raised = any(name_of(e) == "sup" for e in (link.getparent(), *link) if e is not None)
    return (
        is_raised
        and name_of(body) == "li"
        and is_note_mark(link if len(link) else link.getparent(), "a" if len(link) else "sup")
    )


def _is_attached(link: Any) -> bool:
    """Whether a number stands right behind a word, as a mark does, and not as a word of its own."""
    text = _text_before(link)
    return bool(text) and not text[-1].isspace() and text_in(link).strip("[]() .").isdigit()


def _fill_section(section: list[Any]) -> None:
    """The headings and the numbered paragraphs of a section are notes, if marks lead into it and nothing else stands there."""
    leaves = [e for e in section if is_block(e, name_of(e)) and text_in(e) and not _has_blocks(e)]
    found = [leaf.get(NOTE_ATTRIBUTE) is not None or _is_in_note(leaf) for leaf in leaves]
    others = [leaf for leaf, is_note in zip(leaves, found, strict=True) if not is_note]
    if any(found) and all(name_of(leaf) in _HEADINGS or _NUMBERED.match(text_in(leaf)) for leaf in others):
        for leaf in others:
            leaf.set(NOTE_ATTRIBUTE, "")


def _has_blocks(element: Any) -> bool:
    return any(is_block(child, name_of(child)) for child in element)


def _is_in_note(link: Any) -> bool:
    return any(element.get(NOTE_ATTRIBUTE) is not None for element in link.iterancestors())


def _may_be_mark(link: Any) -> bool:
    parent = link.getparent()
    return (
        "noteref" in types_of(link)
        or is_note_mark(link, "a")
        or (parent is not None and name_of(parent) == "sup")
        or text_in(link).strip("[]() .").isdigit()
    )


def _block_of(element: Any) -> Any:
    while element is not None and not is_block(element, name_of(element)):
        element = element.getparent()
    return element


def _leads_back(body: Any, place: str, mark: Any, document: str) -> bool:
    """Whether a link in the body leads to the mark, or to what stands right around it."""
    names = {mark.get("id"), mark.get("name")}
    around = mark.getparent()
    while around is not None and name_of(around) not in ("body", "html"):
        names.add(around.get("id"))
        if is_block(around, name_of(around)):
            break
        around = around.getparent()
    names |= {child.get("id") for child in mark}
    before = mark.getprevious()
    if before is not None:
        names.add(before.get("id"))
    names.discard(None)
    return any(
        resolve(place, link.get("href")) in {(document, name) for name in names}
        for link in body.iter("{*}a")
        if link.get("href")
    )


def _fill(page: Any) -> None:
    """Further paragraphs of a note, the heading above notes, and a section that holds nothing but notes, are notes."""
    parents: list[Any] = []
    for element in page.iter("{*}*"):
        parent = element.getparent()
        if element.get(NOTE_ATTRIBUTE) is not None and parent is not None and parent not in parents[-1:]:
            parents.append(parent)
    for parent in parents:
        _fill_parent(parent)


def _mark_title(above: Any) -> None:
    """Mark the heading above notes, if that is what an element is: "Notes", with the link of MediaWiki to edit them."""
    if above is not None and letters(text_in(above)).removesuffix("edit") in _ABOVE_NOTES:
        above.set(NOTE_ATTRIBUTE, "")


def _fill_parent(parent: Any) -> None:
    children = [child for child in parent if name_of(child)]
    marked = [n for n, child in enumerate(children) if child.get(NOTE_ATTRIBUTE) is not None]
    for first, second in pairwise(marked):
        between = children[first + 1 : second]
        if len(between) <= _BETWEEN and not any(name_of(child) in _HEADINGS for child in between):
            for child in between:
                child.set(NOTE_ATTRIBUTE, children[first].get(NOTE_ATTRIBUTE))
    _mark_title(children[marked[0] - 1] if marked and marked[0] else None)
    if is_note_body(parent, name_of(parent)):
        _mark_title(next((before for before in parent.itersiblings(preceding=True) if name_of(before)), None))
    rest = [child for child in children if child.get(NOTE_ATTRIBUTE) is None and text_in(child)]
    if not rest and name_of(parent) in ("section", "aside", "div", "ol", "ul", "dl"):
        outer = parent.getparent()
        parent.set(NOTE_ATTRIBUTE, "")
        if outer is not None and name_of(outer) not in ("html", ""):
            _fill_parent(outer)
