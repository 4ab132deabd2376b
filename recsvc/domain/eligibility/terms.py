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

    @property
    def restricts(self) -> bool:
        """Whether any item has this restriction."""
        return bool(self.rows_of)


@dataclass(frozen=True, slots=True, eq=False)
class Attachments:
    """Which items hang on which columns, as pairs in ascending order of the column.

    Parameters
    ----------
    columns : int32, shape (n_pairs,)    ascending
    items : int32, shape (n_pairs,)      item rows
    """

    columns: NDArray[np.int32]
    items: NDArray[np.int32]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Self:
        """Attachments of (column row, item row) pairs."""
        ordered = np.array(sorted(set(pairs)), np.int32).reshape(-1, 2)
        return cls(np.ascontiguousarray(ordered[:, 0]), np.ascontiguousarray(ordered[:, 1]))

    def on(self, columns: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
        """Items on any of these columns.

        Returns
        -------
        items : int32, shape (n_found,)     an item comes once for each column it hangs on
        which : intp, shape (n_found,)      place in ``columns`` of the column it was found on
        """
        first = np.searchsorted(self.columns, columns, "left")
        counts = np.searchsorted(self.columns, columns, "right") - first
        which = np.repeat(np.arange(columns.size), counts)
        within = np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.items[first[which] + within], which
