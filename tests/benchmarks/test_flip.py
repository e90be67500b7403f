import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.flip import kept, over_sentences, ranking, ranks, spearman, within


@pytest.mark.parametrize("seed", range(5))
def test_spearman_is_scipys_also_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(6, size=40), rng.normal(size=40).round(1)
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)
    assert ranks(a).tolist() == stats.rankdata(a).tolist()


def test_a_constant_list_correlates_with_nothing() -> None:
    assert math.isnan(spearman([1, 1, 1], [1, 2, 3]))


def test_within_leaves_out_sentences_whose_candidates_do_not_differ() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [9.0, 8.0, 7.0], [1.0, 2.0, 3.0]])
    errors = np.array([[0.1, 0.2, 0.3], [0.5, 0.5, 0.5], [0.1, 0.3, 0.2]])
    assert within(scores, errors) == pytest.approx((-1.0 + 0.5) / 2)


def test_the_kept_candidate_ended_by_itself_where_one_did() -> None:
    scores = np.array([[1.0, 5.0, 3.0], [1.0, 5.0, 3.0]])
    ended = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    assert kept(scores, ended).tolist() == [2, 1]


def test_ranking_by_a_perfect_score_reaches_the_best_candidate() -> None:
    errors = np.random.default_rng(0).random((8, 4))
    found = ranking(-errors, errors, np.ones_like(errors))
    assert found["spearman, all candidates"][0] == pytest.approx(-1.0)
    assert found["spearman, within a sentence"][0] == pytest.approx(-1.0)
    assert found["error, best of 4 by the flip"][0] == pytest.approx(found["error, the best one"][0])
    expected = errors.mean() - errors.min(axis=1).mean()
    assert found["gain over a random one"][0] == pytest.approx(expected)
    assert found["gain over a random one"][1] > 0


def test_the_interval_redraws_whole_sentences() -> None:
    table = np.repeat([[0.0], [1.0]], 100, axis=1)  # two sentences with a hundred equal candidates each
    mean, low, high = over_sentences(np.mean, table)
    assert (mean, low, high) == (0.5, 0.0, 1.0)
