"""The line above each page of a scanned book: its title or that of the chapter, with the number of the page."""

from pathlib import Path

import pytest

from tests.books import outline, read_page, read_text, reasons, spoken

# A page has sixty words or more.
FIRST = (
    "Everybody in the lane had heard of the geese, and of the winter in which the water rose above the weir and took the lower "
    "meadow with the hay that stood there. Nobody had seen the sexton since the bells were sold. "
    "The ferryman's daughter had mended the copper kettle before the thaw, and she"
)
REST = "would not say to anybody in the lane why she laughed at it."


def _scan(heads: list[str]) -> str:
    pages = "\n\n\n".join(f"{FIRST}\n\n\n{head}\n\n\n{REST}" for head in heads)
    return f"THE KEEPING OF GEESE\n\nCHAPTER I\n\nOF PONDS\n\n{pages}\n\nCHAPTER II\n\nOF FOXES\n\n{FIRST} {REST}\n"


def test_running_heads_of_a_scan_are_skipped(tmp_path: Path) -> None:
    heads = ["2 THE KEEPING OF GEESE", "OF PONDS 3", "4  THE KEEPING OF GEESE", "OF PONDS 5"]
    book = read_text(tmp_path, "geese.txt", _scan(heads))
    assert [title for title, _ in outline(book)] == ["CHAPTER I: OF PONDS", "CHAPTER II: OF FOXES"]
    assert reasons(book)["page number"] == "2 THE KEEPING OF GEESE OF PONDS 3 4 THE KEEPING OF GEESE OF PONDS 5"
    assert f"{FIRST} {REST}" in spoken(book)


def test_titles_with_numbers_that_stand_nowhere_else_are_read(tmp_path: Path) -> None:
    book = read_text(tmp_path, "geese.txt", _scan(["FIGURE 1", "FIGURE 2", "FIGURE 3", "FIGURE 4"]))
    assert [text for text in spoken(book) if text.startswith("FIGURE")] == [
        "FIGURE 1",
        "FIGURE 2",
        "FIGURE 3",
        "FIGURE 4",
    ]
    assert "page number" not in reasons(book)


def test_titles_with_numbers_between_whole_sentences_are_read(tmp_path: Path) -> None:
    verses = "\n\n".join(f"SONG OF THE MARSH {n}\n\nThe water goes by night, the geese come home." for n in range(1, 6))
    assert reasons(read_text(tmp_path, "songs.txt", f"SONG OF THE MARSH\n\n{verses}\n")) == {}
    body = "".join(f"<p>GEESE {n}</p><p>{FIRST} {REST}</p>" for n in range(1, 5))
    assert "page number" not in reasons(read_page(tmp_path, f"<h1>GEESE</h1>{body}"))


def test_running_heads_in_a_page_are_skipped(tmp_path: Path) -> None:
    heads = ["2 THE KEEPING OF GEESE", "OF PONDS 3", "4 THE KEEPING OF GEESE"]
    body = "".join(f"<p>{FIRST}</p><p>{head}</p><p>{REST}</p>" for head in heads)
    book = read_page(tmp_path, f"<p>THE KEEPING OF GEESE</p><h2>OF PONDS</h2>{body}")
    assert [text for text in spoken(book) if text.startswith(FIRST)] == [f"{FIRST} {REST}"] * 3
    assert reasons(book)["page number"] == "2 THE KEEPING OF GEESE OF PONDS 3 4 THE KEEPING OF GEESE"


@pytest.mark.parametrize("head", ["Song of the Marsh {}", "July {}", "{} July"])
def test_titles_that_count_songs_or_days_are_read(tmp_path: Path, head: str) -> None:
    heads = [head.format(n) for n in range(1, 6)]
    texts = "".join(f"{title}\n\n{FIRST}\n\n{REST.removesuffix('.')}\n\n" for title in heads)
    book = read_text(tmp_path, "songs.txt", f"CHAPTER I\n\nJuly\n\nSong of the Marsh\n\n{texts}")
    assert "page number" not in reasons(book)


def test_titles_that_stand_nearer_to_each_other_than_pages_are_read(tmp_path: Path) -> None:
    exhibits = "".join(f"The jury was shown\n\nEXHIBIT OF THE CROWN {n}\n\nwhich was a rope.\n\n" for n in range(3, 9))
    book = read_text(tmp_path, "trial.txt", f"CHAPTER I\n\n{FIRST} {REST}\n\n{exhibits}CHAPTER II\n\n{FIRST} {REST}\n")
    assert "page number" not in reasons(book)


def test_titles_in_a_book_without_capitals_are_read(tmp_path: Path) -> None:
    letters = "".join(f"The Old Mill, {n}\n\n{FIRST.lower()}\n\nit rained, {REST}\n\n" for n in range(12, 18))
    book = read_text(tmp_path, "letters.txt", f"CHAPTER 1\n\nThe Old Mill\n\n{letters.replace('it.', 'it')}")
    assert "page number" not in reasons(book)
