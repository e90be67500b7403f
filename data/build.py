"""The command ``triforce-tts build``.

It makes shards of labelled recordings, of a synthesiser, or of raw recordings.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from .common.clips import MAX_CHARACTERS
from .kinds import KindGroup, announcement
from .options import (
    OUT,
    WORKERS,
    Align,
    Codec,
    DryRun,
    Force,
    HeldOutList,
    Out,
    Recogniser,
    SampleRate,
    WordsWrong,
    Workers,
    check_out,
    folder_or_file,
    folders_of,
    heldout_lists,
)

HELP = """Build training shards: from labelled recordings, from a synthesiser, or from raw recordings.

Every sample is checked, brought to one level, and stored with its text, speaker, source and licence. OUT/report lists
what was dropped, and why. A build that was killed continues when it is run again, and ends with the same shards.

Without the name of a kind, 'build SRC...' chooses the kind and says which one: with --config it is 'raw'; with
--synthetic TEXTS or --engine it is 'synthetic'; for a URL, a feed, a list of URLs or a sound file it is 'raw';
otherwise it is 'labelled'. 'build KIND --help' lists the options of a kind. docs/data.md describes the steps.

Examples:

  triforce-tts build labelled recordings/ --out shards/real --sample-rate 16000 --align

  triforce-tts build raw feed.xml episodes/ --config podcast --out shards/podcast

  triforce-tts build synthetic texts.txt --engine flite --voices rms,slt,awb --out shards/flite
"""

command = typer.Typer(cls=KindGroup, help=HELP, rich_markup_mode=None, pretty_exceptions_enable=False)

Engine = Annotated[
    str | None,
    typer.Option(
        help="Synthesiser: flite (a program to install, default), kokoro (a network that also gives the time of "
        "each phone; needs --assets) or babble (a toy, built in)."
    ),
]
Fragments = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="Of kokoro: share of the texts whose first one to three words are spoken once more, as a line of their own. "
        "A GPT learns from such lines how short ones end. Default: 0.",
    ),
]
Voices = Annotated[
    str | None,
    typer.Option(
        help="Voices of the engine, separated by commas; they take turns. Default: rms for flite, all voices for "
        "babble, af_heart for kokoro. kokoro also takes shares of the texts and blends of two voices: "
        "'af_heart=0.45,af_bella,af_sky+af_nova:0.6'."
    ),
]


@command.command()
def labelled(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SRC...",
            help="Folders: with manifest.jsonl, pairs of x.wav and x.txt or x.lab, or corpora in a usual form (docs/data.md).",
        ),
    ] = None,
    out: Out = OUT,
    columns: Annotated[
        str | None,
        typer.Option(help="The columns of metadata.csv, such as id,speaker,text. Default: the rows show them."),
    ] = None,
    heldout: HeldOutList = None,
    sample_rate: SampleRate = None,
    codec: Codec = None,
    align: Align = None,
    workers: Workers = None,
    recogniser: Recogniser = None,
    words_wrong: WordsWrong = None,
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Build from short recordings of one speaker each, with their texts.

    A recording is dropped if it is too short, too long, silent or clipped, if its text is too short or too long for it,
    or, with --recogniser, if something else than its text is heard in it.

    Example: triforce-tts build labelled recordings/ --out shards/real --sample-rate 16000 --align
    """
    from .labelled.run import Output, build_labelled  # here and below, because it imports torch: --help must not wait

    words = [str(source) for source in sources or ()]
    folders = folders_of(words)
    check_out(out, folders)
    output = Output(out, sample_rate, codec or "flac", align, workers or WORKERS, dry_run, force,
                    recogniser, words_wrong)  # fmt: skip
    build_labelled([Path(word) for word in words], columns, heldout_lists(heldout, folders), output, _console())


