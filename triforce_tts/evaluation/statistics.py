"""Means of judgements with bootstrap intervals. Whole sentences are drawn, because their clips are not independent.

A figure of a clip is an amount and a weight, such as wrong words and words. The figure of many clips is the sum of the
amounts over the sum of the weights, so that a long sentence counts for its words. With weights of 1 it is the mean.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from triforce_tts.evaluation.report import Estimate, Figure

DRAWS, SEED = 2000, 0
LEVEL = (0.025, 0.975)  # the quantiles of the draws that give a 95 % interval
Sums = npt.NDArray[np.float64]  # [sentences, 2]: the amount and the weight of each sentence


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean of ``values`` and its bootstrap 95 % interval."""
    estimate = ratio([[Figure(amount=value)] for value in values])
    return estimate.value, estimate.low, estimate.high


def ratio(by_sentence: Sequence[Sequence[Figure]]) -> Estimate:
    """The figure over sentences, each with the figures of its clips; 95 % interval by redrawing whole sentences.

    Raises:
        ValueError: there is no sentence, or nothing has a weight.
    """
    sums = _sums(by_sentence)
    drawn = _ratio(sums[_draws(len(sums))])
    return _estimate(float(_ratio(sums)), drawn, len(sums))


def difference(first: Mapping[str, Sequence[Figure]], second: Mapping[str, Sequence[Figure]]) -> Estimate | None:
    """``first`` less ``second`` over the sentences that both have, by name; ``None`` if they share none.

    Both are drawn together, sentence by sentence, so that hard sentences are hard for both.
    """
    shared = [name for name in first if name in second]
    if not shared:
        return None
    a, b = (_sums([side[name] for name in shared]) for side in (first, second))
    rows = _draws(len(shared))
    return _estimate(float(_ratio(a) - _ratio(b)), _ratio(a[rows]) - _ratio(b[rows]), len(shared))


def _sums(by_sentence: Sequence[Sequence[Figure]]) -> Sums:
    sums = np.array([[sum(f.amount for f in clips), sum(f.weight for f in clips)] for clips in by_sentence])
    if not sums.size or sums[:, 1].sum() <= 0:
        raise ValueError("expected at least one sentence with a weight")
    return np.asarray(sums, np.float64)


def _draws(count: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(SEED).integers(count, size=(DRAWS, count))


def _ratio(sums: Sums) -> npt.NDArray[np.float64]:
    """The amount over the weight along the sentences, the last axis but one; NaN if a draw has no weight."""
    amount, weight = sums[..., 0].sum(-1), sums[..., 1].sum(-1)
    return np.asarray(np.divide(amount, weight, out=np.full_like(amount, np.nan), where=weight > 0))


def _estimate(value: float, drawn: npt.NDArray[np.float64], sentences: int) -> Estimate:
    low, high = np.nanquantile(drawn, LEVEL)
    return Estimate(value=value, low=float(low), high=float(high), sentences=sentences)
