"""Raw recordings to shards: find or fetch them, take each through ``pipeline``, ``assemble`` shards, report.

The three parts can be run apart, on one machine or many, because what passes between them lies in OUT/work.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
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
from triforce_tts.progress import bars
from triforce_tts.shards import DISJOINT, SPLITS, ShardSet

from ..common.heldout import HeldOut, read_heldout
from ..common.segments import UNKNOWN, Failure, Wave
from ..report.report import Read, write_report
from ..report.tally import SourceRows, Step
from ..steps.transcribe import model_name, weights_folder
from . import assemble
from .find import find_sources, local_sources
from .pipeline import BuilderConfig, Work, process
from .results import Account, failed, finished, read_sources, work_folder, write_failed, write_sources

BYTES_PER_SAMPLE = 1.2  # of 16-bit FLAC: it saves two fifths of speech
TEXT_CHECKS, OLD_TEXT_CHECKS = "text_checks", "text"  # a section of the configuration
Part = Literal["all", "fetch", "process", "assemble"]
PARTS: tuple[Part, ...] = get_args(Part)
CONTENT = "shards of raw recordings"  # what the marker of OUT says


def load_config(
    name: str, settings: Sequence[str] = (), told: Callable[[str], None] = lambda line: None
) -> BuilderConfig:
    """The builder's configuration ``name``, a file or one of ``configs/data``, with overrides.

    The section ``text_checks`` was called ``text`` once. That name is still read, and ``told`` gets a line about it.

    Raises:
        ConfigError: the configuration is wrong, or has the section under both names.
    """
    path = schema.find("data", name)
    values = schema.override(schema.read_yaml(path), settings)
    if OLD_TEXT_CHECKS in values:
        if TEXT_CHECKS in values:
            raise ConfigError(f"{path}: '{OLD_TEXT_CHECKS}' is the old name of '{TEXT_CHECKS}'; give the new one alone")
        values[TEXT_CHECKS] = values.pop(OLD_TEXT_CHECKS)
        told(f"{path}: the section '{OLD_TEXT_CHECKS}' is called '{TEXT_CHECKS}' now; please rename it")
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
    """What the command line asks for; ``heldout`` is a JSON list of what must never be trained on.

    Raises:
        ShardError: an option has a value that it cannot have, a machine was at fault with some recordings (what could
            be done was done), or as ``build``.
    """
    if only not in PARTS:
        raise ShardError(f"--only {only}: expected one of {', '.join(PARTS)}")
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", part, re.ASCII)
    share = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= share[0] <= share[1]:
        raise ShardError(f"--part {part}: expected i/n with i from 1 to n, such as 3/8")
    if share[1] > 1 and only != "process":
        raise ShardError(f"--part {part}: only processing can be shared out; add --only process")
    held = HeldOut() if heldout is None else read_heldout(heldout)
    if held.unknown:
        tell(console, f"{heldout}: {', '.join(map(repr, held.unknown))} is no kind of list; nothing is held out by it")
    if dry_run:
        foretell(words, out, config, console)
        return
    accounts = build(words, out, config, workers, console, only, share, ray, held, force)
    if only in ("all", "assemble"):
        summarise(out, accounts, console)
    if unlucky := [account for account in accounts if account.again]:
        raise ShardError(
            f"{len(unlucky)} of {len(accounts)} recordings could not be done on this machine, such as "
            f"{unlucky[0].source.path} ({unlucky[0].error}); everything else is done, run the same command to try again"
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
    held: HeldOut | None = None,
    force: bool = False,
) -> list[Account]:
    """Build shards of the recordings that ``words`` name; what is done already is not done again.

    Args:
        words: files, folders, feeds, lists of URLs, URLs.
        out: folder for the shards, the report and the work between.
        config: the settings of every step.
        workers: processes.
        console: where progress goes.
        part: only this part; ``process`` and ``assemble`` take the sources that ``fetch`` found.
        share: (i, n): process only every n-th recording from the i-th on, for n machines that share ``out``.
        ray: address of a Ray cluster to process on instead.
        held: what must never be trained on.
        force: replace shards in ``out`` that were built of something else.

    Raises:
        ShardError: there is nothing to build, nothing could be used, or to assemble while recordings are not processed.
        TriforceError: ``out`` is not ours to write to, or another process assembles there.
    """
    work = out / "work"
    if part in ("all", "fetch"):
        with working_folder(out, "shards", local_sources(words), CONTENT, force):
            sources, failures = find_sources(words, out / "downloads", config.fetch, lambda line: tell(console, line))
            write_sources(work, sources, failures)
        tell(console, f"{len(sources)} recordings found, {len(failures)} could not be had")
    require_own(out, "shards")
    sources, failures = read_sources(work)
    jobs = [Work(source, str(work_folder(out, source)), config) for source in sources]
    accounts: list[Account] = []
    if part in ("all", "process"):
        accounts = work_through(jobs[share[0] - 1 :: share[1]], workers, console, ray)
    if part in ("all", "assemble"):
        accounts = accounts or read_accounts(jobs)
        with working_folder(out, "shards", (), CONTENT, force):
            finish(out, accounts, failures, config, console, held or HeldOut())
    return accounts


def tell(console: Console, line: str) -> None:
    """A line for people; what is in it, such as the title of a feed, is text and no markup."""
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def read_accounts(jobs: Sequence[Work]) -> list[Account]:
    """What was made of all recordings.

    Raises:
        ShardError: some were not processed, or not with these settings.
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
            f"{len(missing)} of {len(jobs)} recordings are not processed with these settings yet, such as "
            f"{missing[0].source.path}; run the same command with --only process first"
        )
    return accounts


