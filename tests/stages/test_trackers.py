"""Other trackers get what TensorBoard gets."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.training import trainer
from triforce_tts.errors import ConfigError

pytestmark = pytest.mark.usefixtures("one_thread")


def test_another_tracker_gets_what_tensorboard_gets(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, Any]] = []

    def record(name: str) -> Any:
        return lambda *args, **kwargs: calls.append((name, args[0] if args else kwargs))

    fake = SimpleNamespace(
        init=record("init"),
        log=record("log"),
        finish=record("finish"),
        Image=lambda x: x,
        Audio=lambda x, sample_rate: x,
    )
    monkeypatch.setitem(sys.modules, "trackio", fake)
    chosen = ["run.trackers=[trackio]", "run.steps=2", "run.preview_every=2", "run.preview_samples=1"]
    trainer("dvae", corpus, tmp_path / "run", chosen).fit()
    assert calls[0][0] == "init"
    assert calls[0][1]["name"] == "run"
    assert calls[-1] == ("finish", {})
    logged = {key for name, values in calls if name == "log" for key in values}
    assert {"train/loss", "validation/l1", "gradients"} <= logged
    assert any(key.endswith("/decoded") for key in logged)
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_a_tracker_that_is_not_installed_is_named(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # importing it fails
    with pytest.raises(ConfigError, match="pip install wandb"):
        trainer("dvae", corpus, tmp_path / "run", ["run.trackers=[wandb]"]).fit()
