import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.interactions import EventType, TransactionStatus
from recsvc.domain.results.credit import (
    Conversion,
    Payment,
    Spending,
    Touch,
    Windows,
    credited,
    spending,
)

START = datetime(2026, 3, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def touch(kind: EventType, at: float, event_id: str = "t", campaign_id: str = "c_1") -> Touch:
    return Touch("ch", "offer", campaign_id, kind, day(at), event_id)


def redemption(at: float) -> Conversion:
    return Conversion("ch", "offer", day(at), "r")


def campaign_of(*touches: Touch, at: float = 40) -> str | None:
    owed = credited([redemption(at)], touches, Windows()).get("r")
    return owed.campaign_id if owed else None


@pytest.mark.parametrize(
    ("kind", "at", "earns"),
    [
        (EventType.VIEWED, 33.01, True),
        (EventType.VIEWED, 33, False),
        (EventType.CLICKED, 39, True),
        (EventType.ACTIVATED, 10.01, True),
        (EventType.ACTIVATED, 10, False),
        (EventType.SERVED, 39.9, False),
        (EventType.VIEWED, 40.01, False),
    ],
)
def test_a_view_waits_seven_days_an_activation_thirty(
    kind: EventType, at: float, earns: bool
) -> None:
    assert (campaign_of(touch(kind, at)) is not None) is earns


def test_the_last_touch_gets_all_of_it() -> None:
    first, last = (
        touch(EventType.ACTIVATED, 15, "a", "c_1"),
        touch(EventType.VIEWED, 39, "b", "c_2"),
    )

    assert campaign_of(first, last) == "c_2"
    assert campaign_of(last, first) == "c_2"


def test_of_two_touches_at_one_instant_the_activation_wins() -> None:
    assert (
        campaign_of(
            touch(EventType.VIEWED, 39, "z", "c_1"), touch(EventType.ACTIVATED, 39, "a", "c_2")
        )
        == "c_2"
    )


def test_a_touch_of_another_item_or_cardholder_earns_nothing() -> None:
    other = Touch("ch", "offer_2", "c_1", EventType.VIEWED, day(39), "t")
    stranger = Touch("ch_2", "offer", "c_1", EventType.VIEWED, day(39), "t")

    assert campaign_of(other, stranger) is None


kinds = st.sampled_from([EventType.VIEWED, EventType.CLICKED, EventType.ACTIVATED])
touches = st.lists(
    st.builds(touch, kinds, st.floats(0, 45), st.uuids().map(str), st.sampled_from("abc")),
    max_size=8,
)


@given(touches, st.randoms())
def test_F24_late_and_shuffled_and_repeated_events_give_the_same_credit(
    met: list[Touch], chance: random.Random
) -> None:
    shuffled = [*met, *met]
    chance.shuffle(shuffled)

    assert credited([redemption(40)], shuffled, Windows()) == credited(
        [redemption(40)], met, Windows()
    )


def payment(transaction_id: str, amount: int, status: str, at: float, who: str = "ch") -> Payment:
    return Payment(transaction_id, who, amount, TransactionStatus(status), day(at))


def spent(*payments: Payment) -> Spending:
    return spending(payments, day(0), day(30)).get("ch", Spending())


def test_a_purchase_approved_and_then_settled_counts_once_at_what_was_settled() -> None:
    assert spent(payment("t", 500, "approved", 1), payment("t", 480, "settled", 2)) == Spending(
        480, 1
    )


@pytest.mark.parametrize("status", ["returned", "reversed"])
def test_F24_a_refund_is_taken_back_whichever_comes_first(status: str) -> None:
    bought, refund = payment("t", 500, "settled", 1), payment("t", 500, status, 3)

    assert spent(bought, refund) == spent(refund, bought) == Spending(0, 0)


def test_a_part_returned_leaves_the_rest_and_the_visit() -> None:
    assert spent(payment("t", 500, "settled", 1), payment("t", 200, "returned", 3)) == Spending(
        300, 1
    )


def test_a_refund_after_the_window_is_taken_back_too() -> None:
    assert spent(payment("t", 500, "settled", 29), payment("t", 500, "returned", 45)) == Spending()


def test_a_return_under_its_own_id_takes_from_the_cardholder_and_never_below_nothing() -> None:
    bought, refund = payment("t", 500, "settled", 1), payment("u", 200, "returned", 3)

    assert spent(bought, refund) == Spending(300, 0)
    assert spent(refund) == Spending(0, 0)


def test_declines_and_purchases_outside_the_half_open_window_do_not_count() -> None:
    assert (
        spent(
            payment("a", 9, "declined", 1),
            payment("b", 9, "settled", 30),
            payment("c", 9, "settled", -1),
        )
        == Spending()
    )
    assert spent(payment("d", 9, "settled", 0)) == Spending(9, 1)


statuses = st.sampled_from([status.value for status in TransactionStatus])
events = st.lists(
    st.builds(payment, st.sampled_from("tuv"), st.integers(0, 900), statuses, st.integers(-5, 40)),
    max_size=10,
)


@given(events, st.permutations(range(20)))
def test_F24_duplicate_and_out_of_order_payments_converge(
    told: list[Payment], order: list[int]
) -> None:
    twice = [*told, *told]
    shuffled = [twice[place] for place in order if place < len(twice)]

    assert spending(shuffled, day(0), day(30)) == spending(told, day(0), day(30))


def test_windows_that_hold_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Windows(view=timedelta(0))
