"""Distributions of numbers that need little memory, for reports over millions of segments."""

import bisect
import math
from collections import Counter
from collections.abc import Sequence


class Distribution:
    """Counts of values that are rounded to three significant digits, so it holds a few thousand counts at most."""

    def __init__(self) -> None:
        self.counts: Counter[float] = Counter()

    def add(self, value: float) -> None:
        """Count ``value`` if it is finite."""
        if math.isfinite(value):
            self.counts[_rounded(value)] += 1

    def __len__(self) -> int:
        return sum(self.counts.values())

    def quantiles(self, shares: Sequence[float]) -> list[float]:
        """For each share in [0, 1]: the smallest value that this share of all values does not exceed.

        The result is empty if no value was added.
        """
        if not self.counts:
            return []
        values = sorted(self.counts)
        reached, total = [], 0
        for value in values:
            total += self.counts[value]
            reached.append(total)
        return [values[bisect.bisect_left(reached, max(1, math.ceil(share * total)))] for share in shares]

    def binned(self, low: float, high: float, bins: int) -> list[int]:
        """The number of values in each of ``bins`` equal parts of [low, high].

        Values outside count in the outer parts.
        """
        parts = [0] * bins
        for value, count in self.counts.items():
            place = math.floor((value - low) / (high - low) * bins)
            parts[min(max(place, 0), bins - 1)] += count
        return parts


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
