"""A bad clip, a dead worker or a failing synthesiser costs only its own clips, and the build reports it."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from typer.testing import CliRunner

from triforce_tts.data.build import command, labelled
from triforce_tts.data.common.clips import Clip
from triforce_tts.data.common.heldout import HeldOut
from triforce_tts.data.labelled import build as labelled_build
from triforce_tts.data.labelled import prepare, synthetic
from triforce_tts.data.labelled.prepare import Recipe, misfit_of
from triforce_tts.data.verify import verify
from triforce_tts.errors import AudioError, ShardError, TriforceError
from triforce_tts.locks import only_writer
from triforce_tts.shards import INDEX, ShardSet

RATE = 16000
TEXT = "Mary had a little lamb."  # five words
WORDS = [[0.1, 0.3], [0.4, 0.5], [0.6, 0.65], [0.7, 1.0], [1.1, 1.5]]


def tone(path: Path, seconds: float = 2.0, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, 0.1 * np.sin(np.arange(round(seconds * rate)) * 0.1), rate)
    return path


def corpus(folder: Path, *rows: dict[str, Any]) -> Path:
    lines = []
    for row in rows:
        full = {"audio": f"{row['id']}.wav", "text": TEXT, "speaker": "s", **row}
        if "/" not in full["audio"] and "\0" not in full["audio"] and len(full["audio"]) < 200:
            tone(folder / full["audio"])
        lines.append(json.dumps(full))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.jsonl").write_text("\n".join(lines))
    return folder


def run(*arguments: object) -> str:
    result = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output.replace("\n", " ")


def metas(out: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for split in ("train", "heldout"):
        shards = ShardSet.open([out], split, "audio")
        found |= {shards.keys[i]: shards.meta(i) for i in range(len(shards))}
    return found


def drops(out: Path) -> dict[str, str]:
    with (out / "report" / "drops.csv").open(newline="") as file:
        return {row["id"]: f"{row['reason']}: {row['value']}" for row in csv.DictReader(file)}


# --- recordings ------------------------------------------------------------------------------------------------


def test_audio_that_no_file_is(tmp_path: Path) -> None:
    folder = corpus(
        tmp_path / "in",
        {"id": "good"},
        {"id": "folder", "audio": "sub/x.wav"},
        {"id": "pipe", "audio": "sub/pipe.wav"},
        {"id": "long", "audio": "x" * 400 + ".wav"},
        {"id": "deep", "audio": "/".join("y" * 200 for _ in range(30)) + ".wav"},
        {"id": "link", "audio": "sub/link.wav"},
        {"id": "device", "audio": "/dev/zero"},
        {"id": "slow", "audio": "sub/slow.wav"},
    )
    (folder / "sub" / "x.wav").mkdir(parents=True)
    os.mkfifo(folder / "sub" / "pipe.wav")
    (folder / "sub" / "link.wav").symlink_to(folder / "sub" / "link.wav")
    sf.write(folder / "sub" / "slow.wav", np.zeros(100), 1)
    run(folder, "--out", tmp_path / "out", "--workers", 1)
    assert list(metas(tmp_path / "out")) == ["good"]
    assert sorted(drops(tmp_path / "out")) == ["deep", "device", "folder", "link", "long", "pipe", "slow"]


def test_of_a_long_recording_only_the_beginning_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = corpus(tmp_path / "in", {"id": "long"}, {"id": "good"})
    sf.write(folder / "long.wav", np.zeros(RATE * 600, np.int16), RATE)
    lengths = []
    read = prepare.read_audio

    def reading(*arguments: Any, **options: Any) -> Any:
        audio = read(*arguments, **options)
        lengths.append(audio.duration_s)
        return audio

    monkeypatch.setattr(prepare, "read_audio", reading)
    run(folder, "--out", tmp_path / "out", "--workers", 1)
    assert drops(tmp_path / "out")["long"].startswith("too long")
    assert max(lengths) < 40


def test_a_fault_with_one_recording_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = corpus(tmp_path / "in", *({"id": name} for name in "abcd"))
    broken: dict[str, Exception] = {}
    read = prepare.read_audio

    def reading(path: Path, **options: Any) -> Any:
        if error := broken.get(path.stem):
            raise error
        return read(path, **options)

    monkeypatch.setattr(prepare, "read_audio", reading)
    broken |= {"a": ZeroDivisionError("float"), "b": MemoryError()}
    output = run(folder, "--out", tmp_path / "out", "--workers", 1)
    assert sorted(metas(tmp_path / "out")) == ["c", "d"]
    assert drops(tmp_path / "out")["a"].startswith("fault of the builder: ZeroDivisionError")
    assert "memory" in drops(tmp_path / "out")["b"]
    assert "not used: a: fault of the builder" in output
    broken.clear()  # without the errors, the next build makes samples of these clips
    run(folder, "--out", tmp_path / "out", "--workers", 1)
    assert sorted(metas(tmp_path / "out")) == ["a", "b", "c", "d"]
    for error in (OSError(28, "No space left on device"), ModuleNotFoundError("no", name="x"), TriforceError("all")):
        broken["c"] = error
        with pytest.raises(ModuleNotFoundError if isinstance(error, ImportError) else TriforceError):
            run(folder, "--out", tmp_path / "other", "--workers", 1)


def test_a_damaged_note_of_a_finished_shard_is_made_again(tmp_path: Path) -> None:
    folder, out = corpus(tmp_path / "in", {"id": "a"}), tmp_path / "out"
    run(folder, "--out", out, "--workers", 1)
    whole = {path.name: path.read_bytes() for path in out.glob("*.*")}
    for name in ("train-000000.done.json", "train-000000.index.json"):
        for content in ("{", "[]", "[" * 100_000, '{"fingerprint": 3}', ""):
            (out / name).write_text(content)
            run(folder, "--out", out, "--workers", 1)
            assert {path.name: path.read_bytes() for path in out.glob("*.*")} == whole


def test_two_builds_do_not_share_a_folder(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "in", {"id": "a"})
    run(folder, "--out", tmp_path / "out", "--workers", 1)
    with only_writer(tmp_path / "out"), pytest.raises(TriforceError, match="another process"):
        run(folder, "--out", tmp_path / "out", "--workers", 1)


@pytest.mark.parametrize("rate", [11025, 16000, 22050, 44100])
def test_opus_is_whole_at_every_rate(tmp_path: Path, rate: int) -> None:
    tone(tmp_path / "in" / "a.wav", rate=rate)
    (tmp_path / "in" / "a.txt").write_text(TEXT)
    run(tmp_path / "in", "--codec", "opus", "--out", tmp_path / "out", "--workers", 1)
    assert verify(tmp_path / "out")[0] == []


def test_opus_at_a_rate_that_it_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="--sample-rate 22050: Opus stores"):
        labelled(["x"], codec="opus", sample_rate=22050, out=tmp_path / "out")


# --- alignments that come with a manifest ----------------------------------------------------------------------


def test_a_given_alignment_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError("no aligner is needed")

    monkeypatch.setattr(prepare, "aligner", fail)
    folder = corpus(
        tmp_path / "in", {"id": "a", "alignment": WORDS, "normalized": TEXT}, {"id": "b", "alignment": WORDS}
    )
    for name, options in {"plain": [], "align": ["--align"]}.items():
        output = run(folder, *options, "--out", tmp_path / name, "--workers", 1)
        assert {key: meta["alignment"] for key, meta in metas(tmp_path / name).items()} == {"a": WORDS, "b": WORDS}
        assert "2 aligned" in output
        assert "do not fit" not in output
        assert verify(tmp_path / name)[0] == []
    run(folder, "--no-align", "--out", tmp_path / "none", "--workers", 1)
    assert not any("alignment" in meta for meta in metas(tmp_path / "none").values())


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"alignment": WORDS[:-1]}, "it has 4 words, but the normalised text has 5"),
        ({"alignment": []}, "it has 0 words"),
        ({"alignment": WORDS, "normalized": "Mary had one little lamb."}, "but the text is normalised to 'Mary had a"),
        ({"alignment": [*WORDS[:-1], [1.5, 1.1]]}, "its times do not rise"),
        ({"alignment": [*WORDS[:-1], [1.5]]}, "no start and end"),
        ({"alignment": [*WORDS[:-1], [1.1, 9.0]]}, "do not rise from 0 to the 2.00 s"),
        ({"alignment": [WORDS[0], [0.4, 9.0], *WORDS[2:]]}, "do not rise from 0 to the 2.00 s"),
        ({"alignment": [WORDS[1], WORDS[0], *WORDS[2:]]}, "do not rise"),
        ({"alignment": [[-0.1, 0.3], *WORDS[1:]]}, "do not rise"),
    ],
)
def test_an_alignment_that_does_not_fit_is_said(tmp_path: Path, fields: dict[str, Any], told: str) -> None:
    folder = corpus(tmp_path / "in", {"id": "a", **fields}, {"id": "b", "alignment": WORDS}, {"id": "c", **fields})
    for _ in range(2):  # the message appears even if no shard has to be made again
        output = run(folder, "--out", tmp_path / "out", "--workers", 1)
        assert "2 alignments of the manifest did not fit and were left out, the first is that of" in output
        assert told in output
        found = metas(tmp_path / "out")
        assert ["alignment" in found[key] for key in "abc"] == [False, True, False]


def test_a_word_may_have_its_start_and_end_alone() -> None:
    assert misfit_of([[0.0, 0.5]], "Hello.", "Hello.", 0.5) == ""
    assert "cannot be spoken" in misfit_of([[0.0, 0.5]], "\u4f60\u597d", None, 0.5)


def test_babble_places_only_words_that_the_text_has(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("It is so.\nIt's Tom's 3 cats.\n")
    run(
        "--synthetic",
        tmp_path / "texts.txt",
        "--engine",
        "babble",
        "--align",
        "--out",
        tmp_path / "out",
        "--workers",
        1,
    )
    assert {meta["text"]: "alignment" in meta for meta in metas(tmp_path / "out").values()} == {
        "It is so.": True,
        "It's Tom's 3 cats.": False,
    }
    assert verify(tmp_path / "out")[0] == []


# --- a program that speaks -------------------------------------------------------------------------------------

FLITE = """#!/bin/sh
if [ "$1" = -lv ]; then echo "Voices available: rms slt"; exit 0; fi
[ -e "{folder}/broken" ] && {{ echo "out of order" >&2; exit 1; }}
case "$4" in
  *deadly*) kill -9 $PPID;;
  *unspeakable*) echo "cannot say that" >&2; exit 1;;
