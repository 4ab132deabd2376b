"""Many at once, on a real server: budgets hold, and every worker knows what was just told."""

import itertools
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any

from recsvc.stores.keys.cardholders import CARDHOLDER
from recsvc.stores.keys.catalog import BUDGET
from tests.bundles import an_offer
from tests.faults.world import World
from tests.service import until

BUDGET_COUNT = 20
REWARD = 2000
KEYS = itertools.count()


def put(world: World, item_id: str, **changes: Any) -> None:
    """An offer that every worker knows."""
    offer = an_offer(item_id, merchant_id="m_9", **changes)
    assert world.ask("PUT", f"/v1/offers/{item_id}", offer).status in (200, 201)
    path = f"/v1/cardholders/ch_0/eligibility/{item_id}"
    until(lambda: all(world.ask("GET", path).status == 200 for _ in range(8)))


def activate(world: World, cardholder_id: str, item_id: str) -> Any:
    """Ask until the answer is final: granted, or the budget is used up."""
    while True:
        try:
            answer = world.server.ask(
                "POST",
                f"/v1/cardholders/{cardholder_id}/activations",
                {"item_id": item_id},
                key=world.key,
                headers={"Idempotency-Key": f"crowd-{next(KEYS)}"},
            )
        except (OSError, HTTPException):
            continue  # the worker was killed with the request, or half-way through its answer
        if answer.status in (200, 201) or answer.json["code"] == "budget_exhausted":
            return answer
        threading.Event().wait(0.05)


def spent(world: World, item_id: str) -> tuple[int, int]:
    """What stands in an item's budget."""
    client = world.durable.client()
    count, amount = client.hmget(BUDGET.key("demo", item_id), "count", "amount")
    client.close()
    return int(count or 0), int(amount or 0)


def test_F28_fifty_clients_a_killed_worker_and_a_killed_store_overspend_nothing(
    shared: World,
) -> None:
    until(shared.is_whole, 15)
    terms = {"requires_activation": True}
    put(shared, "crowded", terms=terms, budget={"total": {"count": BUDGET_COUNT}})
    crowd = [f"crowd_{n}" for n in range(50)]
    with ThreadPoolExecutor(50) as pool:
        waiting = [pool.submit(activate, shared, one, "crowded") for one in crowd]
        until(lambda: spent(shared, "crowded")[0] >= 3)
        os.kill(shared.server.workers()[0], signal.SIGKILL)
        shared.durable.kill()
        shared.durable.start()
        answers = [one.result(timeout=60) for one in waiting]

    granted = [one for one, answer in zip(crowd, answers, strict=True) if answer.status != 409]
    client = shared.durable.client()
    held = [one for one in crowd if client.hexists(CARDHOLDER.key("demo", one), "u:crowded")]
    client.close()
    assert granted == held
    assert len(granted) == BUDGET_COUNT
    assert spent(shared, "crowded") == (BUDGET_COUNT, BUDGET_COUNT * REWARD)


def test_the_very_next_answer_of_any_worker_knows_what_was_told(shared: World) -> None:
    until(shared.is_whole, 15)

    def lists() -> list[set[str]]:
        found = [shared.recommend("ch_7").json["items"] for _ in range(10)]
        return [{item["item_id"] for item in items} for items in found]

    assert all("offer_3" in items for items in lists())
    event = {
        "event_id": "dismissed-now",
        "type": "dismissed",
        "cardholder_id": "ch_7",
        "item_id": "offer_3",
        "occurred_at": datetime.now(UTC).isoformat(),
    }
    assert shared.ask("POST", "/v1/events", {"events": [event]}).status == 200
    assert all("offer_3" not in items for items in lists())


def test_F61_one_card_with_very_many_events_keeps_a_bounded_state(shared: World) -> None:
    until(shared.is_whole, 15)
    for batch in range(6):
        events = [
            {
                "event_id": f"flood-{batch}-{n}",
                "type": "clicked",
                "cardholder_id": "flooder",
                "item_id": f"offer_{n % 6}",
                "occurred_at": datetime.now(UTC).isoformat(),
            }
            for n in range(500)
        ]
        assert shared.ask("POST", "/v1/events", {"events": events}).status == 200
    client = shared.durable.client()
    fields = client.hlen(CARDHOLDER.key("demo", "flooder"))
    client.close()

    assert fields <= 410
    assert shared.recommend("flooder").seconds < 1
