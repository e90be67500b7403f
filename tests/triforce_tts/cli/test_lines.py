"""``speak --lines``: a file for each line of a list, the same bytes however often it is stopped and however many processes speak."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests import forks, launch
from tests.triforce_tts.cli.test_bad_input import assert_refused, triforce
from triforce_tts import native
from triforce_tts.cli.preparing import ModelOptions
from triforce_tts.errors import ConfigError

LIST = "Hello there.\nfox_2\tMr. Fox ran.\n\nHello there.\n"


def run(source: Path, out: Path, model: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return triforce("speak", "--lines", source, "--out", out, "--model", model, "--steps", "0", *words)


def sounds(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.wav")}


def rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "lines.jsonl").read_text().splitlines()]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.tsv"
    path.write_text(LIST)
    return path


def test_each_line_gets_a_file_and_is_not_spoken_twice(texts: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run(texts, out, model, "--progress", "json")
    assert done.returncode == 0, done.stderr
    assert sorted(sounds(out)) == ["0001.wav", "0004.wav", "fox_2.wav"]
    assert [(row["id"], row["text"], row["file"]) for row in rows(out)] == [
        ("0001", "Hello there.", "0001.wav"), ("fox_2", "Mr. Fox ran.", "fox_2.wav"), ("0004", "Hello there.", "0004.wav"),
    ]  # fmt: skip
    assert set(rows(out)[0]) == {"id", "text", "file", "seconds", "complete", "seed"}
    assert f"{out / 'lines.jsonl'}: 3 lines" in done.stderr
    before, times = sounds(out), {path: path.stat().st_mtime_ns for path in out.glob("*.wav")}
    (out / "fox_2.wav").write_bytes(before["fox_2.wav"][:100])
    texts.write_text("0000\tNew.\n" + LIST.replace("\n\n", "\n"))
    again = run(texts, out, model, "--progress", "json")
    assert again.returncode == 0, again.stderr
    spoken = [json.loads(line)["id"] for line in again.stdout.splitlines() if "id" in json.loads(line)]
    assert spoken == ["0000", "0002", "fox_2"]
    assert sounds(out)["fox_2.wav"] == before["fox_2.wav"]
    assert (out / "0004.wav").stat().st_mtime_ns == times[out / "0004.wav"]


def test_speak_with_the_seed_of_a_row_says_the_same(texts: Path, model: Path, tmp_path: Path) -> None:
    run(texts, tmp_path / "out", model)
    (row,) = [row for row in rows(tmp_path / "out") if row["id"] == "fox_2"]
    one = tmp_path / "one.wav"
    words = ("--model", model, "--steps", "0", "--threads", "1", "--seed", str(row["seed"]), "--out", one)
    assert triforce("speak", "Mr. Fox ran.", *words).returncode == 0
    assert one.read_bytes() == sounds(tmp_path / "out")["fox_2.wav"]


def test_bad_lines_have_a_line_each_and_the_others_are_spoken(model: Path, tmp_path: Path) -> None:
    texts, out = tmp_path / "texts.txt", tmp_path / "out"
    texts.write_bytes(
        "日本\nGood.\n../x\tBad name.\na\tOne.\nA\tTwo.\nb\t\nlong\t".encode()
        + b"word " * 5000
        + b"\nlatin\tcaf\xe9\n{T AH9}\n"
    )
    done = run(texts, out, model, "--quiet")
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if "incomplete after" not in line]
    assert [line.partition(": ")[0] for line in lines[:-1]] == [f"{texts}, line {n}" for n in (1, 3, 5, 6, 7, 8, 9)]
    assert f"triforce-tts: {texts}: 7 lines cannot be spoken, all others lie in {out}" in lines[-1]
    assert sorted(sounds(out)) == ["0002.wav", "a.wav"]


@pytest.mark.parametrize("out", ["speech.wav", "a.MP3", "-"])
def test_a_list_never_makes_a_folder_with_the_name_of_a_sound_file(out: str, texts: Path, model: Path) -> None:
    done = triforce("speak", "--lines", texts, "--model", model, "--out", out)
    assert_refused(done, f"--out {out}: --lines writes a file for each text; give a folder")
    assert not Path(out).exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--format", ".mp3"], "--format .mp3: it is for the files of --lines"),
        (["--ray", "auto"], "--ray auto: a cluster speaks the texts of --lines"),
        (["--processes", "2"], "--processes 2: they share the texts of --lines"),
        (["--processes", "-1"], "--processes -1: expected a whole number"),
        (["--batch", "4"], "--batch 4: it is for the lines of --lines"),
        (["--batch", "300"], "--batch 300: expected a whole number"),
        (["--progress", "json"], "--progress json: it tells of the texts of --lines"),
        (["--progress", "loud"], "expected one of bar, json, none"),
    ],
)
def test_an_option_of_lists_is_never_ignored_for_one_text(words: list[str], told: str, tmp_path: Path) -> None:
    out = tmp_path / "one.wav"
    assert_refused(triforce("speak", "Hello.", "--model", "no-model", *words, "--out", out), told, out=out)


def test_two_pronunciations_of_a_word_are_said_unless_it_is_quiet(model: Path, tmp_path: Path) -> None:
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("hello  HH AH0\nhello  L OW1\n")
    words = ["--lexicon", lexicon, "--steps", "0", "--out", tmp_path / "one.wav"]
    told = f"{lexicon}:2: 'hello' has another pronunciation in line 1"
    for more, said in (([], True), (["--quiet"], False)):
        done = triforce("speak", "Hello.", "--model", model, *words, *more)
        assert done.returncode == 0, done.stderr
        assert (told in done.stderr) == said


def test_options_of_lists_that_one_text_fulfils_are_taken(model: Path, tmp_path: Path) -> None:
    words = ["--processes", "1", "--batch", "1", "--progress", "none", "--steps", "0", "--quiet"]
    done = triforce("speak", "Hello.", "--model", model, *words, "--out", tmp_path / "one.wav")
    assert done.returncode == 0, done.stderr


def test_a_list_without_a_folder_makes_one_with_its_name(
    texts: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    texts.write_text("one\tHello.\n")
    done = triforce("speak", "--lines", texts, "--model", model, "--steps", "0", "--processes", "1")
    assert done.returncode == 0, done.stderr
    assert list(sounds(tmp_path / texts.stem)) == ["one.wav"]


@pytest.mark.parametrize("kind", ["missing", "empty", "folder", "stranger", "format", "both", "nothing"])
def test_what_cannot_be_a_list_or_a_place_is_one_line(kind: str, texts: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words: list[str] = []
    if kind == "missing":
        texts = tmp_path / "none"
    elif kind == "empty":
        texts.write_text(" \n\n")
    elif kind == "folder":
        texts = tmp_path
    elif kind == "stranger":
        out.mkdir()
        (out / "mine").touch()
    elif kind == "format":
        words = ["--format", ".xyz"]
    elif kind == "both":
        words = ["Hello."]
    done = triforce("speak") if kind == "nothing" else run(texts, out, model, *words)
    assert_refused(done)
    assert kind == "stranger" or not out.exists()


def test_two_launched_processes_and_a_killed_run_make_the_same_bytes(texts: Path, model: Path, tmp_path: Path) -> None:
    texts.write_text("".join(f"Line {number} of a list.\n" for number in range(4)))
    out = tmp_path / "alone"
    words = [*forks.CLI, "speak", "--lines", str(texts), "--model", str(model), "--steps", "0"]
    assert forks.run([*words, "--out", out, "--processes", "1"]).returncode == 0
    two = tmp_path / "two"
    program = forks.Program([*words, "--out", two, "--processes", "1"])
    deadline = time.monotonic() + 60
    while not list(two.glob("*.wav")) and program.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(program.pid, signal.SIGKILL)
    assert program.wait() == -signal.SIGKILL
    codes, _, errors = launch.in_forks([*words, "--out", str(two), "--quiet"], 2)
    assert codes == [0, 0], errors
    assert sounds(two) == sounds(out)
    assert rows(two) == rows(out)


@pytest.mark.parametrize(("has_native", "usual"), [(True, 8), (False, 1)])
def test_a_cpu_draws_several_lines_at_once_where_that_changes_no_byte(
    model: Path, monkeypatch: pytest.MonkeyPatch, has_native: bool, usual: int
) -> None:
    monkeypatch.setattr(native, "available", lambda: has_native)

    def batch(wish: int) -> int:
        return ModelOptions(model, threads=1, batch=wish).open_for_lines("cpu").settings.batch

    assert (batch(0), batch(1)) == (usual, 1)
    if has_native:
        assert batch(4) == 4
    else:
        with pytest.raises(ConfigError, match="--batch 4: a CPU without the native operators draws one line at a time"):
            batch(4)
