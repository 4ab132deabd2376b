from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from training.evaluation import Judging, Task, Trial, evaluate, judge
from training.evaluation.bootstrap import interval, paired_difference
from training.evaluation.ranking import rank, top_k
from training.evaluation.segments import activity, history_length, tenure


@dataclass(frozen=True)
class Table:
    """A scorer that reads its scores off."""

    values: NDArray[np.float32]

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self.values[rows]


def table(values: list[list[float]]) -> sparse.csr_matrix:
    return sparse.csr_matrix(np.array(values, np.float32))


SEEN = table([[2, 1, 0, 0], [0, 0, 3, 0], [1, 0, 0, 0]])
WANTED = table([[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
TRIAL = Trial(SEEN, WANTED, {"city": np.array(["x", "y", "x"])})
LEFT_FIRST = Table(np.tile(np.array([4, 3, 2, 1], np.float32), (3, 1)))


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (Task.NEW, [[0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]),
        (Task.REPEAT, [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]),
        (Task.ALL, [[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]),
    ],
)
def test_each_task_asks_for_its_own_targets(task: Task, expected: list[list[int]]) -> None:
    assert TRIAL.targets(task).toarray().tolist() == expected


def test_merchants_the_cardholder_met_are_no_candidates_of_new() -> None:
    lists = rank(LEFT_FIRST, TRIAL, Task.NEW, k=3)

    assert lists.rows.tolist() == [0, 1]
    assert lists.shown.tolist() == [[2, 3, -1], [0, 1, 3]]
    assert lists.hits.tolist() == [[True, False, False], [False, True, False]]


def test_only_merchants_the_cardholder_met_are_candidates_of_repeat() -> None:
    lists = rank(LEFT_FIRST, TRIAL, Task.REPEAT, k=3)

    assert lists.shown.tolist() == [[0, 1, -1]]
    assert lists.n_targets.tolist() == [1]


def test_ties_are_decided_by_column() -> None:
    flat = np.zeros((1, 5), np.float32)
    flat[0, 4] = 1

    assert top_k(flat, 3).tolist() == [[4, 0, 1]]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_the_top_k_is_the_head_of_a_full_sort(seed: int, k: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 4, (5, 6)).astype(np.float32)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]

    assert np.array_equal(top_k(scores, k)[:, : expected.shape[1]], expected)


def test_figures_are_worked_out_by_hand() -> None:
    found = judge(LEFT_FIRST, TRIAL, Task.ALL, Judging(k=2))

    assert found.overall.cardholders == 2
    assert found.overall.pairs == 3
    assert found.recall == pytest.approx((1 / 2 + 1) / 2)
    assert found.ndcg == pytest.approx((1 / (1 + 1 / np.log2(3)) + 1 / np.log2(3)) / 2)
    assert found.overall.mrr == pytest.approx((1 + 0.5) / 2)
    assert found.overall.hit_rate == 1
    assert found.coverage == 0.5


def test_segments_are_judged_apart() -> None:
    groups = judge(LEFT_FIRST, TRIAL, Task.ALL, Judging(k=2)).by_segment["city"]

    assert {label: means.recall for label, means in groups.items()} == {"x": 0.5, "y": 1.0}


def test_a_task_that_nobody_faces_has_figures_of_zero() -> None:
    nothing = Trial(SEEN, table([[0] * 4] * 3))
    found = judge(LEFT_FIRST, nothing, Task.NEW, Judging(k=2))

    assert found.overall.cardholders == 0
    assert found.as_document()["recall"] == 0


def test_the_oracle_scores_one_and_its_opposite_zero() -> None:
    right = Table(WANTED.toarray())
    found = evaluate({"right": right, "wrong": Table(-right.values)}, TRIAL, Task.NEW, Judging(k=2))

    assert found["right"].recall == found["right"].ndcg == 1
    assert found["wrong"].recall < 1


def test_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        judge(Table(np.full((3, 4), np.nan, np.float32)), TRIAL, Task.ALL, Judging(k=2))


def test_a_trial_whose_tables_disagree_is_refused() -> None:
    with pytest.raises(ValueError, match="seen is"):
        Trial(SEEN, table([[1, 0]]))


def test_the_interval_of_a_constant_is_that_constant() -> None:
    assert interval(np.full(20, 0.25), seed=1) == (0.25, 0.25)


def test_the_interval_holds_the_mean_and_narrows_with_more_cardholders() -> None:
    draw = np.random.default_rng(0).random(4000)
    few, many = interval(draw[:100], seed=1), interval(draw, seed=1)

    assert few[0] < draw[:100].mean() < few[1]
    assert many[1] - many[0] < few[1] - few[0]
    assert interval(draw, seed=1) == many


def test_a_paired_difference_sees_what_two_intervals_would_hide() -> None:
    theirs = np.random.default_rng(0).random(200)
    mean, low, high = paired_difference(theirs + 0.01, theirs, seed=1)

    assert mean == pytest.approx(0.01)
    assert low == pytest.approx(0.01)
    assert high == pytest.approx(0.01)


def test_pooled_splits_of_one_cardholder_are_drawn_together() -> None:
    ours = np.random.default_rng(0).random(100)
    alone = paired_difference(ours, np.zeros(100), seed=1)
    once_each = paired_difference(ours, np.zeros(100), seed=1, clusters=np.arange(100))
    copies = np.tile(ours, 4)
    pooled = paired_difference(copies, np.zeros(400), seed=1, clusters=np.tile(np.arange(100), 4))

    assert once_each == pytest.approx(alone)
    assert pooled == pytest.approx(alone)


def test_activity_splits_cardholders_into_thirds_by_merchants() -> None:
    seen = table([[1, 0, 0], [1, 1, 0], [1, 1, 1]])

    assert activity(seen).tolist() == ["light", "medium", "heavy"]
    assert history_length(table([[0, 0], [1, 1]])).tolist() == ["0", "1-4"]


def test_tenure_is_new_for_less_than_ninety_days() -> None:
    assert tenure(np.array([0, 11, 100]), split_day=100).tolist() == ["old", "new", "new"]
