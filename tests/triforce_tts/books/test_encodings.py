"""Pages whose encoding is not the one that they state."""

from pathlib import Path

import pytest

from tests.books import make_epub, rewrite
from triforce_tts.books.encodings import page_bytes
from triforce_tts.books.read import read_chapters

TEXT = "“Yes,” she said — it’s naïve, and déjà vu."
STATED = ["", "utf-8", "iso-8859-1", "windows-1252", "us-ascii", "utf-16", "bogus-9"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("stated", STATED)
def test_a_page_is_read_whatever_it_states(encoding: str, stated: str, tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    path.write_bytes(f"<meta charset='{stated}'><p>{TEXT}</p>".encode(encoding))
    assert [block.text for block in read_chapters(path).blocks()] == [TEXT]
    declared = f' encoding="{stated}"' if stated else ""
    page = (
        f'<?xml version="1.0"{declared}?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>{TEXT}</p></body></html>'
    )
    assert TEXT in page_bytes(page.encode(encoding), "x").decode()


def test_a_page_of_an_epub_in_another_encoding_loses_no_words(tmp_path: Path) -> None:
    path = make_epub(tmp_path / "x.epub", {"a.xhtml": "<p>one</p>"})
    page = f'<?xml version="1.0" encoding="us-ascii"?><html><body><p>{TEXT}</p></body></html>'
    rewrite(path, "a.xhtml", page.encode("cp1252"))
    assert [block.text for block in read_chapters(path).blocks()] == [TEXT]


def test_other_encodings_are_believed_and_damaged_letters_lose_nothing_else() -> None:
    assert "маяк" in page_bytes("<meta charset=koi8-r><p>маяк</p>".encode("koi8-r"), "x").decode()
    assert "маяк" in page_bytes("<p>маяк</p>".encode("koi8-r"), "x", "koi8-r").decode()
    assert "é � é" in page_bytes("é ".encode() + b"\xe9 " + "é".encode(), "x").decode()


@pytest.mark.parametrize(
    "stated", ["hex", "rot13", "base64", "idna", "undefined", "utf-7", "unicode_escape", "utf-32-le"]
)
def test_what_no_page_can_be_in_is_not_believed(stated: str) -> None:
    assert "lamp naïve\\n" in page_bytes(f"<meta charset={stated}><p>lamp naïve\\n</p>".encode("cp1252"), "x").decode()


@pytest.mark.parametrize(
    ("stated", "encoding", "text"),
    [
        ("gb2312", "gbk", "镕基"),
        ("Shift_JIS", "cp932", "①髙橋"),
        ("x-sjis", "cp932", "日本"),
        ("iso-2022-jp", "iso2022_jp", "日本"),
        ("euc-kr", "cp949", "똠방"),
    ],
)
def test_names_of_encodings_mean_what_they_mean_in_browsers(stated: str, encoding: str, text: str) -> None:
    assert text in page_bytes(f"<meta charset={stated}><p>{text}</p>".encode(encoding), "x").decode()
