"""Voices that a user adds: kept with their consent, found by name, refused where they are poor."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from triforce_tts import Synthesizer, voice_store
from triforce_tts.audio.io import read_audio
from triforce_tts.audio.quality import best_stretch
from triforce_tts.checkpoint import save_tensors
from triforce_tts.cli.app import app
from triforce_tts.errors import AudioError, ConfigError
from triforce_tts.named_voices import CLIP, PLACE, added_clips, find_clip, is_named, named_clips
from triforce_tts.voice_store import add_voice, inspect_clip, read_about, remove_voice

RATE = 16000
READING = named_clips()["kathleen"]
Change = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "voices"
    monkeypatch.setenv(PLACE, str(folder))
    return folder


def written(path: Path, samples: np.ndarray) -> Path:
    soundfile.write(path, samples, RATE)
    return path


def reading() -> np.ndarray:
    return read_audio(READING, RATE).samples.numpy()


def test_an_added_voice_speaks_as_its_clip_does_and_knows_where_it_came_from(
    model: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthesizer = Synthesizer.load(model)
    about, note = add_voice("ann", READING, " Ann,\n by letter ", synthesizer.model)
    assert (about.consent, about.source, about.faults, note) == ("Ann, by letter", "kathleen.flac", [], "")
    assert read_about("ann") == about
    assert list(added_clips()) == ["ann"]
    assert is_named("ann") and find_clip("ann") == place / "ann" / CLIP
    by_path = synthesizer.voice(place / "ann" / CLIP)
    assert synthesizer.voice("ann").codes.equal(by_path.codes)
    # What was kept is used: the clip is not read any more.
    monkeypatch.setattr(
        "triforce_tts.synthesis.cloning.read_reference", lambda *arguments: pytest.fail("was made again")
    )
    kept = synthesizer.voice("ann")
    monkeypatch.undo()
    other = place.parent / "other.flac"
    other.write_bytes((place / "ann" / CLIP).read_bytes())
    fresh = synthesizer.voice(other)
    assert kept.name == "ann" and kept.codes.equal(fresh.codes) and kept.speaker.equal(fresh.speaker)
    assert kept.timbre is not None and fresh.timbre is not None and kept.timbre.equal(fresh.timbre)


def test_neither_another_models_vectors_nor_damaged_ones_are_taken(model: Path, place: Path) -> None:
    synthesizer = Synthesizer.load(model)
    add_voice("ann", READING, "Ann", synthesizer.model)
    (file,) = (place / "ann" / "models").iterdir()
    assert len(file.stem) == 16
    codes = synthesizer.voice("ann").codes
    save_tensors(file, {"codes": codes})
    assert synthesizer.voice("ann").codes.equal(codes)
    file.write_bytes(b"nothing")
    assert synthesizer.voice("ann").codes.equal(codes)
    file.rename(file.with_name("0123456789abcdef.safetensors"))
    assert synthesizer.voice("ann").codes.equal(codes)


@pytest.mark.parametrize("name", ["", "../ann", "a/b", ".ann", "-ann", "a b", "ann\n", "é", "a" * 65, "a.b"])
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(ConfigError, match="expected a name of 1 to 64 letters"):
        add_voice(name, READING, "Ann")


def test_names_are_given_once_and_consent_is_needed(place: Path) -> None:
    with pytest.raises(ConfigError, match="a voice of the package has this name"):
        add_voice("kathleen", READING, "Ann")
    for consent in ("", "  \n", "x" * 501):
        with pytest.raises(ConfigError, match="--consent: expected 1 to 500 characters"):
            add_voice("ann", READING, consent)
    assert not place.exists()
    add_voice("ann", READING, "Ann")
    with pytest.raises(ConfigError, match=r"exists already.*voices remove ann"):
        add_voice("ann", READING, "Ann")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda s: s[: 2 * RATE], r"too short: [12]\.\d s of speech, expected at least 3 s"),
        (lambda s: np.clip(s, -0.3 * s.max(), 0.3 * s.max()), "clipped: .* % of it is cut off"),
        (lambda s: s + 0.05 * np.random.default_rng(0).standard_normal(len(s)), "noisy: the speech is .* dB above"),
        (lambda s: 0.1 * np.sin(440 * 2 * np.pi * np.arange(5 * RATE) / RATE), "not like speech"),
        (lambda s: 0.1 * np.random.default_rng(0).standard_normal(5 * RATE), "not like speech"),
    ],
)
def test_a_poor_clip_is_refused_in_a_line_and_kept_with_force(change: Change, fault: str, tmp_path: Path) -> None:
    clip = written(tmp_path / "clip.wav", change(reading()))
    with pytest.raises(AudioError, match=rf"clip\.wav: .*{fault}.*--force") as refused:
        add_voice("bob", clip, "Bob")
    assert "\n" not in str(refused.value)
    about, _ = add_voice("bob", clip, "Bob", force=True)
    assert about.faults and read_about("bob").faults == about.faults


def test_what_holds_no_speech_is_refused_with_force_too(tmp_path: Path, place: Path) -> None:
    for samples in (np.zeros(5 * RATE), reading()[: RATE // 2]):
        with pytest.raises(AudioError, match="of which no voice can be made"):
            add_voice("bob", written(tmp_path / "clip.wav", samples), "Bob", force=True)
    with pytest.raises(AudioError, match=r"nothing\.wav"):
        add_voice("bob", tmp_path / "nothing.wav", "Bob")
    assert not place.exists() or not list(place.iterdir())


def test_of_a_long_clip_the_best_seconds_are_kept(tmp_path: Path) -> None:
    silence = np.zeros(4 * RATE, np.float32)
    long = np.concatenate([reading()[: 2 * RATE], silence, reading(), reading(), silence, reading()[:RATE]])
    inspected = inspect_clip(written(tmp_path / "long.wav", long))
    assert 6.0 <= inspected.audio.duration_s <= 10.0 and inspected.faults == ()
    assert "the best" in inspected.note
    level = inspected.audio.samples.square().mean()
    assert level > 0.8 * torch.from_numpy(reading()).square().mean()  # hardly any of the silence is in it


def test_the_best_stretch_begins_and_ends_in_pauses() -> None:
    tone = torch.sin(0.3 * torch.arange(3 * RATE))
    gap = torch.zeros(RATE // 2)
    sound = torch.cat([tone, gap, tone, gap, tone, gap, tone])
    kept = best_stretch(sound, RATE, 6.0, 7.5)
    assert 6.0 <= len(kept) / RATE <= 7.5
    assert float(kept[:100].abs().max()) == 0 or float(kept[-100:].abs().max()) == 0
    endless = torch.sin(0.3 * torch.arange(20 * RATE))
    assert len(best_stretch(endless, RATE, 6.0, 8.0)) == pytest.approx(8 * RATE, rel=0.01)
    assert best_stretch(tone, RATE, 6.0, 8.0) is tone


def test_voices_are_added_shown_and_removed_by_the_command(
    place: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*words: str) -> str:
        result = CliRunner().invoke(app, ["voices", *words], catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    assert "consent: Ann" in told("add", "ann", str(READING), "--consent", "Ann", "--model", str(model))
    assert told().splitlines()[-1].startswith("ann") and told("list") == told()
    monkeypatch.chdir(tmp_path)
    Path("ann").touch()  # a file of that name would come first for --voice, but it is not the added voice
    shown = told("show", "ann")
    assert f"clip: {place / 'ann' / 'clip.flac'}" in shown
    assert "source: kathleen.flac" in shown and "faults: none" in shown
    assert str(place / "ann") in told("remove", "ann")
    assert not (place / "ann").exists()
    for words in (("show", "ann"), ("remove", "ann"), ("remove", "kathleen"), ("remove", "../voices")):
        failed = CliRunner().invoke(app, ["voices", *words])
        assert isinstance(failed.exception, AudioError)


def test_a_folder_that_is_no_voice_is_neither_listed_nor_removed(place: Path) -> None:
    (place / "notes").mkdir(parents=True)
    (place / "notes" / "letter.txt").write_text("dear")
    assert added_clips() == {}
    written(place / "notes" / "clip.wav", reading()).rename(place / "notes" / CLIP)
    with pytest.raises(AudioError, match="no marker"):
        remove_voice("notes")
    assert (place / "notes" / "letter.txt").exists()


def test_a_damaged_voice_does_not_hide_the_others_and_can_be_removed(place: Path) -> None:
    add_voice("ann", READING, "Ann")
    add_voice("bob", READING, "Bob")
    (place / "ann" / "voice.json").write_text("{}")
    listed = CliRunner().invoke(app, ["voices"], catch_exceptions=False).output.splitlines()
    assert listed[-2].startswith("ann") and "damaged: " in listed[-2] and "voices remove ann" in listed[-2]
    assert "consent: Bob" in listed[-1]
    (place / "ann" / CLIP).unlink()
    with pytest.raises(ConfigError, match="'triforce-tts voices remove ann' removes it"):
        add_voice("ann", READING, "Ann")
    remove_voice("ann")
    add_voice("ann", READING, "Ann")
    (place / "notes").mkdir()
    with pytest.raises(ConfigError, match="notes exists already; choose another name"):
        add_voice("notes", READING, "Ann")


def test_the_searched_part_of_a_long_file_is_named(tmp_path: Path) -> None:
    late = written(tmp_path / "late.wav", np.concatenate((np.zeros(302 * RATE), reading())))
    for use in (inspect_clip, Synthesizer.load().voice):
        with pytest.raises(AudioError, match=r"0\.00 s of speech in its first 300 s, "):
            use(late)


def test_of_two_processes_that_add_one_name_the_first_keeps_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inspect = voice_store.inspect_clip

    def meanwhile(path: Path) -> voice_store.Inspected:
        monkeypatch.setattr(voice_store, "inspect_clip", inspect)
        add_voice("ann", READING, "The first")
        return inspect(path)

    monkeypatch.setattr(voice_store, "inspect_clip", meanwhile)
    with pytest.raises(ConfigError, match="exists already"):
        add_voice("ann", READING, "The second")
    assert read_about("ann").consent == "The first"
    assert [entry.name for entry in place.iterdir()] == ["ann"]
