"""Which directions of taste to trust: those that one half of a history foretells of the other.

The vectors of usage have more directions than cardholders have tastes; the rest is chance, and
would teach the fit chance. Each principal direction of the cardholders' vectors is weighed by how
well the vectors of one half of everyone's cells agree along it with those of the other half.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Vectors = NDArray[np.floating[Any]]
ROWS_AT_ONCE = 2000
LEAST_RELIABILITY = 0.02
EXPONENT = 0.25


def lens_of(tastes: Vectors, half: Vectors, other: Vectors) -> Floats:
    """From vectors to their coordinates in the fit, float64, shape (n_factors, n_factors).

    Column ``d`` is the ``d``-th principal direction of the tastes, of length
    ``max(reliability, 0.02) ** 0.25``: what is trusted less has to be larger to count as much.

    Parameters
    ----------
    tastes, half, other : floats, shape (n_cardholders, n_factors)
        Vectors of the same cardholders: by all their cells, and by each half of them.
    """
    directions = principal_directions(tastes)
    return directions * reliabilities(half, other, directions) ** EXPONENT


def principal_directions(vectors: Vectors) -> Floats:
    """Orthonormal columns by descending variance; signs and ties as LAPACK decides."""
    return np.asarray(np.linalg.eigh(scatter(vectors, vectors))[1][:, ::-1], np.float64)


def reliabilities(half: Vectors, other: Vectors, directions: Floats) -> Floats:
    """Correlation of the halves along each direction, within [0.02, 1], shape (n_factors,)."""
    pairs = ((half, other), (half, half), (other, other))
    along = (np.sum(directions * (scatter(*pair) @ directions), axis=0) for pair in pairs)
    together, of_half, of_other = along
    apart = np.sqrt(of_half * of_other)
    found = np.divide(together, apart, out=np.zeros_like(together), where=apart > 0)
    return np.asarray(np.clip(found, LEAST_RELIABILITY, 1.0), np.float64)


def scatter(one: Vectors, other: Vectors) -> Floats:
    """Sum over rows of the products of what two tables have beyond their means.

    float64, shape (n_factors, n_factors); in parts, so that no second table is made.
    """
    middles = [np.mean(table, axis=0, dtype=np.float64) for table in (one, other)]
    found = np.zeros((one.shape[1], other.shape[1]), np.float64)
    for start in range(0, len(one), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        found += (one[part] - middles[0]).T @ (other[part] - middles[1])
    return found
