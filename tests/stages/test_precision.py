"""fp16: losses are scaled up, and it is normal that some gradients overflow; tested with torch's scaler for CPUs."""

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.state import AcceleratorState

from tests.training import trainer
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.stages.trainer.loop import Trainer
from triforce_tts.stages.trainer.preview import layer_norms
from triforce_tts.stages.trainer.state import read_state

pytestmark = pytest.mark.usefixtures("one_thread")


def scaled(made: Trainer[Any, Any], monkeypatch: pytest.MonkeyPatch, scale: float) -> torch.amp.GradScaler:
    """Give a trainer of fp32 the scaler that accelerate gives one of fp16 on a GPU."""
    scaler = torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=2)
    monkeypatch.setattr(made.accelerator, "scaler", scaler)
    monkeypatch.setattr(made.accelerator, "native_amp", True)
    monkeypatch.setattr(AcceleratorState(), "_mixed_precision", "fp16")
    made.learner.optimizer = AcceleratedOptimizer(made.learner.optimizer.optimizer, scaler=scaler)
    monkeypatch.setattr(made.accelerator, "_optimizers", [made.learner.optimizer])
    return scaler


def weights(made: Trainer[Any, Any]) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in made.network.parameters()])


def test_training_goes_on_after_overflows(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = trainer("dvae", corpus, tmp_path / "run", ["run.stop_after_skips=2"])
    scaler = scaled(made, monkeypatch, 2.0**127)
    monkeypatch.setattr(made.task, "weight", lambda batch: 1e-2)  # gradients so large that scaled ones are infinite
    batches = made._batches()
    before = weights(made)
    for number in range(1, 16):
        made._step(next(batches))
        if made.progress.overflows < number:
            break
        assert torch.equal(weights(made), before)
        assert scaler.get_scale() == 2.0 ** (127 - number)
    assert 2 <= made.progress.overflows < 15
    assert made.progress.skipped == 0
    assert not (tmp_path / "run" / "bad").exists()
    assert not torch.equal(weights(made), before)


def test_what_is_not_finite_without_scaling_stops_the_run(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = trainer("dvae", corpus, tmp_path / "run", ["run.stop_after_skips=3"])
    scaled(made, monkeypatch, 4.0)
    batches = made._batches()
    with pytest.raises(TriforceError, match="not finite 3 steps in a row at step 5"):
        for _ in range(9):
            batch = next(batches)
            batch.samples[0, 100] = float("nan")
            made._step(batch)
    assert made.progress.overflows == 2  # the loss scale fell from 4 to 1
    assert made.progress.skipped == 3


def test_a_finite_gradient_between_starts_the_count_anew(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = trainer("dvae", corpus, tmp_path / "run", ["run.stop_after_skips=2"])
    scaled(made, monkeypatch, 1.0)
    monkeypatch.setattr(made.accelerator.scaler, "_growth_interval", 1000)
    batches = made._batches()
    for number in range(6):
        batch = next(batches)
        if number % 2 == 0:
            batch.samples[0, 100] = float("nan")
        made._step(batch)
    assert made.progress.skipped == 3


def test_the_scale_is_saved_with_the_run(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = trainer("dvae", corpus, tmp_path / "run")
    scaler = scaled(made, monkeypatch, 8.0)
    batches = made._batches()
    for _ in range(3):
        made._step(next(batches))
    made.checkpoints.save()
    state = read_state(tmp_path / "run" / "step-00000003")
    assert state.loss_scale == scaler.get_scale() == 16.0
    assert state.loss_scale_steps == 1


def test_pictures_of_gradients_are_of_gradients_not_scaled(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[dict[str, tuple[float, float]]] = []
    chosen = ["run.preview_every=1", "run.preview_samples=0"]
    trainers = [trainer("dvae", corpus, tmp_path / name, chosen) for name in ("one", "two")]
    for made, scale in zip(trainers, (1.0, 1024.0), strict=True):
        scaled(made, monkeypatch, scale)
        monkeypatch.setattr(made.report, "gradients", lambda progress, norms: drawn.append(norms))
        made._step(next(made._batches()))
    assert drawn[0].keys() == drawn[1].keys()
    for name, (gradient, _) in drawn[0].items():
        assert drawn[1][name][0] == pytest.approx(gradient, rel=1e-4)


def test_norms_are_divided_by_the_scale() -> None:
    network = torch.nn.Linear(2, 1, bias=False)
    network.weight.grad = torch.tensor([[3.0, 4.0]])
    assert layer_norms(network, 4.0)["weight"][0] == pytest.approx(1.25)


def test_fp16_without_a_gpu_is_refused(corpus: dict[str, Path], tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match="fp16 needs a GPU"):
        trainer("dvae", corpus, tmp_path / "run", ["run.precision=fp16"])


def test_a_process_may_train_in_one_precision_after_another(corpus: dict[str, Path], tmp_path: Path) -> None:
    for number, precision in enumerate(("fp32", "bf16", "fp32")):
        made = trainer("dvae", corpus, tmp_path / f"run{number}", [f"run.precision={precision}"])
        assert made.accelerator.mixed_precision == ("no" if precision == "fp32" else precision)
