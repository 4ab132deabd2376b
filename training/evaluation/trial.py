"""What is asked of a model: which merchants a cardholder visits after the split."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


class Task(StrEnum):
    """Three questions, kept apart because they differ.

    ``new``: merchants the cardholder never met before the split; those he met are not candidates.
    ``repeat``: which of the merchants he met he visits again; only those are candidates.
    ``all``: any merchant of the catalogue.
    """

    NEW = "new"
    REPEAT = "repeat"
    ALL = "all"


class Scorer(Protocol):
    """A model that can score the whole catalogue."""

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores of the catalogue for these cardholders, larger is better.

        Parameters
        ----------
        rows : int64, shape (n,)        cardholder rows of the trial

        Returns
        -------
        float32, shape (n, n_catalogue); finite
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One split: what was known before it, what came after.

    Parameters
    ----------
    seen : CSR float32, shape (n_cardholders, n_catalogue)
        Strength of every cell before the split, above 0, column indices ascending within a row.
        The catalogue is the merchant columns that may be shown.
    wanted : CSR, shape (n_cardholders, n_catalogue)
        Stored cells: merchants visited after the split.
    segments : mapping
        From a grouping's name (``segment``, ``activity`` …) to one label a cardholder.
    age_days : float32, shape (n_seen_cells,), or None
        Days from the last visit to the split, in the order of ``seen.data``; None when undated.
    """

    seen: sparse.csr_matrix
    wanted: sparse.csr_matrix
    segments: dict[str, NDArray[np.str_]] = field(default_factory=dict)
    age_days: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Refuse tables that do not speak of the same cardholders and merchants."""
        if self.seen.shape != self.wanted.shape:
            raise ValueError(f"seen is {self.seen.shape} and wanted {self.wanted.shape}")
        for name, labels in self.segments.items():
            if len(labels) != self.seen.shape[0]:
                raise ValueError(f"segment {name}: {len(labels)} labels for {self.seen.shape[0]}")
        if self.age_days is not None and self.age_days.size != self.seen.nnz:
            raise ValueError(f"age_days: {self.age_days.size} for {self.seen.nnz} cells")

    @property
    def n_cardholders(self) -> int:
        """Rows of the trial."""
        return int(self.seen.shape[0])

    @property
    def n_catalogue(self) -> int:
        """Merchants that may be shown."""
        return int(self.seen.shape[1])

    def cells_of(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Seen cells of some cardholders, one after the other.

        Parameters
        ----------
        rows : integers, shape (n,)

        Returns
        -------
        place, cell : int64, shape (n_cells,)
            Place of the cell's cardholder in ``rows``, and where it lies in ``seen.data``.
        """
        starts = self.seen.indptr[rows].astype(np.int64)
        sizes = self.seen.indptr[rows + 1] - starts
        before = np.cumsum(sizes) - sizes
        cell = np.arange(int(sizes.sum())) + np.repeat(starts - before, sizes)
        return np.repeat(np.arange(rows.size), sizes), cell

    def ages(self) -> NDArray[np.float32]:
        """Days from each seen cell's last visit to the split; zeros when undated."""
        if self.age_days is None:
            return np.zeros(self.seen.nnz, np.float32)
        return self.age_days

    def targets(self, task: Task) -> sparse.csr_matrix:
        """Cells that count as right answers, shape (n_cardholders, n_catalogue), ones."""
        wanted = ones_of(self.wanted)
        if task is Task.ALL:
            return wanted
        again = ones_of(wanted.multiply(ones_of(self.seen)).tocsr())
        return again if task is Task.REPEAT else ones_of((wanted - again).tocsr())


def ones_of(table: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the same stored cells, each 1; cells stored as 0 are dropped; indices sorted."""
    clean = sparse.csr_matrix(table, dtype=np.float32, copy=True)
    clean.sum_duplicates()
    clean.eliminate_zeros()
    clean.data[:] = 1.0
    return clean
