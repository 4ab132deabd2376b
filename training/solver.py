"""The exact half-step of ALS for many rows at once: the batch form of ``Factors.fold_in``.

A row with fewer cells than factors is solved in the space of its cells. With
``A = YᵀY + λI = LLᵀ``, ``V`` its columns' vectors whitened (those of ``Y L⁻ᵀ``), ``c`` its
confidence and ``D = diag(c - 1)``,

    x = L⁻ᵀ (I + VᵀDV)⁻¹ Vᵀc  =  L⁻ᵀ Vᵀ (I + D·VVᵀ)⁻¹ c

(the push-through identity), so that 30 cells cost a system of 30 unknowns and not of 512. Stacks of
small products and eliminations: long calls, between which two threads seldom wait for each other.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embeddings.factors import HalfStep
from training.threads import workers

NUMBERS_PER_BATCH = 250_000

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
    """Rows of equal size together, in ascending size; rows without cells are left out."""
    order = np.argsort(sizes, kind="stable")
    order = order[sizes[order] > 0]
    changes = np.flatnonzero(np.diff(sizes[order])) + 1
    for group in np.split(order, changes) if order.size else []:
        size = int(sizes[group[0]])
        numbers = size * n_factors + min(size, n_factors) ** 2
        step = int(np.clip(NUMBERS_PER_BATCH // numbers, 1, group.size))
        for start in range(0, group.size, step):
            yield group[start : start + step]


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
        """Rows with the same number of cells."""
        first = self.confidence.indptr[rows].astype(np.int64)
        size = int(self.confidence.indptr[rows[0] + 1] - first[0])
        cells = first[:, None] + np.arange(size)
        weight = self.confidence.data[cells].astype(np.float64)
        met = self.confidence.indices[cells]
        if self.white is None:
            used = self.columns[met].astype(np.float64)
            fixed = self.gram + self.step.ridge(size) * np.eye(self.gram.shape[0])
            return _among_factors(used, weight, fixed).astype(np.float32)
        table, back = self.white
        used = np.take(table, met, axis=0)
        if size < self.columns.shape[1]:
            return np.asarray(_among_cells(used, weight) @ back, np.float32)
        return np.asarray(_among_factors(used, weight, np.eye(len(back))) @ back, np.float32)


def _among_cells(used: Wide, weight: Wide) -> Wide:
    """One stack of systems with a row's cells as unknowns, where whitened vectors are ``used``."""
    left = np.matmul(used, used.transpose(0, 2, 1))
    left *= (weight - 1.0)[:, :, None]
    diagonal = np.arange(left.shape[1])
    left[:, diagonal, diagonal] += 1.0
    share = np.linalg.solve(left, weight[:, :, None])
    return np.asarray(np.matmul(share.transpose(0, 2, 1), used)[:, 0, :], np.float64)


def _among_factors(used: Wide, weight: Wide, fixed: Wide) -> Wide:
    """One stack of normal equations with the factors as unknowns."""
    left = fixed + np.matmul((used * (weight - 1.0)[:, :, None]).transpose(0, 2, 1), used)
    right = np.matmul(weight[:, None, :], used)[:, 0, :, None]
    return np.asarray(np.linalg.solve(left, right)[:, :, 0], np.float64)
