"""Contents, indexes, Gutenberg's texts and numbers of pages inside the text of pages and of Markdown."""

from pathlib import Path

import pytest

from tests.books import entry, make_epub, outline, read_page, read_text, reasons, spoken
from triforce_tts.books.chapters import ChapterBook
from triforce_tts.books.read import read_chapters

WORDS = "<p>" + "The boat lay on the sand all night. " * 8 + "</p>"
CHAPTERS = f"<h2 id='c1'>The Sand</h2>{WORDS}<h2 id='c2'>The Tide</h2>{WORDS}<h2 id='c3'>The Boat</h2>{WORDS}"


def read_html(tmp_path: Path, body: str) -> ChapterBook:
    return read_text(tmp_path, "x.html", f"<html><body>{body}</body></html>")


@pytest.mark.parametrize(
    "listing",
    [
        "<h2>Contents</h2><ul><li><a href='#c1'>The Sand</a></li><li><a href='#c2'>The Tide</a></li></ul>",
        "<h2>CONTENTS</h2><table><tr><td>I.</td><td>Sand and all that it hides</td><td><a href='#c1'>3</a></td></tr>"
        "<tr><td>II.</td><td>What the tide brings</td><td><a href='#c2'>9</a></td></tr></table>",
        "<p>Table of Contents</p><p>Part One</p><p><a href='#c1'>I. Sand</a></p><p><a href='#c2'>II. Tide</a> 9</p>",
        "<h3>List of Illustrations</h3><p><a href='#i1'>A boat</a></p><p><a href='#i2'>Two boats</a></p>",
        "<h2>Contents</h2><p>The Sand 1</p><p>The Tide . . . 9</p><p>The Boat 17</p>",
        "<h2>Contents</h2><p><a href='#c1'>I.</a>&mdash;The Sand<br><a href='#c2'>II.</a>&mdash;The Tide<br>III.&mdash;The Boat</p>",
        "<div class='toc'><a href='#c1'>The Sand</a> <a href='#c2'>The Tide</a></div>",
    ],
)
def test_contents_inside_a_page_are_navigation(listing: str, tmp_path: Path) -> None:
    book = read_html(tmp_path, f"{listing}{CHAPTERS}")
    assert [title for title, _ in outline(book)] == ["The Sand", "The Tide", "The Boat"]
    assert set(reasons(book)) == {"navigation"}


@pytest.mark.parametrize(
    "body",
    [
        "<h2>Contents</h2><p>He counted what was in the box: a knife, a rope and two old coins of his father's.</p>",
        "<h2>Contents</h2><p>See <a href='#c2'>the tide</a>, of which more is said below than anybody wants.</p><p>It rose.</p>",
        "<h2>Index</h2><p>He raised his index finger, and nobody spoke for a while.</p>",
        "<p>Contents</p><p>A knife</p><p>A rope</p><p>A coin</p>",
    ],
)
def test_a_title_alone_leaves_nothing_out(body: str, tmp_path: Path) -> None:
    assert not reasons(read_html(tmp_path, f"{body}{CHAPTERS}"))


def test_contents_that_share_a_page_with_the_title_begin_no_chapter(tmp_path: Path) -> None:
    first = "<h1>The Sea</h1><p>by Ada N.</p><h2 id='toc'>Contents</h2><p><a href='#c1'>The Sand</a></p><p><a href='b.xhtml'>End</a></p>"
    pages = {"a.xhtml": first + f"<h2 id='c1'>The Sand</h2>{WORDS}", "b.xhtml": f"<h2>End</h2>{WORDS}"}
    toc = "".join(entry(*pair) for pair in (("The Sea", "a.xhtml"), ("Contents", "a.xhtml#toc"), ("The Sand", "a.xhtml#c1"), ("End", "b.xhtml")))  # fmt: skip
    book = read_chapters(make_epub(tmp_path / "x.epub", pages, toc))
    assert [chapter.title for chapter in book.chapters] == ["The Sea", "The Sand", "End"]
    assert outline(book)[0] == ("The Sea", "The Sea / by Ada N.")
    assert {part.where for part in book.skipped} == {"OEBPS/a.xhtml"}


def test_contents_of_markdown_are_navigation(tmp_path: Path) -> None:
    text = "# Sea\n\n## Contents\n\n- [One: Sand](#one)\n- [Two: Tide](#two)\n\n## One\n\nA.\n\n## Two\n\nB."
    book = read_text(tmp_path, "x.md", text)
    assert [chapter.title for chapter in book.chapters] == ["One", "Two"]
    assert reasons(book)["navigation"] == "Contents One: Sand Two: Tide"


