from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.bundle import Bundle
from embeddings.errors import BundleError
from tests.bundles import checkerboard, written


def with_scores(tmp_path: Path, **scores: np.ndarray) -> Path:
    return written(tmp_path, replace(checkerboard(), scores=scores))


def test_scores_of_cardholders_travel_with_the_bundle_and_may_be_missing(tmp_path: Path) -> None:
    value = np.arange(len(checkerboard().cardholders), dtype=np.float32)
    value[0] = np.nan

    scores = Bundle.open(with_scores(tmp_path, value=value)).model.scores

    assert list(scores) == ["value"]
    np.testing.assert_array_equal(scores["value"], value)
    assert not scores["value"].flags.writeable


def test_scores_of_another_number_of_cardholders_are_refused(tmp_path: Path) -> None:
    folder = with_scores(tmp_path, churn_risk=np.zeros(3, np.float32))

    with pytest.raises(BundleError, match="cardholder_churn_risk") as raised:
        Bundle.open(folder)
    assert raised.value.code == "wrong_shape"


def test_a_score_that_no_bundle_promises_is_refused_when_with_scores(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="cardholder_income"):
        with_scores(tmp_path, income=np.zeros(3, np.float32))
