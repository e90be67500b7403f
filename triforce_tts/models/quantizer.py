"""Grouped finite scalar quantisation: each group of channels is rounded to a small grid (FSQ).

Mentzer et al., "Finite Scalar Quantization: VQ-VAE Made Simple", 2023. Every point of the grid is a code, so
there is no codebook to learn and none to collapse. Checked against ``vector-quantize-pytorch`` in the tests;
written out here because that package adds a second to every start.
"""

import math

import torch
from torch import nn


class GroupedFSQ(nn.Module):
    """Rounds ``groups`` x ``len(levels)`` channels a frame to a grid of ``levels``; one integer a group.

    Args:
        channels: channels of the sequence on either side.
        levels: grid points of each dimension of a group; their product is the number of codes.
        groups: codes a frame.
    """

    def __init__(self, channels: int, levels: tuple[int, ...], groups: int) -> None:
        super().__init__()
        self.levels, self.groups = levels, groups
        self.n_codes = math.prod(levels)
        self.project_in = nn.Linear(channels, groups * len(levels))
        self.project_out = nn.Linear(groups * len(levels), channels)
        sizes = torch.tensor(levels, dtype=torch.float32)
        self.register_buffer("_levels", sizes, persistent=False)
        basis = torch.cumprod(torch.tensor((1, *levels[:-1])), 0)
        self.register_buffer("_basis", basis, persistent=False)
        self._levels: torch.Tensor
        self._basis: torch.Tensor

    def bound(self, z: torch.Tensor, epsilon: float = 1e-3) -> torch.Tensor:
        """``z`` [..., dims] squashed so that rounding gives exactly ``levels`` values a dimension (paper, A.1)."""
        half = (self._levels - 1) * (1 + epsilon) / 2
        offset = torch.where(self._levels % 2 == 0, 0.5, 0.0)
        shift = (offset / half).atanh()
        return (z + shift).tanh() * half - offset

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Quantised sequence (straight-through gradient) and codes.

        Args:
            x: [batch, frames, channels].

        Returns:
            [batch, frames, channels] and [batch, frames, groups] int64 in [0, n_codes).
        """
        z = self.project_in(x).unflatten(-1, (self.groups, len(self.levels))).float()
        bounded = self.bound(z)
        rounded = bounded + (bounded.round() - bounded).detach()
        half_width = torch.div(self._levels, 2, rounding_mode="floor")
        grid = rounded / half_width
        codes = ((rounded.detach() + half_width) * self._basis).sum(-1).round().long()
        return self.project_out(grid.flatten(-2).to(x.dtype)), codes

    def embed(self, codes: torch.Tensor) -> torch.Tensor:
        """[batch, frames, channels] of ``codes`` [batch, frames, groups]: what ``forward`` returned for them."""
        half_width = torch.div(self._levels, 2, rounding_mode="floor")
        digits = torch.div(codes.unsqueeze(-1), self._basis, rounding_mode="floor") % self._levels.long()
        grid = (digits - half_width) / half_width
        out: torch.Tensor = self.project_out(grid.flatten(-2).to(self.project_out.weight.dtype))
        return out