def needs_whisper(job: Work) -> bool:
    """Whether Whisper has to write a recording down."""
    to_write = job.config.transcribe.engine in ("whisper", "faster-whisper") and job.source.text is None
    return to_write and finished(Path(job.folder), job.fingerprint) is None


def work_through(jobs: Sequence[Work], workers: int, console: Console, ray: str | None) -> list[Account]:
    """Every job's account, in the order of the jobs; the bar counts hours of sound."""
    lengths = {job.source.id: claimed_seconds(Path(job.source.path)) for job in jobs}
    if not ray and any(needs_whisper(job) for job in jobs):
        weights_folder(jobs[0].config.transcribe)  # once, and before hours of work: what cannot be had is said now
    outcomes = pool.run_on_ray(process, jobs, ray) if ray else pool.run(process, jobs, workers)
    done: dict[str, Account] = {}
    columns = (
        TextColumn("build"), BarColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with bars(*columns, console=console) as progress:
        hours, total = 0.0, sum(lengths.values()) / 3600
        task = progress.add_task("build", total=total or None, told=f"0 of {total:.1f} h")
        for job, account in outcomes:
            if account is None:
                account = Account(job.source, "its worker was killed twice, perhaps for want of memory", again=True)
                write_failed(Path(job.folder), job.fingerprint, account)
            done[job.source.id] = account
            hours += lengths[job.source.id] / 3600
            progress.update(task, completed=hours, told=f"{hours:.1f} of {total:.1f} h, {len(done)} of {len(jobs)}")
    return [done[job.source.id] for job in jobs]


def finish(
    out: Path,
    accounts: Sequence[Account],
    failures: Sequence[Failure],
    config: BuilderConfig,
    console: Console,
    held: HeldOut,
) -> None:
    """The report, shards and ``index.json`` of what was processed.

    Raises:
        ShardError: no recording gave any sample.
    """
    used = [account for account in accounts if not account.error]
    failures = [*failures, *(Failure(a.source.path, a.error) for a in accounts if a.error)]
    plan = assemble.make_plan(out, used, config, held)
    if plan.unmatched:
        tell(console, f"held-out list: no recording or reader is called {', '.join(map(repr, plan.unmatched))}")
    settings = config.model_dump(mode="json")
    settings["transcribe"]["model"] = model_name(config.transcribe.model)
    details = {
        "config": settings,
        "sample_rate": config.sample_rate,
        "sources": sorted({account.source.collection for account in accounts}),
        "recordings": len(accounts),
        "aligned": config.align.enabled,
        DISJOINT: plan.is_disjoint,
    }
    rows = (SourceRows(a.source, a.duration_s, assemble.rows_of(out, a, plan)) for a in used)
    # The report comes first: it says why where there is nothing to make shards of.
    write_report(out / "report", rows, failures, steps_of(used, plan), reader(used))
    assemble.assemble(out, plan, config, details, console)


def steps_of(accounts: Sequence[Account], plan: assemble.Plan) -> list[Step]:
    """What each step did over all recordings; the last one works on all of them together and is not timed."""
    totals: dict[str, list[float]] = {}
    for account in accounts:
        for name, figures in account.steps.items():
            totals[name] = [a + b for a, b in zip(totals.get(name, [0.0] * 3), figures, strict=True)]
    steps = [Step(name, *figures) for name, figures in totals.items()]
    lost = sum(plan.parts.durations_s[i] for i, key in enumerate(plan.parts.keys) if key in plan.reasons)
    return [*steps, Step("duplicates and split", sum(plan.parts.durations_s), lost, 0.0)]


def reader(accounts: Sequence[Account]) -> Read:
    """How the report hears stretches of a recording: by decoding it once more, as far as they go.

    Not by seeking: behind damage, and in some formats anywhere, that ends at other samples than it should.
    """
    paths = {account.source.id: Path(account.source.path) for account in accounts}

    def read(source: str, stretches: Sequence[tuple[float, float]]) -> tuple[list[Wave], int]:
        stream = stream_audio(paths[source])
        rate = stream.sample_rate
        places = [(round(start_s * rate), round(end_s * rate)) for start_s, end_s in stretches]
        pieces: list[list[Wave]] = [[np.zeros(0, np.float32)] for _ in places]
        position, end = 0, max(last for _, last in places)
        for block in stream.blocks:
            for (first, last), found in zip(places, pieces, strict=True):
                if first < position + len(block) and last > position:
                    found.append(block[max(0, first - position) : last - position])
            position += len(block)
            if position >= end:
                break
        return [np.concatenate(found) for found in pieces], rate

    return read


def foretell(words: Sequence[str], out: Path, config: BuilderConfig, console: Console) -> None:
    """Say what would be built: recordings, hours, steps, bytes; feeds are read, what they name is not fetched."""
    sources, failures = find_sources(words, out / "downloads", config.fetch, fetch=False)
    hours: defaultdict[tuple[str, str], float] = defaultdict(float)
    for source in sources:
        hours[source.collection, source.license] += claimed_seconds(Path(source.path)) / 3600
    for (collection, license_), value in sorted(hours.items()):
        tell(console, f"{collection} ({license_}): {value:.2f} h")
    for failure in failures:
        tell(console, f"not used: {failure.name}: {failure.reason}")
    total = sum(hours.values())
    rate = config.sample_rate * BYTES_PER_SAMPLE if config.codec == "flac" else config.opus_kbps * 125
    texts = sum(source.text is not None for source in sources)
    tell(
        console,
        f"{len(sources)} recordings, {total:.2f} h; {texts} with their text, the others written down by "
        f"{config.transcribe.engine}; at most {total * 3600 * rate / 1e9:.2f} GB of {config.codec} at "
        f"{config.sample_rate} Hz in {out}",
    )


def summarise(out: Path, accounts: Sequence[Account], console: Console) -> None:
    """What was kept and what was not, in a few lines."""
    kept = {split: ShardSet.open([out], split, "audio") for split in SPLITS}
    for split, samples in kept.items():
        hours, speakers = sum(samples.durations_s) / 3600, len(set(samples.speakers) - {UNKNOWN})
        tell(console, f"{split}: {len(samples)} samples, {hours:.2f} h, {speakers} speakers")
    if not len(kept["heldout"]):
        tell(console, "nothing is held out: no speaker has so small a share; raise heldout_share, or add recordings")
    total = sum(account.duration_s for account in accounts)
    page = out / "report" / "index.html"
    tell(console, f"of {total / 3600:.2f} h in {len(accounts)} recordings; every second: {page}")
