"""What stands around the article of a saved page, and between its title and its text."""

from pathlib import Path

import pytest

from tests.books import read_text, reasons, spoken

WORDS = "<p>" + "The lamp was lit before nine, and nobody on the quay knew why. " * 4 + "</p>"


def read_lines(tmp_path: Path, inner: str, *, title: str = "<h1>Lamps</h1>") -> list[str]:
    """The first eight letters of what is read of an article by Ada North with ``inner`` below its title."""
    page = f"<html><head><meta name='author' content='Ada North'></head><body><article>{title}{inner}</article></body></html>"
    return [line[:8] for line in spoken(read_text(tmp_path, "x.html", page))]


@pytest.mark.parametrize(
    "line",
    [
        "By Ada North", "Ada North", "by Bo West", "Posted on April 3, 2021", "3 Mar. 2021 at noon", "Mar 02, 2024",
        "5 min read · Jan 3, 2023", "1.2K", "Published in Lamp Weekly", "Last updated 3 hours ago", "Updated: 3 March 2021", "14 comments", "Share",
    ],
)  # fmt: skip
def test_who_wrote_an_article_and_when_is_outside_of_it(line: str, tmp_path: Path) -> None:
    assert read_lines(tmp_path, f"<div>{line}</div>{WORDS}") == ["Lamps", "The lamp"]
    assert read_lines(tmp_path, f"{WORDS}<div>{line}</div>")[:2] == ["Lamps", "The lamp"]
    assert len(read_lines(tmp_path, f"{WORDS}<div>{line}</div>")) == 3


@pytest.mark.parametrize(
    "line",
    [
        "By night it was lit.",
        "Hull, in March",
        "White gold",
        "May I ask you?",
        "Published in secret.",
        "Posted to Hull in 1938",
        "May 4, 2020 was dark",
        "5 minutes read on",
        "1.",
    ],
)
def test_other_lines_below_the_title_are_read(line: str, tmp_path: Path) -> None:
    assert read_lines(tmp_path, f"<div>{line}</div>{WORDS}") == ["Lamps", line[:8], "The lamp"]


@pytest.mark.parametrize(
    "name", ["topbar", "jp-relatedposts", "trending", "read-more", "ez-toc-container", "entry-meta", "ad-slot"]
)
def test_boxes_inside_an_article_are_told_by_their_classes(name: str, tmp_path: Path) -> None:
    assert read_lines(tmp_path, f"{WORDS}<div class='{name}'>One more</div>{WORDS}") == [
        "Lamps",
        "The lamp",
        "The lamp",
    ]


def test_a_paragraph_with_the_class_of_a_date_is_read(tmp_path: Path) -> None:
    assert read_lines(tmp_path, WORDS.replace("<p>", "<p class='dateline-text'>HULL. ") + WORDS)[1:] == [
        "HULL. Th",
        "The lamp",
    ]


@pytest.mark.parametrize("name", ["with-sidebar", "has-sidebar layout", "post newsletter-post", "main-menu-wide"])
def test_what_holds_most_of_a_page_is_its_text_whatever_its_class(name: str, tmp_path: Path) -> None:
    book = read_text(
        tmp_path,
        "x.html",
        f"<body><div class='{name}'><h2>Lamps</h2>{WORDS}</div><div class='sidebar'>Ads</div></body>",
    )
    assert [line[:8] for line in spoken(book)] == ["Lamps", "The lamp"]
    assert reasons(book) == {"outside the article": "Ads"}


@pytest.mark.parametrize("mark", ["title='footer'", "id='footer'", "id='revdate'"])
def test_what_word_processors_write_at_the_edge_of_a_page_is_outside(mark: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.html", f"<body><h1>Lamps</h1>{WORDS}<div {mark}>12</div></body>")
    assert reasons(book) == {"outside the article": "12"}


def test_comments_are_outside_even_if_they_are_longer_than_the_text(tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.html", f"<body><h1>Lamps</h1>{WORDS}<div id='comments'>{WORDS * 3}</div></body>")
    assert [line[:8] for line in spoken(book)] == ["Lamps", "The lamp"]


def test_the_title_above_references_goes_with_them(tmp_path: Path) -> None:
    note = "<ol><li id='n'><a href='#r'>^</a> Smith, 1900.</li></ol>"
    title = "<div><h2>References<span class='mw-editsection'>[<a href='#'>edit</a>]</span></h2></div>"
    page = f"<main><h1>Hull</h1><p class='hatnote'>See York.</p><p>It is old.<sup id='r'><a href='#n'>[1]</a></sup></p>{title}<div>{note}</div></main>"
    assert spoken(read_text(tmp_path, "x.html", page)) == ["Hull", "It is old."]


@pytest.mark.parametrize("name", ["page comments-open", "post comment-enabled"])
def test_what_holds_the_title_is_no_box_of_comments(name: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.html", f"<body><div class='{name}'><h1>Lamps</h1>{WORDS}</div></body>")
    assert [line[:8] for line in spoken(book)] == ["Lamps", "The lamp"]


def test_a_comment_may_stand_before_the_mark_of_a_note(tmp_path: Path) -> None:
    page = "<p>The lamp<!-- c --><a href='#n'>1</a> <!-- c --><sup>2</sup></p><p><!-- c --><a href='#n'>3</a></p><p id='n'>1 Oil.</p>"
    assert spoken(read_text(tmp_path, "x.html", page))[0].startswith("The lamp")
