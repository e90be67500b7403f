"""Commands of ``triforce-tts`` that run in the process of the tests: a request that is refused takes no process.

What a command prints, also what a library in C prints, and its exit code are those of a process of its own. Tests of
signals, of a full disk, of closed streams and of several processes need ``tests.forks``.
"""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from unittest import mock

import torch

from triforce_tts.cli import app as program


def run(
    *words: str | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``triforce-tts`` with ``words``; the result has its output and its exit code."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with _as_program(words, env), _streams(stdin, out, err):
            code = _exit_code()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "backslashreplace"))
    return subprocess.CompletedProcess([str(word) for word in words], code, *texts)


def _exit_code() -> int:
    try:
        program.main()
    except SystemExit as end:
        assert isinstance(end.code, int)
        return end.code
    raise AssertionError("the program did not end as a program does")


@contextlib.contextmanager
def _as_program(words: tuple[str | Path, ...], env: Mapping[str, str] | None) -> Iterator[None]:
    """Everything that a command changes in its process is as before at the end."""
    app = program.app
    commands, groups = list(app.registered_commands), list(app.registered_groups)
    terminate, threads = signal.getsignal(signal.SIGTERM), torch.get_num_threads()
    arguments = [str(program.__file__), *map(str, words)]
    try:
        with mock.patch.dict(os.environ, dict(env or {})), mock.patch.object(sys, "argv", arguments):
            with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
                yield
    finally:
        app.registered_commands[:], app.registered_groups[:] = commands, groups
        signal.signal(signal.SIGTERM, terminate)
        torch.set_num_threads(threads)


@contextlib.contextmanager
def _streams(stdin: bytes, out: IO[bytes], err: IO[bytes]) -> Iterator[None]:
    """Standard streams of a program: the descriptors 1 and 2 lead to ``out`` and ``err``."""
    with contextlib.ExitStack() as back:
        streams: dict[str, Any] = {"stdin": io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")}
        for number, name, file in ((1, "stdout", out), (2, "stderr", err)):
            kept = os.dup(number)
            back.callback(os.close, kept)
            back.callback(os.dup2, kept, number)
            os.dup2(file.fileno(), number)
            errors = "backslashreplace" if number == 2 else "strict"
            raw = os.fdopen(number, "wb", closefd=False)
            streams[name] = io.TextIOWrapper(raw, encoding="utf-8", errors=errors, line_buffering=number == 2)
            back.callback(streams[name].flush)
        with mock.patch.multiple(sys, **streams):
            yield
