from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from training.evaluation import Judging, Task, Trial, evaluate, evaluate_tasks, judge
from training.evaluation.bootstrap import interval, intervals, paired_difference
from training.evaluation.ranking import Lists, best_cells, rank, top_k
from training.evaluation.segments import activity, tenure


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
    lists = rank(LEFT_FIRST, TRIAL, [Task.NEW], k=3)[Task.NEW]

    assert lists.rows.tolist() == [0, 1]
    assert lists.shown.tolist() == [[2, 3, -1], [0, 1, 3]]
    assert lists.hits.tolist() == [[True, False, False], [False, True, False]]


def test_only_merchants_the_cardholder_met_are_candidates_of_repeat() -> None:
    lists = rank(LEFT_FIRST, TRIAL, [Task.REPEAT], k=3)[Task.REPEAT]

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


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_columns=st.integers(1, 120),
    k=st.integers(1, 6),
    shown=st.sampled_from([0.0, 0.03, 0.5, 1.0]),
)
def test_the_top_k_of_long_rows_is_the_head_of_a_full_sort(
    seed: int, n_columns: int, k: int, shown: float
) -> None:
    chance = np.random.default_rng(seed)
    scores = chance.integers(0, 30, (4, n_columns)).astype(np.float32)
    scores[chance.random(scores.shape) >= shown] = -np.inf
    expected = np.full((4, k), -1)
    for row, line in enumerate(scores):
        best = np.argsort(-line, kind="stable")
        best = best[np.isfinite(line[best])][:k]
        expected[row, : best.size] = best

    assert np.array_equal(top_k(scores, k), expected)


def test_what_may_not_be_shown_is_not_shown_though_places_are_left() -> None:
    scores = np.array([[-np.inf, 2, -np.inf], [1, 1, 3]], np.float32)

    assert top_k(scores, 2).tolist() == [[1, -1], [2, 0]]
    assert top_k(scores, 5).tolist() == [[1, -1, -1, -1, -1], [2, 0, 1, -1, -1]]


def test_the_best_cells_of_a_row_without_cells_are_none() -> None:
    row, column = np.array([1, 1, 1, 3]), np.array([2, 5, 7, 0])
    score = np.array([1, 9, 9, -4], np.float32)

    found = best_cells(row, column, score, n_rows=4, k=2)
    assert found.tolist() == [[-1, -1], [5, 7], [-1, -1], [0, -1]]


def a_world(seed: int, n: int = 300, m: int = 60) -> tuple[Trial, Table]:
    """A trial with few and many targets a cardholder, and scores with ties."""
    chance = np.random.default_rng(seed)
    seen, wanted = (
        sparse.csr_matrix(sparse.random_array((n, m), density=d, rng=chance, dtype=np.float32))
        for d in (0.2, 0.1)
    )
    city = chance.choice(["x", "y", "z"], n)
    scores = chance.integers(-20, 20, (n, m)).astype(np.float32)
    return Trial(seen, wanted, {"city": city}), Table(scores)


def by_sorting(trial: Trial, scorer: Table, task: Task, k: int) -> Lists:
    """Lists by a full sort of each cardholder's candidates, one by one."""
    targets, met = trial.targets(task).toarray() > 0, trial.seen.toarray() > 0
    allowed = {Task.NEW: ~met, Task.REPEAT: met, Task.ALL: np.ones_like(met)}[task]
    rows = np.flatnonzero(targets.any(axis=1))
    shown = np.full((rows.size, k), -1, np.int32)
    for place, row in enumerate(rows):
        order = np.argsort(-scorer.values[row], kind="stable")
        best = order[allowed[row][order]][:k]
        shown[place, : best.size] = best
    real = shown >= 0
    found = np.where(real, np.take_along_axis(scorer.values[rows], shown, axis=1), 0)
    hits = np.take_along_axis(targets[rows], shown, axis=1) & real
    return Lists(rows, shown, found, hits, targets[rows].sum(axis=1))


@pytest.mark.parametrize("task", list(Task))
def test_lists_of_many_parts_and_threads_are_those_of_a_full_sort(task: Task) -> None:
    trial, scorer = a_world(1)
    expected = by_sorting(trial, scorer, task, k=15)
    parts = partial(rank, scorer, trial, list(Task), 15)

    for found in (parts()[task], parts(n_threads=4)[task], parts(cells_per_part=1000)[task]):
        for name in ("rows", "shown", "scores", "hits", "n_targets"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)


def test_one_thread_and_four_give_the_same_figures() -> None:
    trial, scorer = a_world(2)
    scorers = {"one": scorer, "other": Table(-scorer.values)}
    one, four = (
        evaluate_tasks(scorers, trial, tuple(Task), Judging(k=5), n_threads=n) for n in (1, 4)
    )

    assert list(one) == list(four) == list(Task)
    for task, models in one.items():
        for name, figures in models.items():
            assert figures.as_document() == four[task][name].as_document()


def test_everyone_is_scored_once_for_all_tasks() -> None:
    trial, table_ = a_world(3)
    asked: list[int] = []

    class Counting:
        def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
            asked.extend(rows.tolist())
            return table_.scores(rows)

    rank(Counting(), trial, list(Task), k=5)
    assert len(asked) == len(set(asked)) == np.count_nonzero(np.diff(trial.wanted.indptr))


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


def test_intervals_of_several_figures_are_those_of_each_alone() -> None:
    drawn = np.random.default_rng(3).random((3, 70))
    together = intervals(drawn, seed=5, rounds=400)

    assert together.tolist() == [list(interval(one, seed=5, rounds=400)) for one in drawn]
    assert intervals(np.empty((2, 0)), seed=5).tolist() == [[0, 0], [0, 0]]


def test_an_interval_is_the_spread_of_the_means_of_resamples() -> None:
    drawn = np.random.default_rng(3).random(2000)
    chance = np.random.default_rng(5)
    means = [drawn[chance.integers(0, 2000, 2000)].mean() for _ in range(300)]

    assert interval(drawn, seed=5, rounds=300) == pytest.approx(np.quantile(means, [0.025, 0.975]))


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


def test_tenure_is_new_for_less_than_ninety_days() -> None:
    assert tenure(np.array([0, 11, 100]), split_day=100).tolist() == ["old", "new", "new"]
