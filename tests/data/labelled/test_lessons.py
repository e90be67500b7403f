"""Lessons: the voice of each text, the texts that are left out, and a build with a replacement for the network."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from triforce_tts.data.common.heldout import HeldOut
from triforce_tts.data.common.names import letters_of
from triforce_tts.data.labelled import kokoro, lessons
from triforce_tts.data.labelled.run import Output, Speech, build_synthetic
from triforce_tts.errors import ShardError
from triforce_tts.shards import ShardSet

TEXTS = [f"The {a} {b} sees the {c}." for a in ("old", "red", "big") for b in ("cat", "dog", "man") for c in ("sun", "sea", "sky")]  # fmt: skip


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A folder with two styles and a file that replaces the network."""
    folder = tmp_path / "assets"
    (folder / kokoro.STYLES).mkdir(parents=True)
    for number, name in enumerate(("a", "b")):
        np.full((510, 256), number, np.float32).tofile(folder / kokoro.STYLES / f"{name}.bin")
    (folder / kokoro.MODEL).write_bytes(b"a network")
    return folder


class StandIn:
    """It answers like the network.

    Each symbol lasts two units of 25 ms, and the style decides the pitch of the tone.
    """

    def run(self, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:  # type: ignore[type-arg]
        assert names[0] == "audio"
        units = np.full(feed["tokens"].shape[1], 2)
        time = np.arange(units.sum() * 600) / 24000
        pitch = 150 + 100 * float(feed["style"][0, 0])
        return [(0.3 * np.sin(2 * np.pi * pitch * time)).astype(np.float32), units]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a", {"a": 1.0}),
        ("a,b", {"a": 0.5, "b": 0.5}),
        ("a=0.4,b,a+b", {"a": 0.4, "b": 0.3, "a+b": 0.3}),
        ("a=0.25, a+b:0.6=0.75", {"a": 0.25, "a+b:0.6": 0.75}),
    ],
)
def test_shares(written: str, expected: dict[str, float]) -> None:
    assert lessons.parse_shares(written) == pytest.approx(expected)


@pytest.mark.parametrize("written", ["a,a", "a=x", "a=-1", "a=0.5", "a=0.6,b=0.6", "a=1,b", "", "a=0.5,,b"])
def test_wrong_shares_are_refused(written: str) -> None:
    with pytest.raises(ShardError):
        lessons.parse_shares(written)


def test_speeds() -> None:
    assert lessons.parse_speeds("0.9,1, 1.1") == (0.9, 1.0, 1.1)
    for wrong in ("", "0", "3", "fast", "1,,1", "nan"):
        with pytest.raises(ShardError, match="is no speed"):
            lessons.parse_speeds(wrong)


def test_fragments_are_the_first_words_of_texts_that_are_not_held_out(assets: Path) -> None:
    texts = [
        f"{a.capitalize()} {b} sees {c} now."
        for a in ("old", "red", "big", "one")
        for b in ("cats", "dogs", "men")
        for c in ("suns", "seas")
    ]
    teaching = lessons.Teaching(assets, {"a": 1.0}, fragments=0.6)
    whole = lessons.plan(texts, lessons.Teaching(assets, {"a": 1.0}), 0, HeldOut())
    plan = lessons.plan(texts, teaching, 0, HeldOut())
    assert plan.held_ids == whole.held_ids
    ids = {clip.id for clip in whole.clips}
    assert ids < {clip.id for clip in plan.clips} and len({clip.id for clip in plan.clips}) == len(plan.clips)
    short = {clip.text for clip in plan.clips if clip.id not in ids}
    trained = {clip.text for clip in whole.clips if clip.id not in whole.held_ids}
    assert {len(text.split()) for text in short} == {1, 2, 3}
    assert all(text[-1] in ".!?" and any(full.startswith(text[:-1]) for full in trained) for text in short)
    assert lessons.plan(texts, teaching, 0, HeldOut()).clips == plan.clips
    # A fragment that is a text already, or that is held out by a list, is no new clip.
    again = [*texts, *short]
    ids = [clip.id for clip in lessons.plan(again, teaching, 0, HeldOut()).clips]
    assert len(ids) == len(set(ids))
    apart = HeldOut(texts=frozenset(letters_of(text) for text in short))
    assert not {clip.text for clip in lessons.plan(texts, teaching, 0, apart).clips} & short


