from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.results.review import Measure, Plan, Roster, review
from recsvc.domain.results.withholding import told, withheld
from tests.campaigns import width


def a_roster(n: int = 4_000, *, lift: float = 0.1, seed: int = 1, segments: int = 2) -> Roster:
    """One in five is held out; a push adds ``lift`` to activation and ten times it to spend."""
    chance = np.random.default_rng(seed)
    treated = chance.random(n) < 0.8
    before = chance.gamma(2.0, 5_000, n)
    activated = (chance.random(n) < 0.2 + lift * treated).astype(np.float64)
    spend = np.maximum(0.0, before + chance.normal(0, 3_000, n) + 10_000 * lift * treated)
    return Roster(
        treated,
        chance.integers(0, 2, n).astype(np.int32),
        chance.integers(0, segments, n).astype(np.int32),
        {
            Measure.SENT: treated.astype(np.float64),
            Measure.ACTIVATED: activated,
            Measure.REDEEMED: activated * (chance.random(n) < 0.5),
            Measure.SPEND: spend,
            Measure.COST: 500.0 * treated * activated,
        },
        before,
        ("offer_1", "offer_2"),
        tuple(f"s_{number}" for number in range(segments)),
    )


def test_the_review_finds_what_the_pushes_added() -> None:
    whole = review(a_roster(20_000), 2_000).whole

    activated = whole.per_cardholder[Measure.ACTIVATED].fixed
    spend = whole.per_cardholder[Measure.SPEND].fixed
    assert activated.low < 0.1 < activated.high
    assert spend.low < 1_000 < spend.high
    assert whole.plain_spend is not None
    assert width(spend) < 0.8 * width(whole.plain_spend)
    assert whole.holdout.totals[Measure.SENT] == 0


def test_what_was_added_in_all_is_the_effect_on_each_times_the_treated() -> None:
    whole = review(a_roster(), 2_000).whole

    total = whole.incremental(Measure.SPEND)
    each = whole.per_cardholder[Measure.SPEND].fixed
    earned = whole.return_on_cost()
    assert total is not None
    assert earned is not None
    assert total.estimate == pytest.approx(each.estimate * whole.treated.cardholders)
    assert earned.estimate == pytest.approx(total.estimate / whole.treated.totals[Measure.COST])
    assert earned.low < earned.estimate < earned.high


def test_items_and_segments_divide_the_whole() -> None:
    found = review(a_roster(), 2_000)

    for parts in (found.by_item, found.by_segment):
        assert sum(part.treated.cardholders for part in parts) == found.whole.treated.cardholders
        assert sum(part.holdout.totals[Measure.SPEND] for part in parts) == pytest.approx(
            found.whole.holdout.totals[Measure.SPEND]
        )


def test_arms_that_lost_some_on_one_side_are_called_broken() -> None:
    roster = a_roster(20_000)
    kept = ~(roster.treated & (np.arange(20_000) % 10 == 0))
    lost = Roster(
        roster.treated[kept],
        roster.items[kept],
        roster.segments[kept],
        {measure: values[kept] for measure, values in roster.measures.items()},
        roster.before_minor[kept],
        roster.item_names,
    )

    whole, broken = review(roster, 2_000).ratio, review(lost, 2_000).ratio
    assert whole is not None
    assert broken is not None
    assert not whole.is_broken
    assert broken.is_broken


def test_a_reading_for_every_day_is_wider_than_one_for_the_end() -> None:
    plan = Plan(3_200, 800, {Measure.ACTIVATED: 0.2})
    readings = review(a_roster(), 2_000, plan=plan).whole.per_cardholder

    any_time = readings[Measure.ACTIVATED].any_time
    assert any_time is not None
    assert width(any_time) > width(readings[Measure.ACTIVATED].fixed)
    assert readings[Measure.SPEND].any_time is None


def test_an_empty_campaign_has_no_effect_and_no_error() -> None:
    whole = review(a_roster(0), 2_000).whole

    assert whole.per_cardholder == {}
    assert whole.return_on_cost() is None


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="every column"):
        replace(a_roster(10), before_minor=np.zeros(9))


@given(st.lists(st.integers(0, 200), max_size=12), st.sampled_from([2, 50]))
def test_P_parts_below_the_minimum_cannot_be_had_by_subtraction(
    sizes: list[int], minimum: int
) -> None:
    hidden = withheld(sizes, minimum)

    lost = [size for size, is_hidden in zip(sizes, hidden, strict=True) if is_hidden]
    shown = [size for size, is_hidden in zip(sizes, hidden, strict=True) if not is_hidden]
    assert all(size == 0 or size >= minimum for size in shown)
    assert not lost or sum(lost) >= minimum or not any(shown)


def document(roster: Roster, *, for_merchant: bool = False) -> dict[str, Any]:
    found = review(roster, 2_000)
    return told(found, minimum=50, confidence=0.95, for_merchant=for_merchant)


def test_a_segment_of_few_is_named_and_no_more() -> None:
    roster = a_roster()
    few = roster.segments.copy()
    few[:20] = 2
    parts = document(replace(roster, segments=few, segment_names=("s_0", "s_1", "s_2")))[
        "by_segment"
    ]

    assert parts[2] == {"name": "s_2", "withheld": True}
    assert [part["withheld"] for part in parts].count(True) == 2


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [n for inner in value.values() for n in numbers(inner)]
    if isinstance(value, list):
        return [n for inner in value for n in numbers(inner)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


@given(st.integers(0, 400), st.integers(0, 1_000))
def test_a_merchant_sees_no_count_below_the_minimum_and_no_money(n: int, seed: int) -> None:
    shown = document(a_roster(n, seed=seed), for_merchant=True)

    for part in (shown["treated"], shown["holdout"], *shown["by_item"], *shown["by_segment"]):
        assert all(number % 50 == 0 for number in numbers(part))
    assert "spend_minor" not in repr(shown)
    assert "lift" not in shown


def test_the_issuer_sees_lift_cost_and_return() -> None:
    shown = document(a_roster())

    assert shown["lift"]["activated"]["fixed"]["low"] < 0.1
    assert shown["cost_minor"] > 0
    assert shown["return_on_cost"]["estimate"] > 0
    assert shown["sample_ratio"]["broken"] is False
