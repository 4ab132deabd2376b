"""Interests that cardholders deleted: what they did there until then makes no contact."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embeddings.deleted_interests import DeletedInterests, last_day
from embeddings.vocabulary import Vocabulary
from training.matrix.survey import texts_of

AT_ONCE = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Forgotten:
    """Deleted cells of the matrix.

    Contacts are dated by whole UTC days, so all of the day of a deletion is left out: nothing from
    before ever counts; what came after it on that same day, serving adds while it remembers it.

    Parameters
    ----------
    cells : int64, shape (n,)
        Cardholder row · ``n_columns`` + column row, ascending.
    last_days : int32, shape (n,)
        The last day of each, since 1970-01-01 UTC, on which nothing counts.
    is_concerned : bool, shape (n_cardholders + 1,)
        Whose rows have such cells; the last, which row -1 stands for, has none.
    n_columns : int
    """

    cells: NDArray[np.int64]
    last_days: NDArray[np.int32]
    is_concerned: NDArray[np.bool_]
    n_columns: int

    @classmethod
    def of(
        cls, deleted: DeletedInterests | None, cardholders: Vocabulary, columns: Vocabulary
    ) -> Self | None:
        """Deleted cells of these rows and columns; None when there are none."""
        found = [] if deleted is None else sorted(_cells(deleted, cardholders, columns))
        if not found:
            return None
        cells, days = zip(*found, strict=True)
        is_concerned = np.zeros(len(cardholders) + 1, np.bool_)
        is_concerned[np.array(cells, np.int64) // len(columns)] = True
        return cls(np.array(cells, np.int64), np.array(days, np.int32), is_concerned, len(columns))

    def leave_out(self, contacts: NDArray[np.void]) -> None:
        """Take deleted cells out of contacts, in place.

        A purchase counts at its merchant and at its category. Of one whose merchant was deleted
        the category is left, in the merchant's stead; where nothing is left the column is -1.
        """
        concerned = np.flatnonzero(self.is_concerned[contacts["cardholder"]])
        some = contacts[concerned]
        at_column, at_category = self._covers(some, "column"), self._covers(some, "category")
        left = np.where(at_category, np.int32(-1), some["category"])
        some["column"] = np.where(at_column, left, some["column"])
        some["category"] = np.where(at_column, np.int32(-1), left)
        contacts[concerned] = some

    def _covers(self, contacts: NDArray[np.void], field: str) -> NDArray[np.bool_]:
        """Whether what each contact did at one of its columns was deleted since."""
        columns = contacts[field]
        cells = contacts["cardholder"].astype(np.int64) * self.n_columns + columns
        place = np.minimum(np.searchsorted(self.cells, cells), self.cells.size - 1)
        covers: NDArray[np.bool_] = (
            (columns >= 0)
            & (self.cells[place] == cells)
            & (contacts["day"] <= self.last_days[place])
        )
        return covers


def _cells(
    deleted: DeletedInterests, cardholders: Vocabulary, columns: Vocabulary
) -> Iterator[tuple[int, int]]:
    """Cell and last day of each deletion; columns that nobody met are passed over."""
    met = {column for own in deleted.deletions.values() for column in own}
    row_of = {column: columns.row(column) for column in met}
    for row, deletions in deleted.places_in(_each(cardholders)):
        for column, deleted_at in deletions.items():
            column_row = row_of[column]
            if column_row is not None:
                yield row * len(columns) + column_row, last_day(deleted_at)


def _each(cardholders: Vocabulary) -> Iterator[str]:
    """The ids in the order of their rows; many are read at once, which is quicker than each."""
    texts = texts_of(cardholders)
    for start in range(0, len(texts), AT_ONCE):
        yield from texts.slice(start, AT_ONCE).to_pylist()
