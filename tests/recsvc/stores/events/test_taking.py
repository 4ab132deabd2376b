"""What a batch comes to is written in the stroke that takes it, or told to be settled."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embeddings.catalog import Catalog, parse_item
from recsvc.domain.lifecycle.offers import Concern
from recsvc.domain.model import ModelSlot
from recsvc.ledger.settling import Book, OfferBooks, Settler
from recsvc.stores.assembly import Stores
from recsvc.stores.events.batch import Arrival
from recsvc.stores.events.budget_sums import BudgetSums
from recsvc.stores.events.codec import KEPT_EVENTS
from recsvc.stores.events.intake import Intaken
from recsvc.stores.events.ledger import Account
from recsvc.stores.keys.cardholders import CARDHOLDER, UNSETTLED, USES_DUE
from tests.bundles import an_offer
from tests.happenings import NOON, a_payment, an_event


def a_book(places: int) -> Book:
    """An offer that wants activation and one that does not, of so many places; one without end."""
    limited = {"total": {"count": places}}
    return Book.of(
        Catalog.of(
            parse_item(document)
            for document in (
                an_offer("offer_1", budget=limited, terms={"requires_activation": True}),
                an_offer("paid", merchant_id="m_2", budget=limited),
                an_offer("free", merchant_id="m_3"),
            )
        )
    )


BOOK, AMPLE = a_book(3), a_book(100)
NOW = NOON + timedelta(hours=2)


def settler(stores: Stores) -> Settler:
    return Settler(stores.ledger, OfferBooks(ModelSlot()), lambda: NOW, UTC)


def paid(name: str, cardholder_id: str = "ch_1", merchant_id: str = "m_2") -> Arrival:
    record = a_payment(event_id=name, transaction_id=f"t_{name}", merchant_id=merchant_id)
    return Arrival(cardholder_id, record, record.occurred_at, b"{}")


def told(kind: str, name: str, cardholder_id: str = "ch_1", at: float = 0.0) -> Arrival:
    record = an_event(kind, name, at)
    return Arrival(cardholder_id, record, record.occurred_at, b"{}")


def concerns_of(arrivals: Sequence[Arrival]) -> list[Concern]:
    return [BOOK.concern(one.told) for one in arrivals]


def foresee(stores: Stores, arrivals: Sequence[Arrival]) -> list[Account]:
    return stores.events.foreseen("demo", arrivals, concerns_of(arrivals))


def take(
    stores: Stores,
    arrivals: Sequence[Arrival],
    foreseen: Sequence[Account] = (),
    book: Book = BOOK,
) -> Intaken:
    commits = settler(stores).commits_of(foreseen, book)
    return stores.events.take("demo", arrivals, NOW, concerns_of(arrivals), commits)


def waiting(stores: Stores) -> list[bytes]:
    found: Any = stores.durable.ask(lambda store: store.zrange(UNSETTLED.key("demo"), 0, -1))
    return list(found)


def counts(stores: Stores, *item_ids: str) -> list[int]:
    return [spent.count for spent in BudgetSums(stores.durable).totals("demo", item_ids)]


def uses_on_record(stores: Stores, cardholder_id: str = "ch_1") -> dict[str, int]:
    (account,) = stores.ledger.accounts("demo", [cardholder_id])
    return {item_id: len(uses) for item_id, uses in account.uses.items()}


def test_what_was_foreseen_is_written_with_the_events_and_nobody_waits(stores: Stores) -> None:
    arrivals = [paid("a"), told("activated", "b", "ch_2"), paid("c", "ch_3", "m_3")]
    taken = take(stores, arrivals, foresee(stores, arrivals))
    due: Any = stores.durable.ask(lambda store: store.zrange(USES_DUE.key("demo"), 0, -1))

    assert [answer.value for answer in taken.answers] == ["counts", "counts", "accepted"]
    assert (taken.accounts, waiting(stores)) == ((), [])
    assert counts(stores, "paid", "offer_1", "free") == [1, 1, 0]
    assert (uses_on_record(stores), uses_on_record(stores, "ch_2")) == ({"paid": 1}, {"offer_1": 1})
    assert due == [b"ch_2|offer_1"]


def test_who_changed_after_he_was_read_is_handed_back_with_all_his_events(stores: Stores) -> None:
    arrivals = [paid("a"), paid("b", "ch_2")]
    foreseen = foresee(stores, arrivals)
    take(stores, [told("viewed", "between")])
    taken = take(stores, arrivals, foreseen)

    assert [one.cardholder_id for one in taken.accounts] == ["ch_1"]
    assert {one.event_id for one in taken.accounts[0].records} == {"between", "a"}
    assert waiting(stores) == [b"ch_1"]
    assert (uses_on_record(stores), uses_on_record(stores, "ch_2")) == ({}, {"paid": 1})


def test_who_sent_one_event_again_is_handed_back_and_a_batch_sent_again_changes_nothing(
    stores: Stores,
) -> None:
    take(stores, [paid("a")], foresee(stores, [paid("a")]))
    both = [paid("a"), paid("b")]
    taken = take(stores, both, foresee(stores, both))
    again = take(stores, both, foresee(stores, both))

    assert [answer.value for answer in taken.answers] == ["duplicate", "counts"]
    assert [one.cardholder_id for one in taken.accounts] == ["ch_1"]
    assert ([answer.value for answer in again.answers], again.accounts) == (["duplicate"] * 2, ())
    assert counts(stores, "paid") == [1]


def test_an_erased_cardholder_takes_no_place_though_one_was_foreseen(stores: Stores) -> None:
    foreseen = foresee(stores, [paid("a"), paid("b", "ch_2")])
    gone = stores.deny_list.hash_of("demo", "ch_1")
    stores.durable.ask(lambda store: store.hset("r1:{demo}:erased", gone, "{}"))
    taken = take(stores, [paid("a"), paid("b", "ch_2")], foreseen)

    assert [answer.value for answer in taken.answers] == ["erased", "counts"]
    assert counts(stores, "paid") == [1]
    assert not stores.durable.ask(lambda store: store.exists(CARDHOLDER.key("demo", "ch_1")))


def test_of_a_batch_no_more_uses_are_written_than_the_budget_has_room_for(stores: Stores) -> None:
    arrivals = [paid(f"e{n}", f"ch_{n}") for n in range(5)]
    take(stores, arrivals, foresee(stores, arrivals))
    kinds = [
        use.kind.value
        for account in stores.ledger.accounts("demo", [f"ch_{n}" for n in range(5)])
        for use in account.uses["paid"]
    ]

    assert (counts(stores, "paid"), kinds) == ([3], ["r", "r", "r", "x", "x"])
    assert stores.ledger.exhausted("demo", NOW) == {"paid"}


def test_who_told_first_of_a_batch_finds_room_first(stores: Stores) -> None:
    arrivals = [told("viewed", "v"), told("activated", "b", "ch_2")]
    arrivals += [told("redeemed", f"r{n}") for n in range(3)]
    take(stores, arrivals, foresee(stores, arrivals))
    (other,) = stores.ledger.accounts("demo", ["ch_2"])

    assert counts(stores, "offer_1") == [3]
    assert [use.kind.value for use in other.uses["offer_1"]] == ["x"]


def test_those_whom_nothing_may_concern_are_not_read(stores: Stores) -> None:
    take(stores, [told("activated", "x", "ch_2")])
    arrivals = [
        told("viewed", "a"),
        paid("b", "ch_2", "m_0"),
        paid("c", "ch_3", "m_0"),
        paid("d", "ch_4", "m_3"),
    ]

    assert [one.cardholder_id for one in foresee(stores, arrivals)] == ["ch_2"]


happenings = st.lists(
    st.tuples(
        st.sampled_from(("viewed", "served", "dismissed", "activated", "redeemed", "m_2", "m_3")),
        st.sampled_from(("ch_1", "ch_2")),
        st.integers(0, 9),
    ),
    max_size=8,
)


def arrival(kind: str, cardholder_id: str, number: int) -> Arrival:
    name = f"{kind}-{number}"
    if kind.startswith("m_"):
        return paid(name, cardholder_id, kind)
    return told(kind, name, cardholder_id)


@given(happenings, happenings)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_one_stroke_leaves_what_taking_first_and_settling_then_leaves(
    stores: Stores, before: list[tuple[str, str, int]], then: list[tuple[str, str, int]]
) -> None:
    left = []
    for is_foreseen in (True, False):
        stores.durable.ask(lambda store: store.flushdb())
        stores.events.take("demo", [arrival(*one) for one in before], NOW)
        arrivals = [arrival(*one) for one in then]
        taken = take(stores, arrivals, foresee(stores, arrivals) if is_foreseen else (), AMPLE)
        stores.ledger.commit("demo", settler(stores).commits_of(taken.accounts, AMPLE))
        left.append((taken.answers, state_of(stores)))

    assert left[0] == left[1]


def state_of(stores: Stores) -> object:
    """All that is on record of both, without positions in the stream."""
    accounts = stores.ledger.accounts("demo", ["ch_1", "ch_2"])
    due: Any = stores.durable.ask(
        lambda store: store.zrange(USES_DUE.key("demo"), 0, -1, withscores=True)
    )
    return (
        [(one.uses, sorted((r.event_id, r.occurred_at) for r in one.records)) for one in accounts],
        BudgetSums(stores.durable).totals("demo", ["offer_1", "paid", "free"]),
        waiting(stores),
        due,
    )


@pytest.mark.parametrize("kept", [3, KEPT_EVENTS - 1, KEPT_EVENTS + 50])
def test_an_account_is_foreseen_as_it_is_read_afterwards(stores: Stores, kept: int) -> None:
    before = [told("viewed", f"v{n}", at=n / 10) for n in range(kept)]
    stores.events.take("demo", before, NOW)
    arrivals = [paid("a"), paid("b")]
    (foreseen,) = foresee(stores, arrivals)
    take(stores, arrivals)
    (read,) = stores.ledger.accounts("demo", ["ch_1"])

    assert {r.event_id for r in foreseen.records} == {r.event_id for r in read.records}
    assert len(foreseen.records) == min(kept + 2, KEPT_EVENTS)


def test_what_is_kept_of_a_cardholder_stays_bounded_though_each_batch_tells_of_many(
    stores: Stores,
) -> None:
    for batch in range(60):
        now = NOW + timedelta(milliseconds=batch)
        arrivals = [told("viewed", f"v{batch}-{n}") for n in range(10)]
        crowd = [told("viewed", f"c{batch}-{n}", f"crowd_{n}") for n in range(20)]
        stores.events.take("demo", [*crowd, *arrivals], now)
    size = stores.durable.ask(lambda store: store.hlen(CARDHOLDER.key("demo", "ch_1")))

    assert KEPT_EVENTS <= size <= 2 * KEPT_EVENTS + 8 * 10
