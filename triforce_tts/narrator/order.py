"""A user's order for a narration, and what can be said of it before any work."""

from dataclasses import dataclass
from pathlib import Path

from triforce_tts.books.chapters import ChapterBook
from triforce_tts.errors import ConfigError
from triforce_tts.files import refuse_sources, require_file_target, require_own
from triforce_tts.narrator.book_file import require_format
from triforce_tts.narrator.cast import CastFile, cast_book
from triforce_tts.narrator.cover import Cover, book_cover, read_cover
from triforce_tts.narrator.master import PROFILES, Profile
from triforce_tts.narrator.overlay import require_overlay
from triforce_tts.narrator.redo import check_requests
from triforce_tts.narrator.selection import choose_chapters
from triforce_tts.narrator.subtitles import require_subtitles
from triforce_tts.web.names import source_of


@dataclass(frozen=True)
class Order:
    """The user's order for a narration."""

    book: Path
    out: Path  # one file, or a folder with a file for each chapter
    chapters: str | None = None
    front: bool = True
    redo: tuple[str, ...] = ()
    seed: int = 0
    master: str = "none"
    chapter_format: str | None = None  # the format of the files in a folder; None: .mp3
    cover: Path | None = None
    subtitles: Path | None = None
    # Title, author and narrator replace those that the book names.
    title: str | None = None
    author: str | None = None
    narrator: str | None = None
    cast: CastFile | None = None
    credits: bool = False
    series: str | None = None  # such as "Sherlock Holmes #3"
    overlay: Path | None = None  # an epub with the sound, for reading along
    url: str = ""  # the address of an article; ``book`` is then only a name
    part: str = ""  # what follows the title in the file of an episode that is only some chapters of the book

    @property
    def sources(self) -> list[Path]:
        """The files that must not be overwritten."""
        return [] if self.url else [self.book]

    @property
    def source(self) -> str:
        """What tells the book from others."""
        return source_of(self.book, self.url)

    @property
    def profile(self) -> Profile:
        """The profile that the finished files should meet."""
        return PROFILES[self.master]

    @property
    def is_folder(self) -> bool:
        """Whether each chapter gets a file of its own."""
        return self.out.is_dir() or not self.out.suffix

    @property
    def folder(self) -> Path:
        """The folder of the plan and the lines, beside the finished file."""
        name = self.out.resolve().name if self.is_folder else self.out.stem
        return (self.out.resolve() if self.is_folder else self.out).with_name(f"{name}.narration")

    @property
    def suffix(self) -> str:
        """The format of the files."""
        return (self.chapter_format or ".mp3") if self.is_folder else self.out.suffix.lower()


def check_order(order: Order, book: ChapterBook) -> None:
    """Refuse an order that cannot be planned or written, before any work; no folder is made.

    Raises:
        TextError: no such chapter, or a value of ``redo`` is no list of lines.
        ConfigError: a format is not known, a name cannot be printed, or the cast does not fit the book.
        TriforceError: an output is the book, or a place that is not this command's; the cover is no picture.
    """
    choose_chapters(order.chapters, len(book.chapters))
    check_requests(order.redo)
    cast_book(order.cast, book)
    refuse_sources(order.out, order.sources)
    for option, name in (
        ("title", order.title),
        ("author", order.author),
        ("narrator", order.narrator),
        ("series", order.series),
    ):
        if name is not None and not (name.strip() and name.isprintable()):
            raise ConfigError(f"--{option} {name!a}: expected printable characters, and no empty text")
    if order.cover is not None:
        read_cover(order.cover)
    require_format(order.out, order.chapter_format, order.is_folder)
    if order.is_folder:
        require_own(order.out, "audiobook")
    require_own(order.folder, "narration")
    if order.overlay is not None:
        require_overlay(order.overlay)
        refuse_sources(order.overlay, order.sources)
    if order.subtitles is not None:
        require_subtitles(order.subtitles)
        if order.is_folder:
            raise ConfigError(f"{order.subtitles}: subtitles belong to one file; give a file with --out")


def require_targets(order: Order) -> None:
    """Refuse places that cannot be written; the folders around them are made.

    Raises:
        TriforceError: a folder, a pipe or a device is there, or the folder cannot be made or written.
    """
    if not order.is_folder:
        require_file_target(order.out)
    for path in (order.subtitles, order.overlay):
        if path is not None:
            require_file_target(path)


def chosen_cover(order: Order, book: ChapterBook) -> tuple[Cover | None, str]:
    """The cover, which the user gave or the book has, and a remark on a cover of the book that is no picture.

    Raises:
        TriforceError: the user's cover is missing or no picture.
    """
    if order.cover is not None:
        return read_cover(order.cover), ""
    return (None, "") if order.url else book_cover(order.book, book.about)
