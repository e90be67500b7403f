"""Every option of the builder has an effect or is refused in one line.

Exactly the recordings on the held-out list are held out.
"""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
import typer
from click.testing import Result
from typer.testing import CliRunner

from triforce_tts.data.build import command
from triforce_tts.data.common.heldout import HeldOut, read_heldout
from triforce_tts.data.inspect import command as inspect_command
from triforce_tts.data.labelled import build as labelled_build
from triforce_tts.data.raw import build as raw_build
from triforce_tts.data.raw import results
from triforce_tts.data.verify import command as verify_command
from triforce_tts.errors import ShardError, TriforceError
from triforce_tts.shards import INDEX, ShardSet

TEXT = "a plain sentence to be read aloud"


def invoke(program: Any, *arguments: object) -> Result:
    app = program
    if not isinstance(program, typer.Typer):
        app = typer.Typer()
        app.command()(program)
    return CliRunner().invoke(app, [str(a) for a in arguments])


def run(*arguments: object) -> str:
    result = invoke(command, *arguments)
    if result.exception is not None:
        raise result.exception
    return result.output.replace("\n", " ")


def refused(*arguments: object) -> str:
    """The line with which a command is refused."""
    result = invoke(command, *arguments)
    if isinstance(result.exception, TriforceError):
        return str(result.exception)
    assert result.exit_code == 2, (arguments, result.exception, result.output)
    return result.output


def corpus(folder: Path, names: str = "ab", **fields: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, name in enumerate(names):
        sf.write(folder / f"{name}.wav", 0.1 * np.sin(np.arange(32000) * (0.1 + 0.01 * number)), 16000)
        row = {"id": name, "audio": f"{name}.wav", "text": f"{TEXT} {name * 3}", "speaker": f"s-{name}"}
        rows.append(json.dumps(row | fields))
    (folder / "manifest.jsonl").write_text("\n".join(rows))
    return folder


def keys(out: Path, split: str = "train") -> list[str]:
    return sorted(ShardSet.open([out], split, "audio").keys)


SPOKEN: list[list[object]] = [
    ["--voices", "low"],
    ["--every-voice"],
    ["--sentences", 3],
    ["--max-characters", 80],
]
RAW: list[list[object]] = [["--set", "cut.max_seconds=15"], ["--only", "fetch"], ["--part", "1/2"], ["--ray", "auto"]]


def test_options_of_another_kind_of_build_are_refused(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in")
    texts = tmp_path / "texts.txt"
    texts.write_text("One sentence.\n")
    out = ["--out", tmp_path / "out"]
    columns: list[object] = ["--columns", "id,text"]
    for option in [*SPOKEN, *RAW, ["--engine", "babble"], ["--synthetic", texts]]:
        assert str(option[0]) in refused(source, *option, *out) or "not both" in refused(source, *option, *out)
    for option in [*RAW, columns, [source]]:
        assert refused("--synthetic", texts, "--engine", "babble", *option, *out)
    for option in [*SPOKEN, columns, ["--engine", "babble"], ["--synthetic", texts]]:
        assert str(option[0]) in refused(source, "--config", "podcast", *option, *out)
    assert "--max-characters" in refused("--engine", "babble", "--max-characters", 80, *out)
    assert "nothing to speak" in refused("--engine", "flite", *out)
    assert "no table was found" in refused(source, "--columns", "id,text", *out)
    assert "the only voice" in refused("--engine", "babble", "--voices", "low", "--every-voice", *out)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("pair", list(itertools.combinations([*SPOKEN, *RAW], 2)))
def test_pairs_are_refused_together(tmp_path: Path, pair: tuple[list[object], list[object]]) -> None:
    told = refused(corpus(tmp_path / "in"), *pair[0], *pair[1])
    assert str(pair[0][0]) in told or str(pair[1][0]) in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--heldout", "nowhere.json"], "nowhere.json"),
        (["--only", "fetch", "--ray", "auto"], "--ray"),
        (["--part", "1/1"], "--part 1/1"),
        (["--part", "1/2", "--only", "fetch"], "--part 1/2"),
        (["--heldout", "held.json", "--only", "fetch"], "--heldout"),
        (["--ray", "auto", "--workers", 3], "--workers"),
        (["--dry-run", "--only", "fetch"], "--dry-run"),
        (["--codec", "opus", "--set", "codec=flac"], "--set codec"),
        (["--sample-rate", 16000, "--set", "sample_rate=8000"], "--set sample_rate"),
        (["--align", "--set", "align.enabled=false"], "--set align.enabled"),
        (["--sample-rate", 0], "--sample-rate"),
        (["--workers", 0], "--workers"),
    ],
)
def test_clashes_of_a_raw_build(tmp_path: Path, options: list[object], told: str) -> None:
    assert told in refused(corpus(tmp_path / "in"), "--config", "podcast", *options, "--out", tmp_path / "out")


