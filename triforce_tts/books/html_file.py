"""Reads an HTML file into chapters: a book, or the article of a page without the menus and advertisements around it."""

from pathlib import Path
from typing import Any

from triforce_tts.errors import TextError
from triforce_tts.files import read_file
from triforce_tts.text.phonemes import Lexicon

from .article_marks import is_around, withdraw_byline, withdraw_links
from .chapter_links import mark_chapter_links
from .chapters import ChapterBook, ReadOptions, count_words
from .division import assemble, heading_marks, with_title_above
from .draft import Draft
from .encodings import page_bytes
from .gutenberg import stated_in_header
from .html_about import about_of_page
from .html_blocks import PageReader
from .html_rules import HEADINGS, SKIP_ATTRIBUTE, classes_of, has_heading, name_of, source_parts
from .html_typed import typed_text, unwrap_prose
from .listings import is_of_gutenberg, withdraw_listings, withdraw_pages, without_withdrawn
from .mathml import write_signs
from .note_index import mark_notes
from .notes import text_in
from .outside import withdraw_outside
from .paragraph_headings import mark_titles, name_paragraphs
from .plain import read_typed
from .plain_headings import kind_of
from .pull_quotes import mark_pull_quotes
from .styles import mark_hidden, sheets_in
from .title_pages import withdraw_printer, withdraw_title_page
from .typed_speakers import mark_speakers

MOST_BYTES = 50_000_000  # the largest file, in bytes
MOST_TAGS = 1_000_000  # the most elements; each takes 200 bytes of memory
_LEAST_EQUAL = 0.4  # the least share of the words of the longest article that makes another one its equal
_LEAST_CHAPTERS = 2  # so many headings such as "Chapter 1" divide what looks like an article
_MOST_AROUND = 0.5  # what holds a larger share of the letters is the text, whatever its class
_POST_CLASSES = frozenset(["hentry", "post", "blog-post", "blogpost", "single-post"])
_LEAST_SHARE = 0.3  # the least share of a page's words in what is taken for its article
_MOST_BESIDE = 0.3  # the most words beside a single post that are in no menu, in parts of its own


def read_html(path: Path, options: ReadOptions) -> ChapterBook:
    """The chapters of an HTML file.

    Raises:
        TextError: the file cannot be read, is larger than any book, is no HTML, or has no words.
    """
    root = html_root(read_file(path, MOST_BYTES), str(path))
    source = "".join(source_parts(root))
    about = stated_in_header(source, about_of_page(root, path))
    article = _article(root)
    _mark_outside(root, article)
    mark_hidden(root, [text for address, text in sheets_in(root) if not address])
    mark_pull_quotes(root)
    mark_chapter_links(root)
    write_signs(root)
    if (typed := typed_text(root)) is not None:
        return read_typed(typed.text, path, options, about, typed.aside)
    unwrap_prose(root, Lexicon())
    mark_notes([(path.name, root)], unlinked=options.notes == "skip")
    mark_titles([root])
    mark_speakers([root])
    draft = Draft()
    PageReader(draft, options).read(path.name, root)
    name_paragraphs(draft)
    gone = withdraw_listings(draft)
    withdraw_printer(draft)
    if article is not None:
        withdraw_byline(draft, about)
        withdraw_links(draft)
    else:
        gone |= withdraw_title_page(draft, about, is_gutenberg=is_of_gutenberg(draft))
    withdraw_pages(draft, set())
    marks = heading_marks(draft, titled=True) if article is None or _has_chapters(draft) else heading_marks(draft)[:1]
    marks = without_withdrawn(draft, marks, gone)
    marks = without_withdrawn(draft, marks, withdraw_outside(draft, marks, about))
    marks = with_title_above(draft, marks)
    return assemble(draft, marks, options, about, source, str(path))


