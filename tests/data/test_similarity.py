"""The rules, on artificial vectors: each person is a direction, and a clip is near the direction of its person."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from tests.clips import spoken
from triforce_tts.audio.io import Audio, encode_flac
from triforce_tts.data import similarity
from triforce_tts.data.inspect import command
from triforce_tts.data.similarity import SimilarityConfig, Voices, compare
from triforce_tts.errors import ConfigError, ShardError
from triforce_tts.judges import embedding
from triforce_tts.shards import Sample, write_index, write_shard

CONFIG = SimilarityConfig()
needs_weights = pytest.mark.skipif(importlib.util.find_spec("resemblyzer") is None, reason=embedding.INSTALL)


def voices(people: dict[str, str], clips: int = 8, spread: float = 0.02) -> Voices:
    """``clips`` clips of each name of ``people``, a letter for each clip in turn that says who speaks it."""
    rng = np.random.default_rng(0)
    base = {person: np.eye(32)["abcdefg".index(person)] + 1.0 for person in "abcdefg"}
    keys, speakers, vectors = [], [], []
    for name, who in people.items():
        for number in range(clips):
            vector = base[who[number % len(who)]] + spread * rng.standard_normal(32)
            keys.append(f"{name}{number}")
            speakers.append(name)
            vectors.append(vector / np.linalg.norm(vector))
    return Voices(keys, speakers, np.array(vectors, np.float32))


def strict(**changes: float) -> SimilarityConfig:
    """Thresholds for these directions, whose cosines are all near 1."""
    return SimilarityConfig(clip=0.005, same=0.005, two=0.01, **changes)


def test_right_labels_raise_no_suspicion() -> None:
    found = compare(voices({"ann": "a", "bob": "b", "cid": "c"}), strict())
    assert found.suspects == similarity.Suspects([], [], [])
    assert found.speakers == ["ann", "bob", "cid"]
    np.testing.assert_allclose(np.diag(found.cosines), 1.0, atol=1e-6)
    # Two directions that share 30 ones and have a two each where the other has a one: 34 / 35.
    assert found.cosines[0, 1] == pytest.approx(34 / 35, abs=0.003)


def test_a_clip_under_another_name_is_found_and_its_reader_named() -> None:
    mixed = voices({"ann": "aaaaaaab", "bob": "b", "cid": "c"})
    (stray,) = compare(mixed, strict()).suspects.clips
    assert (stray.key, stray.speaker, stray.nearest) == ("ann7", "ann", "bob")
    # Without the stray clip ann's vector is pure, so that the clip is 1 - 34 / 35 nearer to bob.
    assert stray.difference == pytest.approx(1 / 35, abs=0.005)


def test_two_names_of_one_person() -> None:
    (pair,) = compare(voices({"ann": "a", "anne": "a", "bob": "b"}), strict()).suspects.one_person
    assert (pair.first, pair.second) == ("ann", "anne") and abs(pair.separation) < 0.005


def test_one_name_of_two_people() -> None:
    mixed = voices({"ann": "aaaaaccc", "bob": "b", "dan": "d"})
    found = compare(mixed, strict()).suspects
    (pair,) = found.two_people
    assert pair.first == "ann" and pair.second in ("ann5", "ann6", "ann7")
    assert pair.separation == pytest.approx(1 / 35, abs=0.005)
    assert found.one_person == []


def test_readers_of_few_clips_are_not_judged() -> None:
    """One clip says nothing of its reader; two names of two clips may sound alike by chance."""
    alone = voices({"ann": "a", "anne": "a"}, clips=1)
    assert compare(alone, strict()).suspects == similarity.Suspects([], [], [])
    assert compare(voices({"ann": "a", "anne": "a"}, clips=2), strict()).suspects.one_person == []
    assert compare(voices({"ann": "a", "anne": "a"}, clips=2), strict(least_clips=2)).suspects.one_person != []
    assert compare(voices({"ann": "aaaaaacc"}), strict()).suspects.two_people == []  # two clips are no group
    one = compare(voices({"ann": "a"}), strict())
    assert one.speakers == ["ann"] and one.suspects.clips == []


def test_a_clip_is_compared_with_its_reader_without_itself() -> None:
    """By hand: two clips of ann at right angles, one of bob between; each clip of ann is nearer to bob."""
    half = 2**-0.5
    three = Voices(["1", "2", "3"], ["ann", "ann", "bob"], np.array([[1, 0], [0, 1], [half, half]], np.float32))
    found = similarity._measure(three.vectors, list(three.groups().values()), np.ones(3, bool))
    assert found.difference.tolist() == pytest.approx([half, half, -np.inf])
    assert found.separation[0, 1] != found.separation[0, 1]  # not a number: bob has no other clip


def shards(folder: Path, names: dict[str, str]) -> Path:
    samples = []
    for number, (key, speaker) in enumerate(names.items()):
        wave = spoken(key)[: 16000 * 4]
        meta = {"duration_s": len(wave) / 16000, "speaker": speaker, "source": "talks", "license": "CC0-1.0",
                "sample_rate": 16000, "punct": True}  # fmt: skip
        samples.append(Sample(f"u{number}", meta, encode_flac(Audio(torch.from_numpy(wave), 16000)), "flac"))
    write_index(folder, "audio", {"train": [write_shard(folder / "train-000000.tar", samples)], "heldout": []}, {})
    return folder


def run(*words: object) -> Any:
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_a_picture_of_another_kind_and_codes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--similarity .*jpg: the picture is a PNG"):
        run(tmp_path, "--similarity", tmp_path / "a.jpg")
    codes = tmp_path / "codes"
    write_index(codes, "codes", {"train": [write_shard(codes / "train-000000.tar", [])], "heldout": []}, {})
    with pytest.raises(ShardError, match="codes"):
        run(codes, "--similarity", tmp_path / "a.png")


def test_the_matrix_is_drawn_with_similar_readers_beside_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[str, Any] = {}

    def draw_similarity(cosines: Any, rows: list[str], columns: list[str], titles: Any, path: Path) -> None:
        drawn.update(cosines=cosines, rows=rows, columns=columns)

    monkeypatch.setattr(similarity, "draw_similarity", draw_similarity)
    corpus = voices({"ann": "a", "bob": "b", "cid": "a", "dan": "b"})
    found = compare(corpus, CONFIG)
    similarity.draw(found, corpus, tmp_path / "a.png")
    assert drawn["rows"] == drawn["columns"]
    assert {frozenset(drawn["rows"][:2]), frozenset(drawn["rows"][2:])} == {
        frozenset(("ann", "cid")),
        frozenset(("bob", "dan")),
    }
    order = [found.speakers.index(name) for name in drawn["rows"]]
    np.testing.assert_array_equal(drawn["cosines"], found.cosines[np.ix_(order, order)])
    monkeypatch.setattr(similarity, "MOST_DRAWN", 1)
    similarity.draw(found, corpus, tmp_path / "a.png")
    assert len(drawn["rows"]) == 1


@needs_weights
def test_real_voices_and_the_words_of_the_command(tmp_path: Path) -> None:
    names = {f"kathleen-0{i}": "kathleen" for i in range(4)} | {f"ls_1462-0{i}": "ls_1462" for i in range(4, 8)}
    names["ls_1462-08"] = "kathleen"
    folder, picture = shards(tmp_path / "shards", names), tmp_path / "new" / "a.png"
    told = run(folder, "--similarity", picture).stdout
    assert "clips that sound like another reader: 1\n  u8: labelled kathleen, nearer to ls_1462 by 0." in told
    assert "names that sound like one person: none" in told
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = json.loads(run(folder, "--similarity", picture, "--json").stdout)["--similarity"]
    assert [clip["key"] for clip in found["clips"]] == ["u8"]
    with pytest.raises(ShardError, match=r"no clip is 2 s long or longer"):
        run(shards(tmp_path / "none", {}), "--similarity", picture)
