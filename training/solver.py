"""The exact half-step of ALS for many rows at once: the batch form of ``Factors.fold_in``."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embeddings.factors import HalfStep

CELLS_PER_BATCH = 20_000
ROWS_PER_BATCH = 500


def solve_rows(
    confidence: sparse.csr_matrix,
    columns: NDArray[np.float32],
    gram: NDArray[np.float64],
    step: HalfStep,
    n_threads: int = 0,
) -> NDArray[np.float32]:
    """Vectors of all rows against fixed columns; each equals ``Factors.fold_in`` of its row.

    Parameters
    ----------
    confidence : CSR float32, shape (n_rows, n_columns)
    columns : float32, shape (n_columns, n_factors)
    gram : float64, shape (n_factors, n_factors)
    step : HalfStep
    n_threads : int
        0 for all cores. The result does not depend on it.

    Returns
    -------
    float32, shape (n_rows, n_factors); zeros for a row without cells
    """
    found = np.zeros((confidence.shape[0], columns.shape[1]), np.float32)

    def solve(rows: NDArray[np.int64]) -> None:
        found[rows] = _solve_batch(rows, confidence, columns, gram, step)

    with ThreadPoolExecutor(n_threads or os.cpu_count() or 1) as pool:
        for _ in pool.map(solve, _batches(np.diff(confidence.indptr))):
            pass
    return found


def _batches(sizes: NDArray[np.integer]) -> Iterator[NDArray[np.int64]]:
    """Rows of equal size together, in ascending size; rows without cells are left out."""
    order = np.argsort(sizes, kind="stable")
    order = order[sizes[order] > 0]
    changes = np.flatnonzero(np.diff(sizes[order])) + 1
    for group in np.split(order, changes) if order.size else []:
        step = int(np.clip(CELLS_PER_BATCH // sizes[group[0]], 1, ROWS_PER_BATCH))
        for start in range(0, group.size, step):
            yield group[start : start + step]


def _solve_batch(
    rows: NDArray[np.int64],
    confidence: sparse.csr_matrix,
    columns: NDArray[np.float32],
    gram: NDArray[np.float64],
    step: HalfStep,
) -> NDArray[np.float32]:
    """Rows with the same number of cells: one stack of normal equations."""
    size = int(confidence.indptr[rows[0] + 1] - confidence.indptr[rows[0]])
    cells = confidence.indptr[rows][:, None].astype(np.int64) + np.arange(size)
    weight = confidence.data[cells].astype(np.float64)
    used = columns[confidence.indices[cells]].astype(np.float64)
    left = gram + np.matmul((used * (weight - 1.0)[:, :, None]).transpose(0, 2, 1), used)
    diagonal = np.arange(gram.shape[0])
    left[:, diagonal, diagonal] += step.ridge(size)
    right = np.matmul(weight[:, None, :], used)[:, 0, :, None]
    return np.linalg.solve(left, right)[:, :, 0].astype(np.float32)
