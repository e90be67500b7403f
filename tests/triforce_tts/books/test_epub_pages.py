"""Untyped pages of epubs: title pages, other books, parts, contents that name too little, and damaged markup."""

from pathlib import Path

import pytest

from tests.books import NAMESPACES, entry, make_epub, outline, point, read_page, reasons, spoken
from triforce_tts.books.chapters import ChapterBook
from triforce_tts.books.read import read_chapters

LONG = "<p>" + "It went on and on. " * 20 + "</p>"
ABOUT = "<dc:title>The Sea</dc:title><dc:creator>Ada N.</dc:creator>"
ONE, TWO = f"<h2>Chapter 1</h2>{LONG}", f"<h2>Chapter 2</h2>{LONG}"


def titled(body: str) -> str:
    """A page whose head holds the title of the book, as many tools write it."""
    return f"<html {NAMESPACES}><head><title>The Sea</title></head><body>{body}</body></html>"


def read(tmp_path: Path, pages: dict[str, str], toc: str = "", ncx: str = "") -> ChapterBook:
    bodies = {name: titled(body) for name, body in pages.items()}
    return read_chapters(make_epub(tmp_path / "x.epub", bodies, toc, ncx=ncx, metadata=ABOUT))


def without_titles(book: ChapterBook) -> dict[str, str]:
    return {reason: text for reason, text in reasons(book).items() if reason != "document title"}


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("<p>For my mother</p>", "Dedication"),
        ("<section epub:type='epigraph'><p>The sea is wide.</p><p>Homer</p></section>", "Epigraph"),
        ("<p>The sea is wide.</p><p>Homer</p>", "The Sea"),
    ],
)
def test_a_dedication_is_no_title_page_because_its_head_names_the_book(body: str, title: str, tmp_path: Path) -> None:
    pages = {"t.xhtml": "<h1>The Sea</h1><p>by Ada N.</p>", "d.xhtml": body, "a.xhtml": ONE, "b.xhtml": TWO}
    book = read(tmp_path, pages, entry("1", "a.xhtml") + entry("2", "b.xhtml"))
    assert [chapter.title for chapter in book.chapters] == [title, "1", "2"]
    assert without_titles(book) == {"front matter": "The Sea The Sea by Ada N."}


def test_a_dedication_is_called_so_in_a_book_whose_contents_name_no_chapter(tmp_path: Path) -> None:
    pages = {"t.xhtml": "<p>The Sea</p><p>Ada N.</p>", "d.xhtml": "<p>For Tom</p>", "a.xhtml": ONE, "b.xhtml": TWO}
    book = read(tmp_path, pages, entry("Cover", "t.xhtml"))
    assert [chapter.title for chapter in book.chapters] == ["Dedication", "Chapter 1", "Chapter 2"]


def test_a_page_of_rights_needs_no_typed_page(tmp_path: Path) -> None:
    rights = "<p>First published 2016 by Gull Press</p><p>A CIP catalogue record for this book exists.</p>"
    moral = "<p>© Ada N. 2016</p><p>The moral right of the author has been asserted.</p>"
    pages = {"r.xhtml": rights, "s.xhtml": moral, "a.xhtml": ONE, "b.xhtml": TWO}
    book = read(tmp_path, pages, entry("1", "a.xhtml") + entry("2", "b.xhtml"))
    assert [chapter.title for chapter in book.chapters] == ["1", "2"]


@pytest.mark.parametrize(
    ("title", "titles"), [("About the Author", ["1", "2"]), ("The Tides", ["1", "2", "The Tides"])]
)
def test_words_about_the_author_may_have_the_type_of_an_appendix(title: str, titles: list[str], tmp_path: Path) -> None:
    last = f"<section epub:type='appendix'><h1>{title}</h1><p>Ada N. lives by the sea.</p></section>"
    pages = {"a.xhtml": ONE, "b.xhtml": TWO, "c.xhtml": last}
    book = read(tmp_path, pages, entry("1", "a.xhtml") + entry("2", "b.xhtml") + entry(title, "c.xhtml"))
    assert [chapter.title for chapter in book.chapters] == titles


