"""From channels to integers and back: grouped finite scalar quantisation, and two older ways to compare it with.

``GroupedFSQ`` is the default. ``GroupedVQ`` has a codebook that is learnt by running means, ``GroupedGumbel`` learns to
choose among codes; docs/dvae.md compares the three. Each takes [batch, frames, channels] and a mask of the real frames.
Each returns the quantised sequence, the codes [batch, frames, groups], and a penalty to add to the loss, which is
summed over the real frames.
"""

import math
from itertools import accumulate
from operator import mul

import torch
from torch import nn
from torch.nn import functional as F

Quantised = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class GroupedFSQ(nn.Module):
    """Rounds ``groups`` x ``len(levels)`` channels a frame to a grid of ``levels``; one integer a group.

    Mentzer et al., "Finite Scalar Quantization: VQ-VAE Made Simple", 2023. Every point of the grid is a code, so
    there is no codebook to learn and none to collapse. The tests compare it with
    ``vector-quantize-pytorch``. It is written out here because importing that package takes a second.

    Args:
        channels: channels of the sequence, before and after.
        levels: grid points of each dimension of a group; their product is the number of codes.
        groups: codes in a frame.
    """

    def __init__(self, channels: int, levels: tuple[int, ...], groups: int) -> None:
        super().__init__()
        self.levels, self.groups = levels, groups
        self.n_codes = math.prod(levels)
        self.project_in = nn.Linear(channels, groups * len(levels))
        self.project_out = nn.Linear(groups * len(levels), channels)
        sizes = torch.tensor(levels, dtype=torch.float32)
        self.register_buffer("_levels", sizes, persistent=False)
        # torch.cumprod is not used, because its rules for tensors without memory take a second to import.
        basis = list(accumulate((1, *levels[:-1]), mul))
        self.register_buffer("_basis", torch.tensor(basis), persistent=False)
        self._levels: torch.Tensor
        self._basis: torch.Tensor

    def bound(self, z: torch.Tensor, epsilon: float = 1e-3) -> torch.Tensor:
        """``z`` [..., dims] squashed so that rounding gives exactly ``levels`` values a dimension (paper, A.1)."""
        half = (self._levels - 1) * (1 + epsilon) / 2
        offset = torch.where(self._levels % 2 == 0, 0.5, 0.0)
        shift = (offset / half).atanh()
        return (z + shift).tanh() * half - offset

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> Quantised:
        """Quantised sequence (straight-through gradient), codes in [0, n_codes), and no penalty."""
        z = self.project_in(x).unflatten(-1, (self.groups, len(self.levels))).float()
        bounded = self.bound(z)
        rounded = bounded + (bounded.round() - bounded).detach()
        half_width = torch.div(self._levels, 2, rounding_mode="floor")
        grid = rounded / half_width
        codes = ((rounded.detach() + half_width) * self._basis).sum(-1).round().long()
        return self.project_out(grid.flatten(-2).to(x.dtype)), codes, x.new_zeros(())

    def embed(self, codes: torch.Tensor) -> torch.Tensor:
        """[batch, frames, channels] of ``codes`` [batch, frames, groups]: the quantised sequence of ``forward``."""
        half_width = torch.div(self._levels, 2, rounding_mode="floor")
        digits = torch.div(codes.unsqueeze(-1), self._basis, rounding_mode="floor") % self._levels.long()
        grid = (digits - half_width) / half_width
        out: torch.Tensor = self.project_out(grid.flatten(-2).to(self.project_out.weight.dtype))
        return out


