"""An item's vector comes from its own history and from what it hangs on."""

import numpy as np
import pytest

from embeddings.catalog import parse_item
from embeddings.compose import ColumnSpace, Composer, Composition
from embeddings.vocabulary import Vocabulary
from tests.bundles import a_benefit, an_offer

VECTORS = {
    "merchant:big": ([1.0, 0.0], 98, "category:5812"),
    "merchant:small": ([0.0, 1.0], 2, "category:5812"),
    "category:5812": ([9.0, 9.0], 100, None),
    "category:4582": ([4.0, 2.0], 50, None),
    "offer:old": ([0.0, 3.0], 20, None),
}


def composer(rule: Composition | None = None) -> Composer:
    vocabulary = Vocabulary.build(VECTORS, b"k")
    rows = [VECTORS[name] for name in vocabulary]
    parents = [-1 if p is None else vocabulary.row(p) for _, _, p in rows]
    return Composer(
        ColumnSpace(
            vocabulary,
            np.array([v for v, _, _ in rows], np.float32),
            np.array([n for _, n, _ in rows], np.int32),
            np.array(parents, np.int32),
        ),
        rule or Composition(own_prior=20.0, merchant_prior=2.0),
    )


def test_an_offer_of_a_minute_ago_stands_at_its_merchant() -> None:
    composed = composer().compose(parse_item(an_offer("new", merchant_id="big", mcc=None)))

    np.testing.assert_allclose(composed.vector, [0.99, 0.01], atol=1e-6)
    assert composed.own_row is None
    assert len(composed.merchant_rows) == len(composed.category_rows) == 1


def test_a_merchant_never_seen_falls_back_to_what_its_category_looks_like() -> None:
    composed = composer().compose(parse_item(an_offer("new", merchant_id="unseen", mcc="5812")))

    np.testing.assert_allclose(composed.vector, [0.5, 0.5], atol=1e-6)


def test_an_item_with_history_speaks_for_itself_as_far_as_it_has_any() -> None:
    composed = composer().compose(parse_item(an_offer("old", merchant_id="unseen", mcc="5812")))

    np.testing.assert_allclose(composed.vector, [0.25, 1.75], atol=1e-6)


def test_a_category_without_merchants_keeps_its_own_vector() -> None:
    composed = composer().compose(parse_item(a_benefit("lounge", mccs=["4582"])))

    np.testing.assert_allclose(composed.vector, [4.0, 2.0], atol=1e-6)


def test_a_small_merchant_leans_on_its_category() -> None:
    composed = composer().compose(parse_item(an_offer("new", merchant_id="small", mcc=None)))

    np.testing.assert_allclose(composed.vector, [0.25, 0.75], atol=1e-6)


def test_an_item_of_which_nothing_is_known_has_no_direction() -> None:
    composed = composer().compose(parse_item(a_benefit("odd", mccs=["0000"])))

    assert composed.vector.tolist() == [0.0, 0.0]
    assert not composed.is_known


@pytest.mark.parametrize("field", ["own_prior", "merchant_prior"])
def test_a_prior_of_nothing_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Composition(**{field: 0.0})
