"""The command ``evaluate``: its options, its output, and its messages about wrong options."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.corpus import voice_clip
from triforce_tts.cli.app import app
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.evaluation import panel
from triforce_tts.evaluation.panel import Delivery, Panel
from triforce_tts.evaluation.report import read_report


def test_a_report_is_written_and_shown(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remark = "DNSMOS: left out, because speechmos cannot be found"
    monkeypatch.setattr(panel, "assemble", lambda recogniser: Panel((Delivery(),), None, None, (remark,)))
    voice_clip(tmp_path / "a.wav", 1.0)
    (tmp_path / "m.jsonl").write_text(json.dumps({"id": "a", "audio": "a.wav", "text": "a cat sat"}))
    words = [
        "evaluate",
        "--model",
        str(model),
        "--natural",
        str(tmp_path / "m.jsonl"),
        "--seeds",
        "1",
        "--workers",
        "1",
    ]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "report")], catch_exceptions=False)
    assert done.exit_code == 0
    for wanted in ("characters a second", "tiny: spoken", "tiny: copy by stage 1", remark, "5 clips"):
        assert wanted in done.output
    assert remark in read_report(tmp_path / "report").missing
    assert remark in (tmp_path / "report" / "index.html").read_text()
    assert "characters a second" in (tmp_path / "report" / "figures.md").read_text()


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("--seeds", "0", "--seeds 0: expected 1 to 100"),
        ("--limit", "0", "--limit 0: expected at least 1 sentence"),
        ("--workers", "-1", "--workers"),
        ("--texts", "missing.txt", "missing.txt: cannot read the file"),
        ("--natural", "missing.jsonl", "missing.jsonl: cannot read the file"),
        ("--voices", "missing", "missing: no such folder"),
        ("--against", "missing", "missing"),
        ("--recogniser", "missing", "recogniser 'missing': no such folder of weights; choose auto, tiny.en"),
    ],
)
def test_a_wrong_option_is_refused_before_any_work(
    option: str, value: str, wanted: str, model: Path, tmp_path: Path
) -> None:
    words = ["evaluate", "--model", str(model), "--out", str(tmp_path / "report"), option, value]
    with pytest.raises((ConfigError, TriforceError), match=wanted):
        CliRunner().invoke(app, words, catch_exceptions=False)
    assert not (tmp_path / "report").exists()


def test_the_report_cannot_take_the_place_of_its_own_texts(model: Path, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("one sentence\n")
    words = ["evaluate", "--model", str(model), "--texts", str(tmp_path / "t.txt"), "--out", str(tmp_path), "--force"]
    with pytest.raises(TriforceError, match="the output is, or holds, the input"):
        CliRunner().invoke(app, words, catch_exceptions=False)
    assert (tmp_path / "t.txt").exists()


def test_a_report_does_not_go_into_a_model(model: Path) -> None:
    words = ["evaluate", "--model", str(model), "--out", str(model / "report")]
    with pytest.raises(ConfigError, match="the output lies in the model folder"):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_sentences_that_cannot_be_spoken_are_no_evaluation(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel, "assemble", lambda recogniser: Panel((Delivery(),), None, None))
    (tmp_path / "dots.txt").write_text("...\n")
    (tmp_path / "half.txt").write_text("...\na cat\n")
    words = ["evaluate", "--model", str(model), "--seeds", "1", "--workers", "1", "--quiet"]
    runner = CliRunner()
    with pytest.raises(TriforceError, match=r"tiny: spoken: no sentence could be spoken; the first fault was: .*s001"):
        all_dots = [*words, "--out", str(tmp_path / "a"), "--texts", str(tmp_path / "dots.txt")]
        runner.invoke(app, all_dots, catch_exceptions=False)
    assert not (tmp_path / "a").exists()
    done = runner.invoke(app, [*words, "--out", str(tmp_path / "b"), "--texts", str(tmp_path / "half.txt")])
    assert done.exit_code == 0
    assert "s001" in done.output and "the clip is left out" in done.output