def html_root(data: bytes, where: str) -> Any:
    """The root of a page, parsed within the limits; messages name it as ``where``.

    Raises:
        TextError: the page is no HTML, or has more or deeper elements than any book.
    """
    from lxml import etree, html

    if data.count(b"<") > MOST_TAGS:
        raise TextError(f"{where}: it has more than {MOST_TAGS} elements, which no book has")
    try:
        parser = html.HTMLParser(encoding="utf-8", no_network=True)
        root = html.document_fromstring(page_bytes(data, where), parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise TextError(f"{where}: expected HTML, cannot read it ({error}); give the text as .txt") from error
    limits = [error.message for error in parser.error_log if error.type_name == "ERR_RESOURCE_LIMIT"]
    if any("depth" not in message for message in limits):
        raise TextError(f"{where}: it has a text without any element that is longer than a book; give the text as .txt")
    if limits:
        raise TextError(f"{where}: it has elements more than 255 deep, which no book has; give the text as .txt")
    return root


def _has_chapters(draft: Draft) -> bool:
    """Whether headings count chapters; an article is one chapter, whatever headings it has."""
    heads = [block.text for block in draft.blocks if block.kind == "heading" and not block.is_empty]
    return sum(kind_of(text) == "chapter" for text in heads) >= _LEAST_CHAPTERS


def _article(root: Any) -> Any:
    """The element that holds the page's article: the longest ``article``, else ``main``, else the post of a blog; None for a book."""
    body = next(root.iter("body"), root)
    words = count_words(" ".join(body.itertext()))
    articles = [
        e for e in root.iter("article") if not any(name_of(a) in ("aside", "article") for a in e.iterancestors())
    ]
    mains = [e for e in root.iter("*") if _is_main(e) and not any(map(_is_main, e.iterancestors()))]
    for candidates in (articles, mains, _single_post(body)):
        if not candidates:
            continue
        sizes = sorted(((count_words(" ".join(e.itertext())), n) for n, e in enumerate(candidates)), reverse=True)
        own, others = sizes[0][0], [size for size, _ in sizes[1:]]
        # Several long ones are the chapters of a book, or the entries of a diary.
        is_single = own >= sum(others) and all(size < _LEAST_EQUAL * own for size in others)
        if own >= _LEAST_SHARE * words and is_single:
            return candidates[sizes[0][1]]
    return None


def _single_post(body: Any) -> list[Any]:
    """The post of a blog that the page consists of; nothing if there are several posts, chapters beside it, or much other prose."""
    posts = [
        e
        for e in body.iter("div", "section")
        if classes_of(e) & _POST_CLASSES and not any(classes_of(a) & _POST_CLASSES for a in e.iterancestors())
    ]
    if len(posts) != 1:
        return []
    post, beside = posts[0], 0
    most_letters = len("".join(body.itertext()))
    for inner in (post, *post.iterancestors()):
        if inner is body:
            break
        for sibling in inner.getparent():
            if sibling is inner or not name_of(sibling) or is_around(sibling, most_letters):
                continue
            if any(kind_of(text_in(e)) in ("chapter", "named") for e in sibling.iter(*HEADINGS)):
                return []
            beside += count_words(text_in(sibling))
    return [] if beside > _MOST_BESIDE * count_words(text_in(post)) else posts


def _is_main(element: Any) -> bool:
    return name_of(element) == "main" or (name_of(element) != "" and element.get("role") == "main")


def _mark_outside(root: Any, article: Any) -> None:
    """Set an attribute on the elements around the article, and on those that interrupt it."""
    body = next(root.iter("body"), root)
    if article is not None:
        inner, above = article, _title_above(body, article)
        while inner is not body and inner.getparent() is not None:
            parent = inner.getparent()
            for sibling in parent:
                if sibling is not inner and name_of(sibling) not in ("", "head") and not _is_title(sibling, article):
                    _skip_around(sibling, above)
            inner = parent
    scope = article if article is not None else body
    most_letters = _MOST_AROUND * len("".join(scope.itertext()))
    title = next(scope.iter(*HEADINGS), None)
    for element in scope.iter("*"):
        if not isinstance(element.tag, str) or element is body or element is article:
            continue
        if is_around(element, most_letters, title):
            element.set(SKIP_ATTRIBUTE, "outside the article")


def _title_above(body: Any, article: Any) -> Any:
    """The heading before an article that has none: of the highest level the last one, and none of a menu; None if there is none."""
    if has_heading(article):
        return None
    before: list[Any] = []
    most_letters = len("".join(body.itertext()))
    for element in body.iter(*HEADINGS, article.tag):
        if element is article:
            break
        around = (one for one in (element, *element.iterancestors()) if one is not body)
        if name_of(element) in HEADINGS and not any(is_around(one, most_letters) for one in around):
            before.append(element)
    highest = min(map(name_of, before), default="")
    return next((element for element in reversed(before) if name_of(element) == highest), None)


def _is_title(element: Any, article: Any) -> bool:
    """Whether an element is or holds an h1 before an article that has none."""
    if any(True for _ in article.iter("h1")):
        return False
    return name_of(element) == "h1" or (name_of(element) == "header" and any(True for _ in element.iter("h1")))


def _skip_around(element: Any, title: Any) -> None:
    """Set the attribute on an element outside the article; of one that holds the ``title`` of the article on all but that."""
    if title is not None and element in title.iterancestors():
        for child in element:
            if name_of(child):
                _skip_around(child, title)
    elif element is not title:
        element.set(SKIP_ATTRIBUTE, "outside the article")
