"""``triforce-tts build``: labelled recordings, a synthesiser or raw recordings in, shards out."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from triforce_tts.errors import ShardError
from triforce_tts.shards import SPLITS, ShardSet
from triforce_tts.text import alignment

from .common.clips import Drop, Found
from .common.heldout import HeldOut, read_heldout
from .common.names import printable
from .labelled import babble, synthetic
from .labelled.build import DROPS, Built, NothingBuilt, build
from .labelled.labels import find_recordings
from .labelled.prepare import ENCODERS, OPUS_RATES, Recipe
from .labelled.tables import parse_columns
from .options import SAMPLE_RATES, WORKERS, Asked, folder_or_file

BABBLE_SENTENCES = 64  # made up when no texts are given
TOLD = 10  # drops that are shown on the terminal; all are in the report
NAMED = 5  # ids of a held-out list that are named


def command(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SRC...",
            help="Labelled folders (manifest.jsonl, x.wav + x.txt, LJSpeech, LibriSpeech); with --config: recordings, "
            "folders, feeds (.xml), lists of URLs (.urls), URLs.",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            parser=folder_or_file, metavar="PATH", help="Folder for the shards: a new one, or an earlier build's."
        ),
    ] = Path("shards/built"),
    config: Annotated[
        str | None,
        typer.Option(help="Cut and label raw recordings: podcast, audiobook, or a path to a .yaml file."),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="With --config: override a setting, as cut.max_seconds=15.")
    ] = None,
    heldout: Annotated[
        Path | None,
        typer.Option(
            parser=folder_or_file,
            metavar="PATH",
            help="JSON list of what is never trained on; default: heldout.json in a source.",
        ),
    ] = None,
    sample_rate: Annotated[
        int | None,
        typer.Option(
            min=SAMPLE_RATES[0],
            max=SAMPLE_RATES[1],
            help="Hz to store; a model's own rate saves work in training. Default: as recorded.",
        ),
    ] = None,
    codec: Annotated[str | None, typer.Option(help="flac (lossless, default) or opus (a sixth of the size).")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help=f"Processes. Default: {WORKERS}.")] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="What the columns of metadata.csv are, as id,speaker,text. Default: what its rows show."),
    ] = None,
    synthetic_texts: Annotated[
        Path | None,
        typer.Option(
            "--synthetic",
            parser=folder_or_file,
            metavar="PATH",
            help="Speak the lines of this text file instead of reading sources.",
        ),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="Synthesiser: flite (a program, default) or babble (a toy, built in).")
    ] = None,
    voices: Annotated[
        str | None,
        typer.Option(help="Voices of the engine, with commas; texts go round them. Default: rms; all of babble's."),
    ] = None,
    every_voice: Annotated[bool, typer.Option("--every-voice", help="Speak each text in every voice.")] = False,
    sentences: Annotated[
        int | None, typer.Option(min=0, max=10_000_000, help="Use so many of the texts; 0 (default): all.")
    ] = None,
    max_characters: Annotated[
        int | None,
        typer.Option(min=10, max=5000, help=f"Cut longer texts at punctuation. Default: {synthetic.MAX_CHARACTERS}."),
    ] = None,
    align: Annotated[
        bool | None,
        typer.Option(
            "--align/--no-align",
            help="Write down when each word and sound is spoken: the GPT learns faster. Default: only what a manifest "
            "says of it is taken; with --config, what the configuration says.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be built; build nothing.")] = False,
    only: Annotated[
        str | None, typer.Option(help="With --config: fetch, process or assemble alone, for work on many machines.")
    ] = None,
    part: Annotated[
        str | None, typer.Option(help="With --only process: i/n takes every n-th recording, from the i-th on.")
    ] = None,
    ray: Annotated[
        str | None, typer.Option(help="With --config: address of a Ray cluster to process on, or 'auto'.")
    ] = None,
) -> None:
    """Build training shards: from labelled recordings, from a synthesiser, or (--config) from raw recordings.

    Labelled recordings are checked (length, text against length, silence, clipping), brought to one level and stored
    with their text, reader, source and licence. Raw ones are cut at pauses first, told apart by speaker, written down
    and judged: docs/data.md has the steps. Killed and run again, a build continues and ends with the same shards. What
    was dropped, and why, is in OUT/report. An option that would do nothing is refused.

    Examples:

      triforce-tts build recordings/ --out shards/real --sample-rate 16000 --align

      triforce-tts build feed.xml episodes/ --config podcast --out shards/podcast

      triforce-tts build mybook/ --config audiobook --out shards/mybook

      triforce-tts build --synthetic texts.txt --engine flite --voices rms,slt,awb --out shards/flite

      triforce-tts build --engine babble --out shards/toy
    """
    asked = Asked(
        tuple(map(str, sources or ())), out, config, tuple(set_ or ()), heldout, sample_rate, codec, workers, columns,
        synthetic_texts, engine, voices, every_voice, sentences, max_characters, align, dry_run, only, part, ray,
    )  # fmt: skip
    asked.check()
    console = Console(stderr=True)
    if config is not None:
        _build_raw(asked, config, console)
        return
    if codec not in (None, *ENCODERS):
        raise ShardError(f"--codec {codec}: expected one of {', '.join(ENCODERS)}")
    if codec == "opus" and sample_rate not in (None, *OPUS_RATES):
        rates = ", ".join(map(str, OPUS_RATES))
        raise ShardError(
            f"--sample-rate {sample_rate}: Opus stores {rates} Hz alone; choose one of them, or --codec flac"
        )
    found, held = _spoken(asked, console) if asked.speaks else _labelled(asked, console)
    if dry_run:
        for (source, license_), count in sorted(Counter((r.source, r.license) for r in found.recordings).items()):
            _tell(f"  {source} ({license_}): {count} recordings", console)
        _tell_drops(found.drops, console)
        if not found.recordings:
            raise ShardError(f"nothing of {len(found.drops)} recordings could be built")
        return
    recipe = Recipe(sample_rate=sample_rate, align=align, codec=codec or "flac")
    details = {
        "sources": sorted({r.source for r in found.recordings}),
        "sample_rate": sample_rate,
        "limits": asdict(recipe.limits),
        "aligned": bool(align),
    }
    try:
        built = build(found.recordings, held, out, recipe, workers or WORKERS, details, console, found.drops,
                      asked.folders)  # fmt: skip
    except NothingBuilt as error:
        _tell_drops(error.drops, console)
        raise
    _summarise(out, built, console)


def _build_raw(asked: Asked, config: str, console: Console) -> None:
    from .raw import build as raw_build
    from .raw import results

    overrides = [*asked.set_]
    overrides += [f"codec={asked.codec}"] if asked.codec else []
    overrides += [f"sample_rate={asked.sample_rate}"] if asked.sample_rate else []
    overrides += [f"align.enabled={str(asked.align).lower()}"] if asked.align is not None else []
    if asked.only in ("process", "assemble") and asked.sources and (asked.out / "work" / results.SOURCES).exists():
        raise ShardError(f"--only {asked.only}: the sources that --only fetch found are taken; leave out SRC")
    _held_list(asked, console)  # what is wrong with it is said before hours of work
    if asked.only == "fetch" and asked.heldout_lists:
        _tell(f"to keep to {asked.heldout_lists[0]}, give it as --heldout with --only assemble", console)
    raw_build.run(asked.sources, asked.out, raw_build.load_config(config, overrides), asked.workers or WORKERS, console,
               only=asked.only or "all", part=asked.part or "1/1", ray=asked.ray, dry_run=asked.dry_run,
               heldout=next(iter(asked.heldout_lists), None))  # fmt: skip


def _held_list(asked: Asked, console: Console) -> HeldOut:
    """What is held out by the lists that are given or lie in the sources."""
    held = HeldOut()
    for path in asked.heldout_lists:
        one = read_heldout(path)
        if one.unknown:
            _tell(f"{path}: {', '.join(map(repr, one.unknown))} is no kind of list; nothing is held out by it", console)
        held |= one
    return held


def _labelled(asked: Asked, console: Console) -> tuple[Found, set[str]]:
    """The labelled recordings, and the ids of those that are held out."""
    if not asked.sources:
        raise ShardError("nothing to build: give folders with recordings, or --synthetic TEXTS")
    columns = parse_columns(asked.columns) if asked.columns is not None else None
    found = find_recordings([Path(source) for source in asked.sources], columns)
    for line in found.told:
        _tell(line, console)
    held_list = _held_list(asked, console).with_texts_of(found.recordings)
    if unmatched := held_list.unmatched(found.recordings):
        named = ", ".join(map(repr, unmatched[:NAMED])) + (" and others" if len(unmatched) > NAMED else "")
        _tell(f"held-out list: {len(unmatched)} of its ids and readers match no recording: {named}", console)
    held = {r.id for r in found.recordings if held_list.holds(r)}
    _tell_count(asked, found, held, console)
    return found, held


def _spoken(asked: Asked, console: Console) -> tuple[Found, set[str]]:
    """The utterances that a synthesiser shall make, and the ids of those that are held out."""
    held_list = _held_list(asked, console)
    if asked.heldout and not held_list.texts:
        raise ShardError(f"--heldout {asked.heldout}: it holds out no text, and a synthesiser has no other readers")
    engine, sentences = asked.engine or "flite", asked.sentences or 0
    if asked.synthetic is None:
        texts = babble.sentences(sentences or BABBLE_SENTENCES)
    else:
        texts = synthetic.read_texts(asked.synthetic, asked.max_characters or synthetic.MAX_CHARACTERS, held_list)
    default = ["rms"] if engine == "flite" else synthetic.voices_of(engine)
    voices = asked.voices.split(",") if asked.voices is not None else default
    if asked.every_voice and len(voices) == 1:
        raise ShardError(f"--every-voice: '{voices[0]}' is the only voice; name several with --voices")
    recordings, held = synthetic.plan(texts, engine, voices, sentences, asked.every_voice, held_list)
    found = Found(recordings)
    _tell_count(asked, found, held, console)
    return found, held


# --- what the terminal is told ---------------------------------------------------------------------------------


def _tell(line: str, console: Console) -> None:
    console.print(printable(line), soft_wrap=True, markup=False, highlight=False)


def _tell_count(asked: Asked, found: Found, held: set[str], console: Console) -> None:
    named = ", ".join(str(path) for path in asked.heldout_lists) or "none"
    _tell(f"{len(found.recordings)} recordings, {len(held)} held out (list: {named})", console)


def _tell_drops(drops: Sequence[Drop], console: Console) -> None:
    """The first of what was left out, with its reason."""
    for drop in drops[:TOLD]:
        _tell(f"  not used: {drop.id}: {drop.reason}" + (f": {drop.value}" if drop.value else ""), console)
    if len(drops) > TOLD:
        _tell(f"  and {len(drops) - TOLD} more", console)


def _summarise(out: Path, built: Built, console: Console) -> None:
    hours: defaultdict[tuple[str, str], float] = defaultdict(float)
    for split in SPLITS:
        kept = ShardSet.open([out], split, "audio")
        placed = 0
        for meta in map(kept.meta, range(len(kept))):
            hours[meta["source"], meta["license"]] += meta["duration_s"] / 3600
            placed += alignment.KEY in meta
        told = f", {placed} aligned" if placed else ""
        _tell(f"{split}: kept {len(kept)} recordings, {sum(kept.durations_s) / 3600:.2f} h{told}", console)
    for (source, license_), value in sorted(hours.items()):
        _tell(f"  {source} ({license_}): {value:.2f} h", console)
    if built.misfits:
        first, why = built.misfits[0]
        _tell(f"{len(built.misfits)} given alignments do not fit and were not taken, first {first}: {why}", console)
    reasons = Counter(drop.reason for drop in built.drops)
    seconds = sum(drop.seconds for drop in built.drops)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "nothing"
    _tell(f"dropped {len(built.drops)} recordings, {seconds:.0f} s: {told} ({DROPS})", console)
    _tell_drops(built.drops, console)
