"""The command ``narrate``: a book in, an audiobook out."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from triforce_tts import bounds
from triforce_tts.cli.speak import (
    PROGRESS,
    Batch,
    Device,
    LexiconFiles,
    Model,
    Processes,
    ProcessThreads,
    Quiet,
    Seed,
    Steps,
    VoiceClip,
    _choose_voice,
    _prepare_for_lines,
)
from triforce_tts.errors import TriforceError
from triforce_tts.wording import counted, length, printable

if TYPE_CHECKING:
    from triforce_tts.books.chapters import ChapterBook
    from triforce_tts.crew import Place
    from triforce_tts.narrator.checks import Checker
    from triforce_tts.narrator.narrate import Crew, Order, Outcome
    from triforce_tts.narrator.plan import Plan
    from triforce_tts.narrator.progress import Shown
    from triforce_tts.narrator.speaking import Studio

_NOTES = ("skip", "inline", "end")
_SPEAKERS = ("read", "drop")
_MASTERS = ("none", "acx", "podcast")
_NAMED = 20  # lines that the last message names


Book = Annotated[Path, typer.Argument(metavar="BOOK", help="An .epub, .txt, .md or .html file, or a folder of them.")]
Out = Annotated[
    Path | None,
    typer.Option(
        help="File to write: .m4b, .m4a, .mp3, .opus, .flac or .wav; or a folder for one file a chapter. "
        "Default: the book's name with .m4b."
    ),
]
List = Annotated[bool, typer.Option("--list", help="List the chapters and leave.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Plan, prove that no word is lost, print what would be spoken, and leave.")
]
Chapters = Annotated[str | None, typer.Option(help="Chapters to narrate, such as '3-7,9'; default: all.")]
Front = Annotated[bool, typer.Option("--front/--no-front", help="Narrate a dedication or a preface, or do not.")]
Notes = Annotated[str, typer.Option(help="Notes: skip, inline, or end (of the chapter).")]
Pictures = Annotated[bool, typer.Option("--pictures", help="Read the descriptions of pictures.")]
Speakers = Annotated[str, typer.Option(help="The names of a play's speakers: read or drop.")]
Pattern = Annotated[
    str | None, typer.Option(help="Regular expression of the lines that begin a chapter of a text file.")
]
Redo = Annotated[
    list[str] | None,
    typer.Option(help="Lines to speak anew, such as '17,42', or '42=What it should say.'; may be given again."),
]
Tries = Annotated[int, typer.Option(help="Tries of a line that a check finds wrong, 1 to 100.")]
Align = Annotated[
    bool,
    typer.Option(
        "--align/--no-align",
        help="Find each word in the sound, and words left out, said twice or swapped (pocketsphinx).",
    ),
]
Recogniser = Annotated[
    str | None, typer.Option(help="Check what is heard: auto, tiny.en, pocketsphinx, or a folder of Whisper's weights.")
]
Master = Annotated[str, typer.Option(help="Level of the finished file: none, acx, or podcast.")]
ChapterFormat = Annotated[str, typer.Option("--format", help="Format of the files in a folder.")]
CoverFile = Annotated[Path | None, typer.Option(help="JPEG or PNG picture; default: the book's own.")]
Title = Annotated[str | None, typer.Option(help="Title in place of the book's own.")]
Author = Annotated[str | None, typer.Option(help="Author in place of the book's own.")]
NarratorName = Annotated[str | None, typer.Option(help="Name of the narrator in the tags.")]
Subtitles = Annotated[Path | None, typer.Option(help="Also write subtitles, a line a cue: .srt or .vtt.")]
ProgressShown = Annotated[str, typer.Option(help="bar, json (lines on standard output), or none.")]


def narrate(
    book: Book,
    out: Out = None,
    list_chapters: List = False,
    dry_run: DryRun = False,
    chapters: Chapters = None,
    front: Front = True,
    notes: Notes = "skip",
    pictures: Pictures = False,
    speakers: Speakers = "read",
    chapter_pattern: Pattern = None,
    redo: Redo = None,
    tries: Tries = 3,
    align: Align = True,
    recogniser: Recogniser = None,
    master: Master = "none",
    chapter_format: ChapterFormat = ".mp3",
    cover: CoverFile = None,
    title: Title = None,
    author: Author = None,
    narrator: NarratorName = None,
    subtitles: Subtitles = None,
    voice: VoiceClip = None,
    lexicon: LexiconFiles = None,
    progress: ProgressShown = "bar",
    model: Model = None,
    seed: Seed = 0,
    steps: Steps = None,
    device: Device = "auto",
    threads: ProcessThreads = 1,
    processes: Processes = 0,
    batch: Batch = 0,
    quiet: Quiet = False,
) -> None:
    """Read a whole book aloud, unattended, and check every line.

    Plan, lines and report lie in NAME.narration beside the output. Started again, the command speaks only what is missing
    there: after an interruption, after the book was edited, or for lines that --redo names.

    Examples:

      triforce-tts narrate book.epub --chapters 3-7 --out book.m4b --redo "17,42=In other words."
    """
    from triforce_tts.crew import launched

    _check_choices(notes, speakers, master, progress, tries)
    bounds.PROCESSES.check("--processes", processes)
    place = launched(device, processes)
    content = _read(book, notes, pictures, speakers, chapter_pattern)
    if list_chapters:
        _print_chapters(content, place)
        return
    from triforce_tts.narrator.narrate import Crew, Order, check_order

    order = Order(
        book, out or Path(f"{book.resolve().stem}.m4b"), chapters, front, tuple(redo or ()), seed, master, chapter_format,
        cover, subtitles, title, author, narrator,
    )  # fmt: skip
    check_order(order, content)
    _refuse_inputs(order, (voice, *(lexicon or []), model, cover))
    equip = partial(
        _equip, align=align, recogniser=recogniser, model=model, threads=threads, batch=batch, steps=steps, seed=seed,
        lexicon=lexicon, voice=voice, tries=tries, quiet=quiet,
    )  # fmt: skip
    crew = Crew(processes, partial(equip, quiet=True), place)
    if not place.is_main:
        if not dry_run:
            _help(crew, device, order)
        return
    studio = equip(place.device or device)
    if dry_run:
        _print_plan(order, content, studio)
        return
    shown = cast("Shown", "none" if quiet and progress == "bar" else progress)
    _narrate(order, content, studio, shown, quiet, crew)
    place.leave()


def _read(book: Path, notes: str, pictures: bool, speakers: str, pattern: str | None) -> "ChapterBook":
    from triforce_tts.books.chapters import ReadOptions
    from triforce_tts.books.read import read_chapters

    noted, named = cast("Literal['skip', 'inline', 'end']", notes), cast("Literal['read', 'drop']", speakers)
    return read_chapters(book, ReadOptions(noted, pictures, named, pattern))


def _check_choices(notes: str, speakers: str, master: str, progress: str, tries: int) -> None:
    bounds.one_of("--notes", notes, _NOTES)
    bounds.one_of("--speakers", speakers, _SPEAKERS)
    bounds.one_of("--master", master, _MASTERS)
    bounds.one_of("--progress", progress, PROGRESS)
    bounds.TRIES.check("--tries", tries)


def _equip(
    device: str, *, align: bool, recogniser: str | None, model: Path | None, threads: int, batch: int, steps: int | None,
    seed: int, lexicon: list[Path] | None, voice: Path | None, tries: int, quiet: bool,
) -> "Studio":  # fmt: skip
    """The checks, and the model with its voice; what the user should know of the voice is said."""
    checker = _open_checker(align, recogniser)
    synthesizer = _prepare_for_lines(model, device, threads, batch, steps, seed, lexicon)
    from triforce_tts.manifest import DEFAULT_VOICE
    from triforce_tts.narrator.checks import with_voice
    from triforce_tts.narrator.speaking import Studio

    chosen = _choose_voice(synthesizer, voice, quiet)
    clip = synthesizer.folder / DEFAULT_VOICE if voice is None else voice
    return Studio(synthesizer, chosen, with_voice(checker, clip, synthesizer.audio), tries)


def _open_checker(align: bool, recogniser: str | None) -> "Checker":
    from triforce_tts.narrator.checks import open_checker

    if recogniser is None:
        return open_checker(align, None)
    from triforce_tts.judges.recognisers import choose, open_recogniser

    choice = choose(recogniser)
    if choice.recogniser is None:
        raise TriforceError(f"--recogniser {recogniser}: {choice.remark}")
    return open_checker(align, open_recogniser(choice.recogniser))


def _help(crew: "Crew", device: str, order: "Order") -> None:
    """Speak beside the first process of the launcher, once it has planned."""
    from triforce_tts.narrator.narrate import help_narration

    assert crew.open_studio is not None
    crew.place.meet()
    help_narration(crew.open_studio, crew.place.device or device, order.folder, order.seed)
    crew.place.leave()


def _refuse_inputs(order: "Order", sources: tuple[Path | None, ...]) -> None:
    from triforce_tts.files import refuse_sources

    given = [source for source in sources if source is not None]
    for target in (order.out, order.folder, order.subtitles):
        if target is not None:
            refuse_sources(target, given)


def _print_chapters(book: "ChapterBook", place: "Place") -> None:
    if not place.is_main:
        return
    for number, chapter in enumerate(book.chapters, 1):
        front = "  (front matter)" if chapter.front else ""
        typer.echo(f"{number:4d}  {chapter.words:7d} words  {printable(chapter.title)}{front}")


def _print_plan(order: "Order", book: "ChapterBook", studio: "Studio") -> None:
    from triforce_tts.narrator.narrate import plan_book
    from triforce_tts.narrator.redo import Redo

    plan, _ = plan_book(order, book, studio, Redo.read(order.folder))
    for chapter in plan.chosen:
        typer.echo(
            f"{chapter.number:4d}  {chapter.words:7d} words  {counted(len(chapter.lines), 'line'):>10}  {chapter.title}"
        )
    for remark in plan.remarks:
        typer.echo(remark)
    _print_sums(plan)


def _print_sums(plan: "Plan") -> None:
    typer.echo(f"{plan.spoken_words} words are spoken, each once and in order, in {counted(len(plan.lines), 'line')}")
    for reason, words in sorted(plan.skipped_words.items()):
        typer.echo(f"{counted(words, 'word')} skipped: {reason}")
    typer.echo(f"about {length(plan.predicted_s)} of speech")


def _narrate(order: "Order", book: "ChapterBook", studio: "Studio", shown: "Shown", quiet: bool, crew: "Crew") -> None:
    from triforce_tts.narrator.narrate import narrate as work
    from triforce_tts.narrator.progress import show

    with show(shown) as progress:
        outcome = work(order, book, studio, progress, crew)
    for remark in outcome.remarks:
        typer.echo(remark, err=True)
    if not quiet:
        _print_outcome(order, outcome)


def _print_outcome(order: "Order", outcome: "Outcome") -> None:
    for written in outcome.files:
        sound = written.loudness
        typer.echo(
            f"{written.path}: {counted(written.chapters or 1, 'chapter')}, {length(sound.seconds)}, {sound.lufs:.1f} LUFS",
            err=True,
        )
        for result in written.results:
            if not result.passed:
                typer.echo(f"{written.path}: {result.name} {result.value}, expected {result.wanted}", err=True)
    numbers = [str(line.number) for line in outcome.flagged]
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    named = f" ({', '.join(numbers[:_NAMED])}{more})" if numbers else ""
    typer.echo(
        f"{counted(len(numbers), 'line')} of {len(outcome.plan.lines)} to listen to{named}; see {order.folder / 'report.html'}",
        err=True,
    )
