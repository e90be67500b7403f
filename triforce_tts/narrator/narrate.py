"""A narration from its order to the finished file, step by step.

book -> chapters -> plan -> lines on disk -> timeline -> file -> report
        books.read  plan    speaking         timeline    book_file
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from triforce_tts.books.chapters import About, Chapter, ChapterBook
from triforce_tts.crew import Place, helping
from triforce_tts.errors import TextError
from triforce_tts.files import working_folder
from triforce_tts.narrator.book_file import Content, Written, file_rate, write_book
from triforce_tts.narrator.book_files import write_books
from triforce_tts.narrator.cast import cast_book
from triforce_tts.narrator.chapter_files import ChapterFolder, file_names
from triforce_tts.narrator.cover import Cover
from triforce_tts.narrator.credits import closing_credits, opening_credits
from triforce_tts.narrator.lines import LineRecord, Lines
from triforce_tts.narrator.order import Order, chosen_cover, require_targets
from triforce_tts.narrator.overlay import Book, Page, write_overlay
from triforce_tts.narrator.plan import PLAN, Plan, PlannedChapter, PlannedLine, Planner, make_plan
from triforce_tts.narrator.progress import Progress, ignore
from triforce_tts.narrator.redo import Redo
from triforce_tts.narrator.report import flagged, write_report
from triforce_tts.narrator.selection import choose_chapters
from triforce_tts.narrator.speaking import Studio, missing_lines, require_same_speaker, speak_missing, speak_shared
from triforce_tts.narrator.subtitles import write_subtitles
from triforce_tts.narrator.timeline import Timeline, lay_out
from triforce_tts.schema import read_record
from triforce_tts.wording import printable

_SERIES = re.compile(r"(.*\S)\s*#\s*([0-9]{1,4}(?:\.[0-9]{1,2})?)")


@dataclass(frozen=True)
class Crew:
    """The processes that speak the lines of a narration together."""

    # The number of processes that this program runs in all; 0: as many as are useful.
    processes: int = 1
    # Opens the same studio in another process, on the device with the given name.
    open_studio: Callable[[str], Studio] | None = None
    place: Place = field(default_factory=Place)  # the place of this process, if a launcher has started several
    ray: str | None = None  # the address of the Ray cluster whose machines run the other processes


@dataclass(frozen=True)
class Outcome:
    """The result of a narration."""

    plan: Plan
    records: Mapping[str, LineRecord]
    files: tuple[Written, ...]
    remarks: tuple[str, ...]
    cover: Cover | None = None

    @property
    def flagged(self) -> list[PlannedLine]:
        """The lines that a user should listen to."""
        return flagged(self.plan, self.records)


def plan_book(
    order: Order, book: ChapterBook, studio: Studio, redo: Redo, progress: Progress = ignore
) -> tuple[Plan, list[str]]:
    """The plan, and the book's own text of each line; ``progress`` is told of each chapter.

    Raises:
        TextError: no such chapter, nothing to speak, or the proof of the words fails.
    """
    about = replace(book.about, title=order.title or book.about.title, author=order.author or book.about.author)
    model = studio.synthesizer.model
    planner = Planner(studio.speaker(order.seed), redo.replacement, cast_book(order.cast, book))
    chosen = choose_chapters(order.chapters, len(book.chapters))
    plan = make_plan(
        replace(book, about=about),
        chosen,
        planner,
        f"{model.name} ({model.id})",
        studio.voice.name,
        model.characters_per_second,
        order.front,
        _credits(order, about),
        lambda number: progress("plan", number, len(book.chapters), None),
    )
    return plan, planner.originals


def plan_order(order: Order, book: ChapterBook, studio: Studio, progress: Progress = ignore) -> tuple[Plan, Redo]:
    """The plan with all lines that are spoken again: those of earlier orders, which the folder keeps, and of this one.

    Raises:
        TextError: as ``plan_book``, or ``order.redo`` names no line.
        TriforceError: the file of the lines that are spoken again is damaged.
    """
    redo = Redo.read(order.folder)
    plan, originals = plan_book(order, book, studio, redo, progress)
    has_moved = redo.follow(originals)
    if order.redo:
        redo.add(plan, order.redo, originals, studio.speaker(order.seed))
    if order.redo or has_moved:
        plan, _ = plan_book(order, book, studio, redo)
    return plan, redo


def _credits(order: Order, about: About) -> tuple[Chapter, Chapter] | None:
    if not order.credits:
        return None
    named = (about.title or order.book.stem, about.author, order.narrator)
    return opening_credits(*named), closing_credits(*named)


def narrate(order: Order, book: ChapterBook, studio: Studio, progress: Progress, crew: Crew = Crew()) -> Outcome:
    """Speak the missing lines and write the finished file or files.

    Args:
        order: the user's order.
        book: the book that ``read_chapters`` has read.
        studio: the model that speaks.
        progress: a function that is told what is done.
        crew: the processes that speak; this one plans, and writes the file.

    Raises:
        TriforceError: another process narrates here, the disk is full, or a place cannot be written.
        TextError: no such chapter or line, nothing to speak, or the proof of the words fails.
    """
    require_targets(order)
    with working_folder(order.folder, "narration", order.sources) as folder:
        plan, redo = plan_order(order, book, studio, progress)
        if redo.is_changed:
            redo.write(folder)
        cover, remark = chosen_cover(order, book)
        plan.write(folder)
        lines = Lines(folder, studio.synthesizer.tags(order.seed))
        records, losses = _speak_together(order, studio, plan, lines, progress, crew)
        if not any(record.samples for record in records.values()):
            raise TextError(f"{order.out}: not written, no line has a sound; try another --seed")
        files, old = _write(order, book, plan, records, lines, cover, progress, crew.processes)
        if order.overlay is not None:
            _write_overlay(order, order.overlay, plan, records, lines, cover, progress, crew.processes)
        write_report(folder, plan, records, files)
    return Outcome(plan, records, tuple(files), (*losses, *((remark,) if remark else ()), *old), cover)


def _speak_together(
    order: Order, studio: Studio, plan: Plan, lines: Lines, progress: Progress, crew: Crew
) -> tuple[dict[str, LineRecord], list[str]]:
    """The record of every line, and a remark on each process that ended before its time."""
    crew.place.meet()
    is_alone = crew.open_studio is not None and crew.place.count == 1
    missing, device = _missing(studio, plan, lines), str(studio.synthesizer.model.device)
    with helping(
        crew.processes if is_alone else 1, crew.ray, len(missing), device,
        partial(_speak_beside, studio, plan, missing, lines), help_narration,
        lambda device: (crew.open_studio, device, lines.folder, order.seed),
    ) as helpers:  # fmt: skip
        records = speak_missing(studio, plan.lines, lines, progress)
    return records, helpers.losses


def _missing(studio: Studio, plan: Plan, lines: Lines) -> list[PlannedLine]:
    """The lines of a plan that are still to be spoken or checked."""
    return missing_lines(
        studio, plan.lines, {line.key: record for line in plan.lines if (record := lines.record(line.key))}
    )


def help_narration(open_studio: Callable[[str], Studio], device: str, folder: Path, seed: int) -> None:
    """Speak lines of the plan in ``folder`` until all are spoken, beside the process that made the plan.

    Raises:
        TriforceError: this process would not speak as the plan says, or the disk is full.
    """
    studio = open_studio(device)
    plan = read_record(folder / PLAN, Plan)
    require_same_speaker(studio.speaker(seed), plan.lines)
    lines = Lines(folder, studio.synthesizer.tags(seed))
    _speak_beside(studio, plan, _missing(studio, plan, lines), lines)


def _speak_beside(studio: Studio, plan: Plan, missing: Sequence[PlannedLine], lines: Lines) -> None:
    """Speak the ``missing`` lines of the plan until all are spoken."""
    for _ in speak_shared(studio, plan.lines, missing, lines):
        pass


class _Steps:
    """Reports the progress of a step after each hundredth of it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._last: dict[tuple[str, int], int] = {}  # the hundredths that were reported of each event

    def __call__(self, event: str, done: float, total: float, time: int = 1) -> None:
        """Report that ``done`` of ``total`` seconds are done, the ``time``-th time if the level had to be corrected."""
        now = min(100, int(100 * done / total)) if total else 100
        if now != self._last.get((event, time)):
            self._progress(event, min(done, total), total, None, **({"time": time} if time > 1 else {}))
        self._last[event, time] = now


