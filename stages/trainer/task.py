"""The interface of a stage to the training loop: samples, batches, a loss, and figures to judge it by."""

import math
from collections.abc import Sequence, Sized
from typing import Any, ClassVar, Protocol, TypeVar

import torch
from torch import nn

from triforce_tts.batches import Batch, Order
from triforce_tts.models.layers import Network
from triforce_tts.schema import Config

from .preview import Preview
from .settings import RunSettings

BatchT = TypeVar("BatchT", bound=Batch)
ItemT = TypeVar("ItemT")


class Losses(nn.Module):
    """A network with its loss: ``forward(batch)`` gives the summed loss and sums to log."""

    network: Network
    step = 0  # The number of updates done. The loop sets it, for losses that change in the course of training.


class Task(Protocol[ItemT, BatchT]):
    """A stage, as the loop sees it. A sample is known by its index in ``durations_s``."""

    name: str
    parts: ClassVar[
        dict[str, type[Config]]
    ]  # the entries of config() that decide the shapes and the meaning of the weights
    module: Losses
    durations_s: tuple[float, ...]
    keys: Sequence[str]
    notes: Sequence[str]  # what the user should know at the start, such as which samples cannot be used
    heldout: Sized
    expected_first_loss: float | None
    # The held-out figures that fall as the network gets better; run.keep_best names one of them.
    errors: Sequence[str]
    criterion: str  # the logged figure that a user would judge by, such as the error in nats

    def sample(self, index: int, rng: torch.Generator) -> ItemT:
        """Sample ``index`` with its random choices drawn from ``rng``."""
        ...

    def length(self, index: int, rng: torch.Generator) -> float:
        """The rough length of ``sample`` with the same arguments, in any unit; similar lengths are batched together."""
        ...

    def collate(self, items: Sequence[ItemT]) -> BatchT:
        """A batch of samples."""
        ...

    def weight(self, batch: BatchT) -> float:
        """The number of terms that the batch's loss sums over."""
        ...

    def seconds(self, batch: BatchT) -> float:
        """The seconds of sound in the batch."""
        ...

    def validate(self, network: nn.Module, device: torch.device, samples: int) -> dict[str, float]:
        """The figures over the first ``samples`` held-out samples."""
        ...

    def preview(self, network: nn.Module, device: torch.device, index: int) -> Preview:
        """Held-out sample ``index`` as the network reproduces it, to be looked at and listened to."""
        ...

    def config(self) -> dict[str, Any]:
        """The content of a checkpoint's config.json."""
        ...

    def lineage(self) -> dict[str, Any]:
        """What the network was trained with."""
        ...


def order_of(task: Task[ItemT, BatchT], settings: RunSettings) -> Order:
    """The order in which the samples of ``task`` come."""
    return Order(task.durations_s, settings.batch_size, settings.seed, settings.bucket_batches, task.length)


def mean(total: float, count: float) -> float:
    """The mean, or NaN if there are no values."""
    return total / count if count else math.nan