esac
cp "{folder}/sound.wav" "$6"
"""


@pytest.fixture
def flite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a program that replaces flite."""
    folder = tmp_path / "bin"
    tone(folder / "sound.wav")
    (folder / "flite").write_text(FLITE.format(folder=folder))
    (folder / "flite").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def speak(tmp_path: Path, *lines: str, workers: int = 1) -> tuple[str, Path]:
    (tmp_path / "texts.txt").write_text("\n".join(lines))
    out = tmp_path / "out"
    return run("--synthetic", tmp_path / "texts.txt", "--out", out, "--workers", workers), out


def test_a_text_that_cannot_be_spoken_is_a_drop(tmp_path: Path, flite: Path) -> None:
    output, out = speak(tmp_path, "This can be said.", "This is unspeakable.", "And so can this.")
    assert sorted(meta["text"] for meta in metas(out).values()) == ["And so can this.", "This can be said."]
    assert "cannot say that" in output


def test_a_synthesiser_that_is_out_of_order_is_one_line_and_goes_on_later(tmp_path: Path, flite: Path) -> None:
    (flite / "broken").touch()
    with pytest.raises(ShardError, match=r"flite could not speak 'hello' .*out of order.*run the same command again"):
        speak(tmp_path, "This can be said.", "And so can this.")
    assert not (tmp_path / "out" / INDEX).exists()
    assert not list((tmp_path / "out").glob("*.tar"))
    (flite / "broken").unlink()
    _, out = speak(tmp_path, "This can be said.", "And so can this.")
    assert len(metas(out)) == 2


