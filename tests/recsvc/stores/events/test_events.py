"""Events are taken in once, and each batch tells whose uses may change."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from recsvc.domain.errors import StoreFullError
from recsvc.domain.lifecycle.offers import Concern
from recsvc.stores.assembly import Stores
from recsvc.stores.events.batch import Arrival
from recsvc.stores.events.intake import EventStore, Taken
from recsvc.stores.keys.cardholders import CARDHOLDER, UNSETTLED
from recsvc.stores.keys.events import EVENTS, EVENTS_SEEN
from recsvc.stores.keys.family import WEEK_SECONDS
from tests.happenings import an_event

WEEK_STARTS = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday: weeks are counted from 1970-01-01
COUNTED, NEW, KNOWN = Taken.ACCEPTED_AND_COUNTS, Taken.ACCEPTED, Taken.DUPLICATE


def an_arrival(event_id: str, kind: str = "viewed", cardholder_id: str = "ch_1") -> Arrival:
    record = an_event(kind, event_id)
    until = record.occurred_at + timedelta(days=7) if kind == "dismissed" else None
    return Arrival(cardholder_id, record, record.occurred_at, b"{}", until)


def fields_of(stores: Stores, cardholder_id: str = "ch_1") -> dict[bytes, bytes]:
    found: Any = stores.durable.ask(
        lambda store: store.hgetall(CARDHOLDER.key("demo", cardholder_id))
    )
    return dict(found)


def take(stores: Stores, *names: str, now: datetime = WEEK_STARTS, **fields: Any) -> list[Taken]:
    arrivals = [an_arrival(name, **fields) for name in names]
    return list(stores.events.take("demo", arrivals, now).answers)


def test_an_event_is_known_in_its_batch_in_the_next_and_for_five_weeks(stores: Stores) -> None:
    assert take(stores, "a", "b", "a") == [NEW, NEW, KNOWN]

    last = WEEK_STARTS + timedelta(weeks=6) - timedelta(seconds=1)
    for now in (WEEK_STARTS, WEEK_STARTS + timedelta(weeks=2), last):
        assert take(stores, "a", now=now, cardholder_id="ch_2") == [KNOWN]


def test_an_event_is_known_to_a_worker_whose_clock_is_in_the_week_before(stores: Stores) -> None:
    take(stores, "a", now=WEEK_STARTS)

    assert take(stores, "a", now=WEEK_STARTS - timedelta(seconds=1)) == [KNOWN]


def test_the_ids_of_a_week_live_as_long_as_they_are_asked_for_and_no_longer(
    stores: Stores,
) -> None:
    name = EVENTS_SEEN.key("demo", str(int(WEEK_STARTS.timestamp()) // WEEK_SECONDS))
    take(stores, "a")
    take(stores, "b", now=WEEK_STARTS + timedelta(days=6))

    left: Any = stores.durable.ask(lambda store: store.ttl(name))
    assert 6 * WEEK_SECONDS - 60 < left <= 6 * WEEK_SECONDS
    assert stores.durable.ask(lambda store: store.scard(name)) == 2


def test_an_event_still_kept_of_a_cardholder_is_known_however_old(stores: Stores) -> None:
    take(stores, "a")

    assert take(stores, "a", now=WEEK_STARTS + timedelta(weeks=30)) == [KNOWN]
    assert stores.durable.ask(lambda store: store.xlen(EVENTS.key("demo"))) == 1


def test_an_id_that_is_used_again_after_five_weeks_for_what_happened_then_is_another_event(
    stores: Stores,
) -> None:
    take(stores, "a")
    later = WEEK_STARTS + timedelta(weeks=12)
    record = an_event("viewed", "a")._replace(occurred_at=later)
    again = stores.events.take("demo", [Arrival("ch_1", record, later, b"{}")], later)
    (account,) = stores.ledger.accounts("demo", ["ch_1"])

    assert again.answers == (NEW,)
    assert [(one.event_id, one.occurred_at) for one in account.records] == [("a", later)]


def test_only_those_whose_uses_may_change_are_handed_back_and_marked(stores: Stores) -> None:
    arrivals = [
        an_arrival("v", cardholder_id="views"),
        an_arrival("t", cardholder_id="activates"),
        an_arrival("a", "activated", "activates"),
        an_arrival("n", cardholder_id="never_activated"),
        an_arrival("p", cardholder_id="pays"),
    ]
    lax = Concern.IF_ACTIVATED
    concerns = [Concern.NONE, Concern.NONE, Concern.ALWAYS, lax, Concern.ALWAYS]
    taken = stores.events.take("demo", arrivals, WEEK_STARTS, concerns)
    later = stores.events.take("demo", [an_arrival("x", "viewed", "activates")], WEEK_STARTS, [lax])
    marked: Any = stores.durable.ask(lambda store: store.zrange(UNSETTLED.key("demo"), 0, -1))

    assert taken.answers == (NEW, NEW, COUNTED, NEW, COUNTED)
    assert [one.cardholder_id for one in taken.accounts] == ["activates", "pays"]
    assert [len(one.records) for one in taken.accounts] == [2, 1]
    assert later.answers == (COUNTED,)
    assert {one.decode() for one in marked} == {"activates", "pays"}


def test_an_account_handed_back_is_the_account_that_is_read(stores: Stores) -> None:
    taken = stores.events.take("demo", [an_arrival("a")], WEEK_STARTS, [Concern.ALWAYS])

    assert taken.accounts == stores.ledger.accounts("demo", ["ch_1"])


def test_each_batch_that_changes_a_cardholder_gives_him_another_revision(stores: Stores) -> None:
    revisions = []
    for name, kind in (("a", "viewed"), ("b", "dismissed"), ("c", "activated"), ("c", "viewed")):
        take(stores, name, kind=kind)
        revisions.append(fields_of(stores)[b"rev"])

    assert [one != other for one, other in pairwise(revisions)] == [True, True, False]


def test_of_two_dismissals_at_one_instant_the_longer_stays_whatever_the_order_in_one_batch(
    stores: Stores,
) -> None:
    early, late = (an_event("dismissed", name) for name in ("early", "late"))
    untils = [early.occurred_at + timedelta(days=days) for days in (90, 7)]
    arrivals = [
        Arrival("ch_1", record, record.occurred_at, b"{}", until)
        for record, until in zip((early, late), untils, strict=True)
    ]
    stores.events.take("demo", arrivals, WEEK_STARTS)

    kept = stores.cardholders.state_of("demo", "ch_1").dismissals
    assert kept == {"offer_1": untils[0]}


def test_an_erased_cardholder_is_told_apart_within_a_batch(stores: Stores) -> None:
    field = stores.deny_list.hash_of("demo", "gone")
    stores.durable.ask(lambda store: store.hset("r1:{demo}:erased", field, "{}"))
    arrivals = [an_arrival("a", cardholder_id="gone"), an_arrival("b"), an_arrival("a")]

    assert stores.events.take("demo", arrivals, WEEK_STARTS).answers == (Taken.ERASED, NEW, NEW)
    assert fields_of(stores, "gone") == {}


def test_F27_above_the_longest_backlog_nothing_of_a_batch_is_taken(stores: Stores) -> None:
    small = EventStore(stores.durable, stores.deny_list, longest_backlog=2)
    small.take("demo", [an_arrival("a"), an_arrival("b")], WEEK_STARTS)

    with pytest.raises(StoreFullError):
        small.take("demo", [an_arrival("c")], WEEK_STARTS)
    assert take(stores, "c") == [NEW]