def test_voices_are_drawn_by_their_shares_and_by_the_text_alone(assets: Path) -> None:
    texts = [f"Number {a} and {b}." for a in range(30) for b in range(30)]
    teaching = lessons.Teaching(assets, {"a": 0.75, "a+b:0.6": 0.25}, (0.9, 1.1))
    plan = lessons.plan(texts, teaching, 0, HeldOut())
    assert plan.notes == [] and len(plan.clips) == 900
    voices = [r.teacher.voice for r in plan.clips if r.teacher is not None]
    assert 0.70 < voices.count("a") / 900 < 0.80
    speeds = [r.teacher.speed for r in plan.clips if r.teacher is not None]
    assert 0.45 < speeds.count(0.9) / 900 < 0.55
    fewer = lessons.plan(texts[:200], teaching, 0, HeldOut())
    assert {r.id for r in fewer.clips} <= {r.id for r in plan.clips}
    assert {r.speaker for r in plan.clips} == {"kokoro-a", "kokoro-a-b-0-6"}


def test_words_without_phones_are_named_and_left_out(assets: Path) -> None:
    texts = ["The cat sees the sun.", "The qzxvy sees the brzzt.", "A brzzt.", "Hello there."]
    plan = lessons.plan(texts, lessons.Teaching(assets, {"a": 1.0}), 0, HeldOut())
    assert sorted(r.text for r in plan.clips) == ["Hello there.", "The cat sees the sun."]
    assert plan.notes == ["left out 2 of 4 texts, because these words have no phones: 'brzzt' (2), 'qzxvy' (1)"]
    assert [(drop.id, drop.reason, drop.value) for drop in plan.drops] == [
        ("A brzzt.", "words without phones", "brzzt"),
        ("The qzxvy sees the brzzt.", "words without phones", "qzxvy, brzzt"),
    ]
    with pytest.raises(ShardError, match=r"left out 1 of 1 text, .*'brzzt'"):
        lessons.plan(["A brzzt."], lessons.Teaching(assets, {"a": 1.0}), 0, HeldOut())


def test_unknown_voices_and_missing_files_are_told(assets: Path) -> None:
    with pytest.raises(ShardError, match="unknown voice 'c'; kokoro has: a, b"):
        lessons.plan(TEXTS, lessons.Teaching(assets, {"a+c": 1.0}), 0, HeldOut())
    (assets / kokoro.MODEL).unlink()
    with pytest.raises(ShardError, match="cannot read kokoro's network"):
        lessons.plan(TEXTS, lessons.Teaching(assets, {"a": 1.0}), 0, HeldOut())


def test_every_sample_carries_its_alignment(assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kokoro, "_session", lambda path: StandIn())
    kokoro.load.cache_clear()
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
    speech = Speech(tmp_path / "texts.txt", "kokoro", "a=0.5,b", assets=assets)
    build_synthetic(speech, None, Output(tmp_path / "shards"), Console(quiet=True))
    kokoro.load.cache_clear()
    sets = [ShardSet.open([tmp_path / "shards"], split, "audio") for split in ("train", "heldout")]
    metas = [shards.meta(number) for shards in sets for number in range(len(shards))]
    assert len(metas) == len(TEXTS) and len(sets[1]) >= 1
    assert {meta["speaker"] for meta in metas} == {"kokoro-a", "kokoro-b"}
    for meta in metas:
        assert meta["sample_rate"] == 24000
        words = meta["alignment"]
        assert len(words) == 6
        # "ð" and "ə" after 0.05 s of silence, 0.05 s earlier than they are counted
        assert words[0] == pytest.approx([0.0, 0.05, 0.1])
        assert all(word == sorted(word) for word in words)


def test_files_that_moved_change_nothing(assets: Path, tmp_path: Path) -> None:
    from triforce_tts.data.labelled.build import Job
    from triforce_tts.data.labelled.prepare import Recipe

    def fingerprint(folder: Path) -> str:
        plan = lessons.plan(TEXTS, lessons.Teaching(folder, {"a": 1.0}), 0, HeldOut())
        return Job("x", tuple(plan.clips), Recipe()).fingerprint

    before = fingerprint(assets)
    moved = assets.rename(tmp_path / "elsewhere")
    assert fingerprint(moved) == before
    (moved / kokoro.MODEL).write_bytes(b"another network")
    assert fingerprint(moved) != before
