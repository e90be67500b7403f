"""Runs that have nothing to train on, or nothing left to train, say so."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.training import trainer
from triforce_tts.errors import ConfigError
from triforce_tts.shards import ShardSet
from triforce_tts.stages.cli import app
from triforce_tts.stages.trainer.settings import DataSettings

pytestmark = pytest.mark.usefixtures("one_thread")


def test_data_that_is_all_held_out_is_refused(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ShardSet.open

    def open_held_out(folders: Sequence[Path], split: str, content: str) -> ShardSet:
        opened = whole(folders, "train", content)  # type: ignore[arg-type]
        return opened.select([]) if split == "train" else opened

    monkeypatch.setattr(ShardSet, "open", open_held_out)
    for stage in ("dvae", "gpt", "diffusion"):
        words = [stage, "--config", "tiny", "--data", str(corpus["codes" if stage == "gpt" else "shards"])]
        words += ["--run", str(tmp_path / "run"), *(["--dvae", str(corpus["dvae"])] if stage == "diffusion" else [])]
        for more in ([], ["--dry-run"]):
            done = CliRunner().invoke(app, [*words, *more])
            assert isinstance(done.exception, ConfigError), done.exception
            assert "holds no samples to train on (all 11 of them are held out)" in str(done.exception)


def test_a_speaker_whom_the_data_lacks_is_named(corpus: dict[str, Path]) -> None:
    known = ShardSet.open([corpus["shards"]], "train", "audio").speakers[0]
    for names in (["nobody"], [known, "nobody"]):
        with pytest.raises(ConfigError, match=rf"data\.speakers names \['nobody'\].*it has {known}"):
            DataSettings(speakers=tuple(names)).open([corpus["shards"]], "audio")
    with pytest.raises(ConfigError, match=r"training samples none is left after data\.speakers"):
        DataSettings(min_seconds=1000).open([corpus["shards"]], "audio")


def test_a_budget_that_is_used_up_is_said(
    corpus: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer("dvae", corpus, tmp_path / "run", ["run.steps=2"]).fit()
    assert "is used up" not in capsys.readouterr().err
    for setting, why in (
        ("run.steps=2", "step 2: run.steps=2 is used up"),
        ("run.steps=1", "step 2: run.steps=1 is used up"),
        ("run.stop_at=1", "step 2: run.stop_at=1 is reached"),
    ):
        trainer("dvae", corpus, tmp_path / "run", [setting]).fit()
        assert why in capsys.readouterr().err
    past = round(time.time()) - 60
    trainer("dvae", corpus, tmp_path / "late", ["run.steps=0", f"run.ends_at={past}"]).fit()
    assert f"step 0: run.ends_at={past} is used up, so no step is trained; raise it" in capsys.readouterr().err
