"""The result of each recording, a folder in ``OUT/work``: how it is locked, written and read back.

Many machines may fill one ``OUT/work``. Each recording has a lock of its own there. A process that wants a locked
recording waits, and then takes the result that the other process made. Everything that is read back is checked before
it is used, above all the names of folders.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import av
import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field, RootModel, model_validator

from triforce_tts.errors import ShardError, TriforceError
from triforce_tts.files import read_text_file, write_json
from triforce_tts.schema import Record, parse_record, read_record

from ..common.segments import Failure, Recording, Segment

RECORDINGS = "sources.json"  # the file in OUT/work
SAMPLES, ROWS, VOICES, DONE = "samples.tar", "segments.jsonl", "voices.json", "done.json"
FAULT = "fault.txt"  # describes an unexpected error
_FAILED = ".failed.json"  # the ending of a file that says why a machine could not process a recording
_LOCKS = ".locks"
_RECORDINGS_KEY, _RECORDING_KEY = "sources", "source"  # the names in the files of recordings and of a recording
_ROWS_BYTES = 1 << 30  # the most bytes that the rows of a recording's segments may have; a day of speech has 20 MB
_STRICT = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)
# Some libraries raise a plain RuntimeError when the machine is at fault; these words in it tell.
_OF_MACHINE = re.compile(r"out of memory|bad.?alloc|allocate memory|CUDA|cuDNN|cuBLAS|HIP error|MPS", re.IGNORECASE)


@dataclass
class Account:
    """The outcome of the steps for one recording."""

    recording: Annotated[Recording, Field(alias=_RECORDING_KEY)]
    error: str = ""  # why the whole recording could not be used
    duration_s: float = 0.0
    faults: list[str] = field(default_factory=list)  # parts of the recording that could not be decoded
    # For each step: the seconds of sound that it got, the seconds of sound that it dropped, the seconds that it took.
    steps: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    again: bool = False  # the machine was at fault, not the recording, so the next build tries again

    def as_json(self) -> dict[str, Any]:
        """The account as its file has it."""
        values = asdict(self)
        return {_RECORDING_KEY: values.pop("recording"), **values}


class _Fetched(Record):
    """The recordings that were found or fetched, and the failures."""

    recordings: Annotated[tuple[Recording, ...], Field(alias=_RECORDINGS_KEY)]
    failures: tuple[Failure, ...]

    @model_validator(mode="after")
    def _check(self) -> "_Fetched":
        twice = [name for name, count in Counter(recording.id for recording in self.recordings).items() if count > 1]
        if twice:
            raise ValueError(f"two recordings are called '{twice[0]}'")
        return self


class _Done(Record):
    """An account, and the fingerprint of the input and the settings that gave it."""

    fingerprint: str
    account: Account


class _Row(RootModel[Segment]):
    model_config = _STRICT


class _Voices(RootModel[dict[str, list[float]]]):
    model_config = _STRICT


# --- all recordings ------------------------------------------------------------------------------------------------


def write_recordings(work: Path, recordings: Sequence[Recording], failures: Sequence[Failure]) -> None:
    """Write the list of recordings and failures for the later parts of the build."""
    content = {_RECORDINGS_KEY: list(map(asdict, recordings)), "failures": list(map(asdict, failures))}
    write_json(work / RECORDINGS, content)


def read_recordings(work: Path) -> tuple[list[Recording], list[Failure]]:
    """Read what ``write_recordings`` wrote.

    Raises:
        ShardError: nothing was fetched yet, or the file is damaged.
    """
    if not (work / RECORDINGS).is_file():
        raise ShardError(f"{work}: nothing was fetched yet; run 'triforce-tts build SRC... --only fetch' first")
    content = read_record(work / RECORDINGS, _Fetched, ShardError)
    return list(content.recordings), list(content.failures)


# --- one recording -------------------------------------------------------------------------------------------------


def work_folder(out: Path, recording: Recording) -> Path:
    """The folder with the result of a recording."""
    return out / "work" / recording.id


def sample_key(recording: Recording, number: int) -> str:
    """The key of the sample that segment ``number`` gives if it is kept."""
    return f"{recording.id}-{number:05d}"


def read_segments(out: Path, recording: Recording) -> Iterator[Segment]:
    """The segments of a recording after the last step; the number of a segment is its place in this order.

    Raises:
        ShardError: the file is missing or damaged.
    """
    path = work_folder(out, recording) / ROWS
    with _with_remedy(path):
        for number, line in enumerate(read_text_file(path, _ROWS_BYTES).split("\n"), 1):
            if line:
                yield parse_record(_Row, line, f"{path}, line {number}").root


def read_voices(out: Path, recording: Recording) -> Mapping[str, npt.NDArray[np.float32]]:
    """The mean vector of each voice in a recording, by the voice's label.

    Raises:
        ShardError: the file is missing or damaged.
    """
    path = work_folder(out, recording) / VOICES
    with _with_remedy(path):
        return {label: np.asarray(vector, np.float32) for label, vector in read_record(path, _Voices).root.items()}


@contextmanager
def _with_remedy(path: Path) -> Iterator[None]:
    """Add to an error about the file ``path`` what the user can do about it."""
    try:
        yield
    except TriforceError as error:
        raise ShardError(f"{error}; remove the folder {path.parent} and run the same command again") from error


def finished(folder: Path, fingerprint: str) -> Account | None:
    """The account of an earlier build with the same recording and settings; None if there is none."""
    return _account(folder / DONE, fingerprint)


def failed(folder: Path, fingerprint: str) -> Account | None:
    """The account of an earlier try of the same in which a machine was at fault; None if there is none."""
    return _account(_failed_path(folder), fingerprint)


def _account(path: Path, fingerprint: str) -> Account | None:
    try:
        content = read_record(path, _Done)
    except TriforceError:
        return None  # the file is missing or damaged: the recording is processed again
    return content.account if content.fingerprint == fingerprint else None


def write_done(folder: Path, fingerprint: str, account: Account) -> None:
    """Write the account into ``folder``, which is not in its final place yet."""
    write_json(folder / DONE, {"fingerprint": fingerprint, "account": account.as_json()})


def write_failed(folder: Path, fingerprint: str, account: Account) -> None:
    """Write beside ``folder`` that a machine could not process the recording."""
    write_json(_failed_path(folder), {"fingerprint": fingerprint, "account": account.as_json()})


def forget_failure(folder: Path) -> None:
    """Remove what ``write_failed`` wrote."""
    _failed_path(folder).unlink(missing_ok=True)


def _failed_path(folder: Path) -> Path:
    return folder.with_name(folder.name + _FAILED)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Lock the recording of ``folder`` against other processes, also on other machines; wait if it is locked.

    Then nobody else writes the recording, so the temporary folders of a process that died are removed.

    Raises:
        TriforceError: the file system has no locks, or cannot be written.
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
    """Whether ``error`` is a fault of the recording itself.

    Otherwise the machine is at fault, and a new try may succeed.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return False
        # FFmpeg reports damaged files as "input/output error" too, and bzip2 raises an OSError without a number.
        if isinstance(cause, OSError) and cause.errno is not None and not isinstance(cause, av.FFmpegError):
            return False
        if isinstance(cause, RuntimeError) and _OF_MACHINE.search(f"{type(cause).__name__}: {cause}"):
            return False
        cause = cause.__cause__
    return True
