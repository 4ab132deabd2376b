"""Whoever asks, however he stands and whatever he asks for: one answer, from the loop and Flask."""

import time
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest

from recsvc.api.http.express import MOST_TOGETHER, Express, PlainHead, PlainRequest
from recsvc.app import EXPRESS
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from tests.bundles import a_benefit, an_offer, publish
from tests.service import Service

EXPLORING = """
[experiment]
name = "explore-1"
[[experiment.rankings]]
name = "bold"
share_bps = 5000
exploration_bps = 10000
exploration_pool = 3
"""
AGREED: dict[str, Any] = {"personalisation": True, "purpose_version": "1"}
AGREED_AS_GUARDIAN = {**AGREED, "guardian": True}
HELD = {"card_products": [{"card_product_id": "cp_1", "tier": "gold"}], "city": "berlin"}
OPTED_OUT, CHILD, WARDED, ERASED = "ch_8", "ch_9", "ch_10", "ch_11"
WHO = (*(f"ch_{n}" for n in range(12)), "unknown_to_the_model", "unheard_of")
QUERIES = (
    *("", "limit=1", "limit=100", "strict=true", "strict=false&limit=2", "locale=en", "&"),
    *("kind=benefit", "kind=benefit&kind=merchant_offer", "channel=mini_program", "placement=home"),
    *("city=berlin", "city=%E4%B8%8A%E6%B5%B7", "category=travel", "category=none", "limit=%33"),
    *("exclude=offer_0&exclude=offer_2", "exclude=unheard_of", "limit=3&locale=en&city=berlin"),
)


@pytest.fixture
def bank(tmp_path: Path, stores: Stores, log: Log, metrics: Metrics) -> Iterator[Service]:
    """Cardholders of every standing; half of those who are personalised take part in a trial."""
    rankings = tmp_path / "rankings.toml"
    rankings.write_text(EXPLORING)
    service = Service.assembled(tmp_path / "shelf", stores, log, metrics, rankings=rankings)
    offers = [an_offer(f"offer_{n}", merchant_id=f"m_{n % 6}") for n in range(8)]
    gold = an_offer("gold", terms={"tiers": ["gold"]})
    local = an_offer("local", merchant_id="m_9", terms={"cities": ["berlin"]})
    for one in (*offers, gold, local, an_offer("new", merchant_id="m_unknown")):
        assert service.ask("PUT", f"/v1/offers/{one['item_id']}", one).status_code in (200, 201)
    for n in range(3):
        service.ask("PUT", f"/v1/benefits/benefit_{n}", a_benefit(f"benefit_{n}"))
    publish(service.shelf())
    service.look()
    stand(service)
    yield service
    service.close()


def stand(service: Service) -> None:
    """Bring each cardholder where he stands."""
    agreed = {OPTED_OUT: {**AGREED, "personalisation": False}, WARDED: AGREED_AS_GUARDIAN}
    for who in WHO[:-1]:
        profile = {"minor": who in (CHILD, WARDED), **(HELD if who in ("ch_1", "ch_2") else {})}
        assert service.ask("PUT", f"/v1/cardholders/{who}", profile).status_code in (200, 201)
        consent = agreed.get(who, AGREED)
        assert service.ask("PUT", f"/v1/cardholders/{who}/consent", consent).status_code == 200
    happened(service, "ch_3", "dismissed", "offer_1")
    happened(service, "ch_4", "clicked", "offer_5")
    assert service.ask("DELETE", f"/v1/cardholders/{ERASED}").status_code == 200


def happened(service: Service, who: str, what: str, item_id: str) -> None:
    at = (service.clock() - timedelta(hours=1)).astimezone(UTC).isoformat()
    event = {"event_id": f"e-{who}-{what}", "type": what, "occurred_at": at}
    told = {"events": [{**event, "cardholder_id": who, "item_id": item_id}]}
    assert service.ask("POST", "/v1/events", told).json["results"][0]["status"] == "accepted"


def path_of(who: str) -> str:
    return f"/v1/cardholders/{who}/recommendations"


@pytest.mark.parametrize("query", QUERIES)
def test_both_give_the_same_bytes_for_every_standing(bank: Service, query: str) -> None:
    key = bank.key()
    ids = [f"r-{n}" for n in range(len(WHO))]
    by_flask = [
        bank.ask("GET", f"{path_of(who)}?{query}", headers={"X-Request-Id": one})
        for who, one in zip(WHO, ids, strict=True)
    ]
    express: Express = bank.app.extensions[EXPRESS]
    came_at = time.monotonic()
    asked = [
        PlainRequest(path_of(who), query, PlainHead("localhost", f"Bearer {key}", one), came_at)
        for who, one in zip(WHO, ids, strict=True)
    ]
    assert len(asked) <= MOST_TOGETHER

    together = {place: (visit.request_id, body) for place, visit, body in express.answer_all(asked)}

    assert {answer.status_code for answer in by_flask} == {200}
    assert together == {
        place: (answer.headers["X-Request-Id"], answer.data)
        for place, answer in enumerate(by_flask)
    }


def test_the_standings_differ_as_they_are_meant_to(bank: Service) -> None:
    answers = {who: bank.ask("GET", path_of(who)).json for who in WHO}

    personal = {who for who, answer in answers.items() if answer["personalised"]}
    assert personal == {*WHO[:12]} - {OPTED_OUT, CHILD, ERASED}
    assert len({answers[who]["ranking"] for who in personal}) == 2
    shown = {who: {item["item_id"] for item in answers[who]["items"]} for who in WHO}
    assert "offer_1" not in shown["ch_3"]
    assert shown["ch_1"] & {"gold", "local"}
