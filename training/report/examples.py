"""What a model knows, in words: a map, neighbours, and three cardholders."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog.text import in_locale
from embeddings.compose import Composition
from embeddings.model import Model
from embeddings.vocabulary import ColumnKind, split_column_id
from training.report.layout import plane_of

MAP_MERCHANTS = 300
WELL_KNOWN = 8
NEIGHBOURS = 5
LISTED = 6
MAX_ITEMS = 20_000


def surroundings_of(model: Model) -> dict[str, Any]:
    """Map of merchants, and neighbours of the well known."""
    merchants = merchants_by_fame(model)
    return {
        "map": merchant_map(model, merchants[:MAP_MERCHANTS]),
        "neighbours": neighbours(model, merchants),
    }


def merchants_by_fame(model: Model) -> NDArray[np.int64]:
    """Rows of merchant columns, most cardholders first, ties by row."""
    kinds = np.array([split_column_id(name)[0] is ColumnKind.MERCHANT for name in model.columns])
    rows = np.flatnonzero(kinds)
    return rows[np.lexsort((rows, -model.column_cardholders[rows]))]


def name_of(model: Model, row: int) -> str:
    """What people call a column; its outside id where no name was given."""
    return model.labels[row] or split_column_id(model.columns.id(row))[1]


def category_of(model: Model, row: int) -> str:
    """Name of a merchant's category, ``other`` where it has none; what kind of item an item is."""
    parent = int(model.column_category[row])
    if parent >= 0:
        return name_of(model, parent)
    kind = _kind(model, row)
    return "other" if kind is ColumnKind.MERCHANT else kind.value


def _directions(model: Model, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Vectors of unit length; zeros stay zeros."""
    vectors = np.asarray(model.factors.columns[rows], np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float64)


def merchant_map(model: Model, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Two coordinates for each merchant; near means a small angle between vectors."""
    if rows.size < 10:
        return []
    placed = plane_of(_directions(model, rows))
    return [
        {
            "name": name_of(model, int(row)),
            "category": category_of(model, int(row)),
            "cardholders": int(model.column_cardholders[row]),
            "x": round(float(x), 3),
            "y": round(float(y), 3),
        }
        for row, (x, y) in zip(rows, placed, strict=True)
    ]


def neighbours(model: Model, merchants: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Nearest merchants, by angle, of one well-known merchant in each of the largest categories."""
    directions = _directions(model, merchants)
    chosen: dict[str, int] = {}
    for place, row in enumerate(merchants):
        chosen.setdefault(category_of(model, int(row)), place)
    return [
        {
            "name": name_of(model, int(merchants[place])),
            "category": category,
            "near": _nearest(model, merchants, directions, place),
        }
        for category, place in list(chosen.items())[:WELL_KNOWN]
    ]


def _nearest(
    model: Model, merchants: NDArray[np.int64], directions: NDArray[np.float64], place: int
) -> list[dict[str, Any]]:
    alike = directions @ directions[place]
    alike[place] = -np.inf
    best = np.lexsort((merchants, -np.round(alike, 6)))[: min(NEIGHBOURS, alike.size - 1)]
    return [
        {
            "name": name_of(model, int(merchants[p])),
            "category": category_of(model, int(merchants[p])),
            "likeness": round(float(alike[p]), 3),
        }
        for p in best
    ]


def examples(model: Model) -> list[dict[str, Any]]:
    """A light, a middling and a busy cardholder: what he did, what he would be shown.

    Lists come before eligibility rules. Ids are left out on purpose.
    """
    sizes = np.diff(model.history.indptr)
    order = np.argsort(sizes, kind="stable")
    places = [int(q * (order.size - 1)) for q in (0.25, 0.6, 0.95)]
    merchants, items = merchants_by_fame(model), _item_vectors(model)
    return [
        {
            "kind": kind,
            "history": _history(model, int(order[place])),
            "merchants": _new_merchants(model, int(order[place]), merchants),
            "items": _best_items(model, int(order[place]), items),
        }
        for kind, place in zip(("light", "middling", "busy"), places, strict=True)
    ]


def _history(model: Model, cardholder: int) -> list[dict[str, Any]]:
    """His strongest merchants."""
    cells = model.history.cells(cardholder)
    rows, strength = model.history.rows[cells], model.history.strength[cells]
    visits = model.history.visits[cells]
    ordered = [int(i) for i in np.lexsort((rows, -strength))]
    kept = [i for i in ordered if _kind(model, int(rows[i])) is not ColumnKind.CATEGORY]
    return [
        {
            "name": name_of(model, int(rows[i])),
            "category": category_of(model, int(rows[i])),
            "visits": int(visits[i]),
        }
        for i in kept[:LISTED]
    ]


def _kind(model: Model, row: int) -> ColumnKind:
    return split_column_id(model.columns.id(row))[0]


def _new_merchants(
    model: Model, cardholder: int, merchants: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """The best merchants he has not met."""
    met = model.history.rows[model.history.cells(cardholder)]
    unknown = merchants[~np.isin(merchants, met)]
    scores = model.factors.columns[unknown] @ model.factors.cardholders[cardholder]
    best = unknown[np.lexsort((unknown, -scores))[:LISTED]]
    return [
        {"name": name_of(model, int(row)), "category": category_of(model, int(row))} for row in best
    ]


def _item_vectors(model: Model) -> NDArray[np.float32]:
    """Pull and bias of each item, float32, shape (n_items, n_factors + 1)."""
    composer = model.composer(Composition())
    composed = [composer.compose(item) for item in model.catalog.items[:MAX_ITEMS]]
    rows = [np.append(one.pull, one.bias) for one in composed]
    return np.array(rows, np.float32).reshape(len(rows), model.factors.n_factors + 1)


def _best_items(
    model: Model, cardholder: int, vectors: NDArray[np.float32]
) -> list[dict[str, Any]]:
    """The best items of the catalogue."""
    scores = vectors @ np.append(model.factors.cardholders[cardholder], np.float32(1))
    best = np.lexsort((np.arange(scores.size), -scores))[:LISTED]
    chosen = [model.catalog.items[int(i)] for i in best]
    return [{"name": in_locale(item.title, "en"), "category": item.category} for item in chosen]
