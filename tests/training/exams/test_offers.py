"""Lists of offers against a known truth: by hand, and on a small simulated issuer."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from training.cli import group
from training.exams.offers import Exam, figures, graded_ndcg

GAIN = np.array([[0.4, 0.1, 0.2, 0.3], [0.5, 0.5, 0.1, 0.0], [0.9, 0.1, 0.1, 0.1]])
ELIGIBLE = np.array([[1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 0, 0]], bool)
EXAM = Exam(np.arange(3), GAIN, ELIGIBLE)


def test_the_gain_of_a_list_is_worked_out_by_hand() -> None:
    scores = np.array([[1, 3, 2, 9], [0, 0, 9, 0], [1, 2, 3, 4]], np.float32)
    third = 1 / np.log2(3)

    found = graded_ndcg(EXAM, scores, 2)

    assert found[0] == pytest.approx((0.1 + 0.2 * third) / (0.4 + 0.2 * third))
    assert found[1] == pytest.approx((0.1 + 0.5 * third) / (0.5 + 0.5 * third))


def test_whoever_has_no_choice_is_not_judged() -> None:
    assert graded_ndcg(EXAM, GAIN.astype(np.float32), 2).size == 2


def test_an_item_that_is_not_eligible_never_counts() -> None:
    scores = GAIN.astype(np.float32)
    better = scores.copy()
    better[0, 3] = 99

    assert graded_ndcg(EXAM, better, 3).tolist() == graded_ndcg(EXAM, scores, 3).tolist()


@given(st.integers(0, 2**31), st.integers(1, 6))
def test_nothing_is_better_than_the_oracle_and_no_scale_or_shift_changes_a_list(
    seed: int, k: int
) -> None:
    rng = np.random.default_rng(seed)
    exam = Exam(np.arange(4), rng.random((4, 7)), rng.random((4, 7)) < 0.7)
    scores = rng.integers(0, 5, (4, 7)).astype(np.float32)

    assert (graded_ndcg(exam, scores, k) <= 1 + 1e-12).all()
    assert graded_ndcg(exam, exam.gain.astype(np.float64), k) == pytest.approx(1.0)
    np.testing.assert_array_equal(
        graded_ndcg(exam, scores, k), graded_ndcg(exam, 2 * scores + 3, k)
    )


def test_the_lead_is_over_the_best_of_the_others() -> None:
    scores = {
        "product": GAIN.astype(np.float32),
        "worst": -GAIN.astype(np.float32),
        "close": np.round(GAIN, 0).astype(np.float32),
    }
    found = figures(EXAM, scores, k=2, seed=0, rounds=100)

    assert found["cardholders"] == 2
    assert found["models"]["product"]["ndcg"] == 1.0
    assert found["lead"]["over"] == "close"
    expected = 1 - found["models"]["close"]["ndcg"]
    assert found["lead"]["mean"] == pytest.approx(expected, abs=1e-3)


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An issuer small enough for a test, with many impressions each."""
    folder = tmp_path_factory.mktemp("offers") / "issuer"
    asked = {
        "cardholders": 900, "merchants": 150, "transactions": 45_000, "items": 120, "seed": 5,
        "exposures": 60, "ends-at": "2026-01-31",
    }  # fmt: skip
    options = [text for name, value in asked.items() for text in (f"--{name}", str(value))]
    done = CliRunner().invoke(group, ["simulate", "--out", str(folder), *options, "--json"])
    assert done.exit_code == 0, done.output
    return folder


def test_the_product_comes_nearer_to_the_truth_than_what_a_bank_could_do_without_it(
    simulation: Path,
) -> None:
    arguments = ["--simulation", str(simulation), "--threads", "1", "--json"]
    done = CliRunner().invoke(group, ["offers", *arguments], catch_exceptions=False)
    groups = json.loads(done.stdout)["groups"]

    assert list(groups) == ["regulars", "cold_offers", "newcomers"]
    for found in (groups["regulars"], groups["newcomers"]):
        assert found["lead"]["low"] > 0, found
    cold = {name: one["ndcg"] for name, one in groups["cold_offers"]["models"].items()}
    assert cold["product"] > max(cold["random"], cold["most_activated"])


def test_the_same_seed_gives_the_same_figures(simulation: Path) -> None:
    arguments = ["offers", "--simulation", str(simulation), "--max-cardholders", "100", "--json"]
    one, other = (CliRunner().invoke(group, arguments).stdout for _ in range(2))

    assert one == other
    assert json.loads(one)["groups"]["regulars"]["cardholders"] == 100
