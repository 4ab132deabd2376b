"""Each reason of the gate, and the nearest case without it."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from embeddings.factors import Factors, HalfStep, gram_of
from training.gate import (
    Code,
    DataFacts,
    Figures,
    GateRule,
    Reason,
    Signal,
    judge_data,
    judge_drift,
    judge_figures,
    judge_numbers,
)

FACTS = DataFacts(
    interactions=1000,
    cardholders=500,
    columns=200,
    cardholders_with_two=25,
    transactions_per_day=100.0,
    category_shares={"category:5411": 0.5, "category:5812": 0.5},
)
FIGURES = Figures(
    k=20, cardholders=100, recall=0.2, popular_recall=0.2, coverage=0.5, recall_before=0.3
)
SMALL = Signal("ch_1", 0.1)
RULE = GateRule()


def codes(reasons: list[Reason]) -> list[Code]:
    """Codes; every sentence ends like one and holds a figure or an advice."""
    assert all(r.sentence.endswith(".") and len(r.sentence) > 30 for r in reasons)
    return [r.code for r in reasons]


def test_data_at_every_threshold_pass() -> None:
    assert codes(judge_data(FACTS, SMALL, Signal("m_1", 0.5), RULE)) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"interactions": 999}, Code.TOO_FEW_INTERACTIONS),
        ({"cardholders_with_two": 24}, Code.TOO_FEW_CARDHOLDERS),
    ],
)
def test_data_below_the_floor_are_refused(change: dict[str, Any], code: Code) -> None:
    assert codes(judge_data(replace(FACTS, **change), SMALL, SMALL, RULE)) == [code]


def test_a_small_issuer_lowers_the_floor() -> None:
    low = GateRule(min_interactions=10, min_cardholders=2)

    assert codes(judge_data(replace(FACTS, interactions=10), SMALL, SMALL, low)) == []


def test_f61_one_card_or_one_merchant_that_holds_the_signal_is_named() -> None:
    loud_card = judge_data(FACTS, Signal("ch_bot", 0.11), SMALL, RULE)
    loud_shop = judge_data(FACTS, SMALL, Signal("m_self", 0.51), RULE)

    assert codes(loud_card) == [Code.CARDHOLDER_DOMINATES]
    assert "ch_bot" in loud_card[0].sentence
    assert codes(loud_shop) == [Code.MERCHANT_DOMINATES]
    assert "m_self" in loud_shop[0].sentence


@pytest.mark.parametrize(("per_day", "drifted"), [(50, 0), (49, 1), (200, 0), (201, 1)])
def test_half_or_double_the_volume_is_the_limit(per_day: float, drifted: int) -> None:
    now = replace(FACTS, transactions_per_day=float(per_day))

    assert codes(judge_drift(now, FACTS, RULE)) == [Code.VOLUME_DRIFTED] * drifted


def test_signal_that_moved_between_categories_is_measured_and_named() -> None:
    moved = replace(FACTS, category_shares={"category:5411": 0.15, "category:9999": 0.85})
    reasons = judge_drift(moved, FACTS, RULE)

    assert codes(reasons) == [Code.CATEGORIES_DRIFTED]
    assert "85%" in reasons[0].sentence
    assert "category:9999" in reasons[0].sentence


@pytest.mark.parametrize(
    ("change", "fewer"),
    [({"cardholders": 450}, 0), ({"cardholders": 449}, 1), ({"columns": 179}, 1)],
)
def test_f12_fewer_ids_than_nine_tenths_are_refused(change: dict[str, Any], fewer: int) -> None:
    assert codes(judge_drift(replace(FACTS, **change), FACTS, RULE)) == [Code.FEWER_IDS] * fewer


def test_figures_at_every_threshold_pass() -> None:
    assert codes(judge_figures(replace(FIGURES, against_current=(-0.1, 0.0)), RULE)) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"popular_recall": 0.21}, Code.WORSE_THAN_POPULAR),
        ({"against_current": (-0.03, -0.001)}, Code.WORSE_THAN_CURRENT),
        ({"recall_before": 0.34}, Code.FELL_SINCE_LAST),
        ({"coverage": 0.009}, Code.LOW_COVERAGE),
        ({"cardholders": 0}, Code.NOTHING_TO_JUDGE),
    ],
)
def test_a_figure_beyond_its_threshold_is_a_reason(change: dict[str, Any], code: Code) -> None:
    assert codes(judge_figures(replace(FIGURES, **change), RULE)) == [code]


def some_factors(cardholders: np.ndarray, columns: np.ndarray) -> Factors:
    scale = np.ones(len(columns), np.float32)
    return Factors(cardholders, columns, scale, HalfStep(), gram_of(columns))


def test_f12_nan_zero_and_another_dimension_are_refused() -> None:
    good = np.ones((100, 4), np.float32)
    holed, empty = good.copy(), good.copy()
    holed[3, 1] = math.nan
    empty[7] = 0

    assert codes(judge_numbers(some_factors(good, good), 4, RULE)) == []
    assert codes(judge_numbers(some_factors(good, good), None, RULE)) == []
    assert codes(judge_numbers(some_factors(holed, good), 4, RULE)) == [Code.NOT_FINITE]
    assert codes(judge_numbers(some_factors(good, empty), 4, RULE)) == [Code.ZERO_VECTORS]
    assert codes(judge_numbers(some_factors(good, good), 8, RULE)) == [Code.DIMENSION_CHANGED]


@pytest.mark.parametrize("value", [-1, math.nan, "much", True])
def test_a_threshold_that_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="min_coverage"):
        GateRule(min_coverage=value)  # type: ignore[arg-type]
