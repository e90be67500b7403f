"""A run whose weights, gradients and optimiser are split over processes gives the same result as the whole run."""

from pathlib import Path

import pytest
import torch

from tests.launch import history, train
from triforce_tts.checkpoint import load_tensors, locate
from triforce_tts.models.load import load_gpt

FILES = ("model.safetensors", "trainer/weights.safetensors", "trainer/optimizer.safetensors")
# Every feature of a step is on: parts, recomputation, averages; there are validations too.
CHOSEN = ("run.steps=4", "model.dropout=0", "run.mega_batch_factor=2", "run.recompute=true", "run.validate_every=2",
          "run.validate_samples=2", "run.save_every=2", "run.preview_samples=1")  # fmt: skip
STAGES = ("gpt", "diffusion")
HEAD = "model.head={layers: 1, hidden: 32}"  # as in 'large': a step a frame; the Llama is that of any layout


def chosen(stage: str, *more: str) -> list[str]:
    """The words of the command; a GPT goes by frames unless ``more`` says otherwise."""
    return [word for word in (*CHOSEN, HEAD, *more) if stage == "gpt" or not word.startswith("model.")]


def apart(one: Path, two: Path) -> float:
    """The largest difference between the tensors of two runs, as a share of the largest value of each tensor."""
    found = 0.0
    for name in FILES:
        first, second = load_tensors(locate(one) / name), load_tensors(locate(two) / name)
        assert first.keys() == second.keys()
        for key, value in first.items():
            assert value.shape == second[key].shape
            found = max(found, float((value - second[key]).abs().max() / value.abs().max().clamp_min(1e-3)))
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_split_is_whole_and_each_goes_on_from_the_other(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    plain, split, mixed = tmp_path / "plain", tmp_path / "split", tmp_path / "mixed"
    train(stage, corpus, plain, 2, *chosen(stage))
    train(stage, corpus, split, 2, *chosen(stage, "run.shard=true", "run.preview_every=3"))
    assert [row[2] for row in history(split)] == [row[2] for row in history(plain)]
    assert [row[1] for row in history(split)] == pytest.approx([row[1] for row in history(plain)], rel=1e-5)
    assert apart(split, plain) <= 1e-3

    # The run is split, then whole in one process, then split again.
    train(stage, corpus, mixed, 2, *chosen(stage, "run.shard=true", "run.stop_at=1"))
    train(stage, corpus, mixed, 1, *chosen(stage, "run.stop_at=3"))
    train(stage, corpus, mixed, 2, *chosen(stage, "run.shard=true"))
    assert [row[1] for row in history(mixed)] == pytest.approx([row[1] for row in history(plain)], rel=1e-5)
    assert apart(mixed, plain) <= 1e-3
    if stage == "gpt":
        network, _ = load_gpt(split)
        assert all(type(parameter.data) is torch.Tensor for parameter in network.parameters())


def test_a_split_run_resumes_bit_for_bit(corpus: dict[str, Path], tmp_path: Path) -> None:
    words = chosen("gpt", "run.shard=true", "run.optimizer=smorms3", "model.dropout=0.1", "model.head=null")
    train("gpt", corpus, tmp_path / "whole", 2, *words)
    train("gpt", corpus, tmp_path / "broken", 2, *words, "run.stop_at=2")
    train("gpt", corpus, tmp_path / "broken", 2, *words)
    assert history(tmp_path / "broken") == history(tmp_path / "whole")
    assert apart(tmp_path / "broken", tmp_path / "whole") == 0


def test_what_cannot_be_split_is_refused(corpus: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"there is one: set run\.shard=false"):
        train("gpt", corpus, tmp_path / "run", 1, "run.shard=true")
    with pytest.raises(AssertionError, match=r"does not go with run\.compile"):
        train("gpt", corpus, tmp_path / "run", 2, "run.shard=true", "run.compile=true")
    with pytest.raises(AssertionError, match=r"VQ learns 'quantizer\.|DVAE learns 'quantizer\."):
        train("dvae", corpus, tmp_path / "run", 2, "run.shard=true", "model.quantizer=vq")
