"""What a run on a rented GPU leaves: a tar of each stage's fp16 weights, cut into files that travel one by one.

``dvae.tar`` holds ``dvae/model.safetensors`` and what belongs to it. A larger tar is cut into ``gpt.tar.00``, ``gpt.tar.01``
and so on: ``cat OUT/gpt.tar* | tar x`` gives the folder ``gpt`` back. The parts of all stages and of ``bundle.tar``, unpacked
into one folder, are a model folder. ``gpu-pack --init OUT`` starts the next run from them.
"""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from triforce_tts.checkpoint import CONFIG, LINEAGE, WEIGHTS, locate
from triforce_tts.errors import CheckpointError
from triforce_tts.files import atomic_path

PART_BYTES = 15_000_000  # the largest size of a result file, in bytes: machines and mails commonly accept such files
_FILES = (WEIGHTS, CONFIG, LINEAGE)


def best_or_latest(run: Path) -> Path:
    """The checkpoint of ``run`` with the lowest held-out figure where it kept that one, or else its latest; or ``run`` itself.

    Raises:
        CheckpointError: the run has no checkpoint.
    """
    best = run / "best"
    return locate(best if best.exists() else run)


def write_parts(folder: Path, name: str, files: Mapping[str, Path], part_bytes: int = PART_BYTES) -> list[Path]:
    """Write ``files``, by their names inside, as a tar in parts of at most ``part_bytes``; those that were there go.

    Equal files give equal bytes.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for inside, path in sorted(files.items()):
            member = tarfile.TarInfo(inside)
            member.size, member.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                tar.addfile(member, file)
    data = buffer.getvalue()
    pieces = [data[start : start + part_bytes] for start in range(0, len(data), part_bytes)]
    for old in part_paths(folder, name):
        old.unlink()
    ends = [""] if len(pieces) == 1 else [f".{number:02d}" for number in range(len(pieces))]
    paths = [folder / f"{name}.tar{end}" for end in ends]
    for path, piece in zip(paths, pieces, strict=True):
        with atomic_path(path) as temporary:
            temporary.write_bytes(piece)
    return paths


def part_paths(folder: Path, name: str) -> list[Path]:
    """The parts of the tar called ``name`` in ``folder``, in order."""
    whole = folder / f"{name}.tar"
    return [whole] if whole.is_file() else sorted(folder.glob(f"{name}.tar.[0-9][0-9]"))


def read_stage_parts(folder: Path, stage: str, target: Path) -> None:
    """Write the checkpoint of ``stage`` in the parts in ``folder`` to ``target``, a folder that is there.

    Raises:
        CheckpointError: a part is missing or damaged.
    """
    data = b"".join(path.read_bytes() for path in part_paths(folder, stage))
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for name in _FILES:
                file = tar.extractfile(f"{stage}/{name}")
                assert file is not None, "tarfile gives None for what is no file"
                content = file.read()
                (target / name).write_bytes(content)
    except (tarfile.TarError, KeyError, AssertionError) as error:
        raise CheckpointError(
            f"{folder}: the parts of {stage}.tar are damaged or not all there ({error}); copy them again"
        ) from error


def stage_files(checkpoint: Path, stage: str) -> dict[str, Path]:
    """The files of a checkpoint by their names inside the tar of its stage."""
    return {f"{stage}/{name}": checkpoint / name for name in _FILES}
