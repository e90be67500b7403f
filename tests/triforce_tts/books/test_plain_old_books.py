"""Text files of old books: headers without fields, stories with numbers inside, mottos, long titles, notes of several paragraphs."""

from pathlib import Path

import pytest

from tests.books import read_text, reasons, spoken
from triforce_tts.books.gutenberg import called_in_header

PARAGRAPH = """The lamp was lit before nine, and it stood in the lighthouse on the
quay, where the keeper, who was an old and very quiet man, had met the
visitor in the afternoon of the storm.
"""
STORY = "\n".join([PARAGRAPH] * 4)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("**The Project Gutenberg Etext of The Lamp, by Ada N.**\n#3 in our series", ("The Lamp", "Ada N.")),
        ("**The Project Gutenberg Etext of The Lamp**\n**by Ada N.**\n\nCopyright", ("The Lamp", "Ada N.")),
        ("Project Gutenberg's The Lamp, by Ada N.\n", ("The Lamp", "Ada N.")),
        ("The Project Gutenberg EBook of The Keeper\nand the Lamp, by Ada N.\n", ("The Keeper and the Lamp", "Ada N.")),
        ("The Project Gutenberg Etext of Lit by Night, by Ada N.\n[A story]", ("Lit by Night", "Ada N.")),
        ("The Project Gutenberg Etext of The Lamp, a Tale\n", ("The Lamp, a Tale", "")),
        (
            "The Project Gutenberg Etext of The Lamp, by Ada N. Nott\n(#6 in our series by Ada N. Nott)",
            ("The Lamp", "Ada N. Nott"),
        ),
        ("Project Gutenberg's eBook, The Lamp, by Ada N., edited by Ben", ("The Lamp", "Ada N.")),
        ("The Project Gutenberg Etext of The Lamp, by Ada N.\nCopyright laws are changing.", ("The Lamp", "Ada N.")),
        ("The Project Gutenberg Etext of Step by Step", ("Step by Step", "")),
        ("Project Gutenberg's Tales, by Émile Lamb and Mary Lamb", ("Tales", "Émile Lamb and Mary Lamb")),
        ("Project Gutenberg's Stand By Me by Ada Night", ("Stand By Me", "Ada Night")),
        ("The lamp was lit.", ("", "")),
    ],
)
def test_an_old_header_names_the_book(header: str, named: tuple[str, str]) -> None:
    assert called_in_header(header.split("\n")) == named


def test_the_title_page_behind_an_old_header_is_skipped(tmp_path: Path) -> None:
    header = "The Project Gutenberg Etext of The Lamp, by Ada N.\n\n*END*THE SMALL PRINT! Ver.04.29.93*END*\n\n\n"
    book = read_text(
        tmp_path, "x.txt", f"{header}THE LAMP\n\nby Ada N.\n\n\nCHAPTER I\n\n{STORY}\nCHAPTER II\n\n{STORY}"
    )
    assert (book.about.title, book.about.author) == ("The Lamp", "Ada N.")
    assert spoken(book)[0] == "CHAPTER I"
    assert reasons(book)["front matter"] == "THE LAMP by Ada N."


@pytest.mark.parametrize("numbers", [("I", "II"), ("1", "2"), ("I.", "II.")])
def test_numbers_inside_stories_that_the_contents_list_begin_no_chapters(
    numbers: tuple[str, str], tmp_path: Path
) -> None:
    titles = ("The Lamp", "What the Tide Left", "A Debt")
    stories = "".join(f"\n\n\n{t.upper()}\n\n\n{numbers[0]}\n\n{STORY}\n\n{numbers[1]}\n\n{STORY}" for t in titles)
    book = read_text(
        tmp_path, "x.txt", "CONTENTS\n\n" + "".join(f"{t}   {n}\n" for n, t in enumerate(titles)) + stories
    )
    assert [(chapter.title, chapter.parts) for chapter in book.chapters] == [(t.upper(), ()) for t in titles]


def test_a_few_parts_with_many_numbers_are_no_stories(tmp_path: Path) -> None:
    titles = ("The Window", "Time Passes", "The Lighthouse")
    numbers = ("I", "II", "III", "IV", "V", "VI", "VII")
    parts = "".join(f"\n\n\n{t.upper()}\n\n\n" + "\n\n".join(f"{n}\n\n{STORY}" for n in numbers) for t in titles)
    book = read_text(tmp_path, "x.txt", "CONTENTS\n\n" + "\n".join(titles) + parts)
    assert [chapter.title for chapter in book.chapters] == list(numbers) * 3


