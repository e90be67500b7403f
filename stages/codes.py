"""Between stages 1 and 2: run the DVAE over shards, so that the GPT trains on integers alone (2 bytes a code).

A coded shard holds ``key.codes.npy`` (uint16 [frames, groups]) and the sample's JSON with its normalised text; its
index is stamped with the DVAE's id, which the GPT and the bundle check. Shards whose index says ``normalized`` carry that
text already (a pack for a rented GPU does): the machine then needs no library that normalises.

Few hours of speech go further with copies of the training samples (``copies.py``).
"""

import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from pydantic import Field, ValidationError
from rich.console import Console

from triforce_tts import pool
from triforce_tts.errors import CheckpointError, ShardError, TextError, TriforceError
from triforce_tts.files import file_sha256, working_folder, write_json
from triforce_tts.progress import track
from triforce_tts.schema import Record, RecordT, read_record
from triforce_tts.shards import (
    INDEX,
    SPLITS,
    Sample,
    ShardInfo,
    ShardSet,
    left_shards,
    read_index,
    remove_shards,
    write_index,
    write_shard,
)
from triforce_tts.sidecars import each_once
from triforce_tts.text.normalize import normalize
from triforce_tts.wording import counted

from .copies import Copy, copies_of

if TYPE_CHECKING:
    import torch

# The entry in the details of an index that says whether every sample carries its normalised text.
NORMALIZED = "normalized"
MOST_CODES = 1 << 16  # two bytes can hold so many different codes
# The header of a .npy file as NumPy writes it, for integers with two axes in row-major order. Reading it this way needs
# no evaluation of Python code.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<|][iu][1248])', 'fortran_order': False, 'shape': \((\d{1,12}), (\d{1,12})\), \} *\n",
    re.DOTALL,
)

Time = Annotated[float, Field(ge=0, le=1e6)]  # seconds


class CodeDetails(Record):
    """What the index of coded shards says of its codes."""

    dvae: Annotated[str, Field(min_length=1, max_length=100)]
    groups: Annotated[int, Field(ge=1, le=1024)]
    n_codes: Annotated[int, Field(ge=1, le=MOST_CODES)]
    code_rate: Annotated[float, Field(gt=0, le=1e5)]  # code frames a second


class CodedText(Record):
    """What the JSON of a coded sample says of its text."""

    normalized: Annotated[str, Field(min_length=1)]
    # Each word has its start, then the end of each of its symbols (see text/alignment.py).
    alignment: list[Annotated[list[Time], Field(min_length=2)]] | None = None


class _Stamp(Record):
    dvae: str
    source: str
    variant: str = ""


class _Info(Record):
    name: str
    samples: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    sha256: str


class _Done(Record):
    """The content of the file beside a coded shard, which lets a stopped command go on after this shard."""

    stamp: _Stamp
    info: _Info
    silent: Annotated[int, Field(ge=0)]
    first_silent: str = ""  # older versions did not store it


@dataclass(frozen=True)
class Silent:
    """How many samples have no speakable text, and the key of the first of them; empty if there is none."""

    count: int = 0
    first: str = ""

    def __add__(self, other: "Silent") -> "Silent":
        return Silent(self.count + other.count, self.first or other.first)


@dataclass(frozen=True)
class _Job:
    """One shard to be coded."""

    dvae: Path
    folder: Path
    split: str
    number: int
    target: Path
    copy: Copy


def encode_codes(codes: "torch.Tensor") -> bytes:
    """``codes`` [frames, groups] as the bytes of a .npy file, uint16."""
    buffer = io.BytesIO()
    np.save(buffer, codes.cpu().numpy().astype(np.uint16), allow_pickle=False)
    return buffer.getvalue()


def decode_codes(data: bytes, where: str = "codes") -> "torch.Tensor":
    """Codes [frames, groups] int64 of ``encode_codes``' bytes; ``where`` names the sample in messages.

    Raises:
        ShardError: the bytes are no .npy file of integers with two axes, or their number does not fit the header.
    """
    # This import and those below stand here, because they take seconds, and --help must not wait for that.
    import torch

    header = _HEADER.match(data)
    if header is None:
        raise ShardError(
            f"{where}: expected a .npy file of integers [frames, groups], found {len(data)} bytes of something else; "
            "run 'triforce-tts codes' again"
        )
    kind, shape = np.dtype(header[1].decode()), (int(header[2]), int(header[3]))
    size = len(data) - header.end()
    if math.prod(shape) * kind.itemsize != size:
        raise ShardError(
            f"{where}: {size} bytes of codes, expected {list(shape)} of {kind.itemsize} bytes each; "
            "run 'triforce-tts codes' again"
        )
    values = np.frombuffer(data, kind, offset=header.end()).reshape(shape)
    return torch.from_numpy(values.astype(np.int64))


