"""The command ``narrate``: a book in, an audiobook out."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from triforce_tts import bounds
from triforce_tts.cli.speak import (
    PROGRESS,
    Batch,
    Device,
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
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.wording import counted, length, printable

if TYPE_CHECKING:
    from triforce_tts.books.chapters import ChapterBook
    from triforce_tts.cli.works import Work
    from triforce_tts.crew import Place
    from triforce_tts.narrator.cast import CastFile
    from triforce_tts.narrator.checks import Checker
    from triforce_tts.narrator.narrate import Crew, Order, Outcome
    from triforce_tts.narrator.plan import Plan
    from triforce_tts.narrator.progress import Shown
    from triforce_tts.narrator.speaking import Studio

_NOTES = ("skip", "inline", "end")
_SPEAKERS = ("read", "drop")
_MASTERS = ("none", "acx", "podcast")
_NAMED = 20  # lines that the last message names


Books = Annotated[
    list[str],
    typer.Argument(
        metavar="BOOK",
        help="An .epub, .txt, .md or .html file, a folder of them, or an article's URL; several with --feed.",
    ),
]
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
CastOption = Annotated[
    Path | None,
    typer.Option(
        "--cast",
        help="Voices of speakers: YAML lines such as 'JACK: kathleen', 'chapter 3: me.wav', 'narrator: af_heart' (or a .tsv).",
    ),
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
Credits = Annotated[
    bool, typer.Option("--credits", help="Speak title, author and narrator at the beginning and at the end.")
]
Series = Annotated[
    str | None, typer.Option(help="Series in the tags, such as 'Sherlock Holmes #3'; default: the book's own.")
]
Pronounce = Annotated[
    list[Path] | None,
    typer.Option(
        "--pronounce",
        "--lexicon",
        help="Pronunciations of your own, lines such as 'phonemes  F OW1 N IY2 M Z', or a .pls; may be repeated.",
    ),
]
Subtitles = Annotated[Path | None, typer.Option(help="Also write subtitles, a line a cue: .srt or .vtt.")]
Overlay = Annotated[
    Path | None, typer.Option(help="Also write an .epub to read along with: its text is highlighted as it is spoken.")
]
Feed = Annotated[
    Path | None,
    typer.Option(
        help="Folder of a podcast: each book becomes an episode there, and feed.xml lists them beside earlier ones."
    ),
]
FeedUrl = Annotated[
    str | None,
    typer.Option(help="Address of that folder on the web; default: the feed's own, or the folder as file: URL."),
]
AllowPrivate = Annotated[
    bool, typer.Option("--allow-private", help="Fetch articles from servers with private addresses, too.")
]
ProgressShown = Annotated[str, typer.Option(help="bar, json (lines on standard output), or none.")]


def narrate(
    books: Books,
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
    series: Series = None,
    credits_spoken: Credits = False,
    subtitles: Subtitles = None,
    overlay: Overlay = None,
    feed: Feed = None,
    feed_url: FeedUrl = None,
    allow_private: AllowPrivate = False,
    voice: VoiceClip = None,
    cast_path: CastOption = None,
    lexicon: Pronounce = None,
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

      triforce-tts narrate https://example.org/a https://example.org/b --feed talks --feed-url https://example.org/talks/
    """
    from triforce_tts.crew import launched

    _check_choices(notes, speakers, master, progress, tries)
    one_book = {"--out": out, "--title": title, "--author": author, "--cover": cover, "--redo": redo, "--chapters": chapters,
                "--subtitles": subtitles, "--overlay": overlay, "--series": series}  # fmt: skip
    _check_feed(books, feed, feed_url, out, [name for name, value in one_book.items() if value is not None])
    bounds.PROCESSES.check("--processes", processes)
    place = launched(device, processes)
    works = _read(books, notes, pictures, speakers, chapter_pattern, allow_private)
    if list_chapters:
        for work in works:
            _print_chapters(work.content, place)
        return
    from triforce_tts.narrator.narrate import Crew, Order, check_order

    cast_file = _read_cast(cast_path, voice)
    master = "podcast" if feed is not None and master == "none" else master
    from triforce_tts.cli.works import work_targets

    orders = [
        Order(
            work.path, out or target, chapters, front, tuple(redo or ()), seed, master, chapter_format, cover,
            subtitles, title, author, narrator, cast_file, credits_spoken, series, overlay, work.url,
        )
        for work, target in zip(works, work_targets(works, feed), strict=True)
    ]  # fmt: skip
    for order, work in zip(orders, works, strict=True):
        check_order(order, work.content)
        _refuse_inputs(order, (voice, cast_path, *(lexicon or []), model, cover))
    equip = partial(
        _equip, align=align, recogniser=recogniser, model=model, threads=threads, batch=batch, steps=steps, seed=seed,
        lexicon=lexicon, voice=voice, cast_file=cast_file, tries=tries, quiet=quiet,
    )  # fmt: skip
    crew = Crew(processes, partial(equip, quiet=True), place)
    if not place.is_main:
        for order in orders if not dry_run else ():
            _help(crew, device, order)
        place.leave()
        return
    studio = equip(place.device or device)
    shown = cast("Shown", "none" if quiet and progress == "bar" else progress)
    for order, work in zip(orders, works, strict=True):
        if dry_run:
            _print_plan(order, work.content, studio)
            continue
        outcome = _narrate(order, work.content, studio, shown, quiet, crew)
        if feed is not None:
            _publish(feed, feed_url, work, order, outcome)
    if not dry_run:
        place.leave()