def test_a_page_with_nothing_but_a_heading_is_a_part(tmp_path: Path) -> None:
    pages = {"p.xhtml": "<h3>I</h3><h1>Main Body</h1>", "a.xhtml": ONE, "b.xhtml": TWO}
    toc = entry("I. Main Body", "p.xhtml") + entry("1. Tides", "a.xhtml") + entry("2. Charts", "b.xhtml")
    book = read(tmp_path, pages, toc)
    assert [(chapter.title, chapter.parts) for chapter in book.chapters] == [
        ("1. Tides", ("I. Main Body",)),
        ("2. Charts", ()),
    ]


def test_a_heading_inside_a_page_that_the_contents_name_is_a_chapter(tmp_path: Path) -> None:
    page = f"<h2 id='f'>Fairy Stories</h2><h2 id='i'>Introductory</h2>{LONG}<h2 id='q'>The Quay</h2>{LONG}"
    toc = entry("Fairy Stories", "a.xhtml#f") + entry("Introductory", "a.xhtml#i") + entry("The Quay", "a.xhtml#q")
    book = read(tmp_path, {"a.xhtml": page}, toc)
    assert [chapter.title for chapter in book.chapters] == ["Fairy Stories", "Introductory", "The Quay"]


def test_untyped_pages_about_other_things_are_left_out_by_title_place_and_size(tmp_path: Path) -> None:
    pages = {
        "cover.xhtml": "<img src='c' alt='Cover'/>",
        "t.xhtml": "<h1>The Sea</h1><p>A Novel</p><p>Ada N.</p>",
        "also.xhtml": "<p>ALSO BY ADA N.</p><p>The Sand</p>",
        "r.xhtml": "<p>Copyright 1999 Ada N. All rights reserved.</p>",
        "a.xhtml": ONE,
        "b.xhtml": TWO,
        "thanks.xhtml": "<h2>Acknowledgments</h2><p>I thank Bo.</p>",
        "who.xhtml": "<h2>About the Author</h2><p>Ada N. lives by the sea.</p>",
        "news.xhtml": "<p>Sign up for our newsletters at x.org.</p>",
        "more.xhtml": f"<h2>An excerpt from The Sand</h2>{LONG}",
    }
    named = {"cover": "Cover", "t": "Title Page", "r": "Copyright", "a": "One", "b": "Two", "thanks": "Acknowledgments"}
    named |= {"who": "About the Author", "news": "Newsletter", "more": "Excerpt"}
    ncx = "".join(point(label, f"{name}.xhtml") for name, label in named.items())
    book = read(tmp_path, pages, ncx=ncx)
    assert [chapter.title for chapter in book.chapters] == ["One", "Two", "Acknowledgments", "Excerpt"]
    skipped = without_titles(book)
    assert all(word in skipped["front matter"] for word in ("A Novel", "The Sand", "rights"))
    assert all(word in skipped["back matter"] for word in ("lives by the sea", "newsletter"))


