"""Uses of an item follow from the set of events."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from embeddings.catalog import parse_item
from recsvc.domain.cardholder import HeldProduct, Profile
from recsvc.domain.lifecycle import (
    EventRecord,
    Past,
    Use,
    UseKind,
    uses_of,
)
from recsvc.domain.lifecycle.savings import Savings
from recsvc.domain.lifecycle.uses import UNCOUNTED
from tests.bundles import a_benefit, an_offer
from tests.happenings import NOON, a_payment, an_event

LATER = NOON + timedelta(days=2)


def an_item(**changes: Any) -> Any:
    return parse_item(an_offer(**{"terms": {"requires_activation": True}, **changes}))


def standing(
    records: Sequence[EventRecord],
    item: Any = None,
    now: datetime = LATER,
    recorded: Sequence[Use] = (),
    profile: Profile = Profile(),  # noqa: B008 - frozen
) -> tuple[Use, ...]:
    return uses_of(item or an_item(), profile, Past.of(records), now, zone=UTC, recorded=recorded)


def kinds(uses: Sequence[Use]) -> list[str]:
    return [use.kind.name for use in uses]


def test_an_activation_keeps_a_place_of_the_most_it_can_earn() -> None:
    (held,) = standing([an_event("activated")])

    assert (held.kind, held.amount_minor, held.until) == (
        UseKind.HELD,
        2000,
        NOON + timedelta(days=30),
    )


def test_an_approval_qualifies_and_its_settlement_redeems_the_same_use() -> None:
    approved = [an_event("activated"), a_payment("approved")]

    assert kinds(standing(approved)) == ["QUALIFIED"]
    assert kinds(standing([*approved, a_payment("settled", at=20)])) == ["REDEEMED"]


def test_a_purchase_below_the_least_spend_leaves_the_activation_open() -> None:
    assert kinds(standing([an_event("activated"), a_payment(amount_minor=9_999)])) == ["HELD"]


def test_a_purchase_without_activation_earns_nothing_of_an_offer_that_needs_one() -> None:
    assert standing([a_payment()]) == ()


def test_an_offer_without_activation_is_earned_by_paying() -> None:
    (use,) = standing([a_payment()], an_item(terms={}))

    assert (use.kind, use.use_id, use.amount_minor) == (UseKind.REDEEMED, "t~tx_1", 2000)


def test_a_purchase_at_the_end_of_the_window_earns_nothing() -> None:
    at_the_end = an_item(terms={"ends_at": (NOON + timedelta(hours=1)).isoformat()})

    assert standing([a_payment(at=1.0)], at_the_end) == ()
    assert len(standing([a_payment(at=0.999)], at_the_end)) == 1


def test_a_reversal_brings_the_activation_back() -> None:
    records = [an_event("activated"), a_payment(), a_payment("reversed", at=3)]

    assert kinds(standing(records)) == ["HELD"]


def test_a_partial_return_below_the_least_spend_undoes_the_redemption() -> None:
    kept = [a_payment(), a_payment("returned", at=3, amount_minor=10_000)]
    undone = [*kept, a_payment("returned", at=4, amount_minor=1)]

    assert kinds(standing(kept, an_item(terms={}))) == ["REDEEMED"]
    assert standing(undone, an_item(terms={})) == ()


def test_an_approval_that_is_never_settled_lapses_and_a_late_settlement_reopens_it() -> None:
    records, after = [a_payment("approved")], NOON + timedelta(days=11)
    item = an_item(terms={})

    assert standing(records, item, after) == ()
    assert kinds(standing([*records, a_payment("settled", at=300)], item, after)) == ["REDEEMED"]


def test_a_return_in_another_currency_takes_off_nothing() -> None:
    odd = a_payment("returned", at=3, amount_minor=19_999, currency="JPY")

    assert kinds(standing([a_payment(), odd], an_item(terms={}))) == ["REDEEMED"]
    assert kinds(standing([a_payment(), a_payment("reversed", at=3, currency="JPY")])) == []


def test_a_redemption_that_came_before_its_activation_is_one_use() -> None:
    """F24: redemption before activation."""
    redeemed = an_event("redeemed", at=1)

    assert kinds(standing([redeemed])) == ["REDEEMED"]
    assert kinds(standing([redeemed, an_event("activated", at=0)])) == ["REDEEMED"]
    assert kinds(standing([redeemed, an_event("activated", at=1.05)])) == ["REDEEMED"]


def test_a_redemption_and_the_transaction_it_names_are_one_use() -> None:
    payment = a_payment()
    redeemed = an_event("redeemed", at=2, transaction=payment.transaction)

    assert kinds(standing([an_event("activated"), payment, redeemed])) == ["REDEEMED"]


def test_a_use_beyond_his_own_cap_counts_for_nothing() -> None:
    item = an_item(terms={}, budget={"per_cardholder": {"count": 1, "period": "month"}})
    uses = standing([a_payment(), a_payment(transaction_id="tx_2", at=5)], item)

    assert kinds(uses) == ["REDEEMED", "CAPPED"]


def a_rate(**more: Any) -> dict[str, Any]:
    return {"type": "cashback_percent", "rate_bps": 1000, **more}


def with_a_limit_of(minor: int, **changes: Any) -> Any:
    limit = {"amount": {"amount_minor": minor, "currency": "CNY"}, "period": "month"}
    return an_item(terms={}, budget={"per_cardholder": limit}, **changes)


def test_his_own_limit_in_money_is_never_passed() -> None:
    records = [a_payment(), a_payment(transaction_id="tx_2", at=5)]
    uses = standing(records, with_a_limit_of(3999))

    assert [(use.kind.name, use.amount_minor) for use in uses] == [
        ("REDEEMED", 2000),
        ("CAPPED", 0),
    ]
    assert kinds(standing(records, with_a_limit_of(4000))) == ["REDEEMED", "REDEEMED"]


def test_of_a_rate_the_rest_of_his_limit_is_given() -> None:
    capped = a_rate(max_value={"amount_minor": 9000, "currency": "CNY"})
    records = [a_payment(transaction_id=f"tx_{n}", at=n, amount_minor=20_000) for n in (1, 2, 3)]
    uses = standing(records, with_a_limit_of(3000, reward=capped))

    assert [use.amount_minor for use in uses] == [2000, 1000, 0]
    assert kinds(uses) == ["REDEEMED", "REDEEMED", "CAPPED"]


def test_a_rate_that_names_money_is_of_purchases_in_its_currency() -> None:
    capped = an_item(terms={}, reward=a_rate(max_value={"amount_minor": 9000, "currency": "CNY"}))

    assert standing([a_payment(currency="JPY")], capped) == ()
    (told,) = standing([a_told(a_payment(currency="JPY"))], capped)
    assert (told.amount_minor, told.currency) == (0, "CNY")


def a_told(payment: EventRecord) -> EventRecord:
    """The redemption that names a payment."""
    return an_event("redeemed", at=2, transaction=payment.transaction)


def test_a_bare_rate_earns_in_the_currency_of_each_purchase() -> None:
    records = [
        a_payment(transaction_id="tx_1", amount_minor=30_000),
        a_payment(transaction_id="tx_2", at=5, amount_minor=500, currency="JPY"),
    ]
    uses = standing(records, an_item(terms={}, reward=a_rate()))
    savings = Savings.of({"offer_1": uses})

    assert [(use.amount_minor, use.currency) for use in uses] == [(3000, "CNY"), (50, "JPY")]
    assert savings.saved == {"CNY": 3000, "JPY": 50}
    assert [(one.uses, one.amount_minor, one.currency) for one in savings.items] == [
        (1, 3000, "CNY"),
        (1, 50, "JPY"),
    ]


def test_a_benefit_is_used_by_being_redeemed_and_never_by_paying() -> None:
    lounge = parse_item(a_benefit(mccs=["5812"]))
    records = [a_payment(), an_event("redeemed", item_id="benefit_1")]

    assert [use.use_id for use in standing(records, lounge)] == ["e~redeemed-0.0"]


def test_one_held_card_must_be_of_product_and_tier() -> None:
    item = an_item(terms={"card_products": ["p1"], "tiers": ["gold"]})
    halves = Profile((HeldProduct("p1", "classic"), HeldProduct("p2", "gold")))

    assert standing([a_payment()], item, profile=halves) == ()
    assert len(standing([a_payment()], item, profile=Profile((HeldProduct("p1", "gold"),)))) == 1


def test_what_was_earned_under_an_earlier_profile_stays_earned() -> None:
    item = an_item(terms={"tiers": ["gold"]})
    earned = standing([a_payment()], item, profile=Profile((HeldProduct("p", "gold"),)))

    assert standing([a_payment()], item, recorded=earned) == earned


def test_a_use_whose_events_are_gone_stays_until_it_is_reversed() -> None:
    item = an_item(terms={})
    earned = standing([a_payment()], item)

    assert standing([], item, recorded=earned) == earned
    assert standing([a_payment("reversed", at=9)], item, recorded=earned) == ()


def test_an_activation_whose_event_is_gone_stays_open_until_it_lapses() -> None:
    held = standing([an_event("activated")])
    bought = standing([a_payment(at=30)], recorded=held)

    assert standing([], recorded=held) == held
    assert standing([], recorded=held, now=NOON + timedelta(days=30)) == ()
    assert [(use.use_id, use.kind.name) for use in bought] == [(held[0].use_id, "REDEEMED")]


def test_what_was_earned_stays_when_only_the_activations_event_is_gone() -> None:
    activated, bought = an_event("activated"), a_payment("approved", at=2)
    earned = standing([activated, bought])
    settled = standing([bought, a_payment(at=40)], recorded=earned)

    assert standing([bought], recorded=earned) == earned
    assert [(use.use_id, use.kind.name) for use in settled] == [(earned[0].use_id, "REDEEMED")]
    assert kinds(standing([bought, a_payment("reversed", at=9)], recorded=earned)) == ["HELD"]


def test_a_redemption_counts_once_when_only_its_activations_event_is_gone() -> None:
    activated, redeemed = an_event("activated"), an_event("redeemed", at=1)
    earned = standing([activated, redeemed])
    another = an_event("redeemed", at=3)

    assert standing([redeemed], recorded=earned) == earned
    assert standing([activated], recorded=earned) == earned
    assert standing([], recorded=earned) == earned
    assert len(standing([another], recorded=earned)) == 2


def test_an_approval_whose_event_is_gone_lapses_like_any_other() -> None:
    item = an_item(terms={})
    approved = standing([a_payment("approved")], item)

    assert standing([], item, recorded=approved) == approved
    assert standing([], item, NOON + timedelta(days=11), recorded=approved) == ()


STATUSES = ("approved", "settled", "reversed", "returned", "declined")
EVENTS = st.lists(
    st.one_of(
        st.builds(
            lambda status, n, at, amount: a_payment(
                status, f"tx_{n}", float(at), amount, event_id=f"{status}{n}{at}{amount}"
            ),
            st.sampled_from(STATUSES),
            st.integers(1, 3),
            st.integers(-30, 30),
            st.sampled_from((5_000, 10_000, 20_000)),
        ),
        st.builds(
            lambda kind, at: an_event(kind, at=float(at)),
            st.sampled_from(("activated", "redeemed", "viewed", "clicked")),
            st.integers(-30, 30),
        ),
    ),
    max_size=10,
    unique_by=lambda record: record.event_id,
)
ITEMS = st.sampled_from(
    (
        an_item(),
        an_item(terms={}),
        an_item(budget={"per_cardholder": {"count": 2, "period": "day"}}),
    )
)


@given(EVENTS, ITEMS, st.randoms())
@settings(max_examples=150, deadline=None)
def test_F24_any_order_of_arrival_comes_to_the_same_uses(
    records: list[EventRecord], item: Any, chance: Any
) -> None:
    arrivals = [*records, *chance.sample(records, len(records) // 2)]
    chance.shuffle(arrivals)
    recorded: tuple[Use, ...] = ()
    seen: dict[str, EventRecord] = {}
    for record in arrivals:
        seen[record.event_id] = record
        recorded = standing(list(seen.values()), item, recorded=recorded)

    assert recorded == standing(records, item)


@given(EVENTS, st.integers(0, 10), st.sampled_from((an_item(), an_item(terms={}))))
@settings(max_examples=150, deadline=None)
def test_forgetting_the_oldest_events_takes_nothing_that_is_on_record(
    records: list[EventRecord], forgotten: int, item: Any
) -> None:
    ordered = sorted(records, key=lambda record: record.order)
    recorded = standing(ordered, item)
    kept = ordered[forgotten:]
    assume(not named_in(kept) & named_in(ordered[:forgotten]))  # no transaction is torn

    assert standing(kept, item, recorded=recorded) == recorded


def named_in(records: Sequence[EventRecord]) -> set[str]:
    return {record.transaction.transaction_id for record in records if record.transaction}


@given(EVENTS, st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_nobody_has_more_uses_than_his_cap(records: list[EventRecord], cap: int) -> None:
    item = an_item(terms={}, budget={"per_cardholder": {"count": cap, "period": "total"}})
    counted = [u for u in standing(records, item) if u.kind not in UNCOUNTED]

    assert len(counted) <= cap
