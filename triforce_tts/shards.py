"""Shards: plain webdataset tars, and random access to their samples without scanning a tar.

A sample is ``key.flac`` (or ``key.opus``, ``key.codes.npy``) beside ``key.json``. Any webdataset reader can read
the tars. Beside each lies ``<shard>.index.json``, columns of offsets and lengths, so that a million samples
open in seconds; a tar without one is scanned. ``index.json`` describes the folder: splits, counts, checksums,
and how it was built. Times, owners and order are fixed: equal samples give equal bytes.
"""

import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np
import numpy.typing as npt
from pydantic import Field, JsonValue, NonNegativeFloat, model_validator

from triforce_tts.errors import ShardError, TriforceError
from triforce_tts.files import atomic_path, file_sha256, read_file, write_json
from triforce_tts.schema import FileName, Record, parse_record
from triforce_tts.sidecars import (
    JSON_LIMIT,
    MOST_SECONDS,
    REBUILD,
    SIDECAR,
    Count,
    check_key,
    columns_of,
    describes,
    each_once,
    scan,
    sidecar_path,
)

Kind = Literal["audio", "codes", "pairs"]
# The kinds that hold recordings. Pairs are read only where a command asks for this kind.
KINDS: tuple[Kind, ...] = ("audio", "codes")
SPLITS = ("train", "heldout")
FORMAT = "triforce-tts shards"
VERSION = 1
INDEX = "index.json"
# The entry in the details of an index that says whether no held-out speaker is in the training split.
DISJOINT = "disjoint_speakers"

_OPEN_FILES = 64
_ADVICE: dict[Kind, str] = {  # the advice if a folder is of another kind than this one
    "audio": "give the folder that was built from audio",
    "codes": "run 'triforce-tts codes' on it",
    "pairs": "give a folder that 'triforce-tts prefer' made",
}


class ShardEntry(Record):
    """The entry of one shard in ``index.json``, with the fields of ``ShardInfo``."""

    name: Annotated[FileName, Field(pattern=r"\.tar$")]
    samples: Count
    seconds: Annotated[NonNegativeFloat, Field(le=MOST_SECONDS * 1000)]
    sha256: Annotated[str, Field(max_length=64)]


class SplitEntry(Record):
    """The entry of one split in ``index.json``."""

    samples: Count
    hours: NonNegativeFloat
    shards: list[ShardEntry]


class Index(Record):
    """The content of ``index.json``."""

    format: str
    version: int
    kind: str
    splits: dict[FileName, SplitEntry]
    details: dict[str, JsonValue]

    @model_validator(mode="after")
    def _check(self) -> "Index":
        names = [shard.name for split in self.splits.values() for shard in split.shards]
        if len(names) != len(set(names)):
            raise ValueError("a shard is listed twice")
        return self


@dataclass(frozen=True)
class Sample:
    """One sample: ``payload`` is the encoded file ``key.extension``, ``meta`` the content of ``key.json``."""

    key: str
    meta: Mapping[str, Any]
    payload: bytes
    extension: str


@dataclass(frozen=True)
class ShardInfo:
    """The facts about one shard in ``index.json``; ``sha256`` is over the bytes of the tar."""

    name: str
    samples: int
    seconds: float
    sha256: str


def write_shard(path: Path, samples: Iterable[Sample]) -> ShardInfo:
    """Write a tar and its sidecar, each whole or not at all; equal samples in equal order give equal bytes.

    Raises:
        ShardError: a key is malformed or appears twice, or webdataset is not installed.
        TriforceError: the disk is full; nothing half-written is left.
    """
    try:
        from webdataset import TarWriter
    except ImportError as error:
        raise ShardError(
            "writing shards needs webdataset, which is not installed; pip install 'triforce-tts[data]'"
        ) from error
    keys: set[str] = set()
    with atomic_path(path) as temporary:
        with (
            temporary.open("wb") as file,
            TarWriter(file, user="", group="", mode=0o644, mtime=0, encoder=False) as tar,
        ):
            for sample in samples:
                check_key(sample.key, keys, path)
                tar.write({"__key__": sample.key, sample.extension: sample.payload, "json": _json_bytes(sample.meta)})
        columns = scan(temporary, path.name)
        size, checksum = temporary.stat().st_size, file_sha256(temporary)
    info = ShardInfo(path.name, len(columns["keys"]), round(sum(columns["duration_s"]), 6), checksum)
    write_json(sidecar_path(path), {"shard": path.name, "size": size, "sha256": checksum, **columns})
    return info


def write_index(
    folder: Path, kind: Kind, splits: Mapping[str, Sequence[ShardInfo]], details: Mapping[str, Any]
) -> None:
    """Write ``index.json``: format, counts, hours and checksums of every split, and ``details`` of the build."""
    described = {
        split: {
            "samples": sum(shard.samples for shard in shards),
            "hours": round(sum(shard.seconds for shard in shards) / 3600, 4),
            "shards": [asdict(shard) for shard in shards],
        }
        for split, shards in splits.items()
    }
    write_json(
        folder / INDEX,
        {"format": FORMAT, "version": VERSION, "kind": kind, "splits": described, "details": dict(details)},
    )