class GroupedVQ(nn.Module):
    """The nearest of ``n_codes`` learnt vectors in each group. A vector is the running mean of the inputs nearest it.

    van den Oord et al., "Neural Discrete Representation Learning", 2017, appendix A.1; look-up in a few dimensions as
    in Yu et al. (ViT-VQGAN, 2022). A code that was not chosen for long restarts at a vector of the batch (Dhariwal et
    al., "Jukebox", 2020); without that, most codes would fall out of use in the first hundred steps.

    Args:
        channels: channels of the sequence, before and after.
        n_codes: vectors in a group.
        groups: codes in a frame.
        code_dim: numbers in a vector.
    """

    decay = 0.99  # a running mean keeps this share of itself in each step
    commitment = 0.25  # weight of the distance between the encoder's output and its code
    least_use = 0.1  # a code whose running count falls below this restarts

    def __init__(self, channels: int, n_codes: int, groups: int, code_dim: int) -> None:
        super().__init__()
        self.n_codes, self.groups = n_codes, groups
        self.project_in = nn.Linear(channels, groups * code_dim)
        self.project_out = nn.Linear(groups * code_dim, channels)
        self.register_buffer("codebook", torch.randn(groups, n_codes, code_dim))
        self.register_buffer("counts", torch.ones(groups, n_codes))
        self.register_buffer("sums", torch.zeros(groups, n_codes, code_dim))
        self.sums: torch.Tensor
        self.counts: torch.Tensor
        self.codebook: torch.Tensor
        self.sums.copy_(self.codebook)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> Quantised:
        """Quantised sequence (straight-through gradient), codes, and the commitment penalty."""
        z = self.project_in(x).unflatten(-1, (self.groups, -1)).float()  # [batch, frames, groups, dim]
        codes = self._nearest(z)
        real = torch.ones(z.shape[:2], dtype=torch.bool, device=z.device) if mask is None else mask.squeeze(-1) > 0
        # The vectors are taken before the codebook moves, because the decoder sees these vectors in this step.
        chosen = self._vectors(codes)
        if self.training:
            self._follow(z.detach()[real], codes[real])
        penalty = self.commitment * ((z - chosen).square().mean((-1, -2)) * real).sum()
        through = z + (chosen - z).detach()
        return self.project_out(through.flatten(-2).to(x.dtype)), codes, penalty

    def embed(self, codes: torch.Tensor) -> torch.Tensor:
        """[batch, frames, channels] of ``codes`` [batch, frames, groups]."""
        out: torch.Tensor = self.project_out(self._vectors(codes).flatten(-2).to(self.project_out.weight.dtype))
        return out

    def _vectors(self, codes: torch.Tensor) -> torch.Tensor:
        return torch.stack([self.codebook[group][codes[..., group]] for group in range(self.groups)], dim=-2)

    def _nearest(self, z: torch.Tensor) -> torch.Tensor:
        nearest = [
            torch.cdist(z[..., group, :].flatten(0, 1), self.codebook[group]).argmin(-1) for group in range(self.groups)
        ]
        return torch.stack(nearest, dim=-1).reshape(*z.shape[:2], self.groups)

    @torch.no_grad()
    def _follow(self, z: torch.Tensor, codes: torch.Tensor) -> None:
        """Move the codebook towards ``z`` [n, groups, dim] as chosen by ``codes`` [n, groups]; restart unused codes."""
        for group in range(self.groups):
            vectors, chosen = z[:, group], codes[:, group]
            counts = torch.bincount(chosen, minlength=self.n_codes).float()
            sums = torch.zeros_like(self.sums[group]).index_add_(0, chosen, vectors)
            if torch.distributed.is_available() and torch.distributed.is_initialized():
                torch.distributed.all_reduce(counts)
                torch.distributed.all_reduce(sums)
            self.counts[group].lerp_(counts, 1 - self.decay)
            self.sums[group].lerp_(sums, 1 - self.decay)
            fresh = vectors[torch.randint(len(vectors), (self.n_codes,), device=vectors.device)]
            if torch.distributed.is_available() and torch.distributed.is_initialized():
                torch.distributed.broadcast(fresh, 0)  # All processes must have the same codebook.
            unused = (self.counts[group] < self.least_use)[:, None]
            self.sums[group].copy_(torch.where(unused, fresh, self.sums[group]))
            self.counts[group].copy_(torch.where(unused[:, 0], 1.0, self.counts[group]))
            self.codebook[group].copy_(self.sums[group] / self.counts[group][:, None])


class GroupedGumbel(nn.Module):
    """A choice among ``n_codes`` in each group, made with Gumbel noise in training and by the largest logit after.

    Jang et al., "Categorical Reparameterization with Gumbel-Softmax", 2017; straight-through, as in the seed of this
    project. The temperature falls from 1 to ``coolest`` over training steps.

    Args:
        channels: channels of the sequence, before and after.
        n_codes: choices in a group.
        groups: codes in a frame.
        code_dim: numbers in the vector of a code.
    """

    coolest, cooling = 0.5, 2e-4  # temperature is max(coolest, exp(-cooling * step))
    spread = 5e-3  # weight of how far the mean choice is from uniform, in nats; without it most codes are never tried

    def __init__(self, channels: int, n_codes: int, groups: int, code_dim: int) -> None:
        super().__init__()
        self.n_codes, self.groups = n_codes, groups
        self.project_in = nn.Linear(channels, groups * n_codes)
        self.codebook = nn.Parameter(torch.randn(groups, n_codes, code_dim))
        self.project_out = nn.Linear(groups * code_dim, channels)
        self.register_buffer("steps", torch.zeros(()))
        self.steps: torch.Tensor

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> Quantised:
        """Quantised sequence (straight-through gradient), codes, and the penalty for a lopsided choice."""
        logits = self.project_in(x).unflatten(-1, (self.groups, self.n_codes)).float()
        if self.training:
            temperature = max(self.coolest, math.exp(-self.cooling * float(self.steps)))
            self.steps += 1
            choice = F.gumbel_softmax(logits, temperature, hard=True)
        else:
            choice = F.one_hot(logits.argmax(-1), self.n_codes).float()
        real = x.new_ones(x.shape[0], x.shape[1], 1) if mask is None else mask
        frames = real.sum().clamp_min(1.0)
        mean = (logits.softmax(-1) * real[..., None]).sum((0, 1)) / frames  # [groups, n_codes]
        lopsided = (mean * (mean.clamp_min(1e-9) * self.n_codes).log()).sum(-1).mean()  # KL from uniform, nats
        vectors = torch.einsum("bfgk,gkd->bfgd", choice, self.codebook)
        return self.project_out(vectors.flatten(-2).to(x.dtype)), choice.argmax(-1), self.spread * lopsided * frames

    def embed(self, codes: torch.Tensor) -> torch.Tensor:
        """[batch, frames, channels] of ``codes`` [batch, frames, groups]."""
        vectors = torch.stack([self.codebook[group][codes[..., group]] for group in range(self.groups)], dim=-2)
        out: torch.Tensor = self.project_out(vectors.flatten(-2).to(self.project_out.weight.dtype))
        return out
