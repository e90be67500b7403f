"""The command ``evaluate``, which writes a folder with a report, and a table to standard output."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from triforce_tts import bounds
from triforce_tts.cli.preparing import require_outside
from triforce_tts.errors import ConfigError
from triforce_tts.wording import counted

_MOST_SEEDS = 100
_WIDE = 180  # the columns of a table that goes into a file or a pipe

Texts = Annotated[
    list[Path] | None,
    typer.Option(
        help="Sentences to speak, one a line; default: those of --natural, or 20 of our own. May be given several "
        "times: each list has figures of its own too."
    ),
]
Natural = Annotated[
    list[Path] | None,
    typer.Option(help="manifest.jsonl of recordings, natural or a teacher's; may be given several times."),
]
Beside = Annotated[
    list[Path] | None,
    typer.Option(
        help="manifest.jsonl of recordings of other sentences, which are judged but not spoken; may be given several "
        "times."
    ),
]


def evaluate(
    out: Annotated[Path, typer.Option(help="Folder to write: report.json, index.html, figures.md, clips, pictures.")],
    model: Annotated[Path | None, typer.Option(help="Model folder; default: the bundled model.")] = None,
    texts: Texts = None,
    voices: Annotated[
        Path | None, typer.Option(help="Folder of voices to clone: a clip each, or a folder of clips each.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="Another model folder, compared on the same sentences.")] = None,
    natural: Natural = None,
    beside: Beside = None,
    seeds: Annotated[int, typer.Option(help="Each sentence is spoken with so many seeds, from 0.")] = 3,
    limit: Annotated[int | None, typer.Option(help="Only so many sentences of each list, the first ones.")] = None,
    recogniser: Annotated[
        str, typer.Option(help="auto, tiny.en, pocketsphinx, or a folder of Whisper's weights.")
    ] = "auto",
    workers: Annotated[int, typer.Option(help="Processes of one thread each; 0: as many as cores.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a report that is there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
) -> None:
    """Say how good a model is, by what a person hears.

    The model speaks sentences; a recogniser, networks that guess what listeners would say, and measures of melody, rate
    and endings judge each clip, beside recordings of the same sentences where there are some. Judges whose package is
    not installed are left out and named: pip install 'triforce-tts[evaluate]'.

    Examples:

      triforce-tts evaluate --out report

      triforce-tts evaluate --model runs/new --against runs/old --natural lessons/manifest.jsonl --limit 50 --out report
    """
    _check(seeds, limit, workers)
    from rich.console import Console

    from triforce_tts.evaluation import run, table
    from triforce_tts.evaluation.panel import assemble
    from triforce_tts.evaluation.plan import make_plan
    from triforce_tts.synthesis import bundled_model

    for folder in (model, against):
        require_outside(out, folder)
    models = run.candidates([model or bundled_model(), *([against] if against else [])])
    plan = make_plan(texts or [], natural or [], voices, seeds, limit, beside or [])
    panel = assemble(recogniser)
    console = Console(file=sys.stderr, quiet=quiet)
    for remark in panel.missing:
        console.print(remark, markup=False, highlight=False)
    report = run.evaluate(models, plan, panel, out, workers or os.cpu_count() or 1, console, force)
    if quiet:
        for remark in report.missing[len(panel.missing) :]:  # the remarks on clips that were left out
            typer.echo(remark, err=True)
    else:
        output = Console(file=sys.stdout)
        table.show(report, output if output.is_terminal else Console(file=sys.stdout, width=_WIDE))
        typer.echo(
            f"{out / 'index.html'}: {counted(len(report.clips), 'clip')}, {report.seconds / 60:.1f} minutes", err=True
        )


def _check(seeds: int, limit: int | None, workers: int) -> None:
    bounds.THREADS.check("--workers", workers)
    if not 1 <= seeds <= _MOST_SEEDS:
        raise ConfigError(f"--seeds {seeds}: expected 1 to {_MOST_SEEDS}")
    if limit is not None and limit < 1:
        raise ConfigError(f"--limit {limit}: expected at least 1 sentence")
