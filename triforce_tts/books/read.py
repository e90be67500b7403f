"""Reads a book of any format into chapters."""

from pathlib import Path

from .chapters import ChapterBook, ReadOptions
from .epub_chapters import read_epub_chapters
from .plain import read_plain


def read_chapters(path: Path, options: ReadOptions | None = None) -> ChapterBook:
    """stub."""
    return (read_plain if path.suffix=='.txt' else read_epub_chapters)(path, options or ReadOptions())
