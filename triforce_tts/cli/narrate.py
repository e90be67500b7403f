"""The command ``narrate``, which makes an audiobook of a book."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import typer

from triforce_tts import bounds
from triforce_tts.cli import narrate_options as own
from triforce_tts.cli.equipment import Equipment
from triforce_tts.cli.narrate_text import print_chapters, print_outcome, print_plan, print_remarks
from triforce_tts.cli.options import (
    PROGRESS,
    Batch,
    Device,
    Model,
    PresetName,
    Processes,
    ProcessThreads,
    Quiet,
    RayAddress,
    Seed,
    Steps,
    VoiceClip,
)
from triforce_tts.cli.preparing import (
    ModelOptions,
    chosen_preset,
    say_what_is_slow,
)
from triforce_tts.errors import ConfigError
from triforce_tts.presets import STANDARD, Preset

if TYPE_CHECKING:
    from triforce_tts.books.chapters import ChapterBook
    from triforce_tts.cli.works import Work
    from triforce_tts.crew import Place
    from triforce_tts.narrator.cast import CastFile
    from triforce_tts.narrator.narrate import Crew, Outcome
    from triforce_tts.narrator.order import Order
    from triforce_tts.narrator.progress import Shown
    from triforce_tts.narrator.speaking import Studio

_NOTES = ("skip", "inline", "end")
_SPEAKERS = ("read", "drop")
_MASTERS = ("none", "acx", "podcast")


HELP = """Read a whole book aloud, unattended, and check every line.

Plan, lines and report lie in NAME.narration beside the output. Started again, the command speaks only what is missing
there: after an interruption, after the book was edited, or for lines that --redo names.

Examples:

  triforce-tts narrate book.epub --chapters 3-7 --out book.m4b --redo "17,42=In other words."

  triforce-tts narrate https://example.org/a https://example.org/b --feed talks --feed-url https://example.org/talks/
"""


def narrate(
    books: own.Books,
    out: own.Out = None,
    list_chapters: own.List = False,
    dry_run: own.DryRun = False,
    chapters: own.Chapters = None,
    front: own.Front = True,
    notes: own.Notes = "skip",
    pictures: own.Pictures = False,
    speakers: own.Speakers = "read",
    chapter_pattern: own.Pattern = None,
    phones: own.Phones = True,
    redo: own.Redo = None,
    preset: PresetName = STANDARD,
    tries: own.Tries = None,
    align: own.Align = None,
    recogniser: own.Recogniser = None,
    master: own.Master = "none",
    chapter_format: own.ChapterFormat = None,
    cover: own.CoverFile = None,
    title: own.Title = None,
    author: own.Author = None,
    narrator: own.NarratorName = None,
    series: own.Series = None,
    credits_spoken: own.Credits = False,
    subtitles: own.Subtitles = None,
    overlay: own.Overlay = None,
    feed: own.Feed = None,
    feed_url: own.FeedUrl = None,
    allow_private: own.AllowPrivate = False,
    voice: VoiceClip = None,
    cast_path: own.CastOption = None,
    lexicon: own.Pronounce = None,
    progress: own.ProgressShown = "bar",
    model: Model = None,
    seed: Seed = 0,
    steps: Steps = None,
    device: Device = "auto",
    threads: ProcessThreads = 1,
    processes: Processes = 0,
    ray: RayAddress = None,
    batch: Batch = 0,
    quiet: Quiet = False,
) -> None:
    """Narrate the ``books``; ``HELP`` is what ``--help`` says of it."""
    source = _Source(books, notes, pictures, speakers, chapter_pattern, phones, allow_private)
    wishes = _Wishes(
        out, chapters, front, redo, seed, master, chapter_format, cover, subtitles, title, author, narrator,
        credits_spoken, series, overlay,
    )  # fmt: skip
    care = _care(preset, tries, align)
    options = ModelOptions(model, threads, batch, steps, seed, lexicon, care)
    equipment = Equipment(options, voice, cast_path, recogniser)
    running = _Running(device, processes, ray, progress, quiet, list_chapters, dry_run)
    _check_choices(source, master, progress, care.tries)
    _check_feed(books, feed, feed_url, wishes)
    _run(source, wishes, equipment, running, feed, feed_url)


@dataclass(frozen=True)
class _Source:
    """The books, and the options for reading them."""

    books: list[str]
    notes: str
    pictures: bool
    speakers: str
    pattern: str | None
    phones: bool
    allow_private: bool

    def read(self) -> "list[Work]":
        from triforce_tts.books.chapters import ReadOptions
        from triforce_tts.cli.works import read_works

        notes = cast("Literal['skip', 'inline', 'end']", self.notes)
        speakers = cast("Literal['read', 'drop']", self.speakers)
        options = ReadOptions(notes, self.pictures, speakers, self.pattern, self.phones)
        return read_works(self.books, options, self.allow_private)


@dataclass(frozen=True)
class _Wishes:
    """The user's wishes for the audiobooks."""

    out: Path | None
    chapters: str | None
    front: bool
    redo: list[str] | None
    seed: int
    master: str
    chapter_format: str | None
    cover: Path | None
    subtitles: Path | None
    title: str | None
    author: str | None
    narrator: str | None
    credits_spoken: bool
    series: str | None
    overlay: Path | None

    def of_one_book(self) -> list[str]:
        """Those of the given options that belong to a single book."""
        one = {"--title": self.title, "--author": self.author, "--cover": self.cover, "--redo": self.redo,
               "--chapters": self.chapters, "--subtitles": self.subtitles, "--overlay": self.overlay,
               "--series": self.series}  # fmt: skip
        return [name for name, value in one.items() if value is not None]

    def orders(self, works: "list[Work]", feed: Path | None, cast_file: "CastFile | None") -> "list[Order]":
        """One order for each work; an episode of a feed gets the loudness of podcasts."""
        from triforce_tts.cli.works import planned_episode, work_targets
        from triforce_tts.narrator.order import Order

        master = "podcast" if feed is not None and self.master == "none" else self.master
        return [
            Order(
                work.path, self.out or target, self.chapters, self.front, tuple(self.redo or ()), self.seed, master,
                self.chapter_format, self.cover, self.subtitles, self.title, self.author, self.narrator, cast_file,
                self.credits_spoken, self.series, self.overlay, work.url,
                "" if feed is None else planned_episode(work, self.chapters).part,
            )
            for work, target in zip(works, work_targets(works, feed, self.chapters), strict=True)
        ]  # fmt: skip