def _write(
    order: Order,
    book: ChapterBook,
    plan: Plan,
    records: Mapping[str, LineRecord],
    lines: Lines,
    cover: Cover | None,
    progress: Progress,
    at_once: int,
) -> tuple[list[Written], list[str]]:
    """Write the file or the files; the result has also remarks on the files of earlier runs."""
    step = _Steps(progress)
    tags = _tags(order, book.about, plan, lines)
    if not order.is_folder:
        timeline = _timeline(order, plan.parts, records)
        written = write_book(order.out, Content(timeline, lines, tags, cover), order.profile, step)
        if order.subtitles is not None:
            write_subtitles(order.subtitles, timeline)
        return [written], []
    files: list[tuple[Path, Content]] = []
    spoken = [part for part in plan.parts if part.lines]
    names = file_names(plan, order.suffix)
    with working_folder(order.out, "audiobook", order.sources) as folder:
        for chapter in spoken:
            timeline = _timeline(order, [chapter], records)
            track = chapter.number + (plan.opening is not None)  # tracks are numbered from 1
            named = {**tags, "title": chapter.title, "track": f"{track}/{len(names)}"}
            files.append((folder / names[chapter.number], Content(timeline, lines, named, cover)))
        kept, finished = ChapterFolder(folder, order.source), list[Written]()
        for one, chapter in zip(write_books(files, order.profile, step, at_once), spoken, strict=True):
            kept.note(one.path, chapter)
            finished.append(one)
        return finished, kept.clear(plan, order.suffix)


