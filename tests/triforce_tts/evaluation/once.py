"""Evaluations in which each line is drawn once.

The networks of the tests are hardly trained: what they say is never complete, so two more tries would only take time.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from io import StringIO
from pathlib import Path
from unittest import mock

from rich.console import Console

from triforce_tts import Synthesizer
from triforce_tts.evaluation import clips, plan, run
from triforce_tts.evaluation.panel import Panel
from triforce_tts.evaluation.report import Report


@lru_cache(maxsize=2)
def _model(folder: Path) -> Synthesizer:
    synthesizer = Synthesizer.load(folder, "cpu")
    synthesizer.settings = replace(synthesizer.settings, tries=1)
    return synthesizer


def evaluate(
    models: Sequence[Path], planned: plan.Plan, panel: Panel, out: Path, force: bool = False
) -> tuple[Report, str]:
    """The report of ``models``, made in this process, and what was printed."""
    output = StringIO()
    with mock.patch.object(clips, "_model", _model):
        report = run.evaluate(run.candidates(models), planned, panel, out, 1, Console(file=output, width=200), force)
    return report, output.getvalue()
