"""Training runs of their own processes, as a user starts them."""

import json
import os
import subprocess
import sys
from pathlib import Path

SETTINGS = ["run.steps=20", "run.log_samples=true", "run.log_every=1", "run.validate_every=0", "run.save_every=0",
            "run.threads=1", "run.batch_size=4", "run.precision=fp32"]  # fmt: skip


def train(stage: str, corpus: dict[str, Path], run: Path, processes: int, *settings: str) -> str:
    """Train ``stage`` at the size 'tiny' in so many processes; what it said on stdout."""
    launcher = [sys.executable]
    if processes > 1:
        launcher = launch("--num_processes", str(processes), "--num_machines", "1", "--main_process_port", "0")
    words = [*launcher, *program(stage, corpus, run, *settings)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr[-3000:]
    # Asked for in another way, accelerate starts one process and says nothing.
    assert json.loads((run / "environment.json").read_text())["processes"] == processes
    return done.stdout


# 'accelerate launch --cpu' starts several processes through MPI alone: this starts them through torch, on CPUs.
ENVIRONMENT = {**os.environ, "ACCELERATE_USE_CPU": "true"}


def launch(*options: str) -> list[str]:
    """How a training is started in several processes, in ``ENVIRONMENT``."""
    start = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    return [*start, "--mixed_precision", "no", "--dynamo_backend", "no", *options]


def program(stage: str, corpus: dict[str, Path], run: Path, *settings: str) -> list[str]:
    """The words of a training after the interpreter or launcher."""
    data = corpus["codes" if stage == "gpt" else "shards"]
    words = ["train", stage, "--config", "tiny", "--data", str(data), "--run", str(run)]
    if stage == "diffusion":
        words += ["--dvae", str(corpus["dvae"])]
    if stage == "gpt":
        settings = ("model.dropout=0.1", *settings)  # so that the random state matters
    for setting in (*SETTINGS, *settings):
        words += ["--set", setting]
    return ["-m", "triforce_tts.cli.app", *words]


def history(run: Path) -> list[tuple[int, float, tuple[str, ...]]]:
    """Step, exact loss and sample keys of every step."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(row["step"], row["loss_exact"], tuple(row["samples"])) for row in rows if "samples" in row]
