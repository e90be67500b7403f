"""An evaluation from beginning to end: jobs in processes, then the report and what is drawn from it, in one folder."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from triforce_tts import pool
from triforce_tts.errors import TriforceError
from triforce_tts.evaluation import page, pictures, summary, table
from triforce_tts.evaluation.clips import Judged, Work, judge
from triforce_tts.evaluation.panel import Panel
from triforce_tts.evaluation.plan import Job, Plan, make_jobs
from triforce_tts.evaluation.report import AUDIO, PICTURES, TABLES, Model, Report, write_report
from triforce_tts.files import new_folder, write_text
from triforce_tts.manifest import read_manifest


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
    if len(manifests) > len({manifest.id for manifest in manifests}):
        raise TriforceError(
            f"{folders[0]} and {folders[-1]}: the same model ({manifests[0].id}); give another --against"
        )
    names = [manifest.name for manifest in manifests]
    labels = [m.name if names.count(m.name) == 1 else f"{m.name}-{m.id[:8]}" for m in manifests]
    return [
        Candidate(Model(label=label, id=m.id, networks=m.networks, diffusion_steps=m.diffusion_steps), folder)
        for label, m, folder in zip(labels, manifests, folders, strict=True)
    ]


def evaluate(
    models: Sequence[Candidate],
    plan: Plan,
    panel: Panel,
    out: Path,
    workers: int,
    console: Console,
    force: bool = False,
) -> Report:
    """Evaluate ``models`` and write the report into the new folder ``out``.

    Raises:
        TriforceError: the folder cannot be written, a model or a judge cannot be used, or not one clip could be judged.
    """
    began = time.perf_counter()
    jobs = make_jobs(plan, [(candidate.model.label, candidate.folder) for candidate in models])
    workers = max(1, min(workers, len(jobs)))
    sources = [candidate.folder for candidate in models] + [job.source for job in jobs if job.source is not None]
    sources += plan.files
    with new_folder(out, "report", sources, force) as folder:
        for name in (AUDIO, PICTURES):
            (folder / name).mkdir()
        judged, lost = _work_through(jobs, panel, folder / AUDIO, workers, console)
        clips = summary.with_similarity(judged)
        systems = summary.summaries(judged, clips)
        report = Report(
            models=tuple(candidate.model for candidate in models), recogniser=panel.recogniser,
            missing=(*panel.missing, *lost), seeds=plan.seeds, sentences=plan.sentences, clips=tuple(clips),
            summaries=tuple(systems), differences=tuple(summary.differences(systems, clips)),
            similarity=summary.similarity(judged), processes=workers, seconds=time.perf_counter() - began,
        )  # fmt: skip
        drawn = pictures.draw(report, folder)
        if drawn.remark:
            report = report.model_copy(update={"missing": (*report.missing, drawn.remark)})
        write_report(folder, report)
        write_text(folder / TABLES, table.markdown(report))
        page.write(folder, report, drawn)
    return report


def _work_through(
    jobs: Sequence[Job], panel: Panel, audio: Path, workers: int, console: Console
) -> tuple[list[Judged], list[str]]:
    """What came of each job, in the order of the jobs, and a line for each that gave nothing."""
    columns = (
        TextColumn("evaluate"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    results: list[Judged] = []
    lost: list[str] = []
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(jobs))
        for work, result in pool.run(judge, [Work(job, panel, audio) for job in jobs], workers):
            progress.advance(task)
            if result is None:
                lost.append(
                    f"{work.job.name}: its process was killed twice, so the clip is left out; is the memory enough?"
                )
            elif result.fault:
                lost.append(f"{work.job.name}: the clip is left out: {result.fault}")
            else:
                results.append(result)
    _require_clips(jobs, results, lost)
    return sorted(results, key=lambda result: result.job.number), lost


def _require_clips(jobs: Sequence[Job], results: Sequence[Judged], lost: Sequence[str]) -> None:
    """Refuse an evaluation without any clip, and one in which a model spoke no sentence at all.

    Raises:
        TriforceError: the first fault is told.
    """
    first = f"the first fault was: {lost[0] if lost else 'nothing was planned'}"
    if not any(result.clip for result in results):
        raise TriforceError(f"no clip could be judged; {first}")
    wanted = {job.system for job in jobs if job.kind == "spoken"}
    if silent := sorted(wanted - {result.job.system for result in results}):
        raise TriforceError(f"{silent[0]}: no sentence could be spoken; {first}")
