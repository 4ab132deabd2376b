"""Contacts added up into the training matrix, by the rule that serving shares."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embeddings.interactions import Cells, EventWeights, cells_of_contacts
from training.matrix.spool import Spool, kind_visits, kind_weights


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Cells of a range of cardholders, ready to fit and to publish.

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
    parts: list[_Part] = []
    for contacts in _parts(spool, wanted):
        kept = contacts if before_day is None else contacts[contacts["day"] < before_day]
        parts.append(_Part.of(_cells(kept, n_columns, rule, as_of_day), n_columns, wanted))
    return _assemble(parts, wanted, n_columns)


@dataclass(slots=True)
class _Part:
    """Cells of a range of cardholders, in as few bytes as they will have in the end."""

    per_row: NDArray[np.int64]
    first_row: int
    columns: NDArray[np.int32]
    strength: NDArray[np.float32]
    visits: NDArray[np.int32]
    last_day: NDArray[np.int32]

    @classmethod
    def of(cls, cells: Cells, n_columns: int, n_rows: int) -> Self:
        """Rows and columns of the keys; keys ascend."""
        rows = cells.keys // n_columns
        first = int(rows[0]) if rows.size else n_rows
        return cls(
            np.bincount(rows - first),
            first,
            (cells.keys - rows * n_columns).astype(np.int32),
            cells.strength,
            cells.visits,
            cells.last_day,
        )


def _parts(spool: Spool, n_cardholders: int) -> Iterator[NDArray[np.void]]:
    """Contacts of the first cardholder rows."""
    for number in range(len(spool)):
        if spool.fences[number] < n_cardholders:
            contacts = spool.part(number)
            inside = spool.fences[number + 1] <= n_cardholders
            yield contacts if inside else contacts[contacts["cardholder"] < n_cardholders]


def _cells(contacts: NDArray[np.void], n_columns: int, rule: EventWeights, as_of_day: int) -> Cells:
    """Cells of one part; a purchase counts at its merchant and at its category."""
    in_category = np.flatnonzero(contacts["category"] >= 0)
    rows = np.r_[np.arange(contacts.size), in_category]
    columns = np.r_[contacts["column"], contacts["category"][in_category]].astype(np.int64)
    kinds = contacts["kind"][rows]
    return cells_of_contacts(
        contacts["cardholder"][rows].astype(np.int64) * n_columns + columns,
        contacts["day"][rows],
        kind_weights(rule)[kinds],
        kind_visits()[kinds],
        rule,
        as_of_day=as_of_day,
    )


def _assemble(parts: list[_Part], n_cardholders: int, n_columns: int) -> Matrix:
    """One matrix of the parts, which are in ascending order of cardholders and used up."""
    indptr = np.zeros(n_cardholders + 1, np.int64)
    for part in parts:
        indptr[1 + part.first_row : 1 + part.first_row + part.per_row.size] += part.per_row
    np.cumsum(indptr, out=indptr)
    wide = indptr[-1] >= np.iinfo(np.int32).max
    columns = _joined(parts, "columns", np.int32)
    cells = (_joined(parts, "strength", np.float32), columns)
    shape = (n_cardholders, n_columns)
    strength = sparse.csr_matrix(
        (*cells, indptr if wide else indptr.astype(np.int32)), shape=shape, copy=False
    )
    strength.has_sorted_indices = True
    visits = _joined(parts, "visits", np.int32)
    return Matrix(strength, visits, _joined(parts, "last_day", np.int32))


def _joined(parts: list[_Part], name: str, kind: type[np.generic]) -> NDArray[Any]:
    """One array of all parts, taken away from them, so that both are never held at once."""
    whole = np.empty(sum(getattr(part, name).size for part in parts), kind)
    end = 0
    for part in parts:
        piece = getattr(part, name)
        whole[end : end + piece.size] = piece
        end += piece.size
        setattr(part, name, piece[:0].copy())
    return whole


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
