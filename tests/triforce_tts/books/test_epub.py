"""Epubs that were made to do harm, damaged epubs, notes, and blocks."""

import os
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from triforce_tts.books import epub
from triforce_tts.books.book import make_book, read_book
from triforce_tts.data.raw.results import is_of_recording
from triforce_tts.errors import TextError


def read(tmp_path: Path, *bodies: str) -> str:
    """The text that is read from an epub with these pages."""
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
        # These exponents, ordinals, units, years, cross references and formulas are no notes and stay.
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
    """Of 200 MB that are packed into 200 kB, only as much is unpacked as a text may have.

    A page with too many elements is not parsed.
    """
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


def test_an_epub_of_the_real_world(tmp_path: Path) -> None:
    """Named entities, names with spaces, a path that goes up a folder, a soft hyphen, and a missing page."""
    body = page("<p>Don&rsquo;t know&mdash;she said&nbsp;no, at the caf&eacute; &amp; be&shy;yond.</p>")
    path = write_epub(tmp_path / "x.epub", {"one": body, "two": body}, ["one", "two"])
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    listing = files["OEBPS/content.opf"].replace(b"one.xhtml", b"../OEBPS/ch%201.xhtml#top")
    files["OEBPS/content.opf"] = listing
    files["OEBPS/ch 1.xhtml"] = files.pop("OEBPS/one.xhtml")
    del files["OEBPS/two.xhtml"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    book = read_book(path)
    assert book.printed(range(len(book.tokens))) == "Don’t know—she said no, at the café & beyond."


def test_an_epub_that_is_damaged_inside_is_one_line(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "x.epub", {"one": page("<p>" + "Some words. " * 500 + "</p>")}, ["one"])
    content = bytearray(path.read_bytes())
    place = content.index(b"OEBPS/one.xhtml") + 25
    content[place : place + 20] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(TextError, match=r"x\.epub"):
        read_book(path)


def write_epub(path: Path, chapters: dict[str, str], spine: list[str]) -> Path:
    items = "".join(f'<item id="{name}" href="{name}.xhtml"/>' for name in chapters)
    order = "".join(f'<itemref idref="{name}"/>' for name in spine)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>',
        )
        archive.writestr(
            "OEBPS/content.opf",
            f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest><spine>{order}</spine></package>',
        )
        for name, body in chapters.items():
            archive.writestr(f"OEBPS/{name}.xhtml", body)
    return path


def page(body: str, doctype: str = "") -> str:
    head = "<head><title>no</title><style>no</style></head>"
    return f'{doctype}<html xmlns="http://www.w3.org/1999/xhtml">{head}<body>{body}</body></html>'


