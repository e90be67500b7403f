"""Shards of clips; a table lists every clip that was dropped, with its reason.

A shard is a fixed slice of the sorted clips, whatever is dropped from it later, so shards are independent jobs. A build
that was killed continues with the unfinished shards and ends with the same bytes, with any number of workers.
"""

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from triforce_tts import pool
from triforce_tts.errors import ShardError, TriforceError
from triforce_tts.files import atomic_path, working_folder, write_json
from triforce_tts.judges.words import Edits
from triforce_tts.progress import track
from triforce_tts.schema import Record, read_record
from triforce_tts.shards import (
    INDEX,
    SPLITS,
    Sample,
    ShardInfo,
    listed_shards,
    remove_shards,
    shard_path,
    write_index,
    write_shard,
)
from triforce_tts.sidecars import sidecar_path

from ..common.clips import Clip, Drop
from ..common.names import printable
from ..report.report import text_cell
from . import synthetic
from .prepare import Recipe, Refused, prepare

SHARD_SAMPLES, SMALLEST_SHARD = 256, 32  # the most and the fewest clips in a shard
# A build that is too small for so many large shards has so many smaller ones.
SMALL_BUILD_SHARDS = 16
BUILD_FORMAT = 5  # raise it when the code gives other bytes for the same input
DROPS = "report/drops.csv"
KILLED = "its worker was killed"


@dataclass(frozen=True)
class Job:
    """One shard to write."""

    path: str
    clips: tuple[Clip, ...]
    recipe: Recipe
    barred: tuple[str, ...] = ()  # ids of the clips that killed a worker

    @property
    def fingerprint(self) -> str:
        """A checksum of the settings and the input: the labels of the clips, and the size and time of their files."""
        recipe = asdict(self.recipe)
        if self.recipe.hearing is None:  # shards that were finished before there was this setting stay valid
            del recipe["hearing"]
        digest = hashlib.sha256(json.dumps([BUILD_FORMAT, recipe, self.barred]).encode())
        for clip in self.clips:
            digest.update(json.dumps(_labels(clip), sort_keys=True).encode())
            if not synthetic.is_synthetic(clip):
                digest.update(_state(Path(clip.audio)).encode())
        return digest.hexdigest()


class Outcome(Record):
    """The result of building a shard."""

    info: ShardInfo
    drops: list[Drop]
    misfits: list[tuple[str, str]]  # the id of each clip whose alignment does not fit, and why it does not
    heard: tuple[int, int] = (0, 0)  # words that a recogniser heard wrongly, and all words of the clips that it heard


class _Done(Record):
    """The content of the file that lies beside a finished shard."""

    fingerprint: str
    size: int  # bytes of the tar
    sidecar: int  # bytes of the sidecar
    outcome: Outcome


@dataclass
class Built:
    """The clips and the alignments that a build left out."""

    drops: list[Drop] = field(default_factory=list)
    misfits: list[tuple[str, str]] = field(default_factory=list)
    # The number of words that the recogniser heard wrongly, with those of the clips that were dropped.
    heard: Edits = field(default=Edits(0, 0))


class NothingBuilt(ShardError):
    """No clip could be used; ``drops`` says why."""

    def __init__(self, message: str, drops: Sequence[Drop]) -> None:
        super().__init__(message)
        self.drops = list(drops)


