"""A batch looked at as a whole is what its events are when each is looked at by itself."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embeddings.identifying import MANY_DIGITS
from recsvc.api.event_bodies import EventBatch, EventBody, Refused, _event_or_refused
from recsvc.api.http.json_text import has_keys_once, read_json
from recsvc.api.http.problems import ProblemError
from recsvc.api.http.screening import found_in_value, may_hold_numbers

PANS = (
    "4111111111111111",
    "4111 1111-1111.1111",
    "４１１１１１１１１１１１１１１１",
    "4111111111111112",
)
NUMBERS = (*PANS, "11010519491231002X", "13812345678", "1769860800123", "2026-01-31T12:00:00Z")

digits = st.text(st.sampled_from("0123456789٣４"), max_size=20)
gaps = st.text(st.sampled_from(" .-\u00a0\u200b\u2013:_x上"), max_size=4)
texts = st.lists(st.one_of(digits, gaps, st.sampled_from(NUMBERS))).map("".join)
names = st.one_of(st.from_regex(r"[A-Za-z0-9._~-]{1,24}", fullmatch=True), texts)
instants = st.sampled_from(
    ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456+08:00", "2026-01-31T12:00:00", 17, "x")
)
payments = st.fixed_dictionaries(
    {
        "transaction_id": names,
        "merchant_id": names,
        "amount": st.fixed_dictionaries(
            {
                "amount_minor": st.one_of(st.integers(-1, 10**16), st.floats(0, 9)),
                "currency": st.sampled_from(("CNY", "cny", ":")),
            }
        ),
        "status": st.sampled_from(("settled", "approved", "lost")),
    },
    optional={"mcc": st.sampled_from(("5812", "58", None)), "city": st.one_of(texts, st.none())},
)
events = st.fixed_dictionaries(
    {
        "event_id": names,
        "type": st.sampled_from(("viewed", "dismissed", "transaction", "none", 1)),
        "cardholder_id": names,
        "occurred_at": instants,
    },
    optional={
        "item_id": st.one_of(names, st.none()),
        "serve_token": st.one_of(texts, st.none()),
        "reason": st.one_of(texts, st.none()),
        "transaction": st.one_of(payments, st.none()),
        "more": st.just({"deep": ["4111111111111111"]}),
    },
)


def plain(event: EventBody | Refused) -> object:
    """Something that can be compared."""
    if isinstance(event, Refused):
        return event.event_id, event.code
    return event


def as_sent(event: Any) -> bytes:
    return json.dumps({"events": [event]}, ensure_ascii=False).encode()


@given(st.lists(st.one_of(events, st.integers(), st.none()), max_size=4), st.booleans())
@settings(deadline=None)
def test_a_batch_is_what_each_of_its_events_is_by_itself(sent: list[Any], escapes: bool) -> None:
    body = json.dumps({"events": sent}, ensure_ascii=escapes).encode()
    batch = EventBatch.of_json(body)

    assert [plain(one) for one in batch.events] == [plain(_event_or_refused(one)) for one in sent]


@given(events)
@example({"event_id": "4111111111111111", "amount": 4111111111111111})
@settings(deadline=None)
def test_f46_the_quick_look_misses_nothing_that_a_close_look_at_everything_finds(
    event: dict[str, Any],
) -> None:
    found = found_in_value(event)
    before = MANY_DIGITS.search(orjson.dumps(event).decode()) is not None
    (judged,) = EventBatch.of_json(as_sent(event)).events

    if found is not None and before:
        assert may_hold_numbers(as_sent(event))
        assert isinstance(judged, Refused)
        assert (judged.event_id, judged.code.value) == (None, found.value)
    elif isinstance(judged, Refused):
        assert judged.code.value == "invalid_event"


@pytest.mark.parametrize(
    "reason",
    [
        r"4111\/1111\/1111\/1111",
        r"4111\n1111\n1111\n1111",
        r"4111\u002d1111\u002d1111\u002d1111",
        r"4111\t1111\t1111\t1111",
        "4111:1111:1111:1111",
        "[4111][1111][1111][1111]",
    ],
)
def test_f46_a_card_number_whose_separators_are_escaped_is_found_all_the_same(reason: str) -> None:
    body = b'{"events": [{"event_id": "a", "reason": "%s"}]}' % reason.encode()
    (judged,) = EventBatch.of_json(body).events

    assert isinstance(judged, Refused)
    assert (judged.event_id, judged.code.value) == (None, "pan_detected")


def test_f46_instants_make_no_batch_be_looked_at_closely() -> None:
    at = "2026-01-31T12:00:00.123456+08:00"
    plain = [{"event_id": f"e_{n}", "occurred_at": at, "item_id": f"offer_{n}"} for n in range(99)]

    assert not may_hold_numbers(json.dumps({"events": plain}).encode())


@pytest.mark.parametrize(
    "event",
    [
        '{"event_id": "a", "event_id": "b"}',
        '{"event_id": "a", "type": "viewed", "cardholder_id": "c", "item_id": "i", '
        '"occurred_at": "2026-01-31T12:00:00Z", "item_id" \n: "j"}',
        '{"event_id": "a", "type": "viewed", "cardholder_id": "c", "item_id": "i", '
        '"occurred_at": "2026-01-31T12:00:00Z", "\\u0069tem_id": "j"}',
    ],
)
def test_f38_a_key_that_comes_twice_is_refused_however_it_is_written(event: str) -> None:
    with pytest.raises(ProblemError) as refused:
        EventBatch.of_json(f'{{"events": [{event}]}}'.encode())

    assert (refused.value.status, refused.value.code) == (400, "duplicate_key")


values = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(st.sampled_from('a":\\ \n,{'))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
)


def keys_in(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(keys_in, value.values()))
    return sum(map(keys_in, value)) if isinstance(value, list) else 0


@given(
    st.lists(st.tuples(st.sampled_from("abc"), values), max_size=5), st.sampled_from((":", " : "))
)
@settings(deadline=None)
def test_f38_keys_that_are_counted_as_many_as_were_read_are_each_there_once(
    pairs: list[tuple[str, Any]], colon: str
) -> None:
    separators = (",", colon)
    inside = ",".join(
        f"{json.dumps(name)}{colon}{json.dumps(value, separators=separators)}"
        for name, value in pairs
    )
    body = f"{{{inside}}}".encode()

    if has_keys_once(body, keys_in(json.loads(body))):
        assert read_json(body) == json.loads(body)
