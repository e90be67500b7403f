"""A book as text: the tokens that are printed, and the words that are heard when they are read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from triforce_tts.errors import TextError
from triforce_tts.text.normalize import normalize
from triforce_tts.textfiles import read_text, require_no_subtitles

from . import subtitles
from .epub import read_epub

MOST_BYTES = 50_000_000  # the largest text file of a book, in bytes; the longest books have a tenth of that
_BEHIND_DASH = re.compile(r"(?<=[—–…])(?=\w)|(?<=--)(?=\w)")


@dataclass(frozen=True)
class Book:
    """A text: its printed ``tokens``, and the ``words`` that are heard, each with the token that it belongs to.

    Tokens are divided by white space, and behind a dash: readers pause there. ``glued`` ones follow without a space.
    Words are letters only, for recognisers and printers differ in the rest; ``spelled`` has their apostrophes too.
    """

    tokens: list[str]
    words: list[str]
    spelled: list[str]
    token_of: list[int]
    glued: frozenset[int] = frozenset()

    def printed(self, tokens: Sequence[int]) -> str:
        """The text of the tokens with these numbers, which rise."""
        text = ""
        before = -1
        for number in tokens:
            joined = not text or (number in self.glued and before == number - 1)
            text += self.tokens[number] if joined else f" {self.tokens[number]}"
            before = number
        return text


def read_book(path: Path) -> Book:
    """The text of a .txt file (UTF-8, or what its byte-order mark says), of subtitles (.srt, .vtt), or of an epub.

    Raises:
        TextError: the file cannot be read, is a .txt that holds subtitles, or holds no words.
    """
    suffix = path.suffix.lower()
    text = read_epub(path) if suffix == ".epub" else read_text(path, MOST_BYTES)
    if suffix in subtitles.SUFFIXES:
        text = subtitles.spoken(text)
    elif suffix != ".epub":
        require_no_subtitles(text, str(path))
    book = make_book(text)
    if not book.words:
        raise TextError(f"{path}: there are no words in it")
    return book


def make_book(text: str) -> Book:
    """``text`` as printed tokens and heard words."""
    tokens: list[str] = []
    glued = []
    for token in text.replace("\u00ad", "").split():  # soft hyphens show where a line may end, and are not read
        for number, part in enumerate(_BEHIND_DASH.split(token)):
            if number:
                glued.append(len(tokens))
            tokens.append(part)
    spelled: list[str] = []
    token_of: list[int] = []
    for number, token in enumerate(tokens):
        for word in spelled_words(token):
            spelled.append(word)
            token_of.append(number)
    return Book(tokens, [letters_in(word) for word in spelled], spelled, token_of, frozenset(glued))


def letters_in(word: str) -> str:
    """A word without its apostrophes."""
    return "".join(c for c in word if c.isalpha())


@lru_cache(maxsize=100_000)
def spelled_words(token: str) -> tuple[str, ...]:
    """``heard_words`` with every apostrophe, which may be a quotation mark: "‘Don’t" is "'don't"."""
    plain = token.replace("’", "'").replace("‘", "'")
    counted = any(character.isdigit() or character in "$£€%&" for character in plain)
    # One letter that the recogniser and the aligner do not know, as in "café", and no edge of its segment could be scored.
    if counted or any(character.isalpha() and not character.isascii() for character in plain):
        try:
            plain = normalize(plain if counted else plain.lower())  # "ÎLE" is a heading, not letters to be spelled
        except TextError:
            return ()
    for dash in ("-", "–", "—", "…", "..."):
        plain = plain.replace(dash, " ")
    words = ("".join(c for c in word if c.isalpha() or c == "'") for word in plain.lower().split())
    return tuple(word for word in words if letters_in(word))
