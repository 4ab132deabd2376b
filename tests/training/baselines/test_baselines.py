"""Each baseline in a world with a known answer."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from training.baselines.bpr import bpr
from training.baselines.ease import MAX_CATALOGUE, ease
from training.baselines.habit import own_habit
from training.baselines.neighbours import Similarity, item_knn
from training.baselines.popular import most_popular, popular_in_segment
from training.baselines.tables import Growth, grown, row_normalised, strongest
from training.baselines.tuned import Setting, choose, grids
from training.baselines.walk import rp3beta
from training.evaluation import Scorer, Task, Trial


def trial_of(
    seen: list[list[float]] | NDArray[np.float32],
    ages: list[float] | None = None,
    wanted: NDArray[np.float32] | None = None,
) -> Trial:
    table = sparse.csr_matrix(np.array(seen, np.float32))
    after = sparse.csr_matrix(np.zeros(table.shape, np.float32) if wanted is None else wanted)
    return Trial(table, after, age_days=None if ages is None else np.array(ages, np.float32))


def two_tastes() -> Trial:
    """Even cardholders have even merchants, odd ones odd; each wants the one he lacks."""
    rows, columns = np.indices((30, 20))
    board = (rows + columns) % 2 == 0
    left_out = board & (columns == (rows * 3) % 20 - (rows * 3 + rows) % 2)
    return trial_of((board & ~left_out).astype(np.float32), wanted=left_out.astype(np.float32))


def order(scorer: Scorer, row: int) -> list[int]:
    return list(np.argsort(-scorer.scores(np.array([row]))[0], kind="stable"))


def test_most_popular_counts_cardholders_and_not_visits() -> None:
    trial = trial_of([[9, 1, 0], [0, 1, 0]])

    assert order(most_popular(trial), 0) == [1, 0, 2]


def test_recently_popular_halves_the_cardholders_who_have_stayed_away() -> None:
    trial = trial_of([[1, 1], [1, 0], [1, 0]], ages=[30, 0, 60, 60])
    found = most_popular(trial, half_life_days=30).scores(np.array([0]))[0]

    assert found == pytest.approx([0.5 + 0.25 + 0.25, 1])


def test_popular_in_segment_follows_ones_own_kind() -> None:
    trial = trial_of([[1, 0], [1, 0], [0, 1], [0, 0]])
    found = popular_in_segment(trial, np.array(["a", "a", "b", "b"]), prior=0.1)

    assert order(found, 0) == [0, 1]
    assert order(found, 3) == [1, 0]


def test_a_small_segment_is_drawn_towards_everyone() -> None:
    trial = trial_of([[1, 0], [1, 0], [0, 1]])
    found = popular_in_segment(trial, np.array(["a", "a", "b"]), prior=100.0)

    assert order(found, 2) == [0, 1]


def test_own_frequency_comes_before_anything_popular() -> None:
    trial = trial_of([[0, 1, 5], [1, 0, 0], [1, 0, 0], [1, 0, 0]])

    assert order(own_habit(trial), 0) == [2, 1, 0]


def test_with_a_half_life_the_recent_habit_wins() -> None:
    trial = trial_of([[2, 1]], ages=[100, 0])

    assert order(own_habit(trial, half_life_days=30), 0) == [1, 0]


@pytest.mark.parametrize(
    "scorer",
    [
        *(
            lambda trial, s=s: item_knn(trial, s, neighbours=20, growth=Growth.BINARY)
            for s in Similarity
        ),
        lambda trial: rp3beta(trial, beta=0.5, neighbours=20, growth=Growth.BINARY),
        lambda trial: ease(trial, regularisation=5.0, growth=Growth.BINARY),
        lambda trial: bpr(trial, learning_rate=0.05, regularisation=0.01, seed=1),
    ],
    ids=[*Similarity, "rp3beta", "ease", "bpr"],
)
def test_what_ones_own_kind_has_comes_before_what_the_others_have(scorer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    trial = two_tastes()
    found = scorer(trial).scores(np.arange(30))
    found[trial.seen.toarray() > 0] = -np.inf
    even = np.indices(found.shape).sum(axis=0) % 2 == 0

    assert all(even[row, found[row].argmax()] for row in range(30))


@pytest.mark.parametrize(
    "scorer",
    [
        lambda trial: item_knn(trial, Similarity.BM25, neighbours=5, growth=Growth.LOG),
        lambda trial: rp3beta(trial, beta=0.5, neighbours=5, growth=Growth.LOG),
        lambda trial: ease(trial, regularisation=5.0, growth=Growth.LOG),
    ],
    ids=["bm25", "rp3beta", "ease"],
)
def test_a_cardholder_without_a_history_gets_what_is_popular(scorer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    trial = trial_of([[0, 1, 1], [0, 0, 1], [0, 0, 0]])

    assert order(scorer(trial), 2) == [2, 1, 0]


def test_cosine_neighbours_are_weighed_by_cosine() -> None:
    trial = trial_of([[1, 1, 0], [1, 0, 0], [0, 0, 1]])
    graph = item_knn(trial, Similarity.COSINE, neighbours=3, growth=Growth.BINARY)

    assert graph.scores(np.array([1]))[0] == pytest.approx([1, 1 / np.sqrt(2), 0], abs=1e-5)


def test_rp3beta_walks_three_steps_and_holds_the_popular_back() -> None:
    trial = trial_of([[1, 1, 0], [1, 0, 1], [1, 0, 0]])
    found = rp3beta(trial, beta=1.0, neighbours=3, growth=Growth.BINARY).scores(np.array([2]))[0]

    assert found == pytest.approx([0, 1 / 3 * 1 / 2, 1 / 3 * 1 / 2], abs=1e-5)


def test_ease_has_the_closed_form() -> None:
    trial = trial_of([[1, 1], [1, 0]])
    inverse = np.linalg.inv(np.array([[2.0 + 3, 1], [1, 1 + 3]]))
    links = ease(trial, regularisation=3.0, growth=Growth.BINARY).links

    assert np.asarray(links) == pytest.approx(
        np.array([[0, -inverse[0, 1] / inverse[1, 1]], [-inverse[1, 0] / inverse[0, 0], 0]])
    )


def test_ease_is_refused_where_its_table_does_not_fit() -> None:
    wide = sparse.csr_matrix(np.zeros((1, MAX_CATALOGUE + 1), np.float32))

    with pytest.raises(ValueError, match="at most"):
        ease(Trial(wide, wide), regularisation=1.0, growth=Growth.BINARY)
    assert "ease" not in grids(Trial(wide, wide), seed=0)


def test_strongest_keeps_the_largest_of_each_row_and_decides_ties_by_column() -> None:
    table = sparse.csr_matrix(np.array([[1, 3, 3, 2], [0, 0, 5, 0]], np.float32))

    assert strongest(table, 2).toarray().tolist() == [[0, 3, 3, 0], [0, 0, 5, 0]]


def test_tables_grow_and_normalise_without_changing_what_they_were_given() -> None:
    table = sparse.csr_matrix(np.array([[1, 3], [0, 0]], np.float32))

    assert grown(table, Growth.LOG).toarray()[0] == pytest.approx(np.log([2, 4]))
    assert row_normalised(table).toarray().tolist() == [[0.25, 0.75], [0, 0]]
    assert table.toarray().tolist() == [[1, 3], [0, 0]]


def test_each_task_gets_the_setting_that_is_best_for_it() -> None:
    slice_ = trial_of(
        [[5, 1, 0, 0], [0, 0, 1, 0]], wanted=np.array([[0, 1, 0, 1], [0, 0, 0, 1]], np.float32)
    )
    grid = [Setting("left", _fixed([9, 5, 2, 1])), Setting("right", _fixed([1, 2, 3, 9]))]
    chosen = choose([*grid], slice_, (Task.NEW, Task.REPEAT), k=1)

    assert chosen[Task.NEW].words == "right"
    assert chosen[Task.REPEAT].words == "right"


def test_every_grid_point_scores_the_whole_catalogue() -> None:
    base = two_tastes()
    labels = np.array(["a", "b"] * 15)
    trial = Trial(base.seen, base.wanted, {"segment": labels})
    for name, grid in grids(trial, seed=0).items():
        found = grid[0].build(trial).scores(np.array([0, 1]))

        assert found.shape == (2, 20), name
        assert np.isfinite(found).all(), name


class _Fixed:
    def __init__(self, values: list[float], n: int) -> None:
        self._values = np.tile(np.array(values, np.float32), (n, 1))

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._values[rows]


def _fixed(values: list[float]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return lambda trial: _Fixed(values, trial.n_cardholders)
