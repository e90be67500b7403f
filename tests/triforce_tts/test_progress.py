"""Bars of progress: a command that fails leaves its one line and no bar."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from tests import forks
from triforce_tts.progress import track

BAR = "\u2501"


def failing() -> Iterator[int]:
    yield 1
    raise ValueError


def test_the_bar_of_what_ended_well_stays() -> None:
    file = io.StringIO()
    assert list(track(iter([1, 2]), "work", 2, Console(file=file))) == [1, 2]
    assert file.getvalue().startswith(f"work {BAR}")
    assert "100%" in file.getvalue()


def test_the_bar_of_what_failed_goes() -> None:
    file = io.StringIO()
    with pytest.raises(ValueError):
        list(track(failing(), "work", 2, Console(file=file)))
    assert file.getvalue() == ""
    with pytest.raises(ValueError):
        list(track(failing(), "work", 2, Console(file=file, force_terminal=True, width=60)))
    assert file.getvalue().endswith("\x1b[1A\x1b[2K")  # a line up, which is cleared


def test_a_full_disk_is_one_line_below_no_bar(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("a cat sat\nthe dog ran\nred sun up\n")
    words = ["build", "synthetic", tmp_path / "texts.txt", "--engine", "babble", "--voices", "low", "--workers", "1",
             "--sample-rate", "8000", "--out", tmp_path / "out"]  # fmt: skip
    done = forks.run([*forks.CLI, *words], file_limit=4000)
    assert done.returncode == 2, done.stderr
    assert BAR not in done.stderr
    told = done.stderr.strip().splitlines()
    assert told[0].startswith("3 recordings")
    assert len(told) == 2, done.stderr
    assert told[1].startswith("triforce-tts: ")