def test_parts_stay_above_numbers_that_begin_again(tmp_path: Path) -> None:
    parts = "".join(f"\n\n\n{t}\n\n\nI\n\n{STORY}\n\nII\n\n{STORY}" for t in ("PART ONE", "PART TWO", "PART THREE"))
    book = read_text(tmp_path, "x.txt", f"CONTENTS\n\nPART ONE\nPART TWO\nPART THREE\n{parts}")
    assert [chapter.title for chapter in book.chapters] == ["I", "II"] * 3


def test_the_last_entry_of_the_contents_stands_above_no_title(tmp_path: Path) -> None:
    listed = "CONTENTS\n\nETYMOLOGY.\n\nCHAPTER 1. The Lamp.\n\nCHAPTER 2. The Sea.\n\nEpilogue\n\n\n\n"
    front = f"ETYMOLOGY.\n\n  (Supplied by an Usher to a School.)\n\n{STORY}\n\n\n"
    chapters = f"CHAPTER 1. The Lamp.\n\n{STORY}\n\nCHAPTER 2. The Sea.\n\n{STORY}\n\nEpilogue\n\n{STORY}"
    book = read_text(tmp_path, "x.txt", listed + front + chapters)
    assert book.chapters[0].title == "ETYMOLOGY."
    assert list(reasons(book)) == ["navigation"]


def test_a_motto_of_a_title_page_may_be_a_paragraph(tmp_path: Path) -> None:
    motto = (
        "   ‘But who shall dwell in these worlds if they be inhabited?\n    . . . Are we or they lords of the world? . . . And\n"
        "    how are all things made for man?’\n                    KEPLER (quoted in _The Anatomy of Melancholy_)\n"
    )
    page = f"The Lamp\n\nby Ada N.\n\n\n{motto}\n\n\nContents\n\n I. THE SEA.\n II. THE OIL.\n\n\n"
    header = "Title: The Lamp\n\nAuthor: Ada N.\n\n*** START OF THE PROJECT GUTENBERG EBOOK THE LAMP ***\n\n\n"
    book = read_text(tmp_path, "x.txt", f"{header}{page}\nI.\nTHE SEA.\n\n{STORY}\n\nII.\nTHE OIL.\n\n{STORY}")
    assert [chapter.title for chapter in book.chapters] == ["Epigraph", "I. THE SEA.", "II. THE OIL."]


def test_a_title_that_opens_as_others_do_may_be_longer_than_the_text_behind_it(tmp_path: Path) -> None:
    title = "Containing what the reader may, perhaps, think a long introduction\nto a very short matter."
    speech = "“Indeed!” said the old keeper of the lamp, very quietly."
    chapters = "".join(f"CHAPTER THE {n}.\n\n{title}\n\n{speech}\n\n{STORY}\n\n" for n in ("FIRST", "SECOND", "THIRD"))
    book = read_text(tmp_path, "x.txt", chapters)
    assert all("Containing what" in chapter.title for chapter in book.chapters)


def test_notes_below_a_heading_may_have_several_paragraphs(tmp_path: Path) -> None:
    chapter = f"{PARAGRAPH.rstrip()}[1]\n\n{PARAGRAPH.rstrip()}[2]\n\n{STORY}\n\n"
    notes = "FOOTNOTES:\n\n[1] See the log.\n\nIt is torn.\n\n[2] The oil of whales.\n\nHe was gone.\n\n\n\n"
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{chapter}{notes}CHAPTER II\n\n{STORY}")
    assert not any("torn" in line for line in spoken(book))
    assert "He was gone." in spoken(book)  # the text may go on behind the last note


@pytest.mark.parametrize("between", [STORY, "She ran.[2]", f"He ran.\n\n{PARAGRAPH}\n\nFOOTNOTES:"])
def test_text_between_two_lists_of_notes_is_spoken(between: str, tmp_path: Path) -> None:
    chapter = f"{PARAGRAPH.rstrip()}[1]\n\n{PARAGRAPH.rstrip()}[2]\n\n"
    notes = f"FOOTNOTES:\n\n[1] See the log.\n\nIt stopped.\n\n{between}\n\n[2] The oil of whales.\n\n"
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{chapter}{notes}CHAPTER II\n\n{STORY}")
    assert "It stopped." in spoken(book)
