"""Reads a book of any format into chapters."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from triforce_tts.errors import TextError

from .chapter_pattern import remarks_of_folder
from .chapters import About, Block, Chapter, ChapterBook, ReadOptions, Skipped, account
from .epub_chapters import read_epub_chapters
from .html_file import read_html
from .markdown import read_markdown
from .plain import read_plain
from .speakers import drop_names

_READERS: dict[str, Callable[[Path, ReadOptions], ChapterBook]] = {
    ".epub": read_epub_chapters,
    ".txt": read_plain,
    ".text": read_plain,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
}
_MOST_FILES = 5000  # the most files of a folder


def read_chapters(path: Path, options: ReadOptions | None = None) -> ChapterBook:
    """The chapters of a book: a file in one of the formats, or a folder of such files in natural order.

    Every word of the source is spoken in one chapter or is listed as skipped; ``account`` has proved it.

    Raises:
        TextError: it cannot be read, is of no known format, is damaged or larger than any book, has no words, or the
            proof fails.
    """
    options = options or ReadOptions()
    if path.is_dir():
        book = _read_folder(path, options)
    else:
        _reader_of(path)
        if not path.exists():
            raise TextError(f"{path}: no such file; give the path of a book")
        book = _read_file(path, options)
    return drop_names(book) if options.speakers == "drop" else book


def _read_file(path: Path, options: ReadOptions) -> ChapterBook:
    """The book in a file; every fault names the file."""
    try:
        return _reader_of(path)(path, options)
    except TextError as error:
        if str(path) in str(error):
            raise
        raise TextError(f"{path}: {error}") from error


def _reader_of(path: Path) -> Callable[[Path, ReadOptions], ChapterBook]:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        endings = ", ".join(_READERS)
        shown = f"in the format '{path.suffix}'" if path.suffix else "without an ending in its name"
        raise TextError(f"{path}: cannot read a book {shown}; expected one of {endings}")
    return reader


def _read_folder(folder: Path, options: ReadOptions) -> ChapterBook:
    """The files of a folder as one book; a file with one chapter and no title is called by its name."""
    files = [p for p in folder.iterdir() if p.suffix.lower() in _READERS and p.is_file() and not p.name.startswith(".")]
    if not files or len(files) > _MOST_FILES:
        raise TextError(
            f"{folder}: found {len(files)} books' files in the folder, expected 1 to {_MOST_FILES} of {', '.join(_READERS)}"
        )
    chapters: list[Chapter] = []
    skipped: list[Skipped] = []
    pieces: tuple[str, ...] = ()
    remarks: list[tuple[str, tuple[str, ...]]] = []
    about = About(folder.resolve().name)
    for file in sorted(files, key=lambda file: natural_key(file.name)):
        book = _read_file(file, options)
        chapters += [_moved_chapter(chapter, len(pieces)) for chapter in book.chapters]
        skipped += [replace(part, pieces=_moved(part.pieces, len(pieces))) for part in book.skipped]
        pieces += book.pieces
        remarks.append((file.name, book.remarks))
        about = replace(about, author=about.author or book.about.author, language=about.language or book.about.language)
    told = tuple(remarks_of_folder(options.chapter_pattern, remarks))
    whole = ChapterBook(about, tuple(chapters), tuple(skipped), pieces, told)
    account(whole)
    return whole


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """A key by which "chapter 2" stands before "chapter 10"."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _moved(numbers: tuple[int, ...], by: int) -> tuple[int, ...]:
    return tuple(number + by for number in numbers)


def _moved_chapter(chapter: Chapter, by: int) -> Chapter:
    blocks: tuple[Block, ...] = tuple(replace(block, pieces=_moved(block.pieces, by)) for block in chapter.blocks)
    return replace(chapter, blocks=blocks)
