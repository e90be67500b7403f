"""``triforce-tts verify``: reopen every sample of a shard folder and say what is wrong with it.

The tars are read by Python's own ``tarfile``, not by the code that wrote them, and everything that a sidecar or an
index says is compared with what is there.
"""

import io
import json
import math
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from triforce_tts import pool
from triforce_tts.audio.io import decode_audio
from triforce_tts.errors import AudioError, ShardError
from triforce_tts.files import file_sha256
from triforce_tts.shards import DISJOINT, INDEX, read_index, sidecar_path
from triforce_tts.text import alignment

LISTED = 100  # faults on the screen; the others are counted
TOLERANCE_S = 0.001  # what rounding the length in the JSON may cost
OPUS_FRAME_S = 0.02  # which lossy coding may add at the end
ALIGNMENT_FRAME_S = 0.01  # the aligner counts in frames, of which the last may be cut
SILENT_PEAK = 1e-4  # as for the builder's recordings
FRAME_TOLERANCE = 2  # codes: the frames at the ends may be padded or cut

_NUMBER = (int, float)
_DETAILS = {"audio": (), "codes": ("groups", "n_codes", "code_rate")}  # numbers that samples are checked against
_REQUIRED: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "text": (str,),
    "speaker": (str,),
    "source": (str,),
    "license": (str,),
    "punct": (bool,),
    "sample_rate": (int,),
    "duration_s": _NUMBER,
}
_OPTIONAL: Mapping[str, tuple[type, ...]] = {
    "reader": (str,),
    "url": (str, type(None)),
    "normalized": (str,),
    "gain_db": _NUMBER,
    "bandwidth_hz": _NUMBER,
    "snr_db": _NUMBER,
    alignment.KEY: (list,),
}


@dataclass
class Findings:
    """What one shard holds, and what is wrong with it: one line for each fault."""

    faults: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    speakers: set[str] = field(default_factory=set)
    seconds: float = 0.0


@dataclass(frozen=True)
class _Shard:
    """A shard to check, with what its index says of it."""

    path: Path
    kind: str
    entry: Mapping[str, Any]
    details: Mapping[str, Any]


def verify(
    folder: Path, workers: int = 1, console: Console | None = None
) -> tuple[list[str], dict[str, tuple[int, float]]]:
    """What is wrong with a folder of shards, one line for each fault; and the samples and seconds of each split.

    About 150 bytes of memory are needed for each sample, for its key.

    Raises:
        ShardError: there is no such folder.
    """
    if not folder.is_dir():
        raise ShardError(f"{folder}: there is no such folder; expected one made by 'triforce-tts build'")
    try:
        index = read_index(folder)
        splits = {split: list(content["shards"]) for split, content in index["splits"].items()}
        names = [entry["name"] for entries in splits.values() for entry in entries]
        details = dict(index["details"])
    except ShardError as error:
        return [str(error)], {}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return [f"{folder / INDEX}: it lacks what an index has ({error!r})"], {}
    if lacking := [name for name in _DETAILS[index["kind"]] if not _is(details.get(name), _NUMBER)]:
        return [f"{folder / INDEX}: its details lack {', '.join(lacking)}"], {}
    faults = _stray(folder, names)
    shards = [_Shard(folder / entry["name"], index["kind"], entry, details) for e in splits.values() for entry in e]
    outcomes = track(pool.run(check_shard, shards, workers), "verify", len(shards), console=console)
    checked = {shard.path.name: findings or Findings([_not_checked(shard)]) for shard, findings in outcomes}
    found = {name: checked[name] for name in names}
    faults += [fault for findings in found.values() for fault in findings.faults]
    faults += _repeated(folder, found)
    by_split = {split: [found[entry["name"]] for entry in entries] for split, entries in splits.items()}
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
    return f"{shard.path}: not checked: its worker was killed twice, perhaps for want of memory; try fewer --workers"


def _stray(folder: Path, names: Sequence[str]) -> list[str]:
    """Tars that a reader of ``*.tar`` would find, but that the index does not know; and shards that are listed twice."""
    known = Counter(names)
    stray = [
        f"{path}: {INDEX} does not list this shard" for path in sorted(folder.glob("*.tar")) if path.name not in known
    ]
    twice = [f"{folder / INDEX}: '{name}' is listed {count} times" for name, count in known.items() if count > 1]
    return stray + twice


def _repeated(folder: Path, found: Mapping[str, Findings]) -> list[str]:
    faults, seen = [], dict[str, str]()
    for name, findings in found.items():
        for key in findings.keys:
            if key in seen:
                faults.append(f"{folder / name}: key '{key}' is already in {seen[key]}")
            seen.setdefault(key, name)
    return faults


