"""Impressions less those of interests that their cardholders deleted."""

from collections.abc import Iterable, Iterator

import numpy as np

from embeddings.catalog import Catalog
from embeddings.compose import own_kind
from embeddings.deleted_interests import DeletedInterests
from embeddings.vocabulary import column_id
from training.appeal.impressions import Impressions


def without_deleted(
    seen: Impressions,
    deleted: DeletedInterests | None,
    cardholder_ids: Iterable[str],
    catalog: Catalog,
) -> Impressions:
    """Leave out pairs of a cardholder and an item in which he deleted his interest.

    A pair has no date, so what it told since the deletion is left out with what it told before.

    Parameters
    ----------
    seen : Impressions
    deleted : DeletedInterests or None
    cardholder_ids : in the order of the model's rows, as far as ``seen`` was read
    catalog : Catalog
    """
    if deleted is None or not deleted.deletions:
        return seen
    pairs = np.fromiter(_pairs(deleted, cardholder_ids, catalog), np.int64)
    return seen.where(~np.isin(seen.cardholders * len(catalog) + seen.items, pairs))


def _pairs(
    deleted: DeletedInterests, cardholder_ids: Iterable[str], catalog: Catalog
) -> Iterator[int]:
    """Cardholder row · items + item row of each deletion of an interest in an item."""
    row_of = {
        column_id(own_kind(item), item.item_id): row for row, item in enumerate(catalog.items)
    }
    for place, deletions in deleted.places_in(cardholder_ids):
        yield from (place * len(catalog) + row_of[one] for one in deletions.keys() & row_of.keys())
