"""Title pages that share a page or a file with the text: what of them is skipped, and what is read."""

from pathlib import Path

import pytest

from tests.books import entry, make_epub, read_text, reasons, spoken
from triforce_tts.books.chapters import ChapterBook
from triforce_tts.books.read import read_chapters

START = "*** START OF THE PROJECT GUTENBERG EBOOK THE SEA ***"
LONG = "<p>" + "It went on and on, and nobody on the quay knew where it would end. " * 5 + "</p>"
ABOUT = "<dc:title>The Sea</dc:title><dc:creator>Ada Nobody</dc:creator>"


def read_html(tmp_path: Path, title_page: str, header: str) -> ChapterBook:
    chapters = f"<h2>The Lamp</h2>{LONG}<h2>The Quay</h2>{LONG}"
    path = tmp_path / "sea.html"
    path.write_text(f"<title>The Sea</title><p>{header}</p>{title_page}{chapters}")
    return read_chapters(path)


@pytest.mark.parametrize(
    "title_page",
    [
        "<h1>THE SEA</h1>",
        "<h1>The Sea</h1><p>by Ada Nobody</p><p>LONDON<br>WARD &amp; CO., LIMITED<br>1911</p><p>All rights reserved</p>",
        "<h1>The Sea</h1><h3>A TALE</h3><h2>By Ada Nobody</h2><h4>With illustrations by Bo Nobody</h4><p>1883</p>",
    ],
)
def test_the_title_page_behind_the_header_of_gutenberg_is_skipped(title_page: str, tmp_path: Path) -> None:
    book = read_html(tmp_path, title_page, START)
    assert [(chapter.title, chapter.parts) for chapter in book.chapters] == [("The Lamp", ()), ("The Quay", ())]
    assert book.chapters[0].blocks[0].text == "The Lamp"


@pytest.mark.parametrize(
    ("title_page", "first"),
    [
        ("<h1>The Sea</h1><p>To my mother, who reads aloud</p>", "To my mother, who reads aloud"),
        ("<h1>The Sea</h1><h2>Preface</h2><p>Read it slowly.</p>", "Preface"),
        ("<h1>The Sea</h1><p>It was a short book, and it had no end.</p>", "It was a short book, and it had no end."),
        ("<h1>The Sea</h1><p>by Ada Nobody</p><h2>Volume I</h2>", "Volume I"),
        *(
            (f"<h1>The Sea</h1><p>by Ada Nobody</p><h2>{title}</h2>{LONG}", title)
            for title in ("The Press Gang", "A Winter Tale", "1914", "Two Brothers", "By Night", "The Sea")
        ),
        (f"<h1>The Sea</h1><h2>The Quay</h2><p>London, 1911</p>{LONG}", "The Quay"),
        ("<h1>The Sea</h1><p>The press was silent.</p>", "The press was silent."),
        ("<h1>The Sea</h1><h3>Song</h3><p>By the sea<br>by the shore<br>a tale</p>", "Song"),
    ],
)
def test_what_follows_a_title_page_is_read(title_page: str, first: str, tmp_path: Path) -> None:
    assert next(read_html(tmp_path, title_page, START).blocks()).text == first


def test_a_title_page_of_another_book_needs_a_publisher(tmp_path: Path) -> None:
    assert next(read_html(tmp_path, "<h1>The Sea</h1><p>by Ada Nobody</p>", "").blocks()).text == "The Sea"
    assert next(read_html(tmp_path, f"<h1>The Sea</h1><h2>The Press Gang</h2>{LONG}", "").blocks()).text == "The Sea"
    imprint = "<h1>The Sea</h1><p>by Ada Nobody</p><p>Sand Press, 1911</p>"
    assert next(read_html(tmp_path, imprint, "").blocks()).text == "The Lamp"


