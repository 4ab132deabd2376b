import numpy as np
import pytest
from scipy import sparse

from embeddings.factors import Factors, HalfStep, Transform, gram_of
from training.solver import solve_rows

SIZES = [0, 1, 3, 7, 8, 9, 20, 3]


def table(seed: int = 0, n_columns: int = 30) -> sparse.csr_matrix:
    """Rows with fewer, as many and more cells than the eight factors; weights below and above 1."""
    chance = np.random.default_rng(seed)
    indices = np.concatenate([np.sort(chance.permutation(n_columns)[:n]) for n in SIZES])
    data = chance.uniform(0.1, 9.0, indices.size).astype(np.float32)
    return sparse.csr_matrix((data, indices, np.cumsum([0, *SIZES])), (len(SIZES), n_columns))


@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_every_row_is_its_fold_in(exponent: float) -> None:
    confidence = table()
    columns = np.random.default_rng(1).normal(size=(30, 8)).astype(np.float32)
    step = HalfStep(transform=Transform.LINEAR, regularisation=0.7, frequency_exponent=exponent)
    gram = gram_of(columns)
    nobody = np.empty((0, 8), np.float32)
    factors = Factors(nobody, columns, np.ones(30, np.float32), step, gram)
    found = solve_rows(confidence, columns, gram, step)

    assert not found[0].any()
    for row in range(1, len(SIZES)):
        cells = slice(confidence.indptr[row], confidence.indptr[row + 1])
        folded = factors.fold_in(confidence.indices[cells], confidence.data[cells])
        np.testing.assert_allclose(found[row], folded, rtol=1e-5, atol=1e-6)


def test_one_thread_and_four_give_the_same_bits() -> None:
    confidence = sparse.vstack([table(seed) for seed in range(30)]).tocsr()
    columns = np.random.default_rng(1).normal(size=(30, 8)).astype(np.float32)
    step = HalfStep(regularisation=0.5)
    one, four = (solve_rows(confidence, columns, gram_of(columns), step, n) for n in (1, 4))

    assert np.array_equal(one, four)


def test_a_table_without_rows_has_no_vectors() -> None:
    columns = np.ones((30, 8), np.float32)
    nothing = sparse.csr_matrix(np.zeros((2, 30), np.float32))

    assert not solve_rows(nothing, columns, gram_of(columns), HalfStep()).any()
