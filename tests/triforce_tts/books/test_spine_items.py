"""What the spine of an epub lists beside pages of XHTML: drawings, and files of other types with their fallbacks."""

from pathlib import Path

import pytest

from tests.books import entry, make_epub, outline, rewrite
from triforce_tts.books.read import read_chapters

OPF = (
    '<package xmlns="http://www.idpf.org/2007/opf"><metadata/><manifest>{items}'
    '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/></manifest><spine>{spine}</spine></package>'
)
PAGE = "application/xhtml+xml"


def _read(path: Path, items: str, spine: str) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    rewrite(
        path, "content.opf", OPF.format(items=items, spine="".join(f'<itemref idref="{i}"/>' for i in spine.split()))
    )
    book = read_chapters(path)
    return outline(book), book.remarks


def _item(name: str, media_type: str, fallback: str = "") -> str:
    more = f' fallback="{fallback}"' if fallback else ""
    return f'<item id="{name.partition(".")[0]}" href="{name}" media-type="{media_type}"{more}/>'


def test_a_file_of_another_type_gives_way_to_its_fallback(tmp_path: Path) -> None:
    pages = {"b.xhtml": "<h1>One</h1><p>The page is read.</p>", "c.xhtml": "<p>The end.</p>"}
    path = make_epub(tmp_path / "b.epub", pages, entry("One", "a.json"), extra={"a.json": '{"a": "never"}'})
    items = _item("a.json", "application/json", "x") + _item("x.xml", "application/xml", "b")
    items += _item("b.xhtml", PAGE) + _item("c.xhtml", PAGE)
    assert _read(path, items, "a c")[0] == [("One", "One / The page is read. / The end.")]
    assert _read(path, items, "a b c")[0] == [("One", "One / The page is read. / The end.")]
    # A page goes before its fallback, and fallbacks that lead to each other end.
    items = _item("b.xhtml", PAGE, "c") + _item("c.xhtml", "application/xml", "c")
    assert _read(path, items, "b")[0] == [("One", "One / The page is read.")]
    assert _read(path, items, "b c")[0] == [("One", "One / The page is read. / The end.")]


def test_a_picture_in_the_spine_is_named_and_not_read_as_text(tmp_path: Path) -> None:
    extra = {"a.jpg": "JFIF garbage", "d.json": '{"a": "never"}'}
    path = make_epub(tmp_path / "b.epub", {"b.xhtml": "<h1>One</h1><p>Text.</p>"}, entry("One", "b.xhtml"), extra=extra)
    items = _item("a.jpg", "image/jpeg") + _item("b.xhtml", PAGE) + _item("d.json", "application/json")
    chapters, remarks = _read(path, items, "a b d")
    assert chapters == [("One", "One / Text.")]
    assert remarks == (
        "2 pages that the book lists cannot be spoken, because they are missing, empty or no texts: 'OEBPS/a.jpg', 'OEBPS/d.json'.",
    )


def test_a_drawing_in_the_spine_is_a_page(tmp_path: Path) -> None:
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg"><title>A page</title><desc>of words</desc><style>text {fill: red}</style><g>'
        '<text><tspan x="1" y="10">The grey</tspan><tspan x="1" y="20">goose</tspan></text><text>W<tspan dx="1">ord</tspan>'
        '<tspan dy="9">by word</tspan></text></g><foreignObject><p xmlns="http://www.w3.org/1999/xhtml">And more.</p></foreignObject></svg>'
    )
    inside = f"<h1>Two</h1>{drawing}<p>A drawing inside a page stays silent.</p>"
    path = make_epub(
        tmp_path / "b.epub",
        {"b.xhtml": inside},
        entry("One", "a.svg") + entry("Two", "b.xhtml"),
        extra={"a.svg": drawing},
    )
    chapters, _ = _read(path, _item("a.svg", "image/svg+xml") + _item("b.xhtml", PAGE), "a b")
    assert chapters == [
        ("One", "The grey goose / Word by word / And more."),
        ("Two", "Two / A drawing inside a page stays silent."),
    ]


@pytest.mark.parametrize("media_type", ["application/xhtml+xml; charset=utf-8", "text/xml", "image/jpeg"])
def test_a_page_with_a_wrong_type_is_read_by_its_name(tmp_path: Path, media_type: str) -> None:
    pages = {"a.xhtml": "<h1>One</h1><p>The page is read.</p>", "b.xhtml": "<h1>Two</h1><p>The end.</p>"}
    path = make_epub(tmp_path / "b.epub", pages, entry("One", "a.xhtml") + entry("Two", "b.xhtml"))
    chapters, _ = _read(path, _item("a.xhtml", media_type, "b") + _item("b.xhtml", PAGE), "a b")
    assert chapters == [("One", "One / The page is read."), ("Two", "Two / The end.")]
