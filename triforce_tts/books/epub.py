"""The text of an epub, as a reader would read it aloud: in the order of its spine, without notes and page numbers.

An epub is a zip of XHTML, and may be made to fill a memory: sizes, numbers of members and elements, and how far anything
unpacks are limited before memory is taken. No entity, link or network address is followed.
"""

import html.entities
import lzma
import os
import posixpath
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from triforce_tts.errors import TextError

MOST_BYTES = 500_000_000  # of an epub, with its pictures
MOST_UNPACKED = 50_000_000  # bytes of its texts; the longest books have a tenth
MOST_TAGS = 1_000_000  # elements in all pages together; each takes 200 bytes of memory
MOST_TIMES = 200  # a file may be so many times larger unpacked than packed; text is 3 to 30 times larger
MOST_PAGES = 20_000
_SMALL = 1_000_000  # bytes that any file may unpack to
_DIRECTORY_BYTES = 8_000_000  # of a zip's list of files: a hundred thousand of them
_END, _END_BYTES, _COMMENT = b"PK\x05\x06", 22, 65535
_LOCATOR, _LOCATOR_BYTES = b"PK\x06\x07", 20  # of zip's form for more than four gigabytes

_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]*);")
_EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
_MATHML = "{http://www.w3.org/1998/Math/MathML}"
_UNREAD = {"noteref", "pagebreak", "backlink"} | {
    f"{kind}{number}" for kind in ("footnote", "endnote", "rearnote") for number in ("", "s")
}
_NOTE_MARK = re.compile(r"\[(\d{1,4}|[A-Za-z]|[*†‡§¶]+)\]|[*†‡§¶]+")  # the whole of a link
_NOTE_NUMBERS = re.compile(r"[\[(]?\s*(\d{1,4})(?:\s*[,–-]\s*(\d{1,4}))*\s*[\])]?")
_WORD_BEFORE = re.compile(r"(?:^|[\s(\[“‘\"'—–-])([^\W\d_]{2,}(?:['’-][^\W\d_]+)*)[.,;:!?…\"'”’)\]—–]*$")
_END_OF_SENTENCE = re.compile(r"[.!?][\"'”’)\]]*$")
_GAP = 2  # a number that is so much higher than the last still counts up: a note may stand in a table that was left out
_UNITS = frozenset(["mm", "cm", "dm", "km", "ft", "yd", "mi", "in", "kg", "mg", "lb", "ms", "min", "sq", "cu", "ha"])
_ENCRYPTION = "META-INF/encryption.xml"
_OF_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_OF_XML = ("amp", "lt", "gt", "quot", "apos")
# What stands within a line. Everything else is a block: words of two blocks are never one word.
_INLINE = frozenset(
    ["a", "abbr", "acronym", "b", "bdi", "bdo", "big", "button", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins", "kbd", "label", "map", "mark", "math", "meter", "noscript", "output", "progress", "q", "rb", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"]
)  # fmt: skip
_FAULTS = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, LookupError, RuntimeError, EOFError, OSError,
    ValueError, struct.error,
)  # fmt: skip


def read_epub(path: Path) -> str:
    """The text of an epub.

    Raises:
        TextError: it cannot be read, is no epub, is damaged or copy-protected, or is larger than any book.
    """
    from lxml import etree

    try:
        with _opened(path) as file:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                return "\n".join(_Epub(archive, path).pages())
    except (etree.XMLSyntaxError, *_FAULTS) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise TextError(f"{path}: expected an epub, cannot read it ({reason}); give the text as .txt") from error


def _opened(path: Path) -> BinaryIO:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise TextError(f"{path}: expected an epub, found a {'folder' if path.is_dir() else 'pipe or a device'}")
    if status.st_size > MOST_BYTES:
        raise TextError(f"{path}: {status.st_size} bytes, expected an epub of at most {MOST_BYTES}")
    return path.open("rb")


def _check_directory(file: BinaryIO) -> None:
    """Refuse a zip whose list of files is no book's; to open it takes memory for every file on the list."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LOCATOR_BYTES - _END_BYTES - _COMMENT))
    data = file.read()
    end = data.rfind(_END)
    if end < 0 or len(data) < end + _END_BYTES:
        raise zipfile.BadZipFile("File is not a zip file")
    (listed,) = struct.unpack_from("<I", data, end + 12)
    if listed > _DIRECTORY_BYTES or data[max(0, end - _LOCATOR_BYTES) : end].startswith(_LOCATOR):
        raise zipfile.BadZipFile(f"its list of files is larger than {_DIRECTORY_BYTES // 1_000_000} MB")


class _Epub:
    """The files of an epub, each unpacked and parsed within the limits."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive, self._path = archive, path
        self._names = set(archive.namelist())
        self._bytes, self._tags = MOST_UNPACKED, MOST_TAGS
        self._locked: dict[str, str] = {}
        if _ENCRYPTION in self._names:
            self._locked = _encrypted(self._parse(_ENCRYPTION))

    def pages(self) -> Iterator[str]:
        """The text of each page of the spine."""
        package = self._parse_index("META-INF/container.xml").xpath("//*[local-name()='rootfile']/@full-path")[0]
        content = self._parse_index(package)
        items = {
            item.get("id"): item.get("href", "")
            for item in content.xpath("//*[local-name()='manifest']/*[local-name()='item']")
            if "nav" not in item.get("properties", "").split()  # the table of contents
        }
        references = content.xpath("//*[local-name()='spine']/*[local-name()='itemref']/@idref")
        if len(references) > MOST_PAGES:
            raise ValueError(f"{len(references)} pages, expected at most {MOST_PAGES}")
        reader = _Reader()
        for reference in references:
            path_of = unquote(items.get(reference, "").partition("#")[0])
            name = posixpath.normpath(posixpath.join(posixpath.dirname(package), path_of))
            # A page that is not there is no reason to refuse the others.
            page = self._parse(name) if name in self._names else None
            if page is not None:
                yield reader.text_of(page)

    def _parse_index(self, name: str) -> Any:
        index = self._parse(name)
        if index is None:
            raise LookupError(f"{name!r} in it is no XML")
        return index

    def _parse(self, name: str) -> Any:
        from lxml import etree

        content = self._unpack(name)
        self._tags -= content.count(b"<")
        if self._tags < 0:
            raise TextError(f"{self._path}: it has more than {MOST_TAGS} elements, which no book has")
        # Names such as &nbsp; are of HTML: XML knows five, and would lose the others.
        content = _ENTITY.sub(_numbered, content)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, load_dtd=False)
        return etree.fromstring(content, parser) if content.strip() else None

    def _unpack(self, name: str) -> bytes:
        if name in self._locked:
            raise TextError(
                f"{self._path}: {name!r} in it is encrypted ({self._locked[name]}), expected a book without copy "
                "protection (DRM); give the text as .txt, or an epub that is sold without it"
            )
        entry = self._archive.getinfo(name)
        limit = min(self._bytes, max(_SMALL, MOST_TIMES * entry.compress_size))
        with self._archive.open(entry) as file:
            content = file.read(limit + 1)  # what the directory of the archive says of sizes may be a lie
        self._bytes -= len(content)
        if len(content) > limit:
            raise TextError(
                f"{self._path}: {name!r} in it unpacks to more than {limit / 1e6:.1f} MB, which no book does; it is not read"
            )
        return content


