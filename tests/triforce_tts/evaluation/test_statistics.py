"""Ratios and intervals by hand, and against SciPy's bootstrap."""

import numpy as np
import pytest
from scipy import stats

from triforce_tts.evaluation.report import Figure
from triforce_tts.evaluation.statistics import difference, interval, ratio


def figure(amount: float, weight: float = 1.0) -> Figure:
    return Figure(amount=amount, weight=weight)


def test_a_figure_is_the_sum_of_amounts_over_the_sum_of_weights() -> None:
    # 1 of 4 words and 5 of 6 words: 6 of 10, not the mean of the two shares.
    estimate = ratio([[figure(1, 4)], [figure(5, 6)]])
    assert estimate.value == pytest.approx(0.6)
    assert (estimate.low, estimate.high) == pytest.approx((0.25, 5 / 6))  # one of them drawn twice, in a quarter each
    assert estimate.sentences == 2


def test_clips_of_one_sentence_are_drawn_together() -> None:
    two = ratio([[figure(0.0)] * 100, [figure(1.0)] * 100])
    assert (two.value, two.low, two.high) == (0.5, 0.0, 1.0)


def test_intervals_are_those_of_scipy() -> None:
    values = np.random.default_rng(5).gamma(2.0, size=60)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    mean, low, high = interval(values.tolist())
    assert mean == pytest.approx(values.mean())
    width = expected.high - expected.low
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.05 * width)


def test_ratios_have_the_intervals_of_scipy() -> None:
    rng = np.random.default_rng(6)
    total = rng.integers(4, 15, size=50)
    wrong = rng.binomial(total, 0.2)

    def share(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        return np.asarray(a.sum(axis) / b.sum(axis))

    expected = stats.bootstrap(
        (wrong, total), share, paired=True, vectorized=True, n_resamples=20_000, method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    estimate = ratio([[figure(float(a), float(b))] for a, b in zip(wrong, total, strict=True)])
    width = expected.high - expected.low
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), abs=0.05 * width)


def test_equal_data_give_equal_intervals() -> None:
    assert interval([1.0, 2.0, 5.0]) == interval([1.0, 2.0, 5.0])


def test_a_difference_pairs_sentences_and_leaves_out_what_one_side_lacks() -> None:
    first = {"a": [figure(3.0)], "b": [figure(11.0)], "only": [figure(99.0)]}
    second = {"b": [figure(10.0)], "a": [figure(2.0)]}
    estimate = difference(first, second)
    assert estimate is not None
    # Each sentence differs by 1, so every draw does: pairing leaves no doubt where the sentences differ much.
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((1.0, 1.0, 1.0))
    assert estimate.sentences == 2
    assert difference({"a": [figure(1.0)]}, {"b": [figure(1.0)]}) is None


def test_a_difference_of_shares_by_hand() -> None:
    first, second = {"a": [figure(1, 4)], "b": [figure(2, 6)]}, {"a": [figure(0, 4)], "b": [figure(1, 6)]}
    estimate = difference(first, second)
    assert estimate is not None
    assert estimate.value == pytest.approx(0.3 - 0.1)
    assert (estimate.low, estimate.high) == pytest.approx((1 / 6, 1 / 4))


def test_nothing_cannot_be_estimated() -> None:
    for nothing in ([], [[figure(0.0, 0.0)]]):
        with pytest.raises(ValueError, match="at least one sentence with a weight"):
            ratio(nothing)
