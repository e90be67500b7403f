"""How an epub is divided into chapters, what of it is spoken, and the proof that nothing is lost."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.books import CONTAINER, NAMESPACES, damage, entry, make_epub, outline, point, reasons, rewrite, spoken
from triforce_tts.books.chapters import Block, ChapterBook, ReadOptions, account, account_pieces
from triforce_tts.books.read import read_chapters
from triforce_tts.errors import TextError

LONG = "<p>" + "It went on and on. " * 30 + "</p>"


def read(tmp_path: Path, pages: dict[str, str], toc: str = "", **more: object) -> ChapterBook:
    return read_chapters(make_epub(tmp_path / "x.epub", pages, toc, **more))  # type: ignore[arg-type]


# --- the table of contents ---


def test_the_spine_orders_and_the_contents_name(tmp_path: Path) -> None:
    pages = {"b.xhtml": "<p>Second.</p>", "a 1.xhtml": "<p>First.</p>"}
    book = read(tmp_path, pages, entry("B", "b.xhtml") + entry("A", "a%201.xhtml"), spine=["a 1.xhtml", "b.xhtml"])
    assert outline(book) == [("A", "First."), ("B", "Second.")]


@pytest.mark.parametrize("fault", ["damaged", "empty", "broken", "missing", "both"])
def test_a_book_whose_contents_cannot_be_read_is_read_and_that_is_said(fault: str, tmp_path: Path) -> None:
    pages = {"a.xhtml": "<h1>A</h1><p>One.</p>", "b.xhtml": "<h1>B</h1><p>Two.</p>"}
    ncx = "".join(
        f'<navPoint><navLabel><text>{name}</text></navLabel><content src="{name.lower()}.xhtml"/></navPoint>'
        for name in ("A", "B")
    )
    path = make_epub(tmp_path / "b.epub", pages, entry("A", "a.xhtml") + entry("B", "b.xhtml"), ncx=ncx)
    contents = {"empty": "", "broken": "<html><nav <"}.get(fault)
    if contents is not None or fault == "missing":
        rewrite(path, "nav.xhtml", contents)
    else:
        damage(path, "nav.xhtml")
        if fault == "both":
            damage(path, "toc.ncx")
    book = read_chapters(path)
    assert [chapter.title for chapter in book.chapters] == ["A", "B"]
    assert ["OEBPS/nav.xhtml" in remark for remark in book.remarks[:1]] == [True]
    assert ["OEBPS/toc.ncx" in remark for remark in book.remarks[1:]] == ([True] if fault == "both" else [])


def test_a_page_that_is_lost_is_said_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    path = make_epub(tmp_path / "b.epub", {"a.xhtml": "<p>One.</p>", "b.xhtml": "<p>Two.</p>"}, entry("A", "a.xhtml"))
    damage(path, "b.xhtml")
    with pytest.raises(TextError, match=r"b.epub: 'OEBPS/b.xhtml' in it is damaged \(Bad CRC-32"):
        read_chapters(path)
    rewrite(path, "b.xhtml", None)
    book = read_chapters(path)
    assert [block.text for block in book.blocks()] == ["One."]
    assert book.remarks == (
        "1 page that the book lists cannot be spoken, because it is missing, empty or no text: 'OEBPS/b.xhtml'.",
    )


def test_chapters_that_are_joined_behind_words_without_a_title_are_named_by_their_titles(tmp_path: Path) -> None:
    body = "<p>Zero.</p>" + "".join(f'<h2 id="c{n}">Poem {n}</h2><p>Some words.</p>' for n in range(1, 31))
    book = read(tmp_path, {"a.xhtml": body}, "".join(entry(f"Poem {n}", f"a.xhtml#c{n}") for n in range(1, 31)))
    assert [chapter.title for chapter in book.chapters] == ["Poem 1 – Poem 30"]


def test_fragments_split_a_page_and_a_missing_one_is_its_start(tmp_path: Path) -> None:
    page = "<p>One.</p><h2><a id='c2'/>Two</h2><p>More.</p><section id='c3'><p>Three.</p></section>"
    toc = entry("1", "a.xhtml#gone") + entry("2", "a.xhtml#c2") + entry("3", "a.xhtml#c3")
    assert outline(read(tmp_path, {"a.xhtml": page}, toc)) == [("1", "One."), ("2", "Two / More."), ("3", "Three.")]


def test_an_anchor_at_the_end_of_a_paragraph_begins_the_next_block(tmp_path: Path) -> None:
    page = "<p>One.<a id='c2'/></p><p>Two.</p>"
    toc = entry("1", "a.xhtml") + entry("2", "a.xhtml#c2")
    assert outline(read(tmp_path, {"a.xhtml": page}, toc)) == [("1", "One."), ("2", "Two.")]


def test_the_ncx_is_read_where_there_is_no_nav_and_the_nav_comes_first(tmp_path: Path) -> None:
    pages = {"a.xhtml": "<p>One.</p>", "b.xhtml": "<p>Two.</p>"}
    ncx = point("N1", "a.xhtml", point("N2", "b.xhtml"))
    assert [title for title, _ in outline(read(tmp_path, pages, ncx=ncx))] == ["N1", "N2"]
    assert [title for title, _ in outline(read(tmp_path, pages, entry("V", "a.xhtml"), ncx=ncx))] == ["V"]


def test_a_page_without_an_entry_belongs_to_the_chapter_before_also_in_mid_sentence(tmp_path: Path) -> None:
    pages = {
        "a.xhtml": "<p>The wind and the</p>",
        "b.xhtml": "<p>tide rose.</p><p>It rang.</p>",
        "c.xhtml": "<p>End.</p>",
    }
    assert outline(read(tmp_path, pages, entry("A", "a.xhtml") + entry("C", "c.xhtml"))) == [
        ("A", "The wind and the tide rose. / It rang."),
        ("C", "End."),
    ]


@pytest.mark.parametrize(
    "toc",
    [
        entry("Part One", "", entry("I", "a.xhtml") + entry("II", "b.xhtml")),
        entry("Part One", "a.xhtml", entry("I", "a.xhtml") + entry("II", "b.xhtml")),
    ],
)
def test_a_part_without_a_text_of_its_own_is_joined_to_its_first_chapter(toc: str, tmp_path: Path) -> None:
    book = read(tmp_path, {"a.xhtml": "<p>One.</p>", "b.xhtml": "<p>Two.</p>"}, toc)
    assert outline(book) == [("I", "One."), ("II", "Two.")]
    assert [chapter.parts for chapter in book.chapters] == [("Part One",), ()]


@pytest.mark.parametrize("is_entered", [True, False])
def test_the_page_of_a_part_is_joined_to_its_first_chapter(is_entered: bool, tmp_path: Path) -> None:
    pages = {
        "p.xhtml": "<section epub:type='part'><h1>Part One</h1><p>Motto.</p></section>",
        "a.xhtml": LONG,
        "b.xhtml": LONG,
    }
    inner = entry("I", "a.xhtml") + entry("II", "b.xhtml")
    book = read(tmp_path, pages, entry("Part One", "p.xhtml", inner) if is_entered else inner)
    assert [chapter.title for chapter in book.chapters] == ["I", "II"]
    assert book.chapters[0].parts == ("Part One",)
    assert [block.text for block in book.chapters[0].blocks][:2] == ["Part One", "Motto."]


def test_without_contents_pages_with_headings_are_chapters(tmp_path: Path) -> None:
    pages = {"a.xhtml": "<h1>One</h1><p>A.</p>", "b.xhtml": "<p>B.</p>", "c.xhtml": "<h1>Two</h1><p>C.</p>"}
    assert outline(read(tmp_path, pages)) == [("One", "One / A. / B."), ("Two", "Two / C.")]


def test_no_chapter_is_empty_and_many_tiny_ones_are_joined(tmp_path: Path) -> None:
    pages = {f"{n}.xhtml": f"<p>Verse {n} of the tent.</p>" for n in range(1, 31)} | {
        "x.xhtml": "<div><img src='a'/></div>"
    }
    toc = "".join(entry(f"V{n}", f"{n}.xhtml") for n in range(1, 31)) + entry("Picture", "x.xhtml")
    book = read(tmp_path, pages, toc)
    assert [chapter.title for chapter in book.chapters] == ["V1 – V30"]
    assert book.remarks == ("30 chapters, most of them shorter than 60 words, were joined to 1.",)


def test_leading_paragraphs_that_are_the_title_are_headings(tmp_path: Path) -> None:
    book = read(
        tmp_path,
        {"a.xhtml": "<p class='h'><b>IV</b></p><p>The Sea</p><p>It rose.</p>"},
        entry("IV: The Sea", "a.xhtml"),
    )
    assert [block.kind for block in book.blocks()] == ["heading", "heading", "paragraph"]


# --- front and back matter ---


def test_front_and_back_matter_are_told_by_their_types(tmp_path: Path) -> None:
    pages = {
        "cover.xhtml": "<section epub:type='cover'><p>Cover words</p></section>",
        "title.xhtml": "<section epub:type='titlepage'><h1>Sea</h1></section>",
        "rights.xhtml": "<section role='doc-credits'><p>Thanks</p></section>",
        "pre.xhtml": "<section epub:type='preface'><h2>Preface to the second edition</h2><p>Read on.</p></section>",
        "a.xhtml": "<section epub:type='chapter'><h2>Also by the sea</h2><p>About the author of the copyright.</p></section>",
        "idx.xhtml": "<section epub:type='index'><p>sea, 3</p></section>",
        "end.xhtml": f"<html {NAMESPACES}><body epub:type='backmatter'><h2>Also by Ada</h2><p>The Torch</p></body></html>",
        "after.xhtml": "<section epub:type='afterword'><p>So it was.</p></section>",
    }
    toc = "".join(entry(name, name) for name in pages)
    book = read(tmp_path, pages, toc)
    assert [(chapter.title, chapter.front) for chapter in book.chapters] == [
        ("pre.xhtml", True), ("a.xhtml", False), ("after.xhtml", False),
    ]  # fmt: skip
    assert reasons(book) == {
        "front matter": "Cover words Sea", "back matter": "Thanks Also by Ada The Torch", "navigation": "sea, 3",
    }  # fmt: skip


def test_landmarks_and_the_guide_say_what_pages_are(tmp_path: Path) -> None:
    pages = {"t.xhtml": "<p>One sea</p>", "c.xhtml": "<p>Two</p>", "a.xhtml": "<p>Three</p>"}
    toc = "".join(entry(name, name) for name in pages)
    landmarks = (
        "<li><a epub:type='titlepage' href='t.xhtml'>T</a></li><li><a epub:type='bodymatter' href='a.xhtml'>B</a></li>"
    )
    book = read(tmp_path, pages, toc, landmarks=landmarks)
    assert [(chapter.title, chapter.front) for chapter in book.chapters] == [("c.xhtml", True), ("a.xhtml", False)]
    guide = '<reference type="copyright-page" href="c.xhtml"/><reference type="title-page" href="t.xhtml"/>'
    assert [title for title, _ in outline(read(tmp_path, pages, toc, guide=guide))] == ["a.xhtml"]


def test_untyped_title_pages_rights_and_contents_are_told_by_their_form(tmp_path: Path) -> None:
    pages = {
        "t.xhtml": "<h1>The Sea</h1><p>Ada N.</p>",
        "r.xhtml": "<p>Copyright 1999 Ada N. All rights reserved. ISBN 0-00.</p>",
        "toc.xhtml": "<h2>Contents</h2><p><a href='a.xhtml'>Chapter one</a></p><p><a href='b.xhtml'>Chapter two</a></p><p><a href='b.xhtml#x'>More</a></p>",
        "a.xhtml": "<p>One.</p>",
        "b.xhtml": "<p>Two.</p>",
    }
    metadata = "<dc:title>The Sea</dc:title><dc:creator>Ada N.</dc:creator>"
    book = read(tmp_path, pages, entry("A", "a.xhtml") + entry("B", "b.xhtml"), metadata=metadata)
    assert outline(book) == [("A", "One."), ("B", "Two.")]
    assert [part.reason for part in book.skipped] == ["front matter", "front matter", "navigation"]


def test_pages_outside_the_order_and_the_nav_in_the_spine_are_skipped(tmp_path: Path) -> None:
    pages = {
        "nav.xhtml": f"<nav epub:type='toc'><ol>{entry('A', 'a.xhtml')}</ol></nav>",
        "m.xhtml": "<p>Map</p>",
        "a.xhtml": "<p>One.</p>",
    }
    path = make_epub(tmp_path / "x.epub", pages, linear_no=("m.xhtml",))
    content = zipfile.ZipFile(path).read("OEBPS/content.opf").decode()
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("OEBPS/content.opf", content.replace('href="nav.xhtml"', 'href="nav.xhtml" properties="nav"'))
    book = read_chapters(path)
    assert outline(book) == [("A", "One.")]
    assert reasons(book) == {"navigation": "A", "outside the reading order": "Map"}


def test_an_endnote_file_is_silent_or_read_behind_its_marks(tmp_path: Path) -> None:
    pages = {
        "a.xhtml": "<p>One.<a epub:type='noteref' id='r1' href='n.xhtml#n1'>1</a></p><p>Two.</p>",
        "n.xhtml": "<section epub:type='endnotes'><h2>Notes</h2><ol><li id='n1'><p>Why. <a href='a.xhtml#r1'>↩</a></p></li></ol></section>",
    }
    path = make_epub(tmp_path / "x.epub", pages, entry("A", "a.xhtml") + entry("Notes", "n.xhtml"))
    assert outline(read_chapters(path)) == [("A", "One. / Two.")]
    assert outline(read_chapters(path, ReadOptions(notes="inline"))) == [("A", "One. / Why. / Two.")]
    assert outline(read_chapters(path, ReadOptions(notes="end"))) == [("A", "One. / Two. / Why.")]


# --- the package ---


def test_what_the_book_says_of_itself(tmp_path: Path) -> None:
    metadata = (
        '<dc:title id="s">A Story</dc:title><meta refines="#s" property="title-type">subtitle</meta>'
        '<dc:title id="t">The Lantern</dc:title><meta refines="#t" property="title-type">main</meta>'
        '<dc:creator opf:role="aut">Ada N.</dc:creator><dc:creator opf:role="ill">Ivo D.</dc:creator><dc:creator>Bo C.</dc:creator>'
        '<dc:language>en-GB</dc:language><dc:identifier>other</dc:identifier><dc:identifier id="id">urn:1</dc:identifier>'
        '<meta name="cover" content="i1"/>'
    )
    about = read(tmp_path, {"a.xhtml": "<p>One.</p>", "c.jpg": "x"}, metadata=metadata, spine=["a.xhtml"]).about
    assert (about.title, about.author, about.language) == ("The Lantern", "Ada N., Bo C.", "en-GB")
    assert (about.identifier, about.cover) == ("urn:1", "OEBPS/c.jpg")


def test_entities_marks_and_utf16_need_no_network(tmp_path: Path) -> None:
    doctype = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">'
    body = f"{doctype}<html {NAMESPACES}><body><p>H.&nbsp;G.&mdash;caf&eacute;</p></body></html>"
    assert spoken(read(tmp_path, {"a.xhtml": body, "gone.xhtml": "<p>x</p>"}, spine=["a.xhtml"])) == ["H. G.—café"]
    path = tmp_path / "wide.epub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/content.opf", "\ufeff<package><manifest><item id='a' href='a.xhtml'/><item id='b' href='no.xhtml'/></manifest><spine><itemref idref='b'/><itemref idref='a'/></spine></package>")  # fmt: skip
        archive.writestr("OEBPS/a.xhtml", f"<?xml version='1.0' encoding='utf-16'?><html {NAMESPACES}><body><p>Café.</p></body></html>".encode("utf-16"))  # fmt: skip
    assert spoken(read_chapters(path)) == ["Café."]


def test_hostile_books_are_one_line(tmp_path: Path) -> None:
    bomb = make_epub(tmp_path / "bomb.epub", {"a.xhtml": "<p>a</p>"})
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/content.opf", "<package><manifest><item id='a' href='../../etc/passwd'/></manifest><spine>" + "<itemref idref='a'/>" * 20_001 + "</spine></package>")  # fmt: skip
    entities = (
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        + f"<html {NAMESPACES}><body><p>A&f;b.</p></body></html>"
    )
    assert "root" not in " ".join(spoken(read(tmp_path, {"a.xhtml": entities})))
    (tmp_path / "cut.epub").write_bytes(make_epub(tmp_path / "whole.epub", {"a.xhtml": LONG}).read_bytes()[:300])
    for name in ("bomb.epub", "cut.epub", "gone.epub", "x.pdf"):
        with pytest.raises(TextError) as error:
            read_chapters(tmp_path / name)
        assert str(error.value).count("\n") == 0 and name in str(error.value)


def test_a_book_without_words_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="no words in it that would be spoken"):
        read(tmp_path, {"a.xhtml": "<p hidden='hidden'>secret</p>"})


def test_a_paragraph_of_megabytes_and_deep_elements_take_little_time(tmp_path: Path) -> None:
    body = "<p>" + "It <i id='x'>began</i> and went on. " * 10_000 + "</p>" + "<div>" * 200 + "deep" + "</div>" * 200
    book = read(tmp_path, {"a.xhtml": body})
    assert account(book).spoken == 50_001


# --- the proof ---


def test_the_account_counts_every_word(tmp_path: Path) -> None:
    book = read(
        tmp_path,
        {
            "a.xhtml": "<p>One two af<span epub:type='pagebreak'>7</span>ter.</p><aside epub:type='footnote'>Note it.</aside>"
        },
    )
    counted = account(book)
    assert (counted.spoken, counted.skipped) == (3, {"page number": 1, "note": 2})


def test_the_account_refuses_what_was_lost_doubled_changed_or_moved(tmp_path: Path) -> None:
    book = read(tmp_path, {"a.xhtml": "<p>One.</p><p>Two.</p><p hidden=''>Three.</p>"})
    (chapter,) = book.chapters
    first, second = chapter.blocks

    def with_blocks(*blocks: Block) -> ChapterBook:
        return replace(book, chapters=(replace(chapter, blocks=blocks),))

    for wrong, message in (
        (with_blocks(first), "'Two.' of the source is neither spoken nor listed as skipped"),
        (with_blocks(second, first), "not in the order of the source"),
        (with_blocks(first, first, second), "not in the order of the source"),
        (with_blocks(first, replace(second, text="To.")), "differs from its source 'Two.'"),
        (replace(book, skipped=()), "Three.*of the source is neither"),
        (replace(book, skipped=book.skipped * 2), "is used 2 times"),
    ):
        with pytest.raises(TextError, match=message):
            account(wrong)
    account(with_blocks(replace(first, text="ONE!"), second))  # capitals and signs are no words


def test_pieces_are_compared_with_the_source() -> None:
    account_pieces(("A light", "\u00adhouse"), "a lighthouse", "x")
    with pytest.raises(TextError, match="x: the text was not read whole: the source has 'house' where '' was read"):
        account_pieces(("A light",), "a lighthouse", "x")
