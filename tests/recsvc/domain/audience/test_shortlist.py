import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.domain.audience.assignment import assign
from recsvc.domain.audience.exchange import improve
from recsvc.domain.audience.prices import Market
from recsvc.domain.audience.shortlist import LISTED, Shortlist, largest
from tests.recsvc.domain.audience.worlds import first_come


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(0, 4 * LISTED),
    st.lists(st.booleans(), min_size=4 * LISTED, max_size=4 * LISTED),
)
def test_while_a_shortlist_says_it_is_sure_its_best_is_the_best_of_all_who_stayed(
    seed: int, n: int, leaves: list[bool]
) -> None:
    chance = np.random.default_rng(seed)
    gains = np.round(chance.normal(size=n), 1)
    gains[chance.random(n) < 0.2] = -np.inf
    rows, at = np.arange(n), np.zeros(n, np.int32)
    listed = Shortlist.of([largest(gains[:50], rows[:50]), largest(gains[50:], rows[50:])])

    for row in np.flatnonzero(leaves[:n]):
        at[row] = 1
        if listed.settle(at, 0):
            best = float(gains[at == 0].max(initial=-np.inf))
            assert listed.best()[0] == best
            assert best == -np.inf or gains[listed.best()[1]] == best


def test_exchanges_turn_a_queues_choice_into_the_proven_best() -> None:
    chance = np.random.default_rng(8)
    worth = (1 / (1 + np.exp(-chance.normal(size=(6_000, 12))))).astype(np.float32)
    market = Market(worth, np.full(12, 400), 4_000)

    items, proof = improve(market, first_come(worth, market.budgets, 4_000), max_exchanges=50_000)

    assert proof is not None
    best = assign(worth, market.budgets, 4_000)
    assert abs(market.total(items) - best.total) < 1e-3 * best.total
    assert best.gap < 1e-6
