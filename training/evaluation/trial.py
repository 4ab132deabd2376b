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
    """A model that can score the catalogue for cardholders."""

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores, shape (len(rows), n_catalogue), finite; larger is better."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One split: what was known, what came after.

    Parameters
    ----------
    seen : CSR float32, shape (n_cardholders, n_catalogue)
        Strength of every cell before the split, above 0. The catalogue is the merchant columns.
    wanted : CSR, shape (n_cardholders, n_catalogue)
        Stored cells: merchants visited after the split.
    segments : mapping
        From a segment's name (``product``, ``city``, ``activity`` …) to one label a cardholder.
    """

    seen: sparse.csr_matrix
    wanted: sparse.csr_matrix
    segments: dict[str, NDArray[np.str_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse tables that do not speak of the same cardholders and merchants."""
        if self.seen.shape != self.wanted.shape:
            raise ValueError(f"seen is {self.seen.shape} and wanted {self.wanted.shape}")
        for name, labels in self.segments.items():
            if len(labels) != self.seen.shape[0]:
                raise ValueError(f"segment {name}: {len(labels)} labels")

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
    clean.eliminate_zeros()
    clean.sort_indices()
    clean.data[:] = 1.0
    return clean
