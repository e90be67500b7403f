"""A recogniser hears the clips of a build: wrong labels are dropped, and the samples say what was heard."""

import csv
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf
from typer.testing import CliRunner

from tests.clips import spoken
from triforce_tts.data.build import command
from triforce_tts.data.labelled.build import Job
from triforce_tts.data.labelled.hearing import Hearing
from triforce_tts.data.labelled.prepare import Recipe
from triforce_tts.data.verify import verify
from triforce_tts.errors import TriforceError
from triforce_tts.shards import ShardSet

RIGHT = "For the twentieth time that evening, the two men shook hands."
WRONG = "We bought seven green umbrellas and a bicycle at the station."
RATE = 16000
pytest.importorskip("pocketsphinx")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    sf.write(folder / "clip.wav", spoken("kathleen-02"), RATE)
    rows = [{"id": name, "text": text} for name, text in (("right", RIGHT), ("wrong", WRONG))]
    lines = [json.dumps({"audio": "clip.wav", "speaker": "kathleen", **row}) for row in rows]
    (folder / "manifest.jsonl").write_text("\n".join(lines))
    return folder


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(command, [str(a) for a in arguments])
    if isinstance(result.exception, TriforceError):
        return 2, str(result.exception)
    assert result.exception is None, result.exception
    return result.exit_code, result.output.replace("\n", " ")


def metas(out: Path) -> dict[str, dict[str, Any]]:
    shards = ShardSet.open([out], "train", "audio")
    return {shards.keys[i]: shards.meta(i) for i in range(len(shards))}


def test_a_clip_that_says_another_text_is_dropped(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "shards"
    code, said = run(
        "labelled", corpus, "--out", out, "--recogniser", "pocketsphinx", "--words-wrong", 0.8, "--workers", 1
    )
    assert code == 0
    assert "each clip is heard by pocketsphinx (pocketsphinx recognises the words, which hears a quarter" in said
    kept = metas(out)
    assert list(kept) == ["right"]
    assert kept["right"]["recogniser"] == "pocketsphinx" and 0 <= kept["right"]["words_wrong"] <= 0.8
    with (out / "report" / "drops.csv").open(newline="") as file:
        (dropped,) = csv.DictReader(file)
    assert (dropped["id"], dropped["reason"]) == ("wrong", "another text is heard")
    assert "% of its words are wrong: '" in dropped["value"] and "twentieth time" in dropped["value"]
    assert float(dropped["seconds"]) > 2
    # The sum counts the dropped clip too. Each text has eleven words.
    shares = [kept["right"]["words_wrong"], int(dropped["value"].split(" %")[0]) / 100]
    wrong = sum(round(11 * share) for share in shares)
    assert f"heard wrongly, also in what was dropped: {wrong} of 22 words" in said
    assert verify(out)[0] == []


def test_a_finished_shard_keeps_what_was_heard(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("labelled", corpus, "--out", tmp_path / "x", "--recogniser", "pocketsphinx", "--workers", 1)
    _, first = run(*arguments)
    monkeypatch.setattr("triforce_tts.data.labelled.prepare.hear", lambda *_: pytest.fail("the clips were heard again"))
    _, again = run(*arguments)
    line = "heard wrongly, also in what was dropped: "
    assert line in first and first[first.index(line) :] == again[again.index(line) :]


def test_without_a_recogniser_nothing_is_heard_and_older_shards_stay_valid(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, said = run("labelled", corpus, "--out", tmp_path / "x", "--workers", 1)
    assert "heard" not in said
    assert set(metas(tmp_path / "x")) == {"right", "wrong"}
    assert not {"recogniser", "words_wrong"} & set(metas(tmp_path / "x")["right"])
    # the fingerprint of an empty shard, as builds wrote it before they could listen; the format was this one
    monkeypatch.setattr("triforce_tts.data.labelled.build.BUILD_FORMAT", 4)
    before = "60f63d73d3c8fad0fdf189e46900bb8fe1bf36f0091d4793bbdb945769ccf04f"
    assert Job("x", (), Recipe()).fingerprint == before
    assert Job("x", (), Recipe(hearing=Hearing("pocketsphinx"))).fingerprint != before


def test_what_cannot_be_heard_is_refused_before_any_work(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("labelled", corpus, "--out", tmp_path / "x")
    assert run(*arguments, "--words-wrong", 0.3) == (
        2,
        "--words-wrong: no recogniser counts them; give --recogniser too, such as tiny.en",
    )
    code, said = run(*arguments, "--recogniser", tmp_path / "nothing")
    assert code == 2 and "no such folder of weights; choose auto, tiny.en, pocketsphinx" in said
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jiwer" else find(name))
    code, said = run(*arguments, "--recogniser", "pocketsphinx")
    assert code == 2 and said.startswith("--recogniser pocketsphinx: jiwer cannot be found; pip install")
    assert not (tmp_path / "x").exists()
