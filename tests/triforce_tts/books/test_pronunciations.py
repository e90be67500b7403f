"""The pronunciations that an epub brings, and the pauses that a text asks for, are found where they stand."""

from pathlib import Path

import pytest

from tests.books import damage, entry, make_epub, read_text, reasons
from triforce_tts.books.chapters import Block, ChapterBook, ReadOptions, account
from triforce_tts.books.pronunciations import BookLexicon
from triforce_tts.books.read import read_chapters
from triforce_tts.errors import TextError

SSML = 'xmlns:ssml="http://www.w3.org/2001/10/synthesis"'
PLS = '<lexicon version="1.0" alphabet="ipa" xml:lang="{}" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon">{}</lexicon>'
QUAY = "<lexeme><grapheme>quay</grapheme><grapheme>kai</grapheme><phoneme>kiː</phoneme></lexeme>"


def page(body: str, links: str = "", attributes: str = "") -> str:
    return f'<html xmlns="http://www.w3.org/1999/xhtml" {SSML}><head><title/>{links}</head><body {attributes}>{body}</body></html>'


def link(name: str = "words.pls", more: str = "") -> str:
    return f'<link rel="pronunciation" type="application/pls+xml" href="{name}" {more}/>'


def read(
    tmp_path: Path, body: str, links: str = "", extra: dict[str, str] | None = None, attributes: str = "",
    options: ReadOptions | None = None,
) -> ChapterBook:  # fmt: skip
    path = make_epub(
        tmp_path / "book.epub", {"c1.xhtml": page(body, links, attributes)}, entry("One", "c1.xhtml"), extra=extra
    )
    return read_chapters(path, options)


def given(book: ChapterBook) -> list[tuple[str, str]]:
    """The words with readings, and the readings."""
    return [(block.text[one.begin : one.end], one.phones) for block in book.blocks() for one in block.readings]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('<p>A <span ssml:ph="təˈmɑːtəʊ">tomato</span>.</p>', [("tomato", "T AH0 M AA1 T OW0")]),
        ('<p>A <b ssml:alphabet="x-sampa" ssml:ph="t@&quot;mA:toU">to\u00admato</b>!</p>', [("tomato", "T AH0 M AA1 T OW0")]),
        ('<p>The <i ssml:alphabet="x-arpabet" ssml:ph="K IY1">Quay</i>’s end.</p>', [("Quay", "K IY1")]),
        ('<p ssml:alphabet="x-sampa">A <span ssml:ph="ki:">quay</span></p>', [("quay", "K IY1")]),
        ('<p><span ssml:ph="sənt ˈdʒɒn">St. <b>John</b></span> came.</p>', [("St. John", "S AH0 N T JH AA1 N")]),
        ('<h1 ssml:ph="kiː">Quay</h1><p>No.</p>', [("Quay", "K IY1")]),
        ('<p>A <span ssml:ph="">tomato</span> and <span ssml:ph="kiː"> </span>no.</p>', []),
        ('<p>A <span ssml:ph="kiː">qu</span>ay.</p>', []),  # a part of a word
        ('<p>One <span ssml:ph="kiː">quay<sup><a href="#n">1</a></sup></span> more.</p>', [("quay", "K IY1")]),
        ('<p>No <span class="dropcap">Q</span><span ssml:ph="kiː">uay</span>.</p>', []),
    ],
)  # fmt: skip
def test_phones_at_a_word(body: str, found: list[tuple[str, str]], tmp_path: Path) -> None:
    book = read(tmp_path, body)
    assert given(book) == found
    assert given(read(tmp_path, body, options=ReadOptions(phones=False))) == []
    silent = read(tmp_path, body.replace("ssml:ph", "class"))
    assert [block.text for block in book.blocks()] == [block.text for block in silent.blocks()]
    assert account(book).spoken == account(silent).spoken


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ('ssml:ph="kiː" ssml:alphabet="klingon"', "'klingon' is not known"),
        ('ssml:ph="lɑ̃t"', "no English sound"),
        (f'ssml:ph="{"ki" * 40}"', "80 sounds"),
    ],
)
def test_phones_that_cannot_be_used_are_said_and_the_word_is_read(attributes: str, what: str, tmp_path: Path) -> None:
    book = read(tmp_path, f"<p>A <span {attributes}>quay</span>.</p>")
    assert given(book) == []
    assert [block.text for block in book.blocks()] == ["A quay."]
    (remark,) = book.remarks
    assert remark.startswith("1 pronunciation of the book cannot be used")
    assert what in remark


