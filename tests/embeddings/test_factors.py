"""The cardholder half-step: exact, and the same offline and online."""

from typing import Any

import implicit
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from embeddings.factors import Factors, HalfStep, Transform, gram_of
from tests.bundles import checkerboard

PLAIN = HalfStep(alpha=1.0, transform=Transform.LINEAR, regularisation=0.1)


def factors_of(columns: NDArray[Any], step: HalfStep = PLAIN) -> Factors:
    nobody = np.zeros((0, columns.shape[1]), np.float32)
    return Factors(nobody, columns, np.ones(len(columns), np.float32), step, gram_of(columns))


@st.composite
def histories(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Columns, used rows and strengths at least 1 (implicit's own loss wants c ≥ 1)."""
    seed = draw(st.integers(0, 2**32 - 1))
    n_columns, n_factors = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    chance = np.random.default_rng(seed)
    columns = chance.normal(size=(n_columns, n_factors)).astype(np.float32)
    n_used = draw(st.integers(1, n_columns))
    rows = np.sort(chance.choice(n_columns, n_used, replace=False)).astype(np.int32)
    return columns, rows, chance.uniform(1, 9, n_used).astype(np.float32)


@given(histories())
@settings(max_examples=60, deadline=None)
def test_fold_in_is_implicits_own_step(
    world: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
) -> None:
    columns, rows, strength = world
    model = implicit.cpu.als.AlternatingLeastSquares(
        factors=columns.shape[1], regularization=0.1, use_cg=False, dtype=np.float64, num_threads=1
    )
    model.item_factors = columns.astype(np.float64)
    history = csr_matrix((strength.astype(np.float64), rows, [0, len(rows)]), (1, len(columns)))

    theirs = model.recalculate_user(0, history)

    ours = factors_of(columns).fold_in(rows, strength)
    np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-5)


@given(histories(), st.floats(0, 2), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_fold_in_leaves_no_gradient(
    world: tuple[NDArray[Any], NDArray[Any], NDArray[Any]], frequency: float, activity: float
) -> None:
    columns, rows, strength = world
    step = HalfStep(
        alpha=3.0, regularisation=0.5, frequency_exponent=frequency, activity_exponent=activity
    )
    factors = factors_of(columns, step)

    x = factors.fold_in(rows, strength).astype(np.float64)

    confidence = np.ones(len(columns))
    target = np.zeros(len(columns))
    confidence[rows] = 3.0 * np.log1p(strength) * len(rows) ** -activity
    target[rows] = 1.0
    wide = columns.astype(np.float64)
    gradient = wide.T @ (confidence * (wide @ x - target)) + 0.5 * len(rows) ** frequency * x
    assert np.abs(gradient).max() < 1e-3 * max(1.0, np.abs(wide).max() ** 2 * confidence.sum())


def test_nobody_without_history_has_a_vector() -> None:
    columns = np.ones((3, 2), np.float32)

    vector = factors_of(columns).fold_in(np.empty(0, np.int32), np.empty(0, np.float32))

    assert vector.tolist() == [0.0, 0.0]


def test_the_stored_vector_is_the_fold_in_of_the_stored_history() -> None:
    model = checkerboard()

    for row in range(len(model.cardholders)):
        cells = model.history.cells(row)
        folded = model.factors.fold_in(model.history.rows[cells], model.history.strength[cells])
        np.testing.assert_array_equal(folded, model.factors.cardholders[row])


def test_even_cardholders_want_the_even_merchant_they_miss() -> None:
    model = checkerboard()

    for row in range(len(model.cardholders)):
        number = int(model.cardholders.id(row).removeprefix("ch_"))
        scores = model.factors.columns @ model.factors.cardholders[row]
        missed = model.columns.row(f"merchant:m_{number % 6}") or 0
        other = model.columns.row(f"merchant:m_{(number + 1) % 6}") or 0
        assert scores[missed] > scores[other]


@pytest.mark.parametrize(
    ("transform", "expected"),
    [(Transform.BINARY, 5.0), (Transform.LINEAR, 15.0), (Transform.LOG, 5 * np.log(4.0))],
)
def test_strength_grows_into_confidence(transform: Transform, expected: float) -> None:
    step = HalfStep(alpha=5.0, transform=transform, activity_exponent=0.5)

    confidence = step.confidence(np.array([3.0], np.float32), np.array([2.0], np.float32), 4)

    assert confidence.tolist() == pytest.approx([expected])


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": np.nan}, {"regularisation": -1.0}])
def test_a_step_without_meaning_cannot_be_built(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        HalfStep(**wrong)  # type: ignore[arg-type]


def test_a_step_survives_the_manifest() -> None:
    step = HalfStep(alpha=2.0, transform=Transform.BINARY, frequency_exponent=1.0)

    assert HalfStep.from_document(step.as_document()) == step
