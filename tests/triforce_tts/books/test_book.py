"""From printed text to the words that are heard when it is read."""

from pathlib import Path

import pytest

from triforce_tts.books.book import make_book, read_book
from triforce_tts.errors import TextError


def heard_words(token: str) -> tuple[str, ...]:
    return tuple(make_book(token).words)


def test_words_that_are_heard_of_printed_ones() -> None:
    assert heard_words("“Don’t—”") == ("dont",)
    assert heard_words("well-known") == ("well", "known")
    assert heard_words("--") == ()
    assert heard_words("3") == ("three",)
    assert heard_words("Café—") == heard_words("CAFÉ") == ("cafe",)
    assert heard_words("ÎLE") == ("ile",)
    assert heard_words("Zoë’s") == ("zoes",)
    assert heard_words("日本") == ()
    book = make_book("He said: “Stop!” -- and\nwent.")
    assert book.words == ["he", "said", "stop", "and", "went"]
    assert [book.tokens[t] for t in book.token_of] == ["He", "said:", "“Stop!”", "and", "went."]


def test_a_dash_is_a_place_to_pause() -> None:
    """Two segments that are cut at such a place share no word."""
    book = make_book("I saw him—he ran -- away--so.")
    assert book.words == ["i", "saw", "him", "he", "ran", "away", "so"]
    assert len(set(book.token_of)) == len(book.words)
    assert book.printed(book.token_of[:3]) == "I saw him—"
    assert book.printed(book.token_of[3:5]) == "he ran"
    assert book.printed(range(len(book.tokens))) == "I saw him—he ran -- away--so."


def test_texts_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("Café".encode("latin-1"))
    with pytest.raises(TextError, match="UTF-8"):
        read_book(tmp_path / "latin.txt")
    (tmp_path / "empty.txt").write_text(" -- \n")
    with pytest.raises(TextError, match="no words"):
        read_book(tmp_path / "empty.txt")
    with pytest.raises(TextError, match="cannot read"):
        read_book(tmp_path / "missing.txt")
    (tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbfWell.")
    assert read_book(tmp_path / "bom.txt").tokens == ["Well."]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("1\r\n00:00:01,000 --> 00:00:02,900\r\nHello there.\r\n", "line 2: .*00:00:01,000 --> 00:00:02,900"),
        ("WEBVTT\n\n00:01.000 --> 00:04.000 align:start\n<c>Hello</c>\n", "line 3: "),
        ("Hello.\n[00:00.000 --> 00:04.000]  Hello there.\n", "line 2: "),
    ],
)
def test_times_of_subtitles_are_no_words(tmp_path: Path, text: str, times: str) -> None:
    (tmp_path / "x.txt").write_bytes(text.encode())
    with pytest.raises(TextError, match=f"x.txt, {times}.*expected what is read"):
        read_book(tmp_path / "x.txt")
    (tmp_path / "x.txt").write_text("At 10:00:00,000 he went --> there.")
    assert read_book(tmp_path / "x.txt").words
