"""Each reason against an item, one at a time, and none when nothing speaks against it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from embeddings.catalog import Channel, ItemKind, Period, parse_item
from recsvc.domain.cardholder import Activation, DayUse, HeldProduct, ItemUse
from recsvc.domain.eligibility import Circumstances, Refusal, judge
from recsvc.domain.eligibility.refusal import MEANING
from recsvc.domain.moment import BEFORE_ALL, Moment, day_number, period_start
from tests.bundles import a_benefit, an_offer
from tests.worlds import CLASSIC, GOLD, NOW, held

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = day_number(NOW.astimezone(ZONE).date())
USED_TODAY = ItemUse(uses=(DayUse(TODAY, 1, 300),))


def against(document: dict[str, Any], **changes: Any) -> tuple[Refusal, ...]:
    facts = {
        name: changes.pop(name)
        for name in ("last_purchase_day", "exhausted", "active_groups")
        if name in changes
    }
    at = changes.pop("at", NOW)
    given = {"sees_segments": True, "sees_history": True, **changes}
    return judge(parse_item(document), Circumstances(moment=Moment.of(at, ZONE), **given), **facts)


def with_terms(**terms: Any) -> dict[str, Any]:
    return an_offer(terms=terms)


REFUSED: list[tuple[Refusal, dict[str, Any], dict[str, Any]]] = [
    (Refusal.NOT_LIVE, an_offer(state="draft"), {}),
    (Refusal.PAUSED, an_offer(state="paused"), {}),
    (Refusal.NOT_STARTED, with_terms(starts_at="2026-02-04T04:00:01Z"), {}),
    (Refusal.ENDED, with_terms(ends_at="2026-02-04T04:00:00Z"), {}),
    (Refusal.CARD_PRODUCT, with_terms(card_products=["travel"]), {"profile": held(CLASSIC)}),
    (Refusal.TIER, with_terms(tiers=["gold"]), {"profile": held(CLASSIC)}),
    (Refusal.CITY, with_terms(cities=["Beijing"]), {"profile": held(city="Shanghai")}),
    (Refusal.CITY, with_terms(cities=["Beijing"]), {}),
    (Refusal.SEGMENT, with_terms(segments=["vip"]), {}),
    (Refusal.CHANNEL, with_terms(channels=["web"]), {"channel": Channel.PUSH}),
    (Refusal.DAY_OF_WEEK, with_terms(days_of_week=[1, 2, 4, 5, 6, 7]), {}),
    (Refusal.CUSTOMER_RECENCY, with_terms(customer_recency={"max_days": 30}), {}),
    (
        Refusal.CUSTOMER_RECENCY,
        with_terms(customer_recency={"min_days": 90}),
        {"last_purchase_day": TODAY - 89},
    ),
    (
        Refusal.PERSONALISATION_REQUIRED,
        with_terms(customer_recency={"min_days": 90}),
        {"sees_history": False},
    ),
    (
        Refusal.PERSONALISATION_REQUIRED,
        with_terms(segments=["vip"]),
        {"sees_segments": False, "profile": held(segments=["vip"])},
    ),
    (Refusal.BUDGET_EXHAUSTED, an_offer(), {"exhausted": True}),
    (
        Refusal.CAP_REACHED,
        an_offer(budget={"per_cardholder": {"count": 1}}),
        {"uses": {"offer_1": USED_TODAY}},
    ),
    (
        Refusal.CAP_REACHED,
        an_offer(budget={"per_cardholder": {"amount": {"amount_minor": 300, "currency": "CNY"}}}),
        {"uses": {"offer_1": USED_TODAY}},
    ),
    (  # one unit less is left than the next use earns
        Refusal.CAP_REACHED,
        an_offer(budget={"per_cardholder": {"amount": {"amount_minor": 2299, "currency": "CNY"}}}),
        {"uses": {"offer_1": USED_TODAY}},
    ),
    (
        Refusal.QUOTA_USED,
        a_benefit("offer_1", quota={"count": 1, "period": "day"}),
        {"uses": {"offer_1": USED_TODAY}},
    ),
    (Refusal.EXCLUSIVE_GROUP, with_terms(exclusive_group="g"), {"active_groups": {"g"}}),
    (Refusal.DISMISSED, an_offer(), {"dismissals": {"offer_1": NOW + timedelta(seconds=1)}}),
    (Refusal.EXCLUDED, an_offer(), {"exclude": frozenset({"offer_1"})}),
    (Refusal.KIND, an_offer(), {"kinds": frozenset({ItemKind.BENEFIT})}),
    (Refusal.CATEGORY, an_offer(), {"category": "travel"}),
]


@pytest.mark.parametrize(("refusal", "document", "changes"), REFUSED)
def test_each_reason_is_given_alone(
    refusal: Refusal, document: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert against(document, **changes) == (refusal,)


ADMITTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (an_offer(), {}),
    (with_terms(starts_at="2026-02-04T04:00:00Z"), {}),
    (with_terms(ends_at="2026-02-04T04:00:00.000001Z"), {}),
    (with_terms(card_products=["travel"], tiers=["gold"]), {"profile": held(CLASSIC, GOLD)}),
    (with_terms(cities=["Beijing"]), {"profile": held(city="Beijing")}),
    (with_terms(segments=["vip"]), {"profile": held(segments=["vip", "new"])}),
    (with_terms(channels=["web"]), {}),
    (with_terms(days_of_week=[3]), {}),
    (with_terms(customer_recency={"min_days": 90}), {}),
    (with_terms(customer_recency={"min_days": 90}), {"last_purchase_day": TODAY - 90}),
    (with_terms(customer_recency={"max_days": 30}), {"last_purchase_day": TODAY - 30}),
    (with_terms(exclusive_group="g"), {"active_groups": {"h"}}),
    (an_offer(), {"dismissals": {"offer_1": NOW}}),
    (
        an_offer(budget={"per_cardholder": {"count": 1, "period": "day"}}),
        {"uses": {"offer_1": ItemUse(uses=(DayUse(TODAY - 1, 5),))}},
    ),
    (
        an_offer(budget={"per_cardholder": {"amount": {"amount_minor": 2300, "currency": "CNY"}}}),
        {"uses": {"offer_1": USED_TODAY}},
    ),
    (an_offer(), {"uses": {"offer_1": USED_TODAY}}),
]


@pytest.mark.parametrize(("document", "changes"), ADMITTED)
def test_nothing_speaks_against_who_meets_the_terms(
    document: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert against(document, **changes) == ()


def test_all_reasons_are_told_in_the_order_of_the_enum() -> None:
    document = an_offer(state="paused", terms={"ends_at": "2026-01-01T00:00:00Z", "tiers": ["x"]})

    refusals = against(document, category="travel")

    assert refusals == (Refusal.PAUSED, Refusal.ENDED, Refusal.TIER, Refusal.CATEGORY)


def test_a_product_of_one_card_and_a_tier_of_another_do_not_add_up() -> None:
    document = with_terms(card_products=["travel"], tiers=["gold"])
    cards = held(HeldProduct("travel", "classic"), HeldProduct("everyday", "gold"))

    assert against(document, profile=cards) == (Refusal.TIER,)


def test_an_offer_that_ends_at_midnight_is_not_shown_at_midnight() -> None:
    document = with_terms(ends_at="2026-02-05T00:00:00+08:00")
    midnight = datetime(2026, 2, 4, 16, 0, tzinfo=UTC)

    assert against(document, at=midnight - timedelta(microseconds=1)) == ()
    assert against(document, at=midnight) == (Refusal.ENDED,)


def test_friday_begins_at_midnight_of_the_issuers_zone() -> None:
    document = with_terms(days_of_week=[5])
    midnight = datetime(2026, 2, 5, 16, 0, tzinfo=UTC)  # Friday, 6 February in Shanghai

    assert against(document, at=midnight - timedelta(seconds=1)) == (Refusal.DAY_OF_WEEK,)
    assert against(document, at=midnight) == ()


def test_a_monthly_quota_is_free_again_on_the_first_of_the_issuers_zone() -> None:
    document = a_benefit(quota={"count": 1, "period": "month"})
    uses = {"benefit_1": ItemUse(Activation.REDEEMED, (DayUse(day_number(date(2026, 2, 4)), 1),))}
    march = datetime(2026, 2, 28, 16, 0, tzinfo=UTC)

    assert against(document, uses=uses, at=march - timedelta(seconds=1)) == (Refusal.QUOTA_USED,)
    assert against(document, uses=uses, at=march) == ()


@pytest.mark.parametrize(
    ("period", "first"),
    [
        (Period.DAY, date(2026, 2, 4)),
        (Period.WEEK, date(2026, 2, 2)),
        (Period.MONTH, date(2026, 2, 1)),
        (Period.YEAR, date(2026, 1, 1)),
    ],
)
def test_a_period_begins_with_its_first_day(period: Period, first: date) -> None:
    assert period_start(period, date(2026, 2, 4)) == day_number(first)
    assert period_start(period, first) == day_number(first)


def test_the_whole_time_has_no_beginning() -> None:
    assert period_start(Period.TOTAL, date(1970, 1, 1)) == BEFORE_ALL


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        Moment.of(datetime(2026, 2, 4), ZONE)  # noqa: DTZ001 - the claim is about this very value


def test_every_reason_has_a_meaning_for_the_documentation() -> None:
    assert set(MEANING) == set(Refusal)
