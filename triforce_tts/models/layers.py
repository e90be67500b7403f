"""Layers that two or more networks share. Sequences are [batch, frames, channels] unless a name says otherwise."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from triforce_tts.models.switched_conv import SwitchedConv1d


def frame_mask(lengths: torch.Tensor, frames: int) -> torch.Tensor:
    """1.0 where a frame lies inside its utterance, else 0.0: [batch, frames, 1] float32 of ``lengths`` [batch]."""
    inside = torch.arange(frames, device=lengths.device)[None] < lengths[:, None]
    return inside.unsqueeze(-1).float()


class MaskedConv(nn.Module):
    """A 1-D convolution over frames whose output is zeroed outside each utterance.

    A clip on its own would be padded with zeros too. So a frame depends on its receptive field alone, and never on the
    other clips of the batch.
    """

    def __init__(self, inputs: int, outputs: int, kernel_size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv: nn.Conv1d | SwitchedConv1d = nn.Conv1d(
            inputs, outputs, kernel_size, stride, padding=(kernel_size - 1) // 2
        )

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """[batch, frames // stride, outputs] of ``x`` [batch, frames, inputs]; ``mask`` has the output's frames."""
        # What a switched convolution chooses outside of the utterances is no choice.
        more = (mask.squeeze(-1),) if isinstance(self.conv, SwitchedConv1d) else ()
        y: torch.Tensor = self.conv(x.transpose(1, 2), *more).transpose(1, 2)
        return y * mask.to(y.dtype)


class ResidualBlock(nn.Module):
    """x + conv(act(conv(act(norm(x))))); the norm goes over the channels of each frame alone."""

    def __init__(self, channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.conv_in = MaskedConv(channels, channels, kernel_size)
        self.conv_out = MaskedConv(channels, channels, 1)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Same shape as ``x`` [batch, frames, channels]."""
        hidden = self.conv_in(F.silu(self.norm(x)) * mask.to(x.dtype), mask)
        out: torch.Tensor = x + self.conv_out(F.silu(hidden), mask)
        return out


class Network(nn.Module):
    """The base of the three networks, with the properties that the trainer and the synthesis need."""

    recompute = False  # whether the backward pass computes the activations of a block again instead of keeping them

    @property
    def device(self) -> torch.device:
        """The device of the weights; the network's inputs must be there too."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The number format of the weights."""
        return next(self.parameters()).dtype

    @property
    def recomputed_blocks(self) -> list[nn.Module]:
        """The blocks whose activations ``recompute`` concerns: those that go through ``run_block``."""
        return []

    def taken_up(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The tensors of an earlier form of this network, in the form in which training goes on with them."""
        return tensors


def run_block(block: nn.Module, recompute: bool, *inputs: Any) -> torch.Tensor:
    """``block(*inputs)``; with ``recompute`` the backward pass computes its activations again instead of keeping them.

    Memory then holds one tensor for each block instead of all activations, for about a third more work (Chen et al.,
    "Training deep nets with sublinear memory cost", 2016).
    """
    if recompute and torch.is_grad_enabled():
        out: torch.Tensor = checkpoint(block, *inputs, use_reentrant=False)
        return out
    out = block(*inputs)
    return out


def count_parameters(module: nn.Module) -> int:
    """The number of values in the parameters of ``module``; shared parameters count once."""
    return sum(parameter.numel() for parameter in module.parameters())
