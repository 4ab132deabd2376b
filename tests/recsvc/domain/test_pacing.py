"""A budget is spread over its window by showing an item less."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.catalog import Item, parse_item
from recsvc.domain.budgets import Spent, is_ahead_of_pace, is_paced
from recsvc.domain.budgets.pacing import HEAD_START, HEAD_START_USES
from tests.bundles import an_offer

OPENS, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 11, tzinfo=UTC)
WINDOW = {"starts_at": OPENS.isoformat(), "ends_at": ENDS.isoformat()}
DAY = timedelta(days=1)

days = st.floats(-2, 12, allow_nan=False)
uses = st.integers(0, 3000)


def a_paced(terms: dict[str, Any] | None = None, **total: Any) -> Item:
    budget = {"total": total or {"count": 1000}}
    return parse_item(an_offer(terms=WINDOW if terms is None else terms, budget=budget))


@pytest.mark.parametrize(
    ("day", "most"),
    [(0, 100), (5, 550), (9, 910), (10, 1000), (30, 1000), (-3, 100)],
)
def test_by_each_day_the_head_start_and_the_days_share_of_the_rest_may_be_used(
    day: int, most: int
) -> None:
    item, now = a_paced(), OPENS + day * DAY

    assert not is_ahead_of_pace(item, Spent(most, 0), now)
    assert is_ahead_of_pace(item, Spent(most + 1, 0), now)


def test_money_is_paced_as_uses_are() -> None:
    item = a_paced(amount={"amount_minor": 1_000_000, "currency": "CNY"})
    half_way = OPENS + 5 * DAY

    assert not is_ahead_of_pace(item, Spent(60, 550_000), half_way)
    assert is_ahead_of_pace(item, Spent(60, 550_001), half_way)


def test_money_limits_no_reward_that_is_none() -> None:
    limit = {"total": {"amount": {"amount_minor": 1, "currency": "CNY"}}}
    points = {"type": "points_bonus", "points": 500}
    item = parse_item(an_offer(terms=WINDOW, budget=limit, reward=points))

    assert not is_paced(item)
    assert not is_ahead_of_pace(item, Spent(60, 10**9), OPENS)


def test_a_small_budget_is_first_come_first_served() -> None:
    item = a_paced(count=HEAD_START_USES)

    assert not is_ahead_of_pace(item, Spent(HEAD_START_USES - 1, 0), OPENS)


@pytest.mark.parametrize(
    "terms", [{}, {"starts_at": OPENS.isoformat()}, {"ends_at": ENDS.isoformat()}]
)
def test_without_both_ends_of_a_window_nothing_is_paced(terms: dict[str, Any]) -> None:
    assert not is_paced(a_paced(terms))
    assert not is_ahead_of_pace(a_paced(terms), Spent(1000, 0), OPENS)


@given(days, days, uses)
@settings(deadline=None)
def test_who_is_within_the_pace_stays_so_as_time_passes(one: float, other: float, n: int) -> None:
    early, late = sorted((one, other))
    item, spent = a_paced(), Spent(n, 0)

    if not is_ahead_of_pace(item, spent, OPENS + early * DAY):
        assert not is_ahead_of_pace(item, spent, OPENS + late * DAY)


@given(days, uses, uses)
@settings(deadline=None)
def test_who_is_ahead_is_still_ahead_with_one_use_more(day: float, one: int, more: int) -> None:
    item, now = a_paced(), OPENS + day * DAY

    if is_ahead_of_pace(item, Spent(one, 0), now):
        assert is_ahead_of_pace(item, Spent(one + more, 0), now)


@given(days, uses, st.integers(1, 10**6))
@settings(deadline=None)
def test_what_is_not_paced_is_never_ahead(day: float, n: int, amount: int) -> None:
    item = a_paced({})

    assert not is_ahead_of_pace(item, Spent(n, amount), OPENS + day * DAY)


@given(st.integers(600, 5000))
@settings(deadline=None, max_examples=20)
def test_a_crowd_that_takes_whatever_is_shown_uses_an_even_share_each_day(limit: int) -> None:
    item, used = a_paced(count=limit), 0
    for quarter in range(40):
        now = OPENS + quarter * DAY / 4
        while used < limit and not is_ahead_of_pace(item, Spent(used, 0), now):
            used += 1
        allowed = (HEAD_START + (1 - HEAD_START) * quarter / 40) * limit
        assert allowed - 0.01 < used < allowed + 1.01
