"""Sums over the cells of a matrix in parts, so that no array as long as its cells is made."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

CELLS_AT_ONCE = 500_000


def row_parts(indptr: NDArray[np.integer], most: int = CELLS_AT_ONCE) -> Iterator[tuple[int, int]]:
    """Ranges of rows that together have about ``most`` cells; a larger row is a range alone."""
    start, last = 0, len(indptr) - 1
    while start < last:
        stop = int(np.searchsorted(indptr, int(indptr[start]) + most, side="right")) - 1
        stop = min(max(stop, start + 1), last)
        yield start, stop
        start = stop


def cells_per_column(matrix: sparse.csr_matrix, at_once: int = CELLS_AT_ONCE) -> NDArray[np.int64]:
    """Stored cells of each column, int64, shape (n_columns,)."""
    found = np.zeros(matrix.shape[1], np.int64)
    for start in range(0, matrix.nnz, at_once):
        part = matrix.indices[start : start + at_once]
        found += np.bincount(part, minlength=matrix.shape[1])
    return found


def sum_per_column(matrix: sparse.csr_matrix, at_once: int = CELLS_AT_ONCE) -> NDArray[np.float64]:
    """Sum of each column, float64, shape (n_columns,)."""
    found = np.zeros(matrix.shape[1], np.float64)
    for start in range(0, matrix.nnz, at_once):
        part = slice(start, start + at_once)
        found += np.bincount(
            matrix.indices[part], weights=matrix.data[part], minlength=matrix.shape[1]
        )
    return found


def sum_per_row(matrix: sparse.csr_matrix) -> NDArray[np.float64]:
    """Sum of each row, float64, shape (n_rows,); 0 for a row without cells."""
    found = np.zeros(matrix.shape[0], np.float64)
    for start, stop in row_parts(matrix.indptr):
        cells = slice(int(matrix.indptr[start]), int(matrix.indptr[stop]))
        sizes = np.diff(matrix.indptr[start : stop + 1])
        rows = np.repeat(np.arange(stop - start), sizes)
        found[start:stop] = np.bincount(rows, weights=matrix.data[cells], minlength=stop - start)
    return found
