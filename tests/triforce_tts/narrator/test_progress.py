"""How the progress of a narration is shown."""

import json

import pytest

from triforce_tts.narrator import progress


def test_a_log_gets_a_line_a_minute(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 30.0, 61.0, 90.0, 122.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    with progress.show("bar") as told:  # pytest's standard error is no terminal
        for done in range(1, 5):
            told("line", done, 8, 90.0 if done < 4 else None)
    captured = capsys.readouterr()
    assert captured.err == "line: 25 %, 1.5 min left\nline: 50 %\n"
    assert captured.out == ""


def test_a_log_says_that_a_file_is_written_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = iter([0.0, 61.0, 122.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    with progress.show("bar") as told:
        told("encode", 1, 2, None)
        told("encode", 1, 2, None, time=2)
    assert capsys.readouterr().err == "encode: 50 %\nencode again, with a corrected level (2): 50 %\n"


def test_json_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.show("json") as told:
        told("plan", 1, 3, None)
    assert json.loads(capsys.readouterr().out) == {"event": "plan", "done": 1, "total": 3, "left_s": None}


def test_nothing_is_shown_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.show("none") as told:
        told("plan", 1, 3, None)
    assert capsys.readouterr() == ("", "")
