"""The commands that a run on a rented GPU consists of: started one by one, logged, and stopped when their time is over."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

STOPPED = -1  # the exit code of a command whose time ran out
_PATIENCE_S = 10.0  # seconds between asking a process to end and killing it

Launch = Callable[[Sequence[str], Path, float, Path | None], int]
"""Runs Python with words, writes what it says to a log, and ends it after so many seconds; its exit code. The last argument is
the folder to run in; None leaves it."""


def launch_process(words: Sequence[str], log: Path, seconds: float, folder: Path | None) -> int:
    """A ``Launch``. A process that does not end when it is asked to is killed, with all processes that it started."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, *words], stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder,
            start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_S)
            return STOPPED
        # This also runs when this process is interrupted: the commands that it started must not go on alone.
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def log_lines(log: Path) -> list[str]:
    """The lines of a log as a terminal shows them: a progress bar writes over its earlier lines."""
    text = log.read_text(encoding="utf-8", errors="replace")
    return [line.rpartition("\r")[2] for line in text.strip().split("\n")]
