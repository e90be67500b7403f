import csv
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from typer.testing import CliRunner

from tests import forks
from triforce_tts.audio.edit import active_level_db
from triforce_tts.audio.io import decode_audio
from triforce_tts.data.build import command, labelled
from triforce_tts.data.common import heldout
from triforce_tts.data.common.names import make_key
from triforce_tts.data.labelled import build as labelled_build
from triforce_tts.data.labelled import labels
from triforce_tts.errors import ShardError
from triforce_tts.shards import ShardSet

RATE = 16000
TEXT = "a plain sentence to be read aloud"  # a text of the right length for 2 s
ENDINGS = ("one", "two", "three", "four", "five", "six")  # texts are compared only by their letters


def write_tone(path: Path, seconds: float = 2.0, level: float = 0.1, rate: int = RATE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, level * np.sin(np.arange(round(seconds * rate)) * 0.1), rate)


def corpus(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """A folder with a manifest; each row may replace any field."""
    lines = []
    for number, row in enumerate(rows):
        full = {
            "id": f"u{number:03d}",
            "audio": f"wav/{number}.wav",
            "text": f"{TEXT} {ENDINGS[number % 6]}",
            "speaker": f"s{number % 2}",
        }
        full |= {"source": "corpus", "license": "CC0-1.0", "text_case": "mixed", **row}
        if not (folder / full["audio"]).exists():
            write_tone(folder / full["audio"])
        lines.append(json.dumps(full))
    (folder / "manifest.jsonl").write_text("\n".join(lines))
    return folder


def run(*arguments: object) -> str:
    result = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def metas(out: Path, split: str = "train") -> dict[str, dict[str, Any]]:
    shards = ShardSet.open([out], split, "audio")
    return {shards.keys[i]: shards.meta(i) for i in range(len(shards))}


def checksums(out: Path) -> dict[str, str]:
    index = json.loads((out / "index.json").read_text())
    return {shard["name"]: shard["sha256"] for split in index["splits"].values() for shard in split["shards"]}


def drops(out: Path) -> dict[str, str]:
    with (out / "report" / "drops.csv").open(newline="") as file:
        return {row["id"]: row["reason"] for row in csv.DictReader(file)}


def test_labels_and_sound_arrive(tmp_path: Path) -> None:
    rows = [
        {"reader": "Ann Reader", "snr_db": 31.5, "license": "CC-BY-4.0"},
        {"text_case": "upper", "text": TEXT.upper()},
    ]
    output = run(corpus(tmp_path / "in", rows), "--out", tmp_path / "out", "--sample-rate", 24000, "--workers", 1)
    first, second = (metas(tmp_path / "out")[key] for key in ("u000", "u001"))
    assert first["license"] == "CC-BY-4.0"
    assert first["reader"] == "Ann Reader"
    assert first["snr_db"] == 31.5
    assert (first["speaker"], first["source"], first["text"]) == ("s0", "corpus", f"{TEXT} one")
    assert (first["punct"], second["punct"]) == (True, False)
    assert "reader" not in second
    assert (first["sample_rate"], first["duration_s"]) == (24000, 2.0)
    assert first["bandwidth_hz"] < 1000  # a tone of 255 Hz
    shards = ShardSet.open([tmp_path / "out"], "train", "audio")
    audio = decode_audio(shards.payload(0), "x")
    assert audio.sample_rate == 24000
    assert active_level_db(audio.samples, 24000) == pytest.approx(-23, abs=0.1)
    assert "corpus (CC-BY-4.0)" in output
    assert "dropped 0 recordings" in output


def test_what_is_held_out_stays_apart(tmp_path: Path) -> None:
    folder = corpus(
        tmp_path / "in", [{}, {"speaker": "apart"}, {}, {"text": "Never, ever said."}, {}, {"text": f"{TEXT}: ONE!"}]
    )
    heldout = {"some_utterances": ["u000"], "readers": ["apart"], "book_sentences": ["never EVER said"], "about": "x"}
    (folder / "heldout.json").write_text(json.dumps(heldout))
    output = run(folder, "--out", tmp_path / "out", "--workers", 1)
    assert str(folder / "heldout.json") in output.replace("\n", "")
    assert "4 held out" in output
    # The text of u005 has the same letters as that of u000.
    assert sorted(metas(tmp_path / "out", "heldout")) == ["u000", "u001", "u003", "u005"]
    assert sorted(metas(tmp_path / "out")) == ["u002", "u004"]


def test_a_given_list_replaces_the_one_beside_the_manifest(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "in", [{}, {}])
    (folder / "heldout.json").write_text('{"a_utterances": ["u000"]}')
    (tmp_path / "mine.json").write_text('{"a_utterances": ["u001"]}')
    run(folder, "--out", tmp_path / "out", "--workers", 1, "--heldout", tmp_path / "mine.json")
    assert list(metas(tmp_path / "out", "heldout")) == ["u001"]


def test_each_drop_has_its_reason(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_tone(folder / "short.wav", 0.5)
    write_tone(folder / "long.wav", 36.0)
    write_tone(folder / "silent.wav", level=0.0)
    write_tone(folder / "clipped.wav", level=3.0)
    (folder / "broken.wav").write_bytes(b"RIFFxxxx")
    expected = {
        "short": "too short",
        "long": "too long",
        "silent": "silent",
        "clipped": "clipped",
        "broken": "unreadable",
        "absent": "unreadable",
        "slow": "text does not fit",
        "fast": "text does not fit",
        "wordless": "no text",
    }
    rows: list[dict[str, Any]] = [{"id": name, "audio": f"{name}.wav"} for name in expected]
    for row, text in zip(rows[6:], ("a b", "long text " * 20, "  "), strict=True):
        row["text"] = text
    corpus(folder, [*rows, {"id": "good"}])
    (folder / "absent.wav").unlink()
    output = run(folder, "--out", tmp_path / "out", "--workers", 1)
    assert drops(tmp_path / "out") == expected
    assert list(metas(tmp_path / "out")) == ["good"]
    assert "dropped 9 recordings" in output
    assert "2 unreadable" in output


def test_pairs_of_sound_and_text(tmp_path: Path) -> None:
    folder = tmp_path / "my.corpus"
    for name in ("ann/a.1", "bob/b"):
        write_tone(folder / f"{name}.flac")
        (folder / f"{name}.txt").write_text(f"{TEXT} by {name[0].upper()}.\n")
    write_tone(folder / "bob" / "untold.wav")
    (folder / "bob" / "LICENSE").write_text("CC-BY-4.0\nand so on")
    run(folder, "--out", tmp_path / "out", "--workers", 1)
    found = metas(tmp_path / "out")
    assert sorted(found) == ["ann_a_1", "bob_b"]
    assert (found["bob_b"]["speaker"], found["bob_b"]["license"]) == ("bob", "CC-BY-4.0")
    assert (found["ann_a_1"]["source"], found["ann_a_1"]["license"]) == ("my.corpus", "unknown")
    assert drops(tmp_path / "out") == {"bob_untold": "no text"}


def test_shards_are_the_same_with_any_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled_build, "SHARD_SAMPLES", 3)
    folder = corpus(tmp_path / "in", [{}] * 10)
    run(folder, "--out", tmp_path / "one", "--workers", 1)
    run(folder, "--out", tmp_path / "two", "--workers", 2)
    assert len(checksums(tmp_path / "one")) == 4
    for path in sorted((tmp_path / "one").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes(), path.name


def test_only_changed_shards_are_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled_build, "SHARD_SAMPLES", 3)
    folder, out = corpus(tmp_path / "in", [{}] * 9), tmp_path / "out"
    run(folder, "--out", out, "--workers", 1)
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.tar")}
    names = ShardSet.open([out], "train", "audio").keys
    write_tone(folder / "wav" / f"{int(names[4][1:])}.wav", level=0.2, seconds=2.5)
    os.truncate(out / "train-000002.tar", 1000)
    run(folder, "--out", out, "--workers", 1)
    changed = {path.name for path in out.glob("*.tar") if path.stat().st_mtime_ns != before[path.name]}
    assert changed == {"train-000001.tar", "train-000002.tar"}
    assert metas(out)[names[4]]["duration_s"] == 2.5
    run(folder, "--out", tmp_path / "fresh", "--workers", 1)
    assert checksums(out) == checksums(tmp_path / "fresh")


def test_shards_of_a_larger_build_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled_build, "SHARD_SAMPLES", 3)
    run(corpus(tmp_path / "in", [{}] * 9), "--out", tmp_path / "out", "--workers", 1)
    (tmp_path / "out" / "notes.tar").touch()
    run(corpus(tmp_path / "in", [{}] * 4), "--out", tmp_path / "out", "--workers", 1)
    assert sorted(p.name for p in (tmp_path / "out").glob("*.tar")) == [
        "notes.tar",
        "train-000000.tar",
        "train-000001.tar",
    ]
    assert len(metas(tmp_path / "out")) == 4


