"""Numbers inside chapters, summaries below titles, and first paragraphs: what stands below a heading and is no chapter or title."""

from pathlib import Path

import pytest

from tests.books import make_epub, outline, point, read_text
from triforce_tts.books.read import read_chapters

PROSE = "The ferryman's daughter had mended the copper kettle, and nobody in the lane could say why she laughed at it so long. "


@pytest.mark.parametrize("heading", ["CHAPTER {}", "CANTO {}.", "ADVENTURE {}. THE LAMP"])
def test_numbers_alone_inside_chapters_begin_none(tmp_path: Path, heading: str) -> None:
    titles = [heading.format(number) for number in ("I", "II")]
    text = "".join(f"{title}\n\n" + "".join(f"{n}.\n\n{PROSE * 3}\n\n" for n in ("I", "II", "III")) for title in titles)
    assert [title for title, _ in outline(read_text(tmp_path, "a.txt", text))] == titles


def test_numbers_alone_below_parts_are_chapters(tmp_path: Path) -> None:
    text = "".join(f"BOOK {part}\n\n" + "".join(f"{n}\n\n{PROSE * 3}\n\n" for n in (1, 2, 3)) for part in ("I", "II"))
    assert [title for title, _ in outline(read_text(tmp_path, "a.txt", text))] == ["1", "2", "3"] * 2


def test_a_summary_that_the_contents_repeat_begins_no_chapter(tmp_path: Path) -> None:
    chapters = [
        ("I", "THE WEIR", "The weir described—Old Tobias—A loss"),
        ("II", "THE LAMP", "A lamp is lit—A visitor—The end"),
    ]
    contents = "".join(f"CHAPTER {n}\n\n{title}\n\n{summary}        {len(n)}\n\n" for n, title, summary in chapters)
    texts = "".join(f"CHAPTER {n}\n\n{title}\n\n{summary}.\n\n{PROSE * 4}\n\n\n\n" for n, title, summary in chapters)
    book = read_text(tmp_path, "a.txt", f"CONTENTS\n\n{contents}\n\n\n{texts}")
    assert [title for title, _ in outline(book)] == ["CHAPTER I: THE WEIR", "CHAPTER II: THE LAMP"]


def test_a_story_below_the_title_of_a_part_is_a_chapter(tmp_path: Path) -> None:
    parts = [("ONE", "THE SEA", ["The Lighthouse", "The Gull"]), ("TWO", "THE SHORE", ["The Lamp", "The Weir"])]
    contents = "".join(
        f"PART {n}\n  {title}\n" + "".join(f"    {story}\n" for story in stories) for n, title, stories in parts
    )
    texts = "".join(
        f"PART {n}\n\n{title}\n\n\n\n" + "".join(f"{story}\n\n{PROSE * 6}\n\n\n\n" for story in stories)
        for n, title, stories in parts
    )
    book = read_text(tmp_path, "a.txt", f"CONTENTS\n\n{contents}\n\n\n{texts}")
    assert [title for title, _ in outline(book)] == ["The Lighthouse", "The Gull", "The Lamp", "The Weir"]


def test_a_first_paragraph_that_trails_off_is_no_title(tmp_path: Path) -> None:
    text = "".join(f"Chapter {n}\n\n{PROSE}And so on…\n\n{PROSE * 4}\n\n" for n in (1, 2))
    assert [title for title, _ in outline(read_text(tmp_path, "a.txt", text))] == ["Chapter 1", "Chapter 2"]
    text = "".join(f"Chapter {n}\n\nAnd Then…\n\n{PROSE * 4}\n\n" for n in (1, 2))
    assert [title for title, _ in outline(read_text(tmp_path, "a.txt", text))] == [
        "Chapter 1: And Then…",
        "Chapter 2: And Then…",
    ]


def test_an_entry_for_the_whole_book_begins_no_chapter_of_its_title(tmp_path: Path) -> None:
    body = "<p>THE LADDER</p><p>Ada Nobody</p>" + "".join(f"<h2>CHAPTER {n}</h2><p>{PROSE}</p>" for n in ("I", "II"))
    book = read_chapters(make_epub(tmp_path / "b.epub", {"a.xhtml": body}, ncx=point("The Ladder", "a.xhtml")))
    assert [title for title, _ in outline(book)] == ["CHAPTER I", "CHAPTER II"]
    assert book.chapters[0].parts == ("The Ladder",)


def test_numbers_alone_that_go_on_below_acts_are_chapters(tmp_path: Path) -> None:
    text = "".join(
        f"ACT {act}\n\n" + "".join(f"{n}\n\n{PROSE * 3}\n\n" for n in numbers)
        for act, numbers in (("ONE", ("I", "II", "III")), ("TWO", ("IV", "V", "VI")))
    )
    assert [title for title, _ in outline(read_text(tmp_path, "a.txt", text))] == ["I", "II", "III", "IV", "V", "VI"]


def test_a_title_in_the_contents_without_dashes_is_no_summary(tmp_path: Path) -> None:
    stories = {"I": ("THE SEA", ["The Storm", "The Calm"]), "II": ("THE SHORE", ["The Dark", "The Lamp"])}
    contents = "".join(
        f"{n}. {title}\n" + "".join(f"  {one}\n" for one in inner) for n, (title, inner) in stories.items()
    )
    texts = "".join(
        f"{n}\n\n{title}\n\n" + "".join(f"{one}\n\n{PROSE * 6}\n\n\n" for one in inner)
        for n, (title, inner) in stories.items()
    )
    titles = [title for title, _ in outline(read_text(tmp_path, "a.txt", f"CONTENTS\n\n{contents}\n\n\n{texts}"))]
    assert titles[-4:] == ["The Calm", "II: THE SHORE", "The Dark", "The Lamp"] or {"The Storm", "The Dark"} <= set(
        titles
    )


@pytest.mark.parametrize("heading", ["Dedication", "Prologue"])
def test_a_named_piece_above_the_first_chapter_is_no_part(tmp_path: Path, heading: str) -> None:
    text = f"#### {heading}\n\nFor Ann\n\n## Chapter 1\n\n{PROSE}\n\n## Chapter 2\n\n{PROSE}\n"
    book = read_text(tmp_path, "a.md", text)
    assert [title for title, _ in outline(book)] == [heading, "Chapter 1", "Chapter 2"]
