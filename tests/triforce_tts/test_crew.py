"""Processes that share jobs: each job is done once, and a process that dies leaves its jobs to the others."""

import errno
import fcntl
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from triforce_tts import crew, pool
from triforce_tts.crew import Claims, Helpers, copies, helpers, helpers_for, launched, shared
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.files import write_text
from triforce_tts.locks import only_writer

JOBS = [(number, f"job {number}") for number in range(12)]


def result_of(folder: Path) -> Callable[[str], str | None]:
    return lambda job: (folder / job).read_text() if (folder / job).exists() else None


def write_into(folder: Path, seconds: float = 0.02) -> Callable[[list[str]], list[str]]:
    def work(jobs: list[str]) -> list[str]:
        time.sleep(seconds)
        for job in jobs:
            with (folder / f"{job}.log").open("a") as log:
                log.write(f"{os.getpid()}\n")
            # The other process may look at any moment, so it must never see half a file.
            write_text(folder / job, job.upper())
        return [job.upper() for job in jobs]

    return work


def help_out(folder: Path, last: int) -> None:
    """Does jobs until ``last`` of them are done by this process, then dies with a job in hand."""
    done = 0

    def work(jobs: list[str]) -> list[str]:
        nonlocal done
        (folder / f"helped {os.getpid()}").touch()
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        return write_into(folder)(jobs)

    with Claims(folder) as claims:
        list(shared(JOBS, result_of(folder), work, claims))


def refuse(folder: Path) -> None:
    (folder / "helped").touch()
    raise TriforceError("no model\nhere")


def wait_for(folder: Path, pattern: str) -> None:
    deadline = time.monotonic() + 60
    while not list(folder.glob(pattern)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("most", [1, 5])
def test_alone_every_job_is_done_once_in_order(tmp_path: Path, most: int) -> None:
    with Claims(tmp_path) as claims:
        found = list(shared(JOBS, result_of(tmp_path), write_into(tmp_path, 0), claims, most))
        assert found == [(job, job.upper()) for _, job in JOBS]
        again = list(shared(JOBS, result_of(tmp_path), write_into(tmp_path, 0), claims, most))
    assert again == found
    assert {len((tmp_path / f"{job}.log").read_text().split()) for _, job in JOBS} == {1}


Ways = Callable[[Callable[..., object], tuple[object, ...]], AbstractContextManager[Helpers]]


def new_processes(work: Callable[..., object], args: tuple[object, ...]) -> AbstractContextManager[Helpers]:
    return helpers(1, work, lambda number: args)


def copies_of_this(work: Callable[..., object], args: tuple[object, ...]) -> AbstractContextManager[Helpers]:
    return copies(1, lambda: work(*args))


both_ways = pytest.mark.parametrize(
    "beside",
    [new_processes, pytest.param(copies_of_this, marks=pytest.mark.skipif(sys.platform != "linux", reason="no fork"))],
)


@both_ways
@pytest.mark.parametrize("last", [99, 2])
def test_jobs_are_shared_and_those_of_a_killed_process_are_taken_over(tmp_path: Path, last: int, beside: Ways) -> None:
    with beside(help_out, (tmp_path, last)) as helping:
        wait_for(tmp_path, "helped*")
        with Claims(tmp_path) as claims:
            found = dict(shared(JOBS, result_of(tmp_path), write_into(tmp_path, 0.05), claims))
    assert found == {job: job.upper() for _, job in JOBS}
    workers = [(tmp_path / f"{job}.log").read_text().split() for _, job in JOBS]
    assert {len(one) for one in workers} == {1}
    assert len({one[0] for one in workers}) == 2
    if last == 99:
        assert helping.losses == []
    else:
        assert helping.losses == ["a process that helped ended with signal 9 (SIGKILL); the others did its work"]


def resident_megabytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="other C libraries return memory by themselves"
)
def test_memory_that_jobs_leave_in_gaps_goes_back_to_the_system(tmp_path: Path) -> None:
    kept = []

    def work(jobs: list[str]) -> list[str]:
        pieces = [bytearray(60_000) for _ in range(4_000)]  # 240 MB in pieces that glibc never maps alone
        for piece in pieces:
            piece[:] = b"x" * len(piece)
        kept.append(pieces[-1])  # The heap cannot shrink below this piece.
        return ["done" for _ in jobs]

    before = resident_megabytes()
    with Claims(tmp_path) as claims:
        list(shared(JOBS[:1], result_of(tmp_path), work, claims))
    assert resident_megabytes() - before < 60


