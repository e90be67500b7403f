"""The places of the samples in a tar.

The columns of offsets and lengths are read from the tar's sidecar, or found by a scan of the tar.
"""

import json
import os
import re
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field, model_validator

from triforce_tts.errors import ShardError, TriforceError
from triforce_tts.files import read_file
from triforce_tts.schema import Record, parse_record

# A key has no dot, because a dot ends the key in a tar. A longer key would need extended headers in the tar.
_KEY = re.compile(r"[A-Za-z0-9_-]{1,90}")
_COLUMNS = (
    "keys",
    "extensions",
    "payload_offset",
    "payload_size",
    "json_offset",
    "json_size",
    "duration_s",
    "speaker",
)
REBUILD = "run 'triforce-tts build' again to mend it"
SIDECAR = ".index.json"  # the suffix after the name of a tar
_META_LIMIT = 64 << 20  # the largest JSON of a sample, in bytes
# The largest index or sidecar, in bytes: ten million samples at a hundred bytes each.
JSON_LIMIT = 1 << 30
MOST_SECONDS = 1e6  # the longest shard or sample, in seconds
Count = Annotated[int, Field(ge=0, le=1 << 53)]
_Key = Annotated[str, Field(pattern=f"^{_KEY.pattern}$")]


class _Sidecar(Record):
    """The content of a shard's ``.index.json``: columns with an entry for each sample."""

    shard: str
    size: Count
    sha256: str
    keys: list[_Key]
    extensions: list[Annotated[str, Field(max_length=40)]]
    payload_offset: list[Count]
    payload_size: list[Count]
    json_offset: list[Count]
    json_size: list[Count]
    duration_s: list[Annotated[float, Field(ge=0, le=MOST_SECONDS)]]
    speaker: list[str]

    @model_validator(mode="after")
    def _check(self) -> "_Sidecar":
        columns = [getattr(self, name) for name in _COLUMNS]
        if len({len(column) for column in columns}) != 1:
            raise ValueError("the columns have different lengths")
        for offsets, sizes in ((self.payload_offset, self.payload_size), (self.json_offset, self.json_size)):
            if any(offset + size > self.size for offset, size in zip(offsets, sizes, strict=True)):
                raise ValueError("a sample lies beyond the end of its shard")
        return self


def each_once(folders: Sequence[Path | str]) -> list[Path]:
    """``folders``, none of which is there twice: their samples would count twice.

    Raises:
        ShardError: a folder is given twice, perhaps under another name.
    """
    places: set[str] = set()  # there may be a hundred thousand of them
    for folder in folders:
        if (place := os.path.realpath(folder)) in places:
            raise ShardError(f"{folder}: this folder is given twice; give it once")
        places.add(place)
    return [Path(folder) for folder in folders]


def sidecar_path(path: Path) -> Path:
    """The path of the sidecar that holds the offsets of the tar ``path``."""
    return path.with_name(f"{path.stem}{SIDECAR}")


def describes(sidecar: Path, name: str) -> bool:
    """Whether ``sidecar`` can be read and belongs to the shard ``name``."""
    try:
        return parse_record(_Sidecar, read_file(sidecar, JSON_LIMIT), str(sidecar)).shard == name
    except TriforceError:
        return False


def check_key(key: str, keys: set[str], path: Path) -> None:
    """Refuse a malformed key, and one that is in ``keys``, to which it is added.

    Raises:
        ShardError: the key is refused; the message names ``path``.
    """
    if not _KEY.fullmatch(key):
        raise ShardError(f"{path}: key '{key}' is not allowed; expected 1 to 90 letters, digits, '_' or '-', no dot")
    if key in keys:
        raise ShardError(f"{path}: key '{key}' appears twice in the shard")
    keys.add(key)


def scan(path: Path, name: str) -> dict[str, list[Any]]:
    """The columns of a tar, read from its headers and JSON members; ``name`` stands for it in messages."""
    columns: dict[str, list[Any]] = {column: [] for column in _COLUMNS}
    try:
        with tarfile.open(path, "r:") as tar:
            pairs: dict[str, dict[str, tarfile.TarInfo]] = {}
            for member in tar.getmembers():
                key, _, extension = member.name.partition(".")
                if member.isfile() and extension:
                    pairs.setdefault(key, {})[extension] = member
            for key, members in pairs.items():
                meta = members.pop("json", None)
                if meta is None or len(members) != 1:
                    payloads = ", ".join(sorted(members)) or "no payload"
                    raise ShardError(f"{name}: key '{key}' needs a .json and one payload, found {payloads}; {REBUILD}")
                ((extension, payload),) = members.items()
                if meta.size > _META_LIMIT or meta.issparse() or payload.issparse():
                    raise ValueError(f"a member of '{key}' is sparse or its .json has {meta.size} bytes")
                content = json.loads(cast("Any", tar.extractfile(meta)).read())
                check_key(key, set(), Path(name))
                seconds = float(content["duration_s"])
                if not 0 <= seconds <= MOST_SECONDS:
                    raise ValueError(f"duration_s is {seconds}")
                values = (key, extension, payload.offset_data, payload.size, meta.offset_data, meta.size)
                for column, value in zip(_COLUMNS, (*values, seconds, str(content.get("speaker", ""))), strict=True):
                    columns[column].append(value)
    except (OSError, tarfile.TarError) as error:
        raise ShardError(f"{name}: damaged or cut short ({error}); {REBUILD}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ShardError(f"{name}: a .json is not valid or has no duration_s ({error}); {REBUILD}") from error
    return columns


def columns_of(path: Path, shard: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The columns of a shard from its sidecar, or from the tar when it has none."""
    if not path.is_file():
        raise ShardError(f"{path}: the shard is missing, though index.json lists it; {REBUILD}")
    sidecar = sidecar_path(path)
    columns = _read_sidecar(sidecar, path, shard["sha256"]) if sidecar.is_file() else scan(path, str(path))
    if len(columns["keys"]) != shard["samples"]:
        raise ShardError(f"{path}: {len(columns['keys'])} samples, index.json says {shard['samples']}; {REBUILD}")
    return columns


def _read_sidecar(sidecar: Path, path: Path, checksum: str) -> dict[str, list[Any]]:
    try:
        content = parse_record(_Sidecar, read_file(sidecar, JSON_LIMIT), str(sidecar))
    except TriforceError as error:
        raise ShardError(f"{error}; delete this file, and the shard is scanned instead") from error
    if content.sha256 != checksum:
        raise ShardError(
            f"{path}: checksum {content.sha256[:12]}, index.json says {checksum[:12]}: two builds mixed; {REBUILD}"
        )
    if (actual := path.stat().st_size) != content.size:
        raise ShardError(f"{path}: cut short or changed: {actual} bytes, expected {content.size}; {REBUILD}")
    return {name: getattr(content, name) for name in _COLUMNS}
