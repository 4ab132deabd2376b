"""A bundle of long ago opens, verifies and gives the answers it gave."""

from pathlib import Path

import numpy as np
import pytest

from embeddings.bundle import Bundle, factor_hash
from embeddings.manifest import FORMAT
from embeddings.shelf import Shelf

SHELF = Path(__file__).parent / "format-1"
HASH = "8bcaabe05577ccefb81a902cd0a4a309b3b98cf159333fb840c10a6a637d1fe3"


@pytest.fixture
def bundle() -> Bundle:
    found = Shelf(SHELF, "golden").current()
    assert found is not None
    return found


def test_the_bundle_of_format_1_opens_and_verifies(bundle: Bundle) -> None:
    assert FORMAT >= 1
    assert bundle.manifest.format == 1
    assert bundle.manifest.issuer_id == "golden"
    assert factor_hash(bundle.model.factors) == bundle.manifest.factor_hash == HASH


def test_it_still_knows_what_each_cardholder_lacks(bundle: Bundle) -> None:
    model = bundle.model
    for number in (0, 7, 23):
        row = model.cardholders.row(f"ch_{number}")
        assert row is not None
        scores = model.factors.columns @ model.factors.cardholders[row]
        rivals = [model.columns.row(f"merchant:m_{j}") for j in range(6) if j % 2 != number % 2]
        missing = model.columns.row(f"merchant:m_{number % 6}")
        assert all(scores[missing] > scores[rival] for rival in rivals)


def test_a_fold_in_of_its_history_is_its_stored_vector(bundle: Bundle) -> None:
    factors, history = bundle.model.factors, bundle.model.history
    for row in range(len(bundle.model.cardholders)):
        cells = history.cells(row)
        folded = factors.fold_in(history.rows[cells], history.strength[cells])
        np.testing.assert_allclose(folded, factors.cardholders[row], atol=1e-5)


def test_its_offers_are_composed_as_they_were(bundle: Bundle) -> None:
    item = bundle.model.catalog.get("offer_3")
    assert item is not None

    composed = bundle.composer().compose(item)

    assert composed.merchant_rows == (bundle.model.columns.row("merchant:m_3"),)
    assert composed.vector.argmax() == 1


def test_it_is_small_enough_to_keep() -> None:
    assert sum(f.stat().st_size for f in SHELF.rglob("*") if f.is_file()) < 100_000