@pytest.mark.parametrize("script", ["exit 1", "exit 0", "kill -9 $$", "printf '\\377'"])
def test_a_synthesiser_without_voices_is_one_line(tmp_path: Path, flite: Path, script: str) -> None:
    (flite / "flite").write_text(f"#!/bin/sh\n{script}\n")
    with pytest.raises(ShardError, match="'flite -lv' lists no voices"):
        speak(tmp_path, "This can be said.")
    (flite / "flite").write_text("#!/no/such/shell\n")
    with pytest.raises(ShardError, match="cannot be started"):
        speak(tmp_path, "This can be said.")


def test_a_synthesiser_that_hangs_is_given_up(tmp_path: Path, flite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "_SPEAKS_S", 0.2)
    (flite / "flite").write_text("#!/bin/sh\nexec sleep 5\n")
    clip = Clip("a", "say:flite:rms", TEXT, "s", "x", "y", True)
    with pytest.raises(ShardError, match=r"within 0\.2 s"):
        synthetic.make(clip)
    with pytest.raises(AudioError, match="zero byte"):
        synthetic._speak("a\0b", "rms")


def test_a_recording_that_kills_its_worker_costs_itself(tmp_path: Path, flite: Path) -> None:
    lines = [f"This is line number {name}." for name in ("one", "two", "three", "four")]
    output, out = speak(tmp_path, *lines, "This is a deadly line.", workers=2)
    assert sorted(meta["text"] for meta in metas(out).values()) == sorted(lines)
    assert "its worker was killed: perhaps for want of memory" in output
    assert len(drops(out)) == 1
    assert verify(out)[0] == []


