"""Settings of a run, from a file."""

from pathlib import Path

import pytest

from training.config import EvaluationPlan, Settings
from training.errors import BadInputError


def settings(folder: Path, text: str) -> Settings:
    """Settings of a file with this text."""
    path = folder / "run.toml"
    path.write_text(text, "utf-8")
    return Settings.read(path)


def test_what_a_file_leaves_out_keeps_its_default(tmp_path: Path) -> None:
    found = settings(tmp_path, "[model]\nn_factors = 16\n[model.step]\nalpha = 5.0\n")

    assert found.model.n_factors == 16
    assert found.model.step.alpha == 5.0
    assert found.model.iterations == Settings().model.iterations
    assert found.gate == Settings().gate


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert settings(tmp_path, "") == Settings()


def test_settings_round_trip_as_a_document() -> None:
    given = Settings(evaluation=EvaluationPlan(k=7, test_days=30))

    assert Settings.from_document(given.as_document()) == given


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[gate]\nflor = 1", "gate.flor is not a setting; known are gate.max_"),
        ("[modell]", "modell is not a setting; known are composition"),
        ("[model]\nfactors = 3", "model.factors is not a setting"),
        ("[model.step]\nlambda = 3", "model.step.lambda is not a setting"),
        ("[model.events]\nviews = 3", "model.events.views is not a setting"),
        ("[model]\nn_factors = 0", "n_factors: 0"),
        ("[evaluation]\nk = 0", "evaluation: k: 0"),
        ("[composition]\nown_prior = 0", "composition: own_prior"),
        ("gate = 3", "gate: must be a table"),
        ("[gate", "not readable as TOML"),
    ],
)
def test_a_setting_that_is_unknown_or_out_of_range_is_named(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(BadInputError) as error:
        settings(tmp_path, text)

    assert str(tmp_path / "run.toml") in str(error.value)
    assert said in str(error.value)
