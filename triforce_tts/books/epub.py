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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from triforce_tts.errors import TextError

from .chapters import letters
from .encodings import page_bytes
from .notes import INLINE, MATHML, NoteCounter, is_unread

MOST_BYTES = 500_000_000  # the largest epub with its pictures, in bytes
MOST_UNPACKED = 50_000_000  # the most bytes of all its texts; the longest books have a tenth of that
MOST_TAGS = 1_000_000  # the most elements in all pages together; each takes 200 bytes of memory
# The most times that a file may be larger unpacked than packed; text is 3 to 30 times larger.
MOST_TIMES = 200
MOST_PAGES = 20_000
_SMALL = 1_000_000  # every file may unpack to so many bytes, however small it is packed
_DIRECTORY_BYTES = 8_000_000  # the largest list of files in a zip, in bytes; it holds a hundred thousand files
_END, _END_BYTES, _COMMENT = b"PK\x05\x06", 22, 65535
_LOCATOR, _LOCATOR_BYTES = b"PK\x06\x07", 20  # these belong to zip files of more than four gigabytes

_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]*);")
# An element that holds nothing, with its end: HTML knows it without one, and XML takes what follows for its content.
_VOID_TAG = re.compile(
    rb"<((?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)(?<!/)>"
    rb"(?!\s*</(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)\b)",
    re.IGNORECASE,
)
_VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"])  # fmt: skip
# Those of files that hold no text of a page, whatever their content.
_NO_TEXT = re.compile(
    r"(?:image|audio|video|font)/|application/(?:json|pdf|javascript|font|vnd\.ms-opentype)|text/(?:css|javascript)"
)
_ENCRYPTION = "META-INF/encryption.xml"
# The media types of pages that can be read; an item of another type may name a fallback that has one of these.
_PAGE_TYPES = frozenset(
    ["application/xhtml+xml", "text/html", "image/svg+xml", "application/x-dtbook+xml", "text/x-oeb1-document", ""]
)
_PAGE_NAME = re.compile(r"\.x?html?$", re.IGNORECASE)
_OF_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_OF_XML = ("amp", "lt", "gt", "quot", "apos")
_FAULTS = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, LookupError, RuntimeError, EOFError, OSError,
    ValueError, struct.error,
)  # fmt: skip


def read_epub(path: Path) -> str:
    """The text of an epub.

    Raises:
        TextError: it cannot be read, is no epub, is damaged or copy-protected, or is larger than any book.
    """
    with open_epub(path) as files:
        return "\n".join(files.pages())


@contextmanager
def open_epub(path: Path) -> Iterator["EpubFiles"]:
    """The files of an epub; whatever goes wrong with them inside the block is one error that names the epub.

    Raises:
        TextError: it cannot be read, is no epub, is damaged or copy-protected, or is larger than any book.
    """
    from lxml import etree

    try:
        with _opened(path) as file:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                yield EpubFiles(archive, path)
    except (etree.XMLSyntaxError, *_FAULTS) as error:
        raise TextError(
            f"{path}: expected an epub, cannot read it ({_reason(error)}); give the text as .txt"
        ) from error


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


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


@dataclass(frozen=True)
class Package:
    """The package document of an epub: its place in the zip, its root, its items by identifier, and its spine."""

    name: str
    root: Any
    items: dict[str, Any]
    spine: list[Any]

    def path_of(self, reference: str) -> str:
        """The name in the zip of the file that the package calls ``reference``, without a fragment."""
        return resolve(self.name, reference)[0]

    def page_names(self, identifier: str) -> tuple[str, str]:
        """The name in the zip of an item of the spine, and that of the page which is read: its fallback, if its own type is no page's.

        The second name is empty if there is no fallback and the item is a picture or another file that holds no text.
        """
        item = self.items.get(identifier)
        name = self.path_of(item.get("href", "")) if item is not None else ""
        seen: set[str] = set()
        while item is not None and not _is_page(item) and item.get("id") not in seen:
            seen.add(item.get("id"))
            item = self.items.get(item.get("fallback", ""))
        if item is not None and _is_page(item):
            return name, self.path_of(item.get("href", ""))
        own = self.items[identifier].get("media-type", "") if identifier in self.items else ""
        return name, "" if _NO_TEXT.match(own.strip().lower()) else name


