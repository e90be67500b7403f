"""``metrics.jsonl``: what a kill or a full disk cut is removed, and readers pass over it."""

from pathlib import Path

import pytest

from tests.training import trainer
from triforce_tts.stages.gpu.summary import last_validation
from triforce_tts.stages.trainer.metrics import METRICS, open_metrics, read_metrics, validations

pytestmark = pytest.mark.usefixtures("one_thread")

CUT = '{"kind": "validation", "st'


@pytest.mark.parametrize("long", ["", "x" * 200_000])
@pytest.mark.parametrize("whole", ["", '{"step": 1}\n', '{"step": 1}\n{"step": 2}\n'])
def test_a_row_that_was_cut_is_removed_when_a_run_goes_on(tmp_path: Path, whole: str, long: str) -> None:
    (tmp_path / METRICS).write_text(whole + CUT + long)
    with open_metrics(tmp_path) as file:
        file.write('{"step": 3}\n')
    assert (tmp_path / METRICS).read_text() == whole + '{"step": 3}\n'


def test_readers_pass_over_what_is_no_row(tmp_path: Path) -> None:
    assert read_metrics(tmp_path) == []
    row = '{"kind": "validation", "l1": 2.0, "step": 4}'
    (tmp_path / METRICS).write_bytes(f"{CUT}\n[1]\n\n{row}\n".encode() + b"\0\xff\n" + CUT.encode())
    assert read_metrics(tmp_path) == validations(tmp_path) == [{"kind": "validation", "l1": 2.0, "step": 4}]
    assert last_validation(tmp_path) == {"l1": 2.0}


def test_a_run_goes_on_from_metrics_that_were_cut(corpus: dict[str, Path], tmp_path: Path) -> None:
    chosen = ["run.steps=2", "run.keep_best=l1", "run.validate_every=2", "run.validate_samples=1"]
    trainer("dvae", corpus, tmp_path / "run", chosen).fit()
    file = tmp_path / "run" / METRICS
    whole = file.read_text()
    file.write_text(whole + "\n" + CUT)
    trainer("dvae", corpus, tmp_path / "run", chosen).fit()
    assert file.read_text() == whole + "\n"


def test_the_first_figure_of_speed_counts_the_first_step(corpus: dict[str, Path], tmp_path: Path) -> None:
    trainer("dvae", corpus, tmp_path / "run", ["run.steps=1"]).fit()
    trainer("dvae", corpus, tmp_path / "run", ["run.steps=4"]).fit()
    rows = [row for row in read_metrics(tmp_path / "run") if row.get("kind") == "train"]
    assert [row["step"] for row in rows] == [1, 2, 4]  # of each start the first and the last step
    assert all(row["audio_s_per_s"] > 0 for row in rows)
