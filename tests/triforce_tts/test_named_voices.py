"""Voices that are called by a name."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from triforce_tts import Synthesizer
from triforce_tts.audio.io import flac_tags, read_audio
from triforce_tts.cli.app import app
from triforce_tts.errors import AudioError
from triforce_tts.named_voices import PLACE, find_clip, is_named, named_clips, voice_name, voices_folder


def test_every_named_voice_is_a_clip_that_says_whose_it_is() -> None:
    clips = named_clips()
    assert {"af_heart", "kathleen"} <= clips.keys()
    for name, path in clips.items():
        assert 2 < read_audio(path).duration_s < 20, name
        assert flac_tags(path).keys() >= {"artist", "copyright"}, name


def test_a_file_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_named("kathleen") and find_clip("kathleen") == named_clips()["kathleen"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kathleen").write_bytes(b"mine")
    assert not is_named("kathleen") and find_clip("kathleen") == Path("kathleen")


@pytest.mark.parametrize("wrong", ["nobody", "kathleen.wav", "../kathleen", "Kathleen"])
def test_what_is_neither_is_refused_with_the_names(wrong: str) -> None:
    with pytest.raises(AudioError, match=r"no voice of that name.*af_heart, .*kathleen"):
        find_clip(wrong)


def test_a_model_speaks_in_a_named_voice(model: Path) -> None:
    synthesizer = Synthesizer.load(model)
    by_name, by_path = synthesizer.voice("kathleen"), synthesizer.voice(named_clips()["kathleen"])
    assert by_name.name == "kathleen"
    assert by_name.codes.equal(by_path.codes) and by_name.speaker.equal(by_path.speaker)


@pytest.mark.parametrize(
    ("voice", "name"),
    [("kathleen", "kathleen"), ("clips/Ann Smith.wav", "Ann Smith"), ("model/voice.flac", ""), ("Clip.mp3", "")],
)
def test_a_clip_gives_a_voice_its_name_unless_it_says_nothing(voice: str, name: str) -> None:
    assert voice_name(voice) == name


def test_the_list_of_voices_names_each_with_its_licence() -> None:
    told = CliRunner().invoke(app, ["voices"])
    assert told.exit_code == 0
    lines = told.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(named_clips())
    assert all(";" in line for line in lines)


def test_the_folder_of_the_environment_may_lie_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(PLACE, "~/voices")
    assert voices_folder() == tmp_path / "voices"
