"""The commands ``build labelled`` and ``build synthetic``.

They list the clips, choose those that are held out, build the shards, and report on the terminal.
"""

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
from triforce_tts.text.signs import unspoken
from triforce_tts.wording import counted, length

from ..common.clips import MAX_CHARACTERS, Clip, Drop, Inventory
from ..common.heldout import HeldOut, read_heldout
from ..common.names import is_file, printable
from . import babble, lessons, synthetic
from .build import DROPS, Built, NothingBuilt, build
from .hearing import WORDS_WRONG, Hearing, open_hearing
from .labels import find_clips
from .prepare import ENCODERS, NO_TEXT, OPUS_RATES, UNREADABLE, Recipe
from .tables import parse_columns

BABBLE_SENTENCES = 64  # how many sentences are made up if no texts are given
TOLD = 10  # how many drops the terminal shows; the report has all of them
NAMED = 5  # how many ids of a held-out list a message names


@dataclass(frozen=True)
class Output:
    """The folder of the shards, and the settings by which their samples are made."""

    out: Path
    sample_rate: int | None = None  # Hz; None: each clip keeps its own rate
    codec: str = "flac"
    align: bool | None = None
    workers: int = 1
    dry_run: bool = False
    force: bool = False  # replace shards that were built from other clips or settings
    recogniser: str | None = None  # the recogniser that hears each clip; None: no recogniser
    words_wrong: float | None = None  # the share of a clip's words that it may hear wrongly; None: the default

    def check(self) -> None:
        """Refuse an unknown codec, a sample rate that the codec cannot store, and a limit without a recogniser.

        Raises:
            ShardError: the codec is unknown or cannot store the sample rate, or there is nobody who hears words.
        """
        if self.words_wrong is not None and self.recogniser is None:
            raise ShardError("--words-wrong: no recogniser counts them; give --recogniser too, such as tiny.en")
        if self.codec not in ENCODERS:
            raise ShardError(f"--codec {self.codec}: expected one of {', '.join(ENCODERS)}")
        if self.codec == "opus" and self.sample_rate not in (None, *OPUS_RATES):
            rates = ", ".join(map(str, OPUS_RATES))
            raise ShardError(
                f"--sample-rate {self.sample_rate}: Opus stores only {rates} Hz; choose one of them, or --codec flac"
            )


@dataclass(frozen=True)
class Speech:
    """The texts that a synthesiser speaks, and the voices that it speaks them in."""

    texts: Path | None = None  # file with one sentence on each line; None: the engine makes sentences up
    engine: str = "flite"
    voices: str | None = None  # names, separated by commas
    every_voice: bool = False  # speak each text in every voice
    sentences: int = 0  # how many of the texts are spoken; 0: all
    max_characters: int | None = None  # longer texts are cut
    assets: Path | None = None  # the folder with the files of kokoro
    speeds: str | None = None  # speeds of kokoro, separated by commas
    fragments: float | None = None  # the share of texts whose first words kokoro speaks once more

    def check(self) -> None:
        """Refuse options that would have no effect.

        Raises:
            ShardError: there is nothing to speak, or an option has no effect with the given engine or without texts.
        """
        if self.texts is None:
            if self.engine != "babble":
                raise ShardError(f"--engine {self.engine}: there is nothing to speak; give TEXTS, a file of sentences")
            if self.max_characters is not None:
                raise ShardError("--max-characters: it cuts the sentences of TEXTS, and no TEXTS are given")
        is_teacher = self.engine == lessons.NAME
        if is_teacher and self.assets is None:
            raise ShardError(
                "--engine kokoro: give the folder with its files as --assets; docs/data.md says where to get them"
            )
        for option, value in (("--assets", self.assets), ("--speeds", self.speeds), ("--fragments", self.fragments)):
            if value is not None and not is_teacher:
                raise ShardError(f"{option}: only --engine kokoro uses it; leave it out")

    def teaching(self, assets: Path) -> lessons.Teaching:
        """The voices, shares and speeds of the teacher.

        Raises:
            ShardError: a voice, a share or a speed is wrong.
        """
        shares = lessons.parse_shares(self.voices if self.voices is not None else lessons.DEFAULT_VOICE)
        if self.every_voice and len(shares) == 1:
            raise ShardError("--every-voice: there is only one voice; name several with --voices")
        return lessons.Teaching(
            assets, shares, lessons.parse_speeds(self.speeds or "1.0"), self.every_voice, self.fragments or 0.0
        )

    def voice_names(self) -> list[str]:
        """The names of the voices to speak with.

        Raises:
            ShardError: ``every_voice`` is set, but there is only one voice.
        """
        default = ["rms"] if self.engine == "flite" else synthetic.voices_of(self.engine)
        names = self.voices.split(",") if self.voices is not None else default
        if self.every_voice and len(names) == 1:
            raise ShardError(f"--every-voice: '{names[0]}' is the only voice; name several with --voices")
        return names


