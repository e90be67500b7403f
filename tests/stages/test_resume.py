"""A run that stopped goes on bit for bit: sample ids, losses and final weights, with one process and with two."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from triforce_tts.checkpoint import load_tensors, locate

SETTINGS = ["run.steps=20", "run.log_samples=true", "run.log_every=1", "run.validate_every=0", "run.save_every=0",
            "run.threads=1", "run.batch_size=4", "run.precision=fp32"]  # fmt: skip


def train(stage: str, corpus: dict[str, Path], run: Path, processes: int, *settings: str) -> None:
    data = corpus["codes" if stage == "gpt" else "shards"]
    words = ["train", stage, "--config", "tiny", "--data", str(data), "--run", str(run)]
    if stage == "diffusion":
        words += ["--dvae", str(corpus["dvae"])]
    if stage == "gpt":
        settings = (*settings, "model.dropout=0.1")  # so that the random state matters
    for setting in (*SETTINGS, *settings):
        words += ["--set", setting]
    program = ["-m", "triforce_tts.cli.app", *words]
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", str(processes),
                     "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
                     "--main_process_port", "0"]  # fmt: skip
    done = subprocess.run([*launcher, *program], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def history(run: Path) -> list[tuple[int, float, tuple[str, ...]]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(row["step"], row["loss_exact"], tuple(row["samples"])) for row in rows if "samples" in row]


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("stage", ["dvae", "gpt", "diffusion"])
def test_stopped_and_resumed_equals_unbroken(
    stage: str, processes: int, corpus: dict[str, Path], tmp_path: Path
) -> None:
    train(stage, corpus, tmp_path / "whole", processes)
    train(stage, corpus, tmp_path / "broken", processes, "run.stop_at=10")
    assert [row[0] for row in history(tmp_path / "broken")] == list(range(1, 11))
    train(stage, corpus, tmp_path / "broken", processes)
    assert history(tmp_path / "broken") == history(tmp_path / "whole")
    for name in ("model.safetensors", "trainer/weights.safetensors", "trainer/optimizer.safetensors"):
        whole = load_tensors(locate(tmp_path / "whole") / name)
        broken = load_tensors(locate(tmp_path / "broken") / name)
        assert whole.keys() == broken.keys()
        assert all(torch.equal(whole[key], broken[key]) for key in whole), name


def test_the_same_samples_whatever_the_number_of_processes(corpus: dict[str, Path], tmp_path: Path) -> None:
    for processes in (1, 2):
        train("dvae", corpus, tmp_path / str(processes), processes)
    one, two = history(tmp_path / "1"), history(tmp_path / "2")
    assert [row[2] for row in one] == [row[2] for row in two]
    assert [row[1] for row in one] == pytest.approx([row[1] for row in two], abs=1e-5)


def test_a_light_export_goes_on_and_says_that_it_is_not_exact(corpus: dict[str, Path], tmp_path: Path) -> None:
    train("gpt", corpus, tmp_path / "run", 1, "run.stop_at=4")
    words = ["export", str(tmp_path / "run"), "--light", "--out", str(tmp_path / "light")]
    done = subprocess.run(
        [sys.executable, "-m", "triforce_tts.cli.app", *words], capture_output=True, text=True, check=True
    )
    assert "not exact" in done.stderr
    size = {name: sum(p.stat().st_size for p in (tmp_path / name).rglob("*.safetensors")) for name in ("run", "light")}
    assert size["light"] < size["run"] / 7  # two bytes a parameter against four for weights, average and two moments
    train("gpt", corpus, tmp_path / "light", 1, "run.stop_at=6")
    assert [row[0] for row in history(tmp_path / "light")] == [5, 6]
    assert [row[2] for row in history(tmp_path / "light")] == [
        row[2] for row in history_of_unbroken(corpus, tmp_path / "whole")
    ][4:6]


def history_of_unbroken(corpus: dict[str, Path], run: Path) -> list[tuple[int, float, tuple[str, ...]]]:
    train("gpt", corpus, run, 1, "run.stop_at=6")
    return history(run)


def test_another_order_of_samples_is_refused(corpus: dict[str, Path], tmp_path: Path) -> None:
    train("dvae", corpus, tmp_path / "run", 1, "run.stop_at=2")
    with pytest.raises(AssertionError, match=r"run\.batch_size=4"):
        train("dvae", corpus, tmp_path / "run", 1, "run.batch_size=2")


def test_weights_to_start_from(corpus: dict[str, Path], tmp_path: Path) -> None:
    train("dvae", corpus, tmp_path / "first", 1, "run.stop_at=3")
    train("dvae", corpus, tmp_path / "second", 1, "run.stop_at=1", f"run.init_from={tmp_path / 'first'}")
    assert history(tmp_path / "second")[0][1] < history(tmp_path / "first")[0][1]
