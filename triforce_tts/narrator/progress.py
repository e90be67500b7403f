"""The progress of a narration: a bar for people, a line a minute for a log, or lines of JSON for other programs."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, Protocol

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TaskProgressColumn, TextColumn
from rich.text import Text

from triforce_tts.progress import bars
from triforce_tts.wording import length

Shown = Literal["bar", "json", "none"]
LOG_EVERY_S = 60.0  # a log gets a line after so many seconds


class Progress(Protocol):
    """A receiver of progress; ``event`` names the step: 'plan', 'line', 'measure', 'encode' or 'verify'."""

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
    """The progress in one of three ways: a bar on standard error, JSON lines on standard output, or not at all.

    Where standard error is a file or a pipe, a line a minute takes the place of the bar.
    """
    if how != "bar":
        yield _write_json if how == "json" else ignore
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Log()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), _TimeLeft())
    with bars(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def update(event: str, done: float, total: float, left_s: float | None, **more: object) -> None:
            name = _name(event, more)
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total, left_s=left_s)
            progress.update(tasks[name], completed=done, total=total, left_s=left_s)

        yield update


def _name(event: str, more: Mapping[str, object]) -> str:
    """What people are told of an event. A file whose level the coder moved is written and read back again."""
    return f"{event} again, with a corrected level ({more['time']})" if "time" in more else event


class _Log:
    """Writes a line for a log, each time that a minute is over."""

    def __init__(self) -> None:
        self._wrote = time.monotonic()

    def __call__(self, event: str, done: float, total: float, left_s: float | None, **more: object) -> None:
        now = time.monotonic()
        if now - self._wrote < LOG_EVERY_S:
            return
        self._wrote = now
        left = "" if left_s is None else f", {length(left_s)} left"
        sys.stderr.write(f"{_name(event, more)}: {100 * done / total if total else 100:.0f} %{left}\n")
        sys.stderr.flush()


def _write_json(event: str, done: float, total: float, left_s: float | None, **more: object) -> None:
    left = None if left_s is None else round(left_s, 1)
    row = {"event": event, "done": round(done, 3), "total": round(total, 3), "left_s": left, **more}
    sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def ignore(event: str, done: float, total: float, left_s: float | None, **more: object) -> None:
    """The progress that nobody looks at."""
