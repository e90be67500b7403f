"""Each stage trains on a GPU, in every precision and way that has instructions of its own there."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.state import AcceleratorState

from tests.training import trainer
from triforce_tts.errors import ConfigError
from triforce_tts.stages.trainer.loop import Trainer

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def any_precision() -> Iterator[None]:
    """Accelerate keeps one precision for a process; here each test begins without one."""
    AcceleratorState._reset_state(True)
    yield
    AcceleratorState._reset_state(True)


STAGES = ("dvae", "gpt", "diffusion")
STEPS = 4
# How far losses may differ: in another order of sums, and rounded to bfloat16, which has 8 bits (on a CPU 3e-4 were seen).
CLOSE, ROUNDED = 1e-3, 1e-2


def losses(made: Trainer[Any, Any], steps: int = STEPS) -> list[float]:
    batches = made._batches()
    return [made._step(next(batches))["loss"] for _ in range(steps)]


def made(stage: str, corpus: dict[str, Path], run: Path, *settings: str) -> Trainer[Any, Any]:
    AcceleratorState._reset_state(True)  # a test may compare two precisions
    return trainer(stage, corpus, run, ["run.learning_rate=1e-3", "run.warmup_steps=0", *settings])


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_trains_validates_and_saves(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    run = trainer(stage, corpus, tmp_path / "run", ["run.steps=6", "run.validate_samples=2", "run.preview_every=0"])
    assert run.network.device.type == "cuda"
    outcome = run.fit()
    assert outcome.progress.step == 6
    assert outcome.progress.skipped == 0
    assert all(value == value for value in outcome.metrics.values())
    assert (tmp_path / "run" / "step-00000006" / "model.safetensors").is_file()


@pytest.mark.parametrize("stage", STAGES)
def test_a_gpu_computes_what_a_cpu_computes(stage: str, corpus: dict[str, Path], tmp_path: Path, exact: None) -> None:
    run = made(stage, corpus, tmp_path / "run")
    batch = next(run._batches())
    with torch.no_grad():
        torch.manual_seed(0)
        on_gpu = float(run.task.module(batch.to(torch.device("cuda")))[0])
        torch.manual_seed(0)
        on_cpu = float(run.task.module.cpu()(batch.to(torch.device("cpu")))[0])
    assert on_gpu == pytest.approx(on_cpu, rel=CLOSE)


@pytest.mark.parametrize("stage", STAGES)
def test_bf16_agrees_with_fp32(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    whole = losses(made(stage, corpus, tmp_path / "fp32"))
    assert losses(made(stage, corpus, tmp_path / "bf16", "run.precision=bf16")) == pytest.approx(whole, rel=ROUNDED)


@pytest.mark.parametrize("stage", STAGES)
def test_fp16_trains_with_scaled_losses(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    whole = losses(made(stage, corpus, tmp_path / "fp32"))
    run = made(stage, corpus, tmp_path / "fp16", "run.precision=fp16")
    assert run.accelerator.scaler is not None
    assert losses(run)[0] == pytest.approx(whole[0], rel=ROUNDED)
    assert run.progress.skipped == 0


@pytest.mark.parametrize("stage", STAGES)
def test_recomputing_and_accumulating_change_nothing(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    whole = losses(made(stage, corpus, tmp_path / "whole"))
    parts = losses(made(stage, corpus, tmp_path / "parts", "run.recompute=true", "run.mega_batch_factor=2"))
    assert parts == pytest.approx(whole, rel=ROUNDED)


def test_muon_descends(corpus: dict[str, Path], tmp_path: Path) -> None:
    found = losses(trainer("gpt", corpus, tmp_path / "run", ["run.optimizer=muon", "run.warmup_steps=0"]), 12)
    assert min(found[-3:]) < 0.9 * found[0]


def test_loader_processes_beside_a_gpu(corpus: dict[str, Path], tmp_path: Path) -> None:
    alone = losses(made("dvae", corpus, tmp_path / "alone"))
    assert losses(made("dvae", corpus, tmp_path / "two", "run.workers=2")) == pytest.approx(alone, rel=CLOSE)


@pytest.mark.parametrize("stage", STAGES)
def test_a_resumed_run_is_the_unbroken_one(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    """Within 1e-3: sums on a GPU are formed in no fixed order."""
    chosen = ["run.steps=6", "run.preview_every=0", "run.validate_samples=0"]
    whole = trainer(stage, corpus, tmp_path / "whole", chosen).fit()
    trainer(stage, corpus, tmp_path / "broken", [*chosen, "run.stop_at=3"]).fit()
    resumed = trainer(stage, corpus, tmp_path / "broken", chosen)
    assert resumed.progress.step == 3
    assert resumed.fit().metrics["loss"] == pytest.approx(whole.metrics["loss"], rel=CLOSE)


@pytest.mark.parametrize("stage", STAGES)
def test_sharding_over_one_device_is_refused(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is one"):
        trainer(stage, corpus, tmp_path / "run", ["run.shard=true"])


@pytest.mark.skipif(not (shutil.which("cc") or shutil.which("gcc")), reason="torch.compile needs a C compiler")
@pytest.mark.parametrize("stage", STAGES)
def test_compiled_and_eager_agree(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    """Last, because compiling takes longest."""
    eager = losses(made(stage, corpus, tmp_path / "eager"))
    torch.compiler.reset()
    assert losses(made(stage, corpus, tmp_path / "compiled", "run.compile=true")) == pytest.approx(eager, rel=ROUNDED)
