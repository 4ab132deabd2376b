import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse

from embeddings.factors import HalfStep, Transform
from training.als import LeanALS, fit
from training.weighting import ModelParameters, column_scale, confidence_matrix

SMALL = ModelParameters(
    n_factors=8,
    iterations=10,
    popularity_exponent=0.3,
    step=HalfStep(alpha=5.0, activity_exponent=0.3, regularisation=1.0),
)


def checkerboard(n_cardholders: int = 40, n_merchants: int = 30) -> sparse.csr_matrix:
    """Even cardholders visit even merchants, odd ones odd; each misses the one at his number."""
    rows, columns = np.indices((n_cardholders, n_merchants))
    board = (rows + columns) % 2 == 0
    board &= columns != rows % n_merchants
    return sparse.csr_matrix(board.astype(np.float32))


def random_strength(seed: int, shape: tuple[int, int] = (60, 50)) -> sparse.csr_matrix:
    table = sparse.random_array(shape, density=0.1, rng=np.random.default_rng(seed))
    return sparse.csr_matrix(table, dtype=np.float32)


def test_on_a_checkerboard_the_merchant_left_out_comes_first_among_the_unseen() -> None:
    board = checkerboard()
    factors = fit(board, SMALL, seed=1)
    scores = factors.cardholders @ factors.columns.T
    scores[board.toarray() > 0] = -np.inf

    assert list(scores.argmax(axis=1)) == [row % 30 for row in range(40)]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), exponent=st.sampled_from([0.0, 0.5, 1.0]))
def test_the_stored_vector_is_the_fold_in_of_the_stored_history(seed: int, exponent: float) -> None:
    strength = random_strength(seed)
    step = HalfStep(
        alpha=5.0, regularisation=0.5, activity_exponent=exponent, frequency_exponent=exponent
    )
    factors = fit(strength, ModelParameters(n_factors=8, iterations=3, step=step), seed=seed)
    for row in range(strength.shape[0]):
        cells = slice(strength.indptr[row], strength.indptr[row + 1])
        folded = factors.fold_in(strength.indices[cells], strength.data[cells])

        np.testing.assert_allclose(factors.cardholders[row], folded, atol=1e-6)


def test_factors_are_the_same_bits_for_one_thread_and_two() -> None:
    strength = random_strength(3, (300, 200))
    one = fit(strength, SMALL, seed=7, n_threads=1)
    two = fit(strength, SMALL, seed=7, n_threads=2)

    assert np.array_equal(one.cardholders, two.cardholders)
    assert np.array_equal(one.columns, two.columns)


def test_the_lean_fit_has_the_same_bits_as_the_library_s_own() -> None:
    table = random_strength(8, (200, 90))
    models = [
        kind(factors=8, iterations=3, regularization=1.0, num_threads=1, random_state=5)
        for kind in (LeanALS, AlternatingLeastSquares)
    ]
    for model in models:
        model.fit(table, show_progress=False)
    lean, own = models

    assert own.item_factors.any()
    np.testing.assert_array_equal(lean.user_factors, own.user_factors)
    np.testing.assert_array_equal(lean.item_factors, own.item_factors)


ALONE = """
import numpy as np, tracemalloc
from scipy import sparse
from training.als import LeanALS

table = sparse.random_array((40_000, 2000), density=0.01, rng=np.random.default_rng(1))
table = sparse.csr_matrix(table, dtype=np.float32)
model = LeanALS(factors=4, iterations=2, num_threads=1)
tracemalloc.start()
model.fit(table, show_progress=False)
print(tracemalloc.get_traced_memory()[1] / table.data.nbytes)
"""


def test_the_fit_takes_the_transposed_matrix_and_little_more() -> None:
    told = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)

    assert 2.0 < float(told.stdout) < 2.6  # data and indices; the library's own takes 3.3


def test_another_seed_gives_other_factors() -> None:
    strength = random_strength(3)

    assert not np.array_equal(fit(strength, SMALL, 1).columns, fit(strength, SMALL, 2).columns)


def test_a_cardholder_and_a_column_without_cells_have_zero_vectors() -> None:
    strength = sparse.csr_matrix(np.array([[1, 2, 0], [0, 0, 0], [3, 1, 0]], np.float32))
    factors = fit(strength, SMALL, seed=1)

    assert not factors.cardholders[1].any()
    assert not factors.columns[2].any()


def test_progress_counts_every_iteration() -> None:
    seen: list[tuple[int, int]] = []
    fit(checkerboard(), SMALL, seed=1, progress=lambda done, total: seen.append((done, total)))

    assert seen == [(i, 10) for i in range(1, 11)]


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_a_cell_that_is_not_above_zero_is_refused(value: float) -> None:
    table = sparse.csr_matrix((np.array([1.0, value], np.float32), ([0, 1], [0, 1])), shape=(2, 2))

    with pytest.raises(ValueError, match="not above 0"):
        fit(table, SMALL, seed=1)


def test_an_empty_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="no cell"):
        fit(sparse.csr_matrix(np.zeros((3, 4), np.float32)), SMALL, seed=1)


def test_confidence_is_divided_by_activity_and_popularity() -> None:
    strength = sparse.csr_matrix(np.array([[1, 1, 1, 1], [1, 0, 0, 0]], np.float32))
    step = HalfStep(alpha=3.0, transform=Transform.BINARY, activity_exponent=0.5)
    confidence, scale = confidence_matrix(
        strength, ModelParameters(popularity_exponent=1.0, step=step)
    )

    assert list(scale) == [0.5, 1, 1, 1]
    assert confidence.toarray() == pytest.approx(np.array([[0.75, 1.5, 1.5, 1.5], [1.5, 0, 0, 0]]))


def test_a_column_that_nobody_has_is_scaled_by_one() -> None:
    assert list(column_scale(np.array([0, 4], np.int32), 0.5)) == [1.0, 0.5]


def test_parameters_survive_a_round_trip_and_partial_documents_take_defaults() -> None:
    changed = ModelParameters(n_factors=32, step=HalfStep(alpha=2.0, transform=Transform.LINEAR))

    assert ModelParameters.from_document(changed.as_document()) == changed
    assert ModelParameters.from_document({"n_factors": 16}).step == ModelParameters().step


def test_parameters_outside_their_range_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="n_factors: 0"):
        ModelParameters(n_factors=0)