@pytest.mark.parametrize("field", ["<p><strong>{}</strong>: {}</p>", "<pre>\n{}: {}\n</pre>"])
def test_the_header_of_gutenberg_names_the_book(field: str, tmp_path: Path) -> None:
    fields = field.format("Title", "The Sea") + field.format("Author", "Ada Nobody")
    book = read_text(tmp_path, "x.html", f"{fields}<p>{START}</p><h1>THE SEA</h1><h2>I</h2>{LONG}<h2>II</h2>{LONG}")
    assert (book.about.title, book.about.author) == ("The Sea", "Ada Nobody")


def test_entries_of_a_title_page_begin_no_chapters(tmp_path: Path) -> None:
    page = f"<div id='pg-header'>{START}</div><h1 id='a'>THE SEA</h1><h2 id='b'>by Ada Nobody</h2><h2 id='c'>The Lamp</h2>{LONG}"
    toc = "".join(
        entry(title, f"x.xhtml#{name}") for title, name in (("THE SEA", "a"), ("by Ada", "b"), ("The Lamp", "c"))
    )
    book = read_chapters(make_epub(tmp_path / "x.epub", {"x.xhtml": page}, toc, metadata=ABOUT))
    assert [chapter.title for chapter in book.chapters] == ["The Lamp"]


def test_the_motto_and_the_dedication_on_a_title_page_are_read_as_front_matter(tmp_path: Path) -> None:
    page = (
        "<section epub:type='frontmatter'><section epub:type='titlepage'><h1>The Sea</h1><!-- so --><div>Ada Nobody"
        "<div epub:type='epigraph'><p>The sea is wide.</p></div></div><p epub:type='dedication'>For Bo</p></section></section>"
        f"<section id='c'><h2>The Lamp</h2>{LONG}</section>"
    )
    book = read_chapters(
        make_epub(tmp_path / "x.epub", {"x.xhtml": page}, entry("The Lamp", "x.xhtml#c"), metadata=ABOUT)
    )
    assert [(chapter.title, chapter.front) for chapter in book.chapters] == [("The Sea", True), ("The Lamp", False)]
    assert [block.text for block in book.chapters[0].blocks] == ["The sea is wide.", "For Bo"]
    assert reasons(book)["front matter"] == "The Sea Ada Nobody"


TYPED = (
    "CHAPTER I\n\n" + "It went on and on, and nobody knew where it would end.\n" * 5 + "\n\nCHAPTER II\n\nIt ended.\n"
)
IMPRINT = "THE SEA\n\nby Ada Nobody\n\nLONDON\nWARD & CO., LIMITED\n1911\n\n\n"
HEADER = f"Title: The Sea\nAuthor: Ada Nobody\n\n{START}\n\n"


@pytest.mark.parametrize(
    ("front", "chapter"),
    [
        ("TO\nMY MOTHER\n\n\nTHE SEA\n\n\n", ("Dedication", ["TO\nMY MOTHER"])),
        ('  "The sea is wide,\n   And the lamp is small."\n            --_Homer_\n\n\n', ("Epigraph", ['"The sea is wide,\nAnd the lamp is small."\n--Homer'])),
        ("The lamp is small.\n\n-- Homer\n\n\n", ("Epigraph", ["The lamp is small.", "-- Homer"])),
        ("Dedicated to Bo\n\nFor sale by all booksellers\n\n", ("Dedication", ["Dedicated to Bo", "For sale by all booksellers"])),
        ("THE PERSONS OF THE PLAY\n\nBO, a boy.\nADA, a girl.\n\n\n", ("THE PERSONS OF THE PLAY", ["THE PERSONS OF THE PLAY", "BO, a boy.\nADA, a girl."])),
    ],
)  # fmt: skip
def test_a_text_file_keeps_the_dedication_between_its_title_and_its_text(
    front: str, chapter: tuple[str, list[str]], tmp_path: Path
) -> None:
    book = read_text(tmp_path, "x.txt", f"{HEADER}{IMPRINT}{front}{TYPED}")
    first = book.chapters[0]
    assert (first.title, first.front) == (chapter[0], True)
    assert [" ".join(block.text.split()) for block in first.blocks] == [" ".join(text.split()) for text in chapter[1]]
    assert [(c.title, c.front) for c in book.chapters[1:]] == [("CHAPTER I", False), ("CHAPTER II", False)]