def test_an_untyped_index_is_navigation(tmp_path: Path) -> None:
    index = "<h2>Index</h2><h3>B</h3><p>Boat, 3, 5–7</p><p>Bread, <i>see</i> Food</p><h3>F</h3><p>Food, 12n</p><p>Fog, 3</p>"
    book = read_html(tmp_path, f"{CHAPTERS}{index}<h2>Afterword</h2>{WORDS}")
    assert [title for title, _ in outline(book)] == ["The Sand", "The Tide", "The Boat", "Afterword"]
    assert reasons(book) == {"navigation": "Index B Boat, 3, 5–7 Bread, see Food F Food, 12n Fog, 3"}


@pytest.mark.parametrize(
    ("index", "rest"),
    [
        ("<p>Index</p><p>Finger, 3</p><p>Thumb, 4</p><p>Heart, 9</p>", "<h1>V</h1><p>He wept.</p><h1>VI</h1><p>He slept.</p>"),
        ("<h1>Index</h1><p>Finger, 3</p><p>Thumb, 4</p><p>Heart, 9</p>", "<h1>B</h1><p>Blue boats, 2</p><h1>A</h1><p>It rained.</p>"),
        ("<h1>Index</h1><p>Finger, 3</p><p>Thumb, 4</p><p>Heart, 9</p>", "<h2>V</h2><p>He wept.</p><h2>X</h2><p>He slept.</p>"),
        ("<h2>Index</h2><p>Love, 3</p><p>Loss, 14</p><p>Rain, 15</p>", "<p>She wept, for her own name was not in it.</p>"),
    ],
)  # fmt: skip
def test_an_index_ends_before_the_next_chapter_and_before_prose(index: str, rest: str, tmp_path: Path) -> None:
    book = read_html(tmp_path, f"{CHAPTERS}{index}{rest}")
    assert reasons(book)["navigation"].startswith("Index ")
    found = spoken(read_html(tmp_path, rest))
    assert spoken(book)[-len(found) :] == found


def test_heads_and_rows_of_an_index_do_not_end_it(tmp_path: Path) -> None:
    rows = "<table><tr><td>Tide</td><td>9</td></tr></table>"
    index = (
        f"<h2>Index</h2><p>Boats:</p><p>red, 3</p><p>Nord, A.</p><p>born, 4</p><p>Sand . . . 7</p><p>Sea, 2</p>{rows}"
    )
    book = read_html(tmp_path, f"{CHAPTERS}{index}")
    assert [title for title, _ in outline(book)] == ["The Sand", "The Tide", "The Boat"]
    assert reasons(book)["navigation"].endswith("Sea, 2 Tide\n9")


def test_letters_at_the_level_of_the_index_divide_it_if_three_of_them_rise(tmp_path: Path) -> None:
    index = "<h2>Index</h2><h2>B</h2><p>Boat, 3</p><h2>F</h2><p>Food, 12</p><h2>S</h2><p>Sand, 2</p><p>Sea, <i>see</i> Boat</p>"
    book = read_html(tmp_path, f"{CHAPTERS}{index}<h2>T</h2><p>The end came.</p>")
    assert reasons(book)["navigation"] == "Index B Boat, 3 F Food, 12 S Sand, 2 Sea, see Boat"
    assert "The end came." in spoken(book)


@pytest.mark.parametrize(
    "body",
    ["<p>Tom was 9</p><p>Ann was 10</p><p>Bo was 12</p>", "<p>I see him</p><p>You see her</p>"],
)
def test_lines_without_a_comma_before_the_number_are_no_index(body: str, tmp_path: Path) -> None:
    assert not reasons(read_html(tmp_path, f"{CHAPTERS}<h2>Index</h2>{body}"))


def test_a_page_that_is_only_an_index_and_chapters_named_by_letters_keeps_its_words(tmp_path: Path) -> None:
    book = read_html(tmp_path, "<h1>Index</h1><p>Finger, 3</p><p>Thumb, 4</p><h1>B</h1><p>He wept.</p>")
    assert spoken(book)[-2:] == ["B", "He wept."]


# --- Project Gutenberg ---

HEADER = "<pre>\nThe Project Gutenberg EBook of The Sea\n\nFor anyone.\n\n*** START OF THIS PROJECT GUTENBERG EBOOK THE SEA ***\n</pre>"
FOOTER = "<pre>\n\nEnd of the Project Gutenberg EBook of The Sea\n\n*** END OF THIS PROJECT GUTENBERG EBOOK THE SEA ***\nLicence.\n</pre>"
NOTE = "<div class='transnote'><p>Transcriber’s Note: commas were added.</p></div>"


