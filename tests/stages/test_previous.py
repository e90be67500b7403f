"""Voice prompts that are the end of the recording before."""

from pathlib import Path

import pytest
import torch

from triforce_tts import schema
from triforce_tts.errors import ConfigError
from triforce_tts.shards import Sample, ShardSet, read_index, write_index, write_shard
from triforce_tts.stages import gpt as gpt_stage
from triforce_tts.stages.codes import decode_codes
from triforce_tts.stages.gpt_data import previous_samples

pytestmark = pytest.mark.usefixtures("one_thread")


def book(folder: Path, codes: Path, keys: list[str], speakers: list[str]) -> Path:
    """The first coded samples of ``codes`` under other keys and readers; all are also held out."""
    source = ShardSet.open([codes], "train", "codes")
    samples = [
        Sample(key, {**source.meta(i), "id": key, "speaker": speaker}, source.payload(i), source.extension(i))
        for i, (key, speaker) in enumerate(zip(keys, speakers, strict=True))
    ]
    folder.mkdir()
    splits = {split: [write_shard(folder / f"{split}-000000.tar", samples)] for split in ("train", "heldout")}
    write_index(folder, "codes", splits, read_index(codes, "codes")["details"])
    return folder


def task_of(folder: Path, share: float) -> gpt_stage.GPTTask:
    settings = schema.load(
        gpt_stage.GPTSettings, "gpt", "tiny", [f"data.previous_share={share}", "data.voice_seconds=[0.2,0.4]"]
    )
    return gpt_stage.build(settings, [folder])


def test_a_sample_follows_the_one_of_the_same_reader_whose_number_is_one_lower(
    corpus: dict[str, Path], tmp_path: Path
) -> None:
    keys = ["b-0010", "b-0009", "b-0012", "c-9", "c-10", "b-0009-x0_9", "b-0010-x0_9", "b-0010-x0_9-1of2", "plain"]
    speakers = ["a", "a", "a", "a", "b", "a-x0_9", "a-x0_9", "a-x0_9", "a"]
    shards = ShardSet.open([book(tmp_path / "book", corpus["codes"], keys, speakers)], "train", "codes")
    assert previous_samples(shards) == {0: 1, 6: 5}
    repeated = shards.select([1, 0, 0])
    assert previous_samples(repeated) == {1: 0, 2: 0}


def test_the_prompt_is_the_end_of_the_clip_before_in_its_share_of_cases(
    corpus: dict[str, Path], tmp_path: Path
) -> None:
    folder = book(tmp_path / "book", corpus["codes"], ["b-1", "b-2", "x", "y", "z"], ["a"] * 5)
    for share in (0.0, 0.5, 1.0):
        task = task_of(folder, share)
        for shards in (task.train, task.heldout):
            before = decode_codes(shards.payload(0))
            prompts = [task._voice(shards, 1, torch.Generator().manual_seed(seed)) for seed in range(200)]
            # The end of the clip is silence like nothing else, so a prompt that ends like it is its end.
            ends = [torch.equal(prompt, before[-len(prompt) :]) for prompt in prompts]
            assert sum(ends) / len(ends) == pytest.approx(share, abs=0.1 if share else 0.06)
            assert all(2 <= len(prompt) <= 7 for prompt in prompts)


def test_data_without_an_order_is_refused(corpus: dict[str, Path], tmp_path: Path) -> None:
    folder = book(tmp_path / "book", corpus["codes"], ["b-1", "b-3"], ["a", "a"])
    with pytest.raises(ConfigError, match="no training sample follows another one"):
        task_of(folder, 0.5)
    assert task_of(folder, 0.0)
