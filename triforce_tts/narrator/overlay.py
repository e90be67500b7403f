"""A book to read along with: EPUB 3 with media overlays. Its text is what is spoken, and each line is shown while it sounds.

A chapter is one page (XHTML), one file of sound (AAC) and one overlay (SMIL) that ties the two together. Clips follow each other
without gaps, so the pauses between lines stay as they were planned.
"""

import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from triforce_tts.errors import ConfigError
from triforce_tts.files import atomic_path
from triforce_tts.narrator.book_file import Content, Step
from triforce_tts.narrator.book_files import write_books
from triforce_tts.narrator.cover import Cover
from triforce_tts.narrator.lines import Lines
from triforce_tts.narrator.master import Profile
from triforce_tts.narrator.plan import BREAK_PAUSE_S, PlannedChapter, PlannedLine
from triforce_tts.narrator.timeline import Part, Timeline
from triforce_tts.narrator.written import written_parts

_TAGS = {"verse": "p class='verse'", "caption": "p class='caption'", "speaker": "p class='speaker'"}
_ACTIVE, _PLAYING = "-epub-media-overlay-active", "-epub-media-overlay-playing"
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_XHTML = 'xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"'
_STYLE = f""".{_ACTIVE} {{ background-color: #ffe89a; color: #000; }}
.verse {{ white-space: pre-line; }}
.speaker {{ font-weight: bold; }}
"""
_CONTAINER = (
    f'{_XML}<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
)
_DATE = (1980, 1, 1, 0, 0, 0)  # the date of the files in the zip, so that equal books give equal bytes


@dataclass(frozen=True)
class Book:
    """The facts about the book in the package; ``modified`` is a time in UTC such as 2026-01-31T12:00:00Z."""

    title: str
    author: str
    narrator: str
    language: str
    modified: str
    cover: Cover | None = None


@dataclass(frozen=True)
class Page:
    """A chapter and its timeline, which has one part."""

    chapter: PlannedChapter
    timeline: Timeline

    @property
    def part(self) -> Part:
        """The chapter's part of the timeline."""
        return self.timeline.parts[0]


def require_overlay(path: Path) -> None:
    """Refuse a file of another kind.

    Raises:
        ConfigError: the suffix is not ``.epub``.
    """
    if path.suffix.lower() != ".epub":
        raise ConfigError(
            f"{path}: cannot write '{path.suffix}' as a book to read along with; expected a name in .epub"
        )


def write_overlay(
    path: Path, book: Book, pages: Sequence[Page], lines: Lines, profile: Profile, step: Step, at_once: int = 0
) -> None:
    """Write the epub; the sound of each chapter is read back before it is packed. Sounds wait in the folder of ``lines``.

    So many sounds are made at once (0: one for each core).

    Raises:
        TriforceError: the disk is full or the folder cannot be written; the file that was there stays.
        AudioError: the sound of a chapter differs from what was written.
    """
    with (
        atomic_path(path) as temporary,
        TemporaryDirectory(dir=lines.folder, prefix=".overlay.") as folder,
        zipfile.ZipFile(temporary, "w") as archive,
    ):
        _add(archive, "mimetype", b"application/epub+zip", zipfile.ZIP_STORED)
        _add(archive, "META-INF/container.xml", _CONTAINER.encode())
        _add(archive, "EPUB/style.css", _STYLE.encode())
        _add(archive, "EPUB/nav.xhtml", _nav(book, pages).encode())
        _add(archive, "EPUB/package.opf", _package(book, pages).encode())
        if book.cover is not None:
            _add(archive, f"EPUB/{_cover_name(book.cover)}", book.cover.data, zipfile.ZIP_STORED)
        sounds = [
            (Path(folder) / f"c{number:04d}.m4a", Content(page.timeline, lines, {"title": page.chapter.title}))
            for number, page in enumerate(pages, 1)
        ]
        for (number, page), written in zip(
            enumerate(pages, 1), write_books(sounds, profile, step, at_once), strict=True
        ):
            _add(archive, f"EPUB/c{number:04d}.xhtml", _xhtml(book, page).encode())
            _add(archive, f"EPUB/c{number:04d}.smil", _smil(number, page).encode())
            _add(archive, f"EPUB/{written.path.name}", written.path.read_bytes(), zipfile.ZIP_STORED)
            written.path.unlink()


