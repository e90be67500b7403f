"""Shards of labelled recordings, every dropped second accounted for.

A shard is a fixed slice of the recordings, whatever is later dropped from it, so shards are independent jobs: a
killed build goes on where it stopped and ends with the same bytes, with any number of workers.
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

from ..common.clips import Drop, Recording
from ..common.names import printable
from ..report.report import text_cell
from . import synthetic
from .prepare import Recipe, Refused, prepare

SHARD_SAMPLES = 256
BUILD_FORMAT = 3  # raised when the same input would give other bytes
DROPS = "report/drops.csv"
KILLED = "its worker was killed"


@dataclass(frozen=True)
class Job:
    """One shard to write."""

    path: str
    recordings: tuple[Recording, ...]
    recipe: Recipe
    barred: tuple[str, ...] = ()  # ids of the recordings that killed a worker

    @property
    def fingerprint(self) -> str:
        """Changes when the input or the settings do: the recordings' labels, and their files' sizes and times."""
        digest = hashlib.sha256(json.dumps([BUILD_FORMAT, asdict(self.recipe), self.barred]).encode())
        for recording in self.recordings:
            digest.update(json.dumps(_labels(recording), sort_keys=True).encode())
            if not synthetic.is_synthetic(recording):
                digest.update(_state(Path(recording.audio)).encode())
        return digest.hexdigest()


class Outcome(Record):
    """What became of a shard."""

    info: ShardInfo
    drops: list[Drop]
    misfits: list[tuple[str, str]]  # id of each recording whose alignment was not taken, and why


class _Done(Record):
    """The file beside a finished shard."""

    fingerprint: str
    size: int  # bytes of the tar
    sidecar: int  # bytes
    outcome: Outcome


@dataclass
class Built:
    """What a build left out."""

    drops: list[Drop] = field(default_factory=list)
    misfits: list[tuple[str, str]] = field(default_factory=list)


class NothingBuilt(ShardError):
    """Nothing could be used; ``drops`` says why."""

    def __init__(self, message: str, drops: Sequence[Drop]) -> None:
        super().__init__(message)
        self.drops = list(drops)


def run_job(job: Job) -> Outcome:
    """Write one shard, or return what an earlier build wrote of the same input."""
    path = Path(job.path)
    done = path.with_suffix(".done.json")
    fingerprint = job.fingerprint
    if (known := _known(done, path, fingerprint)) is not None:
        return known
    done.unlink(missing_ok=True)  # from here on the old shard does not count, whatever happens
    drops: list[Drop] = []
    misfits: list[tuple[str, str]] = []
    unlucky: list[str] = []

    def samples() -> Iterator[Sample]:
        for recording in job.recordings:
            if recording.id in job.barred:
                drops.append(Drop(recording.id, 0.0, KILLED, "perhaps for want of memory"))
                continue
            try:
                prepared = prepare(recording, job.recipe)
            except Refused as refusal:
                unlucky.extend([recording.id] * refusal.again)
                drops.append(
                    Drop(recording.id, round(refusal.seconds, 3), refusal.reason, printable(str(refusal.value)))
                )
                continue
            if prepared.misfit:
                misfits.append((recording.id, prepared.misfit))
            yield prepared.sample

    outcome = Outcome(info=write_shard(path, samples()), drops=drops, misfits=misfits)
    if unlucky:  # the next build tries again
        return outcome
    sizes = {"size": path.stat().st_size, "sidecar": sidecar_path(path).stat().st_size}
    write_json(done, {"fingerprint": fingerprint, **sizes, "outcome": outcome.model_dump(mode="json")})
    return outcome


def _known(done: Path, path: Path, fingerprint: str) -> Outcome | None:
    """What became of a shard that was finished with this fingerprint, if it is still whole."""
    try:
        content = read_record(done, _Done)
        sizes = (path.stat().st_size, sidecar_path(path).stat().st_size)
    except (TriforceError, OSError):  # not there, or damaged: the shard is made again
        return None
    is_same = content.fingerprint == fingerprint and sizes == (content.size, content.sidecar)
    return content.outcome if is_same else None


def _labels(recording: Recording) -> dict[str, Any]:
    """What decides the bytes of a sample beside its file."""
    labels = asdict(recording)
    if recording.teacher is None:
        del labels["teacher"]
    else:
        del labels["teacher"]["assets"]
    return labels


def _state(path: Path) -> str:
    """Size and time of a file; nothing where it cannot be had."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # the recording is dropped later, with the reason
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def make_jobs(recordings: Sequence[Recording], held: set[str], out: Path, recipe: Recipe) -> dict[str, list[Job]]:
    """The shards of each split; recordings are spread by a hash, so that every shard mixes speakers."""
    spread = sorted(recordings, key=lambda r: hashlib.sha256(r.id.encode()).digest())
    splits: dict[str, list[Job]] = {}
    for split in SPLITS:
        members = [r for r in spread if (r.id in held) == (split == "heldout")]
        splits[split] = [
            Job(str(shard_path(out, split, number)), tuple(members[start : start + SHARD_SAMPLES]), recipe)
            for number, start in enumerate(range(0, len(members), SHARD_SAMPLES))
        ]
    return splits


