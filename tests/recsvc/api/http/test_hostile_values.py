"""Values at the edge of what their types can hold are refused by name, never a 500."""

import json
from pathlib import Path
from typing import Any

import pytest

from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from tests.bundles import an_offer
from tests.service import Service

EDGES = ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00")
CONSENT = {"personalisation": True, "marketing": {}, "purpose_version": "1"}


def pointers(answer: Any) -> list[str]:
    return [fault["pointer"] for fault in answer.json["errors"]]


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        (
            "recommendations:batch",
            {"cardholder_ids": ["a/b"]},
            {"/cardholder_ids/0": "string_pattern_mismatch"},
        ),
        ("recommendations:batch", {"cardholder_ids": []}, {"/cardholder_ids": "too_short"}),
        ("rankings", {"cardholder_id": "c", "item_ids": ["i"] * 501}, {"/item_ids": "too_long"}),
        ("events", {"events": [{}] * 501}, {"/events": "too_long"}),
        (
            "cardholders/c/consent",
            {**CONSENT, "marketing": {"fax": True}},
            {"/marketing/fax": "enum"},
        ),
    ],
)
def test_F39_each_wrong_value_is_told_once_at_its_place_in_words_of_json(
    service: Service, path: str, body: dict[str, Any], told: dict[str, str]
) -> None:
    method = "PUT" if path.endswith("consent") else "POST"
    faults = service.ask(method, f"/v1/{path}", body).json["errors"]

    assert {fault["pointer"]: fault["code"] for fault in faults} == told
    assert len(faults) == len(told)
    assert not any(word in str(faults) for word in ("Tuple", "List", "validation"))


@pytest.mark.parametrize("instant", EDGES)
def test_F23_F39_an_instant_that_utc_has_no_year_for_is_refused_by_its_name(
    service: Service, instant: str
) -> None:
    consent = service.ask("PUT", "/v1/cardholders/c/consent", {**CONSENT, "recorded_at": instant})
    offer = service.ask("PUT", "/v1/offers/o", an_offer("o", terms={"ends_at": instant}))
    plan = {"name": "x", "item_ids": ["o"], "channel": "push", "starts_at": instant}
    campaign = service.ask(
        "POST",
        "/v1/campaigns",
        {**plan, "ends_at": "2026-12-31T00:00:00Z"},
        headers={"Idempotency-Key": "k"},
    )

    assert (consent.status_code, pointers(consent)) == (422, ["/recorded_at"])
    assert (offer.status_code, pointers(offer)) == (422, ["/terms/ends_at"])
    assert campaign.status_code == 422


def test_F23_the_widest_window_that_can_be_told_is_served(service: Service) -> None:
    terms = {"starts_at": "0001-01-01T00:00:00Z", "ends_at": "9999-12-31T23:59:59Z"}
    assert service.ask("PUT", "/v1/offers/o", an_offer("o", terms=terms)).status_code == 201
    service.look()

    listed = service.ask("GET", "/v1/cardholders/c/recommendations").json["items"]
    assert [item["item_id"] for item in listed] == ["o"]


def test_a_line_of_an_import_with_such_an_instant_holds_back_no_other(service: Service) -> None:
    lines = [an_offer("bad", terms={"ends_at": EDGES[0]}), an_offer("good")]
    sent = "\n".join(json.dumps(line) for line in lines).encode()
    answer = service.ask(
        "POST", "/v1/catalog:import", raw=sent, headers={"Content-Type": "application/x-ndjson"}
    )

    assert (answer.status_code, answer.json["accepted"], answer.json["rejected"]) == (200, 1, 1)


def test_P38_a_webhook_outside_the_operators_domains_is_refused_when_it_is_registered(
    tmp_path: Path, stores: Stores, log: Log, metrics: Metrics
) -> None:
    bank = Service.assembled(tmp_path, stores, log, metrics, webhook_hosts=("bank.example",))
    answer = bank.ask(
        "POST",
        "/v1/webhooks",
        {"url": "https://hooks.elsewhere.example/x"},
        headers={"Idempotency-Key": "k"},
    )
    bank.close()

    assert answer.status_code == 422
    assert "may not leave for" in answer.json["errors"][0]["message"]


def an_event(event_id: str, **told: Any) -> dict[str, Any]:
    at = "2026-01-31T11:00:00Z"
    plain = {"type": "viewed", "cardholder_id": "c", "item_id": "o", "occurred_at": at}
    return {"event_id": event_id, **plain, **told}


@pytest.mark.parametrize("instant", EDGES)
def test_an_event_at_such_an_instant_holds_back_no_other_of_its_batch(
    service: Service, instant: str
) -> None:
    events = [an_event("bad", occurred_at=instant), an_event("good")]
    answer = service.ask("POST", "/v1/events", {"events": events})

    assert [one["status"] for one in answer.json["results"]] == ["rejected", "accepted"]
    assert answer.json["results"][0]["code"] == "invalid_event"


@pytest.mark.parametrize("byte", [b"\xff", b"\xed\xa0\x80", b"\xe4\xb8"])
def test_events_in_bytes_that_are_not_utf_8_are_refused_as_no_json(
    service: Service, byte: bytes
) -> None:
    sent = json.dumps({"events": [an_event("e", reason="REASON")]}).encode()
    answer = service.ask("POST", "/v1/events", raw=sent.replace(b"REASON", byte))

    assert (answer.status_code, answer.json["code"]) == (400, "not_json")


@pytest.mark.parametrize("deep", [63, 200, 900, 1020, 5000])
def test_a_line_of_an_import_nested_beyond_reason_holds_back_no_other(
    service: Service, deep: int
) -> None:
    nested = b'{"4929123456781236":' + b"[" * deep + b"]" * deep + b"}"
    sent = nested + b"\n" + json.dumps(an_offer("good")).encode()
    answer = service.ask(
        "POST", "/v1/catalog:import", raw=sent, headers={"Content-Type": "application/x-ndjson"}
    )

    assert (answer.status_code, answer.json["accepted"], answer.json["rejected"]) == (200, 1, 1)
    assert b"4929123456781236" not in answer.data