@pytest.mark.parametrize("only", ["process", "assemble"])
def test_sources_are_those_that_were_fetched(tmp_path: Path, only: str) -> None:
    (tmp_path / "out" / "work").mkdir(parents=True)
    (tmp_path / "out" / "work" / results.RECORDINGS).write_text("{}")
    told = refused(corpus(tmp_path / "in"), "--config", "podcast", "--only", only, "--out", tmp_path / "out")
    assert "leave out SRC" in told


def test_a_raw_build_is_given_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def load(name: str, settings: Any, told: Any) -> str:
        given["settings"] = list(settings)
        return name

    monkeypatch.setattr(raw_build, "load_config", load)
    monkeypatch.setattr(raw_build, "run", lambda words, out, config, workers, console, **rest: given.update(rest))
    folder = corpus(tmp_path / "in")
    held = tmp_path / "mine.json"
    held.write_text('{"readers": ["x"]}')
    run(folder, "--config", "podcast", "--heldout", held, "--no-align", "--codec", "opus", "--sample-rate", 16000)
    assert given["settings"] == ["codec=opus", "sample_rate=16000", "align.enabled=false"]
    assert given["heldout"] == held
    (folder / "heldout.json").write_text('{"readers": ["x"]}')
    run(folder, "--config", "podcast", "--align")
    assert given["settings"] == ["align.enabled=true"]
    assert given["heldout"] == folder / "heldout.json"
    other = corpus(tmp_path / "other")
    (other / "heldout.json").write_text('{"readers": ["x"]}')
    assert "several held-out lists" in refused(folder, other, "--config", "podcast")


@pytest.mark.parametrize("program", [command, inspect_command, verify_command])
@pytest.mark.parametrize("name", ["", "  "])
def test_empty_names_are_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Any, name: str
) -> None:
    monkeypatch.chdir(corpus(tmp_path / "in"))
    result = invoke(program, name)
    assert isinstance(result.exception, ShardError)
    assert "is empty" in str(result.exception)
    if program is command:
        for option in ("--out", "--heldout", "--synthetic"):
            assert "is empty" in refused(".", option, name)


# --- where shards go -------------------------------------------------------------------------------------------


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("train-000000.tar", INDEX, "thesis.txt"):
        (out / name).write_text("mine")
    assert str(out) in refused(corpus(tmp_path / "in"), "--out", out)
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(
        ("train-000000.tar", INDEX, "thesis.txt"), "mine"
    )


def test_shards_never_go_into_or_around_a_source(tmp_path: Path) -> None:
    source = corpus(tmp_path / "all" / "in")
    (tmp_path / "link").symlink_to(source)
    for out in (source, source / "shards", tmp_path / "all", tmp_path / "link" / "x"):
        assert "choose an" in refused(source, "--out", out)
    assert sorted(path.name for path in source.iterdir()) == ["a.wav", "b.wav", "manifest.jsonl"]


def test_only_shards_of_an_earlier_build_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled_build, "SHARD_SAMPLES", 1)
    out = tmp_path / "out"
    run(corpus(tmp_path / "in", "abcd"), "--out", out, "--workers", 1)
    (out / INDEX).unlink()  # the same state as after a killed build
    strangers = ("train-000009.tar", "train-000009.index.json", "heldout-000000.tar", "train-000001.tar.bak")
    for name in strangers:
        (out / name).write_text("mine")
    run(corpus(tmp_path / "less", "ab"), "--out", out, "--workers", 1, "--force")
    assert sorted(path.name for path in out.glob("*.tar*")) == sorted(
        ["train-000000.tar", "train-000001.tar", *(name for name in strangers if ".tar" in name)]
    )
    assert all((out / name).read_text() == "mine" for name in strangers)


