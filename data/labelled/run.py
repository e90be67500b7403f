"""``build labelled`` and ``build synthetic``: which clips there are, which are held out, and what people are told."""

import os
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from triforce_tts.errors import ShardError
from triforce_tts.shards import SPLITS, ShardSet
from triforce_tts.text import alignment

from ..common.clips import MAX_CHARACTERS, Drop, Found
from ..common.heldout import HeldOut, read_heldout
from ..common.names import printable
from . import babble, lessons, synthetic
from .build import DROPS, Built, NothingBuilt, build
from .labels import find_recordings
from .prepare import ENCODERS, OPUS_RATES, Recipe
from .tables import parse_columns

BABBLE_SENTENCES = 64  # made up when no texts are given
TOLD = 10  # drops that are shown on the terminal; all are in the report
NAMED = 5  # ids of a held-out list that are named


@dataclass(frozen=True)
class Output:
    """Where the shards go, and how their samples are made."""

    out: Path
    sample_rate: int | None = None  # Hz; None: as recorded
    codec: str = "flac"
    align: bool | None = None
    workers: int = 1
    dry_run: bool = False
    force: bool = False  # replace shards that were built of something else

    def check(self) -> None:
        """Refuse a codec that is not known, or that does not store the sample rate.

        Raises:
            ShardError: it is so.
        """
        if self.codec not in ENCODERS:
            raise ShardError(f"--codec {self.codec}: expected one of {', '.join(ENCODERS)}")
        if self.codec == "opus" and self.sample_rate not in (None, *OPUS_RATES):
            rates = ", ".join(map(str, OPUS_RATES))
            raise ShardError(
                f"--sample-rate {self.sample_rate}: Opus stores {rates} Hz alone; choose one of them, or --codec flac"
            )


@dataclass(frozen=True)
class Speech:
    """What a synthesiser shall say, and in which voices."""

    texts: Path | None = None  # a sentence a line; None: the engine makes sentences up
    engine: str = "flite"
    voices: str | None = None  # names with commas
    every_voice: bool = False
    sentences: int = 0  # how many of the texts; 0: all
    max_characters: int | None = None
    assets: Path | None = None  # folder of kokoro's files
    speeds: str | None = None  # of kokoro, with commas

    def check(self) -> None:
        """Refuse options without anything that they could change.

        Raises:
            ShardError: there is nothing to speak, or texts that are made up shall be cut.
        """
        if self.texts is None:
            if self.engine != "babble":
                raise ShardError(f"--engine {self.engine}: there is nothing to speak; give TEXTS, a sentence a line")
            if self.max_characters is not None:
                raise ShardError("--max-characters: it is for TEXTS that are given, and there are none")
        is_teacher = self.engine == lessons.NAME
        if is_teacher and self.assets is None:
            raise ShardError(
                "--engine kokoro: give the folder of its files with --assets; docs/data.md says where they are"
            )
        for option, value in (("--assets", self.assets), ("--speeds", self.speeds)):
            if value is not None and not is_teacher:
                raise ShardError(f"{option}: it is for --engine kokoro alone; leave it out")

    def teaching(self, assets: Path) -> lessons.Teaching:
        """How the teacher is asked.

        Raises:
            ShardError: a voice, a share or a speed is wrong.
        """
        shares = lessons.parse_shares(self.voices if self.voices is not None else lessons.DEFAULT_VOICE)
        if self.every_voice and len(shares) == 1:
            raise ShardError("--every-voice: there is one voice; name several with --voices")
        return lessons.Teaching(assets, shares, lessons.parse_speeds(self.speeds or "1.0"), self.every_voice)

    def voice_names(self) -> list[str]:
        """The voices to speak with.

        Raises:
            ShardError: every text shall be spoken in every voice, and there is one.
        """
        default = ["rms"] if self.engine == "flite" else synthetic.voices_of(self.engine)
        names = self.voices.split(",") if self.voices is not None else default
        if self.every_voice and len(names) == 1:
            raise ShardError(f"--every-voice: '{names[0]}' is the only voice; name several with --voices")
        return names


def build_labelled(
    folders: Sequence[Path], columns: str | None, lists: Sequence[Path], output: Output, console: Console
) -> None:
    """Shards of the labelled clips in ``folders``; ``lists`` name what is held out.

    Raises:
        ShardError: there is nothing to build, or nothing of it could be used.
    """
    output.check()
    if not folders:
        raise ShardError("nothing to build: give folders with recordings, or texts with 'build synthetic TEXTS'")
    found = find_recordings(folders, parse_columns(columns) if columns is not None else None)
    for line in found.told:
        tell(line, console)
    held_list = read_lists(lists, console).with_texts_of(found.recordings)
    if unmatched := held_list.unmatched(found.recordings):
        named = ", ".join(map(repr, unmatched[:NAMED])) + (" and others" if len(unmatched) > NAMED else "")
        tell(f"held-out list: {len(unmatched)} of its ids and readers match no recording: {named}", console)
    held = {clip.id for clip in found.recordings if held_list.holds(clip)}
    _tell_count(lists, found, held, console)
    content = f"shards of the recordings in {_named(folders)}"
    _build(found, held, output, [folder for folder in folders if folder.is_dir()], content, console)


