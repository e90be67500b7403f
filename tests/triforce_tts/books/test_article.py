"""The article of a page: its words, title, author and date, without what stands around it."""

import pytest

from tests.books import spoken
from triforce_tts.books.article import read_article
from triforce_tts.books.chapters import ReadOptions
from triforce_tts.errors import TextError

TEXTS = [
    "The river had been rising since the morning, and by noon it had reached the steps of the old mill.",
    "Nobody in the village could remember such a flood, although the oldest of them had seen ninety winters.",
    "They carried the flour to the loft, sack by sack, and waited there until the water fell in the night.",
]
PAGE = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The Flood | Gazette</title>
<meta property="og:title" content="The Flood"><meta name="author" content="Ann Poe">
<meta property="article:published_time" content="1899-03-02T10:00:00Z"></head><body>
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/x">Zebras</a></li></ul></nav></header>
<main><article><h1>The Flood</h1><p>{TEXTS[0]}</p><h2>At night</h2><p>{TEXTS[1]}</p><p>{TEXTS[2]}</p></article></main>
<div id="cookie-banner" role="dialog"><p>We use cookies.</p></div>
<section class="comments"><h3>Comments</h3><p>Bob: I was there too.</p></section>
<footer>All rights reserved.</footer></body></html>"""


def test_an_article_is_one_chapter_with_title_author_and_date() -> None:
    book = read_article(PAGE.encode(), "https://gazette.example/flood", ReadOptions())
    assert spoken(book) == ["The Flood", TEXTS[0], "At night", *TEXTS[1:]]
    assert (book.about.title, book.about.author, book.about.date) == ("The Flood", "Ann Poe", "1899-03-02")
    assert [chapter.title for chapter in book.chapters] == ["The Flood"]
    assert any("outside the article" in remark for remark in book.remarks)


def test_other_codings_and_a_body_without_its_title() -> None:
    page = PAGE.replace("<h1>The Flood</h1>", "").replace("rising", "rising “é”").replace('<meta charset="utf-8">', "")
    for coding, header in (("cp1252", ""), ("cp1252", "nonsense"), ("utf-16", "utf-16"), ("utf-8-sig", "")):
        book = read_article(page.encode(coding), "https://gazette.example/flood", ReadOptions(), header)
        assert spoken(book)[:2] == ["The Flood", TEXTS[0].replace("rising", "rising “é”")]


@pytest.mark.parametrize(
    ("page", "what"),
    [
        ("", "HTML"),
        ("<html></html>", "no article"),
        ("<html><body><nav><a href='/'>Home</a></nav></body></html>", "no article"),
        ("<b>" * 1_000_001, "more than 1000000 elements"),
        ("<div>" * 5000 + "text", "255 deep"),
        ("\x00\x01\x02", "HTML|no article"),
    ],
)
def test_a_page_without_an_article_is_one_line(page: str, what: str) -> None:
    with pytest.raises(TextError, match=what) as caught:
        read_article(page.encode(), "https://gazette.example/flood", ReadOptions())
    assert "\n" not in str(caught.value)
