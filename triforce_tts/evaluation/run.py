"""An evaluation from beginning to end: jobs in processes, then the report and what is drawn from it, in one folder."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from triforce_tts import pool
from triforce_tts.errors import TriforceError
from triforce_tts.evaluation import ledger, page, pictures, summary, table
from triforce_tts.evaluation.clips import Judged, Work, judge
from triforce_tts.evaluation.panel import Panel
from triforce_tts.evaluation.plan import Job, Plan, make_jobs
from triforce_tts.evaluation.report import AUDIO, PICTURES, REPORT, TABLES, Model, Report, write_report
from triforce_tts.files import marked_kind, working_folder, write_text
from triforce_tts.manifest import DEFAULT_VOICE, MANIFEST, Manifest, read_manifest


@dataclass(frozen=True)
class Candidate:
    """A model that is evaluated."""

    model: Model
    folder: Path


def candidates(folders: Sequence[Path]) -> list[Candidate]:
    """The models in ``folders`` with labels of their own.

    Raises:
        CheckpointError: a folder is no model.
        TriforceError: the same model is given twice.
    """
    manifests = [read_manifest(folder) for folder in folders]
    if len(manifests) > len({_sound(manifest) for manifest in manifests}):
        raise TriforceError(
            f"{folders[0]} and {folders[-1]}: the same model ({manifests[0].id}); give another --against"
        )
    labels = told_apart([m.name for m in manifests], [f"{m.name}-{m.id[:8]}" for m in manifests])
    return [
        Candidate(Model(label=label, id=m.id, networks=m.networks, diffusion_steps=m.diffusion_steps), folder)
        for label, m, folder in zip(labels, manifests, folders, strict=True)
    ]


def _sound(manifest: Manifest) -> tuple[str, int, str | None]:
    """Everything that decides the sound of a model: its networks, the steps of stage 3, and its default voice."""
    return manifest.id, manifest.diffusion_steps, manifest.sha256.get(DEFAULT_VOICE)


def told_apart(*namings: list[str]) -> list[str]:
    """The first of ``namings`` in which all names differ, or else the last one, with numbers at equal names."""
    for names in namings:
        if len(set(names)) == len(names):
            return names
    names = namings[-1]
    return [name if name not in names[:place] else f"{name}-{place + 1}" for place, name in enumerate(names)]


def evaluate(
    models: Sequence[Candidate],
    plan: Plan,
    panel: Panel,
    out: Path,
    workers: int,
    console: Console,
    force: bool = False,
) -> Report:
    """Evaluate ``models`` and write the report into the folder ``out``.

    An evaluation that was stopped goes on: what it judged lies in ``out`` until the report is written.

    Raises:
        TriforceError: the folder cannot be written, a model or a judge cannot be used, or not one clip could be judged.
    """
    began = time.perf_counter()
    jobs = make_jobs(plan, [(candidate.model.label, candidate.folder) for candidate in models])
    workers = max(1, min(workers, len(jobs)))
    sources = [candidate.folder for candidate in models] + [job.source for job in jobs if job.source is not None]
    sources += plan.files
    with _report_folder(out, models, sources, force) as folder:
        manifests = {candidate.folder: candidate.folder / MANIFEST for candidate in models}
        keyed = dict(zip(ledger.job_keys(jobs, panel, manifests), jobs, strict=True))
        judged, lost, continued = _work_through(keyed, panel, folder, workers, console)
        clips = summary.with_similarity(judged)
        systems = summary.summaries(judged, clips)
        report = Report(
            models=tuple(candidate.model for candidate in models), recogniser=panel.recogniser,
            missing=(*panel.missing, *lost), seeds=plan.seeds, sentences=plan.sentences, clips=tuple(clips),
            summaries=tuple(systems), differences=tuple(summary.differences(systems, clips)),
            groups=tuple(summary.groups(judged, clips)), similarity=summary.similarity(judged), processes=workers,
            seconds=time.perf_counter() - began, work_seconds=sum(result.work_seconds for result in judged),
            continued=continued,
        )  # fmt: skip
        return _write(folder, report)


@contextmanager
def _report_folder(out: Path, models: Sequence[Candidate], sources: Sequence[Path], force: bool) -> Iterator[Path]:
    """The folder of the report, with folders for clips and pictures in it.

    Raises:
        TriforceError: a report is there already, or is of another model, or the folder cannot be written.
    """
    content = "an evaluation of " + " and ".join(f"{c.model.label} ({c.model.id})" for c in models)
    try:
        if marked_kind(out) == "report" and (out / REPORT).exists() and not force:
            raise TriforceError(f"{out}: exists already; choose another place, or replace it with --force")
        with working_folder(out, "report", sources, content, force) as folder:
            for name in (AUDIO, PICTURES):
                (folder / name).mkdir(exist_ok=True)
            yield folder
    except OSError as error:
        if error.filename is not None and Path(os.path.realpath(out)) not in Path(str(error.filename)).parents:
            raise
        raise TriforceError(
            f"{out}: cannot write the report ({error.strerror or error}); free some space, or choose another place; the "
            "same command goes on where it stopped"
        ) from error


def _write(folder: Path, report: Report) -> Report:
    """Write the report and all that is drawn from it, and remove what does not belong to it."""
    _keep_only(folder / PICTURES, set())
    drawn = pictures.draw(report, folder)
    if drawn.remark:
        report = report.model_copy(update={"missing": (*report.missing, drawn.remark)})
    write_text(folder / TABLES, table.markdown(report))
    page.write(folder, report, drawn)
    _keep_only(folder / AUDIO, {clip.audio for clip in report.clips if clip.audio is not None})
    write_report(folder, report)
    (folder / ledger.JUDGED).unlink(missing_ok=True)
    return report


def _keep_only(folder: Path, names: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in names and path.is_file():
            path.unlink()


def _work_through(
    jobs: Mapping[str, Job], panel: Panel, folder: Path, workers: int, console: Console
) -> tuple[list[Judged], list[str], int]:
    """The results of ``jobs``, which are given by their keys.

    Returns:
        The judgements in the order of the jobs, a line for each job that gave nothing, and how many judgements an
        earlier run had left.
    """
    columns = (
        TextColumn("evaluate"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    results = ledger.read_judged(folder, jobs)
    earlier = {result.job.number for result in results}
    if results:
        console.print(f"{folder}: goes on, {len(results)} of {len(jobs)} clips are judged already", highlight=False)
    lost: list[str] = []
    works = [Work(job, panel, folder / AUDIO, key) for key, job in jobs.items() if job.number not in earlier]
    with Progress(*columns, console=console) as progress, ledger.judged_file(folder) as file:
        task = progress.add_task("", total=len(jobs), completed=len(results))
        for work, result in pool.run(judge, works, workers):
            progress.advance(task)
            if result is None:
                lost.append(
                    f"{work.job.name}: its process was killed twice, so the clip is left out; is the memory enough?"
                )
            elif result.fault:
                lost.append(f"{work.job.name}: the clip is left out: {result.fault}")
            else:
                ledger.append(file, work.key, result)
                results.append(result)
    try:
        _require_clips(list(jobs.values()), results, lost)
    except TriforceError:
        _clear(folder)
        raise
    return sorted(results, key=lambda result: result.job.number), lost, len(earlier)


def _clear(folder: Path) -> None:
    """Remove what an evaluation without a result has written; a report that was there before stays."""
    if (folder / REPORT).exists():
        (folder / ledger.JUDGED).unlink(missing_ok=True)
        return
    for name in (AUDIO, PICTURES):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / ledger.JUDGED).unlink(missing_ok=True)


def _require_clips(jobs: Sequence[Job], results: Sequence[Judged], lost: Sequence[str]) -> None:
    """Refuse an evaluation without any clip, and one in which a model spoke no sentence at all.

    Raises:
        TriforceError: the evaluation is refused; the message has the first fault.
    """
    first = f"the first fault was: {lost[0] if lost else 'nothing was planned'}"
    if not any(result.clip for result in results):
        raise TriforceError(f"no clip could be judged; {first}")
    systems = {job.system for job in jobs if job.kind == "spoken"}
    if silent := sorted(systems - {result.job.system for result in results}):
        raise TriforceError(f"{silent[0]}: no sentence could be spoken; {first}")
