"""Exact search among eligible rows only."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.index import ItemIndex, fork_self_test


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 8), st.integers(1, 80), st.data()
)
@settings(deadline=None, max_examples=150)
def test_search_is_a_full_sort(
    seed: int, n_items: int, n_factors: int, limit: int, data: st.DataObject
) -> None:
    chance = np.random.default_rng(seed)
    vectors = chance.integers(-2, 3, size=(n_items, n_factors)).astype(np.float32)
    query = chance.integers(-2, 3, size=n_factors).astype(np.float32)
    eligible = np.array(data.draw(st.lists(st.booleans(), min_size=n_items, max_size=n_items)))

    rows, scores = ItemIndex(vectors).search(query, limit, eligible)

    exact = vectors @ query
    ranked = [r for r in np.lexsort((np.arange(n_items), -exact)) if eligible[r]][:limit]
    assert rows.tolist() == ranked
    assert scores.tolist() == exact[ranked].tolist()


@given(
    seed=st.integers(0, 2**32 - 1),
    n_places=st.sampled_from([1, 7, 300, 2000]),
    share=st.sampled_from([0.002, 0.05, 0.4, 1.0]),
    open_share=st.sampled_from([0.0, 0.01, 0.9, 1.0]),
    limit=st.integers(1, 40),
)
@settings(deadline=None, max_examples=60)
def test_a_narrowed_index_answers_as_the_whole_one_and_as_a_full_sort(
    seed: int, n_places: int, share: float, open_share: float, limit: int
) -> None:
    chance = np.random.default_rng(seed)
    places = chance.integers(-3, 4, size=(n_places, 5)).astype(np.float32)
    vectors = places[chance.integers(n_places, size=3000)]
    query = chance.integers(-3, 4, size=5).astype(np.float32)
    may = chance.random(3000) < share
    eligible = may & (chance.random(3000) < open_share)
    index = ItemIndex(vectors)

    whole, narrow = (i.search(query, limit, eligible) for i in (index, index.narrowed(may)))

    exact = vectors @ query
    order = np.lexsort((np.arange(3000), -exact))
    ranked = order[eligible[order]][:limit]
    for rows, scores in (whole, narrow):
        assert rows.tolist() == ranked.tolist()
        assert scores.tolist() == exact[ranked].tolist()


@given(
    seed=st.integers(0, 2**32 - 1),
    n_places=st.sampled_from([1, 7, 300]),
    spread=st.sampled_from([1, 1000]),
    wanted=st.sampled_from([1, 2, 5, 24, 300, 1000]),
)
@settings(deadline=None, max_examples=100)
def test_the_best_one_after_another_are_the_beginning_of_a_search(
    seed: int, n_places: int, spread: int, wanted: int
) -> None:
    chance = np.random.default_rng(seed)
    places = chance.integers(-spread, spread + 1, size=(n_places, 5)).astype(np.float32)
    vectors = places[chance.integers(n_places, size=600)]
    query = chance.integers(-spread, spread + 1, size=5).astype(np.float32)
    may = chance.random(600) < 0.7
    index = ItemIndex(vectors).narrowed(may)

    found = index.best_first(query, wanted)

    rows, scores = index.search(query, 600, may)
    assert found == [*zip(rows.tolist(), scores.tolist(), strict=True)][: len(found)]
    assert len(found) == rows.size or len({*scores.tolist()[: len(found)]}) <= min(wanted, 256)
    if wanted > n_places and n_places < 256:
        assert len(found) == rows.size


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_query_that_is_not_finite_has_no_best(wrong: float) -> None:
    index = ItemIndex(np.eye(3, dtype=np.float32) + 1)

    with pytest.raises(ValueError, match="finite"):
        index.best_first(np.array([1.0, wrong, 1.0], np.float32), 2)
    assert ItemIndex.empty(3).best_first(np.ones(3, np.float32), 2) == []


def test_ties_at_the_cut_go_to_the_lower_row() -> None:
    index = ItemIndex(np.ones((500, 3), np.float32))

    rows, _ = index.search(np.ones(3, np.float32), 5)

    assert rows.tolist() == [0, 1, 2, 3, 4]


def test_missing_hits_are_not_padded() -> None:
    index = ItemIndex(np.eye(4, dtype=np.float32))

    rows, scores = index.search(np.ones(4, np.float32), 10, np.array([0, 1, 0, 1], np.bool_))

    assert rows.tolist() == [1, 3]
    assert scores.tolist() == [1.0, 1.0]


def test_nobody_eligible_is_an_empty_answer() -> None:
    rows, scores = ItemIndex(np.eye(2, dtype=np.float32)).search(
        np.ones(2, np.float32), 3, np.zeros(2, np.bool_)
    )

    assert rows.size == scores.size == 0
    assert ItemIndex.empty(2).search(np.ones(2, np.float32), 3)[0].size == 0


@pytest.mark.parametrize("query", [[np.nan, 1.0], [np.inf, 0.0], [1.0], [[1.0, 2.0]]])
def test_a_query_that_is_no_vector_is_refused(query: list[float]) -> None:
    with pytest.raises(ValueError, match="2 finite numbers"):
        ItemIndex(np.eye(2, dtype=np.float32)).search(np.array(query, np.float32), 1)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        ItemIndex(np.eye(2, dtype=np.float32)).search(np.ones(2, np.float32), limit)


def test_vectors_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        ItemIndex(np.full((2, 2), np.nan, np.float32))


def test_F31_a_search_survives_a_fork_after_a_search_of_20_000_items() -> None:
    assert fork_self_test()
