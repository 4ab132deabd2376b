"""Contacts added up into the training matrix, by the rule that serving shares."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embeddings.cells import Cells, cells_of_contacts
from embeddings.interactions import EventWeights
from training.ahead import in_order
from training.matrix.contacts import kind_visits, kind_weights
from training.matrix.scratch import Scratch
from training.matrix.spool import Spool
from training.memory import let_go


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Cells of a range of cardholders, ready to fit and to publish; on disk, and mapped.

    Parameters
    ----------
    strength : CSR float32, shape (n_cardholders, n_columns)
        Above 0; column indices ascend within a row.
    visits, last_day : int32, shape (n_cells,)
        In the order of ``strength.data``.
    """

    strength: sparse.csr_matrix
    visits: NDArray[np.int32]
    last_day: NDArray[np.int32]

    def __post_init__(self) -> None:
        """Refuse evidence that is not of these cells."""
        if not self.visits.size == self.last_day.size == self.strength.nnz:
            raise ValueError(f"evidence of {self.visits.size} for {self.strength.nnz} cells")

    def let_go(self) -> None:
        """Drop what was read of the cells from memory; they stay on disk."""
        let_go(self.strength.data, self.strength.indices, self.visits, self.last_day)


def build(
    spool: Spool,
    n_columns: int,
    rule: EventWeights,
    *,
    as_of_day: int,
    before_day: int | None = None,
    n_cardholders: int | None = None,
) -> Matrix:
    """Add up all contacts, part by part.

    Parameters
    ----------
    spool : Spool
    n_columns : int
    rule : EventWeights
    as_of_day : int
        The day from which ages are counted.
    before_day : int, optional
        Contacts on or after it are left out.
    n_cardholders : int, optional
        Only the first so many cardholder rows; rows are in the order of a keyed hash, so they
        are a sample.
    """
    wanted = int(spool.fences[-1]) if n_cardholders is None else n_cardholders
    per_row = np.zeros(wanted, np.int64)

    def cells_of(number: int) -> _Part:
        contacts = _contacts(spool, number, wanted)
        kept = contacts if before_day is None else contacts[contacts["day"] < before_day]
        cells = _cells(kept, n_columns, rule, as_of_day)
        return _Part(cells, *np.divmod(cells.keys, n_columns))

    with Scratch(columns="i4", strength="f4", visits="i4", last_day="i4") as scratch:
        for number, part in enumerate(in_order(cells_of, _numbers(spool, wanted))):
            first, last = spool.fences[number], min(spool.fences[number + 1], wanted)
            per_row[first:last] = np.bincount(part.rows - first, minlength=last - first)
            scratch.append(
                columns=part.columns,
                strength=part.cells.strength,
                visits=part.cells.visits,
                last_day=part.cells.last_day,
            )
        return _matrix(scratch.mapped(), per_row, n_columns)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Cells of one part, and where they stand in the matrix, int64, shape (n_cells,) each."""

    cells: Cells
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


def _matrix(cells: dict[str, NDArray[Any]], per_row: NDArray[np.int64], n_columns: int) -> Matrix:
    """One matrix over arrays that lie on disk."""
    indptr = np.r_[0, np.cumsum(per_row)]
    narrow = indptr[-1] < np.iinfo(np.int32).max
    parts = (cells["strength"], cells["columns"], indptr.astype(np.int32) if narrow else indptr)
    strength = sparse.csr_matrix(parts, shape=(per_row.size, n_columns), copy=False)
    strength.has_sorted_indices = True
    return Matrix(strength, cells["visits"], cells["last_day"])


def _numbers(spool: Spool, n_cardholders: int) -> Iterator[int]:
    """Numbers of the parts that hold the first cardholder rows; they are the first parts."""
    return iter(range(int(np.searchsorted(spool.fences[:-1], n_cardholders))))


def _contacts(spool: Spool, number: int, n_cardholders: int) -> NDArray[np.void]:
    """Contacts of one part, of the first cardholder rows only."""
    contacts = spool.part(number)
    inside = spool.fences[number + 1] <= n_cardholders
    return contacts if inside else contacts[contacts["cardholder"] < n_cardholders]


def _parts(spool: Spool, n_cardholders: int) -> Iterator[NDArray[np.void]]:
    """Contacts of the first cardholder rows."""
    for number in _numbers(spool, n_cardholders):
        yield _contacts(spool, number, n_cardholders)


def _cells(contacts: NDArray[np.void], n_columns: int, rule: EventWeights, as_of_day: int) -> Cells:
    """Cells of one part; a purchase counts at its merchant and at its category."""
    in_category = np.flatnonzero(contacts["category"] >= 0)

    def twice(values: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([values, values[in_category]])

    base = contacts["cardholder"].astype(np.int64) * n_columns
    at_category = base[in_category] + contacts["category"][in_category]
    kinds = twice(contacts["kind"])
    return cells_of_contacts(
        np.concatenate([base + contacts["column"], at_category]),
        twice(contacts["day"]),
        kind_weights(rule)[kinds],
        kind_visits()[kinds],
        rule,
        as_of_day=as_of_day,
    )


def visited_after(
    spool: Spool, n_columns: int, *, from_day: int, n_cardholders: int
) -> sparse.csr_matrix:
    """Columns of usage that were met on or after a day, ones, shape (n_cardholders, n_columns).

    Purchases count, refunds do not undo them, and categories are left out.
    """
    rows, columns = [], []
    for contacts in _parts(spool, n_cardholders):
        after = contacts[(contacts["day"] >= from_day) & (contacts["kind"] == 0)]
        rows.append(after["cardholder"])
        columns.append(after["column"])
    at = (np.concatenate(rows), np.concatenate(columns))
    met = sparse.csr_matrix((np.ones(at[0].size, np.float32), at), shape=(n_cardholders, n_columns))
    met.data[:] = 1.0
    return met


def first_days(spool: Spool, n_cardholders: int) -> NDArray[np.int32]:
    """Day of each cardholder's first contact, int32, shape (n_cardholders,)."""
    first = np.full(n_cardholders, np.iinfo(np.int32).max, np.int32)
    for contacts in _parts(spool, n_cardholders):
        np.minimum.at(first, contacts["cardholder"], contacts["day"])
    return first