@pytest.mark.parametrize("name", ["x.txt", "x.html", "x.epub"])
def test_the_printer_behind_the_last_words_is_skipped(name: str, tmp_path: Path) -> None:
    pages = f"<h2>The Lamp</h2>{LONG}<p>THE END</p><p>PRINTED BY T. CONSTABLE, EDINBURGH</p>"
    if name == "x.epub":
        book = read_chapters(make_epub(tmp_path / name, {"x.xhtml": pages}))
    else:
        text = pages if name == "x.html" else f"{TYPED}\n\nTHE END\n\n\nPrinted by T. Constable,\nEdinburgh\n"
        book = read_text(tmp_path, name, text)
    assert [block.text for block in book.blocks()][-1] == "THE END"
    assert "onstable" in reasons(book)["back matter"].lower()


@pytest.mark.parametrize(
    "line", ["Printed in the snow were the feet of a hare.", "Printed at the bottom was his name."]
)
def test_the_last_sentence_of_a_story_is_no_printer(line: str, tmp_path: Path) -> None:
    assert [block.text for block in read_text(tmp_path, "x.txt", f"{TYPED}\n\n{line}\n").blocks()][-1] == line


@pytest.mark.parametrize("before", ["dedication", "epigraph", "frontmatter"])
def test_a_chapter_that_only_begins_with_a_dedication_or_a_motto_is_no_front_matter(
    before: str, tmp_path: Path
) -> None:
    page = f"<section epub:type='{before}'><p>For Bo</p></section><h2>The Lamp</h2>{LONG}"
    book = read_chapters(
        make_epub(tmp_path / "x.epub", {"x.xhtml": page}, entry("The Lamp", "x.xhtml"), metadata=ABOUT)
    )
    assert [chapter.front for chapter in book.chapters] == [False]


def test_title_pages_of_volumes_are_skipped(tmp_path: Path) -> None:
    house = "LONDON:\nHURST AND BLACKETT, PUBLISHERS,\n13, GREAT MARLBOROUGH STREET.\n1868."
    contents = "CONTENTS OF VOL. I.\n\n  I. THE QUAY       1\n II. THE SEA       23"
    story = "The lamp was lit before nine, and it stood in the old lighthouse on the quay at Denholm.\n\n" * 3
    first = f"VOL. I.\n\n{house}\n\n\n\n{contents}\n\n\n\nCHAPTER I.\n\nTHE QUAY.\n\n{story}\n\nEND OF VOL. I."
    printer = "LONDON: PRINTED BY MACDONALD AND TUGWELL."
    second = f"VOL. II.\n\n\n\nCHAPTER II.\n\nTHE SEA.\n\n{story}"
    book = read_text(tmp_path, "The Lamp.txt", f"THE LAMP\n\n{first}\n\n{printer}\n\n\n\n{second}")
    assert [(chapter.title, chapter.parts) for chapter in book.chapters] == [
        ("CHAPTER I. THE QUAY.", ("VOL. I.",)),
        ("CHAPTER II. THE SEA.", ("VOL. II.",)),
    ]
    assert reasons(book)["front matter"].split() == f"THE LAMP {house} {printer}".split()
    assert "navigation" in reasons(book)


@pytest.mark.parametrize("title", ["THE PRINTING PRESS", "THE COMPANY OF\nTHE RING"])
def test_the_title_of_a_volume_is_read(title: str, tmp_path: Path) -> None:
    story = "The lamp was lit before nine, and it stood in the old lighthouse on the quay at Denholm.\n\n" * 3
    text = f"VOLUME ONE\n\n{title}\n\nCHAPTER I\n\n{story}CHAPTER II\n\n{story}"
    book = read_text(tmp_path, "x.txt", text)
    assert title in "\n".join(spoken(book))
    assert reasons(book) == {}
