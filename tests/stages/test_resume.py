"""A run that stopped continues bit for bit: sample ids, losses and final weights, with one process and with two."""

import json
from pathlib import Path

import pytest
import torch

from tests import forks
from tests.launch import ENVIRONMENT, free_port, history, in_forks, launch, program, train
from triforce_tts.checkpoint import load_tensors, locate


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("stage", ["dvae", "gpt", "diffusion"])
def test_stopped_and_resumed_equals_unbroken(
    stage: str, processes: int, corpus: dict[str, Path], tmp_path: Path
) -> None:
    # One stage is trained with the launcher, as a user does it; its run equals that of forked processes, bit for bit.
    train(stage, corpus, tmp_path / "whole", processes, launched=stage == "gpt")
    train(stage, corpus, tmp_path / "broken", processes, "run.stop_at=4")
    assert [row[0] for row in history(tmp_path / "broken")] == list(range(1, 5))
    train(stage, corpus, tmp_path / "broken", processes)
    assert history(tmp_path / "broken") == history(tmp_path / "whole")
    for name in ("model.safetensors", "trainer/weights.safetensors", "trainer/optimizer.safetensors"):
        whole = load_tensors(locate(tmp_path / "whole") / name)
        broken = load_tensors(locate(tmp_path / "broken") / name)
        assert whole.keys() == broken.keys()
        assert all(torch.equal(whole[key], broken[key]) for key in whole), name


