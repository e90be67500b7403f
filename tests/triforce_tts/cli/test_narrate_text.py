"""What a user is told of a book before it is spoken."""

from pathlib import Path

import pytest

from tests.books import make_epub
from triforce_tts.books.read import read_chapters
from triforce_tts.cli.narrate_text import print_chapters


def test_the_list_says_what_of_the_book_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lexicon = '<link rel="pronunciation" href="words.pls"/>'
    page = f'<html xmlns="http://www.w3.org/1999/xhtml"><head>{lexicon}</head><body><p>One word.</p></body></html>'
    print_chapters(read_chapters(make_epub(tmp_path / "book.epub", {"a.xhtml": page}, extra={"words.pls": "<lexicon"})))
    said = capsys.readouterr()
    assert said.out.split()[:3] == ["1", "2", "words"]
    assert said.err.startswith("A lexicon of the book is left out: OEBPS/words.pls: this is no XML")
    assert said.err.count("\n") == 1
