"""The numbers of one model and what they stand for, in memory or memory-mapped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.appeal import Appeal
from embeddings.catalog import Catalog
from embeddings.compose import ColumnSpace, Composer, Composition
from embeddings.factors import Factors
from embeddings.vocabulary import Vocabulary

SCORE = "cardholder_"
"""Before the name of a score in the name of its array."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Cells of all cardholders as CSR arrays.

    Parameters
    ----------
    indptr : int64, shape (n_cardholders + 1,)
    rows : int32, shape (n_cells,)          column rows, ascending within a cardholder
    strength : float32, shape (n_cells,)    above 0
    visits : int32, shape (n_cells,)        purchases less refunds
    last_day : int32, shape (n_cells,)      days since 1970-01-01 UTC
    """

    indptr: NDArray[np.int64]
    rows: NDArray[np.int32]
    strength: NDArray[np.float32]
    visits: NDArray[np.int32]
    last_day: NDArray[np.int32]

    def cells(self, cardholder_row: int) -> slice:
        """Where a cardholder's cells stand in the flat arrays."""
        return slice(int(self.indptr[cardholder_row]), int(self.indptr[cardholder_row + 1]))


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Names of columns as people know them; empty where none was given.

    Parameters
    ----------
    offsets : int64, shape (n_columns + 1,)
    text : uint8, shape (n_bytes,)
    """

    offsets: NDArray[np.int64]
    text: NDArray[np.uint8]

    @classmethod
    def of(cls, names: Sequence[str]) -> Self:
        """Labels of all columns, in order of their rows."""
        encoded = [name.encode() for name in names]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(e) for e in encoded], out=offsets[1:])
        return cls(offsets, np.frombuffer(b"".join(encoded), np.uint8))

    def __getitem__(self, row: int) -> str:
        return bytes(self.text[self.offsets[row] : self.offsets[row + 1]]).decode()


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The numbers of a bundle and what they stand for.

    Parameters
    ----------
    cardholders, columns : Vocabulary
    factors : Factors
    history : History
    column_category : int32, shape (n_columns,)      row of a merchant's category column, or -1
    column_cardholders : int32, shape (n_columns,)   cardholders with a cell in the column
    labels : Labels
    segments : tuple of str
        Names of the popularity rows: ``all``, ``product:…``, ``city:…``, ``product:…|city:…``.
    popularity : float32, shape (n_segments, n_columns)
        Share of the segment's cardholders who have the column, within [0, 1].
    catalog : Catalog
        The catalogue at the time of training.
    scores : mapping of str to float32, shape (n_cardholders,)
        ``value``, ``churn_risk``, ``uplift``, those that were learned; NaN where not known.
    appeal : Appeal, optional
        What responses to items taught; None where there were too few.
    """

    cardholders: Vocabulary
    columns: Vocabulary
    factors: Factors
    history: History
    column_category: NDArray[np.int32]
    column_cardholders: NDArray[np.int32]
    labels: Labels
    segments: tuple[str, ...]
    popularity: NDArray[np.float32]
    catalog: Catalog
    scores: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    appeal: Appeal | None = None

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Every array by its name in the bundle."""
        return {
            "cardholder_hashes": self.cardholders.hashes,
            "cardholder_offsets": self.cardholders.offsets,
            "cardholder_text": self.cardholders.text,
            "cardholders": self.factors.cardholders,
            "column_hashes": self.columns.hashes,
            "column_offsets": self.columns.offsets,
            "column_text": self.columns.text,
            "columns": self.factors.columns,
            "column_scale": self.factors.column_scale,
            "column_category": self.column_category,
            "column_cardholders": self.column_cardholders,
            "label_offsets": self.labels.offsets,
            "label_text": self.labels.text,
            "gram": self.factors.gram,
            "history_indptr": self.history.indptr,
            "history_rows": self.history.rows,
            "history_strength": self.history.strength,
            "history_visits": self.history.visits,
            "history_last_day": self.history.last_day,
            "popularity": self.popularity,
            **{f"{SCORE}{name}": scores for name, scores in self.scores.items()},
            **({} if self.appeal is None else self.appeal.arrays()),
        }

    def space(self) -> ColumnSpace:
        """What composing needs to know of the columns."""
        return ColumnSpace(
            self.columns, self.factors.columns, self.column_cardholders, self.column_category
        )

    def composer(self, rule: Composition) -> Composer:
        """Composer of item vectors against this model."""
        return Composer(self.space(), rule, self.appeal, self.catalog.row)
