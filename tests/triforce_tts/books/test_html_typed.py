"""HTML files whose book stands in ``pre``, as it was typed: they are read as text files are."""

from pathlib import Path

import pytest

from tests.books import outline, read_page, read_text, reasons, spoken
from triforce_tts.books.chapters import account

PARAGRAPH = """The lamp was lit before nine, and it stood in the light-
house on the quay, where the keeper, who was an old and very
quiet man, had met the visitor in the afternoon of the storm.
"""
TEXT = " ".join(PARAGRAPH.replace("-\n", "").split())
BODY = f"CHAPTER I\n\n{PARAGRAPH}\n{PARAGRAPH}\nCHAPTER II\n\nThe Sea\n\n{PARAGRAPH}\n"
HEADER = "The Project Gutenberg EBook of The Lantern, by Ada N.\n\nTitle: The Lantern\n\nAuthor: Ada N.\n\n*** START OF THIS PROJECT GUTENBERG EBOOK THE LANTERN ***\n\n"
FOOTER = "\n*** END OF THIS PROJECT GUTENBERG EBOOK THE LANTERN ***\n\nLicence.\n"


def page(body: str) -> str:
    return f"<html><head><title>Lantern</title><style>b {{}}</style></head><body>{body}</body></html>"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_book_in_one_pre_is_read_as_a_text_file(end: str, tmp_path: Path) -> None:
    html = page(f"<pre>\n{HEADER}{BODY}{FOOTER}</pre>").replace("\n", end)
    book = read_text(tmp_path, "x.html", html)
    assert outline(book) == [
        ("CHAPTER I", f"CHAPTER I / {TEXT} / {TEXT}"),
        ("CHAPTER II: The Sea", f"CHAPTER II\nThe Sea / {TEXT}"),
    ]
    assert {block.kind for block in book.blocks()} == {"heading", "paragraph"}
    assert set(reasons(book)) == {"document title", "Gutenberg header", "Gutenberg footer"}
    assert (book.about.title, book.about.author) == ("The Lantern", "Ada N.")
    account(book)


def test_marks_inside_a_typed_text_and_words_around_it_are_kept(tmp_path: Path) -> None:
    typed = BODY.replace("CHAPTER I\n", '<a name="c1"></a><b>CHAPTER I</b>\n').replace("keeper", "<i>keeper</i>")
    html = page(f"<h1>The Lantern</h1><!-- secret --><pre>{typed}</pre><p>The end\nof it.</p>")
    book = read_text(tmp_path, "x.html", html)
    assert [chapter.title for chapter in book.chapters][-2:] == ["CHAPTER I", "CHAPTER II: The Sea"]
    assert spoken(book)[-1] == "The end of it."
    assert "The Lantern" in " ".join(spoken(book)) + reasons(book).get("front matter", "")
    assert reasons(book)["comment"] == "secret"


def test_headings_between_typed_texts_divide_the_book(tmp_path: Path) -> None:
    html = page(f"<h2>The Lamp</h2><pre>{PARAGRAPH}</pre><h2>The<br>Sea</h2><pre>{PARAGRAPH}\n\n{PARAGRAPH}</pre>")
    assert outline(read_text(tmp_path, "x.html", html)) == [
        ("The Lamp", f"The Lamp / {TEXT}"),
        ("The Sea", f"The Sea / {TEXT} / {TEXT}"),
    ]


@pytest.mark.parametrize("mark", ["hidden", 'style="display:none"', 'class="pg-header"'])
def test_what_is_not_read_of_a_page_is_not_read_of_a_typed_one(mark: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.html", page(f"<div {mark}>secret</div><pre>{BODY}</pre>"))
    assert "secret" not in " ".join(spoken(book))
    account(book)


def test_a_poem_alone_in_a_pre_keeps_its_lines(tmp_path: Path) -> None:
    assert spoken(read_text(tmp_path, "x.html", page("<pre>The sea is wide\nand deep</pre>"))) == [
        "The sea is wide\nand deep"
    ]


def test_verse_in_a_page_of_prose_stays_verse(tmp_path: Path) -> None:
    html = page(f"<h2>One</h2><p>{TEXT}</p><pre>The sea\n  is wide</pre><p>{TEXT}</p>")
    assert spoken(read_text(tmp_path, "x.html", html))[2] == "The sea\nis wide"


PROSE = (PARAGRAPH + "\n") * 3


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_prose_in_a_pre_of_an_epub_is_divided_into_paragraphs(end: str, tmp_path: Path) -> None:
    typed = f"<pre>CHAPTER I\n\n{PROSE}* * *\n\n  The sea,\n    the sea!\n\n{PROSE}</pre>".replace("\n", end)
    blocks = list(read_page(tmp_path, typed).blocks())
    assert [block.kind for block in blocks] == ["paragraph"] * 4 + ["break", "verse"] + ["paragraph"] * 3
    assert [blocks[1].text, blocks[5].text] == [TEXT, "The sea,\nthe sea!"]


@pytest.mark.parametrize(
    "typed",
    [
        "\n".join(["The boat goes out upon the morning tide,", "and all the quay is grey", "with early rain"] * 3),
        "\n".join([f"Ada        {n}        in the house on the quay by the sea" for n in range(8)]),
        "The sea is wide",
    ],
)
def test_other_text_in_a_pre_keeps_its_lines(typed: str, tmp_path: Path) -> None:
    blocks = list(read_page(tmp_path, f"<p>It began.</p><pre>{typed}</pre>").blocks())
    assert [(block.kind, block.text.count("\n")) for block in blocks[1:]] == [("verse", typed.count("\n"))]
