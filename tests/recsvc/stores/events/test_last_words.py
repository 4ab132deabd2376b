"""Of what he did with an item the last counts, in whatever order and however often it is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsvc.domain.lifecycle.dismissals import FOR_LONG, FOR_NOW, dismissed_until
from recsvc.domain.lifecycle.offers import Concern
from recsvc.stores.assembly import Stores
from recsvc.stores.events.batch import Arrival
from recsvc.stores.events.codec import dismissals_of, encode_word, words_at
from recsvc.stores.keys.cardholders import CARDHOLDER
from tests.happenings import NOON, an_event

NOW = NOON + timedelta(hours=1)
ITEM = "offer_1"
LASTS = {"dismissed": FOR_LONG, "not_now": FOR_NOW}
KINDS = ("dismissed", "not_now", "activated", "redeemed", "viewed")
Deed = tuple[str, int]

deeds = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 3)), max_size=7)


def an_arrival(deed: Deed) -> Arrival:
    kind, minute = deed
    name = kind if kind not in LASTS else "dismissed"
    record = an_event(name, f"{kind}-{minute}", minute / 60)
    reason = "not_now" if kind == "not_now" else None
    until = dismissed_until(record.occurred_at, reason) if kind in LASTS else None
    return Arrival("ch_1", record, record.occurred_at, b"{}", until)


def on_paper(told: list[Deed]) -> dict[str, datetime]:
    """Until when the item stays away, as one would note it: the last line, if that dismisses."""
    lines = [(minute, LASTS.get(kind, timedelta.max)) for kind, minute in told if kind != "viewed"]
    minute, lasts = max(lines, default=(0, timedelta.max))
    return {} if lasts == timedelta.max else {ITEM: NOON + timedelta(minutes=minute) + lasts}


def take(stores: Stores, batches: list[list[Deed]], concern: Concern) -> dict[str, datetime]:
    """What is dismissed once the batches are taken in by an empty store."""
    stores.durable.ask(lambda store: store.flushdb())
    for batch in batches:
        arrivals = [an_arrival(deed) for deed in batch]
        stores.events.take("demo", arrivals, NOW, [concern] * len(arrivals))
    return dict(stores.cardholders.state_of("demo", "ch_1").dismissals)


@given(told=deeds, concern=st.sampled_from((Concern.NONE, Concern.ALWAYS)), data=st.data())
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_F24_the_last_of_his_deeds_counts_in_whatever_order_and_however_often_told(
    stores: Stores, told: list[Deed], concern: Concern, data: st.DataObject
) -> None:
    again = data.draw(st.permutations(told + told[:2]))
    cut = data.draw(st.integers(0, len(again)))

    assert take(stores, [again[:cut], again[cut:]], concern) == on_paper(told)


def test_what_he_did_with_one_item_says_nothing_of_another_or_of_somebody_else(
    stores: Stores,
) -> None:
    dismissed = an_arrival(("dismissed", 0))
    others = [
        Arrival("ch_1", an_event("activated", "other", 1, item_id="offer_2"), NOW, b"{}"),
        Arrival("ch_2", an_event("activated", "his", 1), NOW, b"{}"),
    ]
    stores.events.take("demo", [dismissed, *others], NOW)

    assert stores.cardholders.state_of("demo", "ch_1").dismissals == {ITEM: NOON + FOR_LONG}


def test_an_erased_cardholder_leaves_no_word(stores: Stores) -> None:
    hashed = stores.deny_list.hash_of("demo", "ch_1")
    stores.durable.ask(lambda store: store.hset("r1:{demo}:erased", hashed, "{}"))
    stores.events.take("demo", [an_arrival(("activated", 1))], NOW)

    assert not stores.durable.ask(lambda store: store.exists(CARDHOLDER.key("demo", "ch_1")))


def test_a_dismissal_that_was_kept_without_its_instant_holds_until_he_says_more(
    stores: Stores,
) -> None:
    until = NOW + timedelta(days=1)
    value = str(int(until.timestamp() * 1e6))
    name = CARDHOLDER.key("demo", "ch_1")
    stores.durable.ask(lambda store: store.hset(name, f"d:{ITEM}", value))
    before = stores.cardholders.state_of("demo", "ch_1").dismissals
    stores.events.take("demo", [an_arrival(("activated", 1))], NOW)

    assert before == {ITEM: until}
    assert stores.cardholders.state_of("demo", "ch_1").dismissals == {}


instants = st.datetimes(datetime(1960, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(words=st.dictionaries(st.sampled_from("abc"), st.tuples(instants, st.none() | instants)))
def test_a_word_is_read_as_it_was_written(words: dict[str, Any]) -> None:
    fields = {f"d:{item}".encode(): encode_word(*word).encode() for item, word in words.items()}

    assert dismissals_of(fields) == {item: until for item, (_, until) in words.items() if until}
    assert words_at(fields) == {item: at for item, (at, _) in words.items()}
