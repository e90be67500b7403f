"""An evaluation that was killed goes on where it stopped, with the same figures."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests import forks
from tests.corpus import voice_clip
from tests.triforce_tts.evaluation import once
from triforce_tts.errors import TriforceError
from triforce_tts.evaluation import ledger, plan, run, sources
from triforce_tts.evaluation.clips import Judged, Work, judge
from triforce_tts.evaluation.panel import Delivery, Panel
from triforce_tts.evaluation.report import Clip, Figure, Report, Sentence, read_report

STUB = Panel((Delivery(),), None, None)
SENTENCES = tuple(Sentence(id=f"s{number}", text=text) for number, text in enumerate(("a cat sat.", "two hats ran.")))
PLAN = plan.Plan(SENTENCES, (), (), (0, 1))


def evaluate(model: Path, out: Path, planned: plan.Plan = PLAN, force: bool = False) -> tuple[Report, str]:
    return once.evaluate([model], planned, STUB, out, force)


def heard(report: Report) -> list[object]:
    """All that a report says of its clips, without the times that they took."""
    return [
        (
            clip.system,
            clip.sentence,
            clip.seed,
            clip.seconds,
            {k: v for k, v in clip.figures.items() if not k.startswith("rtf")},
        )
        for clip in report.clips
    ]


@pytest.fixture(scope="module")
def whole(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return evaluate(model, tmp_path_factory.mktemp("whole") / "report")[0]


def test_what_was_judged_before_a_stop_is_not_judged_again(
    model: Path, whole: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Work] = []

    def stopping(work: Work) -> object:
        asked.append(work)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return judge(work)

    monkeypatch.setattr(run, "judge", stopping)
    with pytest.raises(KeyboardInterrupt):
        evaluate(model, tmp_path / "report")
    assert not (tmp_path / "report" / "report.json").exists()
    with (tmp_path / "report" / ledger.JUDGED).open("a") as file:
        file.write('{"key": "half of a li')  # a process that is killed while it writes leaves such a line
    report, told = evaluate(model, tmp_path / "report")
    assert len(asked) == 4 + len(whole.clips) + 1 - 3  # the clip of the voice is a job too
    assert "goes on, 3 of 8 clips are judged already" in told
    assert (report.continued, whole.continued) == (3, 0)
    assert heard(report) == heard(whole)
    assert heard(read_report(tmp_path / "report")) == heard(whole)
    files = {path.name for path in (tmp_path / "report" / "audio").iterdir()}
    assert files == {clip.audio for clip in report.clips}
    assert not (tmp_path / "report" / ledger.JUDGED).exists()


def _made_up(job: plan.Job) -> Judged:
    clip = Clip(
        system=job.system, sentence=job.sentence.id, text=job.sentence.text, voice=job.voice, seed=job.seed,
        audio=f"{job.name}.ogg", seconds=1.0, heard="", figures={"rate": Figure(amount=0.1, weight=0.3)},
    )  # fmt: skip
    return Judged(job, clip, ([0.1, -1e-300],), work_seconds=0.25)


def test_a_clip_that_is_gone_or_of_another_text_is_made_again(model: Path, tmp_path: Path) -> None:
    keys = dict(zip(_keys(model, PLAN), plan.make_jobs(PLAN, [("tiny", model)]), strict=True))
    judged = {key: _made_up(job) for key, job in keys.items()}
    (tmp_path / "audio").mkdir()
    with ledger.judged_file(tmp_path) as file:
        for key, one in judged.items():
            ledger.append(file, key, one)
            assert one.clip is not None
            (tmp_path / "audio" / str(one.clip.audio)).touch()
    assert ledger.read_judged(tmp_path, keys) == list(judged.values())
    next(path for path in (tmp_path / "audio").iterdir() if "spoken" in path.name).unlink()
    assert len(ledger.read_judged(tmp_path, keys)) == 7
    others = replace(PLAN, sentences=(SENTENCES[0], Sentence(id="s1", text="other words")))
    changed = dict(zip(_keys(model, others), plan.make_jobs(others, [("tiny", model)]), strict=True))
    left = ledger.read_judged(tmp_path, changed)
    assert {result.job.sentence.text for result in left} == {"", "a cat sat."}


def _keys(model: Path, planned: plan.Plan, panel: Panel = STUB) -> list[str]:
    return ledger.job_keys(plan.make_jobs(planned, [("tiny", model)]), panel, {model: model / "model.json"})


def test_a_key_depends_on_the_voice_the_judges_and_the_model(model: Path, tmp_path: Path) -> None:
    voice_clip(tmp_path / "ann.wav", 1.0)
    planned = replace(PLAN, readers=(sources.Reader("ann", (tmp_path / "ann.wav",)),))
    first = _keys(model, planned)
    assert len(set(first)) == len(first)
    assert _keys(model, planned) == first
    assert not set(_keys(model, planned, Panel((Delivery(),), None, "another recogniser"))) & set(first)
    voice_clip(tmp_path / "new.wav", 1.2)
    moved = replace(PLAN, readers=(sources.Reader("ann", (tmp_path / "new.wav",)),))
    changed = [(a, b) for a, b in zip(first, _keys(model, moved), strict=True) if a != b]
    assert len(changed) == 1 + 2 + 3  # the clip itself, what is spoken in its voice, and its copies


def test_a_recording_that_is_named_twice_is_judged_twice(model: Path, tmp_path: Path) -> None:
    voice_clip(tmp_path / "a.wav", 1.0)
    rows = [{"id": name, "audio": "a.wav", "text": "a cat sat"} for name in "ab"]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    keys = _keys(model, plan.make_plan([], [tmp_path / "m.jsonl"], None, 1))
    assert len(set(keys)) == len(keys)


def test_an_evaluation_of_another_model_is_not_replaced(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    out.mkdir()
    (out / ".triforce-tts.json").write_text('{"kind": "report", "content": "an evaluation of big (0123)"}')
    with pytest.raises(TriforceError, match=r"holds an evaluation of big \(0123\), which an evaluation of tiny"):
        evaluate(model, out)


def test_a_failing_replacement_leaves_the_old_report(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    evaluate(model, out, replace(PLAN, seeds=(0,)))
    before = (out / "report.json").read_bytes()
    dots = replace(PLAN, sentences=(Sentence(id="dots", text="..."),), seeds=(0,))
    with pytest.raises(TriforceError, match="no sentence could be spoken"):
        evaluate(model, out, dots, force=True)
    assert (out / "report.json").read_bytes() == before
    report, _ = evaluate(model, out, replace(PLAN, seeds=(1,)), force=True)
    assert report.seeds == (1,)
    assert {path.name for path in (out / "audio").iterdir()} == {clip.audio for clip in report.clips}


def test_a_full_disk_is_one_line_that_says_how_to_go_on(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(work: Work) -> object:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(run, "judge", full)
    with pytest.raises(TriforceError, match=r"report: cannot write the report \(No space left on device\).*goes on"):
        evaluate(model, tmp_path / "report")


def test_kill_nine_and_go_on(model: Path, whole: Report, tmp_path: Path) -> None:
    """The process is what is tested: it is killed as soon as it has judged two clips."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.triforce_tts.evaluation import test_ledger as t\n"
        "t.evaluate(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    out = tmp_path / "report"
    child = forks.Program(["-c", code, model, out])
    judged = out / ledger.JUDGED
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (not judged.exists() or judged.read_bytes().count(b"\n") < 2):
        assert child.poll() is None
        time.sleep(0.005)
    child.kill()
    child.wait()
    report, told = evaluate(model, out)
    assert report.continued >= 2 and "goes on" in told
    assert heard(report) == heard(whole)