@pytest.mark.parametrize(
    ("title", "body"),
    [("About the Author", LONG * 4), ("About the Authors of Our Days", "<p>They went.</p>"), ("The Sea", "<p>It is wide.</p>")],
)  # fmt: skip
def test_a_title_alone_leaves_no_page_out(title: str, body: str, tmp_path: Path) -> None:
    pages = {"a.xhtml": ONE, "b.xhtml": TWO, "x.xhtml": f"<h2>{title}</h2>{body}"}
    book = read(tmp_path, pages, "".join(entry(name, name) for name in pages))
    assert [chapter.title for chapter in book.chapters] == list(pages)


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Praise for the Rain", "It rains, and we praise it."),
        ("Praise for the Dead", "“Is he?” — “Yes.” — “So.” — “No,” he said.’"),
        ("More by Luck", "More by luck than by skill we lived."),
        ("Works from Home", "She works from home. He does not."),
        ("Books by Moonlight", "We read until the moon went down."),
        ("Advertisement", "Wanted: a wife who can sail."),
        ("Newsletter", "Dear all, the dog has died."),
        ("Copyright", "He held no copyright on sorrow."),
        ("Coda", "I joined the mailing list of the dead. You can join too."),
    ],
)
def test_a_short_story_at_the_edge_of_a_book_is_spoken(title: str, text: str, is_first: bool, tmp_path: Path) -> None:
    story = {"x.xhtml": f"<h2>{title}</h2><p>{text}</p>"}
    long = {"a.xhtml": f"<h2>The Sand</h2>{LONG}", "b.xhtml": f"<h2>The Tide</h2>{LONG}"}
    pages = story | long if is_first else long | story
    labels = {"x.xhtml": title, "a.xhtml": "The Sand", "b.xhtml": "The Tide"}
    book = read(tmp_path, pages, "".join(entry(labels[name], name) for name in pages))
    assert [chapter.title for chapter in book.chapters] == [labels[name] for name in pages]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Also by Ada N.", "The Sand"),
        ("Other Books by the Same Author", "The Sand"),
        ("Praise for The Sea", "It is wide."),
        ("Praise for The Sand", "“Wide.” —The Post</p><p>“Deep.” —The Sun"),
        ("Advertisement", "Buy The Sand at www.sand.com today."),
        ("Newsletter", "Write to <a href='mailto:a@b.org'>me</a>."),
        ("Copyright", "First published in 1999."),
        ("Stay", "Sign up today for my newsletter."),
    ],
)
def test_a_small_page_about_other_things_is_left_out_if_its_text_agrees(title: str, text: str, tmp_path: Path) -> None:
    pages = {"a.xhtml": ONE, "b.xhtml": TWO, "x.xhtml": f"<h2>{title}</h2><p>{text}</p>"}
    book = read(tmp_path, pages, "".join(entry(name, name) for name in pages))
    assert [chapter.title for chapter in book.chapters] == ["a.xhtml", "b.xhtml"]
    assert "back matter" in reasons(book)


def test_the_story_goes_on_behind_a_chapter_that_is_called_an_extract(tmp_path: Path) -> None:
    pages = {"a.xhtml": ONE, "d.xhtml": f"<h2>Extract from My Diary</h2>{LONG}"}
    pages |= {"x.xhtml": "<h2>About the Author</h2><p>He wrote.</p>", "b.xhtml": TWO}
    labels = ("Chapter 1", "Extract from My Diary", "About the Author", "Chapter 2")
    book = read(tmp_path, pages, "".join(entry(*pair) for pair in zip(labels, pages, strict=True)))
    assert [chapter.title for chapter in book.chapters] == list(labels)


@pytest.mark.parametrize("text", ["is dead, they said to me</p><p>and I wept", "The sea is dead.</p><p>I wept."])
def test_a_first_story_with_the_title_of_the_book_is_no_title_page(text: str, tmp_path: Path) -> None:
    pages = {"x.xhtml": f"<h2>The Sea</h2><p>Ada N.</p><p>{text}</p>", "a.xhtml": ONE, "b.xhtml": TWO}
    labels = ("The Sea", "One", "Two")
    book = read(tmp_path, pages, "".join(entry(*pair) for pair in zip(labels, pages, strict=True)))
    assert [chapter.title for chapter in book.chapters] == list(labels)


def test_a_story_about_an_author_inside_the_book_is_spoken(tmp_path: Path) -> None:
    pages = {"a.xhtml": ONE, "x.xhtml": "<h2>About the Author</h2><p>He wrote.</p>", "b.xhtml": TWO}
    book = read(tmp_path, pages, "".join(entry(name, name) for name in pages))
    assert [chapter.title for chapter in book.chapters] == list(pages)


@pytest.mark.parametrize("is_nested", [True, False])
def test_an_untyped_page_of_a_part_is_joined_to_its_first_chapter(is_nested: bool, tmp_path: Path) -> None:
    pages = {
        "p.xhtml": "<h1>Part One</h1><p>All is sea.</p><p>Homer</p>",
        "a.xhtml": ONE,
        "q.xhtml": "<h1>Part Two</h1>",
        "b.xhtml": TWO,
    }
    first, second = entry("1", "a.xhtml"), entry("2", "b.xhtml")
    flat = entry("Part One", "p.xhtml") + first + entry("Part Two", "q.xhtml") + second
    nested = entry("Part One", "p.xhtml", first) + entry("Part Two", "q.xhtml", second)
    book = read(tmp_path, pages, nested if is_nested else flat)
    assert [(chapter.title, chapter.parts) for chapter in book.chapters] == [("1", ("Part One",)), ("2", ("Part Two",))]
    assert spoken(book)[:3] == ["Part One", "All is sea.", "Homer"]


