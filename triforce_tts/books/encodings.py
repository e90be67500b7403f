"""Finds the encoding of a text or a page that somebody else made: by its mark, UTF-8, its statement, or the best of the old ones."""

import codecs
import re

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
_STATED = re.compile(rb"<(?:\?xml|meta)\s[^>]*?(?:encoding|charset)\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_HEAD = 4096  # a page states its encoding in its first so many bytes
# What a page states is followed if it is one of these. Pages that state Latin-1, a form of Unicode or what is no encoding of texts, and
# are not valid UTF-8, are in another one: browsers, too, read Latin-1 as Windows-1252.
_FOLLOWED = re.compile(r"(?:cp|koi8|mac|iso2022|shift|euc|big5|gb|hz|johab|tis|kz|ptcp).*|iso8859-(?!1$)\d+")
# Browsers read these as larger encodings that hold all their characters; pages often have some of the others.
_LARGER = {
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
}
_BROWSERS = {
    "x-sjis": "shift_jis",
    "x-gbk": "gbk",
    "x-euc-jp": "euc_jp",
    "iso-8859-8-i": "iso8859-8",
    "x-mac-cyrillic": "mac_cyrillic",
}
_ESCAPE = b"\x1b"  # ISO-2022-JP has only bytes of ASCII, and this one among them
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


def page_bytes(data: bytes, where: str, stated: str = "") -> bytes:
    """The bytes of a page, in HTML or XML, in UTF-8; ``stated`` is an encoding that goes before the one that the page states.

    What a page states is wrong in many books, so valid UTF-8 is taken for what it is, and only other pages are read as they say.

    Raises:
        TextError: ``data`` begins with the mark of an encoding, and is not in it.
    """
    if data.startswith(codecs.BOM_UTF8):
        data = data.removeprefix(codecs.BOM_UTF8)
    is_wide = b"<\0" in data[:_HEAD] or b"\0<" in data[:_HEAD]
    if is_wide or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(data, where).encode("utf-8", "replace")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded_page(data, where, stated).encode("utf-8", "replace")
    return data if _ESCAPE not in data else _decoded_page(data, where, stated).encode("utf-8", "replace")


def _decoded_page(data: bytes, where: str, stated: str) -> str:
    """A page that is not valid UTF-8: as it says, or with a few damaged letters in UTF-8, or in the best of the old encodings."""
    match = _STATED.search(data[:_HEAD])
    try:
        told = (stated or (match[1].decode("ascii") if match else "")).lower()
        name = codecs.lookup(_BROWSERS.get(told, told)).name
    except (LookupError, ValueError):
        name = ""
    if _FOLLOWED.fullmatch(name):
        return data.decode(_LARGER.get(name, name), "replace")
    text = data.decode("utf-8", "replace")
    damaged = text.count("\N{REPLACEMENT CHARACTER}")
    whole = sum(not character.isascii() for character in text) - damaged
    return text if damaged < whole else _decoded(data, where)


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
