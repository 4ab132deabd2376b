from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from training.propensity import Propensity, Responses, fit
from training.propensity.features import features_at, signed
from training.propensity.outcomes import horizon_days, silent_after, spend_after

ENDS_AT = datetime(2026, 1, 1, tzinfo=UTC)


def usage(rows: list[tuple[str, int, int, str]]) -> pl.LazyFrame:
    """Rows of (cardholder, days before the end, amount, status)."""
    return pl.LazyFrame(
        {
            "cardholder_id": [row[0] for row in rows],
            "merchant_id": [f"m_{i % 7}" for i in range(len(rows))],
            "amount_minor": [row[2] for row in rows],
            "currency": ["CNY"] * len(rows),
            "occurred_at": [ENDS_AT - timedelta(days=row[1]) for row in rows],
            "status": [row[3] for row in rows],
        }
    ).with_columns(pl.col("occurred_at").cast(pl.Datetime("us", "UTC")))


def rhythm_world(n: int, seed: int) -> tuple[pl.LazyFrame, list[str], NDArray[np.float64]]:
    """Cardholders with a gap and a ticket of their own; some fall silent at a hidden day."""
    chance = np.random.default_rng(seed)
    ids = [f"ch_{i}" for i in range(n)]
    gaps, tickets = chance.choice([2.0, 5.0, 12.0], n), chance.lognormal(8, 1, n)
    stops = np.where(chance.random(n) < 0.4, chance.uniform(0, 400, n), 0.0)
    rows: list[tuple[str, int, int, str]] = []
    for i in range(n):
        ages = 420 - np.cumsum(chance.exponential(gaps[i], int(900 / gaps[i])))
        rows += [
            (ids[i], int(age), int(tickets[i] * chance.uniform(0.5, 1.5)), "settled")
            for age in ages
            if age > max(stops[i], 1)
        ]
    return usage(rows), ids, np.where(stops > 0, 0.0, 90 / gaps * tickets)


@pytest.fixture(scope="module")
def world() -> tuple[pl.LazyFrame, list[str], NDArray[np.float64]]:
    return rhythm_world(500, 1)


@pytest.fixture(scope="module")
def made(world: tuple[pl.LazyFrame, list[str], NDArray[np.float64]]) -> Propensity:
    frame, ids, _ = world
    return fit(frame, [*ids, "ch_new"], ENDS_AT, seed=3)


def test_scores_find_who_will_spend_and_who_has_gone_silent(
    world: tuple[pl.LazyFrame, list[str], NDArray[np.float64]], made: Propensity
) -> None:
    expected = world[2]
    value, risk = made.scores["value"][:-1], made.scores["churn_risk"][:-1]
    gone, alive = expected == 0, expected > 0
    assert value.dtype == np.float32
    assert np.nanmean(risk[gone]) > 3 * np.nanmean(risk[alive])
    assert np.nanmean(value[gone]) < np.nanmean(value[alive]) / 3
    assert np.corrcoef(np.log(value[alive]), np.log(expected[alive]))[0, 1] > 0.9
    assert 0 <= np.nanmin(risk) <= np.nanmax(risk) <= 1


def test_the_split_by_time_judges_order_and_calibration_beside_the_simple_guess(
    made: Propensity,
) -> None:
    judged = made.figures["judged"]

    assert isinstance(judged, dict)
    assert judged["split_at"] == (ENDS_AT - timedelta(days=90)).isoformat()
    assert judged["churn_risk"]["auc"] > 0.75
    assert judged["churn_risk"]["calibration_error"] < 0.12
    assert len(judged["churn_risk"]["calibration"]) == 10
    assert judged["value"]["concordance"] > judged["value"]["concordance_last_span"] - 0.02
    assert 0.7 < judged["value"]["foreseen_to_happened"] < 1.4


def test_the_same_seed_gives_the_same_scores(
    world: tuple[pl.LazyFrame, list[str], NDArray[np.float64]], made: Propensity
) -> None:
    frame, ids, _ = world

    again = fit(frame, [*ids, "ch_new"], ENDS_AT, seed=3).scores

    assert made.scores.keys() == again.keys() == {"value", "churn_risk"}
    assert all(np.array_equal(made.scores[name], again[name], equal_nan=True) for name in again)


