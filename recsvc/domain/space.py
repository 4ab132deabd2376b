"""Items in the embedding space: their vectors, and the columns that each hangs on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embeddings.bundle import Bundle
from embeddings.catalog import Item
from embeddings.compose import ComposedItem, Composer
from embeddings.vocabulary import ColumnKind, column_id
from recsvc.domain.eligibility.terms import Attachments


class Columns:
    """Rows of columns: those of a bundle, and further ones that only the catalogue mentions.

    A merchant that joined after training has no vector, but a cardholder's purchases there still
    count for customer recency and as evidence; so it gets a row behind the bundle's.

    Parameters
    ----------
    bundle : Bundle, optional
    """

    def __init__(self, bundle: Bundle | None) -> None:
        self._vocabulary = bundle.model.columns if bundle else None
        self.n_trained = len(bundle.model.columns) if bundle else 0
        self._further: dict[str, int] = {}
        self._names: list[str] = []

    def row(self, kind: ColumnKind, outside_id: str) -> int | None:
        """Row of a column, or None when neither the bundle nor the catalogue has it."""
        name = column_id(kind, outside_id)
        trained = self._vocabulary.row(name) if self._vocabulary else None
        return self._further.get(name) if trained is None else trained

    def mention(self, kind: ColumnKind, outside_id: str) -> int:
        """Row of a column that an item of the catalogue hangs on; given one if it has none."""
        known = self.row(kind, outside_id)
        if known is not None:
            return known
        name = column_id(kind, outside_id)
        self._names.append(name)
        self._further[name] = self.n_trained + len(self._names) - 1
        return self._further[name]

    def name(self, row: int) -> str:
        """Id of a column, e.g. ``merchant:m_12``."""
        if row < self.n_trained and self._vocabulary is not None:
            return self._vocabulary.id(row)
        return self._names[row - self.n_trained]


@dataclass(frozen=True, slots=True)
class Links:
    """The columns one item hangs on: its own, its merchants', its categories'."""

    own: int | None
    merchants: tuple[int, ...]
    categories: tuple[int, ...]
    is_known: bool


@dataclass(frozen=True, slots=True, eq=False)
class ItemSpace:
    """Vectors and links of all items of one catalogue against one bundle.

    Parameters
    ----------
    items : items in order of their rows
    vectors : float32, shape (n_items, n_factors)
        Where each item stands among the columns: what it is like.
    pulls : float32, shape (n_items, n_factors + 1)
        What draws cardholders: the score for a vector ``x`` is ``[x, 1]·pull``.
    links : Links of each item
    known : bool, shape (n_items,)     items of which any trained column speaks
    own : int32, shape (n_items,)      row of the item's own column, or -1
    merchants, categories : Attachments
    columns : Columns
    """

    items: Sequence[Item]
    vectors: NDArray[np.float32]
    pulls: NDArray[np.float32]
    links: Sequence[Links]
    known: NDArray[np.bool_]
    own: NDArray[np.int32]
    merchants: Attachments
    categories: Attachments
    columns: Columns
    composer: Composer | None = field(repr=False, default=None)

    @classmethod
    def of(cls, bundle: Bundle | None, items: Sequence[Item], earlier: Self | None = None) -> Self:
        """Compose items; those that did not change since ``earlier`` are taken from it.

        Parameters
        ----------
        bundle : Bundle, optional
        items : in order of their rows
        earlier : ItemSpace of the very same bundle, optional
        """
        composer = bundle.composer() if bundle and earlier is None else None
        columns = Columns(bundle)
        if earlier is not None:
            composer, columns = earlier.composer, earlier.columns
        n_factors = bundle.model.factors.n_factors if bundle else 1
        vectors = np.zeros((len(items), n_factors), np.float32)
        pulls = np.zeros((len(items), n_factors + 1), np.float32)
        old = {i.item_id: row for row, i in enumerate(earlier.items)} if earlier else {}
        links = []
        for row, item in enumerate(items):
            before = old.get(item.item_id)
            if earlier is not None and before is not None and _same(earlier.items[before], item):
                vectors[row], pulls[row] = earlier.vectors[before], earlier.pulls[before]
                links.append(earlier.links[before])
                continue
            composed = composer.compose(item) if composer else None
            if composed is not None:
                vectors[row] = composed.vector
                pulls[row, :-1], pulls[row, -1] = composed.pull, composed.bias
            links.append(_links(item, composed, columns))
        return cls(
            items,
            vectors,
            pulls,
            links,
            np.fromiter((link.is_known for link in links), np.bool_, len(links)),
            np.fromiter((_or_none(link.own) for link in links), np.int32, len(links)),
            Attachments.of((c, row) for row, link in enumerate(links) for c in link.merchants),
            Attachments.of((c, row) for row, link in enumerate(links) for c in link.categories),
            columns,
            composer,
        )

    def query(self, vector: NDArray[np.float32], boost_weight: float) -> NDArray[np.float32]:
        """What to multiply ``[pull, priority]`` with for a cardholder, shape (n_factors + 2,)."""
        asked = np.ones(vector.size + 2, np.float32)
        asked[:-2] = vector
        asked[-1] = boost_weight
        return asked


def _same(one: Item, other: Item) -> bool:
    return one is other or one == other


def _or_none(own: int | None) -> int:
    return -1 if own is None else own


def _links(item: Item, composed: ComposedItem | None, columns: Columns) -> Links:
    """Links of an item; a merchant or category that nobody trained gets a further row."""
    merchants = tuple(columns.mention(ColumnKind.MERCHANT, m) for m in item.merchants())
    categories = tuple(columns.mention(ColumnKind.CATEGORY, c) for c in item.categories())
    if composed is None:
        return Links(None, merchants, categories, is_known=False)
    return Links(
        composed.own_row, merchants, categories or composed.category_rows, composed.is_known
    )
