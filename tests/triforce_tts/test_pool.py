import os
import signal
from pathlib import Path

import pytest

from triforce_tts import pool


def double(number: int) -> int:
    return 2 * number


def die(folder: str) -> str:
    """Dies the first time that it is given a folder with a file called 'once', always with one called 'always'."""
    if (Path(folder) / "always").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    if (Path(folder) / "once").exists():
        (Path(folder) / "once").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return "well"


def test_every_job_comes_back_once_with_any_number_of_workers() -> None:
    for workers in (1, 2):
        found = list(pool.run(double, range(7), workers))
        assert sorted(found) == [(n, 2 * n) for n in range(7)]


@pytest.mark.parametrize("deadly", ["once", "always"])
def test_a_job_whose_worker_was_killed_is_done_again_and_the_deadly_one_is_named(deadly: str, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c", "d", "e")]
    for folder in folders:
        folder.mkdir()
    (folders[1] / deadly).touch()
    outcomes = dict(pool.run(die, [str(folder) for folder in folders], 2))
    assert outcomes.pop(str(folders[1])) == ("well" if deadly == "once" else None)
    assert outcomes == {str(folder): "well" for folder in folders if folder.name != "b"}


def die_once_on_ray(folder: str) -> str:
    """As ``die``, but slow enough that two workers are at work."""
    import time

    time.sleep(1)
    return die(folder)


@pytest.mark.usefixtures("ray_cluster")
def test_ray_does_again_what_a_killed_worker_had(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c", "d")]
    for folder in folders:
        folder.mkdir()
    (folders[1] / "once").touch()
    outcomes = dict(pool.run_on_ray(die_once_on_ray, [str(folder) for folder in folders], "local"))
    assert outcomes == {str(folder): "well" for folder in folders}
    assert not (folders[1] / "once").exists()


def test_the_server_of_the_workers_starts_without_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its imports take seconds, in which Ctrl-C would print a traceback."""
    found = []
    monkeypatch.setattr(pool.forkserver, "ensure_running", lambda: found.append(signal.getsignal(signal.SIGINT)))
    before = signal.getsignal(signal.SIGINT)
    pool._start_server()
    assert found == [signal.SIG_IGN] and signal.getsignal(signal.SIGINT) is before
