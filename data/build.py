"""``triforce-tts build``: labelled recordings in, shards out, every dropped second accounted for.

A shard is a fixed slice of the recordings, whatever is later dropped from it, so shards are independent jobs: a
killed build goes on where it stopped and ends with the same bytes, with any number of workers.
"""

import csv
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import track

from triforce_tts import pool
from triforce_tts.audio.edit import bandwidth_hz, normalize_level
from triforce_tts.audio.io import Audio, encode_flac, encode_opus, read_audio
from triforce_tts.errors import AudioError, ShardError
from triforce_tts.files import atomic_path, write_json
from triforce_tts.shards import (
    SPLITS,
    Sample,
    ShardInfo,
    ShardSet,
    remove_stale,
    shard_path,
    write_index,
    write_shard,
)
from triforce_tts.text import alignment

from . import babble, synthetic
from .align import aligner
from .report import text_cell
from .sources import HELDOUT, HeldOut, Recording, find_recordings, read_heldout

SHARD_SAMPLES = 256
BABBLE_SENTENCES = 64  # made up when no texts are given
ENCODERS: dict[str, Callable[[Audio], bytes]] = {"flac": encode_flac, "opus": encode_opus}
BUILD_FORMAT = 1  # raised when the same input would give other bytes


@dataclass(frozen=True)
class Limits:
    """What a recording must keep to; beside each number, why."""

    min_seconds: float = 0.7  # shorter ones hold no whole word with its ends
    max_seconds: float = 35.0  # longer ones are not sentences
    min_characters_per_second: float = 3.0  # below: text is missing
    max_characters_per_second: float = 30.0  # above: sound is missing
    max_clipped: float = 0.001  # share of samples at full scale


