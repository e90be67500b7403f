import itertools
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch

from triforce_tts.batches import Batch, Order, pad_stack, stream


@dataclass
class Drawn(Batch):
    """Which sample was drawn, and what its own generator said."""

    index: torch.Tensor
    draw: torch.Tensor


def make(index: int, rng: torch.Generator) -> tuple[int, float]:
    return index, float(torch.rand((), generator=rng))


def collate(items: Sequence[tuple[int, float]]) -> Drawn:
    return Drawn(torch.tensor([i for i, _ in items]), torch.tensor([x for _, x in items]))


def order_of(samples: int, batch_size: int, window: int = 1, seed: int = 0) -> Order:
    """Samples whose lengths are a shuffle of 1 to ``samples`` seconds."""
    durations = torch.randperm(samples, generator=torch.Generator().manual_seed(99)) + 1
    return Order(tuple(durations.double().tolist()), batch_size, seed, window)


def take(order: Order, steps: int, **options: int) -> list[Drawn]:
    return list(itertools.islice(stream(order, make, collate, **options), steps))


SHAPES = [(12, 4, 1), (13, 4, 1), (7, 3, 1), (5, 8, 1), (13, 4, 3), (30, 4, 5), (1, 2, 1), (23, 6, 4)]


@pytest.mark.parametrize(("samples", "batch_size", "window"), SHAPES)
@pytest.mark.parametrize("processes", [1, 2, 4])
def test_an_epoch_holds_each_sample_once(samples: int, batch_size: int, window: int, processes: int) -> None:
    """Over as many windows as are a whole number of epochs, each sample comes equally often, over all processes."""
    order = order_of(samples, batch_size, window)
    steps = samples * window
    drawn: list[list[tuple[int, int]]] = [
        order.batch(step)[rank::processes] for step in range(steps) for rank in range(processes)
    ]
    counts = Counter(index for part in drawn for _, index in part)
    assert set(counts) == set(range(samples))
    assert set(counts.values()) == {batch_size * window}
    by_position = sorted(pair for part in drawn for pair in part)
    assert [position for position, _ in by_position] == list(range(steps * batch_size))
    for epoch in range(batch_size * window):
        ids = [index for _, index in by_position[epoch * samples : (epoch + 1) * samples]]
        assert sorted(ids) == list(range(samples))


def test_the_tail_of_an_epoch_opens_the_next_batch() -> None:
    order = order_of(10, 4)
    third = order.batch(2)
    assert sorted(position for position, _ in third) == [8, 9, 10, 11]
    first_epoch = {index for step in range(2) for _, index in order.batch(step)}
    assert {index for position, index in third if position < 10} == set(range(10)) - first_epoch


def test_epochs_and_seeds_are_shuffled_differently() -> None:
    def epoch(order: Order, number: int) -> list[int]:
        pairs = sorted(pair for step in range(10) for pair in order.batch(10 * number + step))
        return [index for _, index in pairs]

    orders = [epoch(order_of(40, 4), 0), epoch(order_of(40, 4), 1), epoch(order_of(40, 4, seed=1), 0), list(range(40))]
    for first, second in itertools.combinations(orders, 2):
        assert first != second
    assert epoch(order_of(40, 4), 1) == orders[1]


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("processes", [2, 4])
def test_a_global_batch_is_the_same_for_any_number_of_processes(processes: int, window: int) -> None:
    order = order_of(37, 8, window)
    alone = take(order, 12)
    shared = [take(order, 12, rank=rank, processes=processes) for rank in range(processes)]
    for step, whole in enumerate(alone):
        parts = [shared[rank][step] for rank in range(processes)]
        assert {len(part) for part in parts} == {8 // processes}
        pairs = {pair for part in parts for pair in zip(part.index.tolist(), part.draw.tolist(), strict=True)}
        assert pairs == set(zip(whole.index.tolist(), whole.draw.tolist(), strict=True))


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("start", [1, 5, 23])
def test_starting_at_a_step_is_skipping_to_it(start: int, window: int) -> None:
    order = order_of(13, 4, window)
    for expected, found in zip(take(order, start + 6)[start:], take(order, 6, start=start), strict=True):
        assert torch.equal(found.index, expected.index)
        assert torch.equal(found.draw, expected.draw)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_loader_workers_change_nothing() -> None:
    order = order_of(13, 4, 2)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    here = take(order, 7, start=3, rank=1, processes=2)
    there = take(order, 7, start=3, rank=1, processes=2, workers=2)
    assert torch.equal(torch.get_rng_state(), state)
    for expected, found in zip(here, there, strict=True):
        assert torch.equal(found.index, expected.index)
        assert torch.equal(found.draw, expected.draw)


def test_a_sample_draws_anew_every_time_it_comes() -> None:
    draws = torch.cat([batch.draw for batch in take(order_of(3, 3), 8)])
    assert len(draws.unique()) == 24


def test_one_step_for_ever() -> None:
    order = order_of(13, 4)
    expected = take(order, 3)[2]
    for batch in take(order, 4, only=2):
        assert torch.equal(batch.index, expected.index)
        assert torch.equal(batch.draw, expected.draw)


def test_a_window_puts_like_lengths_together() -> None:
    order, plain = order_of(64, 4, 8), order_of(64, 4)
    windows = [[order.batch(8 * window + slot) for slot in range(8)] for window in range(2)]
    for window, batches in enumerate(windows):
        same = [pair for slot in range(8) for pair in plain.batch(8 * window + slot)]
        assert sorted(pair for batch in batches for pair in batch) == sorted(same)
        lengths = sorted([sorted(order.durations_s[index] for _, index in batch) for batch in batches])
        assert list(itertools.chain(*lengths)) == sorted(order.durations_s[index] for _, index in same)
        means = [sum(order.durations_s[index] for _, index in batch) for batch in batches]
        assert means != sorted(means)


def test_batches_split_and_move_whole() -> None:
    batch = collate([(i, i / 10) for i in range(5)])
    assert len(batch) == 5
    parts = batch.split(3)
    assert [part.index.tolist() for part in parts] == [[0, 1], [2, 3], [4]]
    assert all(isinstance(part, Drawn) and len(part.draw) == len(part.index) for part in parts)
    assert [len(part) for part in batch.split(8)] == [1] * 5
    moved = batch.to(torch.device("cpu"))
    assert torch.equal(moved.draw, batch.draw)


def test_padding_by_hand() -> None:
    padded, lengths = pad_stack([torch.tensor([1, 2, 3]), torch.tensor([4]), torch.tensor([], dtype=torch.long)])
    assert padded.tolist() == [[1, 2, 3], [4, 0, 0], [0, 0, 0]]
    assert lengths.tolist() == [3, 1, 0]


@pytest.mark.parametrize(("multiple", "length"), [(1, 5), (4, 8), (5, 5), (32, 32)])
def test_padded_lengths_are_whole_multiples(multiple: int, length: int) -> None:
    rows = [torch.ones(3, 2), torch.full((5, 2), 2.0)]
    stacked, lengths = pad_stack(rows, multiple)
    assert stacked.shape == (2, length, 2)
    assert lengths.tolist() == [3, 5]
    assert torch.equal(stacked[0, :3], rows[0])
    assert torch.equal(stacked[1, :5], rows[1])
    assert stacked.sum() == 6 + 20
