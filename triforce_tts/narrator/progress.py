"""The progress of a narration: a bar for people, or lines of JSON for other programs."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TaskProgressColumn, TextColumn
from rich.text import Text

from triforce_tts.progress import bars
from triforce_tts.wording import length

Shown = Literal["bar", "json", "none"]


class Progress(Protocol):
    """A receiver of progress; ``event`` names the step: 'line', 'measure', 'encode' or 'verify'."""

    def __call__(self, event: str, done: float, total: float, left_s: float | None, **more: object) -> None:
        """Take the report of ``done`` of ``total``; ``left_s`` is the time left for this step, if it is known."""


class Pace:
    """The time that is left, from the rate that was measured in this run."""

    def __init__(self, total: float) -> None:
        self._total, self._began, self._done = total, time.monotonic(), 0.0

    def left_s(self, amount: float) -> float:
        """The seconds that are left, after another ``amount`` was done."""
        self._done += amount
        elapsed = time.monotonic() - self._began
        return elapsed / self._done * max(0.0, self._total - self._done) if self._done else 0.0


class _TimeLeft(ProgressColumn):
    def render(self, task: Task) -> Text:
        left = task.fields.get("left_s")
        return Text("" if left is None else f"{length(left)} left")


@contextmanager
def show(how: Shown) -> Iterator[Progress]:
    """The progress in one of three ways: a bar on standard error, JSON lines on standard output, or not at all."""
    if how != "bar":
        yield _write_json if how == "json" else _ignore
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), _TimeLeft())
    with bars(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def update(event: str, done: float, total: float, left_s: float | None, **more: object) -> None:
            if event not in tasks:
                tasks[event] = progress.add_task(event, total=total, left_s=left_s)
            progress.update(tasks[event], completed=done, total=total, left_s=left_s)

        yield update


def _write_json(event: str, done: float, total: float, left_s: float | None, **more: object) -> None:
    left = None if left_s is None else round(left_s, 1)
    row = {"event": event, "done": round(done, 3), "total": round(total, 3), "left_s": left, **more}
    sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _ignore(event: str, done: float, total: float, left_s: float | None, **more: object) -> None:
    pass
