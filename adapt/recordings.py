"""Builds shards of one speaker from a folder of recordings, and holds some clips out."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from triforce_tts.audio.io import claimed_seconds
from triforce_tts.data.common.places import AUDIO_SUFFIXES
from triforce_tts.data.labelled.labels import find_clips
from triforce_tts.data.labelled.prepare import Limits
from triforce_tts.data.labelled.run import Output, build_labelled
from triforce_tts.data.options import heldout_lists
from triforce_tts.data.raw import build as raw_build
from triforce_tts.errors import ShardError
from triforce_tts.files import working_folder
from triforce_tts.judges import dnsmos, recognisers
from triforce_tts.judges.networks import absent
from triforce_tts.shards import SPLITS, Sample, ShardSet, shard_path, write_index, write_shard
from triforce_tts.wording import counted, length

from .options import AUTO, LEAST_SPEECH_S, Options

LABELLED, RAW = "labelled", "raw"
MANIFEST = "manifest.jsonl"
# The number of samples in a shard is small, so that the processes which code the shards can share the work.
SHARD_SAMPLES = 64
# The held-out share of the speech, and the fewest and the most held-out clips.
HELDOUT_SHARE, HELDOUT_CLIPS = 0.1, (2, 20)
# If the user's own held-out list matches at least so many clips, no other clips are held out.
LISTED_CLIPS = 3
SHOWN = 8  # A message names at most so many speakers.


def _files(folder: Path) -> list[Path]:
    """The files below ``folder`` in sorted order; as in a build, linked folders are entered once, and hidden ones never."""
    files: list[Path] = []
    entered: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        # In sorted order, the same one of two links to a folder is always the one that is entered.
        folders[:] = [] if real in entered else sorted(name for name in folders if not name.startswith("."))
        if real not in entered:
            files += [path for name in names if (path := Path(place, name)).is_file() and not name.startswith(".")]
        entered.add(real)
    return sorted(files)


def _sounds(folder: Path) -> list[Path]:
    """The sound files below ``folder``."""
    return [path for path in _files(folder) if path.suffix.lower() in AUDIO_SUFFIXES]


def fingerprint(folder: Path) -> str:
    """16 hex digits over the names, sizes and times of the files in ``folder``."""
    digest = hashlib.sha256()
    for path in _files(folder):
        status = path.stat()
        digest.update(f"{path.relative_to(folder)} {status.st_size} {status.st_mtime_ns}\n".encode("utf-8", "replace"))
    return digest.hexdigest()[:16]


def is_installed(package: str) -> bool:
    """Whether ``package`` can be imported here."""
    return not absent(package)


def is_labelled(folder: Path) -> bool:
    """Whether ``folder`` holds short clips with their texts, as opposed to long recordings.

    Raises:
        ShardError: the folder holds no recordings at all.
    """
    if (folder / MANIFEST).exists():
        return True
    if not _sounds(folder):
        raise ShardError(f"{folder}: no recordings in it; expected sound files, or a {MANIFEST}")
    clips = [clip for clip in find_clips([folder]).clips if clip.text.strip()]
    # A text beside a recording of half an hour is a chapter that is read in it: the builder of raw recordings aligns it.
    return any(claimed_seconds(Path(clip.audio)) <= Limits().max_seconds for clip in clips)


def kind_of(options: Options) -> str:
    """What the recordings are: LABELLED or RAW.

    Raises:
        ShardError: there are none, or they are raw and nothing is installed that could write them down.
    """
    folder = options.recordings
    if not options.raw and is_labelled(folder):
        return LABELLED
    if not _sounds(folder):
        raise ShardError(f"{folder}: no sound files in it; expected recordings of one voice")
    transcriber(options)
    return RAW


@dataclass(frozen=True)
class Needs:
    """What a model needs of the clips that it learns from."""

    sample_rate: int  # Hz
    align: bool  # whether the clips need the time of each word, because the model reads its text in place
    longest_s: float


def build(kind: str, options: Options, needs: Needs, out: Path, console: Console) -> None:
    """Build shards of all usable recordings, which are of this ``kind``, at ``out``.

    Raises:
        ShardError: no recording is usable.
    """
    folder = options.recordings
    lists = heldout_lists(None, [folder])
    if kind == LABELLED:
        output = Output(out, needs.sample_rate, align=needs.align, workers=options.workers, force=True)
        build_labelled([folder], None, lists, output, console)
        return
    config = raw_build.load_config("podcast", raw_settings(options, needs))
    heldout_list = next(iter(lists), None)
    raw_build.run([str(folder)], out, config, options.workers, console, heldout=heldout_list, force=True)


def raw_settings(options: Options, needs: Needs) -> list[str]:
    """The settings of the builder of raw recordings."""
    return [
        f"sample_rate={needs.sample_rate}",
        f"align.enabled={str(needs.align).lower()}",
        f"cut.max_seconds={needs.longest_s:.2f}",
        f"screen.dnsmos={str(is_installed(dnsmos.PACKAGE)).lower()}",
        # The builder holds out whole speakers, and there is only one. So ``select`` holds out single clips.
        "heldout_share=0.0",
        *transcriber(options),
    ]


def transcriber(options: Options) -> list[str]:
    """The settings of the builder of raw recordings for the transcriber that ``options`` name.

    Raises:
        ShardError: none was named, Whisper is not installed, and not every recording has its text beside it.
    """
    name = options.transcriber
    if name == recognisers.POCKETSPHINX:
        return ["transcribe.engine=pocketsphinx"]
    if name == AUTO and recognisers.choose().recogniser == recognisers.TINY:
        name = recognisers.TINY
    if name != AUTO:
        return ["transcribe.engine=faster-whisper", f"transcribe.model={name}"]
    without = [
        path
        for path in _sounds(options.recordings)
        if not any(
            Path(f"{name}{suffix}").exists() for name in (path, path.with_suffix("")) for suffix in (".txt", ".epub")
        )
    ]
    if without:
        raise ShardError(
            f"{without[0]}: has no text beside it, and no transcriber is installed that could write it down; "
            f"{recognisers.INSTALL}, or give a folder of Whisper's weights for CTranslate2 as --transcriber"
        )
    return ["transcribe.engine=none"]


# --- whose clips, and which are held out ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Clips:
    """The samples of one split of the built shards, by number."""

    shards: ShardSet
    numbers: Sequence[int]

    @property
    def seconds(self) -> float:
        """The seconds of speech in these clips."""
        return sum(self.shards.durations_s[number] for number in self.numbers)

    def samples(self) -> Iterator[Sample]:
        """The samples of the clips."""
        shards = self.shards
        for number in self.numbers:
            yield Sample(shards.keys[number], shards.meta(number), shards.payload(number), shards.extension(number))


def choose_speaker(built: Sequence[ShardSet], speaker_name: str | None, kind: str, where: Path) -> str:
    """The speaker whose voice is learnt: the only one, ``speaker_name``, or in raw recordings who speaks most.

    Raises:
        ShardError: there are several speakers, or none has that name; the message names them.
    """
    seconds: defaultdict[str, float] = defaultdict(float)
    for shards in built:
        for speaker, duration_s in zip(shards.speakers, shards.durations_s, strict=True):
            seconds[speaker] += duration_s
    ranked = sorted(seconds, key=lambda speaker: (-seconds[speaker], speaker))
    named = ", ".join(f"'{name}' ({length(seconds[name])})" for name in ranked[:SHOWN])
    named += f" and {len(ranked) - SHOWN} more" if len(ranked) > SHOWN else ""
    if speaker_name is not None:
        if speaker_name not in seconds:
            raise ShardError(f"--speaker {speaker_name}: nobody of that name speaks in {where}; there are {named}")
        return speaker_name
    if len(ranked) > 1 and kind == LABELLED:
        raise ShardError(f"{where}: the recordings are of several speakers; choose one with --speaker: {named}")
    return ranked[0]


def select(built: Path, out: Path, options: Options, kind: str, longest_s: float) -> dict[str, object]:
    """Write shards with the usable clips of the one speaker to ``out``.

    Raises:
        ShardError: there is too little speech, or it is not clear which speaker is meant.
    """
    splits = {split: ShardSet.open([built], split, "audio") for split in SPLITS}
    speaker = choose_speaker(list(splits.values()), options.speaker, kind, options.recordings)
    usable = {
        split: Clips(shards, [n for n in range(len(shards)) if _fits(shards, n, speaker, longest_s)])
        for split, shards in splits.items()
    }
    parts = _divided(usable["train"], usable["heldout"], options.seed)
    count, seconds = (
        sum(len(c.numbers) for p in parts.values() for c in p),
        sum(c.seconds for p in parts.values() for c in p),
    )
    if seconds < LEAST_SPEECH_S or not any(clips.numbers for clips in parts["train"]):
        total = sum(len(shards) for shards in splits.values())
        raise ShardError(
            f"{options.recordings}: {length(seconds)} of usable speech by '{speaker}' ({counted(count, 'clip')} of "
            f"{total}), at least {length(LEAST_SPEECH_S)} are needed in clips of {length(longest_s)} at most; record "
            f"more ({built / 'report'} says what was left out)"
        )
    with working_folder(out, "shards", [built]):
        infos = {
            split: [
                write_shard(shard_path(out, split, number), samples)
                for number, samples in enumerate(_batches([sample for c in clips for sample in c.samples()]))
            ]
            for split, clips in parts.items()
        }
        write_index(out, "audio", infos, {"speaker": speaker, "sources": [kind]})
    heldout_s = sum(clips.seconds for clips in parts["heldout"])
    return {"speaker": speaker, "clips": count, "seconds": round(seconds, 2), "heldout_s": round(heldout_s, 2)}


def _fits(shards: ShardSet, number: int, speaker: str, longest_s: float) -> bool:
    return shards.speakers[number] == speaker and shards.durations_s[number] <= longest_s


def _divided(train: Clips, listed: Clips, seed: int) -> dict[str, list[Clips]]:
    """The clips of both splits. Those that the user's list holds out stay so; if they are few, others join them."""
    if len(listed.numbers) >= LISTED_CLIPS:
        return {"train": [train], "heldout": [listed]}
    order = sorted(train.numbers, key=lambda n: hashlib.sha256(f"{seed} {train.shards.keys[n]}".encode()).digest())
    wanted_s, heldout = HELDOUT_SHARE * (train.seconds + listed.seconds) - listed.seconds, list[int]()
    fewest, most = HELDOUT_CLIPS
    for number in order[: len(order) - 1]:
        is_enough = sum(train.shards.durations_s[n] for n in heldout) >= wanted_s and len(heldout) >= fewest
        if is_enough or len(heldout) >= most:
            break
        heldout.append(number)
    left = [number for number in train.numbers if number not in set(heldout)]
    return {"train": [Clips(train.shards, left)], "heldout": [listed, Clips(train.shards, heldout)]}


def _batches(samples: list[Sample]) -> list[list[Sample]]:
    return [samples[start : start + SHARD_SAMPLES] for start in range(0, len(samples), SHARD_SAMPLES)]
