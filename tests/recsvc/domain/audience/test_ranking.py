import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recsvc.domain.audience.ranking import CHUNK_ROWS, rank_cardholders


def full_sort(
    scores: NDArray[np.float32], allowed: NDArray[np.bool_], size: int
) -> NDArray[np.int64]:
    rows = np.flatnonzero(allowed)
    return rows[np.lexsort((rows, -scores[rows]))][:size]


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(0, 3 * CHUNK_ROWS),
    size=st.integers(0, 2000),
    levels=st.integers(1, 50),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**31),
)
def test_one_pass_equals_a_full_sort_also_when_scores_tie(
    n: int, size: int, levels: int, share: float, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    factors = chance.integers(0, levels, (n, 1)).astype(np.float32)
    allowed = chance.random(n) < share

    ranked = rank_cardholders(factors, np.ones(1, np.float32), allowed, size=size)

    assert ranked.rows.tolist() == full_sort(factors[:, 0], allowed, size).tolist()
    assert ranked.scores.tolist() == factors[ranked.rows, 0].tolist()
    assert ranked.matched == np.count_nonzero(allowed)


def test_a_rising_score_makes_every_later_row_beat_the_earlier_ones() -> None:
    n = 20 * CHUNK_ROWS
    factors = np.arange(n, dtype=np.float32).reshape(-1, 1)

    ranked = rank_cardholders(factors, np.ones(1, np.float32), np.ones(n, np.bool_), size=5)

    assert ranked.rows.tolist() == [n - 1, n - 2, n - 3, n - 4, n - 5]


def test_nobody_who_is_not_allowed_is_ranked_however_well_he_fits() -> None:
    factors = np.array([[9.0], [1.0], [8.0], [2.0]], np.float32)
    allowed = np.array([False, True, False, True])

    ranked = rank_cardholders(factors, np.ones(1, np.float32), allowed, size=4)

    assert ranked.rows.tolist() == [3, 1]


def test_matched_counts_those_at_the_least_score_and_above_also_beyond_the_size() -> None:
    factors = np.array([[1.0], [2.0], [3.0], [2.0], [0.5]], np.float32)

    ranked = rank_cardholders(
        factors, np.ones(1, np.float32), np.ones(5, np.bool_), size=1, min_score=2.0
    )

    assert ranked.rows.tolist() == [2]
    assert ranked.matched == 3


def test_a_score_that_is_not_a_number_is_never_ranked() -> None:
    factors = np.array([[np.nan], [1.0]], np.float32)

    ranked = rank_cardholders(factors, np.ones(1, np.float32), np.ones(2, np.bool_), size=2)

    assert ranked.rows.tolist() == [1]


@pytest.mark.parametrize(
    ("vector", "allowed", "size", "says"),
    [
        (np.ones(3, np.float32), np.ones(4, np.bool_), 1, "item_vector"),
        (np.ones(2, np.float32), np.ones(5, np.bool_), 1, "allowed"),
        (np.ones(2, np.float32), np.ones(4, np.int8), 1, "bool"),
        (np.ones(2, np.float32), np.ones(4, np.bool_), -1, "size"),
    ],
)
def test_what_does_not_belong_together_is_refused_by_name(
    vector: NDArray[np.float32], allowed: NDArray[np.bool_], size: int, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        rank_cardholders(np.ones((4, 2), np.float32), vector, allowed, size=size)
