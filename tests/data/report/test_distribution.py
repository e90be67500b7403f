import math

import numpy as np
import pytest

from triforce_tts.data.report.distribution import Distribution


def test_quantiles_are_those_of_numpy() -> None:
    values = np.random.default_rng(0).normal(30, 8, 999)
    spread = Distribution()
    for value in values:
        spread.add(value)
    shares = [0.0, 0.25, 0.5, 0.75, 1.0]
    expected = np.quantile(values, shares, method="inverted_cdf")
    assert spread.quantiles(shares) == pytest.approx(expected, rel=0.005)  # values are rounded to three digits
    assert len(spread) == 999


def test_a_million_values_are_a_few_thousand_numbers() -> None:
    spread = Distribution()
    for value in range(100_000):
        spread.add(value / 7)
    assert len(spread) == 100_000
    assert len(spread.counts) < 6000


def test_bins_by_hand_and_what_lies_outside() -> None:
    spread = Distribution()
    for value in (-5, 0, 0.9, 1, 3.99, 4, 100):
        spread.add(value)
    assert spread.binned(0, 4, 4) == [3, 1, 0, 3]


def test_what_is_not_finite_is_left_out() -> None:
    spread = Distribution()
    for value in (math.nan, math.inf, -math.inf):
        spread.add(value)
    assert len(spread) == 0
    assert spread.quantiles([0.5]) == []
