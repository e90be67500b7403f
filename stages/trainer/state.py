"""The part of a checkpoint that only training needs, in ``trainer/``: position, optimiser, random state, raw weights.

Everything here is read as a stranger's file would be: a field or a tensor that is missing, damaged or of another shape is
an error, because a run that goes on without it would be another run.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field

from triforce_tts import checkpoint
from triforce_tts.errors import CheckpointError
from triforce_tts.files import MARKER
from triforce_tts.schema import Record, read_record

from .progress import Progress
from .settings import MOST, Count, RunSettings, Seconds

TRAINER = "trainer"  # folder of a checkpoint with what only training needs
STATE, RAW, OPTIMIZER, AVERAGE = "state.json", "weights.safetensors", "optimizer.safetensors", "average.safetensors"
POINTERS = ("latest", "best")
_STATE_LIMIT = 1 << 20  # the largest size of state.json, in bytes
_LONGEST_LINEAGE = 100  # a lineage remembers so many changes

Lineage = dict[str, Any]


class State(Record):
    """``trainer/state.json``: ``Progress``, and the settings that the data order and the tensors depend on."""

    step: Count
    seconds: Seconds
    audio_seconds: Annotated[float, Field(ge=0, le=1e15)]
    skipped: Count = 0
    overflows: Count = 0
    light_start: Annotated[int, Field(ge=-1, le=MOST)] = -1
    best: float | None = None
    worse: Count = 0
    keep_best: str | None = None  # the name of the figure that ``best`` holds; older versions did not store it
    seed: int
    batch_size: Count
    bucket_batches: Count | None = None  # older versions did not store it
    processes: Annotated[int, Field(ge=1, le=1 << 20)]
    optimizer: str | None = None  # older versions did not store it
    optimizer_tensors: Count | None = None
    loss_scale: Annotated[float, Field(gt=0, le=1e38)] | None = None  # the factor on the loss in fp16
    loss_scale_steps: Count = 0  # steps without an overflow at this scale
    light: bool = False  # whether the checkpoint lacks the optimiser, the random state and the raw weights

    def progress(self) -> Progress:
        """The progress of the run."""
        return Progress(**{name: getattr(self, name) for name in vars(Progress())})


def read_state(folder: Path) -> State:
    """The training state of the checkpoint in ``folder``.

    Raises:
        CheckpointError: it is missing or damaged; every wrong field is named.
    """
    try:
        return read_record(folder / TRAINER / STATE, State, CheckpointError, _STATE_LIMIT)
    except CheckpointError as error:
        raise CheckpointError(
            f"{error}; write the name of another checkpoint into {folder.parent / 'latest'}"
        ) from error


# --- lineage --------------------------------------------------------------------------------------------------------


def grown_lineage(run: Path, saved: Mapping[str, Any], now: Lineage, settings: RunSettings, step: int) -> Lineage:
    """The lineage of a run that goes on: ``now``, and the earlier values where they differ.

    Args:
        run: the name of the run in messages.
        saved: the lineage of the run's checkpoint.
        now: the lineage of the data, the DVAE and so on that are given.
        settings: the settings, which say which differences are accepted.
        step: the step of the checkpoint.

    Raises:
        CheckpointError: a difference that is not accepted; both sides are named.
    """
    earlier = saved.get("before", [])
    if not isinstance(earlier, list) or not all(isinstance(change, dict) for change in earlier):
        raise CheckpointError(f"{run}: 'before' in the checkpoint's lineage is damaged; expected a list of objects")
    changed = {key: saved.get(key) for key in now if saved.get(key) != now[key]}
    for key, was in changed.items():
        require_accepted(run, key, was, now[key], settings)
    if changed:
        earlier = [*earlier, {**changed, "steps": step}][-_LONGEST_LINEAGE:]
    return {**now, "before": earlier} if earlier else now


def require_accepted(run: Path, what: str, was: Any, now: Any, settings: RunSettings) -> None:
    """Refuse a ``what`` other than the one that the run was trained with, unless ``run.accept_changed`` names it.

    Raises:
        CheckpointError: the difference is not accepted; the message names both sides.
    """
    if was != now and what not in settings.accept_changed:
        raise CheckpointError(
            f"{run}: was trained with {what} {_shown(was)}, now {what} is {_shown(now)}; give what it was trained with, "
            f"choose another RUN, or go on with the other by --set run.accept_changed=[{what}]"
        )


def _shown(value: Any) -> str:
    return "unknown" if value is None else str(value)[:100]


# --- tensors ---------------------------------------------------------------------------------------------------------


def read_tensors(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file that training goes on from.

    Raises:
        CheckpointError: it is missing or damaged, or holds numbers that are not finite.
    """
    tensors = checkpoint.load_tensors(file)
    spoilt = next((name for name, value in tensors.items() if not bool(value.isfinite().all())), None)
    if spoilt is not None:
        raise CheckpointError(f"{file}: '{spoilt}' holds numbers that are not finite; the checkpoint is damaged")
    return tensors


Parameters = Sequence[tuple[str, tuple[str, ...], torch.Size]]
"""Of each parameter: its name, names of the tensors that the optimiser keeps of it, and its shape."""


