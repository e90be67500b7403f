"""Epubs that are made to harm, damaged ones, notes, and blocks."""

import os
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from tests.data.steps.test_book import page, write_epub
from triforce_tts.data.raw.results import is_of_recording
from triforce_tts.data.steps.book import make_book, read_book
from triforce_tts.errors import TextError


def read(tmp_path: Path, *bodies: str) -> str:
    """What is read of an epub with these pages."""
    chapters = {f"c{number}": page(body) for number, body in enumerate(bodies)}
    book = read_book(write_epub(tmp_path / "x.epub", chapters, list(chapters)))
    return book.printed(range(len(book.tokens)))


# --- notes ---


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>The king<sup>1</sup> died.<sup>2</sup> Then he<sup>3</sup>, too.</p>", "The king died. Then he, too."),
        ("<p>The king <sup>1</sup> died “here.”<sup>2</sup></p>", "The king died “here.”"),
        ("<p>The king<sup>[1]</sup> died<sup>(2)</sup> here<sup>3, 4</sup>.</p>", "The king died here."),
        ("<p>The king<sup><i>1</i></sup> died.</p>", "The king died."),
        ('<p>The king<a href="#n1">1</a> died.<a href="#n2">2</a></p>', "The king died."),
        ('<p>The <b>king</b><a href="#n1"><span>1</span></a> died.</p>', "The king died."),
        # Exponents, ordinals, units, years, cross references and formulas stay.
        ("<p>10<sup>6</sup> cells, x<sup>2</sup>, 1<sup>st</sup>, M<sup>lle</sup>.</p>", "106 cells, x2, 1st, Mlle."),
        ("<p>The king<sup>1</sup> had 5 km<sup>2</sup> of land<sup>2</sup>.</p>", "The king had 5 km2 of land."),
        ("<p>The king<sup>1</sup> said x<sup>2</sup> and E=mc<sup>2</sup>.</p>", "The king said x2 and E=mc2."),
        ("<p>Energy is mass times speed<sup>2</sup>.</p>", "Energy is mass times speed2."),
        ('<p>See <a href="#c4">1</a> or <a href="#c5">2</a>.</p>', "See 1 or 2."),
        ("<p>In chapter <a>4</a>, room<sup>9</sup>.</p>", "In chapter 4, room9."),
        ("<p>The king<sup>1</sup> died; see room<sup>40</sup>.</p>", "The king died; see room40."),
    ],
)
def test_marks_of_notes_follow_a_word_and_count_up(body: str, text: str, tmp_path: Path) -> None:
    assert read(tmp_path, body) == text


def test_notes_count_on_or_begin_again_with_a_page(tmp_path: Path) -> None:
    notes = [f"<p>Word<sup>{a}</sup> and word<sup>{b}</sup>.</p>" for a, b in ((1, 2), (3, 4), (1, 2))]
    assert read(tmp_path, *notes) == "Word and word. Word and word. Word and word."


# --- blocks ---

BLOCKS = ["address", "article", "aside", "blockquote", "caption", "center", "dd", "details", "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "legend", "li", "main", "menu", "ol", "option", "p", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"]  # fmt: skip


@pytest.mark.parametrize("name", BLOCKS)
def test_words_of_two_blocks_never_join(name: str, tmp_path: Path) -> None:
    body = f"One<{name}>First part</{name}>Two<{name}>Second</{name}><{name}>Third</{name}>"
    assert read(tmp_path, body) == "One First part Two Second Third"


@pytest.mark.parametrize("name", ["a", "b", "em", "i", "small", "span", "strong", "u", "font", "ruby"])
def test_words_within_a_line_stay_whole(name: str, tmp_path: Path) -> None:
    assert read(tmp_path, f"<p>un<{name}>believ</{name}>able</p>") == "unbelievable"


def test_what_is_not_shown_is_not_read(tmp_path: Path) -> None:
    assert read(tmp_path, '<p>It began.</p><p hidden="">No.</p><template>No.</template>') == "It began."


# --- bombs and damage ---


