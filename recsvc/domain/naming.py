"""What columns are called, which of them a reason may name, and what a list shows of an item."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.bundle import Bundle
from embeddings.vocabulary import ColumnKind, split_column_id
from recsvc.domain.cardholder import Activation
from recsvc.domain.sensitive import is_sensitive
from recsvc.domain.space import Columns, ItemSpace

MOST_CACHED = 8_000
UNKNOWN, HARMLESS, SENSITIVE = 0, 1, 2
"""What is known of a name: nothing yet, that a reason may tell it, that it may not."""


class ColumnName(NamedTuple):
    """One column as people know it.

    Parameters
    ----------
    kind : ColumnKind
    outside_id : str
    label : str             empty where none was given
    is_nameable : bool      False for what a reason must never tell of
    """

    kind: ColumnKind
    outside_id: str
    label: str
    is_nameable: bool


class ItemNote(NamedTuple):
    """What a place and its reasons need to know of one item, worked out once.

    Parameters
    ----------
    is_sensitive : bool           a personal reason beside it could tell of something sensitive
    merchants, categories : tuple of int    columns that it hangs on
    columns : tuple of int        both
    cards : tuple of str          products whose benefit it is; empty for a benefit of any card
    is_benefit : bool
    stands : Activation           where one stands with it who has done nothing with it
    """

    is_sensitive: bool
    merchants: tuple[int, ...]
    categories: tuple[int, ...]
    columns: tuple[int, ...]
    cards: tuple[str, ...]
    is_benefit: bool
    stands: Activation


class Naming:
    """Names of the columns of one bundle, read when first asked for; a bounded number is kept.

    The catalogues that are served with one bundle, one after another, share its naming: what is
    known of a name stays known when an offer changes.

    Parameters
    ----------
    bundle : Bundle, optional
    columns : Columns of the same bundle
    """

    def __init__(self, bundle: Bundle | None, columns: Columns) -> None:
        self._bundle = bundle
        self._columns = columns
        self._names: dict[int, ColumnName] = {}
        self._older: dict[int, ColumnName] = {}
        self._kinds = np.zeros(columns.n_trained + 1, np.uint8)
        self._kinds[-1] = SENSITIVE  # of whatever was not trained

    def of(self, column: int) -> ColumnName:
        """Name of a column."""
        found = self._names.get(column) or self._older.get(column)
        if found is None:
            found = self._read(column)
            if len(self._names) >= MOST_CACHED:
                self._names, self._older = {}, self._names
            self._names[column] = found
        return found

    def nameable_merchants(self, columns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which columns are trained merchants that a reason may name, bool, shape (n_columns,)."""
        kinds = self._kinds.take(columns, mode="clip")
        if not kinds.all():
            for column in columns[kinds == UNKNOWN].tolist():
                name = self.of(column)
                harmless = name.kind is ColumnKind.MERCHANT and name.is_nameable
                self._kinds[column] = HARMLESS if harmless else SENSITIVE
            kinds = self._kinds.take(columns, mode="clip")
        return np.asarray(kinds == HARMLESS)

    def _read(self, column: int) -> ColumnName:
        kind, outside_id = split_column_id(self._columns.name(column))
        label = self._label(column)
        category = self.category_row(column)
        code = outside_id if kind is ColumnKind.CATEGORY else ""
        names = [label]
        if category is not None:
            code = split_column_id(self._columns.name(category))[1]
            names.append(self._label(category))
        return ColumnName(kind, outside_id, label, not is_sensitive((code,), names))

    def category_row(self, merchant: int) -> int | None:
        """Category column of a merchant column; None when it is not known."""
        if self._bundle is None or merchant >= self._columns.n_trained:
            return None
        row = int(self._bundle.model.column_category[merchant])
        return None if row < 0 else row

    def _label(self, column: int) -> str:
        if self._bundle is None or column >= self._columns.n_trained:
            return ""
        return self._bundle.model.labels[column]


class ItemNotes:
    """What reasons need to know of the items of one catalogue, worked out when first asked for.

    Parameters
    ----------
    naming : Naming of the bundle's columns
    space : ItemSpace of the catalogue against the bundle
    """

    def __init__(self, naming: Naming, space: ItemSpace) -> None:
        self._naming = naming
        self._space = space
        self._notes: list[ItemNote | None] = [None] * len(space.items)

    def of(self, row: int) -> ItemNote:
        """What a reason needs to know of an item."""
        found = self._notes[row]
        if found is None:
            found = self._notes[row] = self._note(row)
        return found

    def _note(self, row: int) -> ItemNote:
        item, links = self._space.items[row], self._space.links[row]
        columns = (*links.merchants, *links.categories)
        told = all(self._naming.of(column).is_nameable for column in columns)
        return ItemNote(
            not told or is_sensitive(item.categories(), (item.category,)),
            links.merchants,
            links.categories,
            columns,
            tuple(item.terms.card_products),
            item.kind == "benefit",
            Activation.AVAILABLE if item.terms.requires_activation else Activation.NOT_REQUIRED,
        )
