"""What is told of cardholders counts in the next answer, once, in whatever order."""

from json import loads
from typing import Any

import pytest
from werkzeug.test import TestResponse

from embeddings.interactions import EventType
from tests.bundles import an_offer, publish
from tests.service import Service

AT = "2026-01-31T11:{:02d}:00Z"
CONSENT = {"personalisation": True, "marketing": {}, "purpose_version": "1"}


def an_event(event_id: str, kind: str = "viewed", minute: int = 0, **fields: Any) -> dict[str, Any]:
    subject = {} if kind == "transaction" else {"item_id": "offer_1"}
    return {
        "event_id": event_id,
        "type": kind,
        "cardholder_id": "ch_1",
        "occurred_at": AT.format(minute),
        **subject,
        **fields,
    }


def a_payment(
    event_id: str, status: str = "settled", minute: int = 30, **fields: Any
) -> dict[str, Any]:
    transaction = {
        "transaction_id": "tx_1",
        "merchant_id": "m_1",
        "mcc": "5411",
        "amount": {"amount_minor": 20000, "currency": "CNY"},
        "status": status,
    }
    return an_event(event_id, "transaction", minute, transaction={**transaction, **fields})


@pytest.fixture
def live(service: Service) -> Service:
    """The checkerboard issuer: an offer at each of six merchants, one that wants activation."""
    for m in range(6):
        mcc = "5812" if m % 2 == 0 else "5411"
        offer = an_offer(f"offer_{m}", merchant_id=f"m_{m}", mcc=mcc)
        assert service.ask("PUT", f"/v1/offers/offer_{m}", offer).status_code == 201
    publish(service.shelf())
    service.look()
    service.ask("PUT", "/v1/cardholders/ch_1/consent", CONSENT)
    return service


def body(answer: TestResponse) -> Any:
    return answer.json


