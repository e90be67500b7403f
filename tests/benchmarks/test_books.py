"""The table of what readers find tells right books from wrong ones."""

import json
from pathlib import Path

import pytest

from benchmarks.books import compare, line_by_line, print_table

TEXT = "CHAPTER I\n\nThe fox ran over the hill. It hid.\n\nCHAPTER II\n\nNo more was seen of it that day.\n"
ANSWER = {
    "chapters": [
        {"title": "CHAPTER I", "first": "CHAPTER I The fox ran over the", "last": "ran over the hill It hid", "words": 10},
        {"title": "CHAPTER II", "first": "CHAPTER II No more was seen of", "last": "more was seen of it that day", "words": 10},
    ],
    "words": 20,
    "never": ["hill"],
}  # fmt: skip


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "fox.txt"
    path.write_text(TEXT)
    return path


def test_each_thing_that_differs_is_counted(book: Path) -> None:
    figures = compare(book, ANSWER)
    assert (figures.titles, figures.firsts, figures.lasts) == (
        (2, 2),
        (2, 2),
        (1, 2),
    )  # six words stand in place of seven
    assert (figures.counts, figures.words, figures.forbidden, figures.missing) == ((2, 2), (20, 20), 1, "0")
    book.write_text(TEXT.replace("CHAPTER II", "CHAPTER III").replace(" more", ""))
    figures = compare(book, ANSWER)
    assert (figures.titles, figures.firsts, figures.counts, figures.missing) == ((1, 2), (1, 2), (1, 2), "5")


def test_lines_are_compared_in_order(book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = tmp_path / "fox.expected.txt"
    expected.write_text(
        "## CHAPTER I\n(heading: CHAPTER I)\nThe fox ran over the hill.\nIt hid.\nCHAPTER II\nNo more of it was seen that day.\n"
    )
    one = line_by_line(book, expected)
    assert (one.right, one.lines, one.words, one.missing, one.added) == (4, 5, 20, 2, 2)
    (tmp_path / "answers.json").write_text(json.dumps({"fox.txt": ANSWER}))
    expected.unlink()
    print_table(tmp_path)
    assert "| `fox.txt` | 2 of 2 | 2 of 2 | 1 of 2 | 2 of 2 | 20 of 20 | 1 |" in capsys.readouterr().out