def _add(archive: zipfile.ZipFile, name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type, entry.external_attr = method, 0o644 << 16
    archive.writestr(entry, content)


def _cover_name(cover: Cover) -> str:
    return f"cover{cover.suffix}"


# --- the package --------------------------------------------------------------------------------------------------


def _package(book: Book, pages: Sequence[Page]) -> str:
    content = "\n".join([book.title, *(line.key for page in pages for line in page.chapter.lines)])
    total = sum(_milliseconds(page.timeline.seconds) for page in pages)
    metas = [
        f'<dc:identifier id="id">urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}</dc:identifier>',
        f"<dc:title>{escape(book.title)}</dc:title>",
        f"<dc:language>{escape(book.language or 'en')}</dc:language>",
        *([f"<dc:creator>{escape(book.author)}</dc:creator>"] if book.author else []),
        f'<meta property="dcterms:modified">{book.modified}</meta>',
        f'<meta property="media:active-class">{_ACTIVE}</meta>',
        f'<meta property="media:playback-active-class">{_PLAYING}</meta>',
        f'<meta property="media:narrator">{escape(book.narrator)}</meta>',
        f'<meta property="media:duration">{_clock(total / 1000)}</meta>',
        *(
            f'<meta property="media:duration" refines="#s{n}">{_clock(page.timeline.seconds)}</meta>'
            for n, page in enumerate(pages, 1)
        ),
        *(
            f'<meta property="schema:{name}">{value}</meta>'
            for name, value in (
                ("accessMode", "textual"), ("accessMode", "auditory"), ("accessibilityFeature", "synchronizedAudioText"),
                ("accessibilityHazard", "none"),
            )
        ),
    ]  # fmt: skip
    items = ['<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
             '<item id="css" href="style.css" media-type="text/css"/>']  # fmt: skip
    if book.cover is not None:
        items.append(
            f'<item id="cover" href="{_cover_name(book.cover)}" media-type="{book.cover.media_type}" properties="cover-image"/>'
        )
    for n in range(1, len(pages) + 1):
        items += [
            f'<item id="c{n}" href="c{n:04d}.xhtml" media-type="application/xhtml+xml" media-overlay="s{n}"/>',
            f'<item id="s{n}" href="c{n:04d}.smil" media-type="application/smil+xml"/>',
            f'<item id="a{n}" href="c{n:04d}.m4a" media-type="audio/mp4"/>',
        ]
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(1, len(pages) + 1))
    return (
        f'{_XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" '
        f'xml:lang="{escape(book.language or "en")}">\n<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        + "\n".join(metas) + "\n</metadata>\n<manifest>\n" + "\n".join(items)
        + f"\n</manifest>\n<spine>{spine}</spine>\n</package>\n"
    )  # fmt: skip


def _nav(book: Book, pages: Sequence[Page]) -> str:
    entries = "\n".join(
        f'<li><a href="c{n:04d}.xhtml">{escape(_title(page, n))}</a></li>' for n, page in enumerate(pages, 1)
    )
    return _document(
        book, book.title, f'<nav epub:type="toc"><h1>{escape(book.title)}</h1>\n<ol>\n{entries}\n</ol></nav>'
    )


def _title(page: Page, number: int) -> str:
    return page.chapter.title or f"Chapter {number}"


def _document(book: Book, title: str, body: str) -> str:
    language = escape(book.language or "en")
    return (
        f'{_XML}<!DOCTYPE html>\n<html {_XHTML} xml:lang="{language}" lang="{language}">\n<head><meta charset="UTF-8"/>'
        f'<title>{escape(title)}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


# --- a chapter ----------------------------------------------------------------------------------------------------


def _xhtml(book: Book, page: Page) -> str:
    """The page of a chapter: an element for each block, and inside it one with an identifier for each line."""
    title = page.chapter.title or book.title
    rows, has_heading = [], False
    for block in page.chapter.blocks:
        spans = "".join(
            f'<span id="l{line.number}">{escape(text, quote=False)}</span>' for line, text in _texts(block.lines)
        )
        if block.kind == "heading":
            tag = "h2" if has_heading else "h1"
            has_heading = True
        else:
            tag = _TAGS.get(block.kind, "p")
        rows.append(f"<{tag}>{spans}</{tag.split()[0]}>")
        if block.lines[-1].pause_s == BREAK_PAUSE_S:
            rows.append("<hr/>")
    rows = ['<section epub:type="chapter">', *rows, "</section>"]
    return _document(book, title, "\n".join(rows))


def _texts(lines: Sequence[PlannedLine]) -> list[tuple[PlannedLine, str]]:
    """Each line that has a part of the written text, with that part and, except for the last, the space behind it."""
    shown = [(line, text) for line, text in zip(lines, written_parts(lines), strict=True) if text]
    return [(line, text if line is shown[-1][0] else f"{text} ") for line, text in shown]


def _smil(number: int, page: Page) -> str:
    """The overlay of a chapter; a line without a sound is shown and has no clip, one that is not shown is in the clip before."""
    rate = page.timeline.sample_rate
    shown = {line.number for block in page.chapter.blocks for line, _ in _texts(block.lines)}
    spoken = [placed for placed in page.part.lines if placed.end > placed.start and placed.line.number in shown]
    begins = [0, *(placed.start for placed in spoken[1:])]
    ends = [*begins[1:], page.timeline.samples]
    name = f"c{number:04d}"
    rows = "\n".join(
        f'<par id="p{placed.line.number}"><text src="{name}.xhtml#l{placed.line.number}"/>'
        f'<audio src="{name}.m4a" clipBegin="{_clock(begin / rate)}" clipEnd="{_clock(end / rate)}"/></par>'
        for placed, begin, end in zip(spoken, begins, ends, strict=True)
    )
    return (
        f'{_XML}<smil xmlns="http://www.w3.org/ns/SMIL" xmlns:epub="http://www.idpf.org/2007/ops" version="3.0">\n<body>\n'
        f'<seq id="seq" epub:textref="{name}.xhtml" epub:type="chapter">\n{rows}\n</seq>\n</body>\n</smil>\n'
    )


def _milliseconds(seconds: float) -> int:
    """Whole milliseconds, rounded down, so that no clip ends after its sound."""
    return int(seconds * 1000 + 1e-6)


def _clock(seconds: float) -> str:
    """A full clock value of SMIL."""
    milliseconds = _milliseconds(seconds)
    hours, minutes = milliseconds // 3_600_000, milliseconds // 60_000 % 60
    return f"{hours}:{minutes:02d}:{milliseconds // 1000 % 60:02d}.{milliseconds % 1000:03d}"