def fits(tensors: Mapping[str, torch.Tensor], parameters: Parameters) -> bool:
    """Whether ``tensors`` may come from an optimiser that keeps the tensors of ``parameters``."""
    return tensors.keys() <= {f"{name}/{key}" for name, keys, _ in parameters for key in keys}


def optimizer_state(
    tensors: Mapping[str, torch.Tensor], parameters: Parameters, state: State, where: str
) -> list[dict[str, torch.Tensor]]:
    """The optimiser's tensors of each parameter in the order of ``parameters``; one that never had a gradient has none.

    Args:
        tensors: as saved, "parameter/name".
        parameters: what the optimiser keeps of each parameter.
        state: of the checkpoint: says how many tensors there were, and whether there was any update.
        where: names the file in messages.

    Raises:
        CheckpointError: tensors are missing, unknown or of another shape; the first is named.
    """
    updates = state.step - state.skipped - state.overflows
    if state.optimizer_tensors not in (None, len(tensors)) or (updates > 0 and not tensors):
        expected = "some" if state.optimizer_tensors is None else state.optimizer_tensors
        raise CheckpointError(
            f"{where}: holds {len(tensors)} tensors of the optimiser, expected {expected}; the checkpoint is damaged: "
            "point RUN/latest at another one"
        )
    left = dict(tensors)
    states = []
    for name, keys, shape in parameters:
        moments = {key: left.pop(f"{name}/{key}") for key in keys if f"{name}/{key}" in left}
        missing = [key for key in keys if key not in moments] if moments else []
        wrong = [f"{key} {list(value.shape)}" for key, value in moments.items() if value.dim() and value.shape != shape]
        if missing or wrong:
            problem = f"lacks '{missing[0]}'" if missing else f"has {wrong[0]}, expected {list(shape)}"
            raise CheckpointError(f"{where}: the optimiser's state of '{name}' {problem}; the checkpoint is damaged")
        states.append(moments)
    if left:
        raise CheckpointError(
            f"{where}: {len(left)} tensors are unknown to this optimiser, such as '{next(iter(left))}'; set run.optimizer "
            "as the run had it"
        )
    return states


def random_state() -> dict[str, torch.Tensor]:
    """The state of this process's generators of random numbers."""
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def rng_name(rank: int) -> str:
    """The file in ``trainer/`` with the random state of a process."""
    return f"rng-{rank:05d}.safetensors"


def restore_random_state(folder: Path, rank: int) -> None:
    """Take up the random state that process ``rank`` left in the checkpoint ``folder``.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    file = folder / TRAINER / rng_name(rank)
    state = read_tensors(file)
    try:
        torch.set_rng_state(state["cpu"])
        if "cuda" in state and torch.cuda.is_available():
            torch.cuda.set_rng_state(state["cuda"])
    except (KeyError, RuntimeError, TypeError) as error:
        raise CheckpointError(f"{file}: is no random state ({error}); the checkpoint is damaged") from error


# --- old checkpoints -------------------------------------------------------------------------------------------------

_NAME = re.compile(r"step-([0-9]{8,})")
_FILES = {MARKER, checkpoint.WEIGHTS, checkpoint.CONFIG, checkpoint.LINEAGE, TRAINER}
_TRAINER_FILES = re.compile(r"state\.json|(weights|optimizer|average|rng-[0-9]{5,})\.safetensors")


def checkpoint_name(step: int) -> str:
    """The folder of the checkpoint of ``step``."""
    return f"step-{step:08d}"


def prune(run: Path, keep: int) -> None:
    """Remove all but the ``keep`` newest checkpoints of ``run``, and those that ``latest`` and ``best`` name.

    Only what this trainer wrote is touched: folders of its names, with its files and no others in them.
    """
    spared = {checkpoint.pointed(run / name) for name in POINTERS if (run / name).is_file()}
    for folder in _numbered(run)[:-keep]:
        if folder not in spared and _is_ours(folder):
            shutil.rmtree(folder)


def checkpoints_of(run: Path) -> list[Path]:
    """The checkpoints of ``run`` that the trainer wrote, the newest last."""
    return [folder for folder in _numbered(run) if _is_ours(folder)]


def _numbered(run: Path) -> list[Path]:
    """The folders in ``run`` that are called like checkpoints, by their steps."""
    found = sorted((step, folder) for folder in run.iterdir() if (step := _step_of(folder)) is not None)
    return [folder for _, folder in found]


def _step_of(folder: Path) -> int | None:
    match = _NAME.fullmatch(folder.name)
    if match is None or folder.name != checkpoint_name(int(match[1])) or folder.is_symlink() or not folder.is_dir():
        return None
    return int(match[1])


def _is_ours(folder: Path) -> bool:
    """Whether the trainer wrote ``folder`` and nobody put anything into it."""
    trainer = folder / TRAINER
    if not trainer.is_dir() or trainer.is_symlink() or {path.name for path in folder.iterdir()} - _FILES:
        return False
    if not all(_TRAINER_FILES.fullmatch(path.name) for path in trainer.iterdir()):
        return False
    try:
        return read_state(folder).step == _step_of(folder)
    except CheckpointError:
        return False
