"""A pattern for chapters that begins none does not go without a word."""

from pathlib import Path

import pytest

from tests.books import make_epub
from triforce_tts.books.article import read_article
from triforce_tts.books.chapters import ReadOptions
from triforce_tts.books.read import read_chapters
from triforce_tts.errors import TextError

OPTIONS = ReadOptions(chapter_pattern=r"^Tale \d+")
TALES = "Tale 1\n\nA lamp stood in the window.\n\nTale 2\n\nThe sea rose in the night.\n"
PAGE = "<html><body><h1>Tale 1</h1><p>A lamp stood in the window, and the sea rose.</p></body></html>"
UNUSED, UNFIT = "has no effect here", "fits no line"


def book_file(folder: Path, name: str) -> Path:
    path = folder / name
    if path.suffix == ".epub":
        return make_epub(path, {"a.xhtml": "<h1>Tale 1</h1><p>A lamp stood in the window.</p>"})
    path.write_text(PAGE if path.suffix == ".html" else TALES)
    return path


@pytest.mark.parametrize("name", ["a.md", "a.html", "a.epub"])
def test_a_format_that_is_not_divided_by_it_says_so(name: str, tmp_path: Path) -> None:
    path = book_file(tmp_path, name)
    assert not read_chapters(path).remarks
    (remark,) = read_chapters(path, OPTIONS).remarks
    assert UNUSED in remark and r"'^Tale \\d+'" in remark
    with pytest.raises(TextError, match="is no regular expression"):
        read_chapters(path, ReadOptions(chapter_pattern="("))


def test_an_article_says_so(tmp_path: Path) -> None:
    assert any(UNUSED in remark for remark in read_article(PAGE.encode(), "https://a.example/b", OPTIONS).remarks)


def test_a_text_without_such_a_line_says_so(tmp_path: Path) -> None:
    path = book_file(tmp_path, "a.txt")
    assert read_chapters(path, OPTIONS).remarks == ()
    (remark,) = read_chapters(path, ReadOptions(chapter_pattern="^Story")).remarks
    assert UNFIT in remark


@pytest.mark.parametrize(
    ("names", "pattern", "told"),
    [
        (("a.txt", "b.md"), OPTIONS.chapter_pattern, []),
        (("a.md", "b.md"), OPTIONS.chapter_pattern, [UNUSED]),
        (("a.txt", "b.md"), "^Story", [UNFIT]),
    ],
)
def test_a_folder_says_it_once_and_only_if_no_file_has_such_a_line(
    names: tuple[str, ...], pattern: str, told: list[str], tmp_path: Path
) -> None:
    for name in names:
        book_file(tmp_path, name)
    remarks = read_chapters(tmp_path, ReadOptions(chapter_pattern=pattern)).remarks
    assert len(remarks) == len(told)
    assert all(part in remark for part, remark in zip(told, remarks, strict=True))