@command.command()
def synthetic(
    texts: Annotated[
        Path | None,
        typer.Argument(
            parser=folder_or_file,
            metavar="TEXTS",
            help="Text file with one sentence on each line. Without it, the engine babble makes sentences up.",
        ),
    ] = None,
    out: Out = OUT,
    engine: Engine = None,
    voices: Voices = None,
    every_voice: Annotated[bool, typer.Option("--every-voice", help="Speak each text in every voice.")] = False,
    assets: Annotated[
        Path | None,
        typer.Option(parser=folder_or_file, metavar="PATH", help="Folder of kokoro's files; docs/data.md lists them."),
    ] = None,
    speeds: Annotated[
        str | None,
        typer.Option(
            help="Speeds of kokoro, separated by commas, such as 0.9,1.0,1.1; one is drawn for each text. Default: 1.0."
        ),
    ] = None,
    fragments: Fragments = None,
    sentences: Annotated[
        int | None, typer.Option(min=0, max=10_000_000, help="How many of the texts are spoken; 0 (default): all.")
    ] = None,
    max_characters: Annotated[
        int | None,
        typer.Option(min=10, max=5000, help=f"Cut longer texts at punctuation. Default: {MAX_CHARACTERS}."),
    ] = None,
    heldout: HeldOutList = None,
    sample_rate: SampleRate = None,
    codec: Codec = None,
    align: Align = None,
    workers: Workers = None,
    recogniser: Recogniser = None,
    words_wrong: WordsWrong = None,
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Build from texts that a synthesiser speaks.

    Synthetic speech is a cheap way to teach the GPT how text becomes codes. flite does not teach the GPT a voice, but
    kokoro has many voices.

    Example: triforce-tts build synthetic texts.txt --engine flite --voices rms,slt,awb --out shards/flite
    """
    from .labelled.run import Output, Speech, build_synthetic

    speech = Speech(texts, engine or "flite", voices, every_voice, sentences or 0, max_characters,
                    assets, speeds, fragments)  # fmt: skip
    output = Output(out, sample_rate, codec or "flac", align, workers or WORKERS, dry_run, force,
                    recogniser, words_wrong)  # fmt: skip
    build_synthetic(speech, heldout, output, _console())


@command.command()
def raw(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SRC...", help="Recordings, folders of them, feeds (.xml), lists of URLs (.urls), URLs."
        ),
    ] = None,
    out: Out = OUT,
    config: Annotated[
        str | None, typer.Option(help="Settings of all steps: podcast, audiobook, or a path to a .yaml file.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a setting, such as cut.max_seconds=15; can be given several times."),
    ] = None,
    heldout: HeldOutList = None,
    sample_rate: SampleRate = None,
    codec: Codec = None,
    align: Align = None,
    workers: Workers = None,
    dry_run: DryRun = False,
    force: Force = False,
    only: Annotated[
        str | None, typer.Option(help="Do only one part (fetch, process or assemble), for work on many machines.")
    ] = None,
    part: Annotated[
        str | None, typer.Option(help="With --only process: i/n processes every n-th recording, from the i-th on.")
    ] = None,
    ray: Annotated[
        str | None, typer.Option(help="Address of a Ray cluster that processes the recordings, or 'auto'.")
    ] = None,
) -> None:
    """Build from recordings of any length and format, without labels.

    The builder cuts them at pauses, tells the speakers apart, transcribes what they say, and measures the sound. If a
    text, subtitles or an epub lie beside a recording, they are taken as the text that is read in it.

    Example: triforce-tts build raw feed.xml episodes/ --config podcast --out shards/podcast
    """
    from .labelled.run import read_lists, tell
    from .raw import build as program
    from .raw.options import RawOptions

    words = [str(source) for source in sources or ()]
    folders = folders_of(words)
    check_out(out, folders)
    options = RawOptions(words, out, config, set_ or (), heldout, heldout_lists(heldout, folders), sample_rate, codec,
                         workers, align, dry_run, only, part, ray)  # fmt: skip
    options.check()
    console = _console()
    read_lists(options.heldout_lists, console)  # a wrong list must stop the build now and not after hours of work
    if only == "fetch" and options.heldout_lists:
        tell(
            f"--only fetch does not use {options.heldout_lists[0]}; give it as --heldout with --only assemble", console
        )
    settings = program.load_config(config or "", options.overrides, lambda line: tell(line, console))
    program.run(words, out, settings, workers or WORKERS, console,
                only=only or "all", part=part or "1/1", ray=ray, dry_run=dry_run, force=force,
                heldout=next(iter(options.heldout_lists), None))  # fmt: skip


def _console() -> Console:
    """The console for messages; its first line names the kind of build if the command line does not."""
    console = Console(stderr=True)
    if line := announcement():
        from .labelled.run import tell

        tell(line, console)
    return console
