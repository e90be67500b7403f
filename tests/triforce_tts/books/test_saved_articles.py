"""Saved pages of blogs, newspapers and encyclopedias: what stands around the article, and who wrote it."""

import time
from pathlib import Path

import pytest

from tests.books import read_text, spoken

TEXT = "<p>The lamp was lit before nine, and the keeper, an old and quiet man, stood beside it all the night.</p>" * 4


def page(body: str, head: str = "") -> str:
    return f"<html><head><title>Log: The Lamp</title>{head}</head><body>{body}</body></html>"


@pytest.mark.parametrize(
    "line",
    [
        "<p>Ada N.5 min read·Mar 3, 2022</p>",
        "<time>Fri 5 Jan 2024 10.00 GMT</time>",
        '<a class="jump-to-recipe" href="#r">Jump to Recipe</a>',
        '<p class="button-wrapper"><a class="button" href="#">Leave a comment</a></p>',
        '<table class="infobox"><tr><th>Type</th><td>Lamp</td></tr></table>',
        '<p class="post-footer">Posted by Ada at 10:15 | Permalink</p>',
    ],
)
def test_lines_that_are_no_part_of_an_article_are_skipped(line: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.html", page(f"<article><h1>The Lamp</h1>{line}{TEXT}</article>"))
    assert spoken(book)[0] == "The Lamp"
    assert spoken(book)[1].startswith("The lamp was lit")


def test_a_box_of_a_book_that_is_no_table_is_read(tmp_path: Path) -> None:
    box = '<div class="infobox"><p>Whales give oil.</p></div>'
    assert "Whales give oil." in spoken(read_text(tmp_path, "x.html", page(f"<h1>The Lamp</h1>{TEXT}{box}{TEXT}")))


def test_a_caption_below_the_title_is_read(tmp_path: Path) -> None:
    figure = "<figure><img src='a.jpg' alt=''><figcaption>Photo by Ada Nott on Quay</figcaption></figure>"
    book = read_text(tmp_path, "x.html", page(f"<article><h1>The Lamp</h1>{figure}{TEXT}</article>"))
    assert "Photo by Ada Nott on Quay" in spoken(book)


def test_a_list_of_other_pages_is_skipped(tmp_path: Path) -> None:
    links = "<h2>See also</h2><ul><li><a href='#'>Whale oil</a></li></ul>"
    article = f"<article><h1>The Lamp</h1>{TEXT}{{}}</article>"
    assert "Whale oil" not in spoken(read_text(tmp_path, "x.html", page(article.format(links))))
    told = f"<h2>See also</h2><p>Whale oil</p>{TEXT}"
    assert "Whale oil" in spoken(read_text(tmp_path, "x.html", page(article.format(told))))


def test_the_post_of_a_blog_is_told_from_its_page(tmp_path: Path) -> None:
    post = f'<div class="post"><h2>The Lamp</h2>{TEXT}</div>'
    blog = f'<div id="header"><h1>Log</h1><p>Notes</p></div><div id="main">{post}</div><div id="sidebar">Archives</div>'
    book = read_text(tmp_path, "x.html", page(blog))
    assert [chapter.title for chapter in book.chapters] == ["The Lamp"]
    assert not {"Log", "Notes", "Archives"} & set(spoken(book))


@pytest.mark.parametrize(
    "body",
    [
        "".join(f'<div class="post">{TEXT * n}</div>' for n in (6, 1, 1)),
        f'<h2>Chapter 1</h2>{TEXT}<div class="post"><h2>Chapter 2</h2>{TEXT * 9}</div>',
        f'<div class="post"><h2>A Letter</h2>{TEXT}</div>{TEXT.replace("lamp", "wick")}',
        f'<div class="post"><h2>One</h2>{TEXT}</div><div>{TEXT.replace("<p>", "").replace("</p>", "<br><br>")}</div>',
        f'<h2>Prologue</h2>{TEXT}<div class="post"><h2>One</h2>{TEXT * 6}</div>',
    ],
)
def test_what_stands_beside_a_post_is_read(body: str, tmp_path: Path) -> None:
    read = " ".join(spoken(read_text(tmp_path, "x.html", page(body))))
    assert read.count("was lit") == body.count("was lit")


@pytest.mark.parametrize(
    "title",
    [
        "<h2>The Wick</h2>",
        "<div><h1>The Wick</h1></div>",
        "<h2>The Wick</h2><h3>A series</h3>",
        "<h2>The Wick</h2><div class='share'><h2>Share</h2></div>",
        "<div><h1>The Wick</h1><p>" + "Read on. " * 40 + "</p></div>",
    ],
)
def test_the_title_of_a_post_may_stand_before_it(title: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.html", page(f'<div id="main">{title}<div class="post">{TEXT}</div></div>'))
    assert spoken(book)[0] == "The Wick"


def test_a_chapter_may_be_called_by_a_place_to_jump_to(tmp_path: Path) -> None:
    chapters = "".join(f'<div id="jump-to-{n}"><h2>Chapter {n}</h2>{TEXT}</div>' for n in (1, 2, 3))
    assert len(read_text(tmp_path, "x.html", page(chapters)).chapters) == 3


def test_capitals_take_no_time(tmp_path: Path) -> None:
    start = time.process_time()
    assert (
        "QWERTY" in spoken(read_text(tmp_path, "x.html", page(f"<article><p>{'QWERTY' * 90}</p>{TEXT}</article>")))[0]
    )
    assert time.process_time() - start < 2


def test_a_part_of_an_article_may_have_the_class_of_a_button(tmp_path: Path) -> None:
    for part in (
        "<section class='article-footer'><h3>Epilogue</h3><p>He died.</p></section>",
        "<div class='jump-to-x'><h4>Cake</h4></div>",
    ):
        book = read_text(tmp_path, "x.html", page(f"<article><h1>The Lamp</h1>{TEXT}{part}</article>"))
        assert {"Epilogue", "Cake"} & set(spoken(book))


def test_several_posts_are_chapters(tmp_path: Path) -> None:
    posts = "".join(f'<div class="post"><h2>Day {n}</h2>{TEXT}</div>' for n in ("One", "Two", "Three"))
    assert len(read_text(tmp_path, "x.html", page(posts)).chapters) == 3


@pytest.mark.parametrize(("written", "author"), [("Derby Smith", "Derby Smith"), ("Posted by Ada N.", "Ada N.")])
def test_the_author_may_stand_in_an_element_of_that_kind(written: str, author: str, tmp_path: Path) -> None:
    body = f"<article><h1>The Lamp</h1><span itemprop='author'>{written}</span>{TEXT}</article>"
    assert read_text(tmp_path, "x.html", page(body)).about.author == author


@pytest.mark.parametrize(
    ("stated", "author"),
    [
        ('"author": {"@type": "Person", "name": "Ada N."}', "Ada N."),
        ('"author": [{"name": "Ad\\u00e0 N."}, "Ben O."]', "Adà N., Ben O."),
        (r'"author": {"name": "Ada \x"}', ""),
        ('"author": {"image": {"name": "x"}, "name": "Ada N."}', "Ada N."),
        ('"comment": {"author": {"name": "Troll"}}, "author": "Ada N."', "Ada N."),
        (
            '"@graph": [{"@type": "WebSite", "author": "Co"}, {"@type": "Article", "author": "Ada &amp; Ben"}]',
            "Ada & Ben",
        ),
        ('"publisher": {"name": "Log"}', ""),
    ],
)
def test_the_author_may_stand_in_data_of_the_page(stated: str, author: str, tmp_path: Path) -> None:
    head = f'<script type="application/ld+json">{{{stated}}}</script>'
    book = read_text(tmp_path, "x.html", page(f"<article><h1>The Lamp</h1>{TEXT}</article>", head))
    assert book.about.author == author