def test_an_epub_is_read_in_the_order_of_its_spine(tmp_path: Path) -> None:
    chapters = {
        "two": page("<p>And <i>then</i> it</p><p>ended.</p><!-- no -->"),
        "one": page("<h1>One</h1><p>It began.</p>"),
    }
    book = read_book(write_epub(tmp_path / "x.epub", chapters, ["one", "two"]))
    assert " ".join(book.tokens) == "One It began. And then it ended."


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('<p>The king<a epub:type="noteref" href="#n1">1</a>, who died.</p>', "The king, who died."),
        ('<p>The king<a role="doc-noteref" href="#n1">1</a> died.</p>', "The king died."),
        ('<p>The king<a epub:type="x:y NoteRef">1</a> died.</p>', "The king died."),
        ('<p>The king<sup><a href="n.xhtml#1">1</a></sup> died.</p>', "The king died."),
        ('<p>The king<a href="#n1"> <b><sup>a</sup></b></a> died.</p>', "The king died."),
        ('<p>The king<a href="#n1">[12]</a> died<a href="#n2">†</a>.</p>', "The king died."),
        ('<p>A won<span epub:type="pagebreak" id="p9">9</span>der was<i role="doc-pagebreak">10</i> seen.</p>',
         "A wonder was seen."),
        ('<p>It ended.</p>So.<hr epub:type="pagebreak" title="9"/>Then', "It ended. So. Then"),
        ('<div>It ended.<aside epub:type="footnote"><p>1 A note.</p></aside>It began.</div>', "It ended. It began."),
        ('<p>Ended.</p><section epub:type="bodymatter endnotes"><p>1 A note.</p></section><p>Then.</p>', "Ended. Then."),
        ('<p>Ended.</p><section epub:type="rearnotes"><p>1 A note.</p></section><p>Then.</p>', "Ended. Then."),
        ('<p>Ended.</p><div role="doc-footnote"><p>1 A note.</p></div><p>Then.</p>', "Ended. Then."),
        ("<div>Contents:<nav><ol><li>One</li></ol></nav>It began.</div>", "Contents: It began."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("declared", [True, False])
def test_notes_and_page_numbers_of_an_epub_are_not_read(tmp_path: Path, body: str, text: str, declared: bool) -> None:
    """The text after them is read. Not every book declares the prefix of epub:type."""
    content = page(body)
    if declared:
        content = content.replace("<html", '<html xmlns:epub="http://www.idpf.org/2007/ops"')
    book = read_book(write_epub(tmp_path / "x.epub", {"one": content}, ["one"]))
    assert book.printed(range(len(book.tokens))) == text


def test_links_and_raised_letters_of_an_epub_are_read(tmp_path: Path) -> None:
    body = (
        '<p role="note doc-epigraph">See <a href="#c3">chapter 3</a> or <a href="#c4">4</a>, the 1<sup>st</sup> '
        '<a href="#c5">1<sup>st</sup></a> of x<sup><a id="p2">2</a></sup>, <a href="#fig">(b)</a>, <a href="#map">[a] map</a>.</p>'
    )
    book = read_book(write_epub(tmp_path / "x.epub", {"one": page(body)}, ["one"]))
    assert " ".join(book.tokens) == "See chapter 3 or 4, the 1st 1st of x2, (b), [a] map."


def test_words_of_neighbouring_cells_of_an_epub_stay_apart(tmp_path: Path) -> None:
    body = "<table><tr><th>Who</th><th>Where</th></tr><tr><td>I</td><td>here</td></tr></table>"
    book = read_book(write_epub(tmp_path / "x.epub", {"one": page(body)}, ["one"]))
    assert book.tokens == ["Who", "Where", "I", "here"]


def test_the_table_of_contents_of_an_epub_is_not_read(tmp_path: Path) -> None:
    chapters = {"toc": page("<h1>Contents</h1><nav>One</nav>"), "one": page("<p>It began.</p>")}
    path = write_epub(tmp_path / "x.epub", chapters, ["toc", "one"])
    change_epub(path, "OEBPS/content.opf", '<item id="toc"', '<item properties="scripted nav" id="toc"')
    assert read_book(path).tokens == ["It", "began."]


def change_epub(path: Path, name: str, before: str | None, after: str) -> None:
    """Replace ``before`` by ``after`` in a file of the epub; None replaces the whole file."""
    with zipfile.ZipFile(path) as archive:
        files = {entry: archive.read(entry).decode() for entry in archive.namelist()}
    files[name] = after if before is None else files[name].replace(before, after)
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in files.items():
            archive.writestr(entry, content)


def test_an_epub_cannot_read_files_or_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    evil = f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{secret}">]>'
    book = read_book(write_epub(tmp_path / "x.epub", {"one": page("<p>Words &x; here.</p>", evil)}, ["one"]))
    assert "secret" not in " ".join(book.tokens)
    monkeypatch.setattr(epub, "MOST_UNPACKED", 100_000)
    bomb = write_epub(tmp_path / "bomb.epub", {"one": page("<p>" + "a " * 1_000_000 + "</p>")}, ["one"])
    with pytest.raises(TextError, match="unpacks to more"):
        read_book(bomb)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut short"])
def test_what_is_no_epub_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.epub").write_bytes(content)
    with pytest.raises(TextError, match=r"x\.epub"):
        read_book(tmp_path / "x.epub")


@pytest.mark.parametrize("name", ["META-INF/container.xml", "OEBPS/content.opf"])
def test_an_epub_without_an_index_is_one_line(tmp_path: Path, name: str) -> None:
    path = write_epub(tmp_path / "x.epub", {"one": page("<p>It began.</p>")}, ["one"])
    change_epub(path, name, None, "no XML")
    with pytest.raises(TextError, match=f"x.epub.*'{name}' in it is no XML"):
        read_book(path)


@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_chapter_is_no_reason_to_refuse_the_others(tmp_path: Path, content: str) -> None:
    chapters = {"one": page("<p>It began.</p>"), "two": content, "three": page("<p>It ended.</p>")}
    book = read_book(write_epub(tmp_path / "x.epub", chapters, ["one", "two", "three"]))
    assert book.words == ["it", "began", "it", "ended"]
