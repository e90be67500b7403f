"""The kind of build that a command line means, named or chosen; options of other kinds are refused."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from triforce_tts.data import build, kinds
from triforce_tts.data.kinds import KindGroup, Words, announcement, detect, with_kind
from triforce_tts.errors import ShardError

TABLES = {
    "labelled": {"--out": True, "--columns": True, "--workers": True, "--dry-run": False, "--help": False},
    "synthetic": {"--out": True, "--engine": True, "--every-voice": False, "--voices": True, "--help": False},
    "raw": {"--out": True, "--config": True, "--set": True, "--only": True, "--ray": True, "--help": False},
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build.command, [str(a) for a in arguments])


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("folder", "labelled"),
        ("folder --out x --columns id,text", "labelled"),
        ("--out feed.xml folder", "labelled"),  # the value of an option does not count as a source
        ("folder --config podcast", "raw"),
        ("--config=podcast folder", "raw"),
        ("https://example.org/x", "raw"),
        ("folder feed.RSS", "raw"),
        ("list.urls", "raw"),
        ("a.MP3", "raw"),
        ("yt-dlp:https://example.org/x", "raw"),
        ("--engine babble", "synthetic"),
        ("--synthetic t.txt", "synthetic"),
        ("--synthetic=t.txt --every-voice", "synthetic"),
        ("texts.txt", "labelled"),  # the build then says that there is no such folder
        ("-- a.mp3", "raw"),
    ],
)
def test_the_kind_is_found_out(line: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert with_kind(line.split(), TABLES)[0] == kind
    monkeypatch.setattr(KindGroup, "chosen", kind)
    assert f"'triforce-tts build {kind}'" in announcement()


def test_the_kind_is_said_when_the_work_begins(tmp_path: Path) -> None:
    options = ("--engine", "babble", "--sentences", 2, "--dry-run", "--out", tmp_path / "out")
    assert run(*options).stderr.count("builds from a synthesiser, as 'triforce-tts build synthetic' does\n") == 1
    assert "builds from" not in run("synthetic", *options).stderr
    refused = run("--engine", "babble", "--every-voice", "--sentences", -1)
    assert refused.exit_code != 0 and "builds from" not in refused.output


def test_a_folder_that_is_called_like_a_sound_file_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x.wav").mkdir()
    assert detect(Words({}, (str(tmp_path / "x.wav"),))) == "labelled"


def test_a_named_kind_is_taken_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("labelled folder --out x", "raw --config podcast a", "synthetic t.txt", "raw --help"):
        assert with_kind(line.split(), TABLES) == line.split()
    assert capsys.readouterr().err == ""


def test_a_folder_called_like_a_kind_is_still_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    assert with_kind(["raw", "--config", "podcast"], TABLES) == ["raw", "raw", "--config", "podcast"]
    assert with_kind(["raw", "--out", "x"], TABLES) == ["labelled", "raw", "--out", "x"]
    assert with_kind(["raw", "more", "--config", "podcast"], TABLES)[:2] == ["raw", "more"]
    assert with_kind(["raw", "--only=assemble"], TABLES) == ["raw", "--only=assemble"]
    words = ["raw", "--config", "podcast", "--only", "fetch"]
    assert with_kind(words, TABLES) == ["raw", *words]
    assert with_kind(["labelled", "--out", "x"], TABLES) == ["labelled", "--out", "x"]  # there is no such folder


def test_texts_of_the_old_spelling_become_the_argument() -> None:
    assert with_kind(["--synthetic", "t.txt", "--out", "x"], TABLES) == ["synthetic", "t.txt", "--out", "x"]
    assert with_kind(["--out", "x", "--synthetic=t.txt"], TABLES) == ["synthetic", "--out", "x", "t.txt"]
    assert with_kind(["--synthetic", "-t.txt"], TABLES) == ["synthetic", "./-t.txt"]
    with pytest.raises(ShardError, match="is empty"):
        with_kind(["--synthetic", " "], TABLES)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("labelled a --ray auto", "--ray: 'build raw' has it, 'build labelled' does not"),
        ("raw a --config podcast --columns id,text", "--columns: 'build labelled' has it, 'build raw' does not"),
        ("synthetic t --only=fetch", "--only: 'build raw' has it"),
        ("labelled a --synthetic t", "--synthetic: 'build synthetic' has it"),
        ("a --set x=1", "--set: they are for raw recordings"),
        ("a --every-voice", "--every-voice: they are for a synthesiser"),
        ("a --config podcast --voices x", "--voices: it cannot go together with --config"),
        ("a --engine babble", "not both"),
        ("--engine babble --columns x", "--columns: it is for labelled"),
    ],
)
def test_options_of_another_kind(line: str, told: str) -> None:
    with pytest.raises(ShardError, match=told):
        with_kind(line.split(), TABLES)


def test_raw_recordings_need_a_configuration(tmp_path: Path) -> None:
    for words in (["raw", "x"], ["https://example.org/x.mp3"]):
        result = run(*words, "--out", tmp_path / "out")
        assert isinstance(result.exception, ShardError)
        assert "--config podcast" in str(result.exception)


@pytest.mark.parametrize("kind", list(kinds.KINDS))
def test_help_of_a_kind_has_its_own_options(kind: str) -> None:
    told = run(kind, "--help").output
    own = {"labelled": "--columns", "synthetic": "--engine", "raw": "--config"}
    assert [name for name in own.values() if name in told] == [own[kind]]
    assert "--out" in told and "Example" in told


def test_help_lists_the_kinds() -> None:
    result: Any = run("--help")
    assert result.exit_code == 0
    assert all(kind in result.output for kind in kinds.KINDS)


def test_either_spelling_builds_the_same(tmp_path: Path) -> None:
    rest = ["--engine", "babble", "--sentences", 3, "--workers", 1]
    assert run("synthetic", *rest, "--out", tmp_path / "a").exit_code == 0
    assert run(*rest, "--out", tmp_path / "b").exit_code == 0
    tars = [sorted((tmp_path / name).glob("*.tar")) for name in "ab"]
    assert tars[0] and [t.read_bytes() for t in tars[0]] == [t.read_bytes() for t in tars[1]]


def test_shards_of_something_else_are_replaced_only_when_asked(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(f"one {name} two.\nthree {name} four.\n")
    out = tmp_path / "out"

    def speak(name: str, *more: str) -> Result:
        return run("synthetic", tmp_path / f"{name}.txt", "--engine", "babble", "--workers", 1, "--out", out, *more)

    assert speak("a").exit_code == 0
    before = {path.name: path.read_bytes() for path in out.glob("*.tar")}
    refused = speak("b")
    assert "holds shards of 'a.txt' spoken by babble, which shards of 'b.txt'" in str(refused.exception)
    assert {path.name: path.read_bytes() for path in out.glob("*.tar")} == before
    assert speak("a").exit_code == 0
    assert speak("b", "--force").exit_code == 0
    assert {path.name: path.read_bytes() for path in out.glob("*.tar")} != before