def tell(service: Service, *events: Any) -> list[dict[str, Any]]:
    answer = service.ask("POST", "/v1/events", {"events": list(events)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = body(answer)["results"]
    return results


def words(results: list[dict[str, Any]]) -> list[str]:
    return [result.get("code") or result["status"] for result in results]


def item_ids(service: Service, cardholder_id: str = "ch_1", **query: str) -> list[str]:
    path = f"/v1/cardholders/{cardholder_id}/recommendations?limit=10"
    path += "".join(f"&{name}={value}" for name, value in query.items())
    answer = service.ask("GET", path)
    assert answer.status_code == 200, answer.text
    return [item["item_id"] for item in body(answer)["items"]]


def test_each_event_is_answered_by_itself_in_the_order_sent(live: Service) -> None:
    results = tell(live, an_event("a"), {"event_id": "b"}, an_event("c"), 7, an_event("a"))

    assert words(results) == [
        "accepted",
        "invalid_event",
        "accepted",
        "invalid_event",
        "duplicate",
    ]
    assert [result["event_id"] for result in results] == ["a", "b", "c", None, "a"]


MARK = "!never~told~again!"
FIELDS = (
    ("event_id",),
    ("type",),
    ("cardholder_id",),
    ("occurred_at",),
    ("transaction", "transaction_id"),
    ("transaction", "merchant_id"),
    ("transaction", "mcc"),
    ("transaction", "status"),
    ("transaction", "amount"),
    ("transaction", "amount", "amount_minor"),
    ("transaction", "amount", "currency"),
    ("unknown_field",),
)


def with_value(event: dict[str, Any], field: tuple[str, ...], value: object) -> dict[str, Any]:
    """The event with another value in one of its fields."""
    name, *inside = field
    part = with_value(event[name], tuple(inside), value) if inside else value
    return {**event, name: part}


@pytest.mark.parametrize("field", FIELDS, ids="/".join)
def test_a_bad_event_is_told_which_field_is_wrong_and_never_what_was_sent(
    live: Service, field: tuple[str, ...]
) -> None:
    (result,) = tell(live, with_value(a_payment("e_1"), field, MARK))

    (fault,) = result["errors"]
    assert result["code"] == "invalid_event"
    assert fault["pointer"] == f"/{'/'.join(field)}"
    assert fault["message"]
    assert MARK not in repr(result)


@pytest.mark.parametrize(
    ("event", "code", "pointer"),
    [
        (7, "invalid_event", ""),
        (an_event("e_1", item_id=None), "invalid_event", "/item_id"),
        (an_event("e_1", "transaction"), "invalid_event", "/transaction"),
        (an_event("e_1", reason="4111 1111 1111 1111"), "pan_detected", "/reason"),
        (a_payment("e_1", city="13812345678"), "mobile_number_detected", "/transaction/city"),
        ({**an_event("e_1"), "4111111111111111": 1}, "pan_detected", "/?"),
        (an_event("e_1", occurred_at="2026-01-31T13:00Z"), "occurred_in_future", "/occurred_at"),
        (an_event("e_1", occurred_at="1970-01-01T00:00Z"), "occurred_too_long_ago", "/occurred_at"),
        (an_event("e_1", occurred_at="0001-01-01T00:00+14:00"), "invalid_event", "/occurred_at"),
    ],
)
def test_whatever_an_event_is_refused_for_its_field_is_named(
    live: Service, event: object, code: str, pointer: str
) -> None:
    refused, taken = tell(live, event, an_event("e_2"))

    (fault,) = refused["errors"]
    assert (refused["code"], fault["pointer"]) == (code, pointer)
    assert "4111" not in repr(fault)
    assert taken == {"event_id": "e_2", "status": "accepted"}


def test_of_an_event_that_is_wrong_all_over_a_few_fields_are_told(live: Service) -> None:
    (result,) = tell(live, {f"field_{'x' * n}": n for n in range(200)})

    assert len(result["errors"]) == 5


def test_an_event_sent_again_is_a_duplicate_even_of_another_cardholder(live: Service) -> None:
    tell(live, an_event("a"))

    assert words(tell(live, an_event("a", cardholder_id="ch_2"))) == ["duplicate"]


def test_F23_instants_ahead_of_the_clock_are_clamped_or_refused(
    live: Service,
) -> None:
    results = tell(
        live,
        an_event("soon", occurred_at="2026-01-31T12:04:59Z"),
        an_event("future", occurred_at="2026-01-31T12:05:01Z"),
        an_event("1970", occurred_at="1970-01-01T00:00:00Z"),
        an_event("no zone", occurred_at="2026-01-31T12:00:00"),
        an_event("number", occurred_at=1769860800),
    )

    assert words(results) == [
        "accepted",
        "occurred_in_future",
        "occurred_too_long_ago",
        "invalid_event",
        "invalid_event",
    ]
    (contact,) = live.stores.cardholders.state_of("demo", "ch_1").contacts
    assert contact.occurred_at == live.clock()


@pytest.mark.parametrize(
    "fields",
    [
        {"cardholder_id": "4111111111111111"},
        {"reason": "card 4111 1111 1111 1111"},
        {"reason": "４１１１１１１１１１１１１１１１"},
        {"serve_token": "x 4111-1111-1111-1111"},
        {"event_id": "4111111111111111"},
        {"unknown_field": {"deep": ["4111.1111.1111.1111"]}},
        {"item_id": 4111111111111111},
    ],
)
def test_F46_a_card_number_anywhere_in_an_event_is_refused_and_repeated_nowhere(
    live: Service, fields: dict[str, Any], log_lines: Any
) -> None:
    answer = live.ask("POST", "/v1/events", {"events": [{**an_event("a"), **fields}]})

    (result,) = body(answer)["results"]
    assert (result["event_id"], result["status"]) == (None, "rejected")
    assert {result["code"], *(one["code"] for one in result["errors"])} == {"pan_detected"}
    assert "4111" not in answer.text + log_lines.getvalue()
    assert live.stores.durable.ask(lambda store: store.dbsize()) > 0
    assert live.stores.durable.ask(lambda store: store.exists("r1:{demo}:events")) == 0


def test_more_than_500_events_are_refused_whole(live: Service) -> None:
    events = [an_event(f"e{n}") for n in range(501)]

    assert live.ask("POST", "/v1/events", {"events": events}).status_code == 422


def test_a_dismissed_item_is_gone_from_the_next_list_until_its_expiry(live: Service) -> None:
    assert "offer_1" in item_ids(live)

    tell(live, an_event("d", "dismissed", reason="not_now"))

    assert "offer_1" not in item_ids(live)
    live.clock.pass_time(days=7)
    assert "offer_1" in item_ids(live)


def test_a_dismissal_told_late_does_not_shorten_a_longer_one(live: Service) -> None:
    tell(live, an_event("new", "dismissed", 30), an_event("old", "dismissed", 1, reason="not_now"))
    live.clock.pass_time(days=30)

    assert "offer_1" not in item_ids(live)


def test_paying_at_a_merchant_moves_the_very_next_list(live: Service) -> None:
    live.ask("PUT", "/v1/cardholders/new/consent", CONSENT)
    before = body(live.ask("GET", "/v1/cardholders/new/recommendations"))

    payments = [
        {**a_payment(f"p{n}", transaction_id=f"tx_{n}"), "cardholder_id": "new"} for n in range(3)
    ]
    tell(live, *payments)

    after = body(live.ask("GET", "/v1/cardholders/new/recommendations"))
    assert (before["personalised"], after["personalised"]) == (False, True)
    best = after["items"][0]
    assert (best["merchant_id"], best["source"]) == ("m_1", "personal")
    assert best["reasons"][0]["evidence"][0]["visits"] == 3


def test_a_payment_at_an_offers_merchant_is_a_use_and_its_reversal_undoes_it(
    live: Service,
) -> None:
    capped = an_offer("offer_1", merchant_id="m_1", budget={"per_cardholder": {"count": 1}})
    live.ask("PUT", "/v1/offers/offer_1", capped)
    live.look()

    tell(live, a_payment("p1"))
    refused = body(live.ask("GET", "/v1/cardholders/ch_1/eligibility/offer_1"))
    assert refused == {**refused, "eligible": False, "refusals": ["cap_reached"]}

    tell(live, a_payment("p2", "reversed", 40))
    assert body(live.ask("GET", "/v1/cardholders/ch_1/eligibility/offer_1"))["eligible"] is True


def test_F41_the_same_ids_at_another_issuer_are_other_events(live: Service) -> None:
    tell(live, an_event("a"))
    other = live.ask("POST", "/v1/events", {"events": [an_event("a")]}, issuer_id="other")

    assert words(body(other)["results"]) == ["accepted"]
    assert len(live.stores.cardholders.state_of("demo", "ch_1").contacts) == 1


@pytest.mark.parametrize("batches", [3, 6])
def test_who_looks_at_screen_after_screen_is_not_forgotten_to_have_paid(
    live: Service, batches: int
) -> None:
    tell(live, *(a_payment(f"p{n}", transaction_id=f"tx_{n}", minute=n) for n in range(40)))
    for start in range(batches):
        at = f"2026-01-31T{start:02d}:{{:02d}}:00Z"
        tell(live, *(an_event(f"v{start}-{n}", occurred_at=at.format(n % 60)) for n in range(100)))

    kinds = [c.event_type for c in live.stores.cardholders.state_of("demo", "ch_1").contacts]
    assert kinds.count(EventType.TRANSACTION) == 40
    assert kinds.count(EventType.VIEWED) == 160


def test_a_serve_token_is_kept_only_where_it_was_made_for_this_cardholder_and_item(
    live: Service,
) -> None:
    answer = live.ask("GET", "/v1/cardholders/ch_1/recommendations?limit=2")
    (first, token), (second, _) = [(i["item_id"], i["serve_token"]) for i in body(answer)["items"]]
    tell(
        live,
        an_event("own", item_id=first, serve_token=token),
        an_event("other_item", item_id=second, serve_token=token),
        an_event("other_cardholder", item_id=first, serve_token=token, cardholder_id="ch_2"),
        an_event("altered", item_id=first, serve_token="A" + token[1:]),
    )
    stream: Any = live.stores.durable.ask(lambda store: store.xrange("r1:{demo}:events"))
    entries = [loads(fields[b"event"]) for _, fields in stream]
    kept = {entry["event_id"]: entry["serve_token"] for entry in entries}

    assert kept == {"own": token, "other_item": None, "other_cardholder": None, "altered": None}
    assert b'event="serve_token_unknown"} 3.0' in live.ask("GET", "/metrics").data


def test_only_the_newest_events_are_kept_whatever_the_order_of_arrival(live: Service) -> None:
    for start in (300, 0, 150):
        events = [
            an_event(
                f"e{n:03d}", "clicked", occurred_at=f"2026-01-30T{n // 60:02d}:{n % 60:02d}:00Z"
            )
            for n in range(start, start + 150)
        ]
        tell(live, *events)

    contacts = live.stores.cardholders.state_of("demo", "ch_1").contacts
    minutes = sorted(c.occurred_at.hour * 60 + c.occurred_at.minute for c in contacts)
    assert minutes == list(range(250, 450))
