"""Temporary names, and the files and folders that killed processes left under them.

A temporary name holds the machine and the process, so that a later process recognises what a dead one left, and
removes it, or puts a folder back that the dead one was about to replace.
"""

import os
import re
import shutil
import socket
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path

# The start of a process and the time of a file come from two clocks, which may differ by so many seconds.
_CLOCK_SLACK_S = 5.0
# A temporary name repeats so many characters of the target's name; file systems allow names of 255 bytes.
_LONGEST_STEM = 100


@cache
def _machine() -> str:
    return re.sub(r"[^A-Za-z0-9]", "-", socket.gethostname())[:40] or "host"


def temporary_path(path: Path, ending: str, suffix: str = "") -> Path:
    """A name beside ``path`` that only this process uses; ``leftovers`` recognises it."""
    return path.with_name(f"{_prefix(path, suffix)}{os.getpid()}.{ending}{suffix}")


def _prefix(path: Path, suffix: str) -> str:
    stem = path.name.removesuffix(suffix) if suffix else path.name
    if len(stem) > _LONGEST_STEM:  # The checksum keeps two long names apart.
        stem = f"{stem[:_LONGEST_STEM]}-{zlib.crc32(os.fsencode(stem)):08x}"
    return f".{stem}.{_machine()}-"


_OURS = re.compile(r"\.(?P<stem>.+)\.(?P<machine>[A-Za-z0-9-]+)-(?P<process>[0-9]+)\.(?P<ending>tmp|old)(?:\.\w+)?")


def _is_abandoned(path: Path) -> bool:
    """Whether ``path`` has a temporary name of a process of this machine that is no longer alive."""
    match = _OURS.fullmatch(path.name)
    if match is None or match["machine"] != _machine():
        return False
    process = int(match["process"])
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    return _is_another_process(process, path)


def _is_another_process(process: int, path: Path) -> bool:
    """Whether the living ``process`` cannot be the one that wrote ``path``: it is dead but not yet collected, or younger.

    A container gives the same few numbers to its processes at every start. Without /proc nothing is known.
    """
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        boot = re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(), re.MULTILINE)
        written = path.lstat().st_ctime  # Unlike st_mtime, st_ctime is never copied from another file.
    except OSError:
        return False
    if fields[0] in "ZX":  # the third field is the state of the process, see proc(5)
        return True
    if boot is None:
        return False
    began = int(boot[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")  # field 22 is the start time, see proc(5)
    return written < began - _CLOCK_SLACK_S


def _discard(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sweep_beside(path: Path, suffix: str) -> None:
    """Remove what killed processes left when they tried to write ``path``; a folder that they moved comes back."""
    prefix = _prefix(path, suffix)
    with suppress(OSError):
        for left in path.parent.iterdir():
            name = left.name
            if name.startswith(prefix) and _is_abandoned(left):
                if name.endswith(".old") and not path.exists():
                    left.replace(path)  # The process died between the two renames of a replacement.
                else:
                    _discard(left)


def sweep(folder: Path) -> None:
    """Remove the temporary files and folders that killed processes of this machine left anywhere below ``folder``.

    The caller holds the folder's lock. Symbolic links are not followed.
    """
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            left = Path(place) / name
            if not _is_abandoned(left):
                continue
            match = _OURS.fullmatch(name)
            target = Path(place) / (match["stem"] if match else name)
            if name.endswith(".old") and not target.exists():
                left.replace(target)
            else:
                _discard(left)
        folders[:] = [name for name in folders if (Path(place) / name).is_dir()]
