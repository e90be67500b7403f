"""``triforce-tts gpu-pack``: one folder with all that a GPU without a network needs to train, within a given size.

It holds shards in Opus (``shards/``), coded shards where they are given (``codes/``), the configuration of each stage and
the plan (``configs/``), earlier weights in fp16 (``init/``), the clip of the default voice, wheels of packages that the
machine lacks (``wheels/``), and ``pack.json``, which says what everything is, with the checksum of every file.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from triforce_tts import checkpoint, schema
from triforce_tts.audio.io import Audio, decode_audio, encode_flac, read_audio
from triforce_tts.errors import CheckpointError, ConfigError, ShardError, TriforceError
from triforce_tts.files import MARKER, file_sha256, new_folder, write_json, write_text
from triforce_tts.manifest import STAGES, Inside
from triforce_tts.schema import Config, Record, read_record
from triforce_tts.shards import SPLITS, ShardSet
from triforce_tts.voices import SEARCHED_SECONDS

from .. import diffusion as diffusion_stage
from .. import dvae as dvae_stage
from .. import gpt as gpt_stage
from ..bundle import copy_half
from ..codes import read_text
from ..gpt_data import code_details
from .plan import Plan, divide, load_plan
from .results import best_or_latest, part_paths, read_stage_parts
from .shards import Opus, Packed, pack_audio, pack_codes

PACK, SHARDS, CODES, CONFIGS, INIT, WHEELS, VOICE = (
    "pack.json", "shards", "codes", "configs", "init", "wheels", "voice.flac"
)  # fmt: skip
PLAN = "gpu"  # the name of the plan among the configurations
FORMAT = 1
MEGABYTE = 1_000_000
_SPARE = 100_000  # bytes kept free for pack.json and the indices
_CODES_SHARE = 0.5  # Coded shards take at most this share of the room for data.
# If no clip is given, a training sample of this length becomes the default voice.
_VOICE_SECONDS = (3.0, 10.0)
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")

StageSettings = dvae_stage.DVAESettings | gpt_stage.GPTSettings | diffusion_stage.DiffusionSettings
KINDS: dict[str, type[Config]] = {
    "dvae": dvae_stage.DVAESettings,
    "gpt": gpt_stage.GPTSettings,
    "diffusion": diffusion_stage.DiffusionSettings,
}


class Pack(Record):
    """The content of ``pack.json``."""

    format: Annotated[int, Field(ge=1, le=FORMAT)]
    version: str  # the version of triforce-tts
    config: str
    python: str  # the Python version that the wheels are for
    init: dict[str, str]  # the id of each stage's weights
    contents: dict[str, Any]  # the number of samples, and the seconds of sound and of codes
    files: dict[Inside, str]  # the SHA-256 of each file


@dataclass(frozen=True)
class PackOrder:
    """The arguments of ``make_pack``: what the pack is made of."""

    data: Sequence[Path]  # shards of sound
    codes: Sequence[Path]  # coded shards
    config: str
    plan: str
    settings: Sequence[str]
    # The folder with a run, a checkpoint or a tar of each stage that starts from earlier weights.
    init: Path | None
    voice: Path | None
    wheels: Sequence[str]  # names of packages, or folders of wheels
    constraints: Path | None  # pip's file of package versions
    python: str  # the machine's Python version, such as 3.12
    bit_rate: int
    heldout: int  # the most held-out samples
    megabytes: float


def make_pack(order: PackOrder, out: Path, force: bool = False) -> Pack:
    """Write the pack that ``order`` describes to ``out``.

    Raises:
        ConfigError: a configuration is wrong, or the weights and wheels leave no room for data.
        ShardError: the data cannot be used, or does not go with a configuration.
        CheckpointError: earlier weights are damaged, or another DVAE made the codes.
        TriforceError: wheels cannot be had, or ``out`` holds something else.
    """
    plan_settings, stage_settings = divide(order.settings)
    plan = load_plan(order.plan, plan_settings)
    configs = {stage: schema.load(KINDS[stage], stage, order.config, stage_settings[stage]) for stage in STAGES}
    sources = [*order.data, *order.codes, *(path for path in (order.init, order.voice) if path is not None)]
    with new_folder(out, "pack", sources, force) as folder:
        _write_configs(folder / CONFIGS, configs, plan)
        ids = _copy_init(order.init, folder / INIT)
        _add_wheels(order, folder / WHEELS)
        contents = _add_data(order, folder, configs, ids)
        names = sorted(str(path.relative_to(folder)) for path in _files(folder))
        pack = Pack(
            format=FORMAT, version=version("triforce-tts"), config=order.config, python=order.python, init=ids,
            contents=contents, files={name: file_sha256(folder / name) for name in names},
        )  # fmt: skip
        write_json(folder / PACK, pack.model_dump(mode="json"))
        size = size_of(folder)
        if size > order.megabytes * MEGABYTE:
            raise ConfigError(
                f"{out}: the pack came to {size / MEGABYTE:.2f} MB of {order.megabytes:g}; please report it"
            )
    return pack


def read_pack(folder: Path) -> Pack:
    """The content of the pack in ``folder``, after a check that it is whole.

    Raises:
        TriforceError: the folder is no pack, or a file of the pack is missing or damaged.
    """
    pack = read_record(folder / PACK, Pack)
    for name, expected in pack.files.items():
        if not (folder / name).is_file():
            raise TriforceError(f"{folder / name}: the file is missing; copy the pack again")
        if file_sha256(folder / name) != expected:
            raise TriforceError(f"{folder / name}: is not the file that was packed; copy the pack again")
    return pack


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != MARKER]


def size_of(folder: Path) -> int:
    """The size of all files in ``folder``, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


