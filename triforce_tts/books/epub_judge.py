"""Which pages of an epub are spoken: what is known of a page, and the rules by which one is left out."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from .chapters import About, Reason, count_words, letters
from .contents import Contents
from .draft import clean
from .epub import resolve
from .html_rules import BACK_TYPES, FRONT_TYPES, HEADINGS, lines_of, name_of, types_of
from .numbered import numbered
from .outside import ADDRESS, IMPRINT, LICENSED, NOT_STORY, SIGN, STORY_SHARE, Section, is_no_story
from .title_pages import is_dedication

_CONTENTS_TYPES = frozenset(["toc", "loi", "lot", "loa", "lov", "index", "landmarks", "page-list"])
_SPOKEN_FRONT = frozenset(["dedication", "epigraph", "preface", "foreword", "introduction", "prologue", "preamble", "acknowledgments", "acknowledgements", "dramatis-personae"])  # fmt: skip
_SPOKEN_BACK = frozenset(["afterword", "appendix", "epilogue", "conclusion", "acknowledgments", "acknowledgements", "glossary", "bibliography", "postscript", "chapter", "part"])  # fmt: skip
# Programs that make epubs give such a type to the page about the author, because there is none of its own.
_UNSURE_BACK = frozenset(["afterword", "appendix"])
_PEOPLE_TITLE = re.compile(r"(?:a note )?about the (?:authors?|translators?|illustrators?|editors?)", re.IGNORECASE)
_NO_STORY = re.compile(
    r"^(?:also|other (?:books|titles|works)|more|books) (?:by|from)\b|about the (?:author|publisher|translator)|advertisement|newsletter",
    re.IGNORECASE | re.MULTILINE,
)
_TITLE_PAGE = re.compile(r"(?:half[- ]?)?title(?:[- ]?page)?|cover(?: page)?", re.IGNORECASE)
_EXCERPT = re.compile(
    r"(?:read on for )?(?:an? )?(?:\w+ )?(?:excerpt|extract|preview|sneak peek|teaser)\b", re.IGNORECASE
)
_END_MATTER = re.compile(
    r"acknowledge?ments?|(?:end|foot)?notes|index|(?:select(?:ed)? )?bibliography|further reading|glossary|references",
    re.IGNORECASE,
)
_OUTER_LINK = re.compile(r"\s*(?:https?:|mailto:|www\.)", re.IGNORECASE)
_BY = re.compile(r"^(?:written )?by\s+", re.IGNORECASE)
# A line of a title page that is neither the title nor the author's name: a kind of book, another hand, or a house.
_TITLE_LINE = re.compile(
    r"(?:an? |and other |the )?(?:[\w-]+ )?(?:novel|novella|stor(?:y|ies)|poems?|tales?|memoir|play|essays?|edition|volume|book)\b"
    r"(?: (?:one|two|three|\w{1,4}))?"
    r"|(?:translated|illustrated|edited|with illustrations|introduced|introduction|foreword|from the \w+)\b.*|by|\d{4}",
    re.IGNORECASE,
)
_NAME_LINE = re.compile(
    r"(?:[^\W\d_a-z][\w'’.-]*|&|and|of|de|von|van)(?: (?:[^\W\d_a-z][\w'’.-]*|&|and|of|de|von|van)){0,4}"
)
_MOST_LICENCE = 60  # the most words of a page without a title that tells under which licence the book stands
_LICENCE_SHARE = 0.8  # the least share of its words that say so
_MOST_IMPRINT = 500  # the most words of a page of rights
_MOST_TITLE = 80  # the most words of a title page
_MOST_DEDICATION = 40  # the most words of a dedication that nothing but its first word shows
_MOST_TITLE_LINE = 12  # the most words of a line of one that the contents name by the title of the book
_LONG_LINE = 10  # a first line with more words is no title
_LEAST_LINKS = 3
# A page with a larger share of its words in links to other pages is a table of contents.
_LINKED = 0.6
_PARTS = frozenset(["part", "volume", "division"])
# The most words of a part's own page that are joined to the part's first chapter.
MOST_PART = 80


@dataclass(frozen=True)
class Page:
    """A page of the spine: its file, its root, the types of its body and outermost sections, and its lines."""

    name: str
    root: Any
    is_linear: bool
    types: set[str]
    lines: list[str]
    part_names: set[str]  # the identifiers of the elements that hold a part

    @cached_property
    def words(self) -> int:
        """The number of its words."""
        return sum(map(count_words, self.lines))

    @property
    def is_part(self) -> bool:
        """Whether the page is that of a part by its type, with at most a motto."""
        return self.words <= MOST_PART and bool(self.types & _PARTS)

    @cached_property
    def heading(self) -> str:
        """Its first heading, or nothing."""
        heading = next((e for e in self.root.iter("{*}*") if name_of(e) in ("h1", "h2", "h3")), None)
        return clean("".join(heading.itertext())) if heading is not None else ""

    @cached_property
    def title(self) -> str:
        """Its first heading, or else a short first line, above which signs such as "###" may stand."""
        first = next(filter(letters, self.lines), "")
        return self.heading or (first if count_words(first) <= _LONG_LINE else "")

    @property
    def has_only_headings(self) -> bool:
        """Whether all its words stand in headings."""
        headings = [e for e in self.root.iter("{*}*") if name_of(e) in (*HEADINGS, "hgroup")]
        outer = [e for e in headings if not any(name_of(around) == "hgroup" for around in e.iterancestors())]
        return sum(count_words(" ".join(e.itertext())) for e in outer) >= self.words


def page_of(name: str, root: Any, is_linear: bool) -> Page:
    """What is known of a page of the spine."""
    body = next(root.iter("{*}body"), root)
    types = types_of(body)
    inner = [child for child in body if name_of(child)]
    while len(inner) == 1 and name_of(inner[0]) in ("section", "div", "article", "main"):
        types |= types_of(inner[0])
        inner = [child for child in inner[0] if name_of(child)]
    parts = {element.get("id", "") for element in root.iter("{*}*") if types_of(element) & _PARTS}
    return Page(name, root, is_linear, types, lines_of(body), parts)


class Judge:
    """Decides which pages are not spoken: by types, roles, landmarks, guide and form, never by a title alone."""

    def __init__(self, about: About, contents: Contents, pages: list[Page]) -> None:
        self._about, self._contents = about, contents
        self._reasons: dict[str, Reason | None] = {}
        self._names = {page.name: number for number, page in enumerate(pages)}
        self._all_aside = not any(page.is_linear for page in pages)
        self._labels: dict[str, list[str]] = {}
        for entry in contents.entries:
            if entry.place:
                self._labels.setdefault(entry.place[0], []).append(entry.title)
        first = [self._names[name] for name in self._labels if name in self._names]
        begins = [place[0] for place, types in contents.landmarks.items() if "bodymatter" in types]
        self._body_page = min((self._names[name] for name in begins if name in self._names), default=0)
        self._story = self._find_story(pages)
        self._opens = max(min(first, default=-1), self._body_page, self._story[0])

    def is_front(self, page: Page) -> bool:
        """Whether a page stands before the main text."""
        fronts = {"frontmatter", "dedication", "epigraph", "preface", "foreword"}
        return bool(page.types & fronts) or self._names[page.name] < self._body_page

    def name_of_untitled(self, page: Page) -> str:
        """What a page without a heading is called: by its document title, or by its kind if that names the book or the file."""
        title = clean(" ".join("".join(t.itertext()) for t in page.root.iter("{*}title")))
        names_page = letters(title) not in ("", letters(self._about.title))
        is_file = title in (page.name, PurePosixPath(page.name).stem)
        return title if names_page and not is_file else kind_of_front(page) or title

    def reason(self, page: Page) -> Reason | None:
        """The reason why a page is not spoken."""
        if page.name not in self._reasons:
            self._reasons[page.name] = self._find_reason(page)
        return self._reasons[page.name]

    def _titles(self, page: Page) -> list[str]:
        """What the contents and the page itself call a page; one with several entries has no title of its own."""
        labels = self._labels.get(page.name, [])
        return [title for title in (*labels, page.title) if title] if len(labels) < 2 else []

    def _find_story(self, pages: list[Page]) -> tuple[int, int]:
        """The first and last page of the story: those with a number and the longest ones, up to an excerpt of another book.

        A new number behind a title such as "Extract from My Diary" shows that the story goes on there.
        """
        longest = max((page.words for page in pages), default=0)
        story: list[int] = []
        counts: set[str] = set()
        is_over = False
        for number, page in enumerate(pages):
            titles = self._titles(page)
            is_over = is_over or (bool(story) and any(_EXCERPT.match(title) for title in titles))
            own = {letters(SIGN.split(title)[0]) for title in titles if numbered(title) in ("part", "chapter")}
            is_counted = bool(own)
            if is_over and own & counts:
                break  # the numbers of another book begin again
            counts |= own
            is_long = page.words >= STORY_SHARE * longest and not any(
                pattern.fullmatch(title.strip(" .:!")) for title in titles for pattern in (*NOT_STORY, _END_MATTER)
            )
            if (is_counted or (is_long and not is_over)) and not page.types & (
                _CONTENTS_TYPES | FRONT_TYPES | BACK_TYPES
            ):
                story.append(number)
        return (story[0], story[-1]) if story else (0, len(pages))

    def _find_reason(self, page: Page) -> Reason | None:
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

    def _reason_by_place(self, page: Page, types: set[str]) -> Reason | None:
        labels = self._labels.get(page.name, [])
        if "backmatter" in types and not types & _SPOKEN_BACK:
            title = "\n".join((*labels[-1:], page.heading))
            if not labels or _NO_STORY.search(title):
                return "back matter"
        if "frontmatter" in types and not types & _SPOKEN_FRONT and not labels and page.words < _MOST_IMPRINT:
            return "front matter"
        return None

    def _reason_by_form(self, page: Page, types: set[str]) -> Reason | None:
        if types & (_SPOKEN_FRONT | (_SPOKEN_BACK - _UNSURE_BACK)):
            return None
        number = self._names[page.name]
        if types & _UNSURE_BACK and (number <= self._story[1] or not _PEOPLE_TITLE.fullmatch(page.title.strip(" .:!"))):
            return None
        place: Reason = "front matter" if number <= self._opens else "back matter"
        text = " ".join(page.lines)
        if page.words <= _MOST_IMPRINT and sum(bool(re.search(cue, text, re.IGNORECASE)) for cue in IMPRINT) > 1:
            return place
        if self._is_contents(page):
            return "navigation"
        if number < self._opens and self._is_title_page(page):
            return "front matter"
        is_outside = number < self._story[0] or number > self._story[1]
        if is_outside and not page.heading and page.words <= _MOST_LICENCE and _is_licence(page):
            return place
        return (
            place
            if is_outside
            and "bodymatter" not in types
            and is_no_story(self._titles(page), self._section(page, text), self._about)
            else None
        )

    def _section(self, page: Page, text: str) -> Section:
        return Section(page.lines, page.words, _has_address(page, text), page.name in self._labels)

    def _is_title_page(self, page: Page) -> bool:
        """Whether a small page names the book or its author, and the contents do not name it, or name it as such a page."""
        if page.words > _MOST_TITLE:
            return False
        labels = self._labels.get(page.name, [])
        has_title, has_author = (
            any(_names(page.lines, name) for name in names)
            for names in ((self._about.title,), self._about.author.split(", "))
        )
        if not labels or (len(labels) == 1 and _TITLE_PAGE.fullmatch(labels[0].strip())):
            return has_title or has_author
        names = (self._about.title, *self._about.author.split(", "))
        is_plain = all(
            count_words(line) <= _MOST_TITLE_LINE
            and (
                any(_names([line], name) for name in names)
                or letters(line) in letters(self._about.title)
                or bool(_TITLE_LINE.fullmatch(line.strip(" .,:()")) or _NAME_LINE.fullmatch(line))
            )
            for line in page.lines
        )
        is_named = len(labels) == 1 and letters(labels[0]) == letters(self._about.title)
        return is_named and is_plain and has_title and has_author

    def _is_contents(self, page: Page) -> bool:
        links = [
            link
            for link in page.root.iter("{*}a")
            if link.get("href") and resolve(page.name, link.get("href"))[0] in self._names
        ]
        others = [link for link in links if resolve(page.name, link.get("href"))[0] != page.name]
        linked = sum(count_words(" ".join(link.itertext())) for link in others)
        listed = sum(
            count_words(" ".join(nav.itertext())) for nav in page.root.iter("{*}nav") if types_of(nav) & _CONTENTS_TYPES
        )
        if listed and page.words - listed <= count_words(page.heading):
            return True
        return len(others) >= _LEAST_LINKS and linked > _LINKED * page.words


def kind_of_front(page: Page) -> str:
    """The kind of a page before the story, such as "Dedication", by its type or by the words that a dedication begins with."""
    kinds = sorted(page.types & _SPOKEN_FRONT)
    if not kinds and page.words <= _MOST_DEDICATION and page.lines and is_dedication(page.lines[0]):
        kinds = ["dedication"]
    return kinds[0].replace("-", " ").capitalize() if kinds else ""


def _has_address(page: Page, text: str) -> bool:
    """Whether a page holds a link out of the book, or an address of the web or of mail."""
    links = (link.get("href") or "" for link in page.root.iter("{*}a"))
    return bool(ADDRESS.search(text)) or any(_OUTER_LINK.match(link) for link in links)


def _names(lines: list[str], name: str) -> bool:
    """Whether a line, or several lines together, are a name: alone, behind "by", or before a sign such as a colon."""
    wanted = {letters(name), letters(SIGN.split(name)[0])} - {""}
    heads = [SIGN.split(_BY.sub("", line))[0] for line in lines]
    pairs = [line.partition(" by ") for line in lines]  # "The Lamp by Ada Nobody"
    heads += [part for title, _, author in pairs if _NAME_LINE.fullmatch(author) for part in (title, author)]
    runs = [" ".join(lines[first : first + count]) for first in range(len(lines)) for count in (2, 3, 4)]
    return any(letters(text) in wanted for text in (*lines, *heads, *runs))


def _is_licence(page: Page) -> bool:
    """Whether nearly all words of a page stand in a line that says under which licence the book stands."""
    own = sum(count_words(line) for line in page.lines if LICENSED.search(line))
    return own >= _LICENCE_SHARE * page.words > 0