def _is_page(item: Any) -> bool:
    """Whether an item is a page by its type, or by its name where the type is wrong."""
    own = item.get("media-type", "").partition(";")[0].strip().lower()
    return own in _PAGE_TYPES or bool(_PAGE_NAME.search(item.get("href", "")))


def resolve(base: str, reference: str) -> tuple[str, str]:
    """The name in the zip, and the fragment, of a link in the file ``base``."""
    place, _, fragment = reference.partition("#")
    if not place:
        return base, unquote(fragment)
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(place))), unquote(fragment)


class EpubFiles:
    """The files of an epub, each unpacked and parsed within the limits."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive, self._path = archive, path
        self._names = set(archive.namelist())
        self._bytes, self._tags = MOST_UNPACKED, MOST_TAGS
        self.cut: set[str] = set()  # the files in which the parser left out elements that are too deep
        self._locked: dict[str, str] = {}
        if _ENCRYPTION in self._names:
            self._locked = _encrypted(self._parse(_ENCRYPTION))

    def package(self) -> Package:
        """The first package that the container names."""
        name = self._parse_index("META-INF/container.xml").xpath("//*[local-name()='rootfile']/@full-path")[0]
        root = self._parse_index(name)
        items = {item.get("id"): item for item in root.xpath("//*[local-name()='manifest']/*[local-name()='item']")}
        spine = root.xpath("//*[local-name()='spine']/*[local-name()='itemref']")
        if len(spine) > MOST_PAGES:
            raise ValueError(f"{len(spine)} pages, expected at most {MOST_PAGES}")
        return Package(name, root, items, spine)

    def page(self, name: str) -> Any:
        """The root of a page, or None if it is not in the zip or has no element."""
        root = self._parse(name, is_page=True) if name in self._names else None
        if root is not None:
            _empty_voids(root)
        return root

    def content(self, name: str) -> bytes | None:
        """The bytes of a file, such as a picture, or None if it is not in the zip."""
        return self._unpack(name) if name in self._names else None

    def spare_page(self, name: str, what: str, faults: list[str]) -> Any:
        """The root of a page that a book can do without, or None; ``faults`` takes a sentence that says why, and ``what`` the page is."""
        try:
            root = self.page(name)
        except TextError as error:
            faults.append(f"{what} is left out: {error}.")
            return None
        if root is None:
            absent = "it is empty" if name in self._names else "it is not in the book"
            faults.append(f"{what} {name!r} is left out: {absent}.")
        return root

    def pages(self) -> Iterator[str]:
        """The text of each page of the spine."""
        package = self.package()
        reader = _Reader()
        for reference in package.spine:
            item = package.items.get(reference.get("idref"))
            if item is None or "nav" in item.get("properties", "").split():  # the table of contents
                continue
            # A missing page is no reason to refuse the other pages.
            page = self.page(package.page_names(item.get("id"))[1])
            if page is not None:
                yield reader.text_of(page)

    def _parse_index(self, name: str) -> Any:
        index = self._parse(name)
        if index is None:
            raise LookupError(f"{name!r} in it is no XML")
        return index

    def _parse(self, name: str, *, is_page: bool = False) -> Any:
        from lxml import etree

        content = self._unpack(name)
        self._tags -= content.count(b"<")
        if self._tags < 0:
            raise TextError(f"{self._path}: it has more than {MOST_TAGS} elements, which no book has")
        # Names such as &nbsp; belong to HTML. XML knows only five names and would lose the others.
        content = _ENTITY.sub(_numbered, page_bytes(content, f"{self._path}: {name!r} in it"))
        parser = etree.XMLParser(
            encoding="utf-8", resolve_entities=False, no_network=True, recover=True, load_dtd=False
        )
        root = etree.fromstring(content, parser) if content.strip() else None
        if is_page and any(error.type_name == "ERR_TAG_NAME_MISMATCH" for error in parser.error_log):
            content = _VOID_TAG.sub(rb"<\1/>", content)
            root = etree.fromstring(content, parser)
        limits = [error.message for error in parser.error_log if error.type_name == "ERR_RESOURCE_LIMIT"]
        if any("depth" not in message for message in limits):
            raise TextError(
                f"{self._path}: {name!r} in it is built to fill a memory ({limits[0].strip()}); it is not read"
            )
        if limits:
            self.cut.add(name)
        elif is_page and any(error.level_name != "WARNING" for error in parser.error_log):
            root = _fuller(root, content)
        return root

    def _unpack(self, name: str) -> bytes:
        if name in self._locked:
            raise TextError(
                f"{self._path}: {name!r} in it is encrypted ({self._locked[name]}), expected a book without copy "
                "protection (DRM); give the text as .txt, or an epub that is sold without it"
            )
        entry = self._archive.getinfo(name)
        limit = min(self._bytes, max(_SMALL, MOST_TIMES * entry.compress_size))
        try:
            with self._archive.open(entry) as file:
                content = file.read(limit + 1)  # The sizes in the directory of the archive may be wrong.
        except _FAULTS as error:
            raise TextError(
                f"{self._path}: {name!r} in it is damaged ({_reason(error)}); get the book anew, or give the text as .txt"
            ) from error
        self._bytes -= len(content)
        if len(content) > limit:
            raise TextError(
                f"{self._path}: {name!r} in it unpacks to more than {limit / 1e6:.1f} MB, which no book does; it is not read"
            )
        return content


def _fuller(root: Any, content: bytes) -> Any:
    """A page that is no right XML, read in the way that keeps more of its text: as XML, or as browsers read HTML."""
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", no_network=True)
    try:
        page = html.document_fromstring(content, parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return root
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        return root
    kept = [
        0 if one is None else len(letters(etree.tostring(one, method="text", encoding="unicode")))
        for one in (root, page)
    ]
    return page if kept[1] > kept[0] else root


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


def _empty_voids(root: Any) -> None:
    """Put what stands inside a line's end, a picture or another element that holds nothing behind it."""
    full = [e for e in root.iter("{*}*") if (e.text or len(e)) and e.tag.rpartition("}")[2].lower() in _VOID]
    for element in full:
        if element.getparent() is None:
            continue
        tail, element.tail = element.tail or "", element.text
        element.text = None
        children = list(element)
        before, element.tail = element.tail, None  # a sibling is put between an element and its tail
        for child in reversed(children):
            element.addnext(child)
        element.tail = before
        last = children[-1] if children else element
        last.tail = (last.tail or "") + tail


