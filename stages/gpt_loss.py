"""The loss of stage 2: cross-entropy, nats a token, and attention that is guided along the text where it is asked for."""

from dataclasses import dataclass

import torch

from triforce_tts.batches import Batch
from triforce_tts.models.gpt import GPT
from triforce_tts.sequences import PAD

from .gpt_settings import SequenceSettings
from .trainer.task import Losses


@dataclass
class Tokens(Batch):
    """Right-padded sequences."""

    ids: torch.Tensor  # [batch, steps, width]
    weights: torch.Tensor  # the weight of each id as a target, [batch, steps, width]
    # [batch, 4]: for 'speak', the start and end of the text, and the start and end of the speech; else zeros
    spans: torch.Tensor
    speech_s: torch.Tensor  # [batch]: seconds of speech

    def padded_share(self) -> float:
        """The share of the steps that is padding, 0 to 1."""
        return float((self.ids[..., 0] == PAD).float().mean())


def place_weights(steps: torch.Tensor, weights: list[float]) -> torch.Tensor:
    """The weight of each id of ``steps`` [steps, width], in the same places; 0 of PAD."""
    placed = torch.zeros(steps.shape)
    placed[steps != PAD] = torch.tensor(weights)
    return placed


class GPTLosses(Losses):
    """The GPT with weighted next-token cross-entropy, and guided attention where it is asked for."""

    network: GPT

    def __init__(self, network: GPT, data: SequenceSettings) -> None:
        super().__init__()
        self.network, self.data = network, data

    def forward(self, batch: Tokens) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The weighted sum of -log P over targets, in nats."""
        mask = batch.weights > 0
        probe = dict.fromkeys(self.data.guide_layers, batch.weights) if self.data.guide_weight else None
        nats = (self.network(batch.ids, mask, probe) * batch.weights[mask]).sum()
        if not probe:
            return nats, {"nats": nats.detach()}
        off = [guided_attention(scores, batch.spans, self.data.guide_width) for scores in probe.values()]
        guide = torch.stack(off).mean()
        return nats + self.data.guide_weight * guide, {"nats": nats.detach(), "guide": guide.detach()}


def guided_attention(scores: torch.Tensor, spans: torch.Tensor, width: float) -> torch.Tensor:
    """How far attention from speech to text strays from the diagonal, summed over speech tokens.

    Speech runs through its text from left to right at a nearly even pace, so a head that is to read is told where
    to look: attention among text tokens is charged 1 - exp(-d^2 / 2 width^2), d the distance of the two relative
    places (Tachibana et al., "Efficiently trainable text-to-speech ... with guided attention", 2018). Finding the
    alignment is what costs small models most of their training.

    Args:
        scores: of one head, before softmax, [batch, tokens, tokens].
        spans: start and end of the text and of the speech, [batch, 4].
        width: of the free diagonal, share of the length.
    """
    place = torch.arange(scores.shape[1], device=scores.device)[None]
    text_start, text_end, speech_start, speech_end = (spans[:, i : i + 1] for i in range(4))
    is_text = (place >= text_start) & (place < text_end)
    is_speech = (place >= speech_start) & (place < speech_end)
    along_text = (place - text_start) / (text_end - text_start).clamp_min(1)
    along_speech = (place - speech_start) / (speech_end - speech_start).clamp_min(1)
    distance = along_speech[:, :, None] - along_text[:, None, :]
    charge = 1.0 - torch.exp(-distance.square() / (2.0 * width**2))
    attention = scores.masked_fill(~is_text[:, None, :], -1e9).softmax(dim=-1)
    return ((attention * charge).sum(-1) * is_speech).sum()
