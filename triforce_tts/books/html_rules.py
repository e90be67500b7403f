"""The rules by which elements of a page are not read, or are read in another way than their text alone."""

import re
from collections.abc import Iterator
from typing import Any

from .chapters import Reason, has_letters, letters
from .notes import EPUB_TYPE, INLINE, MATHML, text_in

NOTE_ATTRIBUTE = "triforce-note"  # this attribute marks elements that were found to be the body of a note
MARK_ATTRIBUTE = "triforce-mark"  # this attribute marks numbers that were found to lead to a note
PERSONA_ATTRIBUTE = "triforce-persona"  # this attribute marks names that were found to begin speeches
HEADING_ATTRIBUTE = "triforce-heading"  # this attribute marks paragraphs that were found to be headings
# This attribute gives the reason why a rule for whole pages, or a style sheet, leaves an element out.
SKIP_ATTRIBUTE = "triforce-skip"
VERSE = frozenset(["verse", "poem", "poetry", "stanza", "song", "hymn", "lyrics", "poetry-container", "canto-verse", "linegroup", "line-group"])  # fmt: skip
VERSE_LINE = re.compile(r"(?:line|verse|l|ln|v|i\d+|(?:poem|verse)-?line)")
DIRECTIONS = frozenset(["stage-direction", "stagedirection", "stagedir", "stage-dir"])
CAPTIONS = frozenset(["caption", "figcaption", "legend"])
CELL_BLOCKS = frozenset(["p", "div", "ul", "ol", "dl", "table", "blockquote", "section", "h1", "h2", "h3", "h4", "h5"])
HEADINGS = {f"h{level}": level for level in range(1, 7)}
_DELETED = frozenset(["del", "s", "strike"])
_TITLE_TYPES = frozenset(["title", "subtitle", "bridgehead", "fulltitle", "label", "ordinal"])
_NOTE_TYPES = {f"{kind}{ending}" for kind in ("footnote", "endnote", "rearnote") for ending in ("", "s")}
_NOTE_CLASSES = frozenset(["footnote", "footnotes", "endnote", "endnotes", "rearnote", "rearnotes", "fnote"])
# Notes of the margin also stand inside a line.
_MARGIN_CLASSES = frozenset(["sidenote", "sidenotes", "side-note", "marginnote", "margin-note", "marginalia"])
_NAVIGATION_TYPES = frozenset(
    ["toc", "toc-brief", "landmarks", "loi", "lot", "loa", "lov", "page-list", "pagelist", "index"]
)
FRONT_TYPES = frozenset(["titlepage", "halftitlepage", "halftitle", "copyright-page", "imprint", "imprimatur", "cover"])
_FRONT_SECTIONS = frozenset(["frontmatter", "dedication", "epigraph", "preface", "foreword"])
_KEPT_IN_FRONT = frozenset(["dedication", "epigraph"])  # these are read, also on a title page
BACK_TYPES = frozenset(["colophon", "credits", "other-credits"])
_NAMES: dict[str, Reason] = {
    "script": "code",
    "style": "code",
    "template": "hidden",
    "nav": "navigation",
    "rp": "ruby",
    "svg": "drawing",
    "select": "form",
    "textarea": "form",
    "button": "form",
    "datalist": "form",
    "audio": "hidden",
    "canvas": "hidden",
    "meter": "hidden",
    "progress": "hidden",
    "video": "hidden",
    "iframe": "hidden",
    "noscript": "hidden",
    "object": "hidden",
    "head": "document title",
    "annotation": "formula",
    "annotation-xml": "formula",
}
_WITHIN = frozenset(["rt", "rtc", "rp", "wbr", "br", "mi", "mn", "mo", "mtext", "mrow", "msup", "msub", "msubsup", "mfrac", "msqrt", "mroot", "mover", "munder", "munderover", "mfenced", "mstyle", "semantics"])  # fmt: skip
_RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_LOWERED = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")
_DIGITS = re.compile(r"[+\-−]?\d+")
_NOT_SHOWN = re.compile(r"(?:^|;)\s*display\s*:\s*none", re.IGNORECASE)
_NOT_VISIBLE = re.compile(r"(?:^|;)\s*visibility\s*:\s*hidden", re.IGNORECASE)
_VISIBLE = re.compile(r"(?:^|;)\s*visibility\s*:\s*visible", re.IGNORECASE)
# Numbers of pages, and of lines of verse.
_PAGE_CLASSES = frozenset(
    [
        *("pagenum", "pagenumber", "page-number", "pageno", "pagebreak", "page-break", "page_number"),
        *("linenum", "linenumber", "line-number", "lineno", "line-num", "line_number", "lnum", "linenr", "line-no"),
    ]
)
_PAGE = re.compile(r"[\[({]?\s*(?:p(?:g|age)?\.?\s*)?(?:\d{1,5}|[ivxlc]{1,8})\s*[\])}]?", re.IGNORECASE)
_MARK = re.compile(
    r"[\[({]?\s*(?:(?:note|fn|n)\.?\s*)?(?:\d{1,4}|[⁰¹²³⁴-⁹]{1,4}|[a-z]|[ivxl]{1,7}|[*†‡§¶#]+)(?:\s*[,–-]\s*\d{1,4})*\s*[\])}]?[.:]?",
    re.IGNORECASE,
)
_RAISED_NUMBER = re.compile("[⁰¹²³⁴-⁹]{1,4}")
_BACK_LINK = re.compile(r"[\s\[(]*(?:↩\ufe0e?|↑|⏎|\^|back|return)[\s\])]*", re.IGNORECASE)
_SOME_LINES = 2  # a paragraph with so many line ends is verse or a letter
_CONTENTS_CLASSES = frozenset(["toc", "tableofcontents", "table-of-contents", "contents"])
_WORDS_CONTENTS = re.compile(r"msotoc(?:\d|heading)")  # the classes of contents that Word exports
_LEAST_LINKED = 0.6  # the least share of the letters of a list of contents that stands in links
_TRANSCRIBER = frozenset(["transnote", "transnotes", "transcriber-note", "transcriber-notes", "transcribers-note", "transcribers-notes", "transcribernote", "tnote", "tnotes"])  # fmt: skip
# What MediaWiki, such as Wikipedia, sets around an article and into it: links to edit a section, boxes of links, complaints.
_MEDIAWIKI = frozenset(["mw-editsection", "mw-jump-link", "mw-indicators", "mw-portlet", "vector-menu", "navbox", "catlinks", "ws-noexport", "hatnote", "printfooter", "ambox", "inline-template"])  # fmt: skip
_OUTWARD = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_GUTENBERG = ("pg-header", "pg-footer", "pg-boilerplate", "pgheader", "pgfooter", "pg-machine-header")