def _numbered(entity: re.Match[bytes]) -> bytes:
    """``&eacute;`` as ``&#233;``, which XML knows in any encoding; other names stay."""
    name = entity[1].decode()
    characters = html.entities.html5.get(f"{name};")
    if name in _OF_XML or characters is None:
        return entity[0]
    return "".join(f"&#{ord(character)};" for character in characters).encode()


class _Reader:
    """Reads pages in order."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._notes = NoteCounter()

    def text_of(self, page: Any) -> str:
        """The text that is read of a page."""
        self._parts = []
        self._read(page)
        return "".join(self._parts)

    def _read(self, element: Any) -> None:
        name = element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
        # Comments and entities have no name, and no text that is read.
        is_block = bool(name) and name not in INLINE and not element.tag.startswith(MATHML)
        edge = "\n" if is_block else ""
        self._add(edge)
        if name and not is_unread(element, name) and not self._is_mark(element, name):
            self._add(element.text)
            for child in element:
                self._read(child)
        self._add(edge)
        self._add(element.tail)

    def _is_mark(self, element: Any, name: str) -> bool:
        return name in ("a", "sup") and self._notes.is_mark(element, name, self._before())

    def _add(self, text: str | None) -> None:
        if text:
            self._parts.append(text)

    def _before(self) -> str:
        """The end of the text that was read of this block."""
        text = ""
        for part in reversed(self._parts):
            text = part + text
            if len(text) > 80 or part == "\n":
                break
        return text