def test_a_build_that_keeps_nothing_says_where_the_reasons_are(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in")
    out = tmp_path / "out"
    run(source, "--out", out, "--workers", 1)
    for name in "ab":
        (source / f"{name}.wav").write_text("no sound")
    result = invoke(command, source, "--out", out, "--workers", 1)
    assert isinstance(result.exception, ShardError)
    assert "none of the recordings could be used (2 in all)" in str(result.exception)
    assert str(out / "report" / "drops.csv") in str(result.exception)
    assert "unreadable" in result.output
    assert "unreadable" in (out / "report" / "drops.csv").read_text()
    assert not list(out.glob("*.tar")) and not (out / INDEX).exists()
    (source / "manifest.jsonl").write_text('{"id": "a"}\n')
    assert "none of the recordings could be" in refused(source, "--out", tmp_path / "other", "--workers", 1)
    assert "none of the recordings could be" in refused(source, "--out", tmp_path / "third", "--dry-run")
    assert "'speaker' is missing" in (tmp_path / "other" / "report" / "drops.csv").read_text()


def test_a_dry_run_counts_no_recording_without_its_text_or_its_sound(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in")
    rows = [json.loads(line) for line in (source / "manifest.jsonl").read_text().splitlines()]
    (source / "mute.wav").write_bytes((source / "a.wav").read_bytes())
    rows += [
        {**rows[0], "id": name, "audio": f"{name}.wav", "text": text} for name, text in (("mute", " "), ("gone", TEXT))
    ]
    (source / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    output = invoke(command, source, "--out", tmp_path / "out", "--dry-run").output
    assert ": 2 recordings" in output
    assert (
        "not used: gone: unreadable" in output
        and "not used: mute: no text" in output
        and not (tmp_path / "out").exists()
    )


def test_a_source_that_is_a_file_is_told_to_be_one(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in") / "manifest.jsonl"
    for given, said in ((source, "this is a file, give its folder"), (tmp_path / "none", "no such folder")):
        with pytest.raises(ShardError, match=re.escape(f"{given}: {said}; expected one with manifest.jsonl")):
            run(given, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_texts_with_letters_of_another_script_are_told(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in")
    row = json.loads((source / "manifest.jsonl").read_text().splitlines()[0])
    (source / "manifest.jsonl").write_text(json.dumps({**row, "text": "He said \u4eca\u5929 \u2603 to \u00e9lan."}))
    output = invoke(command, source, "--out", tmp_path / "out", "--dry-run").output
    assert "1 text has letters without an English reading" in output
    assert f"such as '\u4eca\u5929' in {row['id']}" in output


# --- what is held out ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        '{"readers": "abc"}',
        '{"readers": [1]}',
        '{"readers": null}',
        '{"x_utterances": "abc"}',
        '{"x_utterances": {"a": 1}}',
        '{"x_sentences": [["a"]]}',
        '{"x_sentences": ["..."]}',
        "[]",
        "7",
        "{",
        "[" * 100_000,
        '{"readers": ["\\ud800"]}',
        "",
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "heldout.json"
    path.write_text(content)
    with pytest.raises(ShardError, match=r"heldout\.json"):
        read_heldout(path)


def test_lists_that_are_no_files_are_refused(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in")
    (source / "heldout.json").symlink_to(tmp_path / "gone")
    assert "heldout.json" in refused(source, "--out", tmp_path / "out")
    (tmp_path / "latin.json").write_bytes('{"readers": ["caf\xe9"]}'.encode("latin-1"))
    assert "cp1252" in refused(source, "--heldout", tmp_path / "latin.json", "--out", tmp_path / "out")


def test_what_a_list_names_and_nothing_has_is_told(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in")
    lists = {"x_utterances": ["a", "z9"], "readers": ["nobody"], "reader": ["s-b"], "about": "a test"}
    (source / "heldout.json").write_text(json.dumps(lists))
    output = run(source, "--out", tmp_path / "out", "--workers", 1)
    assert "'reader' is no kind of list" in output
    assert "2 of its ids and readers match no recording: 'z9', 'nobody'" in output
    assert "about" not in output
    assert keys(tmp_path / "out", "heldout") == ["a"]


def test_texts_without_letters_hold_nothing_else_out(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", "abc", text="1 2 3 4 5 6 7 8 9 10")
    (source / "heldout.json").write_text('{"x_utterances": ["a"], "x_sentences": ["12", "something"]}')
    run(source, "--out", tmp_path / "out", "--workers", 1)
    assert keys(tmp_path / "out") == ["b", "c"]


def test_a_held_out_text_is_held_out_in_every_tree(tmp_path: Path) -> None:
    for speaker in ("ann", "bob"):
        (tmp_path / "in" / speaker).mkdir(parents=True)
        sf.write(tmp_path / "in" / speaker / "x.wav", 0.1 * np.sin(np.arange(32000) * 0.1), 16000)
        (tmp_path / "in" / speaker / "x.txt").write_text(TEXT)
    sf.write(tmp_path / "in" / "bob" / "y.wav", 0.1 * np.sin(np.arange(32000) * 0.1), 16000)
    (tmp_path / "in" / "bob" / "y.txt").write_text(f"{TEXT} again")
    (tmp_path / "in" / "heldout.json").write_text('{"x_utterances": ["ann/x"]}')
    run(tmp_path / "in", "--out", tmp_path / "out", "--workers", 1)
    assert keys(tmp_path / "out", "heldout") == ["ann_x", "bob_x"]


def test_ids_that_are_told_apart_are_still_held_out(tmp_path: Path) -> None:
    one, two = corpus(tmp_path / "one", "ab"), corpus(tmp_path / "two", "ac")
    (one / "heldout.json").write_text('{"x_utterances": ["a"]}')
    run(one, two, "--out", tmp_path / "out", "--workers", 1)
    assert keys(tmp_path / "out", "heldout") == ["one_a", "two_a"]
    assert keys(tmp_path / "out") == ["b", "c"]


def test_a_list_without_texts_does_nothing_for_a_synthesiser(tmp_path: Path) -> None:
    (tmp_path / "held.json").write_text('{"readers": ["x"]}')
    assert "holds out no text" in refused("--engine", "babble", "--heldout", tmp_path / "held.json")
    assert HeldOut() | HeldOut(frozenset("a")) == HeldOut(frozenset("a"))
