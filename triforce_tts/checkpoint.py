"""Checkpoints: a folder with ``model.safetensors``, ``config.json`` and ``lineage.json``. Nothing is unpickled.

The lineage holds the checkpoint's own id and the ids of what it was trained with: the data, the DVAE, the text
tokenizer. The id is taken from the weights when training saves them and travels with every smaller copy, so that
an fp16 bundle still says which codes it understands.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from triforce_tts.errors import CheckpointError
from triforce_tts.files import write_json

FORMAT = 1
WEIGHTS, CONFIG, LINEAGE = "model.safetensors", "config.json", "lineage.json"

Json = dict[str, Any]


def fingerprint(weights: dict[str, torch.Tensor]) -> str:
    """16 hex digits that name these weights: sha256 over names, shapes and float32 values."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().float().contiguous()
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]


def save(folder: Path, weights: dict[str, torch.Tensor], config: Json, lineage: Json) -> None:
    """Write the three files into an existing ``folder``; the caller makes the folder atomic.

    ``config`` holds at least ``stage``; ``lineage`` gains ``id`` if it has none.
    """
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    save_file(whole, folder / WEIGHTS, metadata={"format": "pt"})
    write_json(folder / CONFIG, {"format": FORMAT, **config})
    write_json(folder / LINEAGE, {"id": fingerprint(whole), **lineage})


def locate(path: Path | str) -> Path:
    """The checkpoint folder at ``path``: itself, the latest of a run, or the one that a run's ``best`` names.

    Raises:
        CheckpointError: there is neither; the message says what was looked for.
    """
    path = Path(path)
    if (path / WEIGHTS).is_file():
        return path
    pointer = path if path.is_file() else path / "latest"
    if pointer.is_file():
        chosen = pointed(pointer)
        if (chosen / WEIGHTS).is_file():
            return chosen
    raise CheckpointError(f"{path}: no checkpoint here; expected {WEIGHTS} in it, or a run with a 'latest' file")


def pointed(pointer: Path) -> Path:
    """The folder beside ``pointer`` that it names; for a file of another kind, one that does not exist."""
    return pointer.parent / pointer.read_text(encoding="utf-8", errors="replace")[:100].strip()


def read_json(path: Path) -> Json:
    """A JSON object of a checkpoint.

    Raises:
        CheckpointError: the file is missing or not a JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read as JSON ({error}); the checkpoint is incomplete") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path}: expected an object, found {type(value).__name__}")
    return value


def read_config(path: Path | str, stage: str) -> Json:
    """The configuration of the ``stage`` checkpoint at ``path``.

    Raises:
        CheckpointError: another stage's checkpoint, or one of a newer format.
    """
    config = read_json(locate(path) / CONFIG)
    if config.get("format") != FORMAT:
        raise CheckpointError(f"{path}: checkpoint format {config.get('format')!r}, this version reads {FORMAT}")
    if config.get("stage") != stage:
        raise CheckpointError(f"{path}: expected a {stage} checkpoint, found one of stage {config.get('stage')!r}")
    return config


def read_lineage(path: Path | str) -> Json:
    """The lineage of the checkpoint at ``path``."""
    return read_json(locate(path) / LINEAGE)


def load_tensors(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{file}: cannot read the weights ({error}); copy or train the checkpoint again"
        ) from error


def load_weights(model: nn.Module, path: Path | str) -> None:
    """Load the checkpoint at ``path`` into ``model``, which keeps its own dtype.

    Raises:
        CheckpointError: tensors are missing, unknown or of another shape; the first of each is named.
    """
    file = locate(path) / WEIGHTS
    load_state(model, load_tensors(file), str(file))


def load_state(model: nn.Module, found: dict[str, torch.Tensor], where: str) -> None:
    """Load tensors into ``model`` strictly; ``where`` names them in messages."""
    expected = model.state_dict()
    problems = []
    if missing := sorted(expected.keys() - found.keys()):
        problems.append(f"{len(missing)} tensors are missing, such as '{missing[0]}'")
    if unknown := sorted(found.keys() - expected.keys()):
        problems.append(f"{len(unknown)} tensors are unknown, such as '{unknown[0]}'")
    for name in sorted(expected.keys() & found.keys()):
        if expected[name].shape != found[name].shape:
            shapes = f"{list(found[name].shape)}, expected {list(expected[name].shape)}"
            problems.append(f"'{name}' has shape {shapes}")
            break
    if problems:
        raise CheckpointError(f"{where}: does not fit its configuration: {'; '.join(problems)}")
    with torch.no_grad():
        for name, tensor in expected.items():
            tensor.copy_(found[name])


def require_same(what: str, first_name: str, first: Any, second_name: str, second: Any) -> None:
    """Refuse two checkpoints that do not belong together.

    Raises:
        CheckpointError: the two values differ; both sides are named.
    """
    if first != second:
        raise CheckpointError(
            f"mismatched {what}: {first_name} was made with {first}, but {second_name} is {second}; "
            "use checkpoints that were trained together"
        )
