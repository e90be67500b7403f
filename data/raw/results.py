"""The result of each recording, in a folder of ``OUT/work``: how it is held against other processes, and read back.

Many machines may fill one ``OUT/work``. Each recording has a lock of its own there: who wants it waits, and then finds
what the other one made. Nothing that is read back is used before its type was checked, names of folders above all.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, RootModel, model_validator

from triforce_tts.errors import ShardError, TriforceError
from triforce_tts.files import read_text_file, write_json
from triforce_tts.schema import Record, parse_record, read_record

from ..common.segments import Failure, Segment, Source

SOURCES = "sources.json"  # in OUT/work
SAMPLES, ROWS, VOICES, DONE = "samples.tar", "segments.jsonl", "voices.json", "done.json"
FAULT = "fault.txt"  # describes an error that nobody foresaw
_FAILED = ".failed.json"  # the ending of a file that says why a machine could not process a recording
_LOCKS = ".locks"
_ROWS_BYTES = 1 << 30  # of a recording's segments; a day of speech has 20 MB
_STRICT = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)
# How libraries that raise nothing better say that the machine is at fault.
_OF_MACHINE = re.compile(r"out of memory|bad.?alloc|allocate memory|CUDA|cuDNN|cuBLAS|HIP error|MPS", re.IGNORECASE)


@dataclass
class Account:
    """What became of a recording."""

    source: Source
    error: str = ""  # why nothing of it could be used
    duration_s: float = 0.0
    faults: list[str] = field(default_factory=list)  # what of it could not be decoded
    # By step: seconds of sound that it was given, seconds of those that it dropped, seconds of computing.
    steps: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    again: bool = False  # the machine was at fault, not the recording: the next build tries again


class _Sources(Record):
    """What was fetched."""

    sources: tuple[Source, ...]
    failures: tuple[Failure, ...]

    @model_validator(mode="after")
    def _check(self) -> "_Sources":
        twice = [name for name, count in Counter(source.id for source in self.sources).items() if count > 1]
        if twice:
            raise ValueError(f"two recordings are called '{twice[0]}'")
        return self


class _Done(Record):
    """An account, and the input and settings that it is of."""

    fingerprint: str
    account: Account


class _Row(RootModel[Segment]):
    model_config = _STRICT


class _Voices(RootModel[dict[str, list[float]]]):
    model_config = _STRICT


# --- all recordings ------------------------------------------------------------------------------------------------


def write_sources(work: Path, sources: Sequence[Source], failures: Sequence[Failure]) -> None:
    """Write down what was fetched."""
    write_json(work / SOURCES, {"sources": list(map(asdict, sources)), "failures": list(map(asdict, failures))})


def read_sources(work: Path) -> tuple[list[Source], list[Failure]]:
    """What ``write_sources`` wrote.

    Raises:
        ShardError: nothing was fetched yet, or the file is damaged.
    """
    if not (work / SOURCES).is_file():
        raise ShardError(f"{work}: nothing was fetched yet; run 'triforce-tts build SRC... --only fetch' first")
    content = read_record(work / SOURCES, _Sources, ShardError)
    return list(content.sources), list(content.failures)


# --- one recording -------------------------------------------------------------------------------------------------


def work_folder(out: Path, source: Source) -> Path:
    """Where the result of a recording is kept."""
    return out / "work" / source.id


def sample_key(source: Source, number: int) -> str:
    """The key of the sample that the segment of this number gave, if it was kept."""
    return f"{source.id}-{number:05d}"


def read_segments(out: Path, source: Source) -> Iterator[Segment]:
    """The segments of a recording as the steps left them; the number of each is its place.

    Raises:
        ShardError: the file is missing or damaged.
    """
    path = work_folder(out, source) / ROWS
    with _mendable(path):
        for number, line in enumerate(read_text_file(path, _ROWS_BYTES).split("\n"), 1):
            if line:
                yield parse_record(_Row, line, f"{path}, line {number}").root


def read_voices(out: Path, source: Source) -> Mapping[str, npt.NDArray[np.float32]]:
    """The mean vector of each voice of a recording.

    Raises:
        ShardError: the file is missing or damaged.
    """
    path = work_folder(out, source) / VOICES
    with _mendable(path):
        return {label: np.asarray(vector, np.float32) for label, vector in read_record(path, _Voices).root.items()}


@contextmanager
def _mendable(path: Path) -> Iterator[None]:
    try:
        yield
    except TriforceError as error:
        raise ShardError(f"{error}; remove the folder {path.parent} and run the same command again") from error


def finished(folder: Path, fingerprint: str) -> Account | None:
    """What an earlier build made of the same recording with the same settings."""
    return _account(folder / DONE, fingerprint)


def failed(folder: Path, fingerprint: str) -> Account | None:
    """That the same was tried and a machine was at fault."""
    return _account(_failed_path(folder), fingerprint)


def _account(path: Path, fingerprint: str) -> Account | None:
    try:
        content = read_record(path, _Done)
    except TriforceError:
        return None  # there is none, or it cannot be relied upon: it is made again
    return content.account if content.fingerprint == fingerprint else None


def write_done(folder: Path, fingerprint: str, account: Account) -> None:
    """Write the account into the folder that is being made."""
    write_json(folder / DONE, {"fingerprint": fingerprint, "account": asdict(account)})


def write_failed(folder: Path, fingerprint: str, account: Account) -> None:
    """Note beside ``folder`` that a machine could not do the recording."""
    write_json(_failed_path(folder), {"fingerprint": fingerprint, "account": asdict(account)})


def forget_failure(folder: Path) -> None:
    """What ``write_failed`` noted no longer holds."""
    _failed_path(folder).unlink(missing_ok=True)


def _failed_path(folder: Path) -> Path:
    return folder.with_name(folder.name + _FAILED)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the recording of ``folder`` against other processes, also of other machines; waits for one that has it.

    What a process that died left of it, on whatever machine, is removed: nobody else writes it now.

    Raises:
        TriforceError: the file system knows no locks, or cannot be written.
    """
    import fcntl

    locks = folder.parent / _LOCKS
    try:
        locks.mkdir(parents=True, exist_ok=True)
        file = (locks / folder.name).open("a")
    except OSError as error:
        raise _no_lock(folder, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            _clear_up(folder)
        except OSError as error:
            raise _no_lock(folder, error) from error
        yield


def _no_lock(folder: Path, error: OSError) -> TriforceError:
    return TriforceError(
        f"{folder.parent}: cannot lock a recording there ({error.strerror or error}); choose another place"
    )


def _clear_up(folder: Path) -> None:
    ours = re.compile(rf"\.{re.escape(folder.name)}\.[A-Za-z0-9-]+-[0-9]+\.(tmp|old)")
    for left in folder.parent.iterdir():
        if ours.fullmatch(left.name):
            shutil.rmtree(left, ignore_errors=True)


def is_of_recording(error: BaseException) -> bool:
    """Whether ``error`` says something of the recording for good; else another machine, or this one later, may do it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return False
        # FFmpeg says "input/output error" of damaged files too; bzip2 raises an OSError without a number.
        if isinstance(cause, OSError) and cause.errno is not None and not isinstance(cause, av.FFmpegError):
            return False
        if isinstance(cause, RuntimeError) and _OF_MACHINE.search(f"{type(cause).__name__}: {cause}"):
            return False
        cause = cause.__cause__
    return True
