"""The names that begin the speeches of a play which does not mark its speakers can be left out."""

from pathlib import Path

import pytest

from triforce_tts.books.chapters import ChapterBook, ReadOptions, account
from triforce_tts.books.read import read_chapters
from triforce_tts.narrator.cast import cast_book, read_cast

PLAIN = """ACT ONE

JACK. Come in, please.

ST. JOHN [bows]: I have come. JACK. is here.

JACK. NOTE. Read this.

St. John: Good.

ST. JOHN. "Yes."

LANE. I speak once.
"""
MARKDOWN = """# ACT ONE

**JACK.** Come *in*, please.

*St. John* [bows]: I have come. JACK. is here.

JACK. NOTE. Read this.

ST. JOHN: [pause 1s] Good.

ST. JOHN. "Yes."

LANE. I speak once.
"""


def read(folder: Path, name: str, text: str, *, drops: bool) -> ChapterBook:
    (folder / name).write_text(text)
    return read_chapters(folder / name, ReadOptions(speakers="drop" if drops else "read"))


@pytest.mark.parametrize(("name", "text"), [("play.txt", PLAIN), ("play.md", MARKDOWN)])
def test_the_names_are_left_out_and_listed(name: str, text: str, tmp_path: Path) -> None:
    book, whole = (read(tmp_path, name, text, drops=drops) for drops in (True, False))
    blocks = [(block.speaker, block.text) for block in book.blocks()][1:]
    assert blocks == [
        ("JACK", "Come in, please."), ("ST. JOHN" if name == "play.txt" else "St. John", "[bows]: I have come. JACK. is here."),
        ("JACK", "NOTE. Read this."), ("St. John" if name == "play.txt" else "ST. JOHN", "Good."), ("ST. JOHN", '"Yes."'),
        ("", "LANE. I speak once."),
    ]  # fmt: skip
    names = [part.text for part in book.skipped if part.reason == "name of a speaker"]
    assert [part.strip(" .:") for part in names] == [speaker for speaker, _ in blocks if speaker]
    assert sum(account(book).skipped.values()) - sum(account(whole).skipped.values()) == 8
    assert not [part for part in whole.skipped if part.reason == "name of a speaker"]


def test_the_cast_still_knows_who_speaks(tmp_path: Path) -> None:
    book = read(tmp_path, "play.txt", PLAIN, drops=True)
    (tmp_path / "cast.yaml").write_text("JACK: kathleen\nSt. John: bf_emma\n")
    casting = cast_book(read_cast(tmp_path / "cast.yaml"), book)
    parts = [(part.voice, part.text) for block in book.blocks() for part in casting.parts(block, 1)]
    assert ("kathleen", "Come in, please.") in parts
    assert ("bf_emma", ": I have come. JACK. is here.") in parts


def test_a_folder_of_acts_has_the_speakers_of_all(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"act {number}.txt").write_text(f"ACT {number}\n\nIt begins.\n\nJACK. I say it {number} times.\n")
    book = read_chapters(tmp_path, ReadOptions(speakers="drop"))
    assert [block.text for block in book.blocks() if block.speaker] == ["I say it 1 times.", "I say it 2 times."]


def test_a_speaker_who_opens_an_act_is_known_by_it(tmp_path: Path) -> None:
    text = "# One\n\nMRS. BENNET. Three.\n\nMRS. BENNET: Four.\n\n# Two\n\nBINGLEY. Five.\n\nBINGLEY. Six.\n"
    book = read(tmp_path, "play.md", text, drops=True)
    assert [block.text for block in book.blocks() if block.speaker] == ["Three.", "Four.", "Five.", "Six."]


def test_prose_is_as_before(tmp_path: Path) -> None:
    text = '# One\n\n"Yes," said Jack.\n\nLONDON. It rained.\n'
    book, whole = (read(tmp_path, "prose.md", text, drops=drops) for drops in (True, False))
    assert book == whole
