"""Which directions of taste to trust: those that one half of a history foretells of the other.

The vectors of usage have more directions than cardholders have tastes; the rest is chance, and
would teach the fit chance. Each principal direction of the cardholders' vectors is weighed by how
well the vectors of one half of everyone's cells agree along it with those of the other half.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST_RELIABILITY = 0.02
EXPONENT = 0.25


def lens_of(tastes: Floats, half: Floats, other: Floats) -> Floats:
    """From vectors to their coordinates in the fit, float64, shape (n_factors, n_factors).

    Column ``d`` is the ``d``-th principal direction of the tastes, of length
    ``max(reliability, 0.02) ** 0.25``: what is trusted less has to be larger to count as much.

    Parameters
    ----------
    tastes, half, other : float64, shape (n_cardholders, n_factors)
        Vectors of the same cardholders: by all their cells, and by each half of them.
    """
    directions = principal_directions(tastes)
    return directions * reliabilities(half @ directions, other @ directions) ** EXPONENT


def principal_directions(vectors: Floats) -> Floats:
    """Orthonormal columns by descending variance; signs and ties as LAPACK decides."""
    centred = vectors - vectors.mean(axis=0)
    return np.asarray(np.linalg.eigh(centred.T @ centred)[1][:, ::-1], np.float64)


def reliabilities(half: Floats, other: Floats) -> Floats:
    """Correlation of the halves along each coordinate, within [0.02, 1], shape (n_factors,)."""
    half, other = half - half.mean(axis=0), other - other.mean(axis=0)
    together = np.einsum("ij,ij->j", half, other)
    apart = np.sqrt(np.einsum("ij,ij->j", half, half) * np.einsum("ij,ij->j", other, other))
    found = np.divide(together, apart, out=np.zeros_like(together), where=apart > 0)
    return np.asarray(np.clip(found, LEAST_RELIABILITY, 1.0), np.float64)
