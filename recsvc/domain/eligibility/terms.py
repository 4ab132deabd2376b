"""Two small tables over item rows: what a term admits, and which items hang on a column."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class TermTable:
    """One kind of restriction, for all items.

    Parameters
    ----------
    unrestricted : bool, shape (n_items,)
        Items without this restriction.
    rows_of : mapping of a value to int32 item rows
        Items that the value admits.
    """

    unrestricted: NDArray[np.bool_]
    rows_of: Mapping[str, NDArray[np.int32]]

    @classmethod
    def of(cls, values: Sequence[tuple[str, ...]]) -> Self:
        """Table of the admitted values of each item; an empty tuple is no restriction."""
        rows: dict[str, list[int]] = defaultdict(list)
        for row, admitted in enumerate(values):
            for value in admitted:
                rows[value].append(row)
        unrestricted = np.fromiter((not admitted for admitted in values), np.bool_, len(values))
        return cls(unrestricted, {v: np.array(r, np.int32) for v, r in rows.items()})

    def admits(self, held: Iterable[str]) -> NDArray[np.bool_]:
        """Items that one of these values admits or that have no such restriction; a new array."""
        mask = self.unrestricted.copy()
        for value in held:
            rows = self.rows_of.get(value)
            if rows is not None:
                mask[rows] = True
        return mask

    def only(self, value: str) -> NDArray[np.bool_]:
        """Items that name this very value; a new array."""
        mask = np.zeros(self.unrestricted.size, np.bool_)
        mask[self.rows_of.get(value, np.empty(0, np.int32))] = True
        return mask


@dataclass(frozen=True, slots=True, eq=False)
class Attachments:
    """Which items hang on which columns.

    Parameters
    ----------
    columns : int64, shape (n_columns,)       column rows with an item, ascending, each once
    starts : int64, shape (n_columns + 1,)    where each column's items begin in ``items``
    items : int32, shape (n_pairs,)           item rows, ascending within a column
    """

    columns: NDArray[np.int64]
    starts: NDArray[np.int64]
    items: NDArray[np.int32]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Self:
        """Attachments of (column row, item row) pairs; a repeated pair is one."""
        ordered = np.unique(np.array(list(pairs), np.int64).reshape(-1, 2), axis=0)
        columns, first = np.unique(ordered[:, 0], return_index=True)
        starts = np.append(first, len(ordered)).astype(np.int64)
        return cls(columns, starts, ordered[:, 1].astype(np.int32))

    def column_of_each(self) -> NDArray[np.int64]:
        """Column row of each pair, shape (n_pairs,)."""
        return np.repeat(self.columns, np.diff(self.starts))

    def on(self, columns: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
        """Items on any of these columns.

        Returns
        -------
        items : int32, shape (n_found,)     an item comes once for each column it hangs on
        which : intp, shape (n_found,)      place in ``columns`` of the column it was found on
        """
        if self.columns.size == 0 or columns.size == 0:
            return np.empty(0, np.int32), np.empty(0, np.intp)
        place = np.searchsorted(self.columns, columns)
        place[place == self.columns.size] = 0
        which = np.flatnonzero(self.columns[place] == columns)
        first = self.starts[place[which]]
        counts = self.starts[place[which] + 1] - first
        spread = np.repeat(np.arange(which.size), counts)
        within = np.arange(spread.size) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.items[first[spread] + within], which[spread]
