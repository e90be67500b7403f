"""The command ``triforce-tts verify``: it reopens every sample of a shard folder and reports all faults.

The tars are read with Python's own ``tarfile``, not with the code that wrote them. Everything that a sidecar or an
index says is compared with the content of the tars.
"""

import json
import math
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import Field
from rich.console import Console

from triforce_tts import pool
from triforce_tts.errors import ShardError
from triforce_tts.files import file_sha256
from triforce_tts.progress import track
from triforce_tts.samples import parse_json
from triforce_tts.schema import Record, parse_record
from triforce_tts.shards import DISJOINT, INDEX, read_index
from triforce_tts.sidecars import sidecar_path
from triforce_tts.wording import counted, length

from .common.names import is_folder, printable
from .options import folder_or_file
from .verify_sample import NUMBER, TOLERANCE_S, check_audio, check_codes, check_fields, is_of

LISTED = 100  # the screen shows this many faults; the others are only counted

_MOST_GROUPS, _MOST_CODES, _MOST_RATE = 64, 1 << 16, 1000.0  # a code has 16 bits
_SPARSE = "is sparse, or larger than its tar"


class _CodeDetails(Record):
    """What the index of shards of codes says about the codes."""

    groups: Annotated[int, Field(ge=1, le=_MOST_GROUPS)]
    n_codes: Annotated[int, Field(ge=2, le=_MOST_CODES)]
    code_rate: Annotated[float, Field(gt=0, le=_MOST_RATE)]


@dataclass
class Findings:
    """The content of one shard, and its faults, with one line for each fault."""

    faults: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    speakers: set[str] = field(default_factory=set)
    seconds: float = 0.0


@dataclass(frozen=True)
class _Shard:
    """A shard to check, with what the index says about it."""

    path: Path
    kind: str
    entry: Mapping[str, Any]
    details: Mapping[str, Any]


def verify(
    folder: Path, workers: int = 1, console: Console | None = None
) -> tuple[list[str], dict[str, tuple[int, float]]]:
    """The faults of a folder of shards, one line for each; and the number of samples and seconds of each split.

    The keys need about 150 bytes of memory for each sample.

    Raises:
        ShardError: there is no such folder.
    """
    if not is_folder(folder):
        raise ShardError(f"{folder}: there is no such folder; expected one made by 'triforce-tts build'")
    try:
        index = read_index(folder)
    except ShardError as error:
        return [str(error)], {}
    splits = {split: list(content["shards"]) for split, content in index["splits"].items()}
    names = [entry["name"] for entries in splits.values() for entry in entries]
    details = dict(index["details"])
    if index["kind"] == "codes":
        if lacking := [name for name in _CodeDetails.model_fields if name not in details]:
            return [f"{folder / INDEX}: its details lack {', '.join(lacking)}"], {}
        try:
            parse_record(_CodeDetails, json.dumps(details), f"{folder / INDEX}: its details", ShardError)
        except ShardError as error:
            return [str(error)], {}
    faults = _stray(folder, names)
    shards = [_Shard(folder / entry["name"], index["kind"], entry, details) for e in splits.values() for entry in e]
    outcomes = track(pool.run(check_shard, shards, workers), "verify", len(shards), console)
    checked = {shard.path.name: findings or Findings([_not_checked(shard)]) for shard, findings in outcomes}
    by_name = {name: checked[name] for name in names}
    faults += [fault for findings in by_name.values() for fault in findings.faults]
    faults += _repeated(folder, by_name)
    by_split = {split: [by_name[entry["name"]] for entry in entries] for split, entries in splits.items()}
    counts = {
        split: (sum(len(findings.keys) for findings in parts), sum(findings.seconds for findings in parts))
        for split, parts in by_split.items()
    }
    for split, (samples, seconds) in counts.items():
        faults += _compare_split(folder, split, index["splits"][split], samples, seconds)
    if details.get(DISJOINT) is True:
        faults += _shared_speakers(folder, by_split)
    return faults, counts


# --- a folder --------------------------------------------------------------------------------------------------


def _not_checked(shard: _Shard) -> str:
    return f"{shard.path}: not checked: its worker was killed twice, perhaps for lack of memory; try fewer --workers"


