"""EASE^R: the linear model in closed form, where its table fits in memory.

Steck 2019, *Embarrassingly Shallow Autoencoders for Sparse Data*.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from training.baselines.neighbours import ItemGraph, item_graph
from training.baselines.tables import Growth, grown
from training.evaluation.trial import Trial

MAX_CATALOGUE = 8_000
"""Above it the dense table of merchant by merchant, in double precision, passes half a GiB."""


def fits(trial: Trial) -> bool:
    """Whether EASE^R can be fitted to this trial."""
    return trial.n_catalogue <= MAX_CATALOGUE


def ease(trial: Trial, *, regularisation: float, growth: Growth) -> ItemGraph:
    """Merchant-to-merchant weights with a zero diagonal, by one inversion.

    Raises
    ------
    ValueError
        A catalogue above :data:`MAX_CATALOGUE`.
    """
    if not fits(trial):
        raise ValueError(f"EASE^R: {trial.n_catalogue} merchants, at most {MAX_CATALOGUE} fit")
    history = grown(trial.seen, growth)
    gram = np.asarray((history.T @ history).toarray(), np.float64)
    diagonal = np.diag_indices(gram.shape[0])
    gram[diagonal] += regularisation
    inverse = _inverse(gram)
    links = inverse / -np.diag(inverse)
    links[diagonal] = 0.0
    return item_graph(trial, history, links.astype(np.float32))


def _inverse(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of a symmetric positive matrix by Cholesky, at half the cost of a general one."""
    lower, failed = lapack.dpotrf(gram, lower=True)
    half, failed_too = lapack.dpotri(lower, lower=True)
    if failed or failed_too:
        raise ValueError("EASE^R: the matrix is not positive; give a larger regularisation")
    return np.asarray(np.tril(half) + np.tril(half, -1).T, np.float64)
