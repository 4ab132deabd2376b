from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.bundle import Bundle, seal, write_model
from embeddings.errors import BundleError
from tests.bundles import checkerboard, unsealed


def written(tmp_path: Path, **scores: np.ndarray) -> Path:
    model = replace(checkerboard(), scores=scores)
    document = unsealed(model)
    folder = tmp_path / str(document["version"])
    folder.mkdir()
    write_model(folder, model)
    seal(folder, document)
    return folder


def test_scores_of_cardholders_travel_with_the_bundle_and_may_be_missing(tmp_path: Path) -> None:
    value = np.arange(len(checkerboard().cardholders), dtype=np.float32)
    value[0] = np.nan

    scores = Bundle.open(written(tmp_path, value=value)).model.scores

    assert list(scores) == ["value"]
    np.testing.assert_array_equal(scores["value"], value)
    assert not scores["value"].flags.writeable


def test_scores_of_another_number_of_cardholders_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, churn_risk=np.zeros(3, np.float32))

    with pytest.raises(BundleError, match="cardholder_churn_risk") as raised:
        Bundle.open(folder)
    assert raised.value.code == "wrong_shape"


def test_a_score_that_no_bundle_promises_is_refused_when_written(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="cardholder_income"):
        written(tmp_path, income=np.zeros(3, np.float32))
