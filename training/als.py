"""The door to ``implicit``: factors of a matrix, ending with the very step that serving takes.

``implicit`` leaves each cardholder's vector apart from its own fold-in (its last move is the
columns'). Here the fit ends with the exact cardholder half-step, so the stored vector is the
fold-in of the stored history.
"""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
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
        Strength of each cell (:func:`embeddings.cells.cells_of_contacts`), above 0; column
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
    model = LeanALS(
        factors=parameters.n_factors,
        regularization=parameters.step.regularisation,
        alpha=1.0,
        iterations=parameters.iterations,
        num_threads=n_threads,
    )
    chance = np.random.default_rng(seed)
    model.user_factors = _first_vectors(chance, confidence.shape[0], parameters.n_factors)
    model.item_factors = _first_vectors(chance, confidence.shape[1], parameters.n_factors)

    def told(iteration: int, _seconds: float, _loss: float | None = None) -> None:
        if progress is not None:
            progress(iteration + 1, parameters.iterations)

    model.fit(confidence, show_progress=False, callback=told)
    columns = np.array(model.item_factors, np.float32)
    columns[cells_per_column(confidence) == 0] = 0
    return columns


def _first_vectors(chance: np.random.Generator, n_rows: int, n_factors: int) -> NDArray[np.float32]:
    """The vectors that ``implicit`` itself would start from, without its second copy of them."""
    vectors = chance.random(dtype=np.float32, out=np.empty((n_rows, n_factors), np.float32))
    vectors *= 0.01
    return vectors


class LeanALS(AlternatingLeastSquares):  # type: ignore[misc]
    """``implicit``'s ALS without the copy of a side's confidence that each half-step makes.

    The same steps and the same bits; half the matrix less in memory.
    """

    @property
    def solver(self) -> Callable[..., None]:
        """What solves one side for the other."""
        return partial(_solve_uncopied, super().solver)


def _solve_uncopied(
    solve: Callable[..., None],
    matrix: sparse.csr_matrix,
    solved: NDArray[np.float32],
    fixed: NDArray[np.float32],
    regularisation: float,
    num_threads: int,
) -> None:
    """Solve with the matrix' own arrays; of a matrix a solver asks for these three alone."""
    parts = {"indptr": matrix.indptr, "indices": matrix.indices, "data": matrix.data.view(_Kept)}
    solve(SimpleNamespace(**parts), solved, fixed, regularisation, num_threads=num_threads)


class _Kept(np.ndarray[Any, np.dtype[np.float32]]):
    """Numbers that are themselves, not a copy, when asked for as the type they have."""

    def astype(self, dtype: Any, *args: Any, **how: Any) -> Any:  # noqa: ANN401
        """As ``ndarray.astype`` without a copy where none is needed."""
        return super().astype(dtype, *args, **{**how, "copy": False})