def test_a_cardholder_without_a_purchase_has_no_score(
    made: Propensity,
) -> None:
    assert [np.isnan(values[-1]) for values in made.scores.values()] == [True, True]


def test_what_happens_after_an_instant_never_moves_the_features_of_it() -> None:
    past = [("a", 100, 500, "settled"), ("a", 60, 300, "settled"), ("b", 50, 80, "returned")]
    future = [("a", 20, 10_000, "settled"), ("b", 10, 7, "settled")]
    at = ENDS_AT - timedelta(days=40)

    one = features_at(signed(usage(past)).collect(), ["a", "b"], at)
    other = features_at(signed(usage(past + future)).collect(), ["a", "b"], at)

    assert np.array_equal(one.matrix, other.matrix, equal_nan=True)


def test_features_by_hand() -> None:
    rows = [("a", 40, 500, "settled"), ("a", 30, 300, "settled"), ("a", 10, 900, "settled")]
    rows += [("a", 9, 900, "returned"), ("a", 8, 5_000, "declined")]

    found = features_at(signed(usage(rows)).collect(), ["a"], ENDS_AT)

    by_name = dict(zip(found.names, found.matrix[0].tolist(), strict=True))
    assert by_name["recency_days"] == 10
    assert by_name["tenure_days"] == 40
    assert by_name["purchases_30"] == 2
    assert by_name["spend_90"] == 800
    assert by_name["gap_median_days"] == 15
    assert by_name["overdue"] == pytest.approx(10 / 15)
    assert by_name["refund_share"] == 0.25


def test_refunds_are_taken_back_from_what_was_spent_and_declines_never_count() -> None:
    rows = [("a", 50, 100, "settled"), ("a", 5, 1_000, "approved"), ("a", 4, 400, "returned")]
    rows += [("a", 3, 9_000, "declined"), ("b", 5, 70, "settled"), ("b", 4, 90, "reversed")]

    spent = spend_after(
        signed(usage(rows)).collect(), ["b", "a", "c"], ENDS_AT - timedelta(days=10), 10
    )

    assert spent.tolist() == [0, 600, 0]


def test_silence_is_measured_against_the_cardholders_own_rhythm() -> None:
    weekly = [("weekly", age, 10, "settled") for age in range(60, 200, 7)]
    monthly = [("monthly", age, 10, "settled") for age in range(60, 200, 28)]
    both_return = [("weekly", 30, 10, "settled"), ("monthly", 30, 10, "settled")]
    rows = signed(usage(weekly + monthly + both_return)).collect()
    at, ids = ENDS_AT - timedelta(days=59), ["weekly", "monthly"]

    horizon = horizon_days(features_at(rows, ids, at), 90)

    assert horizon.tolist() == [21, 84]
    assert silent_after(rows, ids, at, horizon).tolist() == [True, False]


def test_too_short_a_window_gives_no_scores_and_says_why() -> None:
    frame = usage([(f"ch_{i}", age, 100, "settled") for i in range(120) for age in (5, 100)])

    made = fit(frame, [f"ch_{i}" for i in range(120)], ENDS_AT, seed=1)

    assert made.scores == {}
    assert made.figures == {"skipped": "usage spans 100 days, needs 270"}


def test_responses_with_a_holdout_add_an_uplift_score() -> None:
    frame, ids, _ = rhythm_world(300, 5)
    chance = np.random.default_rng(2)
    treated, outcome = chance.random(300) < 0.6, chance.random(300) < 0.2
    responses = Responses(ids, treated, outcome.astype(np.float64), ENDS_AT - timedelta(days=30))

    made = fit(frame, ids, ENDS_AT, seed=1, campaigns=[responses])

    figures = made.figures["uplift"]
    assert isinstance(figures, dict)
    assert made.scores["uplift"].shape == (300,)
    bought = features_at(signed(frame).collect(), ids, responses.pushed_at).seen
    assert figures["treated"] == (treated & bought).sum()