def test_texts_in_other_encodings(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "texts.txt").write_bytes("Caf\u00e9 time\u2028now.\r\nMore.\r\n".encode(encoding))
        assert synthetic.read_texts(tmp_path / "texts.txt", 90, HeldOut()) == ["Caf\u00e9 time now.", "More."]
    (tmp_path / "texts.txt").write_bytes("Caf\u00e9".encode("cp1252"))
    with pytest.raises(ShardError, match=r"texts\.txt: not UTF-8 text .*cp1252"):
        synthetic.read_texts(tmp_path / "texts.txt", 90, HeldOut())
    with pytest.raises(ShardError, match="expected a file, found a folder"):
        synthetic.read_texts(tmp_path, 90, HeldOut())
    with pytest.raises(ShardError, match="voice 'low' is given twice"):
        synthetic.plan(["a"], "babble", ["low", "low"], 0, True, HeldOut())


def test_a_recipe_changes_what_counts_as_done(tmp_path: Path) -> None:
    clip = Clip("a", str(tone(tmp_path / "a.wav")), TEXT, "s", "x", "y", True)
    prints = {
        labelled_build.Job("p", (clip,), recipe).fingerprint
        for recipe in (Recipe(), Recipe(8000), Recipe(align=True), Recipe(align=False), Recipe(codec="opus"))
    }
    assert len(prints) == 5


def test_a_small_build_has_shards_for_several_processes() -> None:
    """The size depends on the number of clips alone, so any number of processes makes the same shards."""
    sizes = {clips: labelled_build._shard_samples(clips) for clips in (1, 32, 200, 513, 1000, 4096, 4097, 10**6)}
    assert sizes == {1: 32, 32: 32, 200: 32, 513: 33, 1000: 63, 4096: 256, 4097: 256, 10**6: 256}
