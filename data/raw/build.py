"""Builds shards of raw recordings in three parts: fetch the recordings, process each one, and assemble the shards.

Each part can be run alone, on one machine or on many, because the parts exchange their results through OUT/work.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from triforce_tts import pool, schema
from triforce_tts.audio.io import claimed_seconds
from triforce_tts.audio.streaming import stream_audio
from triforce_tts.errors import ConfigError, ShardError
from triforce_tts.files import require_own, working_folder
from triforce_tts.leftovers import sweep
from triforce_tts.progress import bars
from triforce_tts.shards import DISJOINT, SPLITS, ShardSet
from triforce_tts.wording import counted, length

from ..common.heldout import HeldOut, read_heldout
from ..common.segments import UNKNOWN, Failure, Wave
from ..report.report import Read, write_report
from ..report.tally import KEPT, RecordingRows, Step, Tally
from ..steps.transcribe import model_name, weights_folder
from . import assemble
from .find import find_recordings, local_sources
from .pipeline import BuilderConfig, Work, process
from .results import Account, failed, finished, read_recordings, work_folder, write_failed, write_recordings

BYTES_PER_SAMPLE = 1.2  # FLAC needs about three fifths of the two bytes that a 16-bit sample of speech has
TEXT_CHECKS, OLD_TEXT_CHECKS = "text_checks", "text"  # the new and the old name of a section of the configuration
Part = Literal["all", "fetch", "process", "assemble"]
PARTS: tuple[Part, ...] = get_args(Part)
TOLD = 10  # how many failures the terminal shows; the report has all of them
CONTENT = "shards of raw recordings"  # the content that the marker file in OUT names


def load_config(
    name: str, settings: Sequence[str] = (), warn: Callable[[str], None] = lambda line: None
) -> BuilderConfig:
    """The builder's configuration ``name``, a file or one of ``configs/data``, with overrides.

    The section ``text_checks`` had the name ``text`` earlier. The old name is still read, and ``warn`` gets a line.

    Raises:
        ConfigError: the configuration is wrong, or has the section under both names.
    """
    path = schema.find("data", name)
    values = schema.override(schema.read_yaml(path), settings)
    if OLD_TEXT_CHECKS in values:
        if TEXT_CHECKS in values:
            raise ConfigError(f"{path}: '{OLD_TEXT_CHECKS}' is the old name of '{TEXT_CHECKS}'; give the new one alone")
        values[TEXT_CHECKS] = values.pop(OLD_TEXT_CHECKS)
        warn(f"{path}: the section '{OLD_TEXT_CHECKS}' is called '{TEXT_CHECKS}' now; please rename it")
    return schema.parse(BuilderConfig, values, str(path))


def run(
    words: Sequence[str],
    out: Path,
    config: BuilderConfig,
    workers: int,
    console: Console,
    *,
    only: str = "all",
    part: str = "1/1",
    ray: str | None = None,
    dry_run: bool = False,
    heldout: Path | None = None,
    force: bool = False,
) -> None:
    """Do what the command line asks for; ``heldout`` is a JSON file with a held-out list.

    Raises:
        ShardError: an option has a wrong value; the machine could not process some of the recordings (all others are
            done then); or for the reasons of ``build``.
    """
    if only not in PARTS:
        raise ShardError(f"--only {only}: expected one of {', '.join(PARTS)}")
    numbers = re.fullmatch(r"(\d{1,6})/(\d{1,6})", part, re.ASCII)
    share = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    if not 1 <= share[0] <= share[1]:
        raise ShardError(f"--part {part}: expected i/n with i from 1 to n, such as 3/8")
    if share[1] > 1 and only != "process":
        raise ShardError(f"--part {part}: only processing can be divided between machines; add --only process")
    held_list = HeldOut() if heldout is None else read_heldout(heldout)
    if held_list.unknown:
        unknown = ", ".join(map(repr, held_list.unknown))
        tell(console, f"{heldout}: {unknown} is no kind of list; nothing is held out by it")
    if dry_run:
        foretell(words, out, config, console)
        return
    accounts = build(words, out, config, workers, console, only, share, ray, held_list, force)
    if only in ("all", "assemble"):
        summarise(out, accounts, console)
    if unlucky := [account for account in accounts if account.again]:
        raise ShardError(
            f"{len(unlucky)} of {counted(len(accounts), 'recording')} could not be processed on this machine, such as "
            f"{unlucky[0].recording.path} ({unlucky[0].error}); everything else is done; run the same "
            "command to try again"
        )


def build(
    words: Sequence[str],
    out: Path,
    config: BuilderConfig,
    workers: int,
    console: Console,
    part: Part = "all",
    share: tuple[int, int] = (1, 1),
    ray: str | None = None,
    held_list: HeldOut | None = None,
    force: bool = False,
) -> list[Account]:
    """Build shards of the recordings that the sources ``words`` name; finished recordings are not processed again.

    Args:
        words: the sources: files, folders, feeds, lists of URLs, URLs.
        out: folder for the shards, the report and the intermediate results.
        config: the settings of every step.
        workers: number of processes.
        console: where progress is shown.
        part: do only this part; ``process`` and ``assemble`` take the recordings that ``fetch`` found.
        share: (i, n): process only every n-th recording from the i-th on, for n machines that share ``out``.
        ray: address of a Ray cluster that processes the recordings instead.
        held_list: the held-out list.
        force: replace shards in ``out`` that have another content.

    Raises:
        ShardError: there is nothing to build, nothing could be used, or some recordings are not processed yet.
        TriforceError: ``out`` holds files that this program did not make, or another process assembles there.
    """
    work = out / "work"
    if part in ("all", "fetch"):
        with working_folder(out, "shards", local_sources(words), CONTENT, force):
            recordings, failures = find_recordings(
                words, out / "downloads", config.fetch, lambda line: tell(console, line)
            )
            write_recordings(work, recordings, failures)
        tell(console, f"found {counted(len(recordings), 'recording')}; {len(failures)} could not be read or fetched")
    require_own(out, "shards")
    recordings, failures = read_recordings(work)
    jobs = [Work(recording, str(work_folder(out, recording)), config) for recording in recordings]
    accounts: list[Account] = []
    if part in ("all", "process"):
        try:
            accounts = work_through(jobs[share[0] - 1 :: share[1]], workers, console, ray)
        except BaseException:
            sweep(work)  # its workers were ended in the middle of recordings, whose decoded sound is large
            raise
    if part in ("all", "assemble"):
        accounts = accounts or read_accounts(jobs)
        with working_folder(out, "shards", (), CONTENT, force):
            finish(out, accounts, failures, config, console, held_list or HeldOut())
    return accounts


def tell(console: Console, line: str) -> None:
    """Print a line for the user; its content, such as the title of a feed, is plain text, not markup."""
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def read_accounts(jobs: Sequence[Work]) -> list[Account]:
    """The accounts of all recordings.

    Raises:
        ShardError: some recordings are not processed with these settings yet.
    """
    accounts: list[Account] = []
    missing: list[Work] = []
    for job in jobs:
        folder, stamp = Path(job.folder), job.fingerprint
        account = finished(folder, stamp) or failed(folder, stamp)
        if account is None:
            missing.append(job)
        else:
            accounts.append(account)
    if missing:
        raise ShardError(
            f"not processed with these settings yet: {len(missing)} of {counted(len(jobs), 'recording')}, such as "
            f"{missing[0].recording.path}; run the same command with --only process first"
        )
    return accounts


def needs_whisper(job: Work) -> bool:
    """Whether the recording still has to be transcribed by Whisper."""
    to_write = job.config.transcribe.engine in ("whisper", "faster-whisper") and job.recording.text is None
    return to_write and finished(Path(job.folder), job.fingerprint) is None


def work_through(jobs: Sequence[Work], workers: int, console: Console, ray: str | None) -> list[Account]:
    """Process the recordings; the result is the account of each job, in order. The bar counts the length of sound."""
    lengths = {job.recording.id: claimed_seconds(Path(job.recording.path)) for job in jobs}
    if not ray and any(needs_whisper(job) for job in jobs):
        weights_folder(jobs[0].config.transcribe)  # if the weights cannot be fetched, the build stops now, not in hours
    outcomes = pool.run_on_ray(process, jobs, ray) if ray else pool.run(process, jobs, workers)
    done: dict[str, Account] = {}
    columns = (
        TextColumn("build"), BarColumn(), TextColumn("{task.fields[state]}"), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with bars(*columns, console=console) as progress, closing(outcomes):
        seconds, total = 0.0, sum(lengths.values())
        task = progress.add_task("build", total=total or None, state=f"0 of {length(total)}")
        for job, account in outcomes:
            if account is None:
                account = Account(job.recording, "its worker was killed twice, perhaps for want of memory", again=True)
                write_failed(Path(job.folder), job.fingerprint, account)
            done[job.recording.id] = account
            seconds += lengths[job.recording.id]
            state = f"{length(seconds)} of {length(total)}, {len(done)} of {len(jobs)}"
            progress.update(task, completed=seconds, state=state)
    return [done[job.recording.id] for job in jobs]


def finish(
    out: Path,
    accounts: Sequence[Account],
    failures: Sequence[Failure],
    config: BuilderConfig,
    console: Console,
    held_list: HeldOut,
) -> None:
    """Write the report, the shards and ``index.json`` of the recordings that were processed.

    Raises:
        ShardError: no recording gave any sample.
    """
    used = [account for account in accounts if not account.error]
    failures = [*failures, *(Failure(a.recording.path, a.error) for a in accounts if a.error)]
    plan = assemble.make_plan(out, used, config, held_list)
    if plan.unmatched:
        tell(console, f"held-out list: no recording or reader is called {', '.join(map(repr, plan.unmatched))}")
    settings = config.model_dump(mode="json")
    settings["transcribe"]["model"] = model_name(config.transcribe.model)
    details = {
        "config": settings,
        "sample_rate": config.sample_rate,
        "sources": sorted({account.recording.collection for account in accounts}),
        "recordings": len(accounts),
        "aligned": config.align.enabled,
        DISJOINT: plan.is_disjoint,
    }
    rows = (RecordingRows(a.recording, a.duration_s, assemble.rows_of(out, a, plan), a.faults) for a in used)
    # The report is written first: if no segment was kept, it says why.
    tally = write_report(out / "report", rows, failures, steps_of(used, plan), reader(used))
    tell_losses(out, tally, failures, console)
    assemble.assemble(out, plan, config, details, console)


def steps_of(accounts: Sequence[Account], plan: assemble.Plan) -> list[Step]:
    """The sums of each step over all recordings; the last step works on all recordings together and is not timed."""
    totals: dict[str, list[float]] = {}
    for account in accounts:
        for name, figures in account.steps.items():
            totals[name] = [a + b for a, b in zip(totals.get(name, [0.0] * 3), figures, strict=True)]
    steps = [Step(name, *figures) for name, figures in totals.items()]
    lost = sum(plan.parts.durations_s[i] for i, key in enumerate(plan.parts.keys) if key in plan.reasons)
    return [*steps, Step("duplicates and split", sum(plan.parts.durations_s), lost, 0.0)]


def reader(accounts: Sequence[Account]) -> Read:
    """A function that gives the report the samples of some stretches of a recording.

    It decodes the recording again from the beginning and does not seek: after damage, and in some formats anywhere,
    seeking leads to other samples.
    """
    paths = {account.recording.id: Path(account.recording.path) for account in accounts}

    def read(name: str, stretches: Sequence[tuple[float, float]]) -> tuple[list[Wave], int]:
        stream = stream_audio(paths[name])
        rate = stream.sample_rate
        places = [(round(start_s * rate), round(end_s * rate)) for start_s, end_s in stretches]
        pieces: list[list[Wave]] = [[np.zeros(0, np.float32)] for _ in places]
        position, end = 0, max(last for _, last in places)
        for block in stream.blocks:
            for (first, last), parts in zip(places, pieces, strict=True):
                if first < position + len(block) and last > position:
                    parts.append(block[max(0, first - position) : last - position])
            position += len(block)
            if position >= end:
                break
        return [np.concatenate(parts) for parts in pieces], rate

    return read


def foretell(words: Sequence[str], out: Path, config: BuilderConfig, console: Console) -> None:
    """Print what would be built: recordings, lengths and bytes; feeds are read, but their episodes are not fetched."""
    recordings, failures = find_recordings(
        words, out / "downloads", config.fetch, lambda line: tell(console, line), fetch=False
    )
    seconds: defaultdict[tuple[str, str], float] = defaultdict(float)  # seconds for each collection and licence
    for recording in recordings:
        seconds[recording.collection, recording.license] += claimed_seconds(Path(recording.path))
    for (collection, license_), value in sorted(seconds.items()):
        tell(console, f"{collection} ({license_}): {length(value)}")
    for failure in failures:
        tell(console, f"not used: {failure.name}: {failure.reason}")
    total = sum(seconds.values())
    rate = config.sample_rate * BYTES_PER_SAMPLE if config.codec == "flac" else config.opus_kbps * 125
    texts = sum(recording.text is not None for recording in recordings)
    tell(
        console,
        f"{counted(len(recordings), 'recording')}, {length(total)}; {texts} with their text, the others transcribed by "
        f"{config.transcribe.engine}; at most {total * rate / 1e9:.2f} GB of {config.codec} at "
        f"{config.sample_rate} Hz in {out}",
    )


def tell_losses(out: Path, tally: Tally, failures: Sequence[Failure], console: Console) -> None:
    """Print for which reasons sound was dropped, and the first of the recordings that could not be used at all."""
    dropped = [f"{length(tally.outcome_s[reason])} {reason}" for reason in tally.outcomes() if reason != KEPT]
    tell(
        console,
        f"{counted(tally.recordings, 'recording')} of {length(tally.recorded_s)} could be read; dropped: "
        f"{', '.join(dropped) or 'nothing'}",
    )
    for failure in failures[:TOLD]:
        tell(console, f"  not used: {failure.name}: {failure.reason}")
    if len(failures) > TOLD:
        tell(console, f"  and {len(failures) - TOLD} more ({out / 'report' / 'sources.csv'})")


def summarise(out: Path, accounts: Sequence[Account], console: Console) -> None:
    """Print in a few lines how much was kept."""
    shards = {split: ShardSet.open([out], split, "audio") for split in SPLITS}
    for split, samples in shards.items():
        speakers = counted(len(set(samples.speakers) - {UNKNOWN}), "speaker")
        tell(console, f"{split}: {counted(len(samples), 'sample')}, {length(sum(samples.durations_s))}, {speakers}")
    if not len(shards["heldout"]):
        tell(
            console,
            "nothing is held out, because every speaker has a larger share of the sound than heldout_share; raise "
            "heldout_share, or add recordings",
        )
    if damaged := [account for account in accounts if account.faults]:
        first = damaged[0]
        tell(
            console,
            f"{counted(len(damaged), 'recording')} could be read only in part, such as {first.recording.path}: "
            f"{'; '.join(first.faults)}; {out / 'report' / 'sources.csv'} has all of them",
        )
    tell(console, f"{out / 'report' / 'index.html'} accounts for every second")
