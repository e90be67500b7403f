"""Optimiser groups and the learning-rate schedule, as functions."""

import math
from typing import Any

from torch import nn


def decay_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Two parameter groups: matrices and kernels are decayed; biases, norms and other vectors are not."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def learning_rate_factor(step: int, warmup_steps: int, spent: float, final: float) -> float:
    """Share of the full learning rate: linear warm-up, then half a cosine down to ``final``.

    Args:
        step: updates done.
        warmup_steps: of the linear rise.
        spent: share of the budget that is used up, 0 to 1.
        final: share at the end.
    """
    warm = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(1.0, spent)))
    return warm * (final + (1.0 - final) * cosine)
