"""The catalogue over HTTP."""

import json
from typing import Any

import pytest

from tests.bundles import a_benefit, an_offer, publish
from tests.service import Service

OFFER = "/v1/offers/offer_1"


def code(answer: Any) -> str:
    return str(json.loads(answer.data)["code"])


def test_an_offer_is_created_read_replaced_and_deleted(service: Service) -> None:
    created = service.ask("PUT", OFFER, an_offer())
    read = service.ask("GET", OFFER)
    replaced = service.ask("PUT", OFFER, an_offer(priority=3))
    gone = service.ask("DELETE", OFFER)

    assert (created.status_code, created.headers["ETag"]) == (201, '"1"')
    assert (read.status_code, read.json) == (200, an_offer())
    assert (replaced.status_code, replaced.headers["ETag"]) == (200, '"2"')
    assert (gone.status_code, gone.data) == (204, b"")
    assert service.ask("GET", OFFER).status_code == 404
    assert service.ask("DELETE", OFFER).status_code == 404


def test_a_write_against_another_state_is_412_and_changes_nothing(service: Service) -> None:
    service.ask("PUT", OFFER, an_offer())
    stale = service.ask("PUT", OFFER, an_offer(priority=3), headers={"If-Match": '"7"'})
    again = service.ask("PUT", OFFER, an_offer(priority=3), headers={"If-None-Match": "*"})
    gone = service.ask("DELETE", OFFER, headers={"If-Match": '"7"'})

    assert [code(answer) for answer in (stale, again, gone)] == ["revision_mismatch"] * 3
    assert service.ask("GET", OFFER).headers["ETag"] == '"1"'
    assert service.ask("DELETE", OFFER, headers={"If-Match": '"1"'}).status_code == 204


@pytest.mark.parametrize("etag", ["1", 'W/"1"', '"x"', '"' + "1" * 40 + '"'])
def test_an_if_match_that_is_no_etag_of_ours_is_422(service: Service, etag: str) -> None:
    service.ask("PUT", OFFER, an_offer())
    answer = service.ask("PUT", OFFER, an_offer(), headers={"If-Match": etag})

    assert answer.status_code == 422


def test_the_id_in_the_body_must_be_the_one_in_the_address(service: Service) -> None:
    answer = service.ask("PUT", "/v1/offers/offer_2", an_offer())

    assert answer.status_code == 422
    assert json.loads(answer.data)["errors"][0]["pointer"] == "/item_id"


