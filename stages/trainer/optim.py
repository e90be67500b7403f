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


class Muon(torch.optim.AdamW):
    """AdamW, but for matrices inside the network, whose steps are orthogonalised.

    The momentum of a matrix is replaced by the nearest orthogonal matrix, so that all its directions learn at one pace,
    not the loud ones alone (Jordan et al., "Muon", 2024). Steps are scaled to AdamW's size, 0.2 * sqrt(longer side) (Liu et
    al., "Muon is scalable for LLM training", 2025), so that one learning rate serves both. Matrices of one shape are
    orthogonalised together: on a CPU that is a twentieth of a training step.

    Args:
        groups: as for AdamW; a group with ``orthogonal`` True holds matrices alone.
        lr: of both.
        betas: of AdamW.
    """

    MOMENTUM = 0.95
    NEWTON_SCHULZ = (
        3.4445,
        -4.7750,
        2.0315,
    )  # coefficients of a quintic polynomial that is steep at zero (Jordan et al., 2024)
    ITERATIONS = 5

    def __init__(self, groups: list[dict[str, Any]], lr: float, betas: tuple[float, float]) -> None:
        super().__init__([{"orthogonal": False, **group} for group in groups], lr=lr, betas=betas, foreach=True)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        if closure is not None:
            raise ValueError("Muon takes no closure")
        groups = self.param_groups
        try:
            self.param_groups = [group for group in groups if not group["orthogonal"]]
            super().step()
        finally:
            self.param_groups = groups
        for group in groups:
            if group["orthogonal"]:
                self._update(group)

    def _update(self, group: dict[str, Any]) -> None:
        by_shape: dict[torch.Size, list[torch.Tensor]] = {}
        for parameter in group["params"]:
            if parameter.grad is not None:
                by_shape.setdefault(parameter.shape, []).append(parameter)
        for shape, parameters in by_shape.items():
            steps = orthogonalised(torch.stack([self._momentum(p) for p in parameters]))
            size = 0.2 * max(shape) ** 0.5 * group["lr"]
            for parameter, step in zip(parameters, steps, strict=True):
                parameter.mul_(1.0 - group["lr"] * group["weight_decay"]).add_(step, alpha=-size)

    def _momentum(self, parameter: torch.Tensor) -> torch.Tensor:
        """Nesterov's momentum: the running mean of gradients with the latest gradient counted once more."""
        assert parameter.grad is not None
        state = self.state[parameter]
        if not state:
            state["step"], state["momentum"] = (
                torch.tensor(0.0),
                torch.zeros_like(parameter),
            )  # AdamW expects the key "step".
        state["step"] += 1
        mean: torch.Tensor = state["momentum"].lerp_(parameter.grad, 1.0 - self.MOMENTUM)
        return parameter.grad.lerp(mean, self.MOMENTUM)


def orthogonalised(matrices: torch.Tensor) -> torch.Tensor:
    """Nearly the nearest orthogonal matrices to ``matrices`` [n, rows, columns]: singular values near 1 (0.7 to 1.2).

    Newton-Schulz iterations in bfloat16, which their coefficients bear (Jordan et al., 2024); on a CPU in float32,
    because a CPU without instructions for bfloat16 takes forty times as long for it (docs/decisions.md).
    """
    a, b, c = Muon.NEWTON_SCHULZ
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.float() if matrices.device.type == "cpu" else matrices.bfloat16()
    x = x.mT if tall else x
    x = x / x.flatten(1).norm(dim=1).clamp_min(1e-7)[:, None, None]
    for _ in range(Muon.ITERATIONS):
        gram = torch.bmm(x, x.mT)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)


def make_optimizer(module: nn.Module, settings: RunSettings) -> torch.optim.Optimizer:
    """The optimiser that ``settings`` name, over the trainable parameters of ``module``."""
    groups = decay_groups(module, settings.weight_decay)
    if settings.optimizer == "smorms3":
        return SMORMS3(groups, lr=settings.learning_rate)
    if settings.optimizer == "muon":
        inner = _inner_matrices(module)
        rest = [{**g, "params": [p for p in g["params"] if id(p) not in inner]} for g in groups]
        matrices = [p for p in groups[0]["params"] if id(p) in inner]
        chosen = [*rest, {"params": matrices, "weight_decay": settings.weight_decay, "orthogonal": True}]
        return Muon([g for g in chosen if g["params"]], settings.learning_rate, settings.betas)
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=settings.betas, foreach=True)


def state_names(optimizer: str, group: dict[str, Any]) -> tuple[str, ...]:
    """The names of the tensors that the optimiser of this name keeps of each parameter of a ``group``."""
    if optimizer == "smorms3":
        return ("memory", "mean", "square")
    if group.get("orthogonal"):
        return ("step", "momentum")
    return ("step", "exp_avg", "exp_avg_sq")


def _inner_matrices(module: nn.Module) -> set[int]:
    """The ids of the weights of linear layers; embedding tables are left out, even one that is the output layer."""
    tables = {id(m.weight) for m in module.modules() if isinstance(m, nn.Embedding)}
    return {id(m.weight) for m in module.modules() if isinstance(m, nn.Linear)} - tables


def decay_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Two parameter groups: matrices and kernels are decayed; biases, norms and other vectors are not."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def learning_rate_factor(step: int, warmup_steps: int, spent: float, final: float) -> float:
    """The share of the full learning rate: a linear warm-up, then half a cosine down to ``final``.

    Args:
        step: the number of updates done.
        warmup_steps: the steps of the linear rise.
        spent: the share of the budget that is used up, 0 to 1.
        final: the share at the end.
    """
    warm = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(1.0, spent)))
    return warm * (final + (1.0 - final) * cosine)
