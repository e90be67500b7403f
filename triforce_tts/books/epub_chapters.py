"""Reads an epub into chapters: which of its pages are spoken, and where its table of contents divides them."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triforce_tts.errors import TextError
from triforce_tts.wording import counted

from .chapters import ChapterBook, ReadOptions, Reason, count_words, letters
from .contents import Contents, Place, read_contents
from .division import Mark, assemble, joined_pages
from .draft import Draft, clean
from .epub import Package, open_epub, resolve
from .epub_about import read_about
from .html_blocks import PageReader
from .html_rules import BACK_TYPES, FRONT_TYPES, name_of, source_parts, types_of
from .note_index import mark_notes
from .pronunciations import BookLexicon, read_lexicons, with_readings

_CONTENTS_TYPES = frozenset(["toc", "loi", "lot", "loa", "lov", "index", "landmarks", "page-list"])
_SPOKEN_FRONT = frozenset(["dedication", "epigraph", "preface", "foreword", "introduction", "prologue", "preamble", "acknowledgments", "acknowledgements", "dramatis-personae"])  # fmt: skip
_SPOKEN_BACK = frozenset(["afterword", "appendix", "epilogue", "conclusion", "acknowledgments", "acknowledgements", "glossary", "bibliography", "postscript", "chapter", "part"])  # fmt: skip
_NO_STORY = re.compile(
    r"^(?:also|other (?:books|titles|works)|more|books) (?:by|from)\b|about the (?:author|publisher|translator)|advertisement|newsletter",
    re.IGNORECASE | re.MULTILINE,
)
_IMPRINT = (
    r"©|\bcopyright\b",
    r"all rights reserved|no part of this",
    r"\bISBN\b",
    r"(?:first )?published (?:by|in)\b",
    r"library of congress|cataloguing|cataloging",
    r"\bprinted (?:in|by)\b",
)
_MOST_IMPRINT = 500  # the most words of a page of rights
_MOST_TITLE = 80  # the most words of a title page
_LEAST_LINKS = 3
# A page with a larger share of its words in links to other pages is a table of contents.
_LINKED = 0.6
_PARTS = frozenset(["part", "volume", "division"])
_NAMED = 5  # a remark names at most so many lost pages
# The most words of a part's own page that are joined to the part's first chapter.
_MOST_PART = 80


@dataclass(frozen=True)
class _Page:
    """A page of the spine: its file, its root, the types of its body and outermost sections, and its words."""

    name: str
    root: Any
    is_linear: bool
    types: set[str]
    words: int
    part_names: set[str]  # the identifiers of the elements that hold a part

    @property
    def is_part(self) -> bool:
        """Whether the page is that of a part, with at most a motto."""
        return self.words <= _MOST_PART and bool(self.types & _PARTS)


def read_epub_chapters(path: Path, options: ReadOptions) -> ChapterBook:
    """The chapters of an epub.

    Raises:
        TextError: it cannot be read, is no epub, is damaged or copy-protected, or is larger than any book.
    """
    with open_epub(path) as files:
        package = files.package()
        contents = read_contents(files, package)
        pages: list[_Page] = []
        names: set[str] = set()
        lost: list[str] = []
        for reference in package.spine:
            item = package.items.get(reference.get("idref"))
            name = package.path_of(item.get("href", "")) if item is not None else ""
            if name in names:
                continue
            root = files.page(name)
            if root is None:
                lost.append(name or reference.get("idref", ""))
                continue
            names.add(name)
            pages.append(_page(name, root, reference.get("linear", "yes").lower() != "no"))
        for page in pages:
            if page.name in files.cut:
                raise TextError(f"{path}: {page.name!r} in it has elements more than 255 deep, which no book has; give the text as .txt")  # fmt: skip
        named = [(page.name, page.root) for page in pages]
        lexicon, faults, left_out = read_lexicons(files, named) if options.phones else (BookLexicon(), [], [])
    source = ["".join(source_parts(page.root)) for page in pages]
    mark_notes(named)
    book, own_faults = _divided(path, options, package, contents, pages, source)
    book = replace(book, remarks=(*book.remarks, *contents.faults, *_lost_pages(lost)))
    return with_readings(book, lexicon, [*faults, *own_faults], left_out)


def _lost_pages(names: list[str]) -> list[str]:
    """A remark on pages that the book lists but does not have, so that they cannot be spoken."""
    if not names:
        return []
    more = " and others" if len(names) > _NAMED else ""
    which = "it is" if len(names) == 1 else "they are"
    return [
        f"{counted(len(names), 'page')} that the book lists cannot be spoken, because {which} missing or empty: "
        f"{', '.join(map(repr, names[:_NAMED]))}{more}."
    ]


def _page(name: str, root: Any, is_linear: bool) -> _Page:
    body = next(root.iter("{*}body"), root)
    types = types_of(body)
    inner = [child for child in body if name_of(child)]
    while len(inner) == 1 and name_of(inner[0]) in ("section", "div", "article", "main"):
        types |= types_of(inner[0])
        inner = [child for child in inner[0] if name_of(child)]
    parts = {element.get("id", "") for element in root.iter("{*}*") if types_of(element) & _PARTS}
    return _Page(name, root, is_linear, types, count_words(" ".join(body.itertext())), parts)


def _divided(
    path: Path, options: ReadOptions, package: Package, contents: Contents, pages: list[_Page], source: list[str]
) -> tuple[ChapterBook, list[str]]:
    """The book, and the faults of the pronunciations in its pages."""
    draft = Draft()
    reader = PageReader(draft, options)
    judge = _Judge(package, contents, pages)
    starts: dict[str, int] = {}
    for page in pages:
        starts[page.name] = len(draft.blocks)
        reason = judge.reason(page)
        if reason is None or (options.notes != "skip" and _holds_notes(page)):
            reader.read(page.name, page.root)
        else:
            reader.skip(page.name, page.root, reason)
    marks = _marks(draft, contents, pages, judge, starts)
    joined_pages(draft, [starts[page.name] for page in pages], {mark.start for mark in marks})
    return assemble(draft, marks, options, judge.about, "".join(source), str(path)), reader.faults


def _holds_notes(page: _Page) -> bool:
    return bool(page.types & {"endnotes", "footnotes", "rearnotes"}) or any(
        element.get("triforce-note") for element in page.root.iter("{*}*")
    )


class _Judge:
    """Decides which pages are not spoken: by types, roles, landmarks, guide and form, never by a title alone."""

    def __init__(self, package: Package, contents: Contents, pages: list[_Page]) -> None:
        self._contents = contents
        self._reasons: dict[str, Reason | None] = {}
        self._names = {page.name: number for number, page in enumerate(pages)}
        self._all_aside = not any(page.is_linear for page in pages)
        self._entered = {entry.place[0] for entry in contents.entries if entry.place}
        self._titles = {entry.place[0]: entry.title for entry in contents.entries if entry.place}
        first = [self._names[name] for name in self._entered if name in self._names]
        self._first_entry = min(first, default=-1)
        self.about = read_about(package, contents)
        begins = [place[0] for place, types in contents.landmarks.items() if "bodymatter" in types]
        self.body_page = min((self._names[name] for name in begins if name in self._names), default=0)

    def number(self, name: str) -> int:
        """The number of a page of the spine."""
        return self._names.get(name, -1)

    def is_front(self, page: _Page) -> bool:
        """Whether a page stands before the main text."""
        fronts = {"frontmatter", "dedication", "epigraph", "preface", "foreword"}
        return bool(page.types & fronts) or self._names[page.name] < self.body_page

    def reason(self, page: _Page) -> Reason | None:
        """The reason why a page is not spoken."""
        if page.name not in self._reasons:
            self._reasons[page.name] = self._find_reason(page)
        return self._reasons[page.name]

    def _find_reason(self, page: _Page) -> Reason | None:
        if page.name == self._contents.document:
            return "navigation"
        if not page.is_linear and not self._all_aside:
            return "outside the reading order"
        types = page.types | self._contents.landmarks.get((page.name, ""), set())
        if types & _CONTENTS_TYPES:
            return "navigation"
        if types & FRONT_TYPES or "copyright" in types:
            return "front matter"
        if types & BACK_TYPES:
            return "back matter"
        if types & {"endnotes", "footnotes", "rearnotes", "notes"} and not types & {"bodymatter", "chapter"}:
            return "note"
        return self._reason_by_place(page, types) or self._reason_by_form(page, types)

    def _reason_by_place(self, page: _Page, types: set[str]) -> Reason | None:
        is_entered = page.name in self._entered
        if "backmatter" in types and not types & _SPOKEN_BACK:
            title = f"{self._titles.get(page.name, '')}\n{_heading(page)}"
            if not is_entered or _NO_STORY.search(title):
                return "back matter"
        if "frontmatter" in types and not types & _SPOKEN_FRONT and not is_entered and page.words < _MOST_IMPRINT:
            return "front matter"
        return None

    def _reason_by_form(self, page: _Page, types: set[str]) -> Reason | None:
        if types & (_SPOKEN_FRONT | _SPOKEN_BACK):
            return None
        text = clean(" ".join(page.root.itertext()))
        if page.words <= _MOST_IMPRINT and sum(bool(re.search(cue, text, re.IGNORECASE)) for cue in _IMPRINT) > 1:
            return "front matter" if self._names[page.name] <= max(self._first_entry, self.body_page) else "back matter"
        if self._is_contents(page):
            return "navigation"
        before = self._names[page.name] < max(self._first_entry, self.body_page)
        names = [letters(name) for name in (self.about.title, self.about.author) if letters(name)]
        if (
            before
            and page.name not in self._entered
            and page.words <= _MOST_TITLE
            and any(name in letters(text) for name in names)
        ):
            return "front matter"
        return None

    def _is_contents(self, page: _Page) -> bool:
        links = [
            link
            for link in page.root.iter("{*}a")
            if link.get("href") and resolve(page.name, link.get("href"))[0] in self._names
        ]
        others = [link for link in links if resolve(page.name, link.get("href"))[0] != page.name]
        linked = sum(count_words(" ".join(link.itertext())) for link in others)
        return len(others) >= _LEAST_LINKS and linked > _LINKED * page.words


def _heading(page: _Page) -> str:
    heading = next((e for e in page.root.iter("{*}*") if name_of(e) in ("h1", "h2", "h3")), None)
    return clean("".join(heading.itertext())) if heading is not None else ""


def _marks(draft: Draft, contents: Contents, pages: list[_Page], judge: _Judge, starts: dict[str, int]) -> list[Mark]:
    """The begins of chapters: the table of contents in the order of the spine, and pages before its first place."""
    by_name = {page.name: page for page in pages}
    marks: list[Mark] = []
    for number, entry in enumerate(contents.entries):
        if entry.place is None:
            marks.append(Mark(-1, entry.title, entry.level, is_part=True))
            continue
        page = by_name.get(entry.place[0])
        if page is None or judge.reason(page) is not None:
            continue
        start = draft.anchors.get(entry.place, starts[page.name]) if entry.place[1] else starts[page.name]
        has_children = entry.level < next((other.level for other in contents.entries[number + 1 :]), 0)
        part = _is_part(page, entry.place, has_children)
        marks.append(Mark(start, entry.title, entry.level, is_part=part, front=judge.is_front(page)))
    marks = _in_reading_order(marks)
    first = next((mark.start for mark in marks if mark.start >= 0), len(draft.blocks))
    opening = []
    for page in pages:
        if page.is_part or judge.reason(page) is not None or (starts[page.name] >= first and contents.entries):
            continue
        heading = _heading(page)
        if marks and not heading:
            title = clean(" ".join("".join(t.itertext()) for t in page.root.iter("{*}title")))
            opening.append(Mark(starts[page.name], title, 1, front=judge.is_front(page)))
        elif heading or not opening:
            opening.append(Mark(starts[page.name], heading, 1, front=judge.is_front(page)))
    part_pages = [
        Mark(starts[page.name], _heading(page), 1, is_part=True)
        for page in pages
        if page.is_part and starts[page.name] not in {mark.start for mark in marks}
    ]
    return _with_parts(opening + marks, part_pages)


def _with_parts(marks: list[Mark], parts: list[Mark]) -> list[Mark]:
    for part in parts:
        at = next((n for n, mark in enumerate(marks) if mark.start > part.start), len(marks))
        if all(mark.start != part.start for mark in marks):
            marks.insert(at, part)
    return marks


def _in_reading_order(marks: list[Mark]) -> list[Mark]:
    """The entries, sorted by place; labels without a place stay in front of the next entry."""
    groups: list[list[Mark]] = []
    waiting: list[Mark] = []
    for mark in marks:
        waiting.append(mark)
        if mark.start >= 0:
            groups.append(waiting)
            waiting = []
    return [mark for group in sorted(groups, key=lambda group: group[-1].start) for mark in group]


def _has_only_headings(page: _Page) -> bool:
    headings = [e for e in page.root.iter("{*}*") if name_of(e) in ("h1", "h2", "h3", "h4", "h5", "h6", "hgroup")]
    outer = [e for e in headings if not any(name_of(around) == "hgroup" for around in e.iterancestors())]
    return sum(count_words(" ".join(e.itertext())) for e in outer) >= page.words


def _is_part(page: _Page, place: Place, has_children: bool) -> bool:
    if page.is_part or (has_children and page.words <= _MOST_PART and _has_only_headings(page)):
        return True
    return has_children and place[1] in page.part_names