def _stray(folder: Path, names: Sequence[str]) -> list[str]:
    """Tars in the folder that the index does not list; a reader of ``*.tar`` would read them."""
    listed_names, tars = set(names), sorted(folder.glob("*.tar"))
    return [f"{path}: {INDEX} does not list this shard" for path in tars if path.name not in listed_names]


def _repeated(folder: Path, by_name: Mapping[str, Findings]) -> list[str]:
    faults, first_shards = [], dict[str, str]()
    for name, findings in by_name.items():
        for key in findings.keys:
            if key in first_shards:
                faults.append(f"{folder / name}: key '{key}' is already in {first_shards[key]}")
            first_shards.setdefault(key, name)
    return faults


def _compare_split(folder: Path, split: str, entry: Mapping[str, Any], samples: int, seconds: float) -> list[str]:
    faults = []
    if entry.get("samples") != samples:
        faults.append(
            f"{folder / INDEX}: it says that split '{split}' has {entry.get('samples')} samples, but it has {samples}"
        )
    hours = entry.get("hours")
    if not isinstance(hours, NUMBER) or abs(hours - seconds / 3600) > 1e-4:  # the index has four digits
        faults.append(
            f"{folder / INDEX}: it says that split '{split}' has {hours} h, but it has {seconds / 3600:.4f} h"
        )
    return faults


def _shared_speakers(folder: Path, by_split: Mapping[str, Sequence[Findings]]) -> list[str]:
    trained = {speaker for findings in by_split.get("train", []) for speaker in findings.speakers}
    others = {
        speaker for split, parts in by_split.items() if split != "train" for part in parts for speaker in part.speakers
    }
    return [
        f"{folder / INDEX}: speaker '{speaker}' is in train and in a held-out split, although {DISJOINT} is true"
        for speaker in sorted(trained & others)
    ]


# --- a shard ---------------------------------------------------------------------------------------------------


def check_shard(shard: _Shard) -> Findings:
    """Check one tar; the result is its content and its faults."""
    findings, path = Findings(), shard.path
    if not path.is_file():
        findings.faults.append(f"{path}: the shard is missing, although {INDEX} lists it")
        return findings
    try:
        checksum = file_sha256(path)
    except OSError as error:
        findings.faults.append(f"{path}: cannot be read ({error.strerror})")
        return findings
    if checksum != shard.entry["sha256"]:
        findings.faults.append(f"{path}: its checksum is {checksum[:12]}, {INDEX} says {shard.entry['sha256'][:12]}")
    columns: dict[str, list[Any]] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for key, members in _samples(tar):
                findings.keys.append(key)
                faults, values = _check_sample(tar, key, members, shard)
                findings.faults += [f"{path}: '{key}': {fault}" for fault in faults]
                findings.seconds += values.get("duration_s", 0.0)
                findings.speakers |= {values["speaker"]} if values else set()
                for column, value in values.items():
                    columns.setdefault(column, []).append(value)
            end = tar.offset
        findings.faults += [f"{path}: {fault}" for fault in _check_end(path, end)]
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, RecursionError) as error:
        samples = counted(len(findings.keys), "sample")
        findings.faults.append(f"{path}: damaged or cut short after {samples} ({error})")
    findings.faults += [f"{path}: {fault}" for fault in _check_entry(shard, findings)]
    findings.faults += _check_sidecar(path, checksum, columns)
    return findings


def _samples(tar: tarfile.TarFile) -> Iterator[tuple[str, dict[str, tarfile.TarInfo]]]:
    """The members of each sample; like webdataset, it groups members with the same key that follow each other."""
    key, members = "", dict[str, tarfile.TarInfo]()
    for member in tar:
        name, _, extension = member.name.partition(".")
        if name != key or extension in members:
            if members:
                yield key, members
            key, members = name, {}
        members[extension] = member
    if members:
        yield key, members


