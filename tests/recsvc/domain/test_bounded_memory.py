"""What a model keeps for speed stays bounded, however many cardholders ask."""

import numpy as np

from embeddings.index import ItemIndex
from recsvc.domain.eligibility.masks import ENTRY_BYTES, MOST_CACHED_BYTES, MaskCache
from recsvc.domain.narrowing import MOST_KEPT, Narrowing
from recsvc.domain.popularity import MOST_CACHED
from tests.bundles import checkerboard
from tests.worlds import a_model, bundle_of, with_segments


def test_masks_kept_never_pass_their_bytes() -> None:
    cache, mask = MaskCache(), np.ones(100_000, np.bool_)
    most = MOST_CACHED_BYTES // (2 * mask.nbytes + ENTRY_BYTES)

    for number in range(3 * most):
        cache.put(number, mask)
        kept = sum(cache.get(other) is not None for other in range(number + 1))
        assert 1 <= kept <= most
        newest = cache.get(number)
        assert newest is not None
        assert newest.mask is mask
        assert newest.bits == mask.tobytes()


def test_masks_of_a_small_catalogue_are_few_however_many_cities_are_asked_for() -> None:
    cache, mask = MaskCache(), np.ones(10, np.bool_)
    for number in range(20_000):
        cache.put(("city", number), mask)

    kept = sum(cache.get(("city", number)) is not None for number in range(20_000))
    assert 1 <= kept <= MOST_CACHED_BYTES // ENTRY_BYTES


def test_indexes_of_no_item_are_few_however_many_cities_are_asked_for() -> None:
    nothing, cities = np.zeros(4, np.bool_), range(2 * MOST_KEPT)
    whole = ItemIndex(np.eye(4, dtype=np.float32))
    narrowing = Narrowing(whole, nothing)
    for city in (*cities, *cities):
        narrowing.index(city, nothing)

    kept = narrowing.index(cities[-1], nothing)
    assert kept is not whole
    assert narrowing.index(cities[-1], nothing) is kept
    assert len(narrowing) == MOST_KEPT


def test_popularity_is_kept_for_a_bounded_number_of_segments() -> None:
    names = [f"city:{number}" for number in range(3 * MOST_CACHED)]
    counted = with_segments(checkerboard(), {name: {"merchant:m_1": 0.5} for name in names})
    popularity = a_model(bundle=bundle_of(counted)).popularity

    first = popularity.of(names[0], 0.1)
    for name in names:
        popularity.of(name, 0.1)

    assert popularity.of(names[0], 0.1) is not first
    assert popularity.of(names[0], 0.1).rows.tolist() == first.rows.tolist()


def test_names_read_again_are_the_names_read_before() -> None:
    model = a_model()
    columns = np.arange(model.space.columns.n_trained)

    once = [model.naming.of(column) for column in columns.tolist()]

    assert once == [model.naming.of(column) for column in columns.tolist()]
    nameable = model.naming.nameable_merchants(columns)
    assert nameable.tolist() == [n.kind == "merchant" and n.is_nameable for n in once]
    assert model.naming.nameable_merchants(columns).tolist() == nameable.tolist()