def _write_overlay(
    order: Order,
    path: Path,
    plan: Plan,
    records: Mapping[str, LineRecord],
    lines: Lines,
    cover: Cover | None,
    progress: Progress,
    at_once: int,
) -> None:
    parts = [part for part in plan.parts if part.lines]
    pages = [Page(part, _timeline(order, [part], records, ".m4a")) for part in parts]
    # An article counts as changed now, because it was just fetched.
    changed_s = time.time() if order.url else order.book.stat().st_mtime
    modified = datetime.fromtimestamp(changed_s, timezone.utc)
    book = Book(
        plan.title or order.book.stem, plan.author, _narrator(order, plan), plan.language,
        f"{modified:%Y-%m-%dT%H:%M:%SZ}", cover,
    )  # fmt: skip
    write_overlay(path, book, pages, lines, order.profile, _Steps(progress), at_once)


def _timeline(
    order: Order, chapters: Sequence[PlannedChapter], records: Mapping[str, LineRecord], suffix: str = ""
) -> Timeline:
    profile = order.profile
    speech_rate = next(iter(records.values())).sample_rate
    rate = file_rate(suffix or order.suffix, speech_rate, profile)
    spoken = [chapter for chapter in chapters if chapter.lines]
    return lay_out(spoken, records, rate, profile.head_s, profile.tail_s)


def parse_series(text: str) -> tuple[str, str]:
    """The name of a series and the number of a book in it, in a text such as "Sherlock Holmes #3"."""
    match = _SERIES.fullmatch(text.strip())
    return (match[1], match[2]) if match else (text.strip(), "")


def _narrator(order: Order, plan: Plan) -> str:
    return order.narrator or (f"synthetic voice '{plan.voice}'" if plan.voice else "synthetic voice")


def _tags(order: Order, about: About, plan: Plan, lines: Lines) -> dict[str, str]:
    """The tags under FFmpeg's names; FFmpeg leaves out those that a format cannot hold."""
    title = plan.title or order.book.stem
    tags = {
        "title": f"{title}{order.part}", "album": title, "artist": plan.author, "album_artist": plan.author,
        "composer": _narrator(order, plan), "genre": "Audiobook", "media_type": "2",
        "comment": lines.tags["comment"], "description": f"{title}, read by a synthetic voice", "date": about.date,
    }  # fmt: skip
    series, number = parse_series(order.series) if order.series is not None else (about.series, about.number)
    if series:
        tags |= {"show": printable(series), "grouping": printable(f"{series} #{number}" if number else series)}
    return {name: value for name, value in tags.items() if value}
