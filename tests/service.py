"""The service under test: assembled in this process, or served by a real gunicorn."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

from flask import Flask

from embeddings.shelf import Shelf
from recsvc.app import EXTENSION, create_app
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.services import Services
from recsvc.settings import Settings
from recsvc.stores.assembly import Stores
from recsvc.stores.connection.client import Connection
from recsvc.stores.entrance.api_keys import SCOPES
from recsvc.upkeep.shelves import Shelves

SECRET = "s" * 32
NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
Json = Any


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **spans: float) -> None:
        self.now += timedelta(**spans)


def a_connection(
    url: str,
    *,
    log: Log,
    metrics: Metrics,
    monotonic: Callable[[], float] = time.monotonic,
    wait_seconds: float = 1.0,
) -> Connection:
    """A connection that waits longer than the product's, as test machines are busy."""
    return Connection(
        "profile_store",
        url,
        wait_seconds=wait_seconds,
        connections=8,
        log=log,
        metrics=metrics,
        monotonic=monotonic,
    )


def settings(**chosen: Any) -> Settings:
    """Settings of a test; a secret is set, the rest is as shipped."""
    return Settings(**{"secret": SECRET, **chosen})


@dataclass(slots=True)
class Service:
    """The assembled service and what a test needs beside it."""

    app: Flask
    services: Services
    stores: Stores
    shelves: Path
    clock: Clock
    keys: dict[str, str] = field(default_factory=dict)

    @classmethod
    def assembled(
        cls, shelves: Path, stores: Stores, log: Log, metrics: Metrics, **chosen: Any
    ) -> Self:
        """Assemble with a clock that stands at noon of 2026-01-31."""
        clock = Clock()
        app = create_app(
            settings(**chosen),
            stores=stores,
            shelf=Shelves(shelves),
            clock=clock,
            log=log,
            metrics=metrics,
        )
        return cls(app, app.extensions[EXTENSION], stores, shelves, clock)

    def again(self, stores: Stores | None = None, **chosen: Any) -> Self:
        """Another worker on the same shelves, and on the same stores unless given."""
        log, metrics = self.services.log, self.services.metrics
        return self.assembled(self.shelves, stores or self.stores, log, metrics, **chosen)

    def shelf(self, issuer_id: str = "demo") -> Shelf:
        """The shelf of an issuer."""
        return Shelf(self.shelves, issuer_id)

    def look(self) -> None:
        """Notice now what changed outside, as the watcher does again and again."""
        self.look_at_stores()
        self.services.loader.follow_shelves()

    def key(self, issuer_id: str = "demo", *scopes: str) -> str:
        """A key of an issuer, all scopes unless named, known to the service at once."""
        _, shown = self.stores.api_keys.create(
            issuer_id, scopes or SCOPES, now=self.clock() - timedelta(days=1)
        )
        self.look_at_stores()
        return shown

    def look_at_stores(self) -> None:
        """Notice now what changed in the stores."""
        self.services.keys.follow()
        self.services.loader.follow_stores()

    def ask(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        issuer_id: str = "demo",
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Any:
        """Answer to a request of an issuer with all scopes."""
        if issuer_id not in self.keys:
            self.keys[issuer_id] = self.key(issuer_id)
        sent = {"Authorization": f"Bearer {self.keys[issuer_id]}"}
        if body is not None or raw is not None:
            sent["Content-Type"] = "application/json"
        data = json.dumps(body).encode() if body is not None else raw
        all_headers = {**sent, **(headers or {})}
        return self.app.test_client().open(path, method=method, data=data, headers=all_headers)

    def close(self) -> None:
        """End what was started."""
        self.services.stop()


def until(holds: Callable[[], Any], seconds: float = 15.0) -> Any:
    """The first truthy answer; fails when none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = holds()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"did not come to hold within {seconds} s")


def a_free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass(slots=True)
class Answer:
    """What a real server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(slots=True)
class Server:
    """A real gunicorn started by `recsvc serve`."""

    process: subprocess.Popen[bytes]
    address: str
    log_path: Path

    def ask(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Answer of the server, errors included, over a connection of its own.

        Connections end here, and no request says so: lists are asked as a gateway asks for them.
        """
        sent = dict(headers or {})
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        with closing(HTTPConnection(self.address, timeout=10)) as asking:
            asking.request(method, path, data, sent)
            found = asking.getresponse()
            return Answer(found.status, dict(found.getheaders()), found.read())

    def is_up(self) -> bool:
        """Whether it answers."""
        assert self.process.poll() is None, self.log_path.read_text()
        try:
            return self.ask("GET", "/livez").status == 200
        except OSError:
            return False

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Stop it and return its exit status."""
        self.process.send_signal(how)
        return self.process.wait(timeout=40)

    def log_events(self) -> list[Json]:
        """What it logged, as far as it is JSON."""
        lines = self.log_path.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@contextmanager
def a_server(
    folder: Path,
    store_url: str,
    *,
    environment: dict[str, str] | None = None,
    workers: int = 2,
    module: Sequence[str] = ("recsvc", "serve"),
) -> Iterator[Server]:
    """A gunicorn of the product's own command, or another's, answering; stopped at the end."""
    address = f"127.0.0.1:{a_free_port()}"
    environ = {
        **{n: v for n, v in os.environ.items() if not n.startswith(("RECSVC_", "COV_"))},
        "RECSVC_SHELF": str(folder / "shelf"),
        "RECSVC_REDIS_URL": store_url,
        "RECSVC_STORE_TIMEOUT_MS": "1000",
        "RECSVC_BIND": address,
        "RECSVC_WORKERS": str(workers),
        **(environment or {}),
    }
    log_path = folder / "server.log"
    with log_path.open("wb") as log_file:
        process = subprocess.Popen(
            [sys.executable, "-m", *module], env=environ, stdout=log_file, stderr=log_file
        )
    server = Server(process, address, log_path)
    try:
        until(server.is_up, 30)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=40)


def run_command(
    arguments: Sequence[str], environ: dict[str, str], **setting: str
) -> subprocess.CompletedProcess[str]:
    """Run `recsvc` with these arguments and settings."""
    named = {f"RECSVC_{name.upper()}": value for name, value in setting.items()}
    return subprocess.run(
        [sys.executable, "-m", "recsvc", *arguments],
        env={**environ, **named},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