def _encrypted(listing: Any) -> dict[str, str]:
    """The files that an epub's encryption.xml names, with the algorithm of each; obfuscated fonts keep nobody out."""
    algorithms = {}
    for item in listing.iter("{*}EncryptedData") if listing is not None else ():
        algorithm = "".join(item.xpath("./*[local-name()='EncryptionMethod']/@Algorithm"))
        if algorithm not in _OF_FONTS:
            for uri in item.xpath(".//*[local-name()='CipherReference']/@URI"):
                algorithms[posixpath.normpath(unquote(uri).lstrip("/"))] = (
                    " ".join(algorithm.split()) or "algorithm not stated"
                )
    return algorithms


def _numbered(entity: re.Match[bytes]) -> bytes:
    """``&eacute;`` as ``&#233;``, which XML knows in any encoding; other names stay."""
    name = entity[1].decode()
    characters = html.entities.html5.get(f"{name};")
    if name in _OF_XML or characters is None:
        return entity[0]
    return "".join(f"&#{ord(character)};" for character in characters).encode()


class _Reader:
    """Reads pages in order, and remembers the last note: marks of notes count up, exponents do not."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._last_note = 0

    def text_of(self, page: Any) -> str:
        """What is read of a page."""
        self._parts = []
        self._read(page)
        return "".join(self._parts)

    def _read(self, element: Any) -> None:
        name = element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
        # Comments and entities have no name and no text to be read.
        is_block = bool(name) and name not in _INLINE and not element.tag.startswith(_MATHML)
        edge = "\n" if is_block else ""
        self._add(edge)
        if name and not _is_unread(element, name) and not self._is_counted_note(element, name):
            self._add(element.text)
            for child in element:
                self._read(child)
        self._add(edge)
        self._add(element.tail)

    def _add(self, text: str | None) -> None:
        if text:
            self._parts.append(text)

    def _is_counted_note(self, element: Any, name: str) -> bool:
        """Whether a raised number, or a link that is a number, is the mark of a note: it follows a word, and counts up.

        In "10<sup>6</sup>", "x<sup>2</sup>" and "km<sup>2</sup>" no word comes before, "1<sup>st</sup>" is no number, and of
        "or <a>4</a>" the link stands for itself.
        """
        is_link = name == "a" and element.get("href")
        if not (name == "sup" or is_link) or not (numbers := _NOTE_NUMBERS.fullmatch(_text(element))):
            return False
        before = self._before()
        if not is_link:
            before = before.rstrip(" \t")
        word = _WORD_BEFORE.search(before)
        if not (word and word[1].lower() not in _UNITS) and not _END_OF_SENTENCE.search(before):
            return False
        first, last = int(numbers[1]), int(numbers[2] or numbers[1])
        if first != 1 and not (self._last_note and self._last_note < first <= self._last_note + _GAP):
            return False
        self._last_note = last
        return True

    def _before(self) -> str:
        """The end of what was read of this block."""
        text = ""
        for part in reversed(self._parts):
            text = part + text
            if len(text) > 80 or part == "\n":
                break
        return text


def _is_unread(element: Any, name: str) -> bool:
    """Whether readers leave it out: a list of links, a note, the mark of one, a page number, or what is not shown."""
    if name in ("script", "style", "head", "nav", "template") or element.get("hidden") is not None:
        return True
    types = element.get(_EPUB_TYPE) or element.get("epub:type", "")  # the latter where the prefix is not declared
    roles = element.get("role", "")
    if not _UNREAD.isdisjoint(kind.removeprefix("doc-") for kind in f"{types} {roles}".lower().split()):
        return True
    if name == "sup":
        return any(link.get("href") for link in element.iter("{*}a"))
    if name == "a":
        mark = _text(element)
        return bool(_NOTE_MARK.fullmatch(mark)) or mark in [_text(raised) for raised in element.iter("{*}sup")]
    return False


def _text(element: Any) -> str:
    """All that is written in it."""
    return "".join(element.itertext()).strip()