def _read(
    books: list[str], notes: str, pictures: bool, speakers: str, pattern: str | None, allow_private: bool
) -> "list[Work]":
    from triforce_tts.books.chapters import ReadOptions
    from triforce_tts.cli.works import read_works

    noted, named = cast("Literal['skip', 'inline', 'end']", notes), cast("Literal['read', 'drop']", speakers)
    return read_works(books, ReadOptions(noted, pictures, named, pattern), allow_private)


def _check_feed(books: list[str], feed: Path | None, feed_url: str | None, out: Path | None, given: list[str]) -> None:
    """Refuse options that do not go together; ``given`` are those that belong to one book."""
    if feed is None:
        if feed_url is not None:
            raise ConfigError(f"--feed-url {feed_url}: expected --feed DIR beside it")
        if len(books) > 1:
            raise ConfigError(
                f"{len(books)} books, expected one; several become the episodes of --feed DIR, or lie in one folder"
            )
        return
    if out is not None:
        raise ConfigError(f"--out {out}: an episode gets its name from the book; leave --out away beside --feed")
    if len(books) > 1 and given:
        raise ConfigError(f"{given[0]}: it belongs to one book, found {len(books)}; narrate that book by itself")
    from triforce_tts.narrator.feed import check_feed

    check_feed(feed, feed_url)


def _publish(feed: Path, feed_url: str | None, work: "Work", order: "Order", outcome: "Outcome") -> None:
    """Put a finished narration into the feed."""
    from triforce_tts.narrator.feed import Episode, add_episode, episode_guid, published

    plan = outcome.plan
    episode = Episode(
        order.out, episode_guid(work.content), plan.title or work.path.stem, plan.author, outcome.files[0].loudness.seconds,
        published(work.content.about.date if work.url else ""), work.url, work.source,
    )  # fmt: skip
    add_episode(feed, episode, feed_url)


def _check_choices(notes: str, speakers: str, master: str, progress: str, tries: int) -> None:
    bounds.one_of("--notes", notes, _NOTES)
    bounds.one_of("--speakers", speakers, _SPEAKERS)
    bounds.one_of("--master", master, _MASTERS)
    bounds.one_of("--progress", progress, PROGRESS)
    bounds.TRIES.check("--tries", tries)