@pytest.mark.parametrize("filling", ["<p/>", "a ", "<p>a</p>", "&amp;", " "])
def test_a_bomb_is_refused_before_it_takes_memory(filling: str, tmp_path: Path) -> None:
    """Of 200 MB in 200 kB as many are unpacked as text would be; what has too many elements is not parsed."""
    path = tmp_path / "bomb.epub"
    write_epub(path, {"one": page("<p>a</p>" + filling * (60_000_000 // len(filling)))}, ["one"])
    assert path.stat().st_size < 500_000
    tracemalloc.start()
    try:
        with pytest.raises(TextError, match=r"bomb\.epub: .*, which no book (has|does)"):
            read_book(path)
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()


def test_many_pages_and_the_same_page_many_times(tmp_path: Path) -> None:
    one = page("<p>" + "It began and went on. " * 2000 + "</p>")
    path = write_epub(tmp_path / "x.epub", {"one": one}, ["one"] * 19_000)
    with pytest.raises(TextError, match="unpacks to more"):
        read_book(path)
    path = write_epub(tmp_path / "x.epub", {"one": page("<p>a</p>"), "empty": ""}, ["one"] + ["empty"] * 30_000)
    with pytest.raises(TextError, match="30001 pages, expected at most 20000"):
        read_book(path)


def test_attributes_and_depth_take_no_time(tmp_path: Path) -> None:
    attributes = " ".join(f'a{n}="1"' for n in range(60_000))
    began = time.process_time()
    assert read(tmp_path, f"<p {attributes}>It began.</p>") == "It began."
    assert "deep" in read(tmp_path, "<div>" * 200 + "deep" + "</div>" * 200)
    read(tmp_path, "<p>It began.</p>" + "<div>" * 50_000 + "deep" + "</div>" * 50_000)
    read(tmp_path, "<p>It</p>" + '<a href="#x">1</a>' * 50_000)
    assert time.process_time() - began < 10


def test_a_list_of_files_that_is_no_books_is_not_loaded(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "x.epub", {"one": page("<p>It began.</p>")}, ["one"])
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", 900_000_000)
    path.write_bytes(data)
    with pytest.raises(TextError, match="its list of files is larger than 8 MB"):
        read_book(path)
    locator = b"PK\x06\x07" + bytes(16)
    path.write_bytes(bytes(data[:end]) + locator + bytes(data[end:]))
    with pytest.raises(TextError, match="its list of files"):
        read_book(path)


METHODS = (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("place", [0, 4, 9, 14, 40])
def test_a_damaged_member_is_one_line_and_no_fault_of_the_machine(method: int, place: int, tmp_path: Path) -> None:
    path = tmp_path / "x.epub"
    whole = write_epub(tmp_path / "whole.epub", {"one": page("<p>" + "Some words. " * 500 + "</p>")}, ["one"])
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(path, "w", method) as made:
        for name in archive.namelist():
            made.writestr(name, archive.read(name))
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("OEBPS/one.xhtml")
        start = info.header_offset + 30 + len(info.filename) + place
    data = bytearray(path.read_bytes())
    data[start : start + 12] = bytes(byte ^ 0xA5 for byte in data[start : start + 12])
    path.write_bytes(data)
    with pytest.raises(TextError, match=r"x\.epub: ") as caught:
        read_book(path)
    assert "\n" not in str(caught.value)
    assert is_of_recording(caught.value)


@pytest.mark.parametrize(("offset", "value"), [(6, 1), (8, 97), (8, 9), (26, 0xFFFF)])
def test_members_that_are_encrypted_or_of_another_kind_are_one_line(offset: int, value: int, tmp_path: Path) -> None:
    path = write_epub(tmp_path / "x.epub", {"one": page("<p>It began.</p>")}, ["one"])
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("OEBPS/one.xhtml")
    central = data.index(b"OEBPS/one.xhtml", archive.start_dir) - 46
    struct.pack_into("<H", data, info.header_offset + offset, value)
    if offset < 10:
        struct.pack_into("<H", data, central + offset + 2, value)
    path.write_bytes(data)
    with pytest.raises(TextError, match=r"x\.epub: ") as caught:
        read_book(path)
    assert "\n" not in str(caught.value)


# --- plain texts ---


def test_plain_texts_of_every_encoding(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        path.write_bytes("It began: “café”.".encode(encoding))
        assert read_book(path).words == ["it", "began", "cafe"]
    for data in (
        "café “x”".encode("cp1252"),
        "It began.".encode("utf-16-le"),
        b"It\0began.",
        b"\xff\xfea",
        bytes(1000),
    ):
        path.write_bytes(data)
        with pytest.raises(TextError, match=r"book\.txt: not .*; save it as UTF-8") as caught:
            read_book(path)
        assert "\n" not in str(caught.value)
        assert is_of_recording(caught.value)


def test_books_that_are_no_files_are_one_line(tmp_path: Path) -> None:
    for suffix in (".txt", ".epub"):
        os.mkfifo(tmp_path / f"fifo{suffix}")
        with pytest.raises(TextError, match="found a pipe"):
            read_book(tmp_path / f"fifo{suffix}")
        with pytest.raises(TextError, match="cannot read") as caught:
            read_book(tmp_path / f"missing{suffix}")
        assert not is_of_recording(caught.value)


def test_a_long_text_is_read_in_time() -> None:
    began = time.process_time()
    words = " ".join(f"It was the {number % 97}th of them, she said." for number in range(50_000))
    assert len(make_book(words).words) >= 400_000
    assert time.process_time() - began < 10
