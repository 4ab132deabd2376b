"""Impressions cut into shares and stacks are the impressions one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.appeal import Impressions
from training.appeal.viewers import AT_ONCE, Share, shares_of

N_ITEMS = AT_ONCE + 500


def a_log(times: list[int], seed: int) -> tuple[Impressions, np.ndarray]:
    """So many items for each viewer, drawn by chance, the viewers in ascending order of that."""
    rng = np.random.default_rng(seed)
    times = sorted(times)
    items = np.concatenate([np.sort(rng.choice(N_ITEMS, n, replace=False)) for n in times])
    looked, taken = rng.random((2, items.size)) < 0.4
    viewers = np.repeat(np.arange(len(times)), times)
    return Impressions(viewers, items, looked, taken), viewers


def one_by_one(
    seen: Impressions, tastes: np.ndarray, vectors: np.ndarray, biases: np.ndarray
) -> np.ndarray:
    pairs = zip(seen.cardholders, seen.items, strict=True)
    return np.array([tastes[who] @ vectors[what] + biases[what] for who, what in pairs])


def interests(shares: list[Share], vectors: np.ndarray, biases: np.ndarray) -> np.ndarray:
    return np.concatenate([share.interest(vectors, biases) for share in shares])


@pytest.mark.parametrize("n_shares", [1, 4, 50])
@settings(max_examples=20, deadline=None)
@given(
    times=st.lists(st.sampled_from([1, 1, 2, 5, 30, N_ITEMS]), min_size=1, max_size=12),
    seed=st.integers(0, 1000),
)
def test_shares_add_up_to_the_impressions_one_by_one(
    n_shares: int, times: list[int], seed: int
) -> None:
    seen, viewers = a_log(times, seed)
    rng = np.random.default_rng(seed)
    tastes, vectors = rng.normal(size=(len(times), 3)), rng.normal(size=(N_ITEMS, 3))
    biases, weights = rng.normal(size=N_ITEMS), rng.normal(size=len(seen))
    shares = shares_of(seen, viewers, tastes, n_shares)
    ends = np.cumsum([share.items.size for share in shares])
    sums = [
        share.per_item(part, N_ITEMS)
        for share, part in zip(shares, np.split(weights, ends[:-1]), strict=True)
    ]
    pulls, counted = np.zeros((N_ITEMS, 3)), np.zeros(N_ITEMS)
    np.add.at(pulls, seen.items, weights[:, None] * tastes[viewers])
    np.add.at(counted, seen.items, weights)

    expected = one_by_one(seen, tastes, vectors, biases)
    np.testing.assert_allclose(interests(shares, vectors, biases), expected, atol=1e-12)
    np.testing.assert_allclose(sum(by_vectors for by_vectors, _ in sums), pulls, atol=1e-12)
    np.testing.assert_allclose(sum(by_biases for _, by_biases in sums), counted, atol=1e-12)
    assert np.concatenate([share.taken_up for share in shares]).tolist() == seen.taken_up.tolist()


def test_a_stack_holds_viewers_of_one_size_and_no_more_than_a_cache() -> None:
    n = AT_ONCE
    seen, viewers = a_log([2] * (n - 24) + [3] * 10 + [N_ITEMS], seed=1)
    (share,) = shares_of(seen, viewers, np.ones((n - 13, 2)), n_shares=1)
    sizes = [(who.stop - who.start, what.stop - what.start) for who, what in share.stacks]

    assert sizes == [(n // 2, n), (n // 2 - 24, n - 48), (10, 30), (1, N_ITEMS)]


def test_shares_are_of_about_one_size() -> None:
    seen, viewers = a_log([1] * 400 + [4] * 100, seed=1)
    shares = shares_of(seen, viewers, np.ones((500, 2)), n_shares=4)

    assert [share.items.size for share in shares] == [200, 200, 200, 200]
