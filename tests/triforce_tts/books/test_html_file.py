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


def test_links_and_boxes_of_wikipedia_are_silent(tmp_path: Path) -> None:
    page = (
        "<h1>Hull</h1><h2>History<span class='mw-editsection'>[<a href='#'>edit</a>]</span></h2>"
        "<p>It is old.<sup class='noprint Inline-Template'>[<i><a href='#'>citation needed</a></i>]</sup></p>"
        "<div class='navbox'><a href='#'>York</a></div>"
    )
    assert spoken(read_text(tmp_path, "x.html", page)) == ["Hull", "History", "It is old."]


def test_an_article_is_one_chapter_without_what_stands_around_it(tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.html", ARTICLE)
    assert [chapter.title for chapter in book.chapters] == ["Lamps"]
    assert [block.text[:8] for block in book.blocks()] == ["Lamps", "The lamp", "More", "The lamp"]
    assert set(reasons(book)) == {"document title", "outside the article"}
    assert (book.about.title, book.about.author, book.about.language) == ("Lamps", "Ada N.", "en")


@pytest.mark.parametrize(
    "main", ["<main>{}</main>", '<div role="main">{}</div>', '<div role="main"><main>{}</main></div>']
)
def test_the_main_part_of_a_page_is_its_article(main: str, tmp_path: Path) -> None:
    body = f"<ul><li>Home</li></ul><p>We use cookies.</p>{main.format(f'<h1>Lamps</h1>{WORDS}')}<div>All rights</div>"
    book = read_text(tmp_path, "x.html", f"<html><body>{body}</body></html>")
    assert [block.text[:8] for block in book.blocks()] == ["Lamps", "The lamp"]
    assert reasons(book)["outside the article"] == "Home We use cookies. All rights"


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


@pytest.mark.parametrize("sizes", [(1, 1), (2, 1), (2, 1, 1, 2)])
def test_several_articles_of_a_page_are_all_read(sizes: tuple[int, ...], tmp_path: Path) -> None:
    body = "".join(f"<article><h2>Day {n}</h2>{WORDS * size}</article>" for n, size in enumerate(sizes, 1))
    book = read_text(tmp_path, "x.html", f"<html><body><h1>The Sea</h1>{body}</body></html>")
    assert [chapter.title for chapter in book.chapters] == [f"Day {n}" for n in range(1, len(sizes) + 1)]


def test_short_articles_beside_a_long_one_are_outside_of_it(tmp_path: Path) -> None:
    body = f"<article><h1>Lamps</h1>{WORDS * 3}</article><article>{WORDS}</article><article>{WORDS}</article>"
    book = read_text(tmp_path, "x.html", f"<html><body>{body}</body></html>")
    assert [block.kind for block in book.blocks()] == ["heading"] + ["paragraph"] * 3


@pytest.mark.parametrize("name", ["main", "article"])
def test_chapters_divide_the_main_part_of_a_page(name: str, tmp_path: Path) -> None:
    body = f"<h1>The Sea</h1><h2>Chapter 1</h2>{WORDS}<h2>Chapter 2</h2>{WORDS}"
    book = read_text(tmp_path, "x.html", f"<html><body><nav>Home</nav><{name}>{body}</{name}></body></html>")
    assert [chapter.title for chapter in book.chapters] == ["Chapter 1", "Chapter 2"]


def test_parts_and_chapters_of_one_level(tmp_path: Path) -> None:
    heads = ("PART ONE", "CHAPTER I", "CHAPTER II", "PART TWO", "CHAPTER III")
    body = "".join(f"<h3>{head}</h3>{WORDS if 'CHAPTER' in head else ''}" for head in heads)
    book = read_text(tmp_path, "x.html", f"<html><body>{body}</body></html>")
    assert [(chapter.title, chapter.parts) for chapter in book.chapters] == [
        ("CHAPTER I", ("PART ONE",)), ("CHAPTER II", ()), ("CHAPTER III", ("PART TWO",)),
    ]  # fmt: skip


def test_parts_beside_a_prologue_and_the_title(tmp_path: Path) -> None:
    heads = ("1The Sea", "2Prologue", "1Part I", "2Chapter 1", "2Chapter 2", "1Part II", "2Chapter 3", "1Epilogue")
    body = "".join(
        f"<h{head[0]}>{head[1:]}</h{head[0]}>{'' if head.startswith(('1P', '1T')) else WORDS}" for head in heads
    )
    book = read_text(tmp_path, "x.html", f"<html><body>{body}</body></html>")
    assert [(chapter.title, chapter.parts) for chapter in book.chapters] == [
        ("Prologue", ("The Sea",)), ("Chapter 1", ("Part I",)), ("Chapter 2", ()), ("Chapter 3", ("Part II",)), ("Epilogue", ()),
    ]  # fmt: skip


def test_contents_and_notes_of_word_are_silent(tmp_path: Path) -> None:
    page = (
        "<html><body><p class=MsoTocHeading>What is here</p><p class=MsoToc1><a href='#_Toc1'>Chapter 1. 3</a></p>"
        "<h1><a name=_Toc1>Chapter 1</a></h1><p class=MsoNormal>It began.<a href='#_ftn1' name=_ftnref1 title=''>"
        "<span class=MsoFootnoteReference>[1]</span></a> And so on.<o:p>&nbsp;</o:p></p><h1>Chapter 2</h1><p>It ended.</p>"
        "<div id=ftn1><p class=MsoFootnoteText><a href='#_ftnref1' name=_ftn1>[1]</a> A secret.</p></div></body></html>"
    )
    book = read_text(tmp_path, "x.html", page)
    assert spoken(book) == ["Chapter 1", "It began. And so on.", "Chapter 2", "It ended."]
    assert reasons(book)["note"].strip() == "[1] A secret."
