import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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


def folded(confidence: sparse.csr_matrix, columns: np.ndarray, step: HalfStep) -> np.ndarray:
    """Every row by the fold-in that serving does, one by one."""
    nobody = np.empty((0, columns.shape[1]), np.float32)
    scale = np.ones(len(columns), np.float32)
    factors = Factors(nobody, columns, scale, step, gram_of(columns))
    spans = zip(confidence.indptr[:-1], confidence.indptr[1:], strict=True)
    cells = [slice(*span) for span in spans]
    return np.array([factors.fold_in(confidence.indices[c], confidence.data[c]) for c in cells])


def far_apart(n_factors: int = 48) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Few columns, all of them in one row, whose weights span eight orders of magnitude."""
    chance = np.random.default_rng(4)
    columns = chance.normal(size=(60, n_factors)).astype(np.float32)
    weights = np.logspace(-2, 6, 60).astype(np.float32)
    return sparse.csr_matrix(np.stack([weights, np.full(60, 1.5, np.float32)])), columns


def test_rows_whose_weights_lie_far_apart_are_their_fold_in_too() -> None:
    confidence, columns = far_apart()
    step = HalfStep(transform=Transform.LINEAR, regularisation=0.1)
    found = solve_rows(confidence, columns, gram_of(columns), step)

    np.testing.assert_allclose(found, folded(confidence, columns, step), rtol=1e-4, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    alpha=st.sampled_from([0.05, 1.0, 40.0]),
    regularisation=st.sampled_from([0.0, 0.01, 30.0]),
)
def test_any_rows_are_their_fold_in(seed: int, alpha: float, regularisation: float) -> None:
    chance = np.random.default_rng(seed)
    table = sparse.random_array((20, 40), density=0.3, rng=chance, dtype=np.float32)
    step = HalfStep(alpha=alpha, transform=Transform.LINEAR, regularisation=regularisation)
    strength = sparse.csr_matrix(table)
    columns = chance.normal(size=(40, 6)).astype(np.float32)
    expected = folded(strength, columns, step)
    strength.data *= np.float32(alpha)

    found = solve_rows(strength, columns, gram_of(columns), step)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
