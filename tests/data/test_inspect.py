import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from triforce_tts.data.inspect import command, inspect
from triforce_tts.errors import ShardError
from triforce_tts.shards import Sample, write_index, write_shard


def sample(number: int, **about: Any) -> Sample:
    known = {"speaker": "ann", "source": "talks", "license": "CC0-1.0", "sample_rate": 16000, "punct": True}
    return Sample(f"u{number}", {"duration_s": 36.0 * (number + 1), **known, **about}, b"x", "flac")


def folder_with(folder: Path, kind: Any = "audio") -> Path:
    train = write_shard(
        folder / "train-000000.tar",
        [
            sample(0, snr_db=10, dnsmos=3.5, start_s=99.0),
            sample(1, snr_db=20, speaker="bob", alignment=[]),
            sample(2, snr_db=40, license="CC-BY-4.0", sample_rate=24000),
            sample(3, source="book"),
        ],
    )
    write_index(folder, kind, {"train": [train], "heldout": []}, {"sample_rate": None})
    return folder


@pytest.mark.parametrize("kind", ["audio", "codes"])
def test_counts_by_hand(tmp_path: Path, kind: str) -> None:
    found = inspect([folder_with(tmp_path, kind)])[str(tmp_path)]
    assert (found["kind"], found["details"]) == (kind, {"sample_rate": None})
    train = found["splits"]["train"]
    assert train == {
        "shards": 1,
        "samples": 4,
        "hours": 0.1,
        "aligned": 1,
        "speakers": 2,
        "minutes_by_speaker": {"min": 1.2, "q1": 1.2, "median": 1.2, "q3": 4.8, "max": 4.8},
        "hours_by_speaker": {"ann": 0.08, "bob": 0.02},
        "hours_by_source": {"talks": 0.06, "book": 0.04},
        "hours_by_license": {"CC0-1.0": 0.07, "CC-BY-4.0": 0.03},
        "samples_by_sample_rate": {"16000": 3, "24000": 1},
        "duration_s": {"min": 36.0, "q1": 36.0, "median": 72.0, "q3": 108.0, "max": 144.0},
        "scores": {
            "dnsmos": {"min": 3.5, "q1": 3.5, "median": 3.5, "q3": 3.5, "max": 3.5},
            "snr_db": {"min": 10.0, "q1": 10.0, "median": 20.0, "q3": 40.0, "max": 40.0},
        },
    }
    assert found["splits"]["heldout"]["samples"] == 0


def run(*arguments: object) -> str:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_for_people_and_for_machines(tmp_path: Path) -> None:
    one, two = folder_with(tmp_path / "one"), folder_with(tmp_path / "two", "codes")
    assert json.loads(run(one, two, "--json")) == json.loads(json.dumps(inspect([one, two])))
    told = run(one, two)
    for words in ("two: codes", "train: 4 samples in 1 shard, 6.0 min, 2 speakers, 1 aligned", "ann 4.8 min, bob 1.2 min",
                  "CC0-1.0 4.2 min", "16000 Hz (3 samples), 24000 Hz (1 sample)", "snr_db", "heldout: 0 samples"):  # fmt: skip
        assert words in told


def test_markup_in_names_is_only_text(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "train-000000.tar", [sample(0, speaker="[red]ann[/red]", source="[/]")])
    write_index(tmp_path, "audio", {"train": [shard]}, {})
    assert "[red]ann[/red]" in run(tmp_path)


def test_no_shards(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="cannot read"):
        inspect([tmp_path])