# --- configurations, weights, wheels --------------------------------------------------------------------------------


def _write_configs(folder: Path, configs: dict[str, Config], plan: Plan) -> None:
    folder.mkdir()
    for name, config in {**configs, PLAN: plan}.items():
        write_text(folder / f"{name}.yaml", yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))


def _copy_init(source: Path | None, target: Path) -> dict[str, str]:
    """Copy the earlier weights of each stage that has some in ``source``, in fp16; returns their ids by stage."""
    if source is None:
        return {}
    ids: dict[str, str] = {}
    for stage in STAGES:
        folder = target / stage
        if part_paths(source, stage):
            folder.mkdir(parents=True)
            read_stage_parts(source, stage, folder)
        elif (source / stage).exists():
            copy_half(best_or_latest(source / stage), folder)
        else:
            continue
        checkpoint.read_config(folder, stage)
        ids[stage] = checkpoint.read_lineage(folder)["id"]
    if not ids:
        raise CheckpointError(
            f"{source}: no earlier weights here; expected a run, a checkpoint or a tar of one of: {', '.join(STAGES)}"
        )
    return ids


def _add_wheels(order: PackOrder, folder: Path) -> None:
    """Copy the wheels in the folders, and download those of the named packages, for the machine's Python."""
    names = [name for name in order.wheels if not Path(name).is_dir()]
    paths = [path for name in order.wheels if Path(name).is_dir() for path in sorted(Path(name).glob("*.whl"))]
    if not order.wheels:
        return
    folder.mkdir()
    for path in paths:
        shutil.copyfile(path, folder / path.name)
    if names:
        _download(names, order.python, order.constraints, folder)
    if not any(folder.glob("*.whl")):
        raise ConfigError(
            f"--wheels {' '.join(order.wheels)}: no wheel there; expected *.whl files, or names of packages"
        )


