"""However slow the store is, each route of the OpenAPI document answers within its own budget."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from recsvc.api.http.budgets import SHARES, Budget
from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.stores.outreach.webhooks import WebhookStore
from tests.bundles import a_benefit, an_offer
from tests.faults.proxy import Mood
from tests.faults.world import WRITE_MS, Timed, World, a_world
from tests.service import a_connection, until

REQUEST_MS = 1000
SLOW_SECONDS = 2.0
MARGIN_SECONDS = 0.8
"""What a busy test machine adds to the time of an answer."""
UNDONE = (400, 405, 415, 422)
"""Answers of a request that was refused before it asked a store: its time would prove nothing."""
NOW = datetime.now(UTC)
PLAN = {
    "name": "spring",
    "item_ids": ["offer_0"],
    "audience": {"size": 1200},
    "channel": "push",
    "holdout_bps": 2000,
    "pia_ref": "PIA-1",
    "budget": {"amount": {"amount_minor": 10**9, "currency": "CNY"}},
    "starts_at": NOW.isoformat(),
    "ends_at": (NOW + timedelta(days=30)).isoformat(),
}
EVENT = {
    "event_id": "e-1",
    "type": "viewed",
    "cardholder_id": "ch_1",
    "item_id": "offer_1",
    "occurred_at": NOW.isoformat(),
}
BODIES: dict[str, Any] = {
    "/v1/recommendations:batch": {"cardholder_ids": ["ch_1", "ch_2"]},
    "/v1/rankings": {"cardholder_id": "ch_1", "item_ids": ["offer_1"]},
    "/v1/cardholders/{cardholder_id}": {"city": "city_3"},
    "/v1/cardholders/{cardholder_id}/consent": {"personalisation": True, "purpose_version": "1"},
    "/v1/cardholders/{cardholder_id}/activations": {"item_id": "offer_2"},
    "/v1/benefits/{item_id}": a_benefit("benefit_1"),
    "/v1/offers/{item_id}": an_offer("offer_9"),
    "/v1/catalog:import": an_offer("offer_8"),
    "/v1/events": {"events": [EVENT]},
    "/v1/privacy/notice": {"version": "1", "purposes": ["lists"], "text": {"en": "A notice."}},
    "/v1/audiences:estimate": {"item_id": "offer_0", "channel": "push"},
    "/v1/campaigns": PLAN,
    "/v1/webhooks": {"url": "https://hooks.bank.example/"},
    "/v1/webhooks/{webhook_id}:replay": {"push_id": "psh_1"},
}


class Operation(NamedTuple):
    """One operation of the document and its budget."""

    method: str
    path: str
    budget: Budget


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose requests have a second."""
    chosen = {"RECSVC_REQUEST_BUDGET_MS": str(REQUEST_MS), "RECSVC_THREADS": "16"}
    with a_world(tmp_path_factory.mktemp("budgets"), workers=1, environment=chosen) as world:
        yield world


def _operations(world: World) -> list[Operation]:
    """All that ask a store; moves of the pointer and what tells of the shelf ask the shelf only."""
    document = world.ask("GET", "/openapi.json").json
    return [
        Operation(method.upper(), path, Budget(found["x-budget"]))
        for path, methods in document["paths"].items()
        if not path.startswith("/v1/models")
        for method, found in methods.items()
        if "x-budget" in found
    ]


def _path(one: Operation, campaign_id: str, webhook_id: str) -> str:
    """The address with ids in it; who is erased is nobody else's cardholder."""
    own = {
        "{cardholder_id}": "ch_11" if (one.method, one.budget) == ("DELETE", "long") else "ch_3",
        "{item_id}": "benefit_1" if "benefits" in one.path else "offer_9",
        "{tag}": "category.dining",
        "{campaign_id}": campaign_id,
        "{webhook_id}": webhook_id,
    }
    if "similar" in one.path or "eligibility" in one.path:
        own["{item_id}"] = "offer_1"
    return re.sub(r"\{\w+\}", lambda found: own[found[0]], one.path)


def _ask(world: World, one: Operation, campaign_id: str, webhook_id: str, number: int) -> Timed:
    body = BODIES.get(one.path) if one.method in ("POST", "PUT") else None
    kind = "application/x-ndjson" if one.path.endswith(":import") else "application/json"
    return world.ask(
        one.method,
        _path(one, campaign_id, webhook_id),
        body,
        headers={"Idempotency-Key": f"key-{number}", "Content-Type": kind},
    )


def test_F02_every_route_of_the_document_answers_a_slow_store_within_its_budget(
    world: World,
) -> None:
    operations = _operations(world)
    keyed = {"Idempotency-Key": "first"}
    planned = world.ask("POST", "/v1/campaigns", PLAN, headers=keyed)
    campaign, webhook_id = str(planned.json["campaign_id"]), _a_webhook(world)
    begun = [_ask(world, one, campaign, webhook_id, n) for n, one in enumerate(operations)]
    world.proxy.turn(Mood.SLOW, SLOW_SECONDS)
    try:
        with ThreadPoolExecutor(8) as pool:
            asked = [
                pool.submit(_ask, world, one, campaign, webhook_id, 1000 + n)
                for n, one in enumerate(operations)
            ]
            found = [one.result() for one in asked]
    finally:
        world.proxy.turn(Mood.PASSES)

    assert len(operations) >= 44
    assert [
        (one, timed.json)
        for one, timed in zip(operations, begun, strict=True)
        if timed.status in UNDONE and one.path != "/v1/webhooks"  # looks its host up first
    ] == []
    assert [
        (one, timed.status, round(timed.seconds, 2))
        for one, timed in zip(operations, found, strict=True)
        if not _is_in_budget(one, timed)
    ] == []
    until(world.is_whole, 15)


def _a_webhook(world: World) -> str:
    """Id of a webhook, registered without looking its host up: tests may have no network."""
    url = f"redis://127.0.0.1:{world.durable.port}/0"
    connection = a_connection(url, log=open_log("error"), metrics=Metrics())
    made = WebhookStore(connection).add("demo", "https://hooks.bank.example/")
    connection.close()
    return made.webhook_id


def _is_in_budget(one: Operation, timed: Timed) -> bool:
    """Answered in time: refused with a moment to come back, or answered all the same.

    A deed that was done late still gets its two waits for its entry in the audit log.
    """
    seconds = SHARES[one.budget] * REQUEST_MS / 1000
    audited = 2 * WRITE_MS / 1000 if timed.status < 400 and one.method != "GET" else 0.0
    retry = timed.status != 503 or "Retry-After" in timed.answer.headers
    return retry and timed.status != 500 and timed.seconds < seconds + audited + MARGIN_SECONDS