def _equip(
    device: str, *, align: bool, recogniser: str | None, model: Path | None, threads: int, batch: int, steps: int | None,
    seed: int, lexicon: list[Path] | None, voice: Path | None, cast_file: "CastFile | None", tries: int, quiet: bool,
) -> "Studio":  # fmt: skip
    """The checks, and the model with its voices; what the user should know of a voice is said."""
    checker = _open_checker(align, recogniser)
    synthesizer = _prepare_for_lines(model, device, threads, batch, steps, seed, lexicon)
    from triforce_tts.manifest import DEFAULT_VOICE
    from triforce_tts.narrator.checks import with_voice
    from triforce_tts.narrator.speaking import Part, Studio

    def part(path: Path | None) -> Part:
        chosen = _choose_voice(synthesizer, path, quiet)
        clip = synthesizer.folder / DEFAULT_VOICE if path is None else path
        return Part(chosen, with_voice(checker, clip, synthesizer.audio))

    if cast_file is not None and cast_file.narrator is not None:
        voice = cast_file.clip(cast_file.narrator)
    usual = part(voice)
    others = {name: part(cast_file.clip(name)) for name in cast_file.voices} if cast_file is not None else {}
    return Studio(synthesizer, usual.voice, usual.checker, tries, others)


def _open_checker(align: bool, recogniser: str | None) -> "Checker":
    from triforce_tts.narrator.checks import open_checker

    if recogniser is None:
        return open_checker(align, None)
    from triforce_tts.judges.recognisers import choose, open_recogniser

    choice = choose(recogniser)
    if choice.recogniser is None:
        raise TriforceError(f"--recogniser {recogniser}: {choice.remark}")
    return open_checker(align, open_recogniser(choice.recogniser))


def _read_cast(path: Path | None, voice: Path | None) -> "CastFile | None":
    if path is None:
        return None
    from triforce_tts.narrator.cast import read_cast

    cast_file = read_cast(path)
    if cast_file.narrator is not None and voice is not None:
        raise ConfigError(
            f"--voice {voice}: {path} names the narrator's voice too ('{cast_file.narrator}'); give it in one place"
        )
    return cast_file


def _help(crew: "Crew", device: str, order: "Order") -> None:
    """Speak beside the first process of the launcher, once it has planned."""
    from triforce_tts.narrator.narrate import help_narration

    assert crew.open_studio is not None
    crew.place.meet()
    help_narration(crew.open_studio, crew.place.device or device, order.folder, order.seed)


def _refuse_inputs(order: "Order", sources: tuple[Path | None, ...]) -> None:
    from triforce_tts.files import refuse_sources

    given = [source for source in sources if source is not None]
    for target in (order.out, order.folder, order.subtitles, order.overlay):
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
    for chapter in plan.parts:
        typer.echo(
            f"{chapter.number:4d}  {chapter.words:7d} words  {counted(len(chapter.lines), 'line'):>10}  {chapter.title}"
        )
    for remark in plan.remarks:
        typer.echo(remark)
    _print_sums(plan)
    if order.cast is not None:
        _print_cast(plan)


def _print_cast(plan: "Plan") -> None:
    """How many lines each voice gets, and of whom."""
    voices: dict[str, Counter[str]] = {"": Counter()}
    for line in plan.lines:
        voices.setdefault(line.voice, Counter())[line.speaker or "the narrator"] += 1
    for voice, speakers in voices.items():
        whose = ", ".join(f"{name} {count}" for name, count in speakers.most_common())
        name = printable(voice or plan.voice)
        typer.echo(f"{counted(sum(speakers.values()), 'line')} by the voice '{name}': {whose or 'none'}")


def _print_sums(plan: "Plan") -> None:
    typer.echo(
        f"{plan.spoken_words} words are spoken, each once and in order, in {counted(sum(len(c.lines) for c in plan.chosen), 'line')}"
    )
    if plan.credit_words:
        typer.echo(f"{counted(plan.credit_words, 'word')} of credits")
    for reason, words in sorted(plan.skipped_words.items()):
        typer.echo(f"{counted(words, 'word')} skipped: {reason}")
    typer.echo(f"about {length(plan.predicted_s)} of speech")


def _narrate(
    order: "Order", book: "ChapterBook", studio: "Studio", shown: "Shown", quiet: bool, crew: "Crew"
) -> "Outcome":
    from triforce_tts.narrator.narrate import narrate as work
    from triforce_tts.narrator.progress import show

    with show(shown) as progress:
        outcome = work(order, book, studio, progress, crew)
    for remark in outcome.remarks:
        typer.echo(remark, err=True)
    if not quiet:
        _print_outcome(order, outcome)
    return outcome


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
