"""Locks between processes."""

import subprocess
import sys
from pathlib import Path

from triforce_tts.locks import one_at_a_time

WORKER = """
import sys
from triforce_tts.locks import one_at_a_time

with one_at_a_time("test of locks"), open(sys.argv[1], "a") as log:
    log.write("worked")
"""


def test_work_waits_for_the_process_that_does_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with one_at_a_time("test of locks"):
        workers = [subprocess.Popen([sys.executable, "-c", WORKER, str(log)]) for _ in range(2)]
        for worker in workers:
            try:
                worker.wait(2)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError("a process did not wait")
        assert not log.exists()
    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert log.read_text() == "worked" * 2


def test_other_work_does_not_wait() -> None:
    with one_at_a_time("test of locks"), one_at_a_time("another test of locks"):
        pass