@dataclass(frozen=True)
class _Running:
    """The options for where the command runs, how far it goes, and what it shows."""

    device: str
    processes: int
    ray: str | None
    progress: str
    quiet: bool
    lists_chapters: bool
    dry_run: bool

    @property
    def shown(self) -> "Shown":
        return cast("Shown", "none" if self.quiet and self.progress == "bar" else self.progress)


def _run(
    source: _Source,
    wishes: _Wishes,
    equipment: Equipment,
    running: _Running,
    feed: Path | None,
    feed_url: str | None,
) -> None:
    from triforce_tts.crew import launched

    bounds.PROCESSES.check("--processes", running.processes)
    place = launched(running.device, running.processes, running.ray)
    works = source.read()
    if running.lists_chapters:
        for work in works if place.is_main else ():
            print_chapters(work.content, wishes.chapters)
        return
    equipment = equipment.with_cast()
    orders = wishes.orders(works, feed, equipment.cast_file)
    inputs = (equipment.voice, equipment.cast_path, *equipment.options.inputs, wishes.cover)
    _check_orders(orders, works, inputs)
    if running.dry_run and place.is_main:
        studio = equipment.open(place.device or running.device, running.quiet)
        for order, work in zip(orders, works, strict=True):
            print_plan(order, work.content, studio)
    elif not running.dry_run:
        for work, order, outcome in _narrate_all(orders, works, equipment, place, running):
            if feed is not None:
                _publish(feed, feed_url, work, order, outcome, running.quiet)
    place.leave()


def _check_orders(orders: "list[Order]", works: "list[Work]", sources: tuple[Path | None, ...]) -> None:
    """Refuse orders that cannot be planned or written, and places that hold one of the ``sources``."""
    from triforce_tts.narrator.order import check_order

    for order, work in zip(orders, works, strict=True):
        check_order(order, work.content)
        _refuse_inputs(order, sources)