def test_an_id_cannot_change_its_kind(service: Service) -> None:
    service.ask("PUT", "/v1/benefits/x", a_benefit("x"))

    assert code(service.ask("PUT", "/v1/offers/x", an_offer("x"))) == "kind_conflict"
    assert service.ask("GET", "/v1/offers/x").status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"mcc": "58"}, "/mcc"),
        ({"reward": {"type": "free_lunch"}}, "/reward/type"),
        ({"terms": {"starts_at": "2026-01-01T00:00:00"}}, "/terms/starts_at"),
        ({"priority": 1.5}, "/priority"),
        ({"title": {"fr": "x"}}, "/title"),
        ({"title": {"en": "a\u202eb"}}, "/title/en"),
        ({"url": "javascript:alert(1)"}, "/url"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_wrong_field_is_422_and_named(
    service: Service, change: dict[str, Any], pointer: str
) -> None:
    answer = service.ask("PUT", OFFER, an_offer(**change))

    assert answer.status_code == 422
    assert json.loads(answer.data)["errors"][0]["pointer"] == pointer


def test_f40_another_issuers_item_is_not_there(service: Service) -> None:
    service.ask("PUT", OFFER, an_offer(), issuer_id="other")

    assert service.ask("GET", OFFER).status_code == 404
    assert service.ask("DELETE", OFFER).status_code == 404
    assert service.ask("GET", "/v1/offers").json["items"] == []


class TestLists:
    def test_pages_together_are_the_list_in_order(self, service: Service) -> None:
        for number in (4, 1, 3, 0, 2):
            service.ask("PUT", f"/v1/offers/o{number}", an_offer(f"o{number}"))
        pages, cursor = [], ""
        while True:
            page = json.loads(service.ask("GET", f"/v1/offers?limit=2{cursor}").data)
            pages.append([item["item_id"] for item in page["items"]])
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"

        assert pages == [["o0", "o1"], ["o2", "o3"], ["o4"]]

    def test_a_cursor_is_good_for_its_own_list_of_its_own_issuer_only(
        self, service: Service
    ) -> None:
        for number in range(3):
            service.ask("PUT", f"/v1/offers/o{number}", an_offer(f"o{number}"))
        cursor = json.loads(service.ask("GET", "/v1/offers?limit=1").data)["next_cursor"]
        mine = service.ask("GET", f"/v1/offers?cursor={cursor}")
        elsewhere = [
            service.ask("GET", f"/v1/benefits?cursor={cursor}"),
            service.ask("GET", f"/v1/offers?cursor={cursor}", issuer_id="other"),
            service.ask("GET", f"/v1/offers?cursor={cursor[:-2]}AA"),
            service.ask("GET", "/v1/offers?cursor=%00%ff"),
            service.ask("GET", "/v1/offers?cursor=" + "é" * 20),
        ]

        assert mine.status_code == 200
        assert {answer.status_code for answer in elsewhere} == {422}

    @pytest.mark.parametrize(
        "limit", ["0", "-1", "201", "1000000000", "1.5", "%225%22", "true", "", "5&limit=5"]
    )
    def test_f39_a_limit_that_is_no_whole_number_in_range_is_422(
        self, service: Service, limit: str
    ) -> None:
        assert service.ask("GET", f"/v1/offers?limit={limit}").status_code == 422


class TestImport:
    def take(self, service: Service, *lines: Any) -> Any:
        raw = b"\n".join(
            line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines
        )
        headers = {"Content-Type": "application/x-ndjson"}
        return service.ask("POST", "/v1/catalog:import", raw=raw, headers=headers).json

    def test_each_line_gets_its_own_result_and_good_lines_count(self, service: Service) -> None:
        service.ask("PUT", "/v1/benefits/taken", a_benefit("taken"))
        taken = self.take(
            service,
            an_offer("o1"),
            b"",
            b"{not json",
            an_offer("o2", mcc="1"),
            an_offer("o1"),
            an_offer("taken"),
            a_benefit("b1"),
            {"kind": "voucher"},
            b'{"a": 1, "a": 2}',
        )
        results = [(r["line"], r["status"], r["code"]) for r in taken["results"]]

        assert results == [
            (1, "created", None),
            (3, "rejected", "not_json"),
            (4, "rejected", "invalid_request"),
            (5, "rejected", "duplicate_item"),
            (6, "rejected", "kind_conflict"),
            (7, "created", None),
            (8, "rejected", "invalid_request"),
            (9, "rejected", "duplicate_key"),
        ]
        assert (taken["accepted"], taken["rejected"]) == (2, 6)
        assert taken["results"][2]["errors"][0]["pointer"] == "/mcc"

    def test_importing_twice_changes_nothing(self, service: Service) -> None:
        self.take(service, an_offer("o1"))

        assert self.take(service, an_offer("o1"))["results"][0]["status"] == "unchanged"

    def test_another_media_type_is_415(self, service: Service) -> None:
        assert service.ask("POST", "/v1/catalog:import", an_offer()).status_code == 415


class TestLive:
    def test_an_offer_is_recommended_at_the_next_look_without_training(
        self, service: Service
    ) -> None:
        publish(service.shelf())
        service.look()
        service.ask("PUT", OFFER, an_offer("offer_1", merchant_id="m_4"))
        service.look()
        items = service.ask("GET", "/v1/cardholders/ch_1/recommendations").json["items"]

        assert [item["item_id"] for item in items] == ["offer_1"]

    def test_a_deleted_offer_is_gone_at_the_next_look(self, service: Service) -> None:
        for name in ("o1", "o2"):
            service.ask("PUT", f"/v1/offers/{name}", an_offer(name))
        service.look()
        service.ask("DELETE", "/v1/offers/o1")
        service.look()
        items = service.ask("GET", "/v1/cardholders/ch_1/recommendations").json["items"]

        assert [item["item_id"] for item in items] == ["o2"]

    def test_f06_a_store_that_lost_its_catalogue_does_not_empty_the_worker(
        self, service: Service
    ) -> None:
        service.ask("PUT", OFFER, an_offer())
        service.look()
        key = service.keys["demo"].split("_")[1]
        kept = service.stores.api_keys.all()[key]
        service.stores.durable.ask(lambda store: store.flushall())
        service.services.loader.follow_stores()
        model = service.services.slot.current("demo")

        assert kept.issuer_id == "demo"
        assert model is not None
        assert len(model.catalog) == 1