def run_job(job: Job) -> Outcome:
    """Write one shard; if an earlier build wrote it from the same input, return the outcome of that build."""
    path = Path(job.path)
    done = path.with_suffix(".done.json")
    fingerprint = job.fingerprint
    if (earlier := _known(done, path, fingerprint)) is not None:
        return earlier
    # Without this file the old shard counts as unfinished, even if the build is killed now.
    done.unlink(missing_ok=True)
    drops: list[Drop] = []
    misfits: list[tuple[str, str]] = []
    unlucky: list[str] = []
    heard: list[Edits] = []

    def samples() -> Iterator[Sample]:
        for clip in job.clips:
            if clip.id in job.barred:
                drops.append(Drop(clip.id, 0.0, KILLED, "perhaps for want of memory"))
                continue
            try:
                prepared = prepare(clip, job.recipe)
            except Refused as refusal:
                unlucky.extend([clip.id] * refusal.again)
                drops.append(Drop(clip.id, round(refusal.seconds, 3), refusal.reason, printable(str(refusal.value))))
                if refusal.edits is not None:
                    heard.append(refusal.edits)
                continue
            if prepared.edits is not None:
                heard.append(prepared.edits)
            if prepared.misfit:
                misfits.append((clip.id, prepared.misfit))
            yield prepared.sample

    info = write_shard(path, samples())
    words = (sum(edits.wrong for edits in heard), sum(edits.total for edits in heard))
    outcome = Outcome(info=info, drops=drops, misfits=misfits, heard=words)
    if unlucky:  # no file is written that says "done", so the next build tries these clips again
        return outcome
    sizes = {"size": path.stat().st_size, "sidecar": sidecar_path(path).stat().st_size}
    write_json(done, {"fingerprint": fingerprint, **sizes, "outcome": outcome.model_dump(mode="json")})
    return outcome


def _known(done: Path, path: Path, fingerprint: str) -> Outcome | None:
    """The outcome of a shard that was finished with this fingerprint; None if there is none or it is not whole."""
    try:
        content = read_record(done, _Done)
        sizes = (path.stat().st_size, sidecar_path(path).stat().st_size)
    except (TriforceError, OSError):  # a file is missing or damaged: the shard is made again
        return None
    is_same = content.fingerprint == fingerprint and sizes == (content.size, content.sidecar)
    return content.outcome if is_same else None


def _labels(clip: Clip) -> dict[str, Any]:
    """The labels of a clip that decide the bytes of its sample, by the names that fingerprints have for them."""
    labels = asdict(clip)
    labels["source"] = labels.pop("collection")  # the name of older builds, whose finished shards stay valid
    if clip.teacher is None:
        del labels["teacher"]
    else:
        del labels["teacher"]["assets"]
    return labels


