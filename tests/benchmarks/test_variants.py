import json
from pathlib import Path

import pytest

from benchmarks import variants


def test_differences_are_taken_seed_by_seed() -> None:
    report = {
        "none": [{"l1": 1.0, "seconds": 10.0}, {"l1": 2.0, "seconds": 20.0}],
        "0.5": [{"l1": 1.5, "seconds": 30.0}, {"l1": 1.9, "seconds": 30.0}],
    }
    lines = variants.markdown(report, ("l1",)).splitlines()
    assert lines[0] == "|  | l1 | l1: difference | seconds of training |"
    assert lines[2] == "| none | 1.5 (1 to 2) |  | 15 |"
    assert lines[3] == "| 0.5 | 1.7 (1.5 to 1.9) | 0.2 (-0.1 to 0.5) | 30 |"


def test_batches_see_equal_samples(tmp_path: Path) -> None:
    words = ["batch", "--data", "x", "--out", str(tmp_path), "--samples", "1600", "--set", "run.learning_rate=0.004"]
    found = variants.batch_question(variants.parse(words)).variants  # the tiny configuration has batches of 8
    assert found["batch 16"][:3] == ["run.batch_size=16", "run.steps=100", "run.learning_rate=0.00565685"]
    assert found["batch 64"][1:] == [
        "run.steps=25", "run.learning_rate=0.0113137", "run.warmup_steps=1", f"run.ema={0.995**8:.6f}",
    ]  # fmt: skip
    same = variants.batch_question(variants.parse([*words, "--rate", "same"])).variants
    assert same["batch 4"][1:3] == ["run.steps=400", "run.learning_rate=0.004"]


@pytest.mark.parametrize(
    ("words", "figures"),
    [
        (["warp", "--strengths", "0.5"], ("l1", "use")),
        (["sink"], ("speech_loss", "activation_max", "largest input", "cost of weights", "cost of weights+utterances")),
        (["batch", "--sizes", "2", "4", "--samples", "8"], ("speech_loss", "text_loss")),
    ],
)
def test_every_question_is_trained_and_answered(
    words: list[str], figures: tuple[str, ...], corpus: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    data = corpus["shards" if words[0] == "warp" else "codes"]
    options = ["--data", str(data), "--out", str(tmp_path / "out"), "--steps", "2", "--seeds", "0", "--validate", "1"]
    chosen = variants.parse([*words, *options, "--set", "run.batch_size=2"])
    monkeypatch.setattr(variants, "parse", lambda: chosen)
    variants.main()
    report = json.loads((tmp_path / "out" / f"{words[0]}.json").read_text(encoding="utf-8"))["variants"]
    assert len(report) == 2
    for runs in report.values():
        assert all(isinstance(runs[0][figure], float) for figure in figures)
    told = capsys.readouterr().out
    assert all(name in told for name in report)
