import numpy as np
import pytest
from scipy import sparse

from embeddings.blend import Blend
from embeddings.factors import Factors, HalfStep, gram_of
from training.evaluation import Trial
from training.scoring import product_scorer, vectors_scorer

SEEN = sparse.csr_matrix(np.array([[3, 0], [0, 1], [0, 0]], np.float32))
TRIAL = Trial(SEEN, SEEN, age_days=np.array([0.0, 30.0], np.float32))
COLUMNS = np.array([[9, 9], [1, 0], [0, 1]], np.float32)
FACTORS = Factors(
    np.array([[1, 2], [3, 4], [0, 0]], np.float32),
    COLUMNS,
    np.ones(3, np.float32),
    HalfStep(),
    gram_of(COLUMNS),
)
BLEND = Blend(
    trend_weight=0.5,
    trend_half_life_days=30,
    known_weight=0.1,
    habit_weight=2.0,
    habit_half_life_days=30,
)


def test_a_score_is_inner_product_plus_trend_plus_habit() -> None:
    found = product_scorer(FACTORS, np.array([1, 2]), BLEND, TRIAL).scores(np.array([0, 1]))
    trend = [0.5, 0.5 * np.log(1.5) / np.log(2)]

    assert found[0] == pytest.approx([1 + trend[0] + 0.1 + 2 * np.log(4), 2 + trend[1]])
    assert found[1] == pytest.approx([3 + trend[0], 4 + trend[1] + 0.1 + 2 * np.log(1.5)])


def test_a_cardholder_without_a_history_gets_the_trend() -> None:
    found = product_scorer(FACTORS, np.array([1, 2]), BLEND, TRIAL).scores(np.array([2]))

    assert found[0].argmax() == 0
    assert found[0].max() == pytest.approx(0.5)


def test_of_the_vectors_alone_the_score_is_the_inner_product() -> None:
    found = vectors_scorer(FACTORS, np.array([1, 2]), TRIAL).scores(np.array([1]))

    assert found.tolist() == [[3, 4]]
