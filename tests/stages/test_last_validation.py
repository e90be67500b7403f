"""A run that was killed in its last validation is validated when it is started again."""

from pathlib import Path
from typing import Any

import pytest

from tests.training import trainer
from triforce_tts.checkpoint import locate

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("last", ["_validate", "_keep_best"])
def test_a_run_that_was_killed_in_its_last_validation_finds_its_best(
    last: str, corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = ["run.steps=4", "run.validate_every=3", "run.keep_best=l1", "run.validate_samples=1"]

    def falling(*_: Any) -> dict[str, float]:
        return {"l1": 3.0 if made.progress.step == 3 else 2.0}

    def refused(*_: Any) -> dict[str, float]:
        raise AssertionError("validated once more")

    made = trainer("dvae", corpus, tmp_path / "run", chosen)
    made.task.validate = falling
    usual = getattr(made, last)

    def killed(*given: object) -> object:
        if made.progress.step == 4:
            raise KeyboardInterrupt
        return usual(*given)

    monkeypatch.setattr(made, last, killed)
    with pytest.raises(KeyboardInterrupt):
        made.fit()
    assert locate(tmp_path / "run" / "best").name == "step-00000003"
    for validate in (falling, refused):  # the second start finds nothing to do
        made = trainer("dvae", corpus, tmp_path / "run", chosen)
        made.task.validate = validate
        made.fit()
        assert locate(tmp_path / "run" / "best").name == "step-00000004"
