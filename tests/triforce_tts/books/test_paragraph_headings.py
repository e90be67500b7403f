"""Pages without elements for headings: paragraphs that are headings by their words divide the book."""

from pathlib import Path

import pytest

from tests.books import entry, make_epub, outline, read_text, reasons
from triforce_tts.books.read import read_chapters

TEXT = "The lamp was lit before nine, and it stood in the house on the quay, where the keeper had met the visitor."
PROSE = f"<p>{TEXT}</p>" * 5


def read_html(tmp_path: Path, body: str) -> list[tuple[str, tuple[str, ...]]]:
    book = read_text(tmp_path, "x.html", f"<html><body>{body}</body></html>")
    return [(chapter.title, chapter.parts) for chapter in book.chapters]


@pytest.mark.parametrize(
    "form",
    [
        "<p><b>{}</b></p>",
        '<p class="c1">{}</p>',
        '<p align="center">{}</p>',
        "<center>{}</center>",
        '<div class="c"><span><strong>{}</strong></span></div>',
        '<p><a name="c"></a><font size="5">{}</font></p>',
    ],
)
@pytest.mark.parametrize(
    ("heads", "titles"),
    [
        (("CHAPTER I", "CHAPTER II"), ["CHAPTER I", "CHAPTER II"]),
        (("Chapter One. The Lamp", "Chapter Two. The Sea"), ["Chapter One. The Lamp", "Chapter Two. The Sea"]),
        (("CHAPTER I<br>The Lamp", "CHAPTER II<br>The Sea"), ["CHAPTER I: The Lamp", "CHAPTER II: The Sea"]),
        (("PREFACE", "CHAPTER I"), ["PREFACE", "CHAPTER I"]),
        (("I.", "II."), ["I.", "II."]),
        (("1", "2"), ["1", "2"]),
    ],
)
def test_paragraphs_divide_a_page(form: str, heads: tuple[str, ...], titles: list[str], tmp_path: Path) -> None:
    body = "".join(form.format(head) + PROSE for head in heads)
    book = read_text(tmp_path, "x.html", f"<html><body>{body}</body></html>")
    assert [chapter.title for chapter in book.chapters] == titles
    assert [block.kind for block in book.chapters[0].blocks] == ["heading"] + ["paragraph"] * 5


def test_a_title_on_its_own_line_belongs_to_its_number(tmp_path: Path) -> None:
    body = "".join(f"<p>CHAPTER {n}</p><p>{title}</p>{PROSE}" for n, title in (("I", "The Lamp"), ("II", "The Sea")))
    assert read_html(tmp_path, body) == [("CHAPTER I: The Lamp", ()), ("CHAPTER II: The Sea", ())]


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_title_of_the_book_and_a_preface_may_be_headings(level: int, tmp_path: Path) -> None:
    chapters = f"<p>CHAPTER I</p>{PROSE}<p>CHAPTER II</p>{PROSE}"
    title = f"<h{level}>The Lantern</h{level}><p>by Ada N.</p>"
    assert read_html(tmp_path, title + chapters) == [("CHAPTER I", ("The Lantern",)), ("CHAPTER II", ())]
    preface = f"<h{level}>Preface</h{level}>{PROSE}"
    assert [found[0] for found in read_html(tmp_path, preface + chapters)] == ["Preface", "CHAPTER I", "CHAPTER II"]


def test_parts_stand_above_chapters(tmp_path: Path) -> None:
    body = f"<p>PART ONE</p><p>CHAPTER I</p>{PROSE}<p>CHAPTER II</p>{PROSE}<p>PART TWO</p><p>CHAPTER III</p>{PROSE}"
    parts = [("CHAPTER I", ("PART ONE",)), ("CHAPTER II", ()), ("CHAPTER III", ("PART TWO",))]
    assert read_html(tmp_path, body) == parts


def test_contents_are_skipped(tmp_path: Path) -> None:
    listed = "<p>CONTENTS</p><p>CHAPTER I</p><p>CHAPTER II</p>"
    book = read_text(tmp_path, "x.html", f"{listed}<p>CHAPTER I</p>{PROSE}<p>CHAPTER II</p>{PROSE}")
    assert [title for title, _ in outline(book)] == ["CHAPTER I", "CHAPTER II"]
    assert list(reasons(book)) == ["navigation"]


@pytest.mark.parametrize(
    "body",
    [
        f"<h2>One Fine Day</h2>{PROSE}<p>Chapter two of the book was lost.</p>{PROSE}<p>Part of it.</p>",
        f"<h2>Chapter 1</h2>{PROSE}<p>Chapter 2</p><p>Chapter 3</p>{PROSE}",
        f"<p>CHAPTER I</p>{PROSE}",
        "<ol><li>Chapter 1</li><li>Chapter 2</li></ol>" + PROSE,
    ],
)
def test_such_pages_stay_undivided(body: str, tmp_path: Path) -> None:
    assert len(read_html(tmp_path, body)) == 1


@pytest.mark.parametrize("has_contents", [True, False])
def test_an_epub_without_headings_is_divided(has_contents: bool, tmp_path: Path) -> None:
    one, two = (f'<p class="calibre1"><b>CHAPTER {n}</b></p>{PROSE}' for n in ("I", "II"))
    pages = {"a.xhtml": one + two, "b.xhtml": f"<p><b>CHAPTER III</b></p>{PROSE}"}
    toc = entry("Start", "a.xhtml") if has_contents else ""
    book = read_chapters(make_epub(tmp_path / "x.epub", pages, toc))
    assert [chapter.title for chapter in book.chapters] == ["CHAPTER I", "CHAPTER II", "CHAPTER III"]


@pytest.mark.parametrize("word", ["chapter", "chapter-title", "ChapHead", "heading1", "h2"])
def test_a_class_says_which_paragraphs_are_headings(word: str, tmp_path: Path) -> None:
    body = "".join(f'<p class="{word}">{title}</p>{PROSE}' for title in ("The Lamp", "The Sea"))
    assert read_html(tmp_path, body) == [("The Lamp", ()), ("The Sea", ())]
    numbered = body.replace(f'<p class="{word}">', '<p class="chapter-number">One</p><p class="chapter-name">')
    assert read_html(tmp_path, numbered) == [("One: The Lamp", ()), ("One: The Sea", ())]


def test_a_class_of_running_text_says_nothing(tmp_path: Path) -> None:
    body = f'<p class="chapter">He came.</p><p class="chapter">{TEXT}</p><p class="chapter">He went.</p>'
    assert len(read_html(tmp_path, body)) == 1


def test_a_heading_inside_a_chapter_begins_none(tmp_path: Path) -> None:
    body = f"<p>CHAPTER I</p>{PROSE}<h2>A Letter</h2>{PROSE}<p>CHAPTER II</p>{PROSE}"
    assert read_html(tmp_path, body) == [("CHAPTER I", ()), ("CHAPTER II", ())]