def read_codes(shards: ShardSet, index: int, groups: int, n_codes: int) -> "torch.Tensor":
    """Codes [frames, groups] int64 in [0, n_codes) of a coded sample: at least one frame.

    Raises:
        ShardError: the sample has no codes, or a code is out of range; the message names the sample.
    """
    where = f"sample '{shards.keys[index]}'"
    codes = decode_codes(shards.payload(index), where)
    if codes.shape[0] == 0 or codes.shape[1] != groups:
        raise ShardError(
            f"{where}: codes {list(codes.shape)}, expected at least one frame of {groups} groups; "
            "run 'triforce-tts codes' again"
        )
    low, high = int(codes.min()), int(codes.max())
    if low < 0 or high >= n_codes:
        raise ShardError(
            f"{where}: codes from {low} to {high}, expected 0 to {n_codes - 1}; run 'triforce-tts codes' again"
        )
    return codes


def read_text(shards: ShardSet, index: int) -> CodedText:
    """The text of a coded sample, and its alignment where there is one.

    Raises:
        ShardError: they are missing or of a wrong type; the message names the sample.
    """
    return checked(CodedText, shards.meta(index), f"sample '{shards.keys[index]}'")


def read_details(folder: str, details: Any) -> CodeDetails:
    """What the index in ``folder`` says of its codes.

    Raises:
        ShardError: something is missing, of a wrong type or out of bounds.
    """
    return checked(CodeDetails, details, f"{folder}/{INDEX}: details")