def _compare_split(folder: Path, split: str, said: Mapping[str, Any], samples: int, seconds: float) -> list[str]:
    faults = []
    if said.get("samples") != samples:
        faults.append(f"{folder / INDEX}: split '{split}' has {samples} samples, it says {said.get('samples')}")
    hours = said.get("hours")
    if not isinstance(hours, _NUMBER) or abs(hours - seconds / 3600) > 1e-4:  # it is rounded to four digits
        faults.append(f"{folder / INDEX}: split '{split}' has {seconds / 3600:.4f} h, it says {hours}")
    return faults


def _shared_speakers(folder: Path, by_split: Mapping[str, Sequence[Findings]]) -> list[str]:
    trained = {speaker for findings in by_split.get("train", []) for speaker in findings.speakers}
    others = {
        speaker for split, parts in by_split.items() if split != "train" for part in parts for speaker in part.speakers
    }
    return [
        f"{folder / INDEX}: speaker '{speaker}' is trained on and held out, though {DISJOINT} is true"
        for speaker in sorted(trained & others)
    ]


# --- a shard ---------------------------------------------------------------------------------------------------


def check_shard(shard: _Shard) -> Findings:
    """What is in one tar, and what is wrong with it."""
    findings, path = Findings(), shard.path
    if not path.is_file():
        findings.faults.append(f"{path}: the shard is missing, though {INDEX} lists it")
        return findings
    if (checksum := file_sha256(path)) != shard.entry.get("sha256"):
        said = str(shard.entry.get("sha256"))
        findings.faults.append(f"{path}: its checksum is {checksum[:12]}, {INDEX} says {said[:12]}")
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
    except (tarfile.TarError, OSError, EOFError) as error:
        findings.faults.append(f"{path}: damaged or cut short after {len(findings.keys)} samples ({error})")
    findings.faults += [f"{path}: {fault}" for fault in _check_entry(shard, findings)]
    findings.faults += _check_sidecar(path, checksum, columns)
    return findings


def _samples(tar: tarfile.TarFile) -> Iterator[tuple[str, dict[str, tarfile.TarInfo]]]:
    """The members of each run of equal keys, which is how webdataset groups them."""
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
    """The faults of a sample, and what a sidecar should say of it."""
    payloads = [extension for extension in members if extension != "json"]
    if "json" not in members or len(payloads) != 1 or not all(member.isfile() for member in members.values()):
        return [f"expected a .json and one payload side by side, found {', '.join(sorted(members))}"], {}
    extension, described = payloads[0], members["json"]
    payload = members[extension]
    content = _content(tar, payload)
    try:
        meta = json.loads(_content(tar, described), parse_constant=_refuse)
    except ValueError as error:
        return [f"its .json is not valid ({error})"], {}
    if not isinstance(meta, dict):
        return [f"its .json holds {type(meta).__name__}, expected fields"], {}
    faults = _check_fields(meta, key, shard.kind)
    values = {
        "keys": key,
        "extensions": extension,
        "payload_offset": payload.offset_data,
        "payload_size": payload.size,
        "json_offset": described.offset_data,
        "json_size": described.size,
        "duration_s": float(meta["duration_s"]) if _is(meta.get("duration_s"), _NUMBER) else math.nan,
        "speaker": str(meta.get("speaker", "")),
    }
    if not faults:
        faults = (
            _check_codes(content, meta, shard.details)
            if shard.kind == "codes"
            else _check_audio(content, meta, extension)
        )
    return faults, values


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    data = file.read() if file else b""
    if len(data) != member.size:
        raise tarfile.ReadError(f"'{member.name}' has {len(data)} of {member.size} bytes")
    return data


def _check_end(path: Path, end: int) -> list[str]:
    """A tar ends with two blocks of zeros or more; without them it was cut between two members."""
    with path.open("rb") as file:
        file.seek(end)
        rest = file.read()
    if len(rest) < 512 or rest.strip(b"\0"):
        return [f"the tar does not end as a tar should ({len(rest)} bytes after its last member)"]
    return []


def _check_entry(shard: _Shard, findings: Findings) -> list[str]:
    faults = []
    if len(findings.keys) != shard.entry.get("samples"):
        faults.append(f"{len(findings.keys)} samples, {INDEX} says {shard.entry.get('samples')}")
    said: Any = shard.entry.get("seconds")
    if not _is(said, _NUMBER) or not abs(said - findings.seconds) < TOLERANCE_S:
        faults.append(f"{findings.seconds:.3f} s, {INDEX} says {said}")
    return faults


def _check_sidecar(path: Path, checksum: str, columns: Mapping[str, list[Any]]) -> list[str]:
    sidecar = sidecar_path(path)
    if not sidecar.is_file():
        return []  # allowed: the tar is then scanned
    try:
        said = json.loads(sidecar.read_text(encoding="utf-8"))
        facts = {"shard": path.name, "size": path.stat().st_size, "sha256": checksum}
        wrong = [name for name, value in facts.items() if said.get(name) != value]
        wrong += [name for name, values in columns.items() if said.get(name) != values]
    except (OSError, ValueError, AttributeError) as error:
        return [f"{sidecar}: damaged ({error}); delete it, and the shard is scanned instead"]
    return [f"{sidecar}: it does not agree with the tar on {', '.join(wrong)}"] if wrong else []


