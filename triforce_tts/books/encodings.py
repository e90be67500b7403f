"""Finds the encoding of a text file that somebody else made: by its mark, UTF-8, or the best of the old encodings."""

import codecs

from triforce_tts.errors import TextError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OLD = ("cp1252", "latin-1", "mac_roman", "cp850")  # if several are equally good, the first one is taken
_LOOKED_AT = 1_000_000  # so many bytes at the beginning of a file are looked at
_MANY_ZEROS = 0.2  # a text with this share of zero bytes is UTF-16 without a mark
_QUOTES = "‘’“”—–…"
_RARE = "ÀÁÂÃÄÅÈÉÊËÌÍÎÏÒÓÔÕÖØÙÚÛÜ"  # capitals are rare inside words


def decode_book(data: bytes, where: str) -> str:
    """``data`` as text in the encoding that it seems to be in, with line feeds as the ends of lines.

    Raises:
        TextError: ``data`` is no text.
    """
    text = _decoded(data, where).replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise TextError(f"{where}: expected a text, found zero bytes; give the book as .txt, .md, .epub or .html")
    return text


def _decoded(data: bytes, where: str) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode(data, encoding, where)
    head = data[:_LOOKED_AT]
    if head.count(0) > _MANY_ZEROS * len(head) > 0:
        little = head[1::2].count(0) > head[0::2].count(0)
        return _decode(data, "utf-16-le" if little else "utf-16-be", where)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(max(_OLD, key=lambda encoding: _score(head, encoding)), errors="replace")


def _decode(data: bytes, encoding: str, where: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise TextError(f"{where}: expected text in {encoding}, which it says it is ({error.reason}); save it as UTF-8") from error  # fmt: skip


def _score(data: bytes, encoding: str) -> float:
    """A score of how well the characters outside ASCII fit prose."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return float("-inf")
    score = 0.0
    for before, character, after in zip(" " + text[:-1], text, text[1:] + " ", strict=True):
        if character.isascii():
            continue
        if character in _QUOTES:
            score += 1 if not (before.isalpha() and after.isalpha()) or character in "’—–" else -1
        elif character.isalpha():
            inside = before.isalpha() or after.isalpha()
            score += -1 if character in _RARE and before.islower() else 1 if inside else 0
        elif character in "£§°·«»½¼¾\u00a0":
            score += 0.5
        else:
            score -= 1
    return score
