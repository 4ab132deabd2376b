"""The door to ``implicit``: factors of a matrix, ending with the very step that serving takes.

``implicit`` leaves each cardholder's vector apart from its own fold-in (its last move is the
columns'). Here the fit ends with the exact cardholder half-step, so the stored vector is the
fold-in of the stored history.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from embeddings.factors import Factors, gram_of
from training.memory import give_back, let_go
from training.solver import solve_rows
from training.sums import cells_per_column
from training.weighting import ModelParameters, confidence_matrix

Progress = Callable[[int, int], None]
"""Called with (iterations done, iterations in all)."""


def fit(
    strength: sparse.csr_matrix,
    parameters: ModelParameters,
    seed: int,
    progress: Progress | None = None,
    n_threads: int = 0,
) -> Factors:
    """Fit factors to a matrix of strengths.

    The result depends on the matrix, the parameters and the seed, and not on the number of
    threads: BLAS is held to one thread and every row is solved on its own.

    Parameters
    ----------
    strength : CSR float32, shape (n_cardholders, n_columns)
        Strength of each cell (:func:`embeddings.interactions.cells_of_contacts`), above 0; column
        indices sorted, each at most once.
    parameters : ModelParameters
    seed : int
        Of the first column vectors.
    progress : callable, optional
        Called after every iteration.
    n_threads : int
        0 for all cores.

    Returns
    -------
    Factors whose ``cardholders`` are ``fold_in`` of their rows; zeros for an empty row or column.

    Raises
    ------
    ValueError
        A matrix without cells, or with a cell that is not above 0.
    """
    _check(strength)
    confidence, scale = confidence_matrix(strength, parameters)
    let_go(strength.data)
    with threadpool_limits(1, "blas"):
        columns = _columns(confidence, parameters, seed, progress, n_threads)
        give_back()
        gram = gram_of(columns)
        cardholders = solve_rows(confidence, columns, gram, parameters.step, n_threads)
    return Factors(cardholders, columns, scale, parameters.step, gram)


def _check(strength: sparse.csr_matrix) -> None:
    if strength.nnz == 0:
        raise ValueError("the matrix has no cell: nothing to learn from")
    least, most = strength.data.min(), strength.data.max()  # NaN when any cell is
    if not (least > 0 and np.isfinite(most)):
        raise ValueError("the matrix holds a cell that is not above 0; leave such cells out")


def _columns(
    confidence: sparse.csr_matrix,
    parameters: ModelParameters,
    seed: int,
    progress: Progress | None,
    n_threads: int,
) -> NDArray[np.float32]:
    """Column vectors of ``implicit``'s ALS; a new model object for each fit."""
    model = DrawnLate(
        seed,
        confidence.shape,
        factors=parameters.n_factors,
        regularization=parameters.step.regularisation,
        alpha=1.0,
        iterations=parameters.iterations,
        num_threads=n_threads,
    )

    def told(iteration: int, _seconds: float, _loss: float | None = None) -> None:
        if progress is not None:
            progress(iteration + 1, parameters.iterations)

    model.fit(confidence, show_progress=False, callback=told)
    columns = np.array(model.item_factors, np.float32)
    columns[cells_per_column(confidence) == 0] = 0
    return columns


class DrawnLate(AlternatingLeastSquares):  # type: ignore[misc]
    """``implicit``'s ALS, whose first vectors are drawn once the transposed matrix stands.

    Making that takes its indices a third time for a moment, and the vectors' pages, empty till
    then, are taken only afterwards. The vectors are those that ``implicit`` itself would start
    from, without its second copy of them.

    Parameters
    ----------
    seed : int
    shape : (int, int)          of the matrix
    **model
        As ``AlternatingLeastSquares`` takes it.
    """

    def __init__(self, seed: int, shape: tuple[int, int], **model: Any) -> None:  # noqa: ANN401
        super().__init__(**model)
        self.user_factors, self.item_factors = (
            np.zeros((n_rows, self.factors), np.float32) for n_rows in shape
        )
        self._seed: int | None = seed

    @property
    def solver(self) -> Callable[..., None]:
        """What solves one side for the other; ``fit`` asks for it when all else is made."""
        if self._seed is not None:
            chance, self._seed = np.random.default_rng(self._seed), None
            for vectors in (self.user_factors, self.item_factors):
                chance.random(dtype=np.float32, out=vectors)
                np.multiply(vectors, np.float32(0.01), out=vectors)
        found: Callable[..., None] = super().solver
        return found
