"""Evaluations in which each line is drawn once.

The networks of the tests are hardly trained: what they say is never complete, so two more tries would only take time.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from io import StringIO
from pathlib import Path
from unittest import mock

from rich.console import Console

from triforce_tts import Synthesizer
from triforce_tts.evaluation import clips, pictures, plan, run
from triforce_tts.evaluation.panel import Panel
from triforce_tts.evaluation.report import Report


@lru_cache(maxsize=2)
def _model(folder: Path) -> Synthesizer:
    synthesizer = Synthesizer.load(folder, "cpu")
    synthesizer.settings = replace(synthesizer.settings, tries=1)
    return synthesizer


def evaluate(
    models: Sequence[Path], planned: plan.Plan, panel: Panel, out: Path, force: bool = False, drawn: bool = False
) -> tuple[Report, str]:
    """The report of ``models``, made in this process, and what was printed.

    Its pictures take longer than all the rest, so they are left out unless it shall be ``drawn``.
    """
    output = StringIO()
    with mock.patch.object(clips, "_model", _model), contextlib.ExitStack() as changes:
        if not drawn:
            changes.enter_context(mock.patch.object(pictures, "draw", lambda report, folder: pictures.Drawn()))
        report = run.evaluate(run.candidates(models), planned, panel, out, 1, Console(file=output, width=200), force)
    return report, output.getvalue()
