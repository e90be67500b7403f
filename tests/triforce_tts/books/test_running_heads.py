"""The line above each page of a scanned book: its title or that of the chapter, with the number of the page."""

from pathlib import Path

from tests.books import outline, read_page, read_text, reasons, spoken

FIRST = "The ferryman's daughter had mended the copper kettle before the thaw, and she"
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