def build_synthetic(speech: Speech, heldout: Path | None, output: Output, console: Console) -> None:
    """Shards of texts that a synthesiser speaks; texts on the list ``heldout`` are not spoken.

    Raises:
        ShardError: an option would do nothing, the engine is not known, or nothing could be built.
    """
    speech.check()
    output.check()
    lists = [heldout] if heldout else []
    held_list = read_lists(lists, console)
    if heldout and not held_list.texts:
        raise ShardError(f"--heldout {heldout}: it holds out no text, and a synthesiser has no other readers")
    if speech.texts is None:
        texts = babble.sentences(speech.sentences or BABBLE_SENTENCES)
    else:
        texts = synthetic.read_texts(speech.texts, speech.max_characters or MAX_CHARACTERS, held_list)
    if speech.assets is not None:
        planned = lessons.plan(texts, speech.teaching(speech.assets), speech.sentences, held_list)
        clips, held = planned.recordings, planned.held
        for note in planned.notes:
            tell(note, console)
    else:
        voices = speech.voice_names()
        clips, held = synthetic.plan(texts, speech.engine, voices, speech.sentences, speech.every_voice, held_list)
    found = Found(clips)
    _tell_count(lists, found, held, console)
    texts_name = _named([speech.texts]) if speech.texts else "texts of its own"
    _build(found, held, output, [], f"shards of {texts_name} spoken by {speech.engine}", console)


def read_lists(lists: Sequence[Path], console: Console) -> HeldOut:
    """What is held out by any of the ``lists``; keys of them that hold nothing out are told.

    Raises:
        ShardError: a list is missing, or is none.
    """
    held = HeldOut()
    for path in lists:
        one = read_heldout(path)
        if one.unknown:
            tell(f"{path}: {', '.join(map(repr, one.unknown))} is no kind of list; nothing is held out by it", console)
        held |= one
    return held


def _named(paths: Sequence[Path]) -> str:
    """The last parts of ``paths``, in a fixed order, in at most about 200 characters."""
    names = ", ".join(sorted(f"'{printable(Path(os.path.realpath(path)).name)}'" for path in paths))
    return names if len(names) <= 200 else f"{names[:180]} and more ({zlib.crc32(names.encode()):08x})"


def _build(
    found: Found, held: set[str], output: Output, folders: Sequence[Path], content: str, console: Console
) -> None:
    if output.dry_run:
        for (source, license_), count in sorted(Counter((r.source, r.license) for r in found.recordings).items()):
            tell(f"  {source} ({license_}): {count} recordings", console)
        _tell_drops(found.drops, console)
        if not found.recordings:
            raise ShardError(f"nothing of {len(found.drops)} recordings could be built")
        return
    recipe = Recipe(sample_rate=output.sample_rate, align=output.align, codec=output.codec)
    details = {
        "sources": sorted({r.source for r in found.recordings}),
        "sample_rate": output.sample_rate,
        "limits": asdict(recipe.limits),
        "aligned": bool(output.align),
    }
    try:
        built = build(
            found.recordings, held, output.out, recipe, output.workers, details, console, found.drops, folders,
            content, output.force,
        )  # fmt: skip
    except NothingBuilt as error:
        _tell_drops(error.drops, console)
        raise
    _summarise(output.out, built, console)


# --- what the terminal is told ---------------------------------------------------------------------------------


def tell(line: str, console: Console) -> None:
    """A line for people; what is in it is text and no markup."""
    console.print(printable(line), soft_wrap=True, markup=False, highlight=False)


def _tell_count(lists: Sequence[Path], found: Found, held: set[str], console: Console) -> None:
    named = ", ".join(str(path) for path in lists) or "none"
    tell(f"{len(found.recordings)} recordings, {len(held)} held out (list: {named})", console)


def _tell_drops(drops: Sequence[Drop], console: Console) -> None:
    """The first of what was left out, with its reason."""
    for drop in drops[:TOLD]:
        tell(f"  not used: {drop.id}: {drop.reason}" + (f": {drop.value}" if drop.value else ""), console)
    if len(drops) > TOLD:
        tell(f"  and {len(drops) - TOLD} more", console)


def _summarise(out: Path, built: Built, console: Console) -> None:
    hours: defaultdict[tuple[str, str], float] = defaultdict(float)
    for split in SPLITS:
        kept = ShardSet.open([out], split, "audio")
        placed = 0
        for meta in map(kept.meta, range(len(kept))):
            hours[meta["source"], meta["license"]] += meta["duration_s"] / 3600
            placed += alignment.KEY in meta
        told = f", {placed} aligned" if placed else ""
        tell(f"{split}: kept {len(kept)} recordings, {sum(kept.durations_s) / 3600:.2f} h{told}", console)
    for (source, license_), value in sorted(hours.items()):
        tell(f"  {source} ({license_}): {value:.2f} h", console)
    if built.misfits:
        first, why = built.misfits[0]
        tell(f"{len(built.misfits)} given alignments do not fit and were not taken, first {first}: {why}", console)
    reasons = Counter(drop.reason for drop in built.drops)
    seconds = sum(drop.seconds for drop in built.drops)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "nothing"
    tell(f"dropped {len(built.drops)} recordings, {seconds:.0f} s: {told} ({DROPS})", console)
    _tell_drops(built.drops, console)
