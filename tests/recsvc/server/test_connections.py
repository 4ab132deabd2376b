"""Real gunicorn workers that share connections, and part with them without loss."""

import os
import signal
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from embeddings.shelf import Shelf
from recsvc.server.bounded import REST_SECONDS
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.api_keys import SCOPES
from tests.bundles import publish
from tests.certificates import a_certificate
from tests.service import NOON, Server, a_free_port, a_server, until
from tests.wire import (
    CONSENT,
    YES,
    a_server_behind,
    answer_on,
    connect,
    head,
    let_in_without_body,
    status_of,
)

LIVEZ = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture
def key(stores: Stores) -> str:
    return stores.api_keys.create("demo", SCOPES, now=NOON)[1]


@pytest.fixture
def pair(tmp_path: Path, store_url: str) -> Iterator[Server]:
    """Two workers, both of whom take connections."""
    publish(Shelf(tmp_path / "shelf", "demo"))
    with a_server(tmp_path, store_url) as server:
        until(lambda: _both_take(server))
        yield server


@contextmanager
def opened(server: Server, n_wires: int) -> Iterator[list[socket.socket]]:
    """So many connections, each asked once; closed at the end, also those put in their places."""
    wires: list[socket.socket] = []
    try:
        for _ in range(n_wires):
            wires.append(connect(server))
            assert status_of(wires[-1], LIVEZ) == 200
        yield wires
    finally:
        for wire in wires:
            wire.close()


def spread(server: Server, wires: list[socket.socket]) -> Counter[int]:
    """How many of these connections each worker has."""
    port = f":{int(server.address.rsplit(':', 1)[1]):04X}"
    clients = {f":{wire.getsockname()[1]:04X}" for wire in wires}
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    inodes = {p[9] for p in lines if p[1].endswith(port) and p[2][-5:] in clients}
    return Counter({pid: len(sockets_of(pid) & inodes) for pid in server.workers()})


