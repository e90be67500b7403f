"""What a run would cost, from one batch of its own data: ``triforce-tts train ... --dry-run``."""

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from triforce_tts.batches import Order, stream
from triforce_tts.models.layers import count_parameters

from .loop import Task
from .optim import make_optimizer
from .settings import RunSettings

_GB = 1e9


def estimate(task: Task[Any, Any], settings: RunSettings, days: float) -> list[str]:
    """Lines for the user: parameters, memory and arithmetic of a step, and the speed that ``days`` ask for.

    One forward and backward pass is run on the first batch as one process would load it; nothing is updated or
    written.
    """
    network = task.module.network
    network.recompute = settings.recompute
    order = Order(task.durations_s, settings.batch_size, settings.seed, settings.bucket_batches)
    batch = next(stream(order, task.sample, task.collate))
    parts = batch.split(settings.mega_batch_factor)
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    counter = FlopCounterMode(display=False)
    bf16 = settings.precision == "bf16"
    with counter, torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss, _ = task.module(parts[0])
        loss.backward()
    flops = counter.get_total_flops() * len(parts)
    activations = sum(size for place, size in kept.items() if place not in weights)
    parameters = count_parameters(network)
    # float32 throughout: weights, gradients, the average, and what the optimiser keeps a weight
    moments = 3 if settings.optimizer == "smorms3" else 2
    state = 4 * parameters * (2 + bool(settings.ema) + moments)
    seconds = task.seconds(batch)
    lines = [
        f"parameters      {parameters / 1e6:.2f} M: "
        + ", ".join(f"{name} {count_parameters(child) / 1e6:.2f}" for name, child in network.named_children()),
        f"optimiser       {type(make_optimizer(task.module, settings)).__name__}",
        f"data            {len(task.durations_s)} samples, {sum(task.durations_s) / 3600:.2f} h an epoch",
        f"step            {settings.batch_size} samples, {seconds:.1f} s of sound, in {len(parts)} part(s)",
        f"memory          {(state + activations) / _GB:.3f} GB: weights, gradients, average, optimiser {state / _GB:.3f}, "
        f"kept activations of a part {activations / _GB:.3f} (first batch, one process; libraries not counted)",
        f"arithmetic      {flops / 1e12:.4g} TFLOP a step (matrix products and convolutions, forward and backward)",
    ]
    if not settings.steps:
        return [*lines, f"budget          {settings.minutes:g} minutes: the number of steps depends on the machine"]
    needed = settings.steps / (days * 86400)
    return [
        *lines,
        f"budget          {settings.steps} steps = {settings.steps * flops / 1e15:.3f} PFLOP, "
        f"{settings.steps * seconds / 3600:.1f} h of sound, "
        f"{settings.steps * settings.batch_size / len(task.durations_s):.1f} epochs",
        f"to end in {days:g} day(s): {needed:.3f} steps a second, {needed * seconds:.0f} seconds of sound a second, "
        f"{needed * flops / 1e12:.3f} TFLOP/s",
    ]
