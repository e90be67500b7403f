"""Copies of training samples at other speeds, and their codes."""

from pathlib import Path

import pytest
import torch

from tests.stages.test_codes import tree
from triforce_tts.data.verify import verify
from triforce_tts.shards import ShardSet
from triforce_tts.stages import codes
from triforce_tts.stages.codes import decode_codes, make_codes
from triforce_tts.stages.copies import Copy, copies_of


def test_a_copy_moves_sound_and_times_together() -> None:
    rate, copy = 16000, Copy(speed=1.25, shift=1, shifts=2)
    sound = torch.zeros(rate)
    sound[8000] = 1.0  # a click at .5 s
    frame = 1024
    later_s = frame / 2 / rate
    heard = copy.sound(sound, rate, frame)
    meta = copy.meta({"speaker": "a", "duration_s": 1.0, "text": "x", "alignment": [[0.0, 0.5, 0.9]]}, later_s)
    assert int(heard.abs().argmax()) / rate == pytest.approx(0.5 / 1.25 - later_s, abs=1e-4)
    assert meta["alignment"] == [[0.0, pytest.approx(0.5 / 1.25 - later_s), pytest.approx(0.9 / 1.25 - later_s)]]
    assert meta["duration_s"] == pytest.approx(len(heard) / rate, abs=1e-4)
    assert (meta["speaker"], meta["text"]) == ("a-x1_25", "x")
    same = {"speaker": "a", "duration_s": 1.0}
    assert Copy().meta(same, 0.0) is same and torch.equal(Copy().sound(sound, rate, frame), sound)


def test_a_faster_copy_has_a_higher_pitch() -> None:
    rate = 16000
    tone = torch.sin(2 * torch.pi * 440 * torch.arange(rate) / rate)
    heard = Copy(speed=1.1).sound(tone, rate, 1024)
    peak = int(torch.fft.rfft(heard * torch.hann_window(len(heard))).abs().argmax()) * rate / len(heard)
    assert peak == pytest.approx(484, abs=2)


def test_training_samples_are_coded_in_all_copies_and_held_out_ones_once(
    corpus: dict[str, Path], tmp_path: Path
) -> None:
    plain, more = tmp_path / "plain", tmp_path / "more"
    make_codes(corpus["dvae"], [corpus["shards"]], plain, workers=1)
    make_codes(corpus["dvae"], [corpus["shards"]], more, workers=1, copies=copies_of([0.9, 1.0, 1.1], 2))
    sets = {folder: ShardSet.open([folder], "train", "codes") for folder in (plain, more)}
    assert len(sets[more]) == 6 * len(sets[plain])
    assert len(set(sets[more].keys)) == len(sets[more])
    assert set(sets[more].speakers) == {
        f"{speaker}{end}" for speaker in sets[plain].speakers for end in ("", "-x0_9", "-x1_1")
    }
    assert len(ShardSet.open([more], "heldout", "codes")) == len(ShardSet.open([plain], "heldout", "codes"))
    of_key = {key: sets[more].payload(number) for number, key in enumerate(sets[more].keys)}
    for number, key in enumerate(sets[plain].keys):
        assert of_key[key] == sets[plain].payload(number)
        frames = {name: len(decode_codes(of_key[f"{key}{name}"])) for name in ("", "-x0_9", "-x1_1", "-1of2")}
        assert frames["-x1_1"] < frames[""] < frames["-x0_9"] and frames["-1of2"] <= frames[""]
    assert any(of_key[key] != of_key[f"{key}-1of2"] for key in sets[plain].keys)


def test_a_coding_with_other_copies_does_not_keep_shards_of_another_copy(
    corpus: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "codes"
    make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1, copies=copies_of([], 2))
    before = tree(out)
    shifted = next(path for path in out.glob("1of2--*.done.json"))
    plain = out / shifted.name.removeprefix("1of2--")
    # The copy looks as if it had been coded without the shift.
    shifted.write_bytes(plain.read_bytes())
    make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1, copies=copies_of([], 2))
    assert tree(out) == before


def test_shards_of_an_earlier_coding_that_the_new_one_does_not_make_are_removed(
    corpus: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "codes"
    make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1, copies=copies_of([1.1], 1))
    (out / "notes.tar").write_text("not ours")
    assert list(out.glob("x1_1--*"))
    make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1)
    assert not list(out.glob("x1_1--*")) and (out / "notes.tar").exists()
    (out / "notes.tar").unlink()
    assert not verify(out)[0]


def test_shards_that_a_killed_coding_did_not_remove_are_removed_by_the_next(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "codes"
    make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1, copies=copies_of([1.1], 1))
    with monkeypatch.context() as killed:
        killed.setattr(codes, "remove_shards", lambda folder, names: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1)
    assert list(out.glob("x1_1--*"))
    make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1)
    assert not list(out.glob("x1_1--*"))
    assert not verify(out)[0]
