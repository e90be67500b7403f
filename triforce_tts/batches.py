"""The samples of each training step: a pure function of the seed and the step, so that resuming needs no state.

All epochs are one endless stream of positions. Epoch e is a permutation of the samples, seeded by (seed, e). The global
batch of a step is the same for any number of processes. Of P processes each takes every P-th position of it, so every
position is read once and all processes make the same number of steps. The samples that are left at the end of an epoch
are the first of the next epoch's first batch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset

from triforce_tts.errors import TriforceError

ItemT = TypeVar("ItemT")
BatchT = TypeVar("BatchT", bound="Batch")

# Each seed contains one of these, so that the three uses never share random numbers.
_SAMPLE, _EPOCH, _WINDOW = range(3)


@dataclass
class Batch:
    """Tensors that have the first axis in common; subclasses name them."""

    def to(self: BatchT, device: torch.device) -> BatchT:
        """The batch on ``device``."""
        return type(self)(**{f.name: getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)})

    def split(self: BatchT, parts: int) -> list[BatchT]:
        """``parts`` batches of nearly equal size, in order; empty ones are left out."""
        columns = {f.name: torch.tensor_split(getattr(self, f.name), parts) for f in fields(self)}
        pieces = [type(self)(**{name: column[i] for name, column in columns.items()}) for i in range(parts)]
        return [piece for piece in pieces if len(piece)]

    def padded_share(self) -> float | None:
        """The share of the batch that is padding, 0 to 1; None if the batch does not know."""
        return None

    def __len__(self) -> int:
        first: torch.Tensor = getattr(self, fields(self)[0].name)
        return len(first)


@dataclass(frozen=True)
class Order:
    """The endless order of samples.

    Args:
        durations_s: the length of every sample, in seconds.
        batch_size: the number of samples in a global batch.
        seed: the seed of all permutations.
        window: the number of batches that are sorted by length together; 1 leaves the order fully random.
        measure: the length to sort by, in any unit. It is a function of a sample's index and of the generator that the
            sample will be made with, because random choices change its length. Without it the duration counts.
    """

    durations_s: tuple[float, ...]
    batch_size: int
    seed: int
    window: int = 1
    measure: Callable[[int, torch.Generator], float] | None = None
    _sorted: dict[int, list[tuple[int, int]]] = field(default_factory=dict, repr=False, compare=False)

    def batch(self, step: int) -> list[tuple[int, int]]:
        """The (position in the stream, sample index) pairs of the global batch of ``step``."""
        window, slot = divmod(step, self.window)
        if window not in self._sorted:
            self._sorted.clear()
            self._sorted[window] = self._sort(window)
        pairs = self._sorted[window]
        place = int(np.random.default_rng((self.seed, _WINDOW, window)).permutation(self.window)[slot])
        return pairs[place * self.batch_size : (place + 1) * self.batch_size]

    def _sort(self, window: int) -> list[tuple[int, int]]:
        size = self.window * self.batch_size
        positions = range(window * size, (window + 1) * size)
        pairs = [(position, self._index(position)) for position in positions]
        return sorted(pairs, key=lambda pair: (self._length(*pair), pair[0])) if self.window > 1 else pairs

    def _length(self, position: int, index: int) -> float:
        if self.measure is None:
            return self.durations_s[index]
        return self.measure(index, sample_generator(self.seed, position))

    def _index(self, position: int) -> int:
        epoch, offset = divmod(position, len(self.durations_s))
        return int(_permutation(len(self.durations_s), self.seed, epoch)[offset])


@lru_cache(maxsize=4)
def _permutation(length: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng((seed, _EPOCH, epoch)).permutation(length)


def sample_generator(seed: int, position: int) -> torch.Generator:
    """The generator of the sample at ``position``: any process or worker that makes it draws the same numbers."""
    own = int(np.random.default_rng((seed, _SAMPLE, position)).integers(2**62))
    return torch.Generator().manual_seed(own)


class _Stream(Dataset["ItemT | TriforceError"], Generic[ItemT]):
    """Makes the samples. A user's error is returned as a value: raised in a loader process, it would be a traceback."""

    def __init__(self, make: Callable[[int, torch.Generator], ItemT], seed: int) -> None:
        self.make, self.seed = make, seed

    def __getitem__(self, pair: tuple[int, int]) -> "ItemT | TriforceError":
        position, index = pair
        try:
            return self.make(index, sample_generator(self.seed, position))
        except TriforceError as error:
            return error


class _Steps:
    def __init__(self, order: Order, start: int, rank: int, processes: int, only: int | None) -> None:
        self.order, self.start, self.rank, self.processes, self.only = order, start, rank, processes, only

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        step = self.start
        while True:
            yield self.order.batch(step if self.only is None else self.only)[self.rank :: self.processes]
            step += 1


def stream(
    order: Order,
    make: Callable[[int, torch.Generator], ItemT],
    collate: Callable[[Sequence[ItemT]], BatchT],
    *,
    start: int = 0,
    rank: int = 0,
    processes: int = 1,
    workers: int = 0,
    only: int | None = None,
) -> Iterator[BatchT]:
    """This process's part of the global batches from step ``start`` on, without end.

    Args:
        order: the order of the samples.
        make: makes a sample from its index and its own random generator.
        collate: makes a batch of samples.
        start: the first step.
        rank: the number of this process, below ``processes``.
        processes: the number of processes that share each global batch.
        workers: the number of loader processes; with 0 this process makes the batches itself.
        only: a step whose batch comes again and again instead of all others (to overfit it).

    Raises:
        TriforceError: a sample cannot be made, or a loader process died.
    """

    def collate_or_error(items: Sequence["ItemT | TriforceError"]) -> "BatchT | TriforceError":
        error = next((item for item in items if isinstance(item, TriforceError)), None)
        return error or collate([item for item in items if not isinstance(item, TriforceError)])

    dataset: Dataset[ItemT | TriforceError] = _Stream(make, order.seed)
    steps = _Steps(order, start, rank, processes, only)
    # Starting processes by 'spawn' would import everything again in each process. Forking is safe, because workers only
    # read files.
    context = "fork" if workers else None
    loader: DataLoader[ItemT | TriforceError] = DataLoader(
        dataset,
        batch_sampler=steps,
        collate_fn=collate_or_error,
        num_workers=workers,
        multiprocessing_context=context,
        # Without a generator of its own the loader would draw from the global one, and a resumed run would differ.
        generator=torch.Generator(),
    )
    return _raising(iter(loader))


def _raising(batches: Iterator["BatchT | TriforceError"]) -> Iterator[BatchT]:
    try:
        for batch in batches:
            if isinstance(batch, TriforceError):
                raise batch
            yield batch
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise TriforceError(
            f"a loader process died, as if killed or out of memory ({str(error).splitlines()[0]}); start again, with fewer "
            "run.workers"
        ) from error


def pad_stack(tensors: Sequence[torch.Tensor], multiple: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Tensors [n_i, ...] zero-padded to one [batch, n, ...], and their lengths [batch].

    n is the longest length, rounded up to a ``multiple``. Libraries build and keep a kernel for each shape that they
    meet, so few different shapes save memory and time. The price is padding: half a multiple on average.
    """
    lengths = torch.tensor([len(tensor) for tensor in tensors])
    stacked = torch.nn.utils.rnn.pad_sequence(list(tensors), batch_first=True)
    more = -stacked.shape[1] % multiple
    if not more:
        return stacked, lengths
    return torch.cat((stacked, stacked.new_zeros(len(stacked), more, *stacked.shape[2:])), dim=1), lengths
