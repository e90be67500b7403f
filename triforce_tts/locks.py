"""Locks between processes: on a folder, in which one process writes at a time, and on work that one does at a time."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from triforce_tts.errors import TriforceError

LOCK = ".lock"
_held: set[IO[str]] = set()  # the open lock files of this process


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Lock ``folder`` against other processes that want to write to it; the lock ends when this process dies.

    Raises:
        TriforceError: another process has the lock, or the folder cannot be written.
    """
    import fcntl

    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a")
    except OSError as error:
        raise TriforceError(f"{folder}: cannot be written ({error.strerror or error}); choose another place") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise TriforceError(
                f"{folder}: another process is writing here; stop it, or choose another folder"
            ) from error
        _held.add(file)
        try:
            yield
        finally:
            _held.discard(file)


def close_locks() -> None:
    """Close the lock files of the process whose copy this one is.

    A lock belongs to all processes that have the file open, so it would outlive the process that took it.
    """
    for file in _held:
        file.close()
    _held.clear()


@contextmanager
def one_at_a_time(work: str) -> Iterator[None]:
    """Wait until no other process of this user on this machine does ``work``, a name in the form of a file's."""
    import fcntl

    path = Path(tempfile.gettempdir()) / f"triforce-tts-{os.getuid()}-{work}.lock"
    # Another user may have put a link there, which is not followed.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
