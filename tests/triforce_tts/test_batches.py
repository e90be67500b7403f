"""The order of samples: each once an epoch, whatever the processes, and resumable from nothing but a step."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import pytest
import torch

from triforce_tts.batches import Batch, Order, pad_stack, stream


@dataclass
class Numbers(Batch):
    index: torch.Tensor
    draw: torch.Tensor


def make(index: int, rng: torch.Generator) -> tuple[int, float]:
    return index, float(torch.rand((), generator=rng))


def collate(items: Sequence[tuple[int, float]]) -> Numbers:
    return Numbers(torch.tensor([i for i, _ in items]), torch.tensor([d for _, d in items]))


def order(samples: int = 11, batch: int = 4, window: int = 1) -> Order:
    return Order(tuple(float(i % 5) for i in range(samples)), batch, 3, window)


@pytest.mark.parametrize("window", [1, 3])
def test_every_sample_comes_once_an_epoch_and_tails_carry_over(window: int) -> None:
    steps = 11 * 4 * 3  # whole epochs and whole windows
    seen = Counter(index for step in range(steps) for _, index in order(window=window).batch(step))
    assert set(seen) == set(range(11))
    assert len(set(seen.values())) == 1


def test_an_epoch_is_a_permutation() -> None:
    stream_of_ids = [index for _, index in sorted(pair for step in range(11) for pair in order().batch(step))]
    for epoch in range(4):
        assert sorted(stream_of_ids[epoch * 11 : (epoch + 1) * 11]) == list(range(11))
    assert stream_of_ids[:11] != stream_of_ids[11:22]


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_the_global_batch(processes: int) -> None:
    ranks = [list(islice(stream(order(), make, collate, rank=r, processes=processes), 9)) for r in range(processes)]
    whole = list(islice(stream(order(), make, collate), 9))
    for step in range(9):
        parts = [ranks[r][step] for r in range(processes)]
        assert sorted(torch.cat([p.draw for p in parts]).tolist()) == sorted(whole[step].draw.tolist())
        assert Counter(torch.cat([p.index for p in parts]).tolist()) == Counter(whole[step].index.tolist())


@pytest.mark.parametrize("workers", [0, 2])
def test_starting_later_is_skipping(workers: int) -> None:
    whole = list(islice(stream(order(window=2), make, collate), 12))
    later = list(islice(stream(order(window=2), make, collate, start=5, workers=workers), 7))
    for expected, found in zip(whole[5:], later, strict=True):
        assert torch.equal(expected.index, found.index)
        assert torch.equal(expected.draw, found.draw)


def test_a_stream_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    next(stream(order(), make, collate))
    assert torch.equal(torch.rand(1), expected)


def test_one_batch_for_ever() -> None:
    first, second = islice(stream(order(), make, collate, start=7, only=0), 2)
    assert torch.equal(first.draw, second.draw)
    assert torch.equal(first.index, next(stream(order(), make, collate)).index)


def test_windows_hold_like_lengths() -> None:
    plain, sorted_ = order(40, 4), order(40, 4, window=10)

    def spread(chosen: Order) -> float:
        lengths = [[chosen.durations_s[i] for _, i in chosen.batch(step)] for step in range(10)]
        return sum(max(batch) - min(batch) for batch in lengths)

    assert spread(sorted_) < 0.5 * spread(plain)


def test_batches_split_and_pad() -> None:
    batch = Numbers(torch.arange(5), torch.rand(5))
    parts = batch.split(3)
    assert [len(part) for part in parts] == [2, 2, 1]
    assert torch.equal(torch.cat([part.draw for part in parts]), batch.draw)
    assert len(batch.split(9)) == 5
    padded, lengths = pad_stack([torch.ones(2, 3), torch.ones(4, 3)])
    assert padded.shape == (2, 4, 3)
    assert lengths.tolist() == [2, 4]
    assert padded[0, 2:].sum() == 0
