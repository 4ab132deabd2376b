"""The exact half-step of ALS for many rows at once: the batch form of ``Factors.fold_in``.

With ``A = YᵀY + λI = LLᵀ`` and the columns whitened, ``V = Y L⁻ᵀ``, a row with the confidence
``c`` of its cells is ``x = L⁻ᵀz`` where

    (I + V_uᵀ diag(c - 1) V_u) z  =  V_uᵀ c

A row's cells are few beside all columns, so that system is near the identity: conjugate gradients
solve it to the last bits of the vector in a handful of steps, at a fraction of the cost of
building it. A row that needs more is solved by elimination, and so are all
rows where λ depends on the row or is 0.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embeddings.factors import HalfStep
from training.threads import workers

NUMBERS_PER_BATCH = 120_000
EXACT = 1e-10
"""Length of what is left of the right side, against all of it, at which a row is solved."""

FILLED_TO = 8
"""Rows are filled up to a multiple of so many cells, that many can be solved in one stack."""

MOST_STEPS = 32
"""After so many, elimination is cheaper."""

Wide = NDArray[np.float64]


def solve_rows(
    confidence: sparse.csr_matrix,
    columns: NDArray[np.float32],
    gram: NDArray[np.float64],
    step: HalfStep,
    n_threads: int = 0,
) -> NDArray[np.float32]:
    """Vectors of all rows against fixed columns; each is ``Factors.fold_in`` of its row.

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
    problem = _Problem.of(confidence, columns, gram, step)
    found = np.zeros((confidence.shape[0], columns.shape[1]), np.float32)

    def solve(rows: NDArray[np.int64]) -> None:
        found[rows] = problem.solve(rows)

    with ThreadPoolExecutor(workers(n_threads)) as pool:
        for _ in pool.map(solve, _batches(np.diff(confidence.indptr), columns.shape[1])):
            pass
    return found


def _batches(sizes: NDArray[np.integer], n_factors: int) -> Iterator[NDArray[np.int64]]:
    """Rows of about one size together, in ascending size; rows without cells are left out."""
    widths = _widths(sizes)
    order = np.argsort(widths, kind="stable")
    order = order[widths[order] > 0]
    changes = np.flatnonzero(np.diff(widths[order])) + 1
    for group in np.split(order, changes) if order.size else []:
        numbers = int(widths[group[0]]) * n_factors
        step = int(np.clip(NUMBERS_PER_BATCH // numbers, 1, group.size))
        for start in range(0, group.size, step):
            yield group[start : start + step]


def _widths(sizes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Cells that a row of each size is filled up to."""
    return -(-sizes.astype(np.int64) // FILLED_TO) * FILLED_TO


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """What all rows share.

    Parameters
    ----------
    confidence, columns, gram, step
        As in :func:`solve_rows`.
    white : (V, L⁻¹) or None
        Whitened columns, float64 of shape (n_columns, n_factors), and the way back; None where λ
        depends on the row or is 0.
    """

    confidence: sparse.csr_matrix
    columns: NDArray[np.float32]
    gram: Wide
    step: HalfStep
    white: tuple[Wide, Wide] | None

    @classmethod
    def of(
        cls,
        confidence: sparse.csr_matrix,
        columns: NDArray[np.float32],
        gram: Wide,
        step: HalfStep,
    ) -> "_Problem":
        if step.frequency_exponent != 0 or step.regularisation == 0:
            return cls(confidence, columns, gram, step, None)
        identity = np.eye(gram.shape[0])
        lower = np.linalg.cholesky(gram + step.regularisation * identity)
        back = np.asarray(np.linalg.solve(lower, identity), np.float64)
        return cls(confidence, columns, gram, step, (columns.astype(np.float64) @ back.T, back))

    def solve(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Rows that are filled up to the same number of cells."""
        met, weight = self._cells(rows)
        if self.white is None:
            return self._eliminated(met, weight)
        table, back = self.white
        vectors, is_exact = descended(np.take(table, met, axis=0), weight)
        found = np.asarray(vectors @ back, np.float32)
        if not is_exact.all():
            found[~is_exact] = self._eliminated(met[~is_exact], weight[~is_exact])
        return found

    def _cells(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.integer], Wide]:
        """Column and weight of each row's cells, shape (n_rows, width); weight 0 past its last."""
        indptr = self.confidence.indptr
        first = indptr[rows].astype(np.int64)
        sizes = indptr[rows + 1] - first
        place = np.arange(int(_widths(sizes[:1])[0]))
        cells = np.minimum(first[:, None] + place, self.confidence.nnz - 1)
        weight = np.where(place < sizes[:, None], self.confidence.data[cells], 0.0)
        return self.confidence.indices[cells], np.asarray(weight, np.float64)

    def _eliminated(self, met: NDArray[np.integer], weight: Wide) -> NDArray[np.float32]:
        """One stack of normal equations with the factors as unknowns."""
        used = self.columns[met].astype(np.float64)
        beyond = _beyond(weight)[:, :, None]
        left = self.gram + np.matmul((used * beyond).transpose(0, 2, 1), used)
        diagonal = np.arange(self.gram.shape[0])
        ridges = [self.step.ridge(n) for n in np.count_nonzero(weight, axis=1).tolist()]
        left[:, diagonal, diagonal] += np.array(ridges)[:, None]
        right = _product(weight, used)[:, :, None]
        return np.asarray(np.linalg.solve(left, right)[:, :, 0], np.float32)


def _beyond(weight: Wide) -> Wide:
    """What each cell weighs beyond the 1 of every column; nothing where there is no cell."""
    return np.asarray(np.where(weight > 0, weight - 1.0, 0.0), np.float64)


def descended(used: Wide, weight: Wide) -> tuple[Wide, NDArray[np.bool_]]:
    """Conjugate gradients of a stack of rows, and whether each came to its end.

    Parameters
    ----------
    used : float64, shape (n_rows, size, n_factors)     whitened vectors of each row's columns
    weight : float64, shape (n_rows, size)              above 0; 0 for no cell

    Returns
    -------
    float64, shape (n_rows, n_factors), and bool, shape (n_rows,); a row that has come to its end
    stays as it is while others go on
    """
    left = _product(weight, used)
    found, way, size = np.zeros_like(left), left.copy(), _squares(left)
    beyond = _beyond(weight)
    goal = EXACT**2 * size
    for _ in range(MOST_STEPS):
        moving = size > goal
        if not moving.any():
            break
        turned = way + _product(beyond * np.matmul(used, way[:, :, None])[:, :, 0], used)
        curved = np.einsum("ij,ij->i", way, turned)
        length = np.divide(size, curved, out=np.zeros_like(size), where=moving & (curved > 0))
        found += length[:, None] * way
        left -= length[:, None] * turned
        before, size = size, _squares(left)
        way = left + (size / np.where(before > 0, before, 1.0))[:, None] * way
    return found, size <= goal


def _product(weight: Wide, used: Wide) -> Wide:
    """Weighted sum of each row's vectors, shape (n_rows, n_factors)."""
    return np.asarray(np.matmul(weight[:, None, :], used)[:, 0, :], np.float64)


def _squares(vectors: Wide) -> Wide:
    """Squared length of each vector."""
    return np.asarray(np.einsum("ij,ij->i", vectors, vectors), np.float64)