@dataclass(frozen=True)
class Job:
    """One shard to write."""

    path: str
    recordings: tuple[Recording, ...]
    sample_rate: int | None
    limits: Limits
    align: bool = False
    codec: str = "flac"

    @property
    def fingerprint(self) -> str:
        """Changes when the input or the settings do: the recordings' labels, and their files' sizes and times."""
        settings = [BUILD_FORMAT, self.sample_rate, asdict(self.limits), *(["align"] if self.align else [])]
        settings += [self.codec] if self.codec != "flac" else []
        digest = hashlib.sha256(json.dumps(settings).encode())
        for recording in self.recordings:
            known = {name: value for name, value in asdict(recording).items() if value is not None}
            digest.update(json.dumps(known, sort_keys=True).encode())
            file = Path(recording.audio)
            if not synthetic.is_synthetic(recording) and file.is_file():
                status = file.stat()
                digest.update(f"{status.st_size} {status.st_mtime_ns}".encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Drop:
    """A recording that was left out."""

    id: str
    seconds: float
    reason: str
    value: str


class _Refused(Exception):
    def __init__(self, reason: str, value: object, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.value, self.seconds = reason, value, seconds


def prepare(
    recording: Recording, sample_rate: int | None, limits: Limits, align: bool = False, codec: str = "flac"
) -> Sample:
    """The sample of one recording: checked, resampled, levelled, with its words placed if ``align``, encoded."""
    if not recording.text.strip():
        raise _Refused("no text", "")
    try:
        made = synthetic.is_synthetic(recording)
        audio = synthetic.make(recording) if made else read_audio(recording.audio)
    except AudioError as error:
        raise _Refused("unreadable", error) from error
    _check(recording, audio, limits)
    band = bandwidth_hz(audio.samples, audio.sample_rate)
    if sample_rate is not None and sample_rate != audio.sample_rate:
        audio = _resample(audio, sample_rate)
    levelled, gain_db = normalize_level(audio.samples, audio.sample_rate)
    audio = Audio(levelled, audio.sample_rate)
    meta: dict[str, Any] = {
        "id": recording.id,
        "text": recording.text,
        "speaker": recording.speaker,
        "source": recording.source,
        "license": recording.license,
        "punct": recording.punct,
        "sample_rate": audio.sample_rate,
        "duration_s": round(audio.duration_s, 4),
        "gain_db": round(gain_db, 2),
        "bandwidth_hz": min(band, audio.sample_rate // 2),
    }
    optional = {"reader": recording.reader, "snr_db": recording.snr_db}
    meta |= {name: value for name, value in optional.items() if value is not None}
    if align and (words := _align(recording, audio)) is not None:
        meta[alignment.KEY] = words
    return Sample(recording.id, meta, ENCODERS[codec](audio), codec)


def _align(recording: Recording, audio: Audio) -> list[list[float]] | None:
    if synthetic.is_synthetic(recording) and (known := synthetic.known_alignment(recording)) is not None:
        return known
    return aligner()(audio, recording.text)


def _resample(audio: Audio, sample_rate: int) -> Audio:
    import soxr  # type: ignore[import-untyped]

    wave = soxr.resample(audio.samples.numpy(), audio.sample_rate, sample_rate)
    return Audio(torch.from_numpy(wave).float().clamp(-1, 1), sample_rate)


def _check(recording: Recording, audio: Audio, limits: Limits) -> None:
    seconds = audio.duration_s
    if seconds < limits.min_seconds:
        raise _Refused("too short", f"{seconds:.2f} s", seconds)
    if seconds > limits.max_seconds:
        raise _Refused("too long", f"{seconds:.2f} s", seconds)
    rate = len(recording.text) / seconds
    if not limits.min_characters_per_second <= rate <= limits.max_characters_per_second:
        raise _Refused("text does not fit", f"{rate:.1f} characters a second", seconds)
    peak = float(audio.samples.abs().max())
    if peak < 1e-4:
        raise _Refused("silent", f"peak {peak:.1e}", seconds)
    clipped = float((audio.samples.abs() > 0.999).float().mean())
    if clipped > limits.max_clipped:
        raise _Refused("clipped", f"{100 * clipped:.2f} %", seconds)


def run_job(job: Job) -> tuple[ShardInfo, list[Drop]]:
    """Write one shard, or return what an earlier build wrote of the same input."""
    path = Path(job.path)
    done = path.with_suffix(".done.json")
    fingerprint = job.fingerprint
    if done.is_file() and _is_whole(path):
        content = json.loads(done.read_text(encoding="utf-8"))
        if content["fingerprint"] == fingerprint:
            return ShardInfo(**content["info"]), [Drop(**drop) for drop in content["drops"]]
    done.unlink(missing_ok=True)  # from here on the old shard does not count, whatever happens
    drops: list[Drop] = []

    def samples() -> Iterator[Sample]:
        for recording in job.recordings:
            try:
                yield prepare(recording, job.sample_rate, job.limits, job.align, job.codec)
            except _Refused as refusal:
                drops.append(Drop(recording.id, round(refusal.seconds, 3), refusal.reason, str(refusal.value)))

    info = write_shard(path, samples())
    write_json(done, {"fingerprint": fingerprint, "info": asdict(info), "drops": [asdict(drop) for drop in drops]})
    return info, drops


def _is_whole(path: Path) -> bool:
    """Whether a shard has the size that its sidecar gives."""
    sidecar = path.with_suffix(".index.json")
    if not (path.is_file() and sidecar.is_file()):
        return False
    return bool(json.loads(sidecar.read_text(encoding="utf-8")).get("size") == path.stat().st_size)


def make_jobs(
    recordings: list[Recording],
    held: set[str],
    out: Path,
    sample_rate: int | None,
    limits: Limits,
    align: bool = False,
    codec: str = "flac",
) -> dict[str, list[Job]]:
    """The shards of each split; recordings are spread by a hash, so that every shard mixes speakers."""
    spread = sorted(recordings, key=lambda r: hashlib.sha256(r.id.encode()).digest())
    splits: dict[str, list[Job]] = {}
    for split in SPLITS:
        members = [r for r in spread if (r.id in held) == (split == "heldout")]
        splits[split] = [
            Job(
                str(shard_path(out, split, number)),
                tuple(members[start : start + SHARD_SAMPLES]),
                sample_rate,
                limits,
                align,
                codec,
            )
            for number, start in enumerate(range(0, len(members), SHARD_SAMPLES))
        ]
    return splits


def build(
    recordings: list[Recording],
    held: set[str],
    out: Path,
    sample_rate: int | None = None,
    workers: int = 1,
    details: dict[str, Any] | None = None,
    limits: Limits | None = None,
    console: Console | None = None,
    align: bool = False,
    codec: str = "flac",
) -> list[Drop]:
    """Write the shards of ``recordings`` into ``out``; the drops are returned and written to ``report/drops.csv``."""
    jobs = make_jobs(recordings, held, out, sample_rate, limits or Limits(), align, codec)
    flat = [job for split in jobs.values() for job in split]
    out.mkdir(parents=True, exist_ok=True)
    results: dict[str, tuple[ShardInfo, list[Drop]]] = {}
    for job, result in track(pool.run(run_job, flat, workers), "build", len(flat), console=console):
        if result is None:
            raise ShardError(
                f"{job.path}: its worker was killed twice, perhaps for want of memory; run the same command again "
                "with fewer --workers, finished shards are kept"
            )
        results[job.path] = result
    drops = [drop for job in flat for drop in results[job.path][1]]
    infos = {split: [results[job.path][0] for job in split_jobs] for split, split_jobs in jobs.items()}
    _write_drops(out / "report" / "drops.csv", drops)
    write_index(out, "audio", infos, details or {})
    remove_stale(out, [Path(job.path) for job in flat])
    return drops


def _write_drops(path: Path, drops: list[Drop]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "seconds", "reason", "value"])
        writer.writerows([drop.id, drop.seconds, drop.reason, text_cell(drop.value)] for drop in drops)


def command(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SRC...",
            help="Labelled folders (manifest.jsonl, x.wav + x.txt, LJSpeech, LibriSpeech); with --config: recordings, "
            "folders, feeds (.xml), lists of URLs (.urls), URLs.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the shards.")] = Path("shards/built"),
    config: Annotated[
        str | None,
        typer.Option(help="Cut and label raw recordings: podcast, audiobook, or a path to a .yaml file."),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="With --config: override a setting, as cut.max_seconds=15.")
    ] = None,
    heldout: Annotated[
        Path | None, typer.Option(help="JSON list of what is never trained on; default: heldout.json in a source.")
    ] = None,
    sample_rate: Annotated[
        int | None, typer.Option(help="Hz to store; a model's own rate saves work in training. Default: as recorded.")
    ] = None,
    codec: Annotated[str | None, typer.Option(help="flac (lossless, default) or opus (a sixth of the size).")] = None,
    workers: Annotated[int, typer.Option(help="Processes.")] = 2,
    synthetic_texts: Annotated[
        Path | None, typer.Option("--synthetic", help="Speak the lines of this text file instead of reading sources.")
    ] = None,
    engine: Annotated[str, typer.Option(help="Synthesiser: flite (a program) or babble (a toy, built in).")] = "flite",
    voices: Annotated[
        str, typer.Option(help="Voices of the engine, with commas; texts go round them. Default: rms; all of babble's.")
    ] = "",
    every_voice: Annotated[bool, typer.Option("--every-voice", help="Speak each text in every voice.")] = False,
    sentences: Annotated[int, typer.Option(min=0, help="Use so many of the texts; 0: all.")] = 0,
    max_characters: Annotated[int, typer.Option(min=10, help="Cut longer texts at punctuation.")] = 200,
    align: Annotated[
        bool, typer.Option("--align", help="Write down when each word and sound is spoken: the GPT learns faster.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be built; build nothing.")] = False,
    only: Annotated[
        str, typer.Option(help="With --config: fetch, process or assemble alone, for work on many machines.")
    ] = "all",
    part: Annotated[
        str, typer.Option(help="With --only process: i/n takes every n-th recording, from the i-th on.")
    ] = "1/1",
    ray: Annotated[
        str | None, typer.Option(help="With --config: address of a Ray cluster to process on, or 'auto'.")
    ] = None,
) -> None:
    """Build training shards: from labelled recordings, from a synthesiser, or (--config) from raw recordings.

    Labelled recordings are checked (length, text against length, silence, clipping), brought to one level and stored
    with their text, reader, source and licence. Raw ones are cut at pauses first, told apart by speaker, written down
    and judged: docs/data.md has the steps. Killed and run again, a build continues and ends with the same shards. What
    was dropped, and why, is in OUT/report.

    Examples:

      triforce-tts build recordings/ --out shards/real --sample-rate 16000 --align

      triforce-tts build feed.xml episodes/ --config podcast --out shards/podcast

      triforce-tts build mybook/ --config audiobook --out shards/mybook

      triforce-tts build --synthetic texts.txt --engine flite --voices rms,slt,awb --out shards/flite

      triforce-tts build --engine babble --out shards/toy
    """
    console = Console(stderr=True)
    if config is not None:
        from . import scrape

        overrides = [*(set_ or ())]
        overrides += [f"codec={codec}"] if codec else []
        overrides += [f"sample_rate={sample_rate}"] if sample_rate else []
        scrape.run(sources or [], out, scrape.load_config(config, overrides), workers, console,
                   only=only, part=part, ray=ray, dry_run=dry_run)  # fmt: skip
        return
    if set_ or ray or only != "all" or part != "1/1":
        raise ShardError("--set, --ray, --only and --part are for raw recordings: give --config podcast too")
    if codec not in (None, *ENCODERS):
        raise ShardError(f"--codec {codec}: expected one of {', '.join(ENCODERS)}")
    folders = [Path(source) for source in sources or ()]
    lists = [heldout] if heldout else [s / HELDOUT for s in folders if (s / HELDOUT).is_file()]
    held_list = HeldOut()
    for path in lists:
        held_list |= read_heldout(path)
    if synthetic_texts is not None or (engine == "babble" and not sources):
        if sources:
            raise ShardError("give either sources or --synthetic, not both")
        if synthetic_texts is None:
            texts = babble.sentences(sentences or BABBLE_SENTENCES)
        else:
            texts = synthetic.read_texts(synthetic_texts, max_characters, held_list)
        chosen = voices.split(",") if voices else ["rms"] if engine == "flite" else synthetic.voices_of(engine)
        recordings, held = synthetic.plan(texts, engine, chosen, sentences, every_voice, held_list)
    elif sources:
        recordings = find_recordings(folders)
        held = {r.id for r in recordings if held_list.holds(r)}
    else:
        raise ShardError("nothing to build: give folders with recordings, or --synthetic TEXTS")
    named = ", ".join(str(path) for path in lists) or "none"
    console.print(f"{len(recordings)} recordings, {len(held)} held out (list: {named})", soft_wrap=True)
    if dry_run:
        for (source, license_), count in sorted(Counter((r.source, r.license) for r in recordings).items()):
            console.print(f"  {source} ({license_}): {count} recordings", soft_wrap=True)
        return
    details = {
        "sources": sorted({r.source for r in recordings}),
        "sample_rate": sample_rate,
        "limits": asdict(Limits()),
        "aligned": align,
    }
    drops = build(recordings, held, out, sample_rate, workers, details, console=console, align=align,
                  codec=codec or "flac")  # fmt: skip
    _summarise(out, drops, console)


def _summarise(out: Path, drops: list[Drop], console: Console) -> None:
    hours: defaultdict[tuple[str, str], float] = defaultdict(float)
    for split in SPLITS:
        kept = ShardSet.open([out], split, "audio")
        placed = 0
        for meta in map(kept.meta, range(len(kept))):
            hours[meta["source"], meta["license"]] += meta["duration_s"] / 3600
            placed += alignment.KEY in meta
        told = f", {placed} aligned" if placed else ""
        console.print(f"{split}: kept {len(kept)} recordings, {sum(kept.durations_s) / 3600:.2f} h{told}")
    for (source, license_), value in sorted(hours.items()):
        console.print(f"  {source} ({license_}): {value:.2f} h")
    reasons = Counter(drop.reason for drop in drops)
    seconds = sum(drop.seconds for drop in drops)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "nothing"
    console.print(f"dropped {len(drops)} recordings, {seconds:.0f} s: {told} (report/drops.csv)")
