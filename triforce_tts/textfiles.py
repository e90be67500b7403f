"""Text files that people made: a byte-order mark decides the encoding; without one, each line must be UTF-8.

Only a line feed ends a line. Other characters that some programs take for line ends may stand within a text.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from triforce_tts.errors import TextError, TriforceError
from triforce_tts.files import read_file

TEXT_BYTES = 1 << 20  # the largest text of one recording, in bytes
LIST_BYTES = 4 << 30  # the largest list of recordings, in bytes: ten million lines
_MARKS = (  # UTF-32 comes first, because its mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_NOT_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")
_LOOKED_AT = 4096  # So many bytes at the beginning of a file are looked at.
# A file with a larger share of zero bytes is not a damaged UTF-8 file: in UTF-16 about half of the bytes are zero.
_MANY_ZEROS = 0.1
_TIME = r"(?:\d+:)?\d\d:\d\d[.,]\d{3}"
# A line of SubRip or WebVTT, or one that Whisper prints. Few signs come first, so that a long file costs little time.
_TIMES = re.compile(rf"^[^\w\n]{{0,8}}({_TIME} {{0,8}}--> {{0,8}}{_TIME})", re.MULTILINE | re.ASCII)


class UnreadableText(TextError):
    """A file or a line that is no text; the message names it and what it looks like."""


@dataclass(frozen=True)
class Line:
    """A line of a list: its text, or why it has none."""

    number: int
    text: str
    fault: str = ""


def read_text(path: Path, limit: int = TEXT_BYTES) -> str:
    """The content of a text file.

    Raises:
        UnreadableText: the file cannot be read, is larger than ``limit`` bytes, or is in an unknown encoding.
    """
    return decode(_read(path, limit), str(path))


def require_no_subtitles(text: str, where: str) -> None:
    """Refuse the text of a recording that holds the times of subtitles: they would be taken for words that are read.

    Raises:
        UnreadableText: a line has such times; the message shows them.
    """
    if found := _TIMES.search(text):
        number = 1 + text.count("\n", 0, found.start(1))
        raise UnreadableText(
            f"{where}, line {number}: subtitles ('{found[1]}'); expected what is read, without times and numbers"
        )


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a list that are not blank. A line that is no text has a fault, and the others are read.

    Raises:
        UnreadableText: nothing of the file can be read.
    """
    data = _read(path, LIST_BYTES)
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
    elif _is_wide(data):
        for number, text in enumerate(decode(data, str(path)).split("\n"), 1):
            if text.strip():
                yield Line(number, text.rstrip("\r"))
        return
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            text = decode(line, f"{path}, line {number}")
        except UnreadableText as error:
            yield Line(number, "", str(error))
        else:
            if text.strip():
                yield Line(number, text.rstrip("\r"))


def decode(data: bytes, where: str) -> str:
    """``data`` as text; ``where`` names it in messages.

    Raises:
        UnreadableText: the text is not UTF-8 and has no byte-order mark; the message says what it looks like.
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "UTF-8")
    try:
        text = data.decode("utf-8-sig" if encoding == "UTF-8" else encoding)
    except UnicodeDecodeError as error:
        looks = f"byte 0x{data[error.start]:02x} at {error.start}; it looks like {_guess(data)}"
        raise UnreadableText(f"{where}: not {encoding} text ({looks}); save it as UTF-8") from error
    if "\0" in text:
        raise UnreadableText(f"{where}: not text (it has zero bytes and looks like {_guess(data)}); save it as UTF-8")
    return text


def _is_wide(data: bytes) -> bool:
    """Whether a file seems to be in UTF-16 or UTF-32, with a mark or without."""
    head = data[:_LOOKED_AT]
    return data.startswith(tuple(mark for mark, _ in _MARKS)) or head.count(0) > _MANY_ZEROS * len(head)


def _guess(data: bytes) -> str:
    if _is_wide(data):
        return "UTF-16 without a byte-order mark"
    return "no encoding of text" if 0 in data or _NOT_CP1252 & set(data) else "cp1252 (Windows) or Latin-1"


def _read(path: Path, limit: int) -> bytes:
    try:
        return read_file(path, limit)
    except TriforceError as error:
        raise UnreadableText(str(error)) from error
