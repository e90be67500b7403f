"""Reads the article of a web page: trafilatura finds its body, title, author and date among menus and advertisements."""

import re
from dataclasses import replace
from typing import Any

from triforce_tts.errors import TextError, TriforceError
from triforce_tts.wording import counted, printable

from .chapters import About, ChapterBook, ReadOptions, count_words
from .division import assemble, heading_marks
from .draft import Draft, clean
from .encodings import page_bytes
from .html_blocks import PageReader
from .html_file import MOST_TAGS, html_root
from .html_rules import source_parts

_DATE = re.compile(r"\s*([0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))(?![0-9])")
_DATES = ("article:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.date", "pubdate")
_STATED = re.compile(r"\"datePublished\"\s*:\s*\"([^\"]{8,40})\"")  # the date in JSON-LD
_LEAST_WORDS = 10  # a page with fewer words is no article


def read_article(content: bytes, url: str, options: ReadOptions, charset: str = "") -> ChapterBook:
    """The article of a page as a book of one chapter; a remark counts the words around it.

    Raises:
        TextError: the page is no HTML, is larger or deeper than any article, or has no article.
        TriforceError: trafilatura is not installed.
    """
    try:
        from trafilatura import extract
    except ImportError as error:
        raise TriforceError("articles need trafilatura: pip install 'triforce-tts[web]'") from error
    text = page_bytes(content, url, charset).decode("utf-8", "replace")
    if text.count("<") > MOST_TAGS:
        raise TextError(f"{url}: it has more than {MOST_TAGS} elements, which no article has")
    page = html_root(text.encode(), url)
    about = _about(page, text, url)
    body = extract(
        text, url=url, output_format="html", include_comments=False, include_tables=True, include_formatting=True
    )
    words = count_words(" ".join(page.itertext()))
    if not body or count_words(_plain(body)) < _LEAST_WORDS:
        raise TextError(
            f"{url}: no article was found among the {counted(words, 'word')} of the page; save it and give its text as .txt"
        )
    root = html_root(body.encode(), url)
    _title_first(root, about.title)
    source = "".join(source_parts(root))
    draft = Draft()
    PageReader(draft, options).read("article", root)
    book = assemble(draft, heading_marks(draft)[:1], options, about, source, url)
    return _remarked(book, words)


def _remarked(book: ChapterBook, words: int) -> ChapterBook:
    around = words - sum(chapter.words for chapter in book.chapters)
    remark = f"{counted(max(0, around), 'word')} of the page, such as menus and scripts, are outside the article."
    return replace(book, remarks=(*book.remarks, remark))


def _plain(body: str) -> str:
    return re.sub(r"<[^>]*>", " ", body)


def _about(page: Any, text: str, url: str) -> About:
    from trafilatura.metadata import extract_metadata

    metas = {
        (m.get("property") or m.get("name") or m.get("itemprop") or "").lower(): m.get("content") or ""
        for m in page.iter("meta")
    }
    stated = [metas.get(name, "") for name in _DATES]
    stated += [match[1] for match in _STATED.finditer(text)]
    stated += [e.get("datetime") or "" for e in page.iter("time")]
    date = next((match[1] for value in stated if (match := _DATE.match(value))), "")
    metadata = extract_metadata(page, default_url=url, extensive=False)
    heading = next((clean("".join(e.itertext())) for e in page.iter("h1")), "")
    title = (
        (metadata.title if metadata else "")
        or heading
        or next((clean("".join(e.itertext())) for e in page.iter("title")), "")
    )
    author = (metadata.author if metadata else "") or metas.get("author", "")
    return About(
        printable(title), printable(author.replace(";", ",")), page.get("lang", ""), url,
        date=date or (metadata.date if metadata else "") or "",
    )  # fmt: skip


def _title_first(root: Any, title: str) -> None:
    """Set the title above a body that does not begin with it."""
    from lxml import etree

    body = next(root.iter("body"), root)
    if title and not any(clean("".join(e.itertext())).casefold() == title.casefold() for e in body.iter("h1", "h2")):
        heading = etree.Element("h1")
        heading.text = title
        body.insert(0, heading)
