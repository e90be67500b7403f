"""Checkpoints: a folder with ``model.safetensors``, ``config.json`` and ``lineage.json``. Nothing is unpickled.

The lineage holds the checkpoint's own id and the ids of what it was trained with: the data, the DVAE, the text
tokenizer. Training computes the id from the weights when it saves them. Smaller copies keep that id, so that the fp16
weights of a model folder still say which codes they understand.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import ConfigDict, Field, JsonValue, NonNegativeInt, RootModel, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.overrides import TorchFunctionMode

from triforce_tts.errors import CheckpointError, TriforceError
from triforce_tts.files import read_file, write_json
from triforce_tts.schema import FileName, Record, parse_record

FORMAT = 1
WEIGHTS, CONFIG, LINEAGE = "model.safetensors", "config.json", "lineage.json"

Json = dict[str, Any]
NetworkT = TypeVar("NetworkT", bound=nn.Module)
_JSON_LIMIT = 4 << 20  # the largest configuration or lineage that is read, in bytes


class _Object(RootModel[dict[str, JsonValue]]):
    """Any JSON object."""


class Pointer(RootModel[FileName]):
    """The content of a run's files ``latest`` and ``best``: the name of a folder beside them."""


class Lineage(Record):
    """The fields that every lineage may have; a stage adds its own."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(min_length=1, max_length=64)
    # The id of the DVAE whose codes or decodes the network was trained with.
    dvae: str | None = Field(default=None, max_length=64)
    tokenizer: str | None = Field(default=None, max_length=64)
    data: str | None = Field(default=None, max_length=64)  # the fingerprint of the shards
    steps: NonNegativeInt | None = None


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

    ``config`` must hold ``stage``. A ``lineage`` without an ``id`` gets one.
    """
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    save_tensors(folder / WEIGHTS, whole, {"format": "pt"})
    write_json(folder / CONFIG, {"format": FORMAT, **config})
    write_json(folder / LINEAGE, {"id": fingerprint(whole), **lineage})


