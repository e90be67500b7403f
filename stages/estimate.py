"""The cost of a run, measured on one batch of its own data: ``triforce-tts train ... --dry-run``."""

import time
from dataclasses import fields
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.flop_counter import FlopCounterMode

from triforce_tts.batches import Batch, stream
from triforce_tts.models.layers import count_parameters
from triforce_tts.wording import counted, length

from .trainer.optim import make_optimizer
from .trainer.settings import RunSettings
from .trainer.task import Task, order_of

_GB = 1e9
_FEW = 4  # The estimate runs so many samples.


def estimate(task: Task[Any, Any], settings: RunSettings, days: float) -> list[str]:
    """Lines for the user: parameters, memory and arithmetic of a step, and the speed that a run of ``days`` needs.

    The first samples of the first batch are run, padded as the whole batch is: all but the weights' own copies grows
    with the number of samples. Nothing is updated or written.
    """
    network = task.module.network
    batch = next(stream(order_of(task, settings), task.sample, task.collate))
    parts = batch.split(settings.mega_batch_factor)
    samples = len(parts[0])
    network.recompute = settings.recompute
    activations = _grown(task, batch, samples, settings)
    flops = (
        _measure(task, batch, min(_FEW, len(batch)), settings, backward=True)[1] * len(batch) / min(_FEW, len(batch))
    )
    block = 0.0
    if settings.recompute:
        network.recompute = False
        block = (_grown(task, batch, samples, settings) - activations) / max(1, len(network.recomputed_blocks))
    parameters = count_parameters(network)
    moments = 3 if settings.optimizer == "smorms3" else 2
    copies = 2 + bool(settings.ema) + moments
    state = 4 * parameters * copies
    seconds = task.seconds(batch)
    lines = [
        f"parameters      {parameters / 1e6:.2f} M: "
        + ", ".join(f"{name} {count_parameters(child) / 1e6:.2f}" for name, child in network.named_children()),
        f"optimiser       {type(make_optimizer(task.module, settings)).__name__}",
        f"data            {counted(len(task.durations_s), 'sample')}, {length(sum(task.durations_s))} an epoch",
        f"step            {counted(settings.batch_size, 'sample')}, {seconds:.1f} s of sound, "
        f"in {counted(len(parts), 'part')} of {samples}",
        f"memory          {(state + activations + block) / _GB:.3f} GB = state {state / _GB:.3f} "
        + f"+ activations {activations / _GB:.3f}"
        + (f" + a block made again {block / _GB:.3f}" if settings.recompute else ""),
        f"                state: {parameters / 1e6:.2f} M x 4 bytes x {copies} (weights, gradients, {moments} moments"
        + (", average)" if settings.ema else ")")
        + ("; run.shard splits it over the processes" if settings.shard else ""),
        f"                activations: kept for the backward pass of a part of {samples} x {_longest(batch)}, one process; "
        "buffers of libraries are not counted",
        f"arithmetic      {flops / 1e12:.4g} TFLOP a step (matrix products and convolutions, forward and backward"
        + (", blocks made again)" if settings.recompute else ")"),
    ]
    if not settings.steps:
        end = time.strftime("until %Y-%m-%d %H:%M:%S", time.localtime(settings.ends_at))
        budget = f"{settings.minutes:g} minutes" if settings.minutes else end
        return [*lines, f"budget          {budget}: the number of steps depends on the machine"]
    needed = settings.steps / (days * 86400)
    return [
        *lines,
        f"budget          {settings.steps} steps = {settings.steps * flops / 1e15:.3g} PFLOP, "
        f"{length(settings.steps * seconds)} of sound, "
        f"{settings.steps * settings.batch_size / len(task.durations_s):.1f} epochs",
        f"to end in {days:g} {'day' if days == 1 else 'days'}: {needed:.3g} steps a second, "
        f"{needed * seconds:.3g} seconds of sound a second, {needed * flops / 1e12:.3g} TFLOP/s",
    ]


def _longest(batch: Batch) -> int:
    """The length of the second axis of the batch's first tensor: tokens or audio samples."""
    return int(getattr(batch, fields(batch)[0].name).shape[1])


def _grown(task: Task[Any, Any], batch: Batch, samples: int, settings: RunSettings) -> float:
    """The bytes kept for the backward pass of ``samples`` samples, on the line through two smaller numbers."""
    few, half = min(_FEW, len(batch)), max(1, min(_FEW, len(batch)) // 2)
    most, least = (_measure(task, batch, count, settings)[0] for count in (few, half))
    slope = (most - least) / (few - half) if few > half else most / few
    return most + slope * (samples - few)


def _measure(
    task: Task[Any, Any], batch: Batch, samples: int, settings: RunSettings, backward: bool = False
) -> tuple[int, int]:
    """The bytes kept for the backward pass of the first ``samples`` samples, and the FLOP, with that pass if asked.

    What is kept is let go of at once unless the backward pass needs it. A network of ``large`` would take more memory
    than a workstation has.
    """
    first = type(batch)(**{field.name: getattr(batch, field.name)[:samples] for field in fields(batch)})
    # A reference that does not keep the memory still keeps the address of its storage from being given to another one.
    kept: dict[int, tuple[StorageWeakRef, int]] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor | None:
        storage = tensor.untyped_storage()
        reference = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
        kept[reference.cdata] = reference, storage.nbytes()
        return tensor if backward else None

    weights = {parameter.untyped_storage()._cdata for parameter in task.module.parameters()}
    counter = FlopCounterMode(display=False)
    with counter, torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.precision == "bf16"):
            loss, _ = task.module(first)
        stored_bytes = sum(size for place, (_, size) in kept.items() if place not in weights)
        if backward:
            loss.backward()
    return stored_bytes, counter.get_total_flops()
