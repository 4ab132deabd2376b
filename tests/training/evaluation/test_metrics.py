"""Each figure against a case worked out by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.evaluation import metrics
from training.evaluation.ranking import Lists

SECOND, THIRD = 1 / np.log2(3), 1 / np.log2(4)


def lists(
    shown: list[list[int]],
    hits: list[list[int]],
    n_targets: list[int],
    scores: list[list[float]] | None = None,
) -> Lists:
    columns = np.array(shown, np.int32)
    values = np.zeros(columns.shape) if scores is None else np.array(scores)
    return Lists(
        np.arange(len(shown)),
        columns,
        values.astype(np.float32),
        np.array(hits, np.bool_),
        np.array(n_targets, np.int64),
    )


ANN_AND_BOB = lists(shown=[[0, 1, 2], [2, 0, -1]], hits=[[0, 1, 1], [0, 0, 0]], n_targets=[5, 2])


def test_recall_divides_by_what_a_perfect_list_could_reach() -> None:
    assert list(metrics.recall(ANN_AND_BOB)) == pytest.approx([2 / 3, 0])


def test_uncapped_recall_divides_by_all_targets() -> None:
    assert list(metrics.recall(ANN_AND_BOB, capped=False)) == pytest.approx([2 / 5, 0])


def test_ndcg_discounts_by_rank_against_a_perfect_list() -> None:
    expected = (SECOND + THIRD) / (1 + SECOND + THIRD)

    assert list(metrics.ndcg(ANN_AND_BOB)) == pytest.approx([expected, 0])


def test_the_ideal_list_is_no_longer_than_the_targets() -> None:
    one = lists(shown=[[4, 7, 9]], hits=[[1, 0, 0]], n_targets=[1])

    assert list(metrics.ndcg(one)) == [1.0]


def test_reciprocal_rank_is_of_the_first_hit() -> None:
    assert list(metrics.reciprocal_rank(ANN_AND_BOB)) == [0.5, 0]


def test_hit_rate_is_one_for_any_hit() -> None:
    assert list(metrics.hit_rate(ANN_AND_BOB)) == [1, 0]


def test_coverage_counts_merchants_shown_to_anyone() -> None:
    assert metrics.coverage(ANN_AND_BOB, n_catalogue=6) == 0.5


def test_novelty_is_the_mean_self_information_of_what_is_shown() -> None:
    share = np.array([0.5, 0.25, 0.125])

    assert metrics.novelty(ANN_AND_BOB, share) == pytest.approx((1 + 2 + 3 + 3 + 1) / 5)


def test_popularity_bias_compares_the_shown_with_the_wanted() -> None:
    share = np.array([0.5, 0.25, 0.125])
    shown = (0.5 + 0.25 + 0.125 + 0.125 + 0.5) / 5

    assert metrics.popularity_bias(ANN_AND_BOB, share, np.array([0.1, 0.2])) == pytest.approx(
        shown / 0.15
    )


def test_reliability_compares_what_a_score_promises_one_half_with_what_the_other_gets() -> None:
    four = lists(
        shown=[[0, 1]] * 4,
        hits=[[1, 0], [1, 1], [1, 0], [0, 0]],
        n_targets=[1] * 4,
        scores=[[0.9, 0.1]] * 4,
    )
    found = metrics.reliability(four, n_bins=2)

    assert list(found.promised) == [0, 1]
    assert list(found.kept) == [0.5, 0.5]
    assert list(found.shown) == [2, 2]
    assert found.error == 0.5


NOBODY = lists(shown=[], hits=[], n_targets=[])
NOBODY = Lists(
    NOBODY.rows,
    NOBODY.shown.reshape(0, 3),
    NOBODY.scores.reshape(0, 3),
    NOBODY.hits.reshape(0, 3),
    NOBODY.n_targets,
)


def test_without_anybody_every_figure_is_empty_or_zero() -> None:
    share: NDArray[np.float64] = np.ones(2)

    assert metrics.ndcg(NOBODY).size == 0
    assert metrics.recall(NOBODY).size == 0
    assert metrics.coverage(NOBODY, 0) == 0
    assert metrics.novelty(NOBODY, share) == 0
    assert metrics.popularity_bias(NOBODY, share, np.empty(0)) == 0
    assert metrics.reliability(NOBODY).error == 0