def name_of(element: Any) -> str:
    """The name of an element without its namespace, in small letters; nothing for a comment."""
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def types_of(element: Any) -> set[str]:
    """The structural types and roles of an element, without prefixes such as ``doc-`` and ``z3998:``."""
    types = element.get(EPUB_TYPE) or element.get("epub:type", "")
    words = f"{types} {element.get('role', '')}".lower().split()
    return {word.removeprefix("doc-").rpartition(":")[2] for word in words}


def classes_of(element: Any) -> set[str]:
    """The classes of an element."""
    return set(element.get("class", "").lower().split())


def has_heading(element: Any) -> bool:
    """Whether an element holds a heading, or is one."""
    return next(element.iter(*(f"{{*}}{name}" for name in HEADINGS)), None) is not None


def is_block(element: Any, name: str) -> bool:
    """Whether the element is a block: its words and those of its neighbours are never one word."""
    return bool(name) and name not in INLINE and name not in _WITHIN and not element.tag.startswith(MATHML)


def skip_reason(element: Any, name: str) -> Reason | None:
    """The reason why an element is not read, whatever is around it."""
    if element.get(SKIP_ATTRIBUTE) == "outside the article":
        return "outside the article"
    if element.get(SKIP_ATTRIBUTE) == "pull quote":
        return "pull quote"
    if element.get(SKIP_ATTRIBUTE) == "navigation":
        return "navigation"
    if name in _NAMES:
        return _NAMES[name]
    if (
        element.get("hidden") is not None
        # Pandoc hides the caption of a picture from those who hear its description, which is not read.
        or (element.get("aria-hidden", "").lower() == "true" and name != "figcaption")
        or element.get(SKIP_ATTRIBUTE) == "hidden"
        or (name == "dialog" and element.get("open") is None)
        or _is_not_shown(element)
    ):
        return "hidden"
    if name == "pre" and any(name_of(child) == "code" for child in element) and not (element.text or "").strip():
        return "code"
    if name == "pre" and _is_coloured(element):
        return "code"
    types = types_of(element)
    classes = classes_of(element)
    if "pagebreak" in types or (classes & _PAGE_CLASSES and _PAGE.fullmatch(text_in(element))):
        return "page number"
    if any(mark in classes or element.get("id", "") == mark for mark in _GUTENBERG):
        return "Gutenberg footer" if "foot" in f"{element.get('id', '')} {classes}" else "Gutenberg header"
    if any(map(_WORDS_CONTENTS.fullmatch, classes)) or classes & _MEDIAWIKI:
        return "navigation"
    if types & _NAVIGATION_TYPES or (classes & _CONTENTS_CLASSES and is_linked(element)):
        return "navigation"
    if classes & _TRANSCRIBER and is_block(element, name):
        return "transcriber's note"
    if types & FRONT_TYPES and name not in ("img", "figure", "span", "a", "p"):
        return "front matter"
    if types & BACK_TYPES and name not in ("span", "a", "p"):
        return "back matter"
    if "backlink" in types or (name == "a" and element.get("href") and _BACK_LINK.fullmatch(text_in(element))):
        return "mark of a note"
    return None


