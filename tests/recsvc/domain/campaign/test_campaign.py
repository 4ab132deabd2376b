from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.catalog import Channel, Money
from recsvc.domain.campaign.campaign import MOVES, Audience, PushBudget, State
from recsvc.domain.campaign.launch import (
    Blocker,
    Finding,
    Notice,
    Projection,
    blockers,
    cost_of,
    notices,
)
from recsvc.domain.campaign.room import pushed_of, room
from recsvc.domain.errors import ConflictError, InvalidError
from tests.recsvc.domain.campaign.worlds import NOON, a_campaign, an_offer

ENOUGH = Projection(9_000, 1_000, None, None)


def codes(campaign: Any, items: Any, projection: Projection | None = ENOUGH) -> list[str]:
    by_id = {item.item_id: item for item in items}
    found = blockers(campaign, by_id, projection, purpose_version="v3", at=NOON, minimum=500)
    return [finding.code.value for finding in found]


def test_a_whole_plan_may_be_launched() -> None:
    assert codes(a_campaign(), [an_offer()]) == []
    assert a_campaign().launched(NOON).state is State.LIVE
    assert a_campaign().launched(NOON - timedelta(days=10)).state is State.SCHEDULED


def test_P55_a_campaign_cannot_go_live_without_an_impact_assessment() -> None:
    assert codes(a_campaign(pia_ref=None), [an_offer()]) == ["pia_ref_missing"]


def test_P14_a_campaign_cannot_go_live_without_a_basis_of_consent() -> None:
    found = blockers(
        a_campaign(), {"offer_1": an_offer()}, ENOUGH, purpose_version=None, at=NOON, minimum=500
    )

    assert found == (Finding(Blocker.NO_CONSENT_BASIS, "purpose_version"),)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "paused"}, "item_not_live"),
        ({"terms": {"starts_at": "2026-03-02T00:00:00Z"}}, "item_outside_window"),
        ({"terms": {"ends_at": "2026-03-31T00:00:00Z"}}, "item_outside_window"),
        ({"terms": {"channels": ["branch"]}}, "item_not_on_channel"),
        ({"budget": None}, "budget_missing"),
    ],
)
def test_an_item_that_the_campaign_could_not_keep_forbids_the_launch(
    changes: dict[str, Any], code: str
) -> None:
    assert codes(a_campaign(), [an_offer(**changes)]) == [code]


def test_an_item_that_is_not_in_the_catalogue_forbids_the_launch() -> None:
    assert codes(a_campaign(item_ids=("offer_1", "gone")), [an_offer()]) == ["item_unknown"]


def test_an_audience_below_the_minimum_or_no_model_forbids_the_launch() -> None:
    few = Projection(499, 500, None, None)

    assert codes(a_campaign(), [an_offer()], few) == ["audience_below_minimum"]
    assert codes(a_campaign(), [an_offer()], None) == ["model_missing"]


def test_money_is_held_against_what_is_expected_or_else_against_the_worst() -> None:
    budget = PushBudget(amount=Money(amount_minor=100_000, currency="CNY"))
    worst = Money(amount_minor=2_000_000, currency="CNY")
    plan, offer = a_campaign(budget=budget), [an_offer()]

    assert codes(plan, offer, Projection(1_000, 0, None, worst)) == ["budget_exceeded"]
    assert codes(plan, offer, Projection(1_000, 0, 50.0, worst)) == []
    assert codes(plan, offer, Projection(1_000, 0, 51.0, worst)) == ["budget_exceeded"]


def test_amounts_of_two_currencies_cannot_be_held_against_one_budget() -> None:
    budget = PushBudget(amount=Money(amount_minor=1, currency="EUR"))

    assert "mixed_currencies" in codes(a_campaign(budget=budget), [an_offer()])


def test_the_cost_of_a_redemption_is_its_cap_or_its_value() -> None:
    yuan = {"amount_minor": 5, "currency": "CNY"}
    percent = an_offer(reward={"type": "percent_discount", "rate_bps": 10, "max_value": yuan})
    open_ended = an_offer(reward={"type": "percent_discount", "rate_bps": 10})

    assert cost_of(an_offer()) == Money(amount_minor=2_000, currency="CNY")
    assert cost_of(percent) == Money(amount_minor=5, currency="CNY")
    assert cost_of(open_ended) is None


def test_campaigns_that_speak_of_one_item_at_one_time_are_named() -> None:
    live = a_campaign(campaign_id="c_2").launched(NOON)
    later = a_campaign(
        campaign_id="c_3",
        starts_at=datetime(2026, 4, 1, tzinfo=UTC),
        ends_at=datetime(2026, 5, 1, tzinfo=UTC),
    ).launched(NOON)
    others = [later, live, a_campaign(campaign_id="c_4"), a_campaign()]

    found = notices(a_campaign(), others, detectable=0.01, expected=0.02)

    assert found == (Finding(Notice.OVERLAP, "c_2"),)