def test_a_short_chapter_in_the_same_page_as_its_part_is_no_part(tmp_path: Path) -> None:
    pages = {"a.xhtml": "<h1>Part One</h1><h2 id='c'>Chapter 1</h2><p>It rose.</p>", "b.xhtml": TWO}
    toc = entry("Part One", "a.xhtml", entry("Chapter 1", "a.xhtml") + entry("Chapter 2", "b.xhtml"))
    assert [chapter.title for chapter in read(tmp_path, pages, toc).chapters] == ["Chapter 1", "Chapter 2"]


@pytest.mark.parametrize(("label", "place"), [("Cover", "c.xhtml"), ("Start", "a.xhtml")])
def test_headings_divide_a_book_whose_contents_name_one_place(label: str, place: str, tmp_path: Path) -> None:
    pages = {"c.xhtml": "<img src='c'/>", "a.xhtml": ONE, "b.xhtml": TWO, "d.xhtml": f"<h2>Chapter 3</h2>{LONG}"}
    book = read(tmp_path, pages, entry(label, place))
    assert [chapter.title for chapter in book.chapters] == ["Chapter 1", "Chapter 2", "Chapter 3"]


def test_an_entry_whose_place_is_missing_takes_no_other_entrys_place(tmp_path: Path) -> None:
    page = "<h2>One</h2><p>A.</p><h2 id='b'>Two</h2><p>B.</p><h2>Three</h2><p>C.</p>"
    toc = (
        entry("One", "a.xhtml")
        + entry("Two", "a.xhtml#b")
        + entry("Three", "a.xhtml#gone")
        + entry("Four", "a.xhtml#no")
    )
    book = read(tmp_path, {"a.xhtml": page}, toc)
    assert outline(book) == [("One", "One / A."), ("Two", "Two / B."), ("Three", "Three / C.")]


def test_a_book_without_contents_is_divided_inside_its_pages(tmp_path: Path) -> None:
    book = read(tmp_path, {"a.xhtml": f"<h1>The Land</h1><p>by Bo C.</p>{ONE}{TWO}"})
    assert [(chapter.title, chapter.parts) for chapter in book.chapters] == [
        ("Chapter 1", ("The Land",)), ("Chapter 2", ()),
    ]  # fmt: skip
    book = read(tmp_path, {"a.xhtml": ONE + TWO, "b.xhtml": f"<h2>Chapter 3</h2><h3>The Sand</h3>{LONG}"})
    assert [chapter.title for chapter in book.chapters] == ["Chapter 1", "Chapter 2", "Chapter 3: The Sand"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>One<br>two</p><p>three</p>", "One two / three"),
        ("<p>One<br>two</body>", "One two"),
        ("<p>One<br>two</br>three</p>", "One twothree"),
        ("<p>One<img src='a.png' alt='a > b'>two <b>three</b></p><hr><p>four</p>", "Onetwo three / *** / four"),
        ("<p>One<wbr>two</p>", "Onetwo"),
    ],
)
def test_elements_that_hold_nothing_need_no_end(body: str, text: str, tmp_path: Path) -> None:
    page = body if "</body>" in body else f"{body}</body>"
    assert " / ".join(spoken(read_page(tmp_path, f"<html {NAMESPACES}><body>{page}</html>"))) == text


@pytest.mark.parametrize("head", ["<h1>{}</h1>", "<p>{}</p>"])
def test_numbers_alone_divide_a_book_whose_contents_name_one_place(head: str, tmp_path: Path) -> None:
    pages = {f"{n}.xhtml": head.format(n) + LONG for n in (1, 2, 3)}
    assert [chapter.title for chapter in read(tmp_path, pages, entry("Start", "1.xhtml")).chapters] == ["1", "2", "3"]


