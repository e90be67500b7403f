"""Several processes speak one book: the bytes are those of one process, whoever dies in between."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from tests.triforce_tts.narrator.conftest import tone
from triforce_tts import crew, pool
from triforce_tts.books.read import read_chapters
from triforce_tts.errors import TriforceError
from triforce_tts.narrator import speaking
from triforce_tts.narrator.checks import Checker
from triforce_tts.narrator.narrate import Crew, Outcome, help_narration, narrate
from triforce_tts.narrator.order import Order
from triforce_tts.narrator.plan import PlannedLine
from triforce_tts.narrator.speaking import Studio
from triforce_tts.speech import Spoken
from triforce_tts.synthesis import Synthesizer

Run = Callable[..., tuple[Outcome, list[tuple[float, float]]]]
pytestmark = pytest.mark.usefixtures("one_thread")


def hum(studio: Studio, line: PlannedLine, number: int, last: Path | None = None) -> Spoken:
    """A take without a model: a tone whose pitch comes from the seed. A helper leaves its mark beside ``last`` when it
    begins, and dies at its second line if there is such a file. A copy of this process knows ``last`` by ``waits_for``."""
    if os.getpid() != first_process and last is None:
        last = waits_for
    if last is not None:
        mark = last.with_suffix(f".{os.getpid()}")
        if last.exists() and mark.exists():
            os.kill(os.getpid(), signal.SIGKILL)
        mark.touch()
    elif waits_for is not None:
        while not list(waits_for.parent.glob(f"{waits_for.stem}.[0-9]*")):
            time.sleep(0.02)
    seconds = len(line.text) / studio.synthesizer.model.characters_per_second
    samples = tone(seconds, 150 + line.seed % 200, rate=studio.synthesizer.audio.sample_rate)
    return Spoken(line.text, samples, torch.zeros(1, 1), True, seconds, line.pause_s)


waits_for: Path | None = None  # the first process speaks when a helper has begun
first_process = os.getpid()


def open_studio(model: Path, last: Path | None, device: str) -> Studio:
    """The studio of a helper; it hums."""
    setattr(speaking, "_take", partial(hum, last=last))  # noqa: B010
    synthesizer = Synthesizer.load(model, device)
    return Studio(synthesizer, synthesizer.voice(), Checker(None, None), 1)


def open_other_studio(model: Path, device: str) -> Studio:
    """A studio with another setting."""
    studio = open_studio(model, None, device)
    studio.synthesizer.settings = replace(studio.synthesizer.settings, guidance=2.0)
    return studio


@pytest.fixture
def run(model: Path, story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Narrates the story with a helper or without one; returns what came of it and the progress."""
    monkeypatch.setattr(speaking, "_take", hum)
    synthesizer = Synthesizer.load(model, "cpu")
    studio = Studio(synthesizer, synthesizer.voice(), Checker(None, None), 1)

    def work(out: Path, crew: Crew | None, last: Path | None = None) -> tuple[Outcome, list[tuple[float, float]]]:
        events: list[tuple[float, float]] = []

        def note(event: str, done: float, total: float, left_s: float | None, **values: object) -> None:
            if event == "line":
                events.append((done, total))

        monkeypatch.setattr(f"{__name__}.waits_for", last)
        return narrate(Order(story, out), read_chapters(story), studio, note, crew or Crew()), events

    return work


@pytest.mark.parametrize("is_copy", [True, False])
def test_two_processes_make_the_bytes_of_one_also_if_one_is_killed(
    run: Run, model: Path, tmp_path: Path, is_copy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_copy:
        monkeypatch.setattr(pool, "can_copy", lambda device: False)
    elif not pool.can_copy("cpu"):
        pytest.skip("this system cannot copy a process")
    run(tmp_path / "alone.flac", None)
    lines = {path.name: path.read_bytes() for path in (tmp_path / "alone.narration" / "lines").glob("*.flac")}
    last = tmp_path / "killed.last"
    last.touch()
    outcome, events = run(tmp_path / "killed.flac", Crew(2, partial(open_studio, model, last)), last)
    assert list(tmp_path.glob("killed.[0-9]*")), "no helper spoke"
    assert (tmp_path / "killed.flac").read_bytes() == (tmp_path / "alone.flac").read_bytes()
    folder = tmp_path / "killed.narration" / "lines"
    assert {path.name: path.read_bytes() for path in folder.glob("*.flac")} == lines
    assert events == [(float(done), 11.0) for done in range(12)]
    assert outcome.remarks == ("a process that helped ended with signal 9 (SIGKILL); the others did its work",)


def leave(way: str) -> None:
    """What a helper does that does not do its work."""
    if way == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if way == "broken":
        raise ValueError("no such thing\nnothing at all")
    raise TriforceError("the disk is full")


@pytest.mark.usefixtures("ray_cluster")
def test_a_cluster_makes_the_bytes_of_one_process_and_its_losses_are_told(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "alone.flac", None)
    last = tmp_path / "both.last"  # no such file: the helper leaves its mark and lives
    outcome, events = run(tmp_path / "both.flac", Crew(2, partial(open_studio, model, last), ray="local"), last)
    assert list(tmp_path.glob("both.[0-9]*")), "no helper spoke"
    assert (tmp_path / "both.flac").read_bytes() == (tmp_path / "alone.flac").read_bytes()
    assert events == [(float(done), 11.0) for done in range(12)]
    assert outcome.remarks == ()
    monkeypatch.setattr(crew, "_FAREWELL_S", 120.0)
    with crew.helpers_on_ray("local", 2, "cpu", leave, lambda number: ("killed" if number == 1 else "failed",)) as gone:
        pass
    with crew.helpers_on_ray("local", 1, "cpu", leave, lambda number: ("broken",)) as broken:
        pass
    assert len(broken.losses) == 1 and "failed (" in broken.losses[0] and "nothing at all" in broken.losses[0]
    how = ("was killed", "failed (the disk is full)")
    assert gone.losses == [f"a process on the cluster that helped {what}; the others did its work" for what in how]


def test_a_helper_with_another_setting_speaks_nothing(run: Run, model: Path, story: Path, tmp_path: Path) -> None:
    run(tmp_path / "book.flac", None)
    folder = tmp_path / "book.narration"
    before = sorted((folder / "lines").iterdir())
    with pytest.raises(TriforceError, match="give all processes the same options"):
        help_narration(partial(open_other_studio, model), "cpu", folder, 0)
    before[0].unlink()
    help_narration(partial(open_studio, model, None), "cpu", folder, 0)
    assert sorted((folder / "lines").iterdir()) == before