def sockets_of(pid: int) -> set[str]:
    """Inodes of the sockets that a process has open."""
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(path.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found


def ask_all(reach: Callable[[], socket.socket], wires: list[socket.socket]) -> int:
    """Ask on each connection, open anew those that the answer ends; how many those were."""
    n_ended = 0
    for place, wire in enumerate(wires):
        wire.sendall(LIVEZ)
        status, headers, _ = answer_on(wire)
        assert status == 200
        if headers["connection"] == "close":
            assert wire.recv(1) == b""
            wire.close()
            wires[place] = reach()
            n_ended += 1
    return n_ended


def _both_take(server: Server) -> bool:
    with opened(server, 8) as wires:
        return len(server.workers()) == 2 and min(spread(server, wires).values()) > 0


class TestSharing:
    def test_F21_connections_are_spread_over_the_workers(self, pair: Server) -> None:
        with opened(pair, 24) as wires:
            counts = spread(pair, wires)

        assert counts.total() == 24
        assert min(counts.values()) >= 8

    def test_F21_counts_are_right_again_after_clients_closed(self, pair: Server) -> None:
        for _ in range(3):
            with opened(pair, 40) as wires:
                fewest = min(spread(pair, wires).values())

            assert fewest >= 14

    def test_F21_a_killed_worker_holds_nobody_back_and_its_successor_has_its_share(
        self, pair: Server
    ) -> None:
        gone, stays = pair.workers()
        with opened(pair, 12):
            os.kill(gone, signal.SIGKILL)
            until(lambda: gone not in pair.workers())
            time_taken = -time.monotonic()
            with opened(pair, 24) as wires:
                time_taken += time.monotonic()
                first = spread(pair, wires)
                until(lambda: _is_even(pair, wires))

        assert first[stays] > 0
        assert time_taken < 5.0

    def test_F21_a_worker_that_hangs_holds_nobody_back(self, pair: Server) -> None:
        hangs, works = pair.workers()
        with _stopped(hangs):
            time_taken = -time.monotonic()
            with opened(pair, 60) as wires:
                time_taken += time.monotonic()
                counts = spread(pair, wires)

        assert counts[works] == 60
        assert time_taken < 5.0

    def test_F21_connections_move_to_a_worker_that_has_few_and_no_request_is_lost(
        self, pair: Server
    ) -> None:
        idle, busy = pair.workers()
        with ExitStack() as held:
            with _stopped(idle):
                wires = held.enter_context(opened(pair, 32))
                before = spread(pair, wires)
            until(lambda: _is_even(pair, wires))
            until(
                lambda: sum(ask_all(partial(connect, pair), wires) for _ in range(10)) == 0
            )  # it comes to rest

        assert before[busy] == 32

    def test_F21_a_worker_alone_gives_no_connection_away(
        self, tmp_path: Path, store_url: str
    ) -> None:
        publish(Shelf(tmp_path / "shelf", "demo"))
        with a_server(tmp_path, store_url, workers=1) as server, opened(server, 32) as wires:
            until(lambda: server.ask("GET", "/readyz").status in (200, 503))
            n_moved = sum(ask_all(partial(connect, server), wires) for _ in range(20))

        assert n_moved == 0


def _is_even(server: Server, wires: list[socket.socket]) -> bool:
    """Whether, after everybody asked once more, both workers have a fair part of all."""
    ask_all(partial(connect, server), wires)
    counts = spread(server, wires)
    return counts.total() == len(wires) and min(counts.values()) >= len(wires) // 3


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class TestParting:
    def test_F48_who_does_not_close_what_was_ended_holds_nobody_up(
        self, tmp_path: Path, store_url: str
    ) -> None:
        publish(Shelf(tmp_path / "shelf", "demo"))
        with (
            a_server(tmp_path, store_url, workers=1) as server,
            ExitStack() as held,
            connect(server) as other,
        ):
            late = [held.enter_context(connect(server)) for _ in range(4)]
            statuses = [status_of(wire, LAST) for wire in late]
            time_taken = -time.monotonic()
            statuses.append(status_of(other, LIVEZ))
            time_taken += time.monotonic()

            assert statuses == [200] * 5
            assert time_taken < 1.0  # two seconds for each of the four, where one waits for them
            assert [wire.recv(1) for wire in late] == [b""] * 4
            (worker,) = server.workers()
            until(lambda: spread(server, late) == {worker: 0})

    def test_F21_a_refused_body_of_any_size_gets_its_answer_whole(
        self, tmp_path: Path, store_url: str, key: str
    ) -> None:
        with full_server(tmp_path, store_url, key) as (server, _), connect(server) as wire:
            size = 300_000
            sizes = ("Content-Type: application/json", f"Content-Length: {size}")
            wire.sendall(head("PUT", CONSENT, key, *sizes) + b" " * size)
            status, headers, body = answer_on(wire)
            after = wire.recv(1)

        assert (status, headers["connection"], after) == (503, "close", b"")
        assert b'"overloaded"' in body


@contextmanager
def full_server(
    folder: Path, store_url: str, key: str
) -> Iterator[tuple[Server, Callable[[], int]]]:
    """A worker that has no room, and what makes room again: the status of who had it."""
    publish(Shelf(folder / "shelf", "demo"))
    bounds = {"RECSVC_THREADS": "1", "RECSVC_WAITING_LIMIT": "0"}
    with (
        a_server(folder, store_url, environment=bounds, workers=1) as server,
        ExitStack() as held,
    ):
        yield server, filled(partial(connect, server), key, held)


def filled(reach: Callable[[], socket.socket], key: str, held: ExitStack) -> Callable[[], int]:
    """Take the only place of a server; a call gives it back and tells the status."""
    get = head("GET", CONSENT, key)
    until(lambda: status_of(held.enter_context(reach()), get) == 200)
    slow = until(lambda: let_in_without_body(held.enter_context(reach()), key))

    def release() -> int:
        slow.sendall(YES)
        return answer_on(slow)[0]

    return release


class TestRefusing:
    def test_F21_who_asks_again_at_once_is_answered_no_sooner_than_after_a_rest(
        self, tmp_path: Path, store_url: str, key: str
    ) -> None:
        get = head("GET", CONSENT, key)
        with full_server(tmp_path, store_url, key) as (server, release), connect(server) as wire:
            times = [_time_of(wire, get, 503) for _ in range(12)]
            released = release()
            until(lambda: status_of(wire, get) == 200)

        assert released == 200
        assert min(times[1:]) > 0.9 * REST_SECONDS
        assert sorted(times)[6] < 0.25

    def test_F21_who_comes_back_after_a_rest_is_refused_at_once_or_let_in(
        self, tmp_path: Path, store_url: str, key: str
    ) -> None:
        get = head("GET", CONSENT, key)
        with full_server(tmp_path, store_url, key) as (server, release), connect(server) as wire:
            first = status_of(wire, get)
            wire.settimeout(5 * REST_SECONDS)
            with pytest.raises(TimeoutError):
                wire.recv(1)
            wire.settimeout(20)
            times = [_time_of(wire, get, 503)]
            released = release()
            let_in = until(lambda: status_of(wire, get) == 200)

        assert (first, released, let_in) == (503, 200, True)
        assert times[0] < 1.0

    def test_F21_probes_are_not_refused_also_on_a_connection_that_rests(
        self, tmp_path: Path, store_url: str, key: str
    ) -> None:
        with (
            full_server(tmp_path, store_url, key) as (server, release),
            connect(server) as new,
            connect(server) as rests,
        ):
            refused = status_of(rests, head("GET", CONSENT, key))
            for wire in (new, rests):
                wire.sendall(LIVEZ)
            new.settimeout(0.3)
            with pytest.raises(TimeoutError):  # it waits for the thread, it is not refused
                new.recv(1)
            new.settimeout(20)
            released = release()

            assert (refused, released) == (503, 200)
            assert [answer_on(wire)[0] for wire in (new, rests)] == [200, 200]

    def test_F21_who_goes_while_his_connection_rests_is_forgotten(
        self, tmp_path: Path, store_url: str, key: str
    ) -> None:
        get = head("GET", CONSENT, key)
        with full_server(tmp_path, store_url, key) as (server, _), ExitStack() as held:
            wires = [held.enter_context(connect(server)) for _ in range(20)]
            statuses = {status_of(wire, get) for wire in wires}
            while_open = spread(server, wires).total()
            for wire in wires:
                wire.shutdown(socket.SHUT_WR)
            ends = {wire.recv(1) for wire in wires}
            until(lambda: spread(server, wires).total() == 0)

        assert (statuses, while_open, ends) == ({503}, 20, {b""})


def _time_of(wire: socket.socket, sent: bytes, expected: int) -> float:
    """Seconds until an answer of this status."""
    began = time.monotonic()
    assert status_of(wire, sent) == expected
    return time.monotonic() - began


class TestListeners:
    """The same over TLS and over a unix socket."""

    @pytest.fixture(params=["tls", "unix"])
    def listener(
        self, request: pytest.FixtureRequest, tmp_path: Path
    ) -> tuple[Callable[[], socket.socket], dict[str, str]]:
        """How to reach a server, and what makes it listen there."""
        publish(Shelf(tmp_path / "shelf", "demo"))
        if request.param == "tls":
            return _over_tls(tmp_path)
        path = tmp_path / "here.sock"
        return partial(_at_path, path), {"RECSVC_BIND": f"unix:{path}"}

    def test_F21_a_request_without_room_is_refused_and_its_connection_lives_on(
        self,
        listener: tuple[Callable[[], socket.socket], dict[str, str]],
        tmp_path: Path,
        store_url: str,
        key: str,
    ) -> None:
        reach, environment = listener
        bounds = {"RECSVC_THREADS": "1", "RECSVC_WAITING_LIMIT": "0", "RECSVC_WORKERS": "1"}
        get = head("GET", CONSENT, key)
        with (
            a_server_behind(reach, tmp_path, store_url, environment | bounds),
            ExitStack() as held,
        ):
            known = held.enter_context(reach())
            until(lambda: status_of(known, get) == 200)
            release = filled(reach, key, held)
            refused = [_time_of(known, get, 503) for _ in range(5)]
            known.sendall(LIVEZ)
            released = release()
            probed = answer_on(known)[0]

            assert min(refused[1:]) > 0.9 * REST_SECONDS
            assert (released, probed) == (200, 200)
            until(lambda: status_of(known, get) == 200)

    def test_F48_who_says_nothing_holds_no_thread_and_connections_end_without_loss(
        self,
        listener: tuple[Callable[[], socket.socket], dict[str, str]],
        tmp_path: Path,
        store_url: str,
    ) -> None:
        reach, environment = listener
        with (
            a_server_behind(
                reach,
                tmp_path,
                store_url,
                environment | {"RECSVC_WORKERS": "2", "RECSVC_THREADS": "2"},
            ),
            ExitStack() as held,
        ):
            wires = [reach() for _ in range(30)]
            for wire in wires:
                held.callback(wire.close)
            for _ in range(3):
                ask_all(reach, wires)
            last = {status_of(wire, LAST) for wire in wires}
            ends = {wire.recv(1) for wire in wires}
            for wire in wires:
                wire.close()

        assert (last, ends) == ({200}, {b""})


def test_F48_who_does_not_finish_shaking_hands_gives_his_thread_back(
    tmp_path: Path, store_url: str
) -> None:
    publish(Shelf(tmp_path / "shelf", "demo"))
    reach, environment = _over_tls(tmp_path)
    port = int(environment["RECSVC_BIND"].rsplit(":", 1)[1])
    bounds = {"RECSVC_THREADS": "2", "RECSVC_WORKERS": "1", "RECSVC_HEAD_SECONDS": "0.5"}
    with a_server_behind(reach, tmp_path, store_url, environment | bounds), ExitStack() as held:
        for _ in range(6):
            wire = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            wire.sendall(b"\x16\x03\x01")
        with reach() as other:
            status = status_of(other, LIVEZ)

    assert status == 200


def _over_tls(folder: Path) -> tuple[Callable[[], socket.socket], dict[str, str]]:
    certificate, port = a_certificate(folder, "localhost"), a_free_port()
    trust = ssl.create_default_context(cafile=str(certificate))

    def reach() -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
        try:
            return trust.wrap_socket(plain, server_hostname="localhost")
        except OSError:
            plain.close()
            raise

    told = f"--certfile {certificate} --keyfile {certificate}"
    return reach, {"RECSVC_BIND": f"127.0.0.1:{port}", "GUNICORN_CMD_ARGS": told}


def _at_path(path: Path) -> socket.socket:
    wire = socket.socket(socket.AF_UNIX)
    wire.settimeout(20)
    try:
        wire.connect(str(path))
    except OSError:
        wire.close()
        raise
    return wire
