"""A run that is killed without warning resumes from a complete checkpoint and ends with the same result."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.corpus import babble_shards
from triforce_tts.checkpoint import load_tensors, locate

STEPS, KILLS = 400, 20


def start(shards: Path, run: Path) -> "subprocess.Popen[bytes]":
    """A training that saves after every step, so that it is saving most of the time."""
    words = ["train", "dvae", "--config", "tiny", "--data", str(shards), "--run", str(run)]
    for setting in (f"run.steps={STEPS}", "run.save_every=1", "run.validate_every=0", "run.threads=1", "run.batch_size=2",
                    "run.log_every=100"):  # fmt: skip
        words += ["--set", setting]
    return subprocess.Popen([sys.executable, "-m", "triforce_tts.cli.app", *words], stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_killed_at_random_moments_a_run_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    shards = babble_shards(tmp_path / "shards")
    assert start(shards, tmp_path / "whole").wait() == 0
    moments, broken, steps = random.Random(0), tmp_path / "broken", []
    for _ in range(KILLS):
        process = start(shards, broken)
        deadline = time.monotonic() + 300
        # Wait until the run trains, and then for a random time.
        latest = (broken / "latest").read_text() if (broken / "latest").exists() else ""
        while time.monotonic() < deadline and process.poll() is None:
            if (broken / "latest").exists() and (broken / "latest").read_text() != latest:
                break
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        folder = locate(broken)  # 'latest' names a whole checkpoint
        for name in ("model.safetensors", "trainer/weights.safetensors", "trainer/optimizer.safetensors"):
            load_tensors(folder / name)
        steps.append(int(folder.name.removeprefix("step-")))
    assert steps == sorted(steps)
    assert steps[-1] < STEPS, "it ended before the last kill: more steps are needed"
    assert start(shards, broken).wait() == 0
    for name in ("model.safetensors", "trainer/weights.safetensors", "trainer/optimizer.safetensors"):
        whole, resumed = (load_tensors(locate(tmp_path / run) / name) for run in ("whole", "broken"))
        assert all(torch.equal(whole[key], resumed[key]) for key in whole), name
