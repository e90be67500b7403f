"""The start of a run: anew, from other weights, or exactly where its latest checkpoint stopped."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from triforce_tts import checkpoint
from triforce_tts.errors import CheckpointError, TriforceError
from triforce_tts.files import marked_kind
from triforce_tts.schema import parse

from .lora import ADAPTER
from .progress import Progress
from .settings import RunSettings
from .sharding import split_like
from .state import (
    AVERAGE,
    OPTIMIZER,
    RAW,
    TRAINER,
    Lineage,
    Parameters,
    State,
    checkpoints_of,
    fits,
    grown_lineage,
    optimizer_state,
    read_state,
    read_tensors,
    require_accepted,
)
from .task import Task

OWN = "the configuration of this run"


@dataclass
class Start:
    """The state that a run starts from.

    Args:
        pointed: the name of the run's latest checkpoint; None for a new run.
        exact: the folder and state of the checkpoint from which the run goes on exactly; None if there is none.
        lineage: what the network is trained with now, and was trained with before.
        progress: the progress of the run so far.
        notes: notes for the user.
    """

    pointed: str | None
    exact: tuple[Path, State] | None
    lineage: Lineage
    progress: Progress = field(default_factory=Progress)
    notes: list[str] = field(default_factory=list)

    def anew(self, reason: str) -> None:
        """Record that the optimiser starts without its state, so that the learning rate warms up again."""
        self.progress.light_start = self.progress.step
        self.notes.append(f"{reason}: the optimiser starts anew; this is not an exact resume")

    def require_still(self, run: Path) -> None:
        """Refuse to go on if the run has a newer checkpoint; no other process can write there now.

        Raises:
            TriforceError: another process trained in this run.
        """
        if _pointed(run) != self.pointed:
            raise TriforceError(f"{run}: another process trained here meanwhile; start again to go on from there")


def find_start(task: Task[Any, Any], settings: RunSettings, run: Path, processes: int) -> Start:
    """Find the start of ``run``. The weights of ``init_from`` or of a light checkpoint are loaded here.

    Raises:
        CheckpointError: the checkpoint is damaged, or of another model, order of samples, data or DVAE.
    """
    network, pointed = task.module.network, _pointed(run)
    is_lost = pointed is not None and not os.path.lexists(run / "latest")
    if pointed is None:
        if settings.init_from:
            checkpoint.read_config(settings.init_from, task.name)
            file = checkpoint.locate(settings.init_from) / checkpoint.WEIGHTS
            checkpoint.load_state(network, network.taken_up(checkpoint.load_tensors(file)), str(file), OWN)
        start = Start(None, None, task.lineage())
        start.notes += _notes_of_first_weights(settings.init_from, start.lineage) if settings.init_from else []
        return start
    folder = checkpoint.locate(run / pointed)
    _require_same_model(task, folder)
    state, saved = read_state(folder), checkpoint.read_lineage(folder)
    lineage = grown_lineage(run, saved, task.lineage(), settings, state.step)
    start = Start(pointed, (folder, state), lineage, state.progress())
    # A copy of a run lacks its best checkpoint, and a figure of another kind or of other data cannot be compared.
    same_figure = state.keep_best in (None, settings.keep_best) and saved.get("data") == lineage["data"]
    if not (run / "best").exists() or not same_figure:
        start.progress.best, start.progress.worse = None, 0
    if is_lost:
        start.notes.append(f"{run}: has no file 'latest'; it goes on from its newest checkpoint, {pointed}")
    if state.light:
        checkpoint.load_weights(network, folder)
        start.exact = None
        start.anew(f"{run}: a light checkpoint")
        return start
    _require_same_order(run, settings, state)
    _require_same_adapters(run, folder, settings)
    if state.processes != processes:
        start.notes.append(
            f"{run}: was trained with {state.processes} processes, now {processes}: "
            "the samples of each step are the same; sums of floats and dropout are not"
        )
    return start


def _notes_of_first_weights(init_from: str, now: Lineage) -> list[str]:
    """A note for each thing that decides what numbers mean, and is another one than ``init_from`` was trained with.

    It is no error: a network also learns the codes of a DVAE that was trained on since.
    """
    was = checkpoint.read_lineage(init_from)
    return [
        f"run.init_from={init_from}: was trained with {what} {was[what]}, this run has {what} {now[what]}"
        for what in ("dvae", "tokenizer")
        if was.get(what) and now.get(what) not in (None, was[what])
    ]


def _pointed(run: Path) -> str | None:
    """The name of the checkpoint that ``run`` goes on from; None for a new run.

    It is the newest one where ``latest`` is missing: a kill came between the two, or a copy of the run lost it.

    Raises:
        CheckpointError: ``latest`` is there and names no checkpoint.
    """
    if os.path.lexists(run / "latest"):
        return checkpoint.locate(run).name
    own = checkpoints_of(run) if marked_kind(run) == "run" else []
    return own[-1].name if own else None


def _require_same_model(task: Task[Any, Any], folder: Path) -> None:
    saved, current = checkpoint.read_config(folder, task.name), task.config()
    for key, kind in task.parts.items():
        # Parsing gives the default value to a setting that the old checkpoint does not have yet.
        was, now = (parse(kind, config.get(key), f"{folder}: {key}") for config in (saved, current))
        if was != now:
            sides = (part.model_dump(mode="json") for part in (was, now))
            raise CheckpointError(
                f"{folder}: of the run's checkpoint {'; '.join(_differences(key, *sides))}; "
                "use the run's configuration or another RUN"
            )


def _differences(name: str, was: Any, now: Any) -> list[str]:
    """What differs between two values of the setting ``name``, by the names of its own settings."""
    if isinstance(was, dict) and isinstance(now, dict):
        keys = sorted(was.keys() | now.keys())
        return [line for key in keys for line in _differences(f"{name}.{key}", was.get(key), now.get(key))]
    return [] if was == now else [f"'{name}' is {was}, the configuration says {now}"]


def _require_same_order(run: Path, settings: RunSettings, state: State) -> None:
    for key in ("seed", "batch_size", "bucket_batches"):
        was, now = getattr(state, key), getattr(settings, key)
        if was not in (None, now):
            raise CheckpointError(
                f"{run}: was trained with run.{key}={was}, the configuration says {now}: the data order would "
                "differ; use the same or another RUN"
            )


def _require_same_adapters(run: Path, folder: Path, settings: RunSettings) -> None:
    """Refuse adapters of another rank than those that the checkpoint in ``folder`` holds.

    Raises:
        CheckpointError: the ranks differ; the message names both.
    """
    shapes = checkpoint.shapes_in(folder / TRAINER / RAW)
    was = max((shape[0] for name, shape in shapes.items() if ADAPTER in name), default=0)
    if was != settings.lora_rank:
        raise CheckpointError(
            f"{run}: was trained with run.lora_rank={was}, the configuration says {settings.lora_rank}; use the same, or "
            f"another RUN with run.init_from={run}"
        )


def average_file(folder: Path, settings: RunSettings) -> Path:
    """The file with a checkpoint's averaged weights; those of adapters cannot be told from the merged weights."""
    return folder / TRAINER / AVERAGE if settings.lora_rank else folder / checkpoint.WEIGHTS