def test_a_page_with_a_nav_and_its_title_is_no_chapter(tmp_path: Path) -> None:
    nav = "<h2>Contents</h2><nav epub:type='toc'><ol><li><a href='a.xhtml'>One</a></li></ol></nav>"
    book = read(tmp_path, {"toc.xhtml": nav, "a.xhtml": ONE}, entry("One", "a.xhtml"))
    assert [chapter.title for chapter in book.chapters] == ["One"]


@pytest.mark.parametrize("is_nested", [True, False])
def test_an_entry_right_below_a_number_alone_is_its_title(is_nested: bool, tmp_path: Path) -> None:
    heads = "".join(
        f"<h2 id='a{n}'>CHAPTER {n}.</h2><h3 id='b{n}'>The {name}</h3>{LONG}" for n, name in ((1, "Lamp"), (2, "Quay"))
    )
    pairs = [(entry("The Lamp", "x.xhtml#b1"), 1), (entry("The Quay", "x.xhtml#b2"), 2)]
    toc = "".join(
        entry(f"CHAPTER {n}.", f"x.xhtml#a{n}", title if is_nested else "") + ("" if is_nested else title)
        for title, n in pairs
    )
    book = read(tmp_path, {"x.xhtml": heads}, toc)
    assert [chapter.title for chapter in book.chapters] == ["CHAPTER 1. The Lamp", "CHAPTER 2. The Quay"]
    assert [block.text for block in book.chapters[0].blocks][:2] == ["CHAPTER 1.", "The Lamp"]


def test_several_entries_below_a_number_are_chapters(tmp_path: Path) -> None:
    page = f"<h2 id='a'>CHAPTER 1.</h2><h3 id='b'>The Lamp</h3>{LONG}<h3 id='c'>The Quay</h3>{LONG}"
    toc = entry("CHAPTER 1.", "x.xhtml#a", entry("The Lamp", "x.xhtml#b") + entry("The Quay", "x.xhtml#c"))
    book = read(tmp_path, {"x.xhtml": page}, toc)
    assert [chapter.title for chapter in book.chapters] == ["CHAPTER 1.", "The Lamp", "The Quay"]


def test_a_heading_that_ends_the_book_does_not_hide_the_title_of_the_last_chapter(tmp_path: Path) -> None:
    body = "".join(f"<h2>CHAPTER {n}.</h2><h3>The {name}</h3>{LONG}" for n, name in ((1, "Lamp"), (2, "Quay")))
    path = tmp_path / "x.html"
    path.write_text(f"{body}<h3>THE END.</h3>")
    assert [chapter.title for chapter in read_chapters(path).chapters] == ["CHAPTER 1. The Lamp", "CHAPTER 2. The Quay"]


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("<html><BODY bgcolor=white><H2 align=center>One</H2><P>AT&T <b>was <i>old.</b></i><P>It is 5 < 6 too.</BODY></html>", ["One", "AT&T was old.", "It is 5 < 6 too."]),
        (f"<html {NAMESPACES}><body><p title=>One.</p><p>Two <span epub:type='pagebreak'>12</span>now.</p></body></html>", ["One.", "Two now."]),
        ("<html><body><p><![CDATA[One & two.]]></p><p x:y='1'>Three.</p></body></html>", ["One & two.", "Three."]),
    ],
)  # fmt: skip
def test_a_page_that_is_no_right_xml_loses_no_words(page: str, lines: list[str], tmp_path: Path) -> None:
    assert spoken(read_page(tmp_path, page)) == lines


def test_untyped_pages_before_the_first_chapter_are_front_matter_by_their_titles(tmp_path: Path) -> None:
    titles = ["Dedication", "Preface to the Second Edition", "Dedication Day", "Epigraph"]
    pages = {f"{n}.xhtml": f"<h1>{title}</h1>{LONG}" for n, title in enumerate(titles)}
    book = read(tmp_path, pages, "".join(entry(title, name) for title, name in zip(titles, pages, strict=True)))
    assert [chapter.front for chapter in book.chapters] == [True, True, False, False]


def test_a_mark_in_an_element_of_its_own_is_silent_where_its_note_is(tmp_path: Path) -> None:
    page = "<p>One<span class='ref'><a href='#n5'>5</a></span> lamp.</p><p class='fnote' id='n5'>5 A note.</p>"
    assert spoken(read_page(tmp_path, page)) == ["One lamp."]