_LONGEST_OF_COLOUR = 3  # characters of the class of a coloured word


def _is_coloured(element: Any) -> bool:
    """Whether a program that colours code wrote an element: each part of a line stands in an element of its own."""
    parent = element.getparent()
    around = classes_of(element) | (classes_of(parent) if parent is not None else set())
    parts = [child for child in element.iter("{*}span") if (child.text or "").strip()]
    # Such programs have classes of a few letters: "k" for a keyword, "nb" for a name.
    is_marked = any(0 < len(part.get("class", "")) <= _LONGEST_OF_COLOUR for part in parts)
    return "highlight" in around and is_marked


def _is_not_shown(element: Any) -> bool:
    """Whether an element's own style hides it, and no style inside it makes a part visible again."""
    style = element.get("style", "")
    if _NOT_SHOWN.search(style):
        return True
    return bool(_NOT_VISIBLE.search(style)) and not any(
        _VISIBLE.search(inner.get("style", "")) for inner in element.iterdescendants("{*}*")
    )


def is_inward(link: Any) -> bool:
    """Whether a link leads to a place in the book, as far as its address tells."""
    address = link.get("href")
    return bool(address) and not _OUTWARD.match(address.strip())


def is_linked(element: Any) -> bool:
    """Whether an element holds at least two links to places in the book, and few words beside them."""
    links = [letters(text_in(link)) for link in element.iter("{*}a") if is_inward(link)]
    linked = sum(map(len, links))
    return sum(map(bool, links)) > 1 and linked >= _LEAST_LINKED * len(letters(text_in(element)))


def is_note_body(element: Any, name: str) -> bool:
    """Whether an element holds a note, or notes."""
    if element.get(NOTE_ATTRIBUTE) is not None:
        return True
    if name in ("a", "sup"):
        return False
    return bool(types_of(element) & _NOTE_TYPES or classes_of(element) & _MARGIN_CLASSES) or (
        is_block(element, name) and bool(classes_of(element) & _NOTE_CLASSES) and name != "body"
    )


def is_note_mark(element: Any, name: str) -> bool:
    """Whether an element is the mark of a note, by its type or its form; a link of words is read, whatever its type."""
    text = text_in(element)
    if name == "a":
        if element.get(MARK_ATTRIBUTE) is not None and bool(_MARK.fullmatch(text)):
            return True
        if "noteref" in types_of(element):
            return bool(_MARK.fullmatch(text)) or not has_letters(text)
        if not element.get("href"):
            return False
        raised = [text_in(part) for part in element.iter("{*}sup")]
        marked = text[:1] + text[-1:] in ("[]", "()", "{}") or not has_letters(text) or _RAISED_NUMBER.fullmatch(text)
        return bool(_MARK.fullmatch(text)) and (text in raised or bool(marked))
    if name == "sup":
        links = [link for link in element.iter("{*}a") if link.get("href")]
        return bool(_MARK.fullmatch(text)) if links else bool(re.fullmatch(r"[*†‡§¶]+", text))
    return name == "span" and "noteref" in types_of(element) and bool(_MARK.fullmatch(text))