# --- a sample --------------------------------------------------------------------------------------------------


def _is(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether a value of JSON is of one of ``kinds``; Python holds that true is an integer, JSON does not."""
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _check_fields(meta: Mapping[str, Any], key: str, kind: str) -> list[str]:
    required = {**_REQUIRED, "normalized": (str,)} if kind == "codes" else _REQUIRED
    faults = [f"its .json lacks '{name}'" for name in required if name not in meta]
    for name, kinds in {**_OPTIONAL, **required}.items():
        if name in meta and not _is(meta[name], kinds):
            expected = " or ".join(kind.__name__ for kind in kinds)
            faults.append(f"'{name}' is {json.dumps(meta[name], ensure_ascii=False)[:60]}, expected {expected}")
    if faults:
        return faults
    if meta["id"] != key:
        faults.append(f"its id is '{meta['id']}', expected its key")
    faults += [f"'{name}' is empty" for name in ("text", "speaker") if not meta[name].strip()]
    if not 0 < meta["duration_s"] < math.inf or meta["sample_rate"] <= 0:
        return [*faults, f"{meta['duration_s']} s at {meta['sample_rate']} Hz, expected a length and a rate"]
    return faults + _check_alignment(meta)


def _check_alignment(meta: Mapping[str, Any]) -> list[str]:
    """Times must not fall, and lie inside the recording."""
    for number, word in enumerate(meta.get(alignment.KEY, [])):
        if not isinstance(word, list) or len(word) < 2 or not all(_is(time, _NUMBER) for time in word):
            return [f"word {number} of its alignment is no list of times"]
        if sorted(word) != word or word[0] < 0 or word[-1] > meta["duration_s"] + ALIGNMENT_FRAME_S:
            return [f"word {number} of its alignment is at {word[0]:g} to {word[-1]:g} s of {meta['duration_s']:g} s"]
    return []


def _check_audio(data: bytes, meta: Mapping[str, Any], extension: str) -> list[str]:
    try:
        audio = decode_audio(data, f".{extension}")
    except AudioError as error:
        return [str(error)]
    faults = []
    if audio.sample_rate != meta["sample_rate"]:
        faults.append(f"decodes to {audio.sample_rate} Hz, its .json says {meta['sample_rate']}")
    tolerance = OPUS_FRAME_S if extension == "opus" else TOLERANCE_S
    if abs(audio.duration_s - meta["duration_s"]) > tolerance:
        faults.append(f"decodes to {audio.duration_s:.4f} s, its .json says {meta['duration_s']}")
    if float(audio.samples.abs().max()) < SILENT_PEAK:
        faults.append("is silent")
    return faults


def _check_codes(data: bytes, meta: Mapping[str, Any], details: Mapping[str, Any]) -> list[str]:
    try:
        codes = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        return [f"its codes are damaged ({error})"]
    if codes.dtype != np.uint16 or codes.ndim != 2 or codes.shape[1] != details["groups"] or not codes.size:
        return [f"its codes are {codes.dtype} {list(codes.shape)}, expected uint16 [frames, {details['groups']}]"]
    faults = []
    if codes.max() >= details["n_codes"]:
        faults.append(f"code {codes.max()} of {details['n_codes']} codes")
    expected = meta["duration_s"] * details["code_rate"]
    if abs(len(codes) - expected) > FRAME_TOLERANCE:
        faults.append(f"{len(codes)} frames of codes for {meta['duration_s']} s, expected about {expected:.0f}")
    return faults


def command(
    shards: Annotated[list[Path], typer.Argument(metavar="SHARDS...", help="Folders of shards, of audio or codes.")],
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Reopen every sample and say what is wrong: exit code 0 when all is whole, 1 when something is not.

    Checked are checksums, the structure of the tars, sidecars and index against their content, the fields of each
    .json, that audio decodes to the stated rate and length and is not silent, codes, alignments, and that no key
    appears twice.
    """
    console = Console(stderr=True)
    listed = 0
    for folder in shards:
        faults, counts = verify(folder, workers, console)
        for fault in faults[: max(0, LISTED - listed)]:
            print(" ".join(fault.split()))
        listed += len(faults)
        for split, (samples, seconds) in counts.items():
            console.print(f"{folder}: {split}: {samples} samples, {seconds / 3600:.2f} h", soft_wrap=True)
    if listed > LISTED:
        print(f"and {listed - LISTED} more")
    print("whole" if not listed else f"{listed} faults")
    if listed:
        raise typer.Exit(1)
