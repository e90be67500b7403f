"""The results of the steps of a run on a rented GPU, which ``summary.json`` and ``summary.txt`` hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..trainer.metrics import validations
from .watch import NOT_MEASURED

DONE, FAILED, NOT_RUN = "done", "failed", "not run"


@dataclass
class Step:
    """The result of one step, as ``summary.json`` holds it."""

    name: str
    status: str = NOT_RUN
    seconds: float = 0.0  # the duration of the step
    note: str = ""
    gpu_busy: float | str = NOT_MEASURED  # the mean, in percent
    gpu_memory_gb: float | str = NOT_MEASURED  # the most memory that all processes together took
    steps: int | None = None  # the number of training steps
    audio_s_per_s: float | None = None  # seconds of sound in a second of training
    figures: dict[str, float] = field(default_factory=dict)  # the figures of the last validation
    files: list[str] = field(default_factory=list)


def last_validation(run: Path) -> dict[str, float]:
    """The figures of the last validation that ``run`` recorded; empty if there was none."""
    last: dict[str, Any] = next(reversed(validations(run)), {})
    return {
        name: value for name, value in last.items() if name not in ("kind", "step", "seconds") and value is not None
    }


def table(steps: Sequence[Step]) -> str:
    """The results of the steps as a table in Markdown."""
    rows = [["step", "status", "seconds", "training steps", "audio-s a second", "GPU busy %", "GPU memory GB", "files"]]
    rows.append(["---"] * len(rows[0]))
    for step in steps:
        cells = (
            step.name,
            step.status,
            step.seconds,
            step.steps,
            step.audio_s_per_s,
            step.gpu_busy,
            step.gpu_memory_gb,
        )
        rows.append(["" if cell is None else str(cell) for cell in (*cells, " ".join(step.files))])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
