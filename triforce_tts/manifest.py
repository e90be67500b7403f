"""The manifest of a model folder: its networks, the number of steps of stage 3, and the checksum of every file."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from triforce_tts.bounds import DIFFUSION_STEPS
from triforce_tts.checkpoint import CONFIG, LINEAGE, WEIGHTS, read_lineage
from triforce_tts.errors import CheckpointError
from triforce_tts.files import file_sha256
from triforce_tts.schema import FileName, Record, read_record

MANIFEST = "model.json"
DEFAULT_VOICE = "voice.flac"
STAGES = ("dvae", "gpt", "diffusion")
_LIMIT = 1 << 20  # the largest manifest that is read, in bytes
# The files that decide how speech sounds. Other files, such as the model card, may be edited.
_VERIFIED = (DEFAULT_VOICE, *(f"{stage}/{name}" for stage in STAGES for name in (WEIGHTS, CONFIG, LINEAGE)))


def _check_relative(path: str) -> str:
    if not all(part and not part.startswith(".") for part in path.split("/")) or "\\" in path:
        raise ValueError("expected a path inside the model folder")
    return path


Inside = Annotated[str, Field(max_length=300), AfterValidator(_check_relative)]


class Manifest(Record):
    """The content of ``model.json``."""

    name: Annotated[FileName, Field(max_length=100)]
    id: str = Field(min_length=1, max_length=64)  # the model's id, made of the ids of the networks
    networks: dict[str, str]  # the id of each stage's network
    diffusion_steps: int = Field(ge=int(DIFFUSION_STEPS.least), le=int(DIFFUSION_STEPS.most))
    sha256: dict[Inside, str]  # the SHA-256 of every file in the folder
    voice: str = Field("", max_length=100)  # the name of the default voice; empty if it is not known


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the model in ``folder``, after a check that its files are those that were bundled.

    Raises:
        CheckpointError: the folder or its manifest is missing, the manifest is damaged, or a file is missing or is not
            the one that was bundled.
    """
    if not (folder / MANIFEST).is_file():
        what = f"no {MANIFEST} in it" if folder.is_dir() else "no such model folder"
        raise CheckpointError(f"{folder}: {what}; expected one that 'triforce-tts bundle' made")
    manifest = read_record(folder / MANIFEST, Manifest, CheckpointError, _LIMIT)
    for name in _VERIFIED:
        file, expected = folder / name, manifest.sha256.get(name)
        if not file.is_file():
            raise CheckpointError(f"{file}: the file is missing; copy or bundle the model again")
        if expected is None:
            raise CheckpointError(f"{folder / MANIFEST}: no checksum of '{name}'; bundle the model again")
        if (actual := file_sha256(file)) != expected:
            raise CheckpointError(
                f"{file}: checksum {actual[:12]}, {MANIFEST} says {expected[:12]}: the file was damaged or changed; "
                "copy or bundle the model again"
            )
    for stage in STAGES:
        actual, expected = read_lineage(folder / stage)["id"], manifest.networks.get(stage)
        if actual != expected:
            raise CheckpointError(f"{folder / stage}: network {actual}, {MANIFEST} says {expected}; bundle again")
    return manifest
