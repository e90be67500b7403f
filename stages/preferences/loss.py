"""Losses on pairs: the network shall find the better rendition likelier than the worse one.

log P of a rendition is the sum over everything that was drawn after the prompt: the codes of each frame, and between the
frames the decision to go on to the next symbol of the text, or to end. Text and voice are given and cost nothing.

- ``dpo`` (Rafailov et al., "Direct Preference Optimization", 2023) is anchored to a reference, the network as it was:
  -log sigmoid(m) with m = beta ((log P(b) - log R(b)) - (log P(w) - log R(w))). With ``label_smoothing`` e it is
  -(1 - e) log sigmoid(m) - e log sigmoid(-m), for pairs of which a share e is the wrong way round (Mitchell, "A note on DPO
  with noisy preferences", 2023).
- ``simpo`` (Meng, Xia and Chen, "SimPO", 2024) has no reference: m = beta (mean log P(b) - mean log P(w)) - gamma, where the
  means are over the ids of a rendition.
- ``orpo`` (Hong, Lee and Thorne, "ORPO", 2024) has none either: m = log odds(b) - log odds(w), where odds = p / (1 - p) and p is
  the exponential of the mean log P. It needs the likelihood of the better one beside it: set ``nll_weight``.

``nll_weight`` adds the mean -log P of the better rendition's ids, without which DPO may make both less likely (Pang et al.,
"Iterative Reasoning Preference Optimization", 2024).
"""

import copy
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch.nn import functional as F

from triforce_tts.batches import Batch
from triforce_tts.models.gpt import GPT
from triforce_tts.schema import Config
from triforce_tts.sequences import PAD

from ..trainer.settings import Weight
from ..trainer.task import Losses


class PreferenceSettings(Config):
    """The settings of the loss; the head of this file explains them."""

    kind: Literal["dpo", "simpo", "orpo"] = "dpo"
    # the factor beta in the formulas of dpo and simpo
    beta: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 0.1
    # For simpo: how much likelier the better rendition shall be, in the unit of m.
    gamma: Weight = 0.0
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    # For dpo: use means over the ids of a rendition in place of sums; this needs a larger beta.
    by_length: bool = False
    nll_weight: Weight = 0.0

    @model_validator(mode="after")
    def _check(self) -> "PreferenceSettings":
        if self.gamma and self.kind != "simpo":
            raise ValueError(f"gamma belongs to kind simpo, and kind is {self.kind}: leave it 0")
        if self.by_length and self.kind != "dpo":
            raise ValueError(f"by_length belongs to kind dpo, and kind is {self.kind}, which takes means always")
        if self.kind == "orpo" and not self.nll_weight:
            raise ValueError("orpo needs the likelihood of the better rendition: set nll_weight")
        return self


@dataclass
class PairBatch(Batch):
    """Right-padded sequences of the better and the worse renditions, all of one length."""

    better: torch.Tensor  # ids [pairs, steps, width]
    better_mask: torch.Tensor  # [pairs, steps, width] bool: ids whose likelihood counts
    worse: torch.Tensor
    worse_mask: torch.Tensor
    speech_s: torch.Tensor  # [pairs]: seconds of both renditions

    def padded_share(self) -> float:
        """The share of the steps that is padding, 0 to 1."""
        return float((torch.cat((self.better, self.worse))[..., 0] == PAD).float().mean())


@dataclass(frozen=True)
class Likelihoods:
    """Log P of renditions in nats, and the number of their ids; each [pairs]."""

    better: torch.Tensor
    worse: torch.Tensor
    better_ids: torch.Tensor
    worse_ids: torch.Tensor

    @property
    def difference(self) -> torch.Tensor:
        """How much likelier the better rendition is."""
        return self.better - self.worse

    @property
    def means(self) -> "Likelihoods":
        """The same with means over ids in place of sums."""
        ones = torch.ones_like(self.better_ids)
        return Likelihoods(self.better / self.better_ids, self.worse / self.worse_ids, ones, ones)


def likelihoods(network: GPT, batch: PairBatch) -> Likelihoods:
    """Log P of the renditions of a batch, both of a pair in one pass."""
    mask = torch.cat((batch.better_mask, batch.worse_mask))
    nats = network(torch.cat((batch.better, batch.worse)), mask)
    placed = torch.zeros(mask.shape, device=nats.device).masked_scatter(mask, -nats.float())
    better, worse = placed.sum((1, 2)).chunk(2)
    better_ids, worse_ids = mask.sum((1, 2)).float().chunk(2)
    return Likelihoods(better, worse, better_ids, worse_ids)


def margins(policy: Likelihoods, reference: Likelihoods | None, settings: PreferenceSettings) -> torch.Tensor:
    """How strongly the network prefers the better renditions, [pairs]: m of the formulas, without gamma."""
    if settings.kind == "orpo":
        means = policy.means
        return _log_odds(means.better) - _log_odds(means.worse)
    if settings.kind == "simpo":
        return settings.beta * policy.means.difference
    assert reference is not None
    ours, theirs = (one.means if settings.by_length else one for one in (policy, reference))
    return settings.beta * (ours.difference - theirs.difference)


def _log_odds(log_p: torch.Tensor) -> torch.Tensor:
    return log_p - torch.log1p(-log_p.clamp_max(-1e-6).exp())


def preference_losses(margin: torch.Tensor, settings: PreferenceSettings) -> torch.Tensor:
    """The loss of each pair, [pairs], without the likelihood of the better rendition."""
    smoothing, m = settings.label_smoothing, margin - settings.gamma
    return -(1 - smoothing) * F.logsigmoid(m) - smoothing * F.logsigmoid(-m)


class PairLosses(Losses):
    """The GPT with a loss on pairs. The reference is a frozen copy, which a loss without a reference does not need."""

    network: GPT

    def __init__(self, network: GPT, settings: PreferenceSettings) -> None:
        super().__init__()
        self.network, self.settings = network, settings
        frozen = settings.kind == "dpo"
        # The list hides the reference from PyTorch: it is neither trained nor saved.
        self._reference = [copy.deepcopy(network).requires_grad_(False).eval()] if frozen else []

    def forward(self, batch: PairBatch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The summed loss of the pairs, and sums over pairs to log."""
        return self.judged(self.network, batch)

    def judged(self, network: GPT, batch: PairBatch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The result of ``forward`` for another ``network`` of the same kind, such as one with averaged weights."""
        policy = likelihoods(network, batch)
        margin = margins(policy, self._anchored(batch), self.settings)
        preference = preference_losses(margin, self.settings)
        nats = -policy.means.better
        logged = {
            "preference_loss": preference,
            "accuracy": (margin > 0).float(),
            "margin": margin,
            "nats_of_better": nats,
            "nats_of_worse": -policy.means.worse,
        }
        loss = (preference + self.settings.nll_weight * nats).sum()
        return loss, {name: value.detach().sum() for name, value in logged.items()}

    @torch.no_grad()
    def _anchored(self, batch: PairBatch) -> Likelihoods | None:
        if not self._reference:
            return None
        self._reference[0] = self._reference[0].to(batch.better.device)
        return likelihoods(self._reference[0], batch)
