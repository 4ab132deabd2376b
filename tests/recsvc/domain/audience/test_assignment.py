import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from recsvc.domain.audience.assignment import assign
from recsvc.domain.audience.prices import Market, dual_value, find_prices
from tests.recsvc.domain.audience.worlds import first_come, taste_world


def exact(worth: NDArray[np.float32], budgets: NDArray[np.int64], capacity: int) -> float:
    """The optimum by linear programming (HiGHS); the polytope is whole-numbered."""
    n, m = worth.shape
    one_each = np.kron(np.eye(n), np.ones((1, m)))
    per_item = np.kron(np.ones((1, n)), np.eye(m))
    limits = np.vstack([one_each, per_item, np.ones((1, n * m))])
    gain = np.where(np.isfinite(worth), worth, -10.0).ravel()
    bounds = np.r_[np.ones(n), budgets, capacity]
    found = linprog(-gain, A_ub=limits, b_ub=bounds, bounds=(0, 1)).fun
    assert found is not None
    return -found


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 120), m=st.integers(1, 7), seed=st.integers(0, 10**6))
def test_the_assignment_is_the_optimum_and_its_bound_proves_it(n: int, m: int, seed: int) -> None:
    worth, budgets, capacity = taste_world(n, m, seed)

    found = assign(worth, budgets, capacity)

    best = exact(worth, budgets, capacity)
    assert found.total == pytest.approx(best, abs=1e-4)
    assert found.bound >= best - 1e-4
    assert found.gap < 1e-3


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 60), m=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_no_limit_is_ever_broken_and_nothing_forbidden_is_sent(n: int, m: int, seed: int) -> None:
    worth, budgets, capacity = taste_world(n, m, seed)

    items = assign(worth, budgets, capacity).items

    sent = np.flatnonzero(items >= 0)
    assert sent.size <= capacity
    assert (np.bincount(items[sent], minlength=m) <= budgets).all()
    assert (worth[sent, items[sent]] > 0).all()


def test_a_cardholder_with_a_second_choice_leaves_the_scarce_item_to_one_without() -> None:
    worth = np.array([[1.0, 0.9], [0.8, -np.inf]], np.float32)

    assert assign(worth, np.array([1, 1]), 2).items.tolist() == [1, 0]
    assert first_come(worth, np.array([1, 1]), 2).tolist() == [0, -1]


def test_nobody_is_woken_for_what_is_worth_nothing() -> None:
    worth = np.array([[-0.1, 0.0], [-np.inf, -np.inf]], np.float32)

    assert assign(worth, np.array([5, 5]), 5).items.tolist() == [-1, -1]


def test_a_large_campaign_is_within_a_thousandth_of_the_best_and_beats_a_queue() -> None:
    worth, _, _ = taste_world(30_000, 20, 4)
    budgets, capacity = np.full(20, 700), 10_000

    found = assign(worth, budgets, capacity, max_exchanges=300)

    market = Market(worth, budgets, capacity)
    assert found.gap < 1e-3
    assert found.total > 1.05 * market.total(first_come(worth, budgets, capacity))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.floats(0, 2), min_size=4, max_size=4))
def test_any_prices_bound_the_optimum_from_above(seed: int, prices: list[float]) -> None:
    worth, budgets, capacity = taste_world(40, 3, seed)
    market = Market(worth, budgets, capacity)

    assert dual_value(market, np.array(prices)) >= exact(worth, budgets, capacity) - 1e-6


def test_the_same_seed_gives_the_same_assignment() -> None:
    worth, budgets, capacity = taste_world(25_000, 8, 2)

    one, other = (find_prices(Market(worth, budgets, capacity), seed=9) for _ in range(2))

    assert one.tolist() == other.tolist()


@pytest.mark.parametrize(
    ("worth", "budgets", "capacity", "says"),
    [
        ([[np.nan]], [1], 1, "finite"),
        ([[np.inf]], [1], 1, "finite"),
        ([[1.0]], [-1], 1, "at least 0"),
        ([[1.0]], [1], -1, "at least 0"),
        ([[1.0]], [1, 2], 1, "do not fit"),
    ],
)
def test_what_is_no_market_is_refused(
    worth: list[list[float]], budgets: list[int], capacity: int, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        assign(np.array(worth, np.float32), np.array(budgets), capacity)
