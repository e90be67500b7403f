"""The mean of the weights of checkpoints: its numbers, its lineage, and what has no mean."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from triforce_tts import checkpoint
from triforce_tts.errors import CheckpointError, ConfigError, TriforceError
from triforce_tts.models.load import load_gpt
from triforce_tts.stages.average import average, average_command

LINEAGE = {"dvae": "d1", "tokenizer": "t1"}


def made(folder: Path, weights: dict[str, torch.Tensor], stage: str = "gpt", **lineage: object) -> Path:
    folder.mkdir(parents=True)
    checkpoint.save(folder, weights, {"stage": stage, "note": folder.name}, {**LINEAGE, **lineage})
    return folder


def test_the_mean_of_three_by_hand(tmp_path: Path) -> None:
    paths = [
        made(tmp_path / name, {"a": torch.tensor([first, 2.0]), "b": torch.full((1, 2), second)}, steps=steps)
        for name, first, second, steps in (("one", 1.0, 3.0, 5), ("two", 2.0, 3.0, 7), ("three", 6.0, -6.0, 9))
    ]
    average(paths, tmp_path / "mean")
    weights = checkpoint.load_tensors(tmp_path / "mean" / checkpoint.WEIGHTS)
    assert weights["a"].tolist() == pytest.approx([3.0, 2.0])
    assert weights["b"].tolist() == [[0.0, 0.0]]
    assert checkpoint.read_config(tmp_path / "mean", "gpt")["note"] == "three"
    lineage = checkpoint.read_lineage(tmp_path / "mean")
    ids = [checkpoint.read_lineage(path)["id"] for path in paths]
    assert lineage["averaged"] == ids
    assert lineage["id"] not in ids
    assert (lineage["dvae"], lineage["steps"]) == ("d1", 9)


def test_shares_by_hand(tmp_path: Path) -> None:
    paths = [
        made(tmp_path / name, {"a": torch.tensor([value, 2.0])})
        for name, value in (("one", 1.0), ("two", 3.0), ("three", 6.0))
    ]
    for share, expected in ((0.5, 0.25 * 1 + 0.25 * 3 + 0.5 * 6), (0.0, 2.0), (1.0, 6.0)):
        average(paths, tmp_path / "mean", True, share)
        weights = checkpoint.load_tensors(tmp_path / "mean" / checkpoint.WEIGHTS)
        assert weights["a"].tolist() == pytest.approx([expected, 2.0])
    average(paths[:2], tmp_path / "beyond", share=2.0)  # as far from the second as that is from the first
    assert checkpoint.load_tensors(tmp_path / "beyond" / checkpoint.WEIGHTS)["a"].tolist() == pytest.approx([5.0, 2.0])
    assert checkpoint.read_lineage(tmp_path / "beyond")["shares"] == [-1.0, 2.0]


@pytest.mark.parametrize("share", [-0.1, 4.5, float("nan"), float("inf")])
def test_a_share_out_of_bounds_is_refused(tmp_path: Path, share: float) -> None:
    paths = [made(tmp_path / name, {"a": torch.ones(1)}) for name in ("one", "two")]
    with pytest.raises(ConfigError, match=r"--share .*expected a number from 0 to 4"):
        average(paths, tmp_path / "mean", share=share)


def test_the_mean_of_a_network_with_its_copy_is_the_network(model: Path, tmp_path: Path) -> None:
    average([model / "gpt", Path(shutil.copytree(model / "gpt", tmp_path / "copy"))], tmp_path / "mean")
    before, after = load_gpt(model / "gpt")[0].state_dict(), load_gpt(tmp_path / "mean")[0].state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert checkpoint.fingerprint(before) == checkpoint.read_lineage(tmp_path / "mean")["id"]


def test_whole_numbers_are_those_of_the_last(tmp_path: Path) -> None:
    paths = [
        made(tmp_path / str(seen), {"a": torch.full((1,), float(seen)), "seen": torch.tensor([seen])})
        for seen in (3, 8)
    ]
    average(paths, tmp_path / "mean")
    weights = checkpoint.load_tensors(tmp_path / "mean" / checkpoint.WEIGHTS)
    assert (weights["a"].item(), weights["seen"].tolist(), weights["seen"].dtype) == (5.5, [8], torch.int64)


def test_equal_shapes_of_another_architecture_are_refused(model: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(model / "gpt", tmp_path / "other"))
    config = json.loads((other / checkpoint.CONFIG).read_text())
    config["model"]["heads"] *= 2
    (other / checkpoint.CONFIG).write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="mismatched model"):
        average([other, model / "gpt"], tmp_path / "out")


def test_what_has_no_mean_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    first = made(tmp_path / "first", {"a": torch.ones(2)})
    refused = {
        "of stage 'dvae'": made(tmp_path / "stage", {"a": torch.ones(2)}, stage="dvae"),
        "first: does not fit .*shape: 'a' has shape": made(tmp_path / "shape", {"a": torch.ones(3)}),
        "does not fit .*name: .*'a'": made(tmp_path / "name", {"b": torch.ones(2)}),
        "mismatched dvae": made(tmp_path / "dvae", {"a": torch.ones(2)}, dvae="d2"),
        "mismatched tokenizer": made(tmp_path / "tokenizer", {"a": torch.ones(2)}, tokenizer="t2"),
        "not finite": made(tmp_path / "nan", {"a": torch.tensor([1.0, float("nan")])}),
        "there is no such file or folder": tmp_path / "nothing",
    }
    for message, other in refused.items():
        with pytest.raises(CheckpointError, match=message):
            average([other, first], tmp_path / "out")
    with pytest.raises(ConfigError, match="two or more checkpoints, found 1"):
        average([first], tmp_path / "out")
    (tmp_path / "link").symlink_to(first)
    with pytest.raises(ConfigError, match=r"all of the 2 checkpoints are .*first"):
        average([first, tmp_path / "link"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_mean_replaces_no_source_and_no_strangers_folder(tmp_path: Path) -> None:
    first, second = (made(tmp_path / name, {"a": torch.full((2,), value)}) for name, value in (("x", 1.0), ("y", 2.0)))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("mine")
    for out in (first, tmp_path / "home"):
        with pytest.raises(TriforceError, match="choose"):
            average([first, second], out, force=True)
    assert (tmp_path / "home" / "thesis.txt").read_text() == "mine"
    app = Typer()
    app.command()(average_command)
    assert CliRunner().invoke(app, [str(first), str(second), "--out", str(tmp_path / "mean")]).exit_code == 0
    with pytest.raises(TriforceError, match="--force"):
        average([first, second], tmp_path / "mean")
    shutil.copytree(tmp_path / "mean", tmp_path / "kept")
    average([second, second, second, first], tmp_path / "mean", force=True)
    assert checkpoint.load_tensors(tmp_path / "mean" / checkpoint.WEIGHTS)["a"].tolist() == [1.75, 1.75]
    assert json.loads((tmp_path / "kept" / checkpoint.LINEAGE).read_text())["averaged"]


def test_a_setting_that_an_older_version_did_not_write_has_its_default(tmp_path: Path) -> None:
    sizes = {
        "target": "magnitude", "channels": 8, "hidden": 16, "blocks": 1, "kernel_size": 5, "reference_channels": 8,
        "null_condition": False, "bands": 1, "band_overlap": 0,
    }  # fmt: skip
    newer = {**sizes, "pitch_channels": 0, "pitch_blocks": 0, "sharpness": 0.0}
    paths = []
    for name, model in (("older", sizes), ("newer", newer), ("other", {**sizes, "hidden": 32})):
        paths.append(tmp_path / name)
        paths[-1].mkdir()
        checkpoint.save(paths[-1], {"a": torch.ones(1)}, {"stage": "diffusion", "model": model}, LINEAGE)
    average(paths[:2], tmp_path / "mean")
    with pytest.raises(CheckpointError, match="mismatched model"):
        average(paths[1:], tmp_path / "no")