def source_parts(element: Any, *, described: bool = True) -> Iterator[str]:
    """All text that an element holds, in order: text, comments, and descriptions of pictures and formulas.

    Blocks are set apart by line feeds. Without ``described`` the element's own description is left out.
    """
    from lxml import etree

    for event, node in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        name = name_of(node)
        if is_block(node, name):
            yield "\n"
        if event == "start" and (described or node is not element):
            yield node.get("alt", "") if name == "img" else node.get("alttext", "") if name == "math" else ""
        if event == "comment" or (event == "start" and name):
            yield node.text or ""
        if event != "start" and node is not element:
            yield node.tail or ""


def lines_of(element: Any) -> list[str]:
    """The text of an element as lines, one for each block, without comments and scripts."""
    from lxml import etree

    parts: list[str] = []
    hidden = 0
    for event, node in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        name = name_of(node)
        if name in ("script", "style", "head"):
            hidden += 1 if event == "start" else -1
        if hidden == 0:
            parts.append("\n" if name == "br" or is_block(node, name) else "")
            parts.append((node.text if event == "start" else node.tail if node is not element else "") or "")
    return [line for line in (" ".join(line.split()) for line in "".join(parts).split("\n")) if line]


def has_lines(element: Any) -> bool:
    """Whether a paragraph is divided into lines, as a letter's address is."""
    return sum(1 for _ in element.iter("{*}br")) >= _SOME_LINES


def is_single_note(element: Any) -> bool:
    """Whether an element is one note that a mark can lead to."""
    typed = types_of(element) & {"footnote", "endnote", "rearnote"} and element.get("id")
    return bool(typed) or bool(element.get(NOTE_ATTRIBUTE))


def raised_digits(element: Any) -> str:
    """The number that a ``sup`` or ``sub`` holds, in raised or lowered digits; nothing if it holds anything else."""
    text = (element.text or "").strip() if len(element) == 0 else ""
    return text.translate(_RAISED if name_of(element) == "sup" else _LOWERED) if _DIGITS.fullmatch(text) else ""


def whole_number(text: str | None) -> int | None:
    """The number that an attribute holds, if it holds one."""
    return int(text) if text and re.fullmatch(r"-?\d{1,6}", text.strip()) else None


def begins_front(element: Any, name: str) -> bool:
    """Whether an element holds what stands before the main text: by its type, if it is a section and no part of one."""
    return name in ("body", "section", "article", "main") and bool(types_of(element) & _FRONT_SECTIONS)


def kept_parts(element: Any, reason: Reason) -> list[Any]:
    """The mottos and dedications in a title page, which are read although the page is not."""
    if reason != "front matter":
        return []
    found = [part for part in element.iter("{*}*") if part is not element and types_of(part) & _KEPT_IN_FRONT]
    return [part for part in found if not any(up in found for up in part.iterancestors())]


def is_replacement(element: Any) -> bool:
    """Whether an ``ins`` stands directly behind text that was deleted: both are words of their own."""
    before = element.getprevious()
    while before is not None and not name_of(before) and not before.tail:
        before = before.getprevious()  # a comment
    return before is not None and not before.tail and name_of(before) in _DELETED


def is_title(element: Any, name: str, types: set[str]) -> bool:
    """Whether a paragraph is a heading: by its type, because it was found to be one, or because it stands beside one."""
    if types & _TITLE_TYPES or element.get(HEADING_ATTRIBUTE) is not None:
        return True
    parent = element.getparent()
    group = name_of(parent) if parent is not None else ""
    is_beside = group == "hgroup" or (group == "header" and any(name_of(child) in HEADINGS for child in parent))
    return name == "p" and is_beside


def is_whole_heading(picture: Any) -> bool:
    """Whether a heading holds a picture and no words."""
    heading = picture
    while heading is not None and name_of(heading) not in HEADINGS:
        heading = heading.getparent()
    return heading is not None and not has_letters("".join(heading.itertext()))


def is_speaker(element: Any, name: str) -> bool:
    """Whether an element is the name of a speaker of a play, which stands by itself or opens a paragraph."""
    is_told = "persona" in types_of(element) or element.get(PERSONA_ATTRIBUTE) is not None
    if not is_told or not has_letters(text_in(element)):
        return False
    parent = element.getparent()
    return is_block(element, name) or (
        parent is not None
        and is_block(parent, name_of(parent))
        and not (parent.text or "").strip()
        and element.getprevious() is None
    )
