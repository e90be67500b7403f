"""HTML files: articles without what stands around them, and whole books."""

from pathlib import Path

import pytest

from tests.books import outline, read_page, read_text, reasons, spoken
from triforce_tts.errors import TextError

WORDS = "<p>" + "The lamp was lit before nine. " * 10 + "</p>"
ARTICLE = f"""<!doctype html><html lang="en"><head><title>Lamps | Gazette</title><meta name="author" content="Ada N.">
<meta property="og:title" content="Lamps"></head><body><div class="cookie-banner">We use cookies.</div>
<header><nav><a href="/">Home</a></nav></header><main><article><h1>Lamps</h1><p class="byline">By Ada</p>
<div class="share"><a href="#">Tweet</a></div>{WORDS}<aside><p>Buy now!</p></aside><h2>More</h2>{WORDS}
<p class="related">Related: x</p></article></main><section id="comments"><p>Great!</p></section><footer>All rights</footer>
</body></html>"""


def test_an_article_is_one_chapter_without_what_stands_around_it(tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.html", ARTICLE)
    assert [chapter.title for chapter in book.chapters] == ["Lamps"]
    assert [block.text[:8] for block in book.blocks()] == ["Lamps", "The lamp", "More", "The lamp"]
    assert set(reasons(book)) == {"document title", "outside the article"}
    assert (book.about.title, book.about.author, book.about.language) == ("Lamps", "Ada N.", "en")


def test_a_book_is_divided_by_its_headings(tmp_path: Path) -> None:
    body = f"<h1>The Sea</h1><h2>One</h2>{WORDS}<h2>Two</h2>{WORDS}"
    assert [title for title, _ in outline(read_text(tmp_path, "x.htm", f"<html><body>{body}</body></html>"))] == [
        "One",
        "Two",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_encoding_is_that_of_the_page(encoding: str, tmp_path: Path) -> None:
    text = f'<html><head><meta charset="{encoding}"></head><body><p>Café</p></body></html>'
    assert spoken(read_text(tmp_path, "x.html", text.encode(encoding))) == ["Café"]


def test_broken_html_is_read(tmp_path: Path) -> None:
    assert spoken(read_text(tmp_path, "x.html", "<p>One<p>Two <b>three<ul><li>Four")) == ["One", "Two three", "Four"]


def test_elements_too_deep_to_be_read_whole_are_one_line(tmp_path: Path) -> None:
    deep = "<div>" * 5000 + "deep" + "</div>" * 5000
    with pytest.raises(TextError, match="more than 255 deep"):
        read_text(tmp_path, "y.html", f"<p>It.</p>{deep}")
    with pytest.raises(TextError, match="more than 255 deep"):
        read_page(tmp_path, f"<p>It.</p>{deep}")