def test_a_linked_lexicon_is_read_and_what_the_page_says_goes_first(tmp_path: Path) -> None:
    body = "<h1>QUAY</h1><p>Quay’s quay, kai-quays, Kais. <span ssml:ph='kweɪ'>quay</span></p>"
    book = read(tmp_path, body, link(), {"words.pls": PLS.format("en-GB", QUAY)})
    assert given(book) == [
        ("QUAY", "K IY1"),
        ("Quay", "K IY1"),
        ("quay", "K IY1"),
        ("kai", "K IY1"),
        ("quay", "K W EY1"),
    ]
    assert "the pronunciation of 5 words" in book.remarks[0]
    assert (
        read(
            tmp_path, body, link(), {"words.pls": PLS.format("en-GB", QUAY)}, options=ReadOptions(phones=False)
        ).remarks
        == ()
    )


@pytest.mark.parametrize(
    ("links", "extra", "what"),
    [
        (link(), {}, "it is not in the book"),
        (link(), {"words.pls": PLS.format("fr", QUAY)}, "'fr'"),
        (link(), {"words.pls": "<lexicon"}, "no XML"),
        (link(), {"words.pls": "<!DOCTYPE lexicon [<!ENTITY a 'b'>]>" + PLS.format("en", QUAY)}, "DOCTYPE"),
        (link(more='hreflang="fr"'), {"words.pls": PLS.format("en", QUAY)}, ""),
        (link().replace("pronunciation", "stylesheet"), {"words.pls": PLS.format("en", QUAY)}, ""),
    ],
)  # fmt: skip
def test_a_lexicon_that_cannot_be_used_is_no_reason_to_refuse_the_book(
    links: str, extra: dict[str, str], what: str, tmp_path: Path
) -> None:
    book = read(tmp_path, "<p>A quay.</p>", links, extra)
    assert given(book) == []
    assert [what in remark for remark in book.remarks] == ([True] if what else [])


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "it is not in the book"), ("", "Document is empty"), ("<lexicon", "no XML"), ("<html/>", "the XML is a 'html'"),
        (PLS.format("en", QUAY.replace("kiː", "&kiː;")), "Entity"),
        (PLS.format("en", QUAY), "'OEBPS/words.pls' in it is damaged (Bad CRC-32"),
    ],
)  # fmt: skip
def test_a_damaged_lexicon_is_named_with_its_fault(content: str | None, what: str, tmp_path: Path) -> None:
    path = make_epub(
        tmp_path / "book.epub", {"c1.xhtml": page("<p>A quay.</p>", link())}, entry("One", "c1.xhtml"),
        extra={"words.pls": content} if content is not None else None,
    )  # fmt: skip
    if what.startswith("'OEBPS"):
        damage(path, "words.pls")
    book = read_chapters(path)
    assert [block.text for block in book.blocks()] == ["A quay."]
    (remark,) = book.remarks
    assert remark.startswith("A lexicon of the book is left out: ")
    assert "OEBPS/words.pls" in remark
    assert what in remark


def test_of_many_lost_lexicons_some_are_named(tmp_path: Path) -> None:
    book = read(tmp_path, "<p>A quay.</p>", "".join(link(f"{n}.pls") for n in range(9)))
    assert ["0.pls" in book.remarks[0], len(book.remarks)] == [True, 6]
    assert book.remarks[5] == "4 more lexicons of the book cannot be used either."