LICENSED = "This work is licensed under a Creative Commons Attribution 4.0 International License{}."


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (f"<h1>Licensing Information</h1><p>{LICENSED.format('')}</p><p>You are free to share it.</p>", "Licensing"),
        (f"<div><div><p>{LICENSED.format(', except where otherwise noted')}</p></div></div>", "Copyright"),
        (f"<p>{LICENSED.format(', except where otherwise noted')}</p>", ""),
    ],
)
def test_a_page_of_an_open_licence_is_skipped(body: str, label: str, tmp_path: Path) -> None:
    own = entry(label, "c.xhtml") if label else ""
    chapters = entry("1", "a.xhtml") + entry("2", "b.xhtml")
    book = read(tmp_path, {"c.xhtml": body, "a.xhtml": ONE, "b.xhtml": TWO}, own + chapters)
    assert [chapter.title for chapter in book.chapters] == ["1", "2"]
    book = read(tmp_path, {"a.xhtml": ONE, "b.xhtml": TWO, "c.xhtml": body}, chapters + own)
    assert [chapter.title for chapter in book.chapters] == ["1", "2"]


def test_the_licence_of_a_page_does_not_silence_it(tmp_path: Path) -> None:
    pages = {
        f"{n}.xhtml": f"<h2>{n}</h2><p>{'It went on. ' * 40}</p><p>{LICENSED.format(', except where otherwise noted')}</p>"
        for n in ("Preface", "One", "Two", "Three")
    }
    toc = "".join(entry(name.removesuffix(".xhtml"), name) for name in pages)
    assert [chapter.title for chapter in read(tmp_path, pages, toc).chapters] == ["Preface", "One", "Two", "Three"]


def test_a_short_page_is_not_silenced_by_a_line_about_its_licence(tmp_path: Path) -> None:
    end = f"<p>And so the lamp went out. She never came back, and nobody spoke.</p><p>{LICENSED.format('')}</p>"
    pages = {"a.xhtml": ONE, "b.xhtml": TWO, "c.xhtml": end}
    book = read(tmp_path, pages, entry("1", "a.xhtml") + entry("2", "b.xhtml"))
    assert any("lamp went out" in line for line in spoken(book))


def test_a_story_may_be_called_licence(tmp_path: Path) -> None:
    pages = {
        "a.xhtml": ONE,
        "b.xhtml": TWO,
        "c.xhtml": "<h2>License</h2><p>It was printed in Hull, see www.hull.org.</p>",
    }
    toc = entry("1", "a.xhtml") + entry("2", "b.xhtml") + entry("License", "c.xhtml")
    assert [chapter.title for chapter in read(tmp_path, pages, toc).chapters] == ["1", "2", "License"]


def test_entries_that_are_headings_of_the_book_are_not_made_up(tmp_path: Path) -> None:
    law = "<h1>The Law</h1>" + "".join(f"<h2 id='s{n}'>Section {n}</h2>{LONG}" for n in (1, 2))
    pages = {"a.xhtml": law, "b.xhtml": law.replace("s1", "s3").replace("Section 1", "Section 3")}
    toc = entry("Section 1", "a.xhtml#s1") + entry("Section 2", "a.xhtml#s2") + entry("Section 3", "b.xhtml#s3")
    assert len(read(tmp_path, pages, toc).chapters) >= 3


@pytest.mark.parametrize("label", ["Section {}", "Untitled {}"])
def test_entries_that_a_program_made_up_give_way_to_headings(label: str, tmp_path: Path) -> None:
    pages = {"a.xhtml": f"<h1>The Ferry</h1>{LONG}", "b.xhtml": f"<h1>The Storm</h1>{LONG}", "c.xhtml": LONG}
    toc = "".join(entry(label.format(n), name) for n, name in enumerate(pages, 1))
    assert [chapter.title for chapter in read(tmp_path, pages, toc).chapters] == ["The Ferry", "The Storm"]
    pages = dict.fromkeys(pages, LONG)
    assert [chapter.title for chapter in read(tmp_path, pages, toc).chapters] == [label.format(n) for n in (1, 2, 3)]