def build_labelled(
    folders: Sequence[Path], columns: str | None, lists: Sequence[Path], output: Output, console: Console
) -> None:
    """Build shards of the clips in ``folders``; the files ``lists`` name what is held out.

    Raises:
        ShardError: there is nothing to build, or no clip could be used.
    """
    output.check()
    if not folders:
        raise ShardError("nothing to build: give folders with recordings, or texts with 'build synthetic TEXTS'")
    inventory = find_clips(folders, parse_columns(columns) if columns is not None else None)
    for line in inventory.notes:
        tell(line, console)
    _tell_other_letters(inventory.clips, console)
    held_list = read_lists(lists, console).with_texts_of(inventory.clips)
    if unmatched := held_list.unmatched(inventory.clips):
        named = ", ".join(map(repr, unmatched[:NAMED])) + (" and others" if len(unmatched) > NAMED else "")
        tell(f"held-out list: {len(unmatched)} of its ids and readers match no recording: {named}", console)
    held_ids = {clip.id for clip in inventory.clips if held_list.holds(clip)}
    _tell_count(lists, inventory, held_ids, console)
    content = f"shards of the recordings in {_named(folders)}"
    _build(inventory, held_ids, output, [folder for folder in folders if folder.is_dir()], content, console)


def build_synthetic(speech: Speech, heldout: Path | None, output: Output, console: Console) -> None:
    """Build shards of texts that a synthesiser speaks; the texts on the list ``heldout`` are not spoken.

    Raises:
        ShardError: an option would have no effect, the engine is unknown, or nothing could be built.
    """
    speech.check()
    output.check()
    lists = [heldout] if heldout else []
    held_list = read_lists(lists, console)
    if heldout and not held_list.texts:
        raise ShardError(
            f"--heldout {heldout}: it holds out no text, and nothing else has an effect on synthetic speech; "
            "give a list with texts, or leave it out"
        )
    if speech.texts is None:
        texts = babble.sentences(speech.sentences or BABBLE_SENTENCES)
    else:
        texts = synthetic.read_texts(speech.texts, speech.max_characters or MAX_CHARACTERS, held_list)
    drops: list[Drop] = []
    if speech.assets is not None:
        planned = lessons.plan(texts, speech.teaching(speech.assets), speech.sentences, held_list)
        clips, held_ids, drops = planned.clips, planned.held_ids, planned.drops
        for note in planned.notes:
            tell(note, console)
    else:
        voices = speech.voice_names()
        clips, held_ids = synthetic.plan(texts, speech.engine, voices, speech.sentences, speech.every_voice, held_list)
    inventory = Inventory(clips, drops)
    _tell_count(lists, inventory, held_ids, console)
    texts_name = _named([speech.texts]) if speech.texts else "texts of its own"
    _build(inventory, held_ids, output, [], f"shards of {texts_name} spoken by {speech.engine}", console)


def read_lists(lists: Sequence[Path], console: Console) -> HeldOut:
    """Everything that any of the ``lists`` holds out; a line on the terminal names the keys that hold nothing out.

    Raises:
        ShardError: a file is missing or is no held-out list.
    """
    heldout = HeldOut()
    for path in lists:
        one = read_heldout(path)
        if one.unknown:
            tell(f"{path}: {', '.join(map(repr, one.unknown))} is no kind of list; nothing is held out by it", console)
        heldout |= one
    return heldout


def _named(paths: Sequence[Path]) -> str:
    """The names of the last parts of ``paths`` in sorted order, in at most about 200 characters."""
    names = ", ".join(sorted(f"'{printable(Path(os.path.realpath(path)).name)}'" for path in paths))
    return names if len(names) <= 200 else f"{names[:180]} and more ({zlib.crc32(names.encode()):08x})"