@pytest.mark.parametrize("stage", ["dvae", "gpt", "diffusion"])
def test_two_processes_are_one_process(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    """With an equal global batch, the samples are the same, and losses and weights differ only by the order of sums."""
    plain = ["model.dropout=0"] if stage == "gpt" else []
    for processes in (1, 2):
        train(stage, corpus, tmp_path / str(processes), processes, "run.steps=6", *plain)
    one, two = history(tmp_path / "1"), history(tmp_path / "2")
    assert [row[2] for row in one] == [row[2] for row in two]
    assert [row[1] for row in one] == pytest.approx([row[1] for row in two], rel=1e-5)


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_another_number_of_processes_goes_on_and_says_what_is_not_exact(
    before: int, after: int, corpus: dict[str, Path], tmp_path: Path
) -> None:
    train("dvae", corpus, tmp_path / "whole", 1, "run.steps=6")
    train("dvae", corpus, tmp_path / "run", before, "run.steps=6", "run.stop_at=3")
    said = train("dvae", corpus, tmp_path / "run", after, "run.steps=6")
    assert f"was trained with {before} processes, now {after}" in said
    assert "sums of floats and dropout are not" in said
    whole, run = history(tmp_path / "whole"), history(tmp_path / "run")
    assert [row[2] for row in run] == [row[2] for row in whole]
    assert [row[1] for row in run] == pytest.approx([row[1] for row in whole], rel=1e-5)


def test_two_machines_are_two_processes(corpus: dict[str, Path], tmp_path: Path) -> None:
    """Two launches that find each other by address and port; the run's folder lies where both see it."""
    address = ["--main_process_ip", "127.0.0.1", "--main_process_port", free_port()]
    machines = []
    for rank in ("0", "1"):
        start = launch("--num_processes", "2", "--num_machines", "2", "--machine_rank", rank, *address)
        words = [*start, *program("dvae", corpus, tmp_path / "two", "run.steps=3")]
        machines.append(forks.Program(words, env=ENVIRONMENT, starts_programs=True))
    assert [machine.wait() for machine in machines] == [0, 0]
    assert json.loads((tmp_path / "two" / "environment.json").read_text())["processes"] == 2
    train("dvae", corpus, tmp_path / "one", 1, "run.steps=3")
    one, two = history(tmp_path / "one"), history(tmp_path / "two")
    assert [row[2] for row in one] == [row[2] for row in two]
    assert [row[1] for row in one] == pytest.approx([row[1] for row in two], rel=1e-5)


POISONED = """
import sys
from pathlib import Path

import torch

from triforce_tts import schema
from triforce_tts.stages import dvae
from triforce_tts.stages.trainer.loop import Trainer

shards, run = map(Path, sys.argv[1:])
chosen = ["run.batch_size=4", "run.steps=9", "run.mega_batch_factor=2", "run.threads=1", "run.precision=fp32"]
settings = schema.load(dvae.DVAESettings, "dvae", "tiny", chosen)
torch.manual_seed(0)
made = Trainer(dvae.build(settings, [shards]), settings.run, run, {})
rank, batches = made.accelerator.process_index, made._batches()
weights = lambda: torch.cat([p.detach().flatten() for p in made.network.parameters()])

before, batch = weights().clone(), next(batches)
if rank == 1:
    batch.samples[0, 100] = float("nan")
made._step(batch)
assert made.progress.skipped == 1
assert torch.equal(weights(), before)
assert (run / "bad" / f"step-00000001-{rank:05d}.safetensors").exists()
made._step(next(batches))
assert made.progress.skipped == 1
assert not torch.equal(weights(), before)
everywhere = made.accelerator.gather(weights()[None])
assert len(everywhere) == 2
assert torch.equal(everywhere[0], everywhere[1])
made.close()
"""


def test_all_processes_skip_a_step_that_one_of_them_spoilt(corpus: dict[str, Path], tmp_path: Path) -> None:
    """The fault is in the first of two accumulated parts."""
    (tmp_path / "poisoned.py").write_text(POISONED)
    words = [str(tmp_path / "poisoned.py"), str(corpus["shards"]), str(tmp_path / "run")]
    codes, _, errors = in_forks(words, 2)
    assert codes == [0, 0], errors[-3000:]


def test_a_light_export_goes_on_and_says_that_it_is_not_exact(corpus: dict[str, Path], tmp_path: Path) -> None:
    train("gpt", corpus, tmp_path / "run", 1, "run.stop_at=4")
    words = ["export", str(tmp_path / "run"), "--light", "--out", str(tmp_path / "light")]
    done = forks.run([*forks.CLI, *words])
    assert done.returncode == 0
    assert "not exact" in done.stderr
    size = {name: sum(p.stat().st_size for p in (tmp_path / name).rglob("*.safetensors")) for name in ("run", "light")}
    # two bytes for each parameter, compared with four each for weights, average and two moments
    assert size["light"] < size["run"] / 7
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
    with pytest.raises(AssertionError, match=r"run\.bucket_batches=1"):
        train("dvae", corpus, tmp_path / "run", 1, "run.bucket_batches=3")
    assert [row[0] for row in history(tmp_path / "run")] == [1, 2]


def test_a_checkpoint_of_an_older_version_says_nothing_of_the_sorting_by_length(
    corpus: dict[str, Path], tmp_path: Path
) -> None:
    train("dvae", corpus, tmp_path / "run", 1, "run.stop_at=2")
    file = locate(tmp_path / "run") / "trainer" / "state.json"
    state = json.loads(file.read_text())
    assert state.pop("bucket_batches") == 1
    file.write_text(json.dumps(state))
    train("dvae", corpus, tmp_path / "run", 1, "run.stop_at=3", "run.bucket_batches=3")
    assert [row[0] for row in history(tmp_path / "run")] == [1, 2, 3]


def test_weights_to_start_from(corpus: dict[str, Path], tmp_path: Path) -> None:
    train("dvae", corpus, tmp_path / "first", 1, "run.stop_at=3")
    train("dvae", corpus, tmp_path / "second", 1, "run.stop_at=1", f"run.init_from={tmp_path / 'first'}")
    assert history(tmp_path / "second")[0][1] < history(tmp_path / "first")[0][1]


def test_weights_of_another_size_do_not_fit_the_configuration_of_the_run(
    corpus: dict[str, Path], tmp_path: Path
) -> None:
    train("dvae", corpus, tmp_path / "first", 1, "run.stop_at=1")
    with pytest.raises(AssertionError, match=r"does not fit the configuration of this run: .* has shape"):
        train("dvae", corpus, tmp_path / "second", 1, f"run.init_from={tmp_path / 'first'}", "model.channels=32")
    assert not (tmp_path / "second" / "latest").exists()
