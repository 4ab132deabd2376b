"""The measure itself, on a small simulated issuer; the figures stand in docs/figures.md."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from embeddings.shelf import Shelf
from training.cli import group
from training.errors import BadInputError
from training.oracle import shares
from training.simulate.truth import Truth


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A simulated issuer and the bundle that was trained on it."""
    room = tmp_path_factory.mktemp("oracle")
    runs = [
        [
            "simulate", "--out", str(room / "sim"), "--cardholders", "400", "--merchants", "80",
            "--transactions", "16000", "--seed", "3", "--items", "60",
            "--ends-at", datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        ],
        [
            "run", "--usage", str(room / "sim/usage.parquet"), "--catalog",
            str(room / "sim/catalog.ndjson"), "--events", str(room / "sim/responses.parquet"),
            "--shelf", str(room / "shelf"), "--issuer", "sim", "--force",
        ],
    ]  # fmt: skip
    for arguments in runs:
        answer = CliRunner().invoke(group, arguments)
        assert answer.exit_code == 0, answer.output
    version = Shelf(room / "shelf", "sim").current_version()
    assert version is not None
    return room / "sim", room / "shelf" / "sim" / "versions" / version


def test_a_bundle_stands_between_chance_and_the_oracle(world: tuple[Path, Path]) -> None:
    found = shares(*world, k=10, sample=400, seed=0)
    warm = found["warm_cardholders"]

    assert warm.chance < warm.product <= 1
    assert warm.low <= warm.product <= warm.high
    assert found["cold_offers"].chance < found["cold_offers"].product
    everyone = ("warm_cardholders", "light_cardholders", "cold_cardholders")
    assert sum(found[name].cardholders for name in everyone) <= 400


def test_the_measure_is_the_same_twice(world: tuple[Path, Path]) -> None:
    assert shares(*world, k=5, sample=50, seed=1) == shares(*world, k=5, sample=50, seed=1)


def test_without_a_truth_there_is_no_measure(world: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no truth"):
        shares(tmp_path, world[1], k=5, sample=50, seed=1)


def test_probabilities_of_the_truth_are_those_that_are_summed(world: tuple[Path, Path]) -> None:
    truth = Truth.load(world[0])
    odds = truth.probability(["ch_0000000"], truth.item_ids)

    assert odds.shape == (1, 60)
    assert np.all((odds > 0) & (odds < 1))