KILLED = """
import sys, time
from pathlib import Path
from triforce_tts.data import build as program
from triforce_tts.data.labelled import build
build.SHARD_SAMPLES = 2
if __name__ == "__main__":
    program.labelled([Path(sys.argv[1])], out=Path(sys.argv[2]), workers=2)
"""


def members_of_group(group: int) -> list[int]:
    """The processes of a group that are still running."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # the process ended meanwhile
            continue
        if int(process_group) == group and state not in "ZX":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="counts processes in /proc")
def test_a_killed_build_goes_on_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, out = corpus(tmp_path / "in", [{}] * 60), tmp_path / "out"
    for path in (folder / "wav").iterdir():
        write_tone(path, 12.0)
    manifest = folder / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace(TEXT, f"{TEXT} and {TEXT}"))
    (tmp_path / "program.py").write_text(KILLED)
    process = forks.Program([tmp_path / "program.py", folder, out], session=True)
    deadline = time.monotonic() + 300
    while len(list(out.glob("*.done.json"))) < 2:
        assert process.poll() is None, "the build ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while members_of_group(process.pid):
        assert time.monotonic() < deadline, "workers outlive a killed build"
        time.sleep(0.05)
    finished = {
        path.name: path.stat().st_mtime_ns for path in out.glob("*.tar") if path.with_suffix(".done.json").exists()
    }
    assert 2 <= len(finished) < 30
    assert not (out / "index.json").exists()

    monkeypatch.setattr(labelled_build, "SHARD_SAMPLES", 2)
    run(folder, "--out", out, "--workers", 1)
    run(folder, "--out", tmp_path / "fresh", "--workers", 1)
    assert checksums(out) == checksums(tmp_path / "fresh")
    assert {name: (out / name).stat().st_mtime_ns for name in finished} == finished
    assert not list(out.glob(".*.tmp*"))


def test_wrong_input_is_refused(tmp_path: Path) -> None:
    def refused(match: str, *paths: Path) -> None:
        with pytest.raises(ShardError, match=match):
            labels.find_clips(paths)

    refused("nowhere: no such folder", tmp_path / "nowhere")
    refused("no labelled recordings", tmp_path)
    one, two = corpus(tmp_path / "one", [{}]), corpus(tmp_path / "two", [{}])
    refused("given twice", one, two, one)
    (tmp_path / "held.json").write_text('{"about": "nothing"}')
    with pytest.raises(ShardError, match="it holds nothing out"):
        heldout.read_heldout(tmp_path / "held.json")
    with pytest.raises(ShardError, match="nothing to build"):
        labelled(out=tmp_path / "out")


def test_keys_stay_apart_and_fit_a_tar() -> None:
    assert make_key("spk/a.1") == "spk_a_1"
    keys = {make_key(name) for name in ("é", "è", "x" * 200, "x" * 201)}
    assert len(keys) == 4
    assert all(len(key) <= 90 and key.isascii() for key in keys)