def _check_sample(
    tar: tarfile.TarFile, key: str, members: Mapping[str, tarfile.TarInfo], shard: _Shard
) -> tuple[list[str], dict[str, Any]]:
    """The faults of a sample, and the values that a sidecar must have for it."""
    payloads = [extension for extension in members if extension != "json"]
    if "json" not in members or len(payloads) != 1 or not all(member.isfile() for member in members.values()):
        return [f"expected a .json and one payload side by side, found {', '.join(sorted(members))}"], {}
    extension, described = payloads[0], members["json"]
    payload = members[extension]
    content = _content(tar, payload, shard.path)
    try:
        meta = parse_json(_content(tar, described, shard.path))
    except ShardError as error:
        return [str(error)], {}
    faults = check_fields(meta, key, shard.kind)
    values = {
        "keys": key,
        "extensions": extension,
        "payload_offset": payload.offset_data,
        "payload_size": payload.size,
        "json_offset": described.offset_data,
        "json_size": described.size,
        "duration_s": float(meta["duration_s"]) if not faults or is_of(meta.get("duration_s"), NUMBER) else math.nan,
        "speaker": str(meta.get("speaker", "")),
    }
    if not faults:
        faults = (
            check_codes(content, meta, shard.details)
            if shard.kind == "codes"
            else check_audio(content, meta, extension)
        )
    return faults, values


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> bytes:
    if member.issparse() or member.size > path.stat().st_size:  # a tar of a few bytes could claim a terabyte of zeros
        raise tarfile.ReadError(f"'{member.name}' {_SPARSE}")
    file = tar.extractfile(member)
    data = file.read() if file else b""
    if len(data) != member.size:
        raise tarfile.ReadError(f"'{member.name}' has {len(data)} of {member.size} bytes")
    return data


def _check_end(path: Path, end: int) -> list[str]:
    """Check that the tar ends with at least two blocks of zeros; otherwise it was cut between two members."""
    with path.open("rb") as file:
        file.seek(end)
        rest = file.read()
    if len(rest) < 512 or rest.strip(b"\0"):
        return [f"the tar does not end as a tar should ({len(rest)} bytes after its last member)"]
    return []


def _check_entry(shard: _Shard, findings: Findings) -> list[str]:
    faults = []
    if len(findings.keys) != shard.entry.get("samples"):
        faults.append(f"it has {counted(len(findings.keys), 'sample')}, {INDEX} says {shard.entry.get('samples')}")
    seconds: Any = shard.entry.get("seconds")
    if not is_of(seconds, NUMBER) or not abs(seconds - findings.seconds) < TOLERANCE_S:
        faults.append(f"it has {findings.seconds:.3f} s of sound, {INDEX} says {seconds}")
    return faults


def _check_sidecar(path: Path, checksum: str, columns: Mapping[str, list[Any]]) -> list[str]:
    sidecar = sidecar_path(path)
    if os.path.lexists(sidecar) and not sidecar.is_file():
        return [f"{sidecar}: expected a file, found something else; delete it, and the shard is scanned instead"]
    if not sidecar.is_file():
        return []  # a sidecar may be missing: readers scan the tar then
    try:
        record = json.loads(sidecar.read_text(encoding="utf-8"))
        facts = {"shard": path.name, "size": path.stat().st_size, "sha256": checksum}
        wrong = [name for name, value in facts.items() if record.get(name) != value]
        wrong += [name for name, values in columns.items() if record.get(name) != values]
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        return [f"{sidecar}: damaged ({error}); delete it, and the shard is scanned instead"]
    return [f"{sidecar}: it differs from the tar in {', '.join(wrong)}"] if wrong else []


def command(
    shards: Annotated[
        list[Path],
        typer.Argument(parser=folder_or_file, metavar="SHARDS...", help="Folders of shards, of audio or codes."),
    ],
    workers: Annotated[int, typer.Option(min=1, max=1024, help="Number of processes.")] = 2,
) -> None:
    """Reopen every sample and report all faults; the exit code is 0 if there are none, and 1 otherwise.

    It checks the checksums, the structure of the tars, sidecars and index against their content, the fields of each
    .json, that audio decodes to the stated rate and length and is not silent, codes, alignments, and that no key
    appears twice.
    """
    console = Console(stderr=True)
    listed = 0
    for folder in shards:
        faults, counts = verify(folder, workers, console)
        for fault in faults[: max(0, LISTED - listed)]:
            print(printable(" ".join(fault.split())))
        listed += len(faults)
        for split, (samples, seconds) in counts.items():
            console.print(f"{folder}: {split}: {counted(samples, 'sample')}, {length(seconds)}", soft_wrap=True)
    if listed > LISTED:
        print(f"and {listed - LISTED} more")
    print("whole" if not listed else counted(listed, "fault"))
    if listed:
        raise typer.Exit(1)
