"""A model in memory: its description of itself, and its device."""

from dataclasses import FrozenInstanceError

import pytest
import torch

from tests.triforce_tts.synthesis.conftest import MakeModel
from triforce_tts.errors import CheckpointError
from triforce_tts.synthesis import choose_device


def test_a_device_is_chosen_by_its_name() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    for name in ("cuda:99", "gpu", ""):
        with pytest.raises(CheckpointError, match=f"device '{name}' is not available"):
            choose_device(name)


def test_a_model_does_not_change(make_model: MakeModel) -> None:
    model = make_model("magnitude", True)
    with pytest.raises(FrozenInstanceError):
        model.diffusion_steps = 2  # type: ignore[misc]


def test_rates_by_hand(make_model: MakeModel) -> None:
    """8000 samples, hops of 64, four mel frames for each frame of codes, two codes in a frame.

    400 tokens without those of the prompt.
    """
    model = make_model("magnitude", True)
    assert model.code_samples == 256
    assert model.code_rate == 31.25
    assert model.room.steps_per_second == 62.5
    assert model.heard_s == 400 / 62.5
    assert model.room.steps == 400 - 2 * -(-62 // 4) - 3  # half a second of voice is 62 frames; <voice> <text> <read>


def test_networks_know_where_they_are(make_model: MakeModel) -> None:
    model = make_model("complex", False)
    for network in (model.dvae, model.gpt, model.diffusion):
        assert (network.device, network.dtype) == (torch.device("cpu"), torch.float32)
        assert network.to("meta", torch.float64).device == torch.device("meta")
        assert network.dtype == torch.float64
