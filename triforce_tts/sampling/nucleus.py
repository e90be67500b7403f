"""Chooses an id by nucleus sampling, with a given uniform number, and guides the choice."""

from dataclasses import dataclass

import torch

from triforce_tts import bounds


@dataclass(frozen=True)
class TokenSampling:
    """The settings for drawing tokens. ``temperature`` 0 takes the likeliest."""

    # The temperature for codes; it was chosen on held-out synthetic texts (docs/decisions.md).
    temperature: float = 0.4
    top_p: float = 0.9
    # How far codes are drawn away from those that would follow without text and voice (guidance.py); 1 is no guidance.
    guidance: float = 1.0

    def __post_init__(self) -> None:
        """Refuse numbers with which nothing can be drawn."""
        bounds.TEMPERATURE.check("temperature", self.temperature)
        bounds.TOP_P.check("top_p", self.top_p)
        bounds.GUIDANCE.check("guidance", self.guidance)


def guided(logits: torch.Tensor, unconditional: torch.Tensor, scale: float) -> torch.Tensor:
    """``logits`` moved away from ``unconditional`` (same shape); ``scale`` 1 leaves them as they are."""
    return unconditional + scale * (logits - unconditional)


def pick(logits: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling) -> torch.Tensor:
    """One id a row, [batch] int64, from ``logits`` [batch, vocabulary] (-inf where forbidden).

    Nucleus sampling (Holtzman et al., 2020): the fewest likeliest ids that hold ``top_p`` of the mass, chosen by
    where ``uniforms`` [batch] fall in their cumulative sum.
    """
    if sampling.temperature == 0.0:
        return logits.argmax(dim=-1)
    probabilities, order = (logits.float() / sampling.temperature).softmax(dim=-1).sort(dim=-1, descending=True)
    before = probabilities.cumsum(dim=-1) - probabilities
    nucleus = torch.where(before < sampling.top_p, probabilities, 0.0)
    cumulative = nucleus.cumsum(dim=-1)
    target = uniforms[:, None] * cumulative[:, -1:]
    rank = (cumulative <= target).sum(dim=-1, keepdim=True).clamp_max(logits.shape[-1] - 1)
    # A uniform next to 1 may be rounded past the nucleus; it then means the last id inside.
    rank = torch.minimum(rank, (nucleus > 0).sum(dim=-1, keepdim=True) - 1)
    return order.gather(-1, rank).squeeze(-1)
