"""The model inside the package: whole, small enough, and able to speak."""

import hashlib
import json
from pathlib import Path

import torch

from triforce_tts import Synthesizer
from triforce_tts.manifest import MANIFEST
from triforce_tts.synthesis import bundled_model

MOST_BYTES = 24_000_000


def test_it_is_whole_and_small() -> None:
    folder = bundled_model()
    checksums = json.loads((folder / MANIFEST).read_text())["sha256"]
    assert {"dvae/model.safetensors", "gpt/model.safetensors", "diffusion/model.safetensors"} <= checksums.keys()
    for name, expected in checksums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected, name
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= MOST_BYTES


def test_it_speaks(tmp_path: Path) -> None:
    audio = Synthesizer.load().speak("Good morning.", seed=1)
    assert audio.sample_rate == 16000
    assert 0.3 < audio.duration_s < 6
    assert torch.isfinite(audio.samples).all()
    assert audio.samples.abs().max() > 0.02
    audio.save(tmp_path / "morning.wav")


def test_the_card_holds_measured_figures() -> None:
    card = (bundled_model() / "MODEL_CARD.md").read_text()
    for word in ("## Data", "## Training", "## Figures", "Ends properly", "nearest reference", "CC BY 4.0"):
        assert word in card