@both_ways
def test_a_helper_that_fails_says_why_in_one_line(tmp_path: Path, beside: Ways) -> None:
    with beside(refuse, (tmp_path,)) as helping:
        helping.running[0][0].join(60)
    assert helping.losses == ["a process that helped failed (no model here); the others did its work"]


@both_ways
def test_helpers_end_with_the_block_whatever_happens(beside: Ways) -> None:
    with pytest.raises(KeyboardInterrupt), beside(time.sleep, (60,)) as helping:
        process = helping.running[0][0]
        raise KeyboardInterrupt
    assert process.exitcode == -signal.SIGTERM


def stop_here() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


@pytest.mark.skipif(sys.platform != "linux", reason="no fork")
def test_a_stopped_copy_does_not_hold_up_the_end_of_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_FAREWELL_S", 0.1)
    with copies(1, stop_here) as helping:
        [(process, _)] = helping.running
        os.waitid(os.P_PID, process.pid or 0, os.WSTOPPED | os.WNOWAIT)
    assert process.exitcode == -signal.SIGKILL


def test_a_process_that_cannot_be_started_is_a_loss_and_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(pool, "copied", no_memory)
    with copies(3, stop_here) as helping:
        assert not helping.running
    assert helping.losses == [
        "a process that helps could not be started (Cannot allocate memory); the others did its work"
    ]


HOLDER = """
import os, pathlib, signal, sys, time
from triforce_tts.crew import copies
from triforce_tts.files import write_text
from triforce_tts.locks import only_writer

folder = pathlib.Path(sys.argv[1])

def help_out():
    write_text(folder / "copy", str(os.getpid()))
    time.sleep(60)

with only_writer(folder), copies(1, help_out):
    while not (folder / "copy").exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="no fork")
def test_a_copy_ends_with_its_process_and_does_not_hold_its_locks(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)])
    try:
        os.waitid(os.P_PID, holder.pid, os.WSTOPPED)  # it has started its copy
        copy = int((tmp_path / "copy").read_text())
        os.kill(copy, signal.SIGSTOP)  # so that it cannot end by itself
        holder.kill()
        holder.wait()
        with only_writer(tmp_path):
            pass
    finally:
        holder.kill()
    os.kill(copy, signal.SIGCONT)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{copy}/stat").exists() and " Z " not in Path(f"/proc/{copy}/stat").read_text():
        assert time.monotonic() < deadline, "the copy outlives its process"
        time.sleep(0.01)


def test_a_file_system_without_locks_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_lock(*arguments: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "lockf", refuse_lock)
    with Claims(tmp_path) as claims, pytest.raises(TriforceError, match="cannot be locked"):
        claims.take(0)


def test_how_many_processes_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(32)))
    assert [helpers_for(0, jobs, "cpu") for jobs in (0, 7, 15, 16, 30, 1000)] == [0, 0, 0, 1, 2, 3]
    assert [helpers_for(3, jobs, "cpu") for jobs in (0, 1, 2, 9)] == [0, 0, 1, 2]
    assert helpers_for(1, 1000, "cpu") == 0
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="--processes 2: a launcher has started 2 processes"):
        launched("cpu", 2)
    with pytest.raises(ConfigError, match="--ray auto: a launcher has started the processes"):
        launched("cpu", 0, "auto")