@dataclass(frozen=True)
class _Place:
    """The places of the samples of an open set, in columns of equal length; ``shard`` is an index into ``paths``."""

    shard: npt.NDArray[np.int32]
    payload_offset: npt.NDArray[np.int64]
    payload_size: npt.NDArray[np.int64]
    json_offset: npt.NDArray[np.int64]
    json_size: npt.NDArray[np.int64]

    def at(self, indices: npt.NDArray[np.int64]) -> "_Place":
        return _Place(**{name: column[indices] for name, column in vars(self).items()})


class ShardSet:
    """The samples of one split of one or more folders, by number; safe to read in forked and spawned workers.

    ``keys``, ``durations_s`` and ``speakers`` are lists with one entry for each sample; ``details`` maps each
    folder's path to the ``details`` of its index.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        place: _Place,
        columns: Mapping[str, list[Any]],
        checksums: Sequence[str],
        details: Mapping[str, dict[str, Any]],
    ) -> None:
        self._paths = list(paths)
        self._place = place
        self._files = _Files()
        self._checksums = list(checksums)
        self._extensions: list[str] = columns["extensions"]
        self.keys: list[str] = columns["keys"]
        self.durations_s: list[float] = columns["duration_s"]
        self.speakers: list[str] = columns["speaker"]
        self.details = dict(details)

    @staticmethod
    def open(folders: Sequence[Path | str], split: str, kind: Kind) -> "ShardSet":
        """The samples of ``split`` in all ``folders``, in the order of the indices.

        Raises:
            ShardError: a folder is given twice, or an index, a split or a shard is missing, cut short or foreign.
        """
        paths: list[Path] = []
        checksums: list[str] = []
        details: dict[str, dict[str, Any]] = {}
        parts: list[dict[str, Any]] = []
        for folder in each_once(folders):
            index = read_index(folder, kind)
            for shard in _shards_of(index, folder, split):
                paths.append(folder / shard["name"])
                checksums.append(shard["sha256"])
                parts.append(columns_of(paths[-1], shard))
            details[str(folder)] = index["details"]
        place = _Place(
            np.repeat(np.arange(len(parts), dtype=np.int32), [len(part["keys"]) for part in parts]),
            *(_joined(parts, name) for name in ("payload_offset", "payload_size", "json_offset", "json_size")),
        )
        columns: dict[str, list[Any]] = {
            name: [value for part in parts for value in part[name]]
            for name in ("keys", "extensions", "duration_s", "speaker")
        }
        return ShardSet(paths, place, columns, checksums, details)

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def by_speaker(self) -> dict[str, list[int]]:
        """The numbers of each speaker's samples, in order; a repeated sample counts once."""
        table: dict[str, dict[str, int]] = {}
        for index, (speaker, key) in enumerate(zip(self.speakers, self.keys, strict=True)):
            table.setdefault(speaker, {}).setdefault(key, index)
        return {speaker: list(numbers.values()) for speaker, numbers in table.items()}

    def meta(self, index: int) -> dict[str, Any]:
        """The JSON of a sample."""
        place = self._place
        try:
            fields = json.loads(self._read(index, place.json_offset[index], place.json_size[index]))
        except (ValueError, RecursionError) as error:
            raise ShardError(f"{self._where(index)}: its JSON is damaged ({error}); {REBUILD}") from error
        if not isinstance(fields, dict):
            raise ShardError(f"{self._where(index)}: its JSON is no object; {REBUILD}")
        return fields

    def payload(self, index: int) -> bytes:
        """The encoded audio or codes of a sample, in the format that ``extension`` names."""
        return self._read(index, self._place.payload_offset[index], self._place.payload_size[index])

    def place(self, index: int) -> tuple[Path, int]:
        """The shard of a sample and the offset of its payload there: equal for two entries of the same sample."""
        return self._paths[self._place.shard[index]], int(self._place.payload_offset[index])

    def extension(self, index: int) -> str:
        """The format of the payload: ``flac``, ``opus`` or ``codes.npy``."""
        return self._extensions[index]

    def select(self, which: Sequence[int] | Callable[[str, float], bool]) -> "ShardSet":
        """The samples with these numbers, or for which ``which(speaker, duration_s)`` holds, as a set of their own."""
        if callable(which):
            chosen = [i for i in range(len(self)) if which(self.speakers[i], self.durations_s[i])]
        else:
            chosen = [range(len(self))[i] for i in which]
        columns: dict[str, list[Any]] = {
            "keys": [self.keys[i] for i in chosen],
            "extensions": [self._extensions[i] for i in chosen],
            "duration_s": [self.durations_s[i] for i in chosen],
            "speaker": [self.speakers[i] for i in chosen],
        }
        place = self._place.at(np.array(chosen, dtype=np.int64))
        # The choice of samples decides what was trained on, so it is part of the fingerprint.
        selection = hashlib.sha256(np.array(chosen, dtype="<i8").tobytes()).hexdigest()
        return ShardSet(self._paths, place, columns, [*self._checksums, selection], self.details)

    @property
    def fingerprint(self) -> str:
        """16 hex digits over the checksums of the shards in order, and over any selection."""
        return hashlib.sha256("\n".join(self._checksums).encode()).hexdigest()[:16]

    def _where(self, index: int) -> str:
        return f"{self._paths[self._place.shard[index]]}: sample '{self.keys[index]}'"

    def _read(self, index: int, offset: np.int64, size: np.int64) -> bytes:
        path = self._paths[self._place.shard[index]]
        data = os.pread(self._files.descriptor(path), int(size), int(offset))
        if len(data) != size:
            raise ShardError(
                f"{path}: cut short at sample '{self.keys[index]}': {len(data)} of {size} bytes; {REBUILD}"
            )
        return data