def _narrate_all(
    orders: "list[Order]", works: "list[Work]", equipment: Equipment, place: "Place", running: _Running
) -> "Iterator[tuple[Work, Order, Outcome]]":
    """Each work as soon as it is finished; processes of a launcher that help the first one have no result."""
    from triforce_tts.narrator.narrate import Crew

    crew = Crew(running.processes, partial(equipment.open, quiet=True), place, running.ray)
    if not place.is_main:
        for order in orders:
            _help(crew, running.device, order)
        return
    studio = equipment.open(place.device or running.device, running.quiet)
    for order, work in zip(orders, works, strict=True):
        yield work, order, _narrate(order, work.content, studio, running.shown, running.quiet, crew)


def _check_feed(books: list[str], feed: Path | None, feed_url: str | None, wishes: _Wishes) -> None:
    """Refuse options of a feed that exclude each other."""
    if feed is None:
        if feed_url is not None:
            raise ConfigError(f"--feed-url {feed_url}: expected --feed DIR beside it")
        if len(books) > 1:
            raise ConfigError(
                f"{len(books)} books, expected one; several become the episodes of --feed DIR, or lie in one folder"
            )
        return
    if wishes.out is not None:
        raise ConfigError(f"--out {wishes.out}: an episode gets its name from the book; leave --out away beside --feed")
    if len(books) > 1 and (options := wishes.of_one_book()):
        raise ConfigError(f"{options[0]}: it belongs to one book, found {len(books)}; narrate that book by itself")
    from triforce_tts.narrator.feed import check_feed

    check_feed(feed, feed_url)


def _publish(feed: Path, feed_url: str | None, work: "Work", order: "Order", outcome: "Outcome", quiet: bool) -> None:
    """Put a finished narration into the feed."""
    from triforce_tts.cli.works import planned_episode
    from triforce_tts.narrator.feed import Episode, add_episode, published

    plan, planned = outcome.plan, planned_episode(work, order.chapters)
    title = f"{plan.title or work.path.stem}{order.part}"
    episode = Episode(
        order.out, planned.guid, title, plan.author, outcome.files[0].loudness.seconds,
        published(work.content.about.date if work.url else ""), work.url, planned.source,
        outcome.cover,
    )  # fmt: skip
    for remark in add_episode(feed, episode, feed_url):
        if not quiet:
            typer.echo(remark, err=True)


def _care(preset: str, tries: int | None, align: bool | None) -> Preset:
    """The preset, with the user's own settings in place of its choices."""
    care = chosen_preset(preset)
    return replace(care, tries=care.tries if tries is None else tries, align=care.align if align is None else align)


def _check_choices(source: _Source, master: str, progress: str, tries: int) -> None:
    bounds.one_of("--notes", source.notes, _NOTES)
    bounds.one_of("--speakers", source.speakers, _SPEAKERS)
    bounds.one_of("--master", master, _MASTERS)
    bounds.one_of("--progress", progress, PROGRESS)
    bounds.TRIES.check("--tries", tries)


def _help(crew: "Crew", device: str, order: "Order") -> None:
    """Help the first process of the launcher to speak, as soon as it has made the plan."""
    from triforce_tts.narrator.narrate import help_narration

    assert crew.open_studio is not None
    crew.place.meet()
    help_narration(crew.open_studio, crew.place.device or device, order.folder, order.seed)


def _refuse_inputs(order: "Order", sources: tuple[Path | None, ...]) -> None:
    from triforce_tts.files import refuse_sources

    paths = [source for source in sources if source is not None]
    for target in (order.out, order.folder, order.subtitles, order.overlay):
        if target is not None:
            refuse_sources(target, paths)


def _narrate(
    order: "Order", book: "ChapterBook", studio: "Studio", shown: "Shown", quiet: bool, crew: "Crew"
) -> "Outcome":
    from triforce_tts.narrator.narrate import narrate as work
    from triforce_tts.narrator.progress import show

    if not quiet:
        print_remarks(book)
        say_what_is_slow(studio.synthesizer)
    try:
        with show(shown) as progress:
            outcome = work(order, book, studio, progress, crew)
    except KeyboardInterrupt:
        if order.folder.is_dir():
            typer.echo(f"{order.folder}: the lines that are spoken are kept; the same command goes on", err=True)
        raise
    for remark in outcome.remarks:
        typer.echo(remark, err=True)
    if not quiet:
        print_outcome(order, outcome)
    return outcome
