from pathlib import Path

import pytest
import torch

from benchmarks.neighbours import draw, mel_frames, with_gains
from triforce_tts.models.load import load_dvae
from triforce_tts.shards import ShardSet
from triforce_tts.stages.neighbours import embed_frames


def test_a_gain_is_how_far_a_loss_lies_under_chance() -> None:
    figures = {"speaker": 1.0, "speaker_chance": 1.5, "phone": 2.0, "phone_chance": 1.75}
    found = with_gains({f"neighbour_{name}": value for name, value in figures.items()})
    assert found == pytest.approx(figures | {"speaker_gain": 0.5, "phone_gain": -0.25})


def test_the_mel_has_the_frames_of_the_codes(corpus: dict[str, Path], tmp_path: Path) -> None:
    shards = ShardSet.open([corpus["shards"]], "train", "audio")
    network, audio = load_dvae(corpus["dvae"])
    frames, phones = embed_frames(network, audio, shards, torch.device("cpu"), 3)
    mels = mel_frames(network, audio, shards, frames)
    assert mels.vectors.shape == (len(frames.vectors), audio.n_mels)
    assert {"K", "AE", "T"} <= set(phones)  # the babbler says 'a cat sat on'
    assert frames.clips.unique().tolist() == [0, 1, 2]
    draw(frames, phones, ["low"], tmp_path / "a.png", most=50)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