def read_index(folder: Path | str, kind: Kind | None = None) -> dict[str, Any]:
    """The content of a folder's ``index.json``; ``kind`` is what the shards must hold, if it matters.

    Raises:
        ShardError: the index is missing, foreign, of another version, or of another or an unknown kind.
    """
    path = Path(folder) / INDEX
    try:
        data = read_file(path, JSON_LIMIT)
    except TriforceError as error:
        raise ShardError(f"{error}; expected a folder made by 'triforce-tts build'") from error
    head = parse_record(_Head, data, str(path), ShardError)
    if head.format != FORMAT:
        raise ShardError(f"{path}: not an index of '{FORMAT}'; give a folder made by 'triforce-tts build'")
    if head.version != VERSION:
        raise ShardError(f"{path}: format version {head.version}, expected {VERSION}; build the shards again")
    kinds = (kind,) if kind else KINDS
    if head.kind not in kinds:
        advice = _ADVICE[kind or "audio"]
        expected = "' or '".join(kinds)
        raise ShardError(f"{path}: the shards hold '{head.kind}', expected '{expected}'; {advice}")
    return parse_record(Index, data, str(path), ShardError).model_dump()


class _Head(Record):
    """The fields that tell whether a file is an index, and whether this version can read it."""

    format: JsonValue = None
    version: JsonValue = None
    kind: JsonValue = None


# --- inside ----------------------------------------------------------------------------------------------------


class _Files:
    """A few open file descriptors, opened when first needed; a copy in another process starts with none."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, int] = OrderedDict()
        self._process = os.getpid()

    def descriptor(self, path: Path) -> int:
        # A forked worker must neither share nor close the files that its parent opened.
        if self._process != os.getpid():
            self._open, self._process = OrderedDict(), os.getpid()
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path]
        if len(self._open) >= _OPEN_FILES:
            os.close(self._open.popitem(last=False)[1])
        try:
            self._open[path] = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError as error:
            raise ShardError(f"{path}: cannot open the shard ({error.strerror}); {REBUILD}") from error
        return self._open[path]

    def __reduce__(self) -> tuple[type["_Files"], tuple[()]]:
        return _Files, ()

    def __del__(self) -> None:
        if self._process == os.getpid():
            while self._open:
                os.close(self._open.popitem()[1])


def shard_path(folder: Path, split: str, number: int) -> Path:
    """The path where a builder puts the shard with this number."""
    return folder / f"{split}-{number:06d}.tar"


def listed_shards(folder: Path) -> set[str]:
    """The names of the shards that the index in ``folder`` lists; empty if there is no readable index."""
    try:
        index = read_index(folder)
    except ShardError:
        return set()
    return {shard["name"] for split in index["splits"].values() for shard in split["shards"]}


def remove_shards(folder: Path, names: Iterable[str]) -> None:
    """Remove shards and the files beside them."""
    for name in names:
        for suffix in (".tar", ".index.json", ".done.json"):
            (folder / name).with_suffix(suffix).unlink(missing_ok=True)


def left_shards(folder: Path) -> set[str]:
    """The names of an earlier build's shards in ``folder``: those in the index, and those that a sidecar describes."""
    beside = {sidecar.name.removesuffix(SIDECAR) + ".tar" for sidecar in folder.glob(f"*{SIDECAR}")}
    return listed_shards(folder) | {name for name in beside if describes(sidecar_path(folder / name), name)}


def _json_bytes(meta: Mapping[str, Any]) -> bytes:
    return json.dumps(meta, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _shards_of(index: Mapping[str, Any], folder: Path, split: str) -> list[dict[str, Any]]:
    if split not in index["splits"]:
        names = ", ".join(sorted(index["splits"])) or "none"
        raise ShardError(f"{folder / INDEX}: there is no split '{split}'; it has: {names}")
    return cast("list[dict[str, Any]]", index["splits"][split]["shards"])


def _joined(parts: Sequence[Mapping[str, list[Any]]], name: str) -> npt.NDArray[np.int64]:
    return np.array([value for part in parts for value in part[name]], dtype=np.int64)
