from pathlib import Path

import pytest

from triforce_tts.errors import ConfigError
from triforce_tts.shards import Sample, ShardSet, write_index, write_shard
from triforce_tts.stages.settings import DataSettings


def recordings(folder: Path) -> ShardSet:
    """Ten of half an hour each: a b a b ..."""
    samples = [Sample(f"u{n}", {"speaker": "ab"[n % 2], "duration_s": 1800.0}, bytes([n]), "flac") for n in range(10)]
    infos = [write_shard(folder / "train-000000.tar", samples)]
    write_index(folder, "audio", {"train": infos, "heldout": []}, {})
    return ShardSet.open([folder], "train", "audio")


def numbers(shards: ShardSet) -> list[int]:
    return [shards.payload(n)[0] for n in range(len(shards))]


def test_balance_changes_nothing_unless_told(tmp_path: Path) -> None:
    shards = recordings(tmp_path)
    assert numbers(DataSettings().balance(shards)) == list(range(10))


def test_each_speaker_is_cut_to_its_hours_and_repeated(tmp_path: Path) -> None:
    shards = recordings(tmp_path)
    assert numbers(DataSettings(speaker_hours=1.0).balance(shards)) == [0, 1, 2, 3]
    balanced = DataSettings(speaker_hours=1.0, repeat={"b": 3}).balance(shards)
    assert numbers(balanced) == [0, 1, 1, 1, 2, 3, 3, 3]
    # A voice prompt comes from another clip of the speaker: repeats of a clip are one clip.
    assert {name: [balanced.keys[i] for i in found] for name, found in balanced.by_speaker.items()} == {
        "a": ["u0", "u2"],
        "b": ["u1", "u3"],
    }
    assert balanced.fingerprint != shards.fingerprint


def test_repeating_an_unknown_speaker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="carol"):
        DataSettings(repeat={"carol": 2}).balance(recordings(tmp_path))
