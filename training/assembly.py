"""The model as it is published: only what has history, with names, parents and popularity."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from embeddings.catalog import Catalog
from embeddings.factors import Factors
from embeddings.model import History, Labels, Model
from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from training.errors import TrainingError
from training.matrix import Homes, Matrix, Survey, popularity, segments_of
from training.sums import CELLS_AT_ONCE, cells_per_column

MIN_SEGMENT = 50


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A matrix and what its rows and columns stand for; no row and no column is empty."""

    matrix: Matrix
    cardholders: Vocabulary
    columns: Vocabulary
    homes: Homes


def without_empty(matrix: Matrix, found: Survey, homes: Homes) -> Table:
    """Leave out cardholders and columns whose every contact was refunded or never counted.

    The matrix is changed in place and not to be used again.

    Raises
    ------
    TrainingError
        Nothing is left.
    """
    strength = matrix.strength
    if strength.nnz == 0:
        raise TrainingError(
            "no cell is left: every transaction was declined or refunded; check `status`"
        )
    has_row = np.diff(strength.indptr) > 0
    has_column = cells_per_column(strength) > 0
    if not (has_row.all() and has_column.all()):
        _pack(strength.indices, has_column)
        matrix = Matrix(_packed(strength, has_row, has_column), matrix.visits, matrix.last_day)
    return Table(
        matrix,
        found.cardholders if has_row.all() else found.cardholders.only(has_row),
        found.columns.only(has_column),
        homes.only(has_row),
    )


def _pack(indices: NDArray[np.integer], has_column: NDArray[np.bool_]) -> None:
    """Count columns without the empty ones, in place."""
    new_column = (np.cumsum(has_column) - 1).astype(indices.dtype)
    for start in range(0, indices.size, CELLS_AT_ONCE):
        part = slice(start, start + CELLS_AT_ONCE)
        indices[part] = new_column[indices[part]]


def _packed(
    strength: sparse.csr_matrix, has_row: NDArray[np.bool_], has_column: NDArray[np.bool_]
) -> sparse.csr_matrix:
    """The same cells without the empty rows and columns; columns are counted anew already."""
    indptr = np.r_[strength.indptr[:-1][has_row], strength.indptr[-1:]]
    shape = (int(has_row.sum()), int(has_column.sum()))
    packed = sparse.csr_matrix((strength.data, strength.indices, indptr), shape, copy=False)
    packed.has_sorted_indices = True
    return packed


def assemble(table: Table, factors: Factors, found: Survey, catalog: Catalog) -> Model:
    """Everything a bundle holds."""
    strength = table.matrix.strength
    segments = segments_of(table.homes, MIN_SEGMENT)
    per_column = cells_per_column(strength)
    history = History(
        strength.indptr.astype(np.int64),
        strength.indices.astype(np.int32, copy=False),
        strength.data,
        table.matrix.visits,
        table.matrix.last_day,
    )
    return Model(
        table.cardholders,
        table.columns,
        factors,
        history,
        parents_of(table.columns, found),
        per_column.astype(np.int32),
        Labels.of(labels_of(table.columns, found, catalog)),
        segments.names,
        popularity(strength, segments),
        catalog,
    )


def parents_of(columns: Vocabulary, found: Survey) -> NDArray[np.int32]:
    """Row of each merchant's category column, -1 where there is none."""
    row_of = {name: row for row, name in enumerate(columns)}
    parents = (row_of.get(found.parents.get(name, ""), -1) for name in columns)
    return np.fromiter(parents, np.int32, len(columns))


def labels_of(columns: Vocabulary, found: Survey, catalog: Catalog) -> list[str]:
    """Names of columns for people: the merchant's, the item's title, the category's word."""
    known = {**found.names, **_category_words(catalog), **_titles(catalog)}
    return [known.get(name, "") for name in columns]


def _titles(catalog: Catalog) -> dict[str, str]:
    kind_of = {"benefit": ColumnKind.BENEFIT, "merchant_offer": ColumnKind.OFFER}
    return {
        column_id(kind_of[item.kind], item.item_id): next(iter(item.title.values()))
        for item in catalog.items
    }


def _category_words(catalog: Catalog) -> dict[str, str]:
    """The word most items of an MCC use for it; ties by the word."""
    pairs = [(mcc, item.category) for item in catalog.items for mcc in item.categories()]
    if not pairs:
        return {}
    counted = pl.DataFrame(pairs, ("mcc", "word"), orient="row").group_by("mcc", "word").len()
    best = counted.sort("mcc", "len", "word", descending=[False, True, False]).unique(
        "mcc", keep="first", maintain_order=True
    )
    return {column_id(ColumnKind.CATEGORY, mcc): word for mcc, word, _ in best.iter_rows()}
