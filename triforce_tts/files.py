"""Files that are whole or absent: write under a temporary name, flush, rename into place."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from triforce_tts.errors import TriforceError


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A temporary path beside ``path``; renamed onto it when the block ends well, removed when it does not.

    The temporary name keeps the suffix, because audio writers choose their format by it.

    Raises:
        TriforceError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        if _is_about_another(error, temporary):
            raise
        raise TriforceError(
            f"{path}: cannot write the file ({error.strerror or error}); free some space or choose another place"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """A temporary folder beside ``path``, renamed onto it when the block ends well; an old one is replaced.

    Raises:
        TriforceError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise TriforceError(f"{path}: expected a folder to write, found a file; choose another place")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                with file.open("rb") as written:
                    os.fsync(written.fileno())
        if path.exists():
            retired = path.with_name(f".{path.name}.{os.getpid()}.old")
            path.replace(retired)
            temporary.replace(path)
            shutil.rmtree(retired)
        else:
            temporary.replace(path)
    except OSError as error:
        if _is_about_another(error, temporary):
            raise
        raise TriforceError(
            f"{path}: cannot write the folder ({error.strerror or error}); free some space or choose another place"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold ``folder`` against other processes that want to write to it; the system lets go when this one dies.

    Raises:
        TriforceError: another process holds it.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise TriforceError(
                f"{folder}: another process is writing here; stop it, or choose another folder"
            ) from error
        yield


def _is_about_another(error: OSError, temporary: Path) -> bool:
    """Whether ``error`` names a file that is not being written here, such as a missing input."""
    if error.filename is None or temporary.name in str(error.filename):
        return False
    return Path(error.filename) not in temporary.parents


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file of any size, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_text(path: Path | str, text: str) -> None:
    """Write a UTF-8 text file whole."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write JSON with sorted keys, so that equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
