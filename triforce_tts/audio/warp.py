"""Bends the time and the frequency of mels smoothly, as an augmentation; differentiable in the mel and in the bend.

Each axis has ``KNOTS`` places at equal distances that are moved, and straight lines between them; both ends stay where
they are. So every utterance keeps its length and its band, and an output frame past the end of an utterance is zero,
whatever the padding held: no frame reads past the last frame of its own utterance.
"""

from typing import Annotated

import torch
from pydantic import Field

from triforce_tts.schema import Config

# The number of knots of each axis; on two seconds of speech there is one every 0.4 s.
KNOTS = 4

# How far a knot moves at most to either side, in halves of the distance between two knots. Below 1, time never runs
# back.
Strength = Annotated[float, Field(ge=0, le=0.9, allow_inf_nan=False)]


class WarpSettings(Config):
    """How much mels are bent in training; 0: not at all."""

    time: Strength = 0.0
    bands: Strength = 0.0


def draw_warp(settings: WarpSettings, rng: torch.Generator) -> torch.Tensor:
    """How far each knot of time and frequency moves, [2, KNOTS] in distances between knots; [2, 0] without a warp.

    Nothing is drawn without a warp, so that the other random choices of a sample stay what they were.
    """
    if not (settings.time or settings.bands):
        return torch.zeros(2, 0)
    return (torch.rand(2, KNOTS, generator=rng) - 0.5) * torch.tensor([[settings.time], [settings.bands]])


def warp_mel(mel: torch.Tensor, lengths: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    """``mel`` with both axes bent. If all moves are 0 it is the same, except that the padding becomes zero.

    Args:
        mel: [batch, frames, n_mels].
        lengths: the number of frames of each utterance, [batch].
        moves: the moves of the knots of time and of frequency, [batch, 2, knots], as ``draw_warp`` draws them.
    """
    frames, bands = mel.shape[1:]
    over_time = _places(moves[:, 0], frames, (lengths - 1).clamp_min(0))
    over_bands = _places(moves[:, 1], bands, torch.full_like(lengths, bands - 1))
    bent = _read(mel, over_time, lengths - 1)
    bent = _read(bent.transpose(1, 2), over_bands, torch.full_like(lengths, bands - 1)).transpose(1, 2)
    outside = torch.arange(frames, device=mel.device)[None] >= lengths[:, None]
    return bent.masked_fill(outside[..., None], 0.0)


def _places(moves: torch.Tensor, count: int, last: torch.Tensor) -> torch.Tensor:
    """The place that each of ``count`` indices reads, [batch, count] in [0, last]; ``moves`` is [batch, knots]."""
    knots = moves.shape[1]
    spacing = last[:, None].to(moves.dtype) / (knots + 1)  # the distance between two knots, in indices
    index = torch.arange(count, device=moves.device, dtype=moves.dtype)[None]
    along = (index / spacing.clamp_min(1e-6)).clamp_max(knots + 1)
    before = along.floor().long().clamp_max(knots)
    ends = torch.nn.functional.pad(moves, (1, 1))  # neither end moves
    start, end = ends.gather(1, before), ends.gather(1, before + 1)
    move = start + (end - start) * (along - before)
    return (index + move * spacing).clamp_min(0.0).minimum(last[:, None].to(moves.dtype))


def _read(x: torch.Tensor, places: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """The values of ``x`` [batch, n, channels] at ``places`` [batch, n], by linear interpolation."""
    low = places.detach().floor().long()
    high = (low + 1).minimum(last[:, None].clamp_min(0))
    share = (places - low).unsqueeze(-1)
    first, second = (x.gather(1, side[..., None].expand(-1, -1, x.shape[2])) for side in (low, high))
    return first + (second - first) * share