def test_a_wrong_entry_leaves_the_others(tmp_path: Path) -> None:
    wrong = "<lexeme><grapheme>fox</grapheme><phoneme>ɧ</phoneme></lexeme><lexeme><phoneme>kiː</phoneme></lexeme>"
    book = read(tmp_path, "<p>A fox on a quay.</p>", link(), {"words.pls": PLS.format("en", wrong + QUAY)})
    assert given(book) == [("quay", "K IY1")]
    assert "2 pronunciations of the book cannot be used; the first: OEBPS/words.pls" in book.remarks[1]


def test_a_second_pronunciation_of_a_word_is_said(tmp_path: Path) -> None:
    other = "<lexeme><grapheme>quay</grapheme><phoneme>kweɪ</phoneme></lexeme>"
    book = read(tmp_path, "<p>A quay.</p>", link(), {"words.pls": PLS.format("en", QUAY + QUAY + other)})
    assert given(book) == [("quay", "K IY1")]
    assert "1 pronunciation of the book cannot be used" in book.remarks[1]
    assert "'quay' has another pronunciation before, which is spoken" in book.remarks[1]


@pytest.mark.parametrize(
    ("spelling", "text", "found"),
    [
        ("New York", "In New  York, new york, NEW YORK and New\nYork.", ["New  York", "NEW YORK", "New\nYork"]),
        ("US", "The US told us.", ["US"]),
        ("us", "Us, us, US.", ["Us", "us", "US"]),
        ("Aure\u0301lie", "Aurélie’s", ["Aurélie"]),
        ("O'Brien", "O’Brien and O'Brien's.", ["O’Brien", "O'Brien"]),
        ("St. John", "St. John St John", ["St. John", "St John"]),
        ("bass", "Basses and bass-drum.", ["bass"]),
    ],
)
def test_spellings_of_a_lexicon(spelling: str, text: str, found: list[str]) -> None:
    lexicon = BookLexicon()
    lexicon.add(spelling, ["K", "IY1"])
    assert [text[one.begin : one.end] for one in lexicon.readings(text)] == found


def asked(block: Block) -> list[tuple[str, float]]:
    """The text before each pause, and its length."""
    return [(block.text[: pause.at], pause.seconds) for pause in block.pauses]


@pytest.mark.parametrize("name", ["book.txt", "book.md"])
def test_marks_of_pauses_in_a_text_are_skipped_and_kept(name: str, tmp_path: Path) -> None:
    text = "He came. [pause 2s] She left,[PAUSE 500 ms] and so.\n\n[pause 1s]\n\nThe end[pause .5s]"
    book = read_text(tmp_path, name, text)
    first, last = book.blocks()
    assert first.text == "He came. She left, and so."
    assert asked(first) == [("He came. ", 2.0), ("He came. She left, ", 0.5), (first.text, 1.0)]
    assert asked(last) == [("The end", 0.5)]
    assert list(reasons(book)) == ["mark of a pause"]
    assert account(book).spoken == 8


def test_what_is_no_mark_is_text_and_a_wrong_time_is_one_line(tmp_path: Path) -> None:
    book = read_text(tmp_path, "book.txt", "He [pause] stood. [pause for applause] [Pause long] Yes.")
    assert [block.pauses for block in book.blocks()] == [()]
    assert book.skipped == ()
    with pytest.raises(TextError, match=r"\[pause 90s\]"):
        read_text(tmp_path, "book.txt", "He stood. [pause 90s] Yes.")
    page = read(tmp_path, "<p>He stood. [pause 2s] Yes.</p>")
    assert [(block.text, block.pauses) for block in page.blocks()] == [("He stood. [pause 2s] Yes.", ())]


def test_a_pause_at_the_start_of_a_paragraph_or_within_quotes(tmp_path: Path) -> None:
    book = read_text(tmp_path, "book.txt", "“Yes.” [pause 1s] “No.”\n\n[pause 2s] So it was.")
    first, last = book.blocks()
    assert asked(first) == [("“Yes.” ", 1.0)]
    assert asked(last) == [("", 2.0)]
