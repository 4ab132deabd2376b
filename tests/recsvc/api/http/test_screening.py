"""Row 46: numbers that name a person come in nowhere, and are repeated nowhere."""

import io
import json
from typing import Any

import pytest

from recsvc.stores.connection.client import Connection
from tests.bundles import an_offer
from tests.service import Service

PAN = "4111111111111111"
DRESSED = (
    PAN,
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "４１１１１１１１１１１１１１１１",
    "4111_1111_1111_1111",
    "4111~1111~1111~1111",
    "④①①①①①①①①①①①①①①①",
)
RESIDENT, MOBILE = "11010519491231002X", "13812345678"
CARDHOLDER = "/v1/cardholders"
CONSENT = {"personalisation": True, "purpose_version": "1"}


def refused(answer: Any, code: str = "pan_detected") -> list[str]:
    body = json.loads(answer.data)
    assert (answer.status_code, body["code"]) == (422, code), body
    assert answer.content_type == "application/problem+json"
    return [fault["pointer"] for fault in body["errors"]]


def everything_stored(durable: Connection) -> str:
    def dump(store: Any) -> str:
        return " ".join(str((key, store.dump(key))) for key in store.keys("*"))

    return durable.ask_patiently(dump)


class TestEveryEntrance:
    @pytest.mark.parametrize("pan", DRESSED)
    def test_f46_in_an_address(self, service: Service, pan: str) -> None:
        for path in ("", "/consent", "/recommendations", "/eligibility/offer_1"):
            answer = service.ask("GET", f"{CARDHOLDER}/{pan}{path}")

            assert refused(answer) == ["path/cardholder_id"]
            assert pan not in answer.get_data(as_text=True)

    @pytest.mark.parametrize("name", ["city", "placement", "exclude", "category"])
    def test_f46_in_a_query(self, service: Service, name: str) -> None:
        answer = service.ask("GET", f"{CARDHOLDER}/c/recommendations?{name}={PAN}")

        assert refused(answer) == [f"query/{name}"]

    @pytest.mark.parametrize("pan", DRESSED)
    def test_f46_in_a_profile_as_a_value_or_as_a_name(self, service: Service, pan: str) -> None:
        as_value = service.ask("PUT", f"{CARDHOLDER}/c", {"city": pan})
        as_name = service.ask("PUT", f"{CARDHOLDER}/c", {pan: "x"})

        assert refused(as_value) == ["/city"]
        assert refused(as_name) == ["/?"]

    def test_f46_hidden_by_escapes_or_written_as_a_number(self, service: Service) -> None:
        escaped = b'{"city": "' + b"".join(b"\\u%04x" % ord(d) for d in PAN) + b'"}'
        number = b'{"segments": [' + PAN.encode() + b"]}"
        floating = b'{"segments": [4.111111111111111e15]}'

        assert refused(service.ask("PUT", f"{CARDHOLDER}/c", raw=escaped)) == ["/city"]
        assert refused(service.ask("PUT", f"{CARDHOLDER}/c", raw=number)) == ["/segments/0"]
        assert refused(service.ask("PUT", f"{CARDHOLDER}/c", raw=floating)) == ["/segments/0"]

    def test_f46_in_the_texts_and_ids_of_an_item(self, service: Service) -> None:
        offer = an_offer("o1")
        titled = {**offer, "title": {"en": f"Use {DRESSED[1]} now"}}
        at_merchant = {**offer, "merchant_id": PAN}

        assert refused(service.ask("PUT", "/v1/offers/o1", titled)) == ["/title/en"]
        assert refused(service.ask("PUT", "/v1/offers/o1", at_merchant)) == ["/merchant_id"]

    def test_f46_in_one_line_of_a_catalogue_the_others_come_in(self, service: Service) -> None:
        good = an_offer("o1")
        bad = {**good, "item_id": "o2", "title": {"en": PAN}}
        answer = service.ask(
            "POST",
            "/v1/catalog:import",
            raw=b"\n".join(json.dumps(one).encode() for one in (good, bad)),
            headers={"Content-Type": "application/x-ndjson"},
        )
        results = json.loads(answer.data)["results"]

        assert [one["code"] for one in results] == [None, "pan_detected"]
        assert PAN not in answer.get_data(as_text=True)

    def test_f46_in_one_event_the_others_come_in(self, service: Service) -> None:
        event = {"type": "viewed", "item_id": "o1", "occurred_at": "2026-01-31T11:00:00Z"}
        sent = [
            {**event, "event_id": "e1", "cardholder_id": "c1"},
            {**event, "event_id": "e2", "cardholder_id": PAN},
            {**event, "event_id": "e3", "cardholder_id": RESIDENT},
            {**event, "event_id": "e4", "cardholder_id": "c1", "reason": f"tel {MOBILE}"},
        ]
        answer = service.ask("POST", "/v1/events", {"events": sent})
        codes = [one.get("code") for one in json.loads(answer.data)["results"]]

        assert codes == [None, "pan_detected", "resident_id_detected", "mobile_number_detected"]

    def test_f46_in_an_idempotency_key(self, service: Service) -> None:
        answer = service.ask(
            "POST",
            f"{CARDHOLDER}/c/activations",
            {"item_id": "o1"},
            headers={"Idempotency-Key": PAN},
        )

        assert refused(answer) == ["header/idempotency_key"]

    def test_f46_a_request_id_that_is_one_is_replaced(self, service: Service) -> None:
        answer = service.ask("GET", f"{CARDHOLDER}/c/consent", headers={"X-Request-Id": PAN})

        assert len(answer.headers["X-Request-Id"]) == 32
        assert PAN not in str(answer.headers)

    @pytest.mark.parametrize(
        ("number", "code"),
        [(RESIDENT, "resident_id_detected"), (MOBILE, "mobile_number_detected")],
    )
    def test_residents_and_mobiles_are_no_ids_of_people_and_in_no_text(
        self, service: Service, number: str, code: str
    ) -> None:
        in_address = service.ask("PUT", f"{CARDHOLDER}/{number}/consent", CONSENT)
        in_text = service.ask("PUT", f"{CARDHOLDER}/c", {"city": f"at {number}"})
        in_batch = service.ask("POST", "/v1/recommendations:batch", {"cardholder_ids": [number]})

        assert refused(in_address, code) == ["path/cardholder_id"]
        assert refused(in_text, code) == ["/city"]
        assert refused(in_batch, code) == ["/cardholder_ids/0"]


def test_f46_ids_of_things_may_look_like_a_mobile_number(service: Service) -> None:
    answer = service.ask("GET", f"{CARDHOLDER}/c/recommendations?placement=p1&exclude=m_{MOBILE}")
    by_number = service.ask("GET", f"/v1/items/{MOBILE}/similar")

    assert answer.status_code == 503
    assert by_number.status_code == 503


def test_f46_what_was_refused_is_neither_logged_nor_stored(
    service: Service, log_lines: io.StringIO, durable: Connection
) -> None:
    for number in (*DRESSED, RESIDENT, MOBILE):
        service.ask("PUT", f"{CARDHOLDER}/{number}", {"city": "x"})
        service.ask("PUT", f"{CARDHOLDER}/c", {"city": number, "segments": [number]})
        service.ask("GET", f"/nowhere/{number}")
    stored = everything_stored(durable)

    for number in (*DRESSED, RESIDENT, MOBILE):
        assert number not in stored
        assert number not in log_lines.getvalue()
