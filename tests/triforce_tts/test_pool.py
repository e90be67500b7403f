import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from tests import forks
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


def fail(number: int) -> int:
    if number == 3:
        raise ValueError(f"{number} is bad")
    return number


def test_the_error_of_a_job_arrives_with_its_traceback_and_leaves_no_workers() -> None:
    before = set(multiprocessing.active_children())
    with pytest.raises(ValueError, match=r"^3 is bad$") as caught:
        list(pool.run(fail, range(100), 2))
    assert "in fail" in str(caught.value.__cause__)
    assert set(multiprocessing.active_children()) <= before


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


KILLS = """
import os, signal, sys, threading, time
from pathlib import Path
from tests import forks
from triforce_tts import pool

def work(number):
    time.sleep(0.01)
    return number

def children(process):
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]

def kill(moment, is_over):
    workers = []
    while not workers:
        if is_over.is_set():
            return
        workers = [worker for server in children(os.getpid()) for worker in children(server)]
        time.sleep(0.001)
    time.sleep(moment)
    try:
        os.kill(workers[0], signal.SIGKILL)
    except ProcessLookupError:
        pass

if __name__ == "__main__":
    list(pool.run(work, [1, 2], 2))
    for number in range(int(sys.argv[1])):
        is_over = threading.Event()
        killer = threading.Thread(target=kill, args=(number * 0.0015, is_over))
        killer.start()
        print(sorted(pool.run(work, range(6), 2)) == [(n, n) for n in range(6)], flush=True)
        is_over.set()
        killer.join()
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_worker_that_is_killed_at_any_moment_of_its_start_costs_only_its_job(tmp_path: Path) -> None:
    """The next worker may be starting at that moment."""
    (tmp_path / "kills.py").write_text(KILLS)
    done = forks.run([tmp_path / "kills.py", "16"])
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["True"] * 16, "")