def test_a_campaign_that_will_prove_nothing_is_warned_of() -> None:
    bare = notices(a_campaign(holdout_bps=0), (), detectable=None, expected=0.01)
    weak = notices(a_campaign(), (), detectable=0.02, expected=0.01)

    assert [finding.code for finding in (*bare, *weak)] == [Notice.NO_HOLDOUT, Notice.WEAK]


@given(st.lists(st.sampled_from(State), max_size=8))
def test_a_campaign_that_is_over_stays_over_and_every_move_counts(moves: list[State]) -> None:
    campaign = a_campaign()
    for move in moves:
        before = campaign
        try:
            campaign = campaign.moved(move, NOON)
        except ConflictError:
            assert move not in MOVES[before.state]
        else:
            assert campaign.revision == before.revision + 1
            assert before.state not in (State.ENDED, State.CANCELLED)


def test_a_refused_move_says_where_the_campaign_may_go() -> None:
    cancelled = a_campaign().moved(State.CANCELLED, NOON)

    with pytest.raises(ConflictError, match="nowhere; make a new campaign") as raised:
        cancelled.launched(NOON)
    assert raised.value.code == "wrong_state"
    with pytest.raises(ConflictError, match="a draft campaign can go to cancelled, live"):
        a_campaign().moved(State.PAUSED, NOON)


def test_the_clock_begins_and_ends_a_campaign_at_its_half_open_window() -> None:
    scheduled = a_campaign().launched(datetime(2026, 2, 1, tzinfo=UTC))
    just_before = scheduled.ends_at - timedelta(microseconds=1)

    assert scheduled.ticked(scheduled.starts_at).state is State.LIVE
    assert scheduled.ticked(just_before).may_send(just_before)
    assert scheduled.ticked(scheduled.ends_at).state is State.ENDED
    assert not scheduled.ticked(just_before).may_send(scheduled.ends_at)


def test_a_campaign_that_was_paused_still_counts_from_its_first_launch() -> None:
    later = NOON + timedelta(days=3)

    resumed = a_campaign().launched(NOON).moved(State.PAUSED, later).launched(later)

    assert resumed.state is State.LIVE
    assert resumed.moved_at[State.LIVE] == NOON


def test_a_launch_after_the_window_is_refused() -> None:
    with pytest.raises(ConflictError, match="ends_at has passed"):
        a_campaign().launched(datetime(2026, 4, 1, tzinfo=UTC))


def test_a_finding_points_at_its_item_or_its_field() -> None:
    found = [
        Finding(Blocker.ITEM_WINDOW, "pia_ref"),  # an item may bear the name of a field
        Finding(Blocker.NO_IMPACT_ASSESSMENT, "pia_ref"),
        Finding(Blocker.NO_BUDGET, "budget.amount"),
    ]

    assert [one.pointer(("a", "pia_ref")) for one in found] == [
        "/item_ids/1",
        "/pia_ref",
        "/budget/amount",
    ]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"item_ids": ()}, "/item_ids"),
        ({"item_ids": ("a", "a")}, "/item_ids"),
        ({"channel": Channel.BRANCH}, "/channel"),
        ({"ends_at": datetime(2026, 3, 1, tzinfo=UTC)}, "/ends_at"),
        ({"starts_at": datetime(2026, 3, 1)}, "/starts_at"),  # noqa: DTZ001
        ({"holdout_bps": 5_001}, "/holdout_bps"),
        ({"ends_at": datetime(9999, 12, 31, tzinfo=UTC)}, "/ends_at"),
        ({"starts_at": datetime(1, 1, 1, tzinfo=UTC)}, "/starts_at"),
        ({"ends_at": datetime(2027, 3, 3, tzinfo=UTC)}, "/ends_at"),
    ],
)
def test_what_is_no_campaign_is_refused_by_field(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidError) as raised:
        a_campaign(**changes)
    assert raised.value.pointer == pointer


def test_an_audience_or_budget_of_nobody_is_refused() -> None:
    with pytest.raises(InvalidError, match="must be") as nobody:
        Audience(size=0)
    with pytest.raises(InvalidError, match="at least 1") as nothing:
        PushBudget(pushes=0)

    assert (nobody.value.pointer, nothing.value.pointer) == ("/audience/size", "/budget/pushes")


@given(pushes=st.integers(1, 10**6), bps=st.integers(0, 5_000), per_item=st.integers(1, 10**6))
def test_both_arms_are_as_many_as_leave_the_pushes_that_are_allowed(
    pushes: int, bps: int, per_item: int
) -> None:
    campaign = a_campaign(holdout_bps=bps, budget=PushBudget(pushes=pushes, per_item=per_item))
    allowed = min(pushes, per_item * len(campaign.item_ids))

    meant = room(campaign, 10**9)

    assert 0 <= pushed_of(meant, bps) - allowed <= 1
    assert room(campaign, meant - 1) == meant - 1
