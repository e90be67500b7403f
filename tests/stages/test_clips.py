"""Clips in memory are equal to the decoded clips."""

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch

from tests.corpus import SAMPLE_RATE
from tests.training import trainer
from triforce_tts.errors import ConfigError
from triforce_tts.shards import ShardSet
from triforce_tts.stages.clips import DecodedClips, MemoryClips, rate_notes


def shards_of(corpus: dict[str, Path]) -> ShardSet:
    """The training samples, of which the second one is there twice."""
    shards = ShardSet.open([corpus["shards"]], "train", "audio")
    return shards.select([0, 1, *range(1, len(shards))])


@pytest.mark.parametrize("rate", [SAMPLE_RATE, SAMPLE_RATE * 3 // 2])
def test_crops_are_the_same(corpus: dict[str, Path], rate: int) -> None:
    """Without resampling they are exactly equal.

    Else they are equal except near the ends, where a resampled crop sees silence.
    """
    shards = shards_of(corpus)
    decoded, kept = DecodedClips(shards, rate), MemoryClips(shards, rate, quiet=True)
    assert len(kept.samples) / rate == pytest.approx(sum(shards.durations_s) - shards.durations_s[1], abs=0.1)
    edge, tolerance = (0, 0.0) if rate == SAMPLE_RATE else (50, 1e-3)
    for index in range(len(shards)):
        for start_s, seconds in ((0.0, 0.25), (0.125, 0.5), (0.25, 60.0)):
            one, other = decoded.crop(index, start_s, seconds), kept.crop(index, start_s, seconds)
            assert abs(len(one) - len(other)) <= (edge > 0)
            inside = slice(edge, min(len(one), len(other)) - edge)
            assert len(one[inside]) > 0
            assert float((one[inside] - other[inside]).abs().max()) <= tolerance


def test_training_is_the_same(corpus: dict[str, Path], tmp_path: Path) -> None:
    for stage in ("dvae", "diffusion"):
        losses = []
        for kept in ("false", "true"):
            made = trainer(stage, corpus, tmp_path / f"{stage}-{kept}", ["run.steps=2", f"data.in_memory={kept}"])
            losses.append([made._step(batch)["loss"] for batch, _ in zip(made._batches(), range(2), strict=False)])
        assert losses[0] == losses[1]


def test_more_than_the_free_memory_is_refused(corpus: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    with pytest.raises(ConfigError, match=r"data\.in_memory: .* GB of memory.*set data\.in_memory=false"):
        MemoryClips(shards_of(corpus), SAMPLE_RATE)


def test_samples_are_16_bits(corpus: dict[str, Path]) -> None:
    assert MemoryClips(shards_of(corpus), SAMPLE_RATE, quiet=True).samples.dtype == torch.int16


def test_samples_of_a_lower_rate_than_the_network_are_told(corpus: dict[str, Path], tmp_path: Path) -> None:
    assert rate_notes(shards_of(corpus), SAMPLE_RATE) == ()
    (note,) = trainer("dvae", corpus, tmp_path / "run", ["audio.sample_rate=24000"]).task.notes
    assert note.startswith("11 of 11 samples that were looked at have less than audio.sample_rate (24000 Hz)")
    assert note.endswith("with 8000 Hz: they teach no sound above 4000 Hz")
    assert trainer("diffusion", corpus, tmp_path / "run").task.notes == ()