def save_tensors(file: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file, which others may read as far as the umask of the process allows.

    Raises:
        TriforceError: the disk is full or the folder cannot be written.
    """
    try:
        file.touch()
        mode = file.stat().st_mode
        save_file(tensors, file, metadata=metadata)
        file.chmod(mode)  # The file of safetensors belongs to its owner alone.
    except (OSError, SafetensorError) as error:  # safetensors wraps errors of the system in its own error
        raise TriforceError(f"{file}: cannot write the weights ({error}); free some space") from error


def locate(path: Path | str) -> Path:
    """The checkpoint folder at ``path``: itself, the latest of a run, or the one that a run's ``best`` names.

    Raises:
        CheckpointError: there is no checkpoint; the message says what was looked for.
    """
    path = Path(path)
    if (path / WEIGHTS).is_file():
        return path
    pointer = path if path.is_file() else path / "latest"
    if not pointer.is_file():
        parts = [name for name in ("dvae", "gpt", "diffusion") if (path / name / WEIGHTS).is_file()]
        if parts:
            raise CheckpointError(f"{path}: a model folder; give one of its networks, such as {path / parts[0]}")
        what = "no checkpoint here" if path.is_dir() else "there is no such file or folder"
        raise CheckpointError(f"{path}: {what}; expected {WEIGHTS} in it, or a run with a 'latest' file")
    chosen = pointed(pointer)
    if (chosen / WEIGHTS).is_file():
        return chosen
    others = sorted(file.parent.name for file in pointer.parent.glob(f"*/{WEIGHTS}"))
    advice = f"write the name of another one into it: {', '.join(others)}" if others else "and there is no other one"
    raise CheckpointError(f"{pointer}: names no checkpoint with a file {WEIGHTS}; {advice}")


def pointed(pointer: Path) -> Path:
    """The folder beside ``pointer`` that it names; if it names none, a path below the file, where nothing can exist."""
    with pointer.open("rb") as file:
        name = file.read(1000).decode("utf-8", errors="replace").strip()
    try:
        return pointer.parent / Pointer.model_validate(name).root
    except ValidationError:
        return pointer / "names no folder beside it"


def read_json(path: Path) -> Json:
    """A JSON object of a checkpoint.

    Raises:
        CheckpointError: the file is missing or not a JSON object.
    """
    try:
        data = read_file(path, _JSON_LIMIT)
    except TriforceError as error:
        raise CheckpointError(f"{error}; the checkpoint is incomplete") from error
    content: Json = parse_record(_Object, data, str(path), CheckpointError).root
    return content


def read_config(path: Path | str, stage: str) -> Json:
    """The configuration of the ``stage`` checkpoint at ``path``.

    Raises:
        CheckpointError: the checkpoint is another stage's, or of a newer format.
    """
    config = read_json(locate(path) / CONFIG)
    if config.get("format") != FORMAT:
        raise CheckpointError(f"{path}: checkpoint format {config.get('format')!r}, this version reads {FORMAT}")
    if config.get("stage") != stage:
        raise CheckpointError(f"{path}: expected a {stage} checkpoint, found one of stage {config.get('stage')!r}")
    return config


def read_lineage(path: Path | str) -> Json:
    """The lineage of the checkpoint at ``path``; its fields are those of ``Lineage``, and the stage's own."""
    file = locate(path) / LINEAGE
    content = read_json(file)
    parse_record(Lineage, json.dumps(content), str(file), CheckpointError)
    return content


def load_tensors(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> CheckpointError:
    return CheckpointError(f"{file}: cannot read the weights ({error}); copy or train the checkpoint again")


def load_weights(model: nn.Module, path: Path | str) -> None:
    """Load the checkpoint at ``path`` into ``model``; the numbers are converted to the model's dtype.

    Raises:
        CheckpointError: tensors are missing, unknown, of another shape or kind, or not finite; they are named.
    """
    file = locate(path) / WEIGHTS
    load_state(model, load_tensors(file), str(file))


def restore(make: Callable[[], NetworkT], path: Path | str) -> NetworkT:
    """The network that ``make`` builds, with the weights at ``path``.

    A first network is built without memory and compared with the header of the file. So a configuration that asks for
    a thousand times what the file holds is refused before any memory is taken.

    Raises:
        CheckpointError: as ``load_weights``.
    """
    file = locate(path) / WEIGHTS
    shapes = shapes_in(file)
    with _WithoutFirstWeights(), torch.device("meta"):
        expected = shapes_of(make().state_dict())
    require_fit(expected, shapes, str(file))
    with _WithoutFirstWeights():
        network = make()
    load_weights(network, path)
    return network


class _WithoutFirstWeights(TorchFunctionMode):
    """Leaves out what ``torch.nn.init`` would write to the parameters of a network that is about to be loaded.

    Random numbers for them take longer than reading the file, and for tensors without memory torch imports its
    compiler, which takes a second.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Json | None = None
    ) -> Any:
        """Call ``func``; but a function of ``torch.nn.init`` returns its tensor unchanged."""
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == nn.init.__name__:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def shapes_of(tensors: dict[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor, by its name."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def shapes_in(file: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor in a safetensors file, by its name; only the header of the file is read.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    try:
        with safe_open(file, "pt") as tensors:
            return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _unreadable(file, error) from error


def require_fit(
    expected: dict[str, tuple[int, ...]],
    actual: dict[str, tuple[int, ...]],
    where: str,
    what: str = "its configuration",
) -> None:
    """Refuse tensors whose names or shapes are not the expected ones.

    Raises:
        CheckpointError: some are missing, unknown or of another shape; the message says that ``where`` does not fit
            ``what``, and names the first.
    """
    problems = []
    if missing := sorted(expected.keys() - actual.keys()):
        problems.append(f"{len(missing)} tensors are missing, such as '{missing[0]}'")
    if unknown := sorted(actual.keys() - expected.keys()):
        problems.append(f"{len(unknown)} tensors are unknown, such as '{unknown[0]}'")
    for name in sorted(expected.keys() & actual.keys()):
        if expected[name] != actual[name]:
            problems.append(f"'{name}' has shape {list(actual[name])}, expected {list(expected[name])}")
            break
    if problems:
        raise CheckpointError(f"{where}: does not fit {what}: {'; '.join(problems)}")


def load_state(model: nn.Module, tensors: dict[str, torch.Tensor], where: str, what: str = "its configuration") -> None:
    """Load tensors into ``model`` strictly; messages say that ``where`` does not fit ``what``.

    Raises:
        CheckpointError: tensors are missing, unknown, of another shape or kind, or not finite; they are named.
    """
    expected = model.state_dict()
    require_fit(shapes_of(expected), shapes_of(tensors), where, what)
    for name, tensor in expected.items():
        if tensors[name].is_floating_point() != tensor.is_floating_point():
            raise CheckpointError(f"{where}: '{name}' holds {tensors[name].dtype}, expected {tensor.dtype}")
    require_finite(tensors, where)
    with torch.no_grad():
        for name, tensor in expected.items():
            tensor.copy_(tensors[name])


def require_finite(tensors: dict[str, torch.Tensor], where: str, what: str = "numbers that are not finite") -> None:
    """Refuse numbers that are infinite or NaN.

    Raises:
        CheckpointError: there are some; the message says that ``where`` holds ``what``, and names the first tensor.
    """
    for name, tensor in tensors.items():
        if not _all_finite(tensor):
            raise CheckpointError(f"{where}: '{name}' holds {what}; take an earlier checkpoint")


def _all_finite(tensor: torch.Tensor) -> bool:
    """Whether no number is infinite or NaN. Looking at the least and the greatest alone takes a tenth of the time."""
    return tensor.numel() == 0 or bool(torch.isfinite(torch.stack(torch.aminmax(tensor))).all())


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
