"""What an evaluation speaks and judges: sentences, recordings and voices, and what is refused."""

import json
import os
import re
from pathlib import Path

import pytest

from triforce_tts.errors import TriforceError
from triforce_tts.evaluation import pictures, plan, sources
from triforce_tts.evaluation.report import Similarity


def test_without_any_option_twenty_sentences_are_spoken_in_the_models_voice(model: Path) -> None:
    planned = plan.make_plan([], [], None, seeds=3)
    assert len(planned.sentences) == 20
    jobs = plan.make_jobs(planned, [("tiny", model)])
    kinds = [job.kind for job in jobs]
    assert kinds.count("spoken") == 60
    # The copies are made of the voice's clip.
    assert kinds.count("stage1") == kinds.count("stages13") == kinds.count("griffin_lim") == 1
    assert len({job.name for job in jobs}) == len(jobs)


def test_a_manifest_alone_gives_the_sentences_each_once(tmp_path: Path) -> None:
    rows = [("1", "One day."), ("2", "one day"), ("3", "Two days.")]
    text = "\n".join(json.dumps({"id": i, "audio": f"{i}.wav", "text": t}) for i, t in rows)
    for name in "123":
        (tmp_path / f"{name}.wav").touch()
    (tmp_path / "manifest.jsonl").write_text(text)
    planned = plan.make_plan([], [tmp_path / "manifest.jsonl"], None, seeds=1)
    assert [sentence.text for sentence in planned.sentences] == ["One day.", "Two days."]
    assert len(planned.recordings) == 3
    assert len(plan.make_plan([], [tmp_path / "manifest.jsonl"], None, 1, limit=1).recordings) == 2


def test_alike_names_stay_apart(tmp_path: Path) -> None:
    manifests = []
    for side in "ab":
        place = tmp_path / side / "odd <name>"
        place.mkdir(parents=True)
        (place / "1.wav").touch()
        rows = [{"id": name, "audio": "1.wav", "text": f"{side} {name.encode()[1]}"} for name in ("x/1", "x-1")]
        (place / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
        manifests.append(place / "manifest.jsonl")
    planned = plan.make_plan([], manifests, None, 1)
    assert {recording.collection for recording in planned.recordings} == {"odd <name>-1", "odd <name>-2"}
    assert len({sentence.id for sentence in planned.sentences}) == 4
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", sentence.id) for sentence in planned.sentences)


def test_a_recording_that_is_not_there_is_said_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text(json.dumps({"id": "1", "audio": "1.wav", "text": "other words"}))
    with pytest.raises(TriforceError, match=r"1\.wav: there is no such recording"):
        plan.make_plan([], [tmp_path / "m.jsonl"], None, 1)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [("", "no recording in it"), ('{"id": 1}', r"line 1: .*'id'"), ("{", "line 1: .*not valid JSON")],
)
def test_a_bad_manifest_is_one_line(content: str, wanted: str, tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text(content)
    with pytest.raises(TriforceError, match=wanted) as caught:
        plan.make_plan([], [tmp_path / "m.jsonl"], None, 1)
    assert "\n" not in str(caught.value)


def test_recordings_of_other_sentences_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text(json.dumps({"id": "1", "audio": "1.wav", "text": "other words"}))
    (tmp_path / "t.txt").write_text("these words\n")
    with pytest.raises(TriforceError, match=r"none of its recordings says one of the sentences; leave out --texts"):
        plan.make_plan([tmp_path / "t.txt"], [tmp_path / "m.jsonl"], None, 1)


def test_texts_and_voices_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(TriforceError, match=r"empty\.txt: no sentence in it; expected one a line"):
        sources.read_sentences(tmp_path / "empty.txt")
    (tmp_path / "long.txt").write_text("a " * 300)
    with pytest.raises(
        TriforceError, match=r"long\.txt, line 1: it has 599 characters; expected a sentence of at most 400"
    ):
        sources.read_sentences(tmp_path / "long.txt")
    with pytest.raises(TriforceError, match="no such folder"):
        sources.read_readers(tmp_path / "voices")
    with pytest.raises(TriforceError, match="no sound files in it"):
        sources.read_readers(tmp_path)


def test_a_folder_of_voices_is_looked_through_only_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_MOST_ENTRIES", 20)
    monkeypatch.setattr(sources, "_MOST_READERS", 8)
    monkeypatch.setattr(sources, "_MOST_CLIPS", 3)
    for number in range(15):
        (tmp_path / f"{number}.txt").touch()
    (tmp_path / "again").symlink_to(".")
    (tmp_path / "self.wav").symlink_to("self.wav")
    (tmp_path / ".hidden.wav").touch()
    (tmp_path / "ann").mkdir()
    for number in range(5):
        (tmp_path / "ann" / f"{number}.wav").touch()
    (reader,) = sources.read_readers(tmp_path)
    assert reader.name == "ann" and [clip.name for clip in reader.clips] == ["0.wav", "1.wav", "2.wav"]
    for number in range(9):
        (tmp_path / f"{number}.txt").rename(tmp_path / f"{number}.wav")
    with pytest.raises(TriforceError, match="more than 8 voices in it; choose a smaller folder"):
        sources.read_readers(tmp_path)
    (tmp_path / "x").touch()
    (tmp_path / "y").touch()
    with pytest.raises(TriforceError, match="more than 20 files in it; choose a smaller folder"):
        sources.read_readers(tmp_path)


def test_names_of_voices_that_no_page_can_hold(tmp_path: Path) -> None:
    (tmp_path / "a\n$x$.wav").touch()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wav")).touch()
    names = [reader.name for reader in sources.read_readers(tmp_path)]
    assert names == ["a\ufffd$x$", "\ufffd"]
    alike = Similarity(
        same=None, same_from="", different=None, references=(*names, "$\\bad{$"), speakers=("$a", "\u4e2d"),
        cosines=((0.5, 0.6, 0.9), (0.9, 0.5, 0.5)),
    )  # fmt: skip
    pictures._draw_matrix(alike, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 1000


def test_more_sentences_than_anybody_hears_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_MOST_SENTENCES", 5)
    (tmp_path / "t.txt").write_text("\n".join(f"cat {number}" for number in range(9)))
    with pytest.raises(TriforceError, match=r"t\.txt: 9 sentences; expected at most 5: .* --limit"):
        plan.make_plan([tmp_path / "t.txt"], [], None, 1)
    assert len(plan.make_plan([tmp_path / "t.txt"], [], None, 1, limit=5).sentences) == 5
