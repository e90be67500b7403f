"""Files and folders that are whole or absent, and folders that are replaced or continued only if they are ours.

What is written gets a temporary name, is flushed, and is renamed into place. A temporary name holds the machine and the
process, so that what a killed process left behind is recognised and removed at the next start. Every folder that this
program makes holds a marker file that says what it is; a folder without the marker is a stranger's and stays as it is.
"""

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.leftovers import sweep, sweep_beside, temporary_path
from triforce_tts.locks import LOCK, only_writer

FolderKind = Literal[
    "model",
    "run",
    "checkpoint",
    "shards",
    "codes",
    "pairs",
    "recording",
    "voice",
    "report",
    "pack",
    "results",
    "narration",
    "adaptation",
    "audiobook",
    "lines",
]
MARKER = ".triforce-tts.json"
# The largest file, in bytes, that is read as a whole; no honest file of these kinds is larger.
READ_LIMIT = 64 << 20
_LONGEST_SUFFIX = 20  # the most characters of a suffix; no format has a longer one


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A temporary path beside ``path``; renamed onto it when the block ends well, removed when it does not.

    The temporary name keeps the suffix, because audio writers choose their format by it. A symbolic link is followed:
    the file that it names is written, the link stays.

    Raises:
        TriforceError: the disk is full, the folder cannot be written, or a pipe or a device is there; nothing is left
            behind.
    """
    path = _regular_target(Path(path))
    suffix = path.suffix if len(path.suffix) <= _LONGEST_SUFFIX else ""
    temporary = temporary_path(path, "tmp", suffix)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_beside(path, suffix)
        yield temporary
        _flush(temporary)
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


def _regular_target(path: Path) -> Path:
    """The target of a file with the name ``path``; a rename would replace a device such as /dev/null by a file."""
    try:
        target = path.resolve() if path.is_symlink() else path
        mode = target.stat().st_mode
    # The file does not exist yet, or its name cannot be used; writing will report that.
    except (OSError, RuntimeError):
        return path
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise TriforceError(f"{path}: expected a file to write, found a pipe or a device; choose another place")
    return target


def require_file_target(path: Path) -> None:
    """Refuse a path at which no file can be written, before the work that would fill it.

    Raises:
        TriforceError: a folder, a pipe or a device is there, or the folder around it cannot be made or written.
    """
    target = _regular_target(path)
    try:
        if target.is_dir():
            raise TriforceError(f"{path}: expected a file to write, found a folder; choose another place")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(target.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target.parent))
    except OSError as error:
        raise TriforceError(
            f"{path}: cannot write the file ({error.strerror or error}); choose another place"
        ) from error


@contextmanager
def new_folder(
    path: Path | str, kind: FolderKind, sources: Sequence[Path | str] = (), force: bool = False
) -> Iterator[Path]:
    """A temporary folder beside ``path``, marked as a ``kind``, renamed onto it when the block ends well.

    A symbolic link is followed: the folder that it names is written, the link stays.

    Args:
        path: the folder to make; an empty one may be there.
        kind: what the marker will say.
        sources: what the content is made from.
        force: replace a folder that is there, if its marker says the same kind.

    Raises:
        TriforceError: ``path`` holds something and ``force`` is not given; it is no folder of this kind; it is or holds
            one of ``sources``; or it cannot be written. Nothing was changed and nothing is left behind.
    """
    target = _followed(Path(path))
    refuse_sources(target, sources)
    _refuse_to_replace(target, kind, force)
    temporary = temporary_path(target, "tmp")
    try:
        sweep_beside(target, "")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        _mark(temporary, kind)
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _flush(file)
        # Without force the system refuses to replace what another process has put there in the meantime.
        (_swap if force else Path.rename)(temporary, target)
    except OSError as error:
        if _is_about_another(error, temporary):
            raise
        raise TriforceError(
            f"{path}: cannot write the folder ({error.strerror or error}); free some space or choose another place"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap(temporary: Path, target: Path) -> None:
    """Rename ``temporary`` onto ``target``; the old folder is removed only when the new folder is in its place."""
    if not target.exists():
        temporary.replace(target)
        return
    retired = temporary_path(target, "old")
    target.replace(retired)
    try:
        temporary.replace(target)
    except OSError:
        retired.replace(target)
        raise
    shutil.rmtree(retired, ignore_errors=True)


@contextmanager
def working_folder(
    path: Path | str,
    kind: FolderKind,
    sources: Sequence[Path | str] = (),
    content: str = "",
    force: bool = False,
) -> Iterator[Path]:
    """A folder that a command fills step by step, and continues when it is started again: a run, shards, codes.

    It is made with our marker, or it carries the marker of this kind already. While the block runs no other process
    gets it, and what killed processes left in it was removed.

    Args:
        path: the folder.
        kind: what the marker says.
        sources: what the content is made from.
        content: names what the folder is filled with, such as 'labelled recordings'. The marker keeps the name, and a
            folder of another name is refused, because going on would replace its content.
        force: take a folder of another content all the same.

    Raises:
        TriforceError: the folder holds something and is not marked as this kind, or as this content; it is or holds one
            of ``sources``; another process is writing here; or it cannot be written.
    """
    folder = _followed(Path(path))
    refuse_sources(folder, sources)
    require_own(folder, kind)
    is_new = not folder.exists()
    with only_writer(folder):
        require_own(folder, kind)
        earlier = _marker(folder).get("content")
        if content and isinstance(earlier, str) and earlier != content and not force:
            raise TriforceError(
                f"{path}: holds {earlier}, which {content} would replace; choose another place, or replace it with --force"
            )
        if not (folder / MARKER).exists() or (content and earlier != content):
            _mark(folder, kind, content)
        sweep(folder)
        try:
            yield folder
        except BaseException:
            if is_new and all(entry.name in (LOCK, MARKER) for entry in folder.iterdir()):
                shutil.rmtree(folder, ignore_errors=True)  # The work failed, so its empty folder is removed.
            raise


def _followed(path: Path) -> Path:
    """The folder that ``path`` means: the path itself, or the place to which its symbolic links lead.

    Raises:
        TriforceError: the links lead in a circle, or the name is no valid text, which some libraries need.
    """
    if not str(path).isprintable():
        raise TriforceError(f"{str(path)!a}: expected a name of printable UTF-8 characters; choose another place")
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError) as error:
        raise TriforceError(f"{path}: its symbolic links lead nowhere ({error}); choose another place") from error


def require_own(folder: Path, kind: FolderKind) -> None:
    """Refuse to write into a folder that holds something and is not marked as a ``kind``.

    Raises:
        TriforceError: the path is a file, or holds something that this command did not make; the message names it.
    """
    try:
        if not os.path.lexists(folder):
            return
        if not folder.is_dir():
            raise TriforceError(f"{folder}: expected a folder to write, found a file; choose another place")
        existing = marked_kind(folder)
        names = sorted(entry.name for entry in folder.iterdir())
        strange = next((name for name in names if name not in (LOCK, MARKER)), None)
    except OSError as error:
        raise TriforceError(f"{folder}: cannot be read ({error.strerror}); choose another place") from error
    if existing is not None and existing != kind:
        raise TriforceError(f"{folder}: holds a folder of kind '{existing}', expected '{kind}'; choose another place")
    if existing is None and strange is not None:
        raise TriforceError(
            f"{folder}: holds files that are not this command's, such as '{strange}'; choose an empty or new folder"
        )


def _refuse_to_replace(folder: Path, kind: FolderKind, force: bool) -> None:
    require_own(folder, kind)
    if not force and folder.is_dir() and any(entry.name not in (LOCK, MARKER) for entry in folder.iterdir()):
        raise TriforceError(f"{folder}: exists already; choose another place, or replace it with --force")


def refuse_sources(target: Path, sources: Sequence[Path | str]) -> None:
    """Refuse to write onto a source, or onto a folder that holds one.

    Raises:
        TriforceError: ``target`` is, or holds, one of ``sources``.
    """
    place = Path(os.path.realpath(target))
    for source in sources:
        origin = Path(os.path.realpath(source))
        if place == origin or place in origin.parents:
            raise TriforceError(f"{target}: the output is, or holds, the input {source}; choose another place")


def marked_kind(folder: Path) -> str | None:
    """The kind of ``folder`` by our marker in it; None without a marker, or if the marker cannot be read."""
    kind = _marker(folder).get("kind")
    return kind if isinstance(kind, str) else None


def _marker(folder: Path) -> dict[str, Any]:
    """The content of our marker in ``folder``; empty without a marker, or if the marker cannot be read."""
    try:
        content = json.loads(read_file(folder / MARKER, 4096))
    except (TriforceError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _mark(folder: Path, kind: FolderKind, content: str = "") -> None:
    write_json(folder / MARKER, {"format": 1, "kind": kind, **({"content": content} if content else {})})


def _flush(file: Path) -> None:
    with file.open("rb") as written:
        os.fsync(written.fileno())


def _is_about_another(error: OSError, temporary: Path) -> bool:
    """Whether ``error`` names a file that is not being written here, such as a missing input."""
    if error.filename is None or temporary.name in str(error.filename):
        return False
    return Path(os.fsdecode(error.filename)) not in temporary.parents


def from_home(path: str) -> str:
    """``path`` with the home folder in place of a leading "~": a shell does not see the paths in files and in settings."""
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError:  # there is no user with this name
        return path


def as_path(value: object, what: str) -> Path:
    """``value`` as a path, where a caller of the library may give anything; ``what`` names it for the user.

    Raises:
        ConfigError: it is no path, or an empty text, which would mean the current folder.
    """
    if isinstance(value, str | os.PathLike) and str(value):
        return Path(value)
    raise ConfigError(f"{what} is {value!r:.60}, a {type(value).__name__}; expected a path")


def read_file(path: Path | str, limit: int = READ_LIMIT) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes.

    Raises:
        TriforceError: the file is missing, unreadable, a folder, a pipe, a device, or larger.
    """
    path = Path(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
            raise TriforceError(f"{path}: expected a file, found {kind}")
        with path.open("rb") as file:
            # No more bytes than the file has are asked for, because Python takes the memory for all of them at once.
            data = file.read(min(limit, status.st_size) + 1)
            if len(data) > status.st_size:  # The file grew, or its file system does not report its size.
                data += file.read(limit + 1 - len(data))
    except (OSError, ValueError) as error:  # a ValueError means a zero byte in the name
        raise TriforceError(f"{path}: cannot read the file ({getattr(error, 'strerror', None) or error})") from error
    if len(data) > limit:
        raise TriforceError(f"{path}: the file has {status.st_size} bytes, at most {limit} are read")
    return data


def read_text_file(path: Path | str, limit: int = READ_LIMIT) -> str:
    """The content of a UTF-8 text file, without a byte order mark.

    Raises:
        TriforceError: as ``read_file``, and for bytes that are not UTF-8.
    """
    data = read_file(path, limit)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TriforceError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def read_json_lines(path: Path | str, limit: int = READ_LIMIT) -> list[tuple[int, str]]:
    """The lines of a JSON Lines file that are not blank, with their numbers from 1.

    They end at line feeds alone, because a string in JSON may hold other characters that end a line, such as U+2028.

    Raises:
        TriforceError: as ``read_text_file``.
    """
    return [(n, line) for n, line in enumerate(read_text_file(path, limit).split("\n"), 1) if line.strip()]


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
