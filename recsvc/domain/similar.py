"""Items like one item, by what their vectors say."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog import Item
from recsvc.domain.candidates import best_rows, cosines
from recsvc.domain.errors import NotFoundError
from recsvc.domain.model import ServingModel
from recsvc.domain.moment import microseconds


@dataclass(frozen=True, slots=True)
class SimilarItem:
    """An item and its likeness to the one asked for, a cosine within (0, 1]."""

    item: Item
    row: int
    score: float


def similar_items(
    model: ServingModel, item_id: str, limit: int, now: datetime
) -> tuple[SimilarItem, ...]:
    """Live items nearest to an item by cosine, best first, ties by item id; never itself.

    Items of which the model knows nothing are like none. Where two hang on the very same columns
    the cosine is 1.

    Raises
    ------
    NotFoundError
        The catalogue has no such item.
    """
    row = model.catalog.row(item_id)
    if row is None:
        raise NotFoundError(f"{item_id}: not in the catalogue")
    scores = cosines(model.space.vectors, model.space.vectors[row])
    eligible = _live(model, now) & model.space.known & (scores > 0)
    eligible[row] = False
    rows = best_rows(scores, eligible, limit)
    return tuple(
        SimilarItem(model.catalog.items[row], row, round(min(score, 1.0), 6))
        for row, score in zip(rows.tolist(), scores[rows].tolist(), strict=True)
    )


def _live(model: ServingModel, now: datetime) -> NDArray[np.bool_]:
    tables, instant = model.tables, microseconds(now)
    return tables.live & (tables.starts <= instant) & (tables.ends > instant)
