"""A DVAE with switched convolutions: from a plain one, in training, in a checkpoint, in its previews."""

import json
from pathlib import Path

import pytest
import torch

from tests.training import fast, trainer
from triforce_tts import schema
from triforce_tts.checkpoint import load_tensors, locate
from triforce_tts.errors import CheckpointError, ConfigError
from triforce_tts.models.load import load_dvae
from triforce_tts.models.switched_conv import selections
from triforce_tts.stages.dvae import DVAESettings
from triforce_tts.stages.trainer.preview import as_image, draw_preview

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:the native operators are not built"),
]
SWITCHED = "model.switched={names: ['up.*.conv', 'decoder.*.conv_in.conv'], breadth: 3, dropout: 0.2}"
NAMES = ("decoder.0.conv_in.conv", "up.0.conv", "up.1.conv")


def losses(run: Path) -> list[float]:
    return [json.loads(line)["loss_exact"] for line in (run / "metrics.jsonl").read_text().splitlines() if "loss_exact" in line]  # fmt: skip


def test_a_trained_dvae_is_converted_trained_on_and_loaded(corpus: dict[str, Path], tmp_path: Path) -> None:
    run, init = tmp_path / "switched", f"run.init_from={corpus['dvae']}"
    started = trainer("dvae", corpus, tmp_path / "unused", [SWITCHED, init])
    plain, _ = load_dvae(corpus["dvae"])
    mel = torch.randn(1, 23, 40, generator=torch.Generator().manual_seed(0))
    network = started.network.eval()
    assert torch.equal(network.encode(mel), plain.encode(mel))
    torch.testing.assert_close(network.decode(network.encode(mel)), plain.decode(plain.encode(mel)), atol=1e-6, rtol=0)

    fast("dvae", corpus, run, 4, SWITCHED, init)
    loaded, _ = load_dvae(run)
    assert loaded.switched == NAMES
    with selections(loaded) as chosen:
        loaded.decode(loaded.encode(mel))
    assert {name: index.shape[1] for name, index in chosen.items()} == dict(zip(NAMES, (6, 12, 24), strict=True))
    # The averaged weights, which are shipped, hold the count of the passes and not its average.
    state = load_tensors(locate(run) / "model.safetensors")
    assert all(int(state[f"{name}.norm.seen"]) == 4 for name in NAMES)
    assert not torch.equal(state["up.0.conv.weight"][0], state["up.0.conv.weight"][1])
    # A run without switched convolutions does not take these weights up.
    with pytest.raises(CheckpointError, match="unknown, such as"):
        trainer("dvae", corpus, tmp_path / "back", [f"run.init_from={run}"])
    again = trainer("dvae", corpus, tmp_path / "again", [SWITCHED, f"run.init_from={run}"])
    torch.testing.assert_close(dict(again.network.state_dict()), state)


def test_training_goes_on_bit_for_bit(corpus: dict[str, Path], tmp_path: Path) -> None:
    words = (SWITCHED, "run.log_every=1")
    fast("dvae", corpus, tmp_path / "whole", 6, *words)
    fast("dvae", corpus, tmp_path / "broken", 3, *words)
    fast("dvae", corpus, tmp_path / "broken", 6, *words)
    assert losses(tmp_path / "broken") == losses(tmp_path / "whole")
    one, other = (load_tensors(locate(tmp_path / name) / "model.safetensors") for name in ("whole", "broken"))
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_previews_show_what_was_selected(corpus: dict[str, Path], tmp_path: Path) -> None:
    started = trainer("dvae", corpus, tmp_path / "run", [SWITCHED])
    shown = started.task.preview(started.network.eval(), torch.device("cpu"), 0)
    assert tuple(shown.selections) == NAMES
    frames = len(shown.pictures["recorded"])
    for name, rate in zip(NAMES, (4, 2, 1), strict=True):
        assert len(shown.selections[name]) * rate == -(-frames // 4) * 4
    shown.selections["up.1.conv"] = torch.arange(len(shown.selections["up.1.conv"])) % 3
    image = as_image(draw_preview(shown))
    shown.selections.clear()
    assert image.shape[0] > as_image(draw_preview(shown)).shape[0]


def test_recomputation_is_refused() -> None:
    """It would count every use twice, and choose by another norm in the backward pass than in the forward pass."""
    with pytest.raises(ConfigError, match=r"set run\.recompute=false"):
        schema.load(DVAESettings, "dvae", "tiny", [SWITCHED, "run.recompute=true"])


def test_a_name_that_fits_nothing_is_refused(corpus: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no convolution is named 'up\.7\.conv' here; there are conv_in\.conv, "):
        trainer("dvae", corpus, tmp_path / "run", ["model.switched={names: ['up.7.conv']}"])


def test_the_shipped_configuration_differs_by_what_is_switched() -> None:
    plain, switched = (schema.load(DVAESettings, "dvae", name) for name in ("nano", "nano-switched"))
    assert switched.model.switched is not None
    assert switched.model.model_copy(update={"switched": None}) == plain.model
    assert switched.audio == plain.audio and switched.data == plain.data