def _state(path: Path) -> str:
    """The size and time of a file; empty if the file cannot be read."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # the clip is dropped later, with this reason
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def make_jobs(clips: Sequence[Clip], held_ids: set[str], out: Path, recipe: Recipe) -> dict[str, list[Job]]:
    """The jobs of each split; the clips are ordered by a hash, so that every shard mixes speakers."""
    spread = sorted(clips, key=lambda clip: hashlib.sha256(clip.id.encode()).digest())
    splits: dict[str, list[Job]] = {}
    for split in SPLITS:
        members = [clip for clip in spread if (clip.id in held_ids) == (split == "heldout")]
        size = _shard_samples(len(members))
        splits[split] = [
            Job(str(shard_path(out, split, number)), tuple(members[start : start + size]), recipe)
            for number, start in enumerate(range(0, len(members), size))
        ]
    return splits


def _shard_samples(clips: int) -> int:
    """The number of clips in each shard of a split with so many ``clips``.

    A process works on one shard at a time, so a small build has small shards for several processes to share.
    """
    return min(SHARD_SAMPLES, max(SMALLEST_SHARD, -(-clips // SMALL_BUILD_SHARDS)))


def build(
    clips: Sequence[Clip],
    held_ids: set[str],
    out: Path,
    recipe: Recipe | None = None,
    workers: int = 1,
    details: dict[str, Any] | None = None,
    console: Console | None = None,
    drops: Sequence[Drop] = (),
    sources: Sequence[Path] = (),
    content: str = "",
    force: bool = False,
) -> Built:
    """Write the shards of ``clips`` into ``out``, and a list of the dropped clips to ``report/drops.csv``.

    Args:
        clips: what to build.
        held_ids: ids of the clips in the held-out split.
        out: a new folder, or one that an earlier build made.
        recipe: how samples are made.
        workers: number of processes.
        details: what ``index.json`` says about the build.
        console: where progress is shown.
        drops: what was left out before, for the report.
        sources: the folders that the user gave; ``out`` must not be one of them and must not contain one.
        content: a name for what is built; a folder ``out`` with another content is refused.
        force: replace another content instead of refusing.

    Raises:
        NothingBuilt: no clip could be used.
        TriforceError: ``out`` holds something else, or cannot be written.
    """
    with working_folder(out, "shards", sources, content, force):
        jobs = make_jobs(clips, held_ids, out, recipe or Recipe())
        flat = [job for split in jobs.values() for job in split]
        names = {Path(job.path).name for job in flat}
        earlier = listed_shards(out) | _noted_shards(out)
        outcomes = _work_through(flat, workers, console)
        built = Built([*drops], [])
        for outcome in outcomes.values():
            built.drops += outcome.drops
            built.misfits += outcome.misfits
            wrong, total = outcome.heard
            built.heard = Edits(built.heard.wrong + wrong, built.heard.total + total)
        _write_drops(out / DROPS, built.drops)
        if not any(outcome.info.samples for outcome in outcomes.values()):
            (out / INDEX).unlink(missing_ok=True)
            remove_shards(out, earlier | names)
            count = len(clips) + len(drops)
            raise NothingBuilt(
                f"{out}: none of the recordings could be used ({count} in all); {out / DROPS} says why", built.drops
            )
        infos = {split: [outcomes[job.path].info for job in split_jobs] for split, split_jobs in jobs.items()}
        write_index(out, "audio", infos, details or {})
        remove_shards(out, earlier - names)
    return built


def _noted_shards(out: Path) -> set[str]:
    """The names of the finished shards in ``out``, from the files beside them: a killed build has no index."""
    names = set()
    for done in out.glob("*.done.json"):
        try:
            note = read_record(done, _Done)
        except TriforceError:  # the file is not ours or is damaged: its shard is not removed
            continue
        if note.outcome.info.name == f"{done.name.removesuffix('.done.json')}.tar":
            names.add(note.outcome.info.name)
    return names


def _work_through(jobs: Sequence[Job], workers: int, console: Console | None) -> dict[str, Outcome]:
    """The outcome of each job, by its path and in the order of the jobs."""
    outcomes: dict[str, Outcome] = {}
    killed: list[Job] = []
    for job, outcome in track(pool.run(run_job, jobs, min(workers, len(jobs))), "build", len(jobs), console):
        if outcome is None:
            killed.append(job)
        else:
            outcomes[job.path] = outcome
    for job in killed:
        outcomes[job.path] = _without_guilty(job)
    return {job.path: outcomes[job.path] for job in jobs}


def _without_guilty(job: Job) -> Outcome:
    """The outcome of a job that killed its worker twice, without the clips that kill a worker.

    To find these clips, a worker prepares each clip of the job alone.
    """
    alone = [replace(job, clips=(clip,)) for clip in job.clips]
    guilty = [probe.clips[0].id for probe, outcome in pool.run(_probe, alone, 2) if outcome is None]
    again = replace(job, barred=tuple(sorted(guilty)))
    for _, outcome in pool.run(run_job, [again], 2) if guilty else ():
        if outcome is not None:
            return outcome
    raise ShardError(
        f"{job.path}: its worker was killed twice, perhaps for want of memory; run the same command again "
        "with fewer --workers; finished shards are kept"
    )


def _probe(job: Job) -> bool:
    """Prepare the clips of a job and throw the samples away; the caller only sees whether the worker survives."""
    for clip in job.clips:
        try:
            prepare(clip, job.recipe)
        except Refused:
            continue
    return True


def _write_drops(path: Path, drops: Sequence[Drop]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "seconds", "reason", "value"])
        writer.writerows(
            [text_cell(drop.id), drop.seconds, drop.reason, text_cell(printable(drop.value))] for drop in drops
        )
