"""Training runs in separate processes, as a user starts them."""

import fcntl
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests import forks

SETTINGS = ["run.steps=8", "run.log_samples=true", "run.log_every=1", "run.validate_every=0", "run.save_every=0",
            "run.threads=1", "run.batch_size=4", "run.precision=fp32"]  # fmt: skip


def train(
    stage: str, corpus: dict[str, Path], run: Path, processes: int, *settings: str, launched: bool = False
) -> str:
    """Train ``stage`` at the size 'tiny' in ``processes`` processes; the result is the output.

    Several processes are forked, with the variables by which ``accelerate launch`` tells each its place. Where
    ``launched``, they are started by that command, or by the interpreter alone, as a user starts them. The launcher
    and what it starts are forked, since the imports of an interpreter are not what is tested.
    """
    words = program(stage, corpus, run, *settings)
    if launched:
        if processes > 1:
            start = launch("--num_processes", str(processes), "--num_machines", "1", "--main_process_port", "0")
            done = forks.run([*start, *words], env=ENVIRONMENT, starts_programs=True)
        else:
            done = subprocess.run(
                [sys.executable, *words], capture_output=True, text=True, timeout=forks.SLOW_S, check=False,
                env=ENVIRONMENT,
            )  # fmt: skip
        codes, said, errors = [done.returncode], done.stdout, done.stderr
    else:
        codes, said, errors = in_forks(words, processes)
    assert set(codes) == {0}, errors[-3000:]
    # With other options, accelerate starts one process and says nothing.
    assert json.loads((run / "environment.json").read_text())["processes"] == processes
    return said


def in_forks(words: Sequence[str], processes: int) -> tuple[list[int], str, str]:
    """The exit codes of a program that runs in several forked processes, and the output of all of them."""
    places: list[dict[str, str]] = [{}]
    if processes > 1:
        port = free_port()
        places = [
            {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes),
             "LOCAL_WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
            for rank in range(processes)
        ]  # fmt: skip
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        for file in (out, err):  # several processes append to this file
            fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
        running = [
            forks.Program(words, stdout=out, stderr=err, env={**ENVIRONMENT, **NO_LAUNCHER, **place})
            for place in places
        ]
        codes = wait_for_all(running)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read())
    return codes, texts[0], texts[1]


def wait_for_all(running: Sequence[forks.Program]) -> list[int]:
    """The exit codes of programs that wait for each other: when one fails, the others are killed."""
    deadline = time.monotonic() + forks.SLOW_S
    try:
        while any(one.poll() is None for one in running) and not any(one.poll() for one in running):
            assert time.monotonic() < deadline, "the training hangs"
            time.sleep(0.02)
    finally:
        for one in running:
            one.kill()
    return [one.wait() for one in running]


def free_port() -> str:
    """A free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


# 'accelerate launch --cpu' can start several processes only with MPI, so this test starts them with torch, on CPUs.
ENVIRONMENT = {**os.environ, "ACCELERATE_USE_CPU": "true"}
# The other variables that 'accelerate launch' sets because of the options in 'launch' below.
NO_LAUNCHER = {"ACCELERATE_MIXED_PRECISION": "no", "ACCELERATE_DYNAMO_BACKEND": "no"}


# The command 'accelerate launch', whose processes are forked.
LAUNCHER = """
import runpy, sys
from torch.distributed.elastic.multiprocessing.subprocess_handler.subprocess_handler import SubprocessHandler
from tests import forks

def start(handler, words, env):
    assert words[:2] == (sys.executable, "-u"), words
    return forks.Program(words[2:], env=env, stdout=sys.stdout, stderr=sys.stderr, session=True)

SubprocessHandler._popen = start
runpy.run_module("accelerate.commands.launch", run_name="__main__", alter_sys=True)
"""


def launch(*options: str) -> list[str]:
    """The words after the interpreter's that start a training in several processes, in ``ENVIRONMENT``.

    They are those of a program that starts programs.
    """
    start = ["-c", LAUNCHER, "--multi_gpu"]
    return [*start, "--mixed_precision", "no", "--dynamo_backend", "no", *options]


def program(stage: str, corpus: dict[str, Path], run: Path, *settings: str) -> list[str]:
    """The words of a training after the interpreter or launcher."""
    data = corpus["codes" if stage == "gpt" else "shards"]
    words = ["train", stage, "--config", "tiny", "--data", str(data), "--run", str(run)]
    if stage == "diffusion":
        words += ["--dvae", str(corpus["dvae"])]
    if stage == "gpt":
        # Dropout makes the random state matter.
        settings = ("model.dropout=0.1", *settings)
    for setting in (*SETTINGS, *settings):
        words += ["--set", setting]
    return ["-m", "triforce_tts.cli.app", *words]


def history(run: Path) -> list[tuple[int, float, tuple[str, ...]]]:
    """Step, exact loss and sample keys of every step."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(row["step"], row["loss_exact"], tuple(row["samples"])) for row in rows if "samples" in row]
