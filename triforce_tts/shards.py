"""Shards: plain webdataset tars with fixed bytes, and random access to what is in them.

A sample is two members, ``key.flac`` (or ``.opus``, ``.codes.npy``) and ``key.json``. Beside each tar lies a sidecar
with the places of its members, so that opening a million samples reads no tar; a tar from elsewhere, without one,
is scanned. ``index.json`` holds counts, hours, checksums and how the folder was made.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from triforce_tts.errors import ShardError
from triforce_tts.files import atomic_path, write_json

FORMAT = 1
SPLITS = ("train", "heldout")
INDEX = "index.json"
Meta = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """One utterance: ``payload`` is the encoded sound or codes, ``extension`` says which (without a leading dot)."""

    key: str
    meta: Meta
    payload: bytes
    extension: str


@dataclass(frozen=True)
class ShardInfo:
    """What ``index.json`` says of one tar."""

    name: str
    samples: int
    seconds: float
    sha256: str


@dataclass
class _Columns:
    """The sidecar of a tar: one entry a sample in each list; places are (offset, size) in bytes."""

    keys: list[str] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)
    payloads: list[tuple[int, int]] = field(default_factory=list)
    metas: list[tuple[int, int]] = field(default_factory=list)
    durations_s: list[float] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)


# --- writing ---------------------------------------------------------------------------------------------------


def write_shard(path: Path, samples: Iterable[Sample]) -> ShardInfo:
    """Write one tar and its sidecar, each whole or not at all; equal samples give equal bytes."""
    seconds, columns, digest = 0.0, _Columns(), hashlib.sha256()
    with atomic_path(path) as temporary:
        with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
            for sample in samples:
                if "." in sample.key or "/" in sample.key:
                    raise ShardError(f"{path}: key '{sample.key}' holds a dot or slash; webdataset splits names there")
                encoded = json.dumps(sample.meta, sort_keys=True, ensure_ascii=False).encode()
                columns.payloads.append(_add(tar, f"{sample.key}.{sample.extension}", sample.payload))
                columns.metas.append(_add(tar, f"{sample.key}.json", encoded))
                columns.keys.append(sample.key)
                columns.extensions.append(sample.extension)
                columns.durations_s.append(float(sample.meta["duration_s"]))
                columns.speakers.append(str(sample.meta["speaker"]))
                seconds += columns.durations_s[-1]
        with temporary.open("rb") as written:
            while block := written.read(1 << 20):
                digest.update(block)
        size = temporary.stat().st_size
    write_json(_sidecar(path), {"format": FORMAT, "bytes": size, **asdict(columns)})
    return ShardInfo(path.name, len(columns.keys), round(seconds, 3), digest.hexdigest())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> tuple[int, int]:
    # Times, owners and modes are fixed: equal input gives equal bytes.
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), 0, 0o644
    tar.addfile(info, io.BytesIO(data))
    padded = -(-len(data) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    return tar.offset - padded, len(data)


def _sidecar(tar: Path) -> Path:
    return tar.with_suffix(".index.json")


def write_index(folder: Path, kind: str, splits: dict[str, list[ShardInfo]], details: Meta) -> None:
    """Write ``index.json``: ``kind`` is ``audio`` or ``codes``; ``details`` say how the folder was made."""
    summary = {
        name: {
            "samples": sum(shard.samples for shard in shards),
            "hours": round(sum(shard.seconds for shard in shards) / 3600, 4),
            "shards": [asdict(shard) for shard in shards],
        }
        for name, shards in splits.items()
    }
    write_json(folder / INDEX, {"format": FORMAT, "kind": kind, "splits": summary, "details": details})


# --- reading ---------------------------------------------------------------------------------------------------


def read_index(folder: Path, kind: str) -> Meta:
    """The ``index.json`` of ``folder``.

    Raises:
        ShardError: there is none, it is damaged, or it is of another kind.
    """
    path = folder / INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ShardError(f"{folder}: no {INDEX} here; expected a folder that 'triforce-tts build' finished") from error
    except (OSError, ValueError) as error:
        raise ShardError(f"{path}: cannot be read ({error}); build the shards again") from error
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise ShardError(f"{path}: not a shard index of format {FORMAT}; build the shards again")
    if index["kind"] != kind:
        made = "'triforce-tts codes'" if kind == "codes" else "'triforce-tts build'"
        raise ShardError(f"{folder}: holds {index['kind']} shards, expected {kind}; they are made by {made}")
    return index


class ShardSet:
    """Random access to the samples of one split of one or more shard folders."""

    def __init__(self, tars: list[Path], places: list[tuple[int, int]], columns: _Columns, fingerprint: str) -> None:
        self._tars, self._places, self._columns = tars, places, columns
        self.fingerprint = fingerprint
        self._open: dict[tuple[int, int], int] = {}

    @classmethod
    def open(cls, folders: Sequence[Path], split: str, kind: str) -> "ShardSet":
        """The samples of ``split`` in ``folders``, in order.

        Raises:
            ShardError: a folder or tar is missing, truncated, or of another kind.
        """
        tars: list[Path] = []
        everything, places, digest = _Columns(), [], hashlib.sha256()
        for folder in folders:
            for shard in read_index(folder, kind)["splits"].get(split, {}).get("shards", []):
                path = folder / shard["name"]
                columns = _read_columns(path)
                for name, values in vars(columns).items():
                    getattr(everything, name).extend(values)
                places += [(len(tars), i) for i in range(len(columns.keys))]
                tars.append(path)
                digest.update(shard["sha256"].encode())
        return cls(tars, places, everything, digest.hexdigest()[:16])

    def __len__(self) -> int:
        return len(self._places)

    @property
    def keys(self) -> list[str]:
        """The key of every sample."""
        return self._columns.keys

    @property
    def durations_s(self) -> list[float]:
        """Seconds of every sample."""
        return self._columns.durations_s

    @property
    def speakers(self) -> list[str]:
        """Speaker of every sample."""
        return self._columns.speakers

    def extension(self, index: int) -> str:
        """Extension of the payload, such as ``flac``."""
        return self._columns.extensions[index]

    def meta(self, index: int) -> Meta:
        """The JSON of a sample."""
        value: Meta = json.loads(self._read(index, self._columns.metas[index]))
        return value

    def payload(self, index: int) -> bytes:
        """The encoded sound or codes of a sample."""
        return self._read(index, self._columns.payloads[index])

    def select(
        self, speakers: Sequence[str] = (), min_seconds: float = 0.0, max_seconds: float = float("inf")
    ) -> "ShardSet":
        """The samples by ``speakers`` (empty: all) that last from ``min_seconds`` to ``max_seconds``."""
        wanted = set(speakers)
        kept = [
            i
            for i, seconds in enumerate(self.durations_s)
            if min_seconds <= seconds <= max_seconds and (not wanted or self.speakers[i] in wanted)
        ]
        columns = _Columns(**{name: [values[i] for i in kept] for name, values in vars(self._columns).items()})
        return ShardSet(self._tars, [self._places[i] for i in kept], columns, self.fingerprint)

    def _read(self, index: int, place: tuple[int, int]) -> bytes:
        offset, size = place
        shard = self._places[index][0]
        data = os.pread(self._handle(shard), size, offset)
        if len(data) != size:
            raise ShardError(f"{self._tars[shard]}: truncated inside '{self.keys[index]}'; build the shards again")
        return data

    def _handle(self, shard: int) -> int:
        # By process: a forked loader worker must not share its parent's handles.
        key = (os.getpid(), shard)
        if key not in self._open:
            self._open[key] = os.open(self._tars[shard], os.O_RDONLY)
        return self._open[key]

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_open": {}}

    def __del__(self) -> None:
        for (process, _), handle in getattr(self, "_open", {}).items():
            if process == os.getpid():
                os.close(handle)


def _read_columns(tar: Path) -> _Columns:
    if not tar.is_file():
        raise ShardError(f"{tar}: the shard is missing though {INDEX} names it; build the shards again")
    sidecar = _sidecar(tar)
    if not sidecar.exists():
        return _scan(tar)
    try:
        content = json.loads(sidecar.read_text(encoding="utf-8"))
        columns = _Columns(**{name: content[name] for name in vars(_Columns())})
        expected = int(content["bytes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ShardError(f"{sidecar}: damaged ({error}); delete it to have the tar scanned") from error
    found = tar.stat().st_size
    if found != expected:
        raise ShardError(f"{tar}: the shard is truncated or changed: {found} bytes, expected {expected}; build it again")
    return columns


def _scan(path: Path) -> _Columns:
    """The columns of a tar that has no sidecar."""
    columns = _Columns()
    members: dict[str, dict[str, tuple[int, int]]] = {}
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                key, _, extension = Path(member.name).name.partition(".")
                members.setdefault(key, {})[extension] = (member.offset_data, member.size)
        with path.open("rb") as file:
            for key, parts in members.items():
                payloads = sorted(set(parts) - {"json"})
                if "json" not in parts or len(payloads) != 1:
                    raise ShardError(f"{path}: '{key}' has members {sorted(parts)}, expected one payload and json")
                file.seek(parts["json"][0])
                meta = json.loads(file.read(parts["json"][1]))
                columns.keys.append(key)
                columns.extensions.append(payloads[0])
                columns.payloads.append(parts[payloads[0]])
                columns.metas.append(parts["json"])
                columns.durations_s.append(float(meta["duration_s"]))
                columns.speakers.append(str(meta["speaker"]))
    except (tarfile.TarError, OSError, ValueError, KeyError) as error:
        raise ShardError(f"{path}: not a readable shard ({error}); build it again") from error
    return columns