def build(
    recordings: Sequence[Recording],
    held: set[str],
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
    """Write the shards of ``recordings`` into ``out``; what is left out is returned and written to ``report/drops.csv``.

    Args:
        recordings: what to build.
        held: ids of the held-out split.
        out: a new folder, or one that an earlier build made.
        recipe: how samples are made.
        workers: processes.
        details: what ``index.json`` shall say of the build.
        console: where progress goes.
        drops: what was left out before, for the report.
        sources: the folders of the recordings, which ``out`` must not touch.
        content: names what is built; an ``out`` of another content is refused.
        force: replace another content.

    Raises:
        NothingBuilt: nothing could be used.
        TriforceError: ``out`` holds something else, or cannot be written.
    """
    with working_folder(out, "shards", sources, content, force):
        jobs = make_jobs(recordings, held, out, recipe or Recipe())
        flat = [job for split in jobs.values() for job in split]
        names = {Path(job.path).name for job in flat}
        earlier = listed_shards(out) | _noted_shards(out)
        outcomes = _work_through(flat, workers, console)
        built = Built([*drops], [])
        for outcome in outcomes.values():
            built.drops += outcome.drops
            built.misfits += outcome.misfits
        _write_drops(out / DROPS, built.drops)
        if not any(outcome.info.samples for outcome in outcomes.values()):
            (out / INDEX).unlink(missing_ok=True)
            remove_shards(out, earlier | names)
            count = len(recordings) + len(drops)
            raise NothingBuilt(
                f"{out}: nothing of {count} recordings could be used; {out / DROPS} says why", built.drops
            )
        infos = {split: [outcomes[job.path].info for job in split_jobs] for split, split_jobs in jobs.items()}
        write_index(out, "audio", infos, details or {})
        remove_shards(out, earlier - names)
    return built


def _noted_shards(out: Path) -> set[str]:
    """Names of the finished shards in ``out`` by the files beside them: a killed build has no index."""
    found = set()
    for done in out.glob("*.done.json"):
        try:
            note = read_record(done, _Done)
        except TriforceError:  # not ours, or damaged: it stays
            continue
        if note.outcome.info.name == f"{done.name.removesuffix('.done.json')}.tar":
            found.add(note.outcome.info.name)
    return found


def _work_through(jobs: Sequence[Job], workers: int, console: Console | None) -> dict[str, Outcome]:
    """The outcome of each job, by its path and in the order of the jobs."""
    found: dict[str, Outcome] = {}
    killed: list[Job] = []
    for job, outcome in track(pool.run(run_job, jobs, min(workers, len(jobs))), "build", len(jobs), console):
        if outcome is None:
            killed.append(job)
        else:
            found[job.path] = outcome
    for job in killed:
        found[job.path] = _without_guilty(job)
    return {job.path: found[job.path] for job in jobs}


def _without_guilty(job: Job) -> Outcome:
    """The outcome of a job that killed its worker twice: without the recordings that do it, each alone."""
    alone = [replace(job, recordings=(recording,)) for recording in job.recordings]
    guilty = [probe.recordings[0].id for probe, outcome in pool.run(_probe, alone, 2) if outcome is None]
    again = replace(job, barred=tuple(sorted(guilty)))
    for _, outcome in pool.run(run_job, [again], 2) if guilty else ():
        if outcome is not None:
            return outcome
    raise ShardError(
        f"{job.path}: its worker was killed twice, perhaps for want of memory; run the same command again "
        "with fewer --workers, finished shards are kept"
    )


def _probe(job: Job) -> bool:
    """Prepare the recordings of a job and throw the samples away: only whether the worker lives matters."""
    for recording in job.recordings:
        try:
            prepare(recording, job.recipe)
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