def checked(kind: type[RecordT], value: Any, where: str, command: str = "codes") -> RecordT:
    """``value`` as a ``kind``; messages name it by ``where``, and name ``command`` as the command that wrote it.

    Raises:
        ShardError: something is missing, of a wrong type or out of bounds; the first fault is named.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "(whole)"
        raise ShardError(f"{where}: '{key}': {first['msg']}; run 'triforce-tts {command}' again") from error


def _code_shard(job: _Job) -> tuple[ShardInfo, Silent]:
    """Code a shard; returns its entry in the index, and its samples without a speakable text."""
    import torch

    from triforce_tts import checkpoint
    from triforce_tts.audio.io import decode_audio
    from triforce_tts.audio.mel import mel_spectrogram
    from triforce_tts.models.load import load_dvae

    target = job.target
    index = read_index(job.folder, "audio")
    source, is_normalized = index["splits"][job.split]["shards"], index["details"].get(NORMALIZED) is True
    stamp = _Stamp(
        dvae=checkpoint.read_lineage(job.dvae)["id"], source=source[job.number]["sha256"], variant=job.copy.name
    )
    done = target.with_suffix(".done.json")
    if (finished := _finished(done, target, stamp)) is not None:
        return finished
    dvae, audio = load_dvae(job.dvae)
    copy, frame = job.copy, audio.hop_length * dvae.config.downsampling
    later_s = copy.start(frame) / audio.sample_rate
    shards = ShardSet.open([job.folder], job.split, "audio")
    first = sum(shard["samples"] for shard in source[: job.number])
    silent = Silent()

    def samples() -> Iterator[Sample]:
        nonlocal silent
        for number in range(first, first + source[job.number]["samples"]):
            meta = shards.meta(number)
            if not is_normalized:
                try:
                    meta["normalized"] = normalize(meta["text"])
                except TextError:
                    silent += Silent(1, shards.keys[number])
                    continue
            sound = decode_audio(shards.payload(number), shards.keys[number], audio.sample_rate).samples
            # A sound as short as this has no copy that begins later.
            if copy.shift and len(sound) / copy.speed < 2 * frame:
                continue
            sound = copy.sound(sound, audio.sample_rate, frame)
            with torch.inference_mode():
                codes = dvae.encode(mel_spectrogram(sound[None], audio))[0]
            key = f"{shards.keys[number]}-{copy.name}" if copy.name else shards.keys[number]
            yield Sample(key, copy.meta(meta, later_s), encode_codes(codes), "codes.npy")

    info = write_shard(target, samples())
    left_out = {"silent": silent.count, "first_silent": silent.first}
    write_json(done, {"stamp": stamp.model_dump(), "info": asdict(info), **left_out})
    return info, silent


def _finished(done: Path, target: Path, stamp: _Stamp) -> tuple[ShardInfo, Silent] | None:
    """The coded shard that an earlier start of the command made with the same DVAE, if it is there and whole."""
    if not (done.is_file() and target.is_file()):
        return None
    content = read_record(done, _Done, ShardError)
    if content.stamp != stamp or content.info.name != target.name or content.info.sha256 != file_sha256(target):
        return None
    return ShardInfo(**content.info.model_dump()), Silent(content.silent, content.first_silent)


def make_codes(
    dvae: Path,
    data: Sequence[Path],
    out: Path,
    workers: int,
    console: Console | None = None,
    copies: Sequence[Copy] = (Copy(),),
    force: bool = False,
) -> Silent:
    """Code all shards of ``data`` into ``out``; returns the samples without speakable text.

    The training samples are coded in all ``copies``, the held-out ones as they are. With ``force`` the codes of another
    DVAE in ``out`` are replaced.

    Raises:
        TriforceError: ``out`` is one of ``data``, holds something else or is written by another process; or a shard's
            worker died twice.
    """
    from triforce_tts import checkpoint
    from triforce_tts.models.load import load_dvae

    network, audio = load_dvae(dvae)
    if network.config.n_codes > MOST_CODES:
        raise CheckpointError(
            f"{dvae}: {network.config.n_codes} codes a group, at most {MOST_CODES} fit; lower model.levels"
        )
    jobs: list[_Job] = []
    for place, folder in enumerate(each_once(data)):
        prefix = f"{place}--" if len(data) > 1 else ""  # Shards in two folders may have the same name.
        for split, content in read_index(folder, "audio")["splits"].items():
            for number, shard in enumerate(content["shards"]):
                for copy in copies if split == "train" else (Copy(),):
                    name = f"{prefix}{copy.name}{'--' if copy.name else ''}{shard['name']}"
                    jobs.append(_Job(dvae, folder, split, number, out / name, copy))
    own = checkpoint.read_lineage(dvae)["id"]
    details = CodeDetails(
        dvae=own,
        groups=network.config.groups,
        n_codes=network.config.n_codes,
        code_rate=audio.frame_rate / network.config.downsampling,
    )
    with working_folder(out, "codes", [*data, dvae], f"codes of the DVAE {own}", force):
        earlier = left_shards(out)
        results = _run(jobs, workers, console)
        splits: dict[str, list[ShardInfo]] = {split: [] for split in SPLITS}
        for job in jobs:
            splits[job.split].append(results[job][0])
        write_index(out, "codes", splits, details.model_dump())
        remove_shards(out, earlier - {job.target.name for job in jobs})
    return sum((results[job][1] for job in jobs if not job.copy.name), Silent())


def _run(jobs: Sequence[_Job], workers: int, console: Console | None) -> dict[_Job, tuple[ShardInfo, Silent]]:
    done = track(pool.run(_code_shard, jobs, workers), "codes", len(jobs), console)
    results = dict(done)
    finished = {job: result for job, result in results.items() if result is not None}
    lost = [job.target.name for job in jobs if job not in finished]
    if lost:
        raise TriforceError(
            f"{lost[0]}: the process that coded it died twice, as if killed or out of memory (this concerns "
            f"{counted(len(lost), 'shard')}); run the same command again, with fewer --workers"
        )
    return finished


def command(
    dvae: Annotated[Path, typer.Option(help="Run or checkpoint of the DVAE.")],
    data: Annotated[list[Path], typer.Option(help="Shard folder; may be given several times.")],
    out: Annotated[Path, typer.Option(help="Folder for the coded shards: a new one, or one that was begun.")],
    workers: Annotated[int, typer.Option(help="Processes.", min=1, max=256)] = 2,
    speed: Annotated[
        list[float] | None,
        typer.Option(
            help="Also code the training samples so many times as fast, as other readers; repeatable.", min=0.5, max=2.0
        ),
    ] = None,
    shifts: Annotated[
        int,
        typer.Option(
            help="Code each training sample so often, each time beginning a part of a code frame later.", min=1, max=16
        ),
    ] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace the codes of another DVAE in --out.")] = False,
) -> None:
    """Turn shards of sound into shards of codes for the GPT. Killed and run again, it goes on."""
    console = Console(stderr=True)
    silent = make_codes(dvae, data, out, workers, console, copies_of(speed or (), shifts), force)
    first = f", such as '{silent.first}'" if silent.first else ""
    line = f"{out}: coded; left out {counted(silent.count, 'sample')} without speakable text{first}"
    console.print(line, markup=False, highlight=False, soft_wrap=True)