def restored_average(folder: Path, settings: RunSettings, like: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The averaged weights in ``folder``, split and placed as the network's own, ``like``.

    Raises:
        CheckpointError: they are missing or damaged.
    """
    file = average_file(folder, settings)
    tensors = read_tensors(file)
    names = tensors.keys() ^ like.keys() or {name for name in like if tensors[name].shape != like[name].shape}
    if names:
        raise CheckpointError(
            f"{file}: the averaged weights do not fit the network, such as '{min(names)}'; the checkpoint is damaged"
        )
    return {name: split_like(value, like[name]) for name, value in tensors.items()}


def restored_optimizer(
    start: Start, settings: RunSettings, parameters: Parameters, like: Mapping[str, torch.Tensor]
) -> dict[int, dict[str, torch.Tensor]]:
    """The optimiser's state by number of parameter; nothing where another optimiser was accepted.

    Raises:
        CheckpointError: it is missing or damaged, or another optimiser's.
    """
    assert start.exact is not None
    folder, state = start.exact
    file, now = folder / TRAINER / OPTIMIZER, settings.optimizer
    tensors = read_tensors(file)
    was = state.optimizer or (now if fits(tensors, parameters) else "another one")
    if was != now:
        require_accepted(folder.parent, "optimizer", was, now, settings)
        start.anew(f"{folder.parent}: its optimiser was {was} and is now {now}")
        return {}
    states = optimizer_state(tensors, parameters, state, str(file))
    # Scalars, such as the number of updates, stay on the CPU, where the optimiser wants them.
    return {
        index: {key: split_like(v, like[name]) if v.dim() else v for key, v in moments.items()}
        for index, (moments, (name, _, _)) in enumerate(zip(states, parameters, strict=True))
        if moments
    }
