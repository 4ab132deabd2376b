"""An item's vector, from what is known of it: its own column and the columns it hangs on."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.appeal import Appeal, Setting
from embeddings.catalog import Item, ItemKind
from embeddings.vocabulary import ColumnKind, Vocabulary, column_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """How much history each part needs before it speaks for itself; part of the manifest.

    Parameters
    ----------
    own_prior : float
        Cardholders at which the item's own column weighs as much as what it hangs on, above 0.
    merchant_prior : float
        Cardholders at which a merchant weighs as much as its category, above 0.
    """

    own_prior: float = 20.0
    merchant_prior: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a prior that would divide by zero."""
        if not (self.own_prior > 0 and self.merchant_prior > 0):
            raise ValueError("own_prior and merchant_prior must be above 0")

    def as_document(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Read what :meth:`as_document` wrote."""
        return cls(**document)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnSpace:
    """What composing needs to know of the columns.

    Parameters
    ----------
    vocabulary : Vocabulary
    vectors : float32, shape (n_columns, n_factors)
    cardholders : int32, shape (n_columns,)
        Cardholders with a cell in the column.
    category_of : int32, shape (n_columns,)
        Row of a merchant's category column; -1 where there is none.
    """

    vocabulary: Vocabulary
    vectors: NDArray[np.float32]
    cardholders: NDArray[np.int32]
    category_of: NDArray[np.int32]

    def row(self, kind: ColumnKind, outside_id: str) -> int | None:
        """Row of a column, or None when the model does not know it."""
        return self.vocabulary.row(column_id(kind, outside_id))


@dataclass(frozen=True, slots=True)
class ComposedItem:
    """An item's vectors and where they come from.

    Parameters
    ----------
    vector : float32, shape (n_factors,)
        Where it stands among the columns: what it is like. Zeros when nothing is known of it.
    pull : float32, shape (n_factors,)
        What draws cardholders: its score for a cardholder ``x`` is ``x·pull + bias``. The same as
        ``vector`` where no responses were learned from.
    bias : float
        What everyone likes about it; 0 where no responses were learned from.
    own_row : int or None              the item's own column, once it has history
    merchant_rows, category_rows : tuple of int    the known columns it hangs on
    is_known : bool
        Whether any column or any response speaks for the item.
    """

    vector: NDArray[np.float32]
    pull: NDArray[np.float32]
    bias: float
    own_row: int | None
    merchant_rows: tuple[int, ...]
    category_rows: tuple[int, ...]
    is_known: bool


def _nowhere(_item_id: str) -> None:
    """Row of an item in no catalogue."""


class Composer:
    """Composes items against one column space; centroids are computed once.

    Parameters
    ----------
    space : ColumnSpace
    rule : Composition
    appeal : Appeal, optional
        What responses taught.
    row_of : callable, optional
        Row of an item's id among the appeal's items, or None.
    """

    def __init__(
        self,
        space: ColumnSpace,
        rule: Composition,
        appeal: Appeal | None = None,
        row_of: Callable[[str], int | None] = _nowhere,
    ) -> None:
        self._space = space
        self._rule = rule
        self._appeal = appeal
        self._row_of = row_of
        self._centroids = category_centroids(space)

    def compose(self, item: Item) -> ComposedItem:
        """Vector of one item: shrunken mix of its own column, its merchants, its categories.

        ``v = a·own + (1 - a)·(b·merchants + (1 - b)·categories)`` with
        ``a = n_own / (n_own + own_prior)`` and ``b = n_merchants / (n_merchants +
        merchant_prior)``; a part that is not known leaves its weight to the others.
        """
        own = self._space.row(own_kind(item), item.item_id)
        merchants, categories = self._hangs_on(item)
        hung = _mix(
            _mean(self._space.vectors, merchants),
            _mean(self._centroids, categories),
            self._trust(merchants, self._rule.merchant_prior),
        )
        owned = None if own is None else np.asarray(self._space.vectors[own], np.float32)
        vector = _mix(owned, hung, self._trust(() if own is None else (own,), self._rule.own_prior))
        if vector is None:
            vector = np.zeros(self._space.vectors.shape[1], np.float32)
        row = None if self._appeal is None else self._row_of(item.item_id)
        pull, bias = vector, np.float32(0)
        if self._appeal is not None:
            pull, bias = self._appeal.of(item, self._setting(merchants, categories), row)
        spoken_of = self._appeal is not None and self._appeal.speaks_of(row)
        is_known = own is not None or bool(merchants) or bool(categories) or spoken_of
        return ComposedItem(vector, pull, float(bias), own, merchants, categories, is_known)

    def setting(self, item: Item) -> Setting:
        """Where an item holds, as the columns know it."""
        return self._setting(*self._hangs_on(item))

    def _setting(self, merchants: tuple[int, ...], categories: tuple[int, ...]) -> Setting:
        return Setting(
            self._mean_direction(merchants),
            self._mean_direction(categories),
            self._mean_reach(merchants),
            self._mean_reach(categories),
        )

    def _mean_direction(self, rows: tuple[int, ...]) -> NDArray[np.float32]:
        """Mean of unit vectors; zeros for no rows."""
        if not rows:
            return np.zeros(self._space.vectors.shape[1], np.float32)
        vectors = np.asarray(self._space.vectors[list(rows)], np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray((vectors / np.where(lengths > 0, lengths, 1)).mean(axis=0), np.float32)

    def _mean_reach(self, rows: tuple[int, ...]) -> float:
        return float(self._space.cardholders[list(rows)].mean()) if rows else 0.0

    def _hangs_on(self, item: Item) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Rows of the merchants and of the categories that an item hangs on, as far as known."""
        merchants = self._rows(ColumnKind.MERCHANT, item.merchants())
        categories = self._rows(ColumnKind.CATEGORY, item.categories())
        return merchants, categories or self._parents(merchants)

    def _rows(self, kind: ColumnKind, ids: tuple[str, ...]) -> tuple[int, ...]:
        found = (self._space.row(kind, outside_id) for outside_id in ids)
        return tuple(row for row in found if row is not None)

    def _parents(self, merchants: tuple[int, ...]) -> tuple[int, ...]:
        """Category columns of the merchants, for an item that names no category."""
        parents = {int(self._space.category_of[row]) for row in merchants}
        return tuple(sorted(parents - {-1}))

    def _trust(self, rows: tuple[int, ...], prior: float) -> float:
        """``n / (n + prior)`` of the cardholders behind these columns together."""
        behind = float(self._space.cardholders[list(rows)].sum()) if rows else 0.0
        return behind / (behind + prior)


def own_kind(item: Item) -> ColumnKind:
    """Kind of the column that holds an item's own history."""
    return ColumnKind.BENEFIT if item.kind == ItemKind.BENEFIT.value else ColumnKind.OFFER


def category_centroids(space: ColumnSpace) -> NDArray[np.float32]:
    """For each category row, what a merchant of it looks like before anything is known of it.

    The mean of its merchants' vectors: the category's own column is met far more often than
    any merchant, so its vector is on another scale. A category without merchants keeps its own.
    Rows that are no category hold their own vector.

    Returns
    -------
    float32, shape (n_columns, n_factors)
    """
    centroids = np.array(space.vectors, np.float32)
    children = np.flatnonzero(space.category_of >= 0)
    parents = space.category_of[children]
    sums = np.zeros_like(centroids)
    np.add.at(sums, parents, space.vectors[children])
    sizes = np.bincount(parents, minlength=len(centroids))
    has_children = sizes > 0
    centroids[has_children] = sums[has_children] / sizes[has_children, None]
    return centroids


def _mean(vectors: NDArray[np.float32], rows: tuple[int, ...]) -> NDArray[np.float32] | None:
    """Mean of some vectors; None of none."""
    return np.asarray(vectors[list(rows)].mean(axis=0), np.float32) if rows else None


def _mix(
    first: NDArray[np.float32] | None, second: NDArray[np.float32] | None, trust: float
) -> NDArray[np.float32] | None:
    """``trust·first + (1 - trust)·second``; one alone when the other is not known."""
    if first is None or second is None:
        return second if first is None else first
    return np.asarray(trust * first + (1.0 - trust) * second, np.float32)
