"""Optimisers by name, their parameter groups, and the learning-rate schedule."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from .settings import RunSettings


class SMORMS3(torch.optim.Optimizer):
    """RMSprop with a memory as long as the gradient is noisy (Funk, "RMSprop loses to SMORMS3", 2015).

    Each weight averages its gradient g and its square over its own number of recent steps; the steadier
    mean(g)^2 / mean(g^2) is, up to 1, the shorter the memory becomes and the longer the step. ``lr`` bounds the step,
    so it may be larger than AdamW's.

    Args:
        params: parameters or groups.
        lr: the largest step relative to the root mean square of the gradient.
        weight_decay: decoupled, as in AdamW.
        eps: added where a division by zero could be.
    """

    def __init__(self, params: Any, lr: float = 1e-3, weight_decay: float = 0.0, eps: float = 1e-16) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        if closure is not None:
            raise ValueError("SMORMS3 takes no closure")
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(self, parameter: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["memory"] = torch.ones_like(parameter)
            state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        memory, mean, square = state["memory"], state["mean"], state["square"]
        forget = 1.0 / (memory + 1.0)
        mean.lerp_(gradient, forget)
        square.lerp_(gradient.square(), forget)
        steadiness = mean.square() / (square + group["eps"])
        memory.mul_(1.0 - steadiness).add_(1.0)
        parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
        parameter.sub_(gradient * steadiness.clamp_max(group["lr"]) / (square.sqrt() + group["eps"]))


def make_optimizer(module: nn.Module, settings: RunSettings) -> torch.optim.Optimizer:
    """The optimiser that ``settings`` name, over the trainable parameters of ``module``."""
    groups = decay_groups(module, settings.weight_decay)
    if settings.optimizer == "smorms3":
        return SMORMS3(groups, lr=settings.learning_rate)
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=settings.betas, foreach=True)


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
