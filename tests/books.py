"""Small epubs for the tests that read books into chapters."""

import zipfile
from pathlib import Path

from triforce_tts.books.chapters import ChapterBook, ReadOptions
from triforce_tts.books.read import read_chapters

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>'
)
NAMESPACES = 'xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"'


def xhtml(body: str, types: str = "") -> str:
    """A page; one that begins with ``<html`` or ``<?xml`` is taken as it is."""
    if body.startswith(("<html", "<?xml", "<!DOCTYPE")):
        return body
    attribute = f' epub:type="{types}"' if types else ""
    return f"<html {NAMESPACES}><head><title/></head><body{attribute}>{body}</body></html>"


def make_epub(
    path: Path,
    pages: dict[str, str],
    toc: str = "",
    *,
    ncx: str = "",
    linear_no: tuple[str, ...] = (),
    metadata: str = "",
    landmarks: str = "",
    guide: str = "",
    spine: list[str] | None = None,
    extra: dict[str, str] | None = None,
) -> Path:
    """An epub of these pages (file names to bodies); ``toc`` is the inside of the outermost ``ol`` of its contents; ``extra`` are other files."""
    items = "".join(f'<item id="i{n}" href="{name.replace(" ", "%20")}"/>' for n, name in enumerate(pages))
    numbers = {name: n for n, name in enumerate(pages)}
    order = "".join(
        f'<itemref idref="i{numbers[name]}"{" linear=" + chr(34) + "no" + chr(34) if name in linear_no else ""}/>'
        for name in (spine or pages)
    )
    items += '<item id="nav" href="nav.xhtml" properties="nav"/>' if toc else ""
    items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>' if ncx else ""
    marks = f'<nav epub:type="landmarks"><ol>{landmarks}</ol></nav>' if landmarks else ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr(
            "OEBPS/content.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" unique-identifier="id"><metadata '
            f'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:opf="http://www.idpf.org/2007/opf">{metadata}</metadata>'
            f'<manifest>{items}</manifest><spine toc="ncx">{order}</spine><guide>{guide}</guide></package>',
        )
        if toc:
            archive.writestr("OEBPS/nav.xhtml", xhtml(f'<nav epub:type="toc"><ol>{toc}</ol></nav>{marks}'))
        if ncx:
            archive.writestr("OEBPS/toc.ncx", f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{ncx}</navMap></ncx>')  # fmt: skip
        for name, body in pages.items():
            archive.writestr(f"OEBPS/{name}", xhtml(body))
        for name, content in (extra or {}).items():
            archive.writestr(f"OEBPS/{name}", content)
    return path


def entry(label: str, href: str = "", inner: str = "") -> str:
    """An entry of a table of contents."""
    name = f'<a href="{href}">{label}</a>' if href else f"<span>{label}</span>"
    return f"<li>{name}{f'<ol>{inner}</ol>' if inner else ''}</li>"


def point(label: str, source: str, inner: str = "") -> str:
    """An entry of an NCX."""
    return f'<navPoint><navLabel><text>{label}</text></navLabel><content src="{source}"/>{inner}</navPoint>'


def outline(book: ChapterBook) -> list[tuple[str, str]]:
    """The title and the whole text of each chapter."""
    return [(chapter.title, " / ".join(b.spoken for b in chapter.blocks if b.text)) for chapter in book.chapters]


def spoken(book: ChapterBook) -> list[str]:
    """The text of every block; a break is three stars."""
    return [block.spoken or "***" for block in book.blocks()]


def read_text(tmp_path: Path, name: str, text: str | bytes, options: ReadOptions | None = None) -> ChapterBook:
    """What is read of a file with this text."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_chapters(path, options)


def read_page(tmp_path: Path, body: str, options: ReadOptions | None = None) -> ChapterBook:
    """What is read of an epub with one page."""
    path = make_epub(tmp_path / "page.epub", {"c1.xhtml": body}, entry("One", "c1.xhtml"))
    return read_chapters(path, options)


def reasons(book: ChapterBook) -> dict[str, str]:
    """What was skipped, by its reason; several texts of one reason are joined."""
    found: dict[str, str] = {}
    for part in book.skipped:
        found[part.reason] = f"{found[part.reason]} {part.text}" if part.reason in found else part.text
    return found


def damage(path: Path, name: str) -> None:
    """Change a byte of a file in an epub, so that its checksum is wrong."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(f"OEBPS/{name}")
    content = bytearray(path.read_bytes())
    content[entry.header_offset + 30 + len(entry.filename)] ^= 0xFF
    path.write_bytes(content)


def rewrite(path: Path, name: str, content: str | bytes | None) -> None:
    """Put another ``content`` into a file of an epub, or take the file out."""
    changed = f"OEBPS/{name}"
    with zipfile.ZipFile(path) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist() if entry != changed}
    if content is not None:
        files[changed] = content if isinstance(content, bytes) else content.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in files.items():
            archive.writestr(entry, data)