def _build(
    inventory: Inventory, held_ids: set[str], output: Output, folders: Sequence[Path], content: str, console: Console
) -> None:
    if output.dry_run:
        unusable = {clip.id: drop for clip in inventory.clips if (drop := _seen_drop(clip))}
        inventory.drops += unusable.values()
        inventory.clips = [clip for clip in inventory.clips if clip.id not in unusable]
        counts = Counter((clip.collection, clip.license) for clip in inventory.clips)
        for (collection, license_), count in sorted(counts.items()):
            tell(f"  {collection} ({license_}): {counted(count, 'recording')}", console)
        _tell_drops(inventory.drops, console)
        if not inventory.clips:
            raise ShardError(f"none of the recordings could be built ({len(inventory.drops)} in all)")
        return
    recipe = Recipe(output.sample_rate, align=output.align, codec=output.codec, hearing=_hearing(output, console))
    details = {
        "sources": sorted({clip.collection for clip in inventory.clips}),
        "sample_rate": output.sample_rate,
        "limits": asdict(recipe.limits),
        "aligned": bool(output.align),
    }
    if recipe.hearing is not None:
        details["heard"] = asdict(recipe.hearing)
    try:
        built = build(
            inventory.clips, held_ids, output.out, recipe, output.workers, details, console, inventory.drops, folders,
            content, output.force,
        )  # fmt: skip
    except NothingBuilt as error:
        _tell_drops(error.drops, console)
        raise
    _summarise(output.out, built, console)


def _seen_drop(clip: Clip) -> Drop | None:
    """Why a clip cannot be used, as far as that shows without its sound; None if it does not."""
    if not clip.text.strip():
        return Drop(clip.id, 0.0, NO_TEXT, "")
    if clip.teacher is None and not synthetic.is_synthetic(clip) and not is_file(Path(clip.audio)):
        return Drop(clip.id, 0.0, UNREADABLE, printable(f"{clip.audio}: no such file"))
    return None


def _hearing(output: Output, console: Console) -> Hearing | None:
    """Who hears the clips; a line on the terminal names the recogniser."""
    if output.recogniser is None:
        return None
    hearing, line = open_hearing(output.recogniser, WORDS_WRONG if output.words_wrong is None else output.words_wrong)
    tell(line, console)
    return hearing


# --- lines for the terminal ------------------------------------------------------------------------------------


def tell(line: str, console: Console) -> None:
    """Print a line for the user; its content is plain text, not markup."""
    console.print(printable(line), soft_wrap=True, markup=False, highlight=False)


def _tell_count(lists: Sequence[Path], inventory: Inventory, held_ids: set[str], console: Console) -> None:
    named = ", ".join(str(path) for path in lists) or "none"
    tell(f"{counted(len(inventory.clips), 'recording')}, {len(held_ids)} held out (list: {named})", console)


def _tell_other_letters(clips: Sequence[Clip], console: Console) -> None:
    """Print how many texts have letters of another script: no network will learn what is said there."""
    lost = {clip.id: letters for clip in clips if (letters := "".join(filter(str.isalpha, unspoken(clip.text))))}
    if lost:
        key, letters = next(iter(lost.items()))
        have = "text has" if len(lost) == 1 else "texts have"
        tell(
            f"{len(lost)} {have} letters without an English reading, which stage 2 leaves out, such as '{letters[:20]}' in {key}",
            console,
        )


def _tell_drops(drops: Sequence[Drop], console: Console) -> None:
    """Print the first clips that were left out, each with its reason."""
    for drop in drops[:TOLD]:
        tell(f"  not used: {drop.id}: {drop.reason}" + (f": {drop.value}" if drop.value else ""), console)
    if len(drops) > TOLD:
        tell(f"  and {len(drops) - TOLD} more", console)


def _summarise(out: Path, built: Built, console: Console) -> None:
    seconds: defaultdict[tuple[str, str], float] = defaultdict(float)  # seconds for each collection and licence
    for split in SPLITS:
        shards = ShardSet.open([out], split, "audio")
        aligned = 0
        for meta in map(shards.meta, range(len(shards))):
            seconds[meta["source"], meta["license"]] += meta["duration_s"]
            aligned += alignment.KEY in meta
        more = f", {aligned} aligned" if aligned else ""
        tell(f"{split}: kept {counted(len(shards), 'recording')}, {length(sum(shards.durations_s))}{more}", console)
    for (collection, license_), value in sorted(seconds.items()):
        tell(f"  {collection} ({license_}): {length(value)}", console)
    if built.misfits:
        first, why = built.misfits[0]
        count = counted(len(built.misfits), "alignment")
        tell(f"{count} of the manifest did not fit and were left out, the first is that of {first}: {why}", console)
    if built.heard.total:
        heard = f"{built.heard.wrong} of {counted(built.heard.total, 'word')}, {100 * built.heard.error:.1f} %"
        tell(f"heard wrongly, also in what was dropped: {heard}", console)
    reasons = Counter(drop.reason for drop in built.drops)
    dropped_s = sum(drop.seconds for drop in built.drops)
    listed = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "nothing"
    tell(f"dropped {counted(len(built.drops), 'recording')}, {length(dropped_s)}: {listed} ({DROPS})", console)
    _tell_drops(built.drops, console)
