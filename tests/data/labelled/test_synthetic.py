import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from triforce_tts.data.build import command
from triforce_tts.data.common.heldout import HeldOut, read_heldout
from triforce_tts.data.common.names import letters_of
from triforce_tts.data.labelled import babble, synthetic
from triforce_tts.errors import ShardError
from triforce_tts.shards import ShardSet

needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")


def run(*arguments: object) -> str:
    result = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def metas(out: Path, split: str) -> list[dict[str, Any]]:
    shards = ShardSet.open([out], split, "audio")
    return [shards.meta(i) for i in range(len(shards))]


def test_babble_makes_a_corpus_without_any_program(tmp_path: Path) -> None:
    output = run("--engine", "babble", "--sentences", 30, "--out", tmp_path / "a", "--workers", 1)
    train, heldout = metas(tmp_path / "a", "train"), metas(tmp_path / "a", "heldout")
    assert len(train) + len(heldout) == 30
    assert heldout
    assert {meta["speaker"] for meta in train} == {f"babble-{voice}" for voice in babble.VOICES}
    assert {meta["license"] for meta in train} == {"synthetic (babble)"}
    assert not {letters_of(meta["text"]) for meta in train} & {letters_of(meta["text"]) for meta in heldout}
    assert "dropped 0 recordings" in output
    run("--engine", "babble", "--sentences", 30, "--out", tmp_path / "b", "--workers", 1)
    assert (tmp_path / "a" / "index.json").read_bytes() == (tmp_path / "b" / "index.json").read_bytes()


def test_babble_sounds_as_its_text() -> None:
    low, high = (babble.speak("able", voice).samples for voice in ("low", "high"))
    assert torch.equal(low, babble.speak("able", "low").samples)
    assert low.shape == high.shape and not torch.allclose(low, high, atol=0.01)
    assert len(babble.speak("ablest", "low").samples) > len(low)
    assert low.abs().max() < 1
    a, b = (torch.fft.rfft(babble.speak(letter * 8, "low").samples).abs() for letter in "ab")
    assert torch.nn.functional.cosine_similarity(a, b, dim=0) < 0.9


def test_texts_that_are_held_out_never_enter(tmp_path: Path) -> None:
    lines = ["Never say this one.", "A held out utterance, much longer than the limit allows.", "This may be said."]
    (tmp_path / "texts.txt").write_text("\n".join([*lines, "", "123", "This may be said."]))
    (tmp_path / "held.json").write_text('{"book_sentences": ["never say this one"], "x_utterances": ["u.1"]}')
    row = {
        "id": "u.1",
        "audio": "a.wav",
        "text": "A HELD OUT UTTERANCE MUCH LONGER THAN THE LIMIT ALLOWS",
        "speaker": "s",
    }
    (tmp_path / "manifest.jsonl").write_text(json.dumps(row))
    heldout = read_heldout(tmp_path / "held.json")
    texts = synthetic.read_texts(tmp_path / "texts.txt", 25, heldout)
    recordings, _ = synthetic.plan(texts, "babble", ["low"], 0, False, heldout)
    assert [recording.text for recording in recordings] == ["This may be said."]


def test_long_lines_are_cut_at_punctuation_and_lose_nothing(tmp_path: Path) -> None:
    line = "One, two and three; four. Five six seven eight nine ten eleven twelve, thirteen! " + "x" * 60
    (tmp_path / "texts.txt").write_text(line)
    pieces = synthetic.read_texts(tmp_path / "texts.txt", 30, HeldOut())
    assert max(map(len, pieces)) <= 30
    assert pieces[0] == "One, two and three; four."
    assert letters_of("".join(pieces)) == letters_of(line)
    (tmp_path / "texts.txt").write_text("word " * 50000)
    assert len(synthetic.read_texts(tmp_path / "texts.txt", 30, HeldOut())) > 5000


def test_texts_go_round_the_voices_or_to_each() -> None:
    texts = babble.sentences(30)
    once, held = synthetic.plan(texts, "babble", ["low", "high"], 0, False, HeldOut())
    assert len(once) == 30
    assert [r.speaker for r in once].count("babble-low") == 15
    each, held_each = synthetic.plan(texts, "babble", ["low", "high"], 0, True, HeldOut())
    assert len(each) == 60
    assert len({r.id for r in each}) == 60
    # A text is held out in all voices or in no voice.
    assert {r.text for r in each if r.id in held_each} == {r.text for r in once if r.id in held}
    assert len(synthetic.plan(texts, "babble", ["low"], 7, False, HeldOut())[0]) == 7


def test_one_text_in_a_hundred_is_held_out() -> None:
    texts = babble.sentences(3000)
    _, held = synthetic.plan(texts, "babble", ["low"], 0, False, HeldOut())
    assert 10 < len(held) < 60


def test_wrong_engines_voices_and_texts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ShardError, match="unknown engine 'hal'; choose one of: flite, babble"):
        synthetic.plan(["a"], "hal", ["low"], 0, False, HeldOut())
    with pytest.raises(ShardError, match="unknown voice 'deep'; babble has: low, mid, high"):
        synthetic.plan(["a"], "babble", ["deep"], 0, False, HeldOut())
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ShardError, match="'flite' is not installed; install it, such as with: apt-get install flite"):
        synthetic.plan(["a"], "flite", ["rms"], 0, False, HeldOut())
    with pytest.raises(ShardError, match="cannot read the texts"):
        synthetic.read_texts(tmp_path / "none.txt", 90, HeldOut())
    (tmp_path / "blank.txt").write_text("\n\n12\n")
    with pytest.raises(ShardError, match="no text to speak"):
        synthetic.read_texts(tmp_path / "blank.txt", 90, HeldOut())


@needs_flite
def test_flite_speaks_the_texts(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("The boat came home.\n-t is not an option here.\nWhere is the boat?\n")
    arguments = [
        "--synthetic",
        tmp_path / "texts.txt",
        "--engine",
        "flite",
        "--voices",
        "slt,rms",
        "--sample-rate",
        16000,
    ]
    run(*arguments, "--out", tmp_path / "out", "--workers", 1)
    found = metas(tmp_path / "out", "train") + metas(tmp_path / "out", "heldout")
    assert len(found) == 3
    assert {meta["speaker"] for meta in found} == {"flite-slt", "flite-rms"}
    assert all(meta["license"] == "synthetic (flite)" and meta["duration_s"] > 0.7 for meta in found)


@needs_flite
def test_flite_refuses_an_unknown_voice() -> None:
    with pytest.raises(ShardError, match=r"unknown voice 'nobody'; flite has: .*slt"):
        synthetic.plan(["a"], "flite", ["nobody"], 0, False, HeldOut())