def test_gutenberg_texts_in_old_pages_are_skipped(tmp_path: Path) -> None:
    credit = "<p>Produced by Bo C.</p>"
    book = read_html(tmp_path, f"{HEADER}{credit}{CHAPTERS}{FOOTER}")
    assert [title for title, _ in outline(book)] == ["The Sand", "The Tide", "The Boat"]
    assert "Licence" not in " ".join(spoken(book)) and "Produced" not in " ".join(spoken(book))
    assert set(reasons(book)) == {"Gutenberg header", "Gutenberg footer"}


def test_a_book_about_gutenberg_keeps_its_words(tmp_path: Path) -> None:
    book = read_html(tmp_path, f"<p>Project Gutenberg was begun in 1971.</p>{CHAPTERS}<p>End of Project Gutenberg?</p>")
    assert not reasons(book)


@pytest.mark.parametrize(
    "note",
    [NOTE, "<h3>Transcriber’s Notes</h3><p>Commas were added.</p>", "<p>[Transcriber's Note: commas were added.]</p>"],
)
def test_notes_of_transcribers_are_no_text_of_the_book(note: str, tmp_path: Path) -> None:
    book = read_html(tmp_path, f"{HEADER}{CHAPTERS}{note}{FOOTER}")
    assert "ommas" not in " ".join(spoken(book)) and "ommas were added." in reasons(book)["transcriber's note"]


def test_a_story_may_speak_of_a_transcriber(tmp_path: Path) -> None:
    assert not reasons(read_html(tmp_path, f"{CHAPTERS}<p>Transcriber's note: the tape ends here.</p>"))


# --- numbers of pages ---


def test_paragraphs_that_count_up_are_numbers_of_pages(tmp_path: Path) -> None:
    body = "<p>The boat lay</p><p>[12]</p><p>on the sand.</p><p>— 13 —</p><p>It rained.</p><p>14</p><p>End.</p>"
    book = read_page(tmp_path, body)
    assert reasons(book) == {"page number": "[12] — 13 — 14"}
    assert spoken(book) == ["The boat lay on the sand.", "It rained.", "End."]


@pytest.mark.parametrize(
    "body",
    [
        "<p>1</p><p>It rose.</p><p>2</p><p>It fell.</p><p>3</p><p>It rose.</p>",  # chapters
        "<p>He counted:</p><p>12</p><p>13</p><p>14</p><p>And so on.</p>",
        "<p>It rose.</p><p>3</p><p>It fell.</p><p>4</p><p>It rose.</p><p>5</p><p>It fell.</p>",  # days of a diary
        "<p>Room</p><p>12</p><p>was dark.</p><p>40</p><p>was not.</p>",
    ],
)
def test_other_paragraphs_of_numbers_are_spoken(body: str, tmp_path: Path) -> None:
    assert not reasons(read_page(tmp_path, body))


def test_many_numbers_of_pages_need_no_broken_sentence(tmp_path: Path) -> None:
    book = read_page(tmp_path, "<p>It rose.</p>" + "".join(f"<p>{n}</p><p>It fell.</p>" for n in range(7, 17)))
    assert reasons(book) == {"page number": " ".join(str(n) for n in range(7, 17))}


# --- notes and drop caps ---


def test_a_story_of_notes_that_are_marked_inside_it_is_spoken(tmp_path: Path) -> None:
    lines = "<p id='a'>1. She lies.<a href='#b'>2</a></p><p id='b'>2. He lies too.</p><p>3. All lie.</p>"
    book = read_html(tmp_path, f"{CHAPTERS}<h2>Notes</h2>{lines}")
    assert "note" not in reasons(book)
    assert {"2. He lies too.", "3. All lie."} <= set(spoken(book))


@pytest.mark.parametrize("letter", ["a", "A"])
def test_a_picture_of_a_letter_directly_before_small_letters_is_a_drop_cap(letter: str, tmp_path: Path) -> None:
    assert spoken(read_page(tmp_path, f"<p><img src='a.png' alt='{letter}'/>nd it fell.</p>")) == [
        f"{letter}nd it fell."
    ]


@pytest.mark.parametrize(
    "body", ["<p>A.</p><h2>INDEX</h2>", "<p>A.</p><h2>INDEX</h2><p>Lamp, 3</p><p>Sea, 4</p><h2>INDEX</h2>"]
)
def test_a_title_of_an_index_without_any_entry_is_read(body: str, tmp_path: Path) -> None:
    assert spoken(read_text(tmp_path, "x.html", body))[-1] == "INDEX"