def _download(names: Sequence[str], python: str, constraints: Path | None, folder: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--dest",
        str(folder),
    ]
    words += ["--python-version", python, "--implementation", "cp"]
    words += [word for platform in _PLATFORMS for word in ("--platform", platform)]
    words += ["--constraint", str(constraints)] if constraints is not None else []
    done = subprocess.run([*words, *names], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["pip gave no reason"]
        raise TriforceError(f"wheels of {', '.join(names)} for Python {python} cannot be had: {reason[0]}")


# --- data -------------------------------------------------------------------------------------------------------------


def _add_data(order: PackOrder, folder: Path, configs: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """Fill the room that is left with shards; returns what they hold."""
    audio = {split: _usable(ShardSet.open(order.data, split, "audio"), configs.values()) for split in SPLITS}
    _add_voice(order.voice, audio["train"], folder / VOICE)
    room = int(order.megabytes * MEGABYTE) - size_of(folder) - _SPARE
    if room <= 0:
        raise ConfigError(
            f"weights and wheels take {size_of(folder) / MEGABYTE:.1f} MB of --megabytes {order.megabytes:g}; raise it, or "
            "leave some out"
        )
    contents: dict[str, Any] = {}
    if order.codes:
        before = size_of(folder)
        contents[CODES] = asdict(_add_codes(order, folder / CODES, configs["gpt"], ids, int(room * _CODES_SHARE)))
        room -= size_of(folder) - before
    opus = Opus(configs["dvae"].audio.sample_rate, order.bit_rate)
    contents[SHARDS] = asdict(pack_audio(folder / SHARDS, audio, opus, room, order.heldout, {}))
    _check_data(folder, configs)
    return contents


def _usable(shards: ShardSet, configs: Any) -> ShardSet:
    """The samples that at least one stage is trained on."""
    chosen: set[tuple[Path, int]] = set()
    for config in configs:
        mine = config.data.choose(shards)
        chosen |= {mine.place(index) for index in range(len(mine))}
    return shards.select([index for index in range(len(shards)) if shards.place(index) in chosen])


def _add_codes(order: PackOrder, folder: Path, config: gpt_stage.GPTSettings, ids: dict[str, str], room: int) -> Packed:
    sets = {split: config.data.choose(ShardSet.open(order.codes, split, "codes")) for split in SPLITS}
    details = code_details(sets["train"])
    checkpoint.require_same("DVAE", str(order.codes[0]), details["dvae"], f"{order.init}", ids.get("dvae"))
    return pack_codes(folder, sets, room, order.heldout, details)


def _add_voice(clip: Path | None, shards: ShardSet, target: Path) -> None:
    """Write the clip of the default voice. If none is given, the first sample of a good length becomes the clip."""
    if clip is not None:
        target.write_bytes(encode_flac(read_audio(clip, max_seconds=SEARCHED_SECONDS)))
        return
    if not len(shards):
        raise ShardError(
            "no training sample is left after data.speakers, min_seconds and max_seconds of the configurations"
        )
    low, high = _VOICE_SECONDS
    good = (index for index, seconds in enumerate(shards.durations_s) if low <= seconds <= high)
    longest = max(range(len(shards)), key=lambda index: min(shards.durations_s[index], high))
    index = next(good, longest)
    sound = decode_audio(shards.payload(index), shards.keys[index])
    target.write_bytes(encode_flac(Audio(sound.samples, sound.sample_rate)))


def _check_data(folder: Path, configs: dict[str, Any]) -> None:
    """Refuse what would stop a stage on the machine: no samples, speakers that are not there, text without its times."""
    for stage, config in configs.items():
        try:
            train, _ = config.data.open([folder / SHARDS], "audio")
        except ConfigError as error:
            raise ConfigError(f"{stage}: {error}; see its configuration") from error
        if stage == "gpt" and config.data.reads and not any(_is_aligned(train, index) for index in range(len(train))):
            raise ConfigError(
                "gpt: data.reads is set and no sample has an alignment; build the shards with --align, or --set gpt.data.reads=false"
            )


def _is_aligned(shards: ShardSet, index: int) -> bool:
    return read_text(shards, index).alignment is not None


# --- the command ------------------------------------------------------------------------------------------------------
