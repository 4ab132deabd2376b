"""A real gunicorn that has more to do than it can, and clients that send slowly or oddly."""

import json
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from embeddings.shelf import Shelf
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.api_keys import SCOPES
from tests.bundles import publish
from tests.service import NOON, Server, a_server, until
from tests.wire import (
    CONSENT,
    YES,
    answer_on,
    connect,
    head,
    let_in_without_body,
    put_head,
    status_of,
)

PAN = "4111111111111111"


@pytest.fixture
def key(stores: Stores) -> str:
    return stores.api_keys.create("demo", SCOPES, now=NOON)[1]


@contextmanager
def one_worker(folder: Path, store_url: str, **setting: object) -> Iterator[Server]:
    """A server with one worker and these settings."""
    publish(Shelf(folder / "shelf", "demo"))
    environment = {f"RECSVC_{name.upper()}": str(value) for name, value in setting.items()}
    with a_server(folder, store_url, environment=environment, workers=1) as server:
        yield server


def talk(server: Server, sent: bytes) -> bytes:
    """Everything a server answers until it closes the connection."""
    with connect(server) as wire:
        wire.sendall(sent)
        return b"".join(iter(lambda: wire.recv(65536), b""))


class TestMoreThanItCanTake:
    def test_F21_a_request_without_room_is_refused_at_once_and_its_connection_lives_on(
        self, tmp_path: Path, store_url: str, key: str
    ) -> None:
        with (
            one_worker(tmp_path, store_url, threads=1, waiting_limit=0) as server,
            ExitStack() as held,
            connect(server) as other,
        ):
            get = head("GET", CONSENT, key)
            until(lambda: status_of(other, get) == 200)  # the thread is free of who came before
            slow = until(lambda: _holding(server, key, held))  # its body keeps the only thread
            other.sendall(get)
            time_taken = -time.monotonic()
            status, headers, body = answer_on(other)
            time_taken += time.monotonic()
            slow.sendall(YES)
            slow_status = answer_on(slow)[0]

            assert (status, headers["retry-after"]) == (503, "1")
            assert headers["content-type"] == "application/problem+json"
            assert json.loads(body)["code"] == "overloaded"
            assert json.loads(body)["instance"] == headers["x-request-id"]
            assert time_taken < 1.0
            assert slow_status == 200
            assert until(lambda: status_of(other, get) == 200)
            assert 'event="request_shed"' in server.ask("GET", "/metrics").body.decode()

    def test_F22_a_request_whose_deadline_passed_in_the_queue_is_not_worked_on(
        self, tmp_path: Path, store_url: str, key: str, stores: Stores
    ) -> None:
        with (
            one_worker(tmp_path, store_url, threads=1) as server,
            connect(server) as slow,
            connect(server) as waiting,
        ):
            until(lambda: server.ask("GET", CONSENT, key=key).status == 200)
            slow.sendall(put_head(key))
            until(lambda: _is_taken(server, head("GET", CONSENT, key)))
            late = put_head(key).replace(b"/c/", b"/late/")[:-2] + b"X-Request-Deadline-Ms: 50\r\n"
            waiting.sendall(late + b"\r\n" + YES)
            waiting.settimeout(0.3)
            with pytest.raises(TimeoutError):
                waiting.recv(1)
            waiting.settimeout(20)
            slow.sendall(YES)

            assert answer_on(slow)[0] == 200
            status, _, body = answer_on(waiting)
            assert (status, json.loads(body)["code"]) == (504, "deadline_passed")
            assert stores.cardholders.state_of("demo", "late").consent.recorded_at is None


def _is_taken(server: Server, get: bytes) -> bool:
    """Whether a request gets no answer for a while, because another one has the only thread."""
    with connect(server) as probe:
        probe.sendall(get)
        probe.settimeout(0.3)
        try:
            probe.recv(1)
        except TimeoutError:
            return True
    return False


class TestSlowSenders:
    def test_F48_half_sent_heads_give_their_threads_back(
        self, tmp_path: Path, store_url: str, key: str
    ) -> None:
        with (
            one_worker(tmp_path, store_url, threads=2, head_seconds=0.5) as server,
            ExitStack() as held,
        ):
            for _ in range(12):
                wire = held.enter_context(connect(server))
                wire.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")

            assert until(lambda: server.ask("GET", CONSENT, key=key).status == 200, 30)

    def test_F48_half_sent_heads_that_waited_keep_their_threads_no_longer(
        self, tmp_path: Path, store_url: str, key: str
    ) -> None:
        with (
            one_worker(tmp_path, store_url, threads=1, head_seconds=4) as server,
            ExitStack() as held,
        ):
            for _ in range(6):
                wire = held.enter_context(connect(server))
                wire.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            began = time.monotonic()
            wire = held.enter_context(connect(server))
            assert status_of(wire, head("GET", CONSENT, key)) == 200

            assert time.monotonic() - began < 18  # four seconds each were twenty-four

    def test_F33_F48_who_says_nothing_holds_no_thread(
        self, tmp_path: Path, store_url: str, key: str
    ) -> None:
        with (
            one_worker(tmp_path, store_url, threads=2, head_seconds=60) as server,
            ExitStack() as held,
        ):
            for _ in range(200):
                held.enter_context(connect(server))

            assert {server.ask("GET", CONSENT, key=key).status for _ in range(5)} == {200}

    def test_F33_with_no_descriptor_left_it_refuses_new_ones_goes_on_and_recovers(
        self, tmp_path: Path, store_url: str, key: str
    ) -> None:
        with one_worker(tmp_path, store_url, threads=2) as server:
            get = head("GET", CONSENT, key)
            (worker,) = server.workers()
            with ThreadPoolExecutor(4) as crowd:  # every connection to the store that it may want
                list(crowd.map(lambda _: server.ask("GET", CONSENT, key=key), range(80)))
            with connect(server) as known:
                before = status_of(known, get)
                n_open = len([*Path(f"/proc/{worker}/fd").iterdir()])
                resource.prlimit(worker, resource.RLIMIT_NOFILE, (n_open + 8, n_open + 8))
                with ExitStack() as held:
                    for _ in range(64):
                        held.enter_context(connect(server))
                    while_full = [status_of(known, get) for _ in range(5)]
            after = until(lambda: _tried(server, key) == 200)

            assert (before, set(while_full), after) == (200, {200}, True)
            assert server.workers() == [worker]

    def test_F37_a_body_shorter_than_it_said_is_no_request(
        self, tmp_path: Path, store_url: str, key: str
    ) -> None:
        with one_worker(tmp_path, store_url) as server:
            with connect(server) as wire:
                wire.sendall(put_head(key) + YES[:10])
                wire.shutdown(socket.SHUT_WR)
                status = answer_on(wire)[0]

            assert status == 400
            assert server.ask("GET", CONSENT, key=key).json["personalisation"] is False


def _holding(server: Server, key: str, held: ExitStack) -> socket.socket | None:
    return let_in_without_body(held.enter_context(connect(server)), key)


def _tried(server: Server, key: str) -> int:
    try:
        return server.ask("GET", CONSENT, key=key).status
    except OSError:
        return 0


SMUGGLED = {
    "length_and_chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    "two_lengths": b"Content-Length: 4\r\nContent-Length: 5\r\n",
    "odd_length": b"Content-Length: +4\r\n",
    "odd_chunking": b"Transfer-Encoding: chunked, identity\r\n",
    "folded": b"X-A: b\r\n c\r\n",
    "blank_before_colon": b"X-A : b\r\n",
    "bare_return": b"X-A: b\rX-B: c\r\n",
    "nul": b"X-A: \x00\r\n",
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that needs no store for what is asked here."""
    with one_worker(tmp_path_factory.mktemp("odd"), "redis://127.0.0.1:1/0") as running:
        yield running


class TestOddBytes:
    @pytest.mark.parametrize("name", SMUGGLED)
    def test_F48_what_two_readers_could_read_differently_is_refused(
        self, odd: Server, name: str
    ) -> None:
        sent = b"POST /livez HTTP/1.1\r\nHost: x\r\n" + SMUGGLED[name] + b"\r\nabcd"
        answer = talk(odd, sent + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")

        assert answer.split(b" ")[1] in (b"400", b"501")
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"application/problem+json" in answer

    def test_F46_F62_bytes_that_are_no_request_are_neither_repeated_nor_logged(
        self, odd: Server
    ) -> None:
        key = "rsk_seeded_secret"
        sent = [
            f"GET@{PAN} /{key} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            f"GET /{key} HTTP/9.9\r\nHost: x\r\n\r\n",
            f"GET /livez HTTP/1.1\r\nHost: x\r\n{PAN} {key}\r\n\r\n",
            f"GET /livez HTTP/1.1\r\nHost: x\r\nX: {'y' * 9000}{PAN}\r\n\r\n",
        ]
        answers = b"".join(talk(odd, one.encode()) for one in sent)
        log = until(lambda: _logged(odd, "bytes_refused", len(sent)))

        assert PAN.encode() not in answers
        assert key.encode() not in answers
        assert PAN not in log
        assert key not in log

    @pytest.mark.parametrize(
        "version", ["..%2f..%2fetc%2fpasswd", "%2e%2e", "%2fetc%2fpasswd", "a%00b", "..:x"]
    )
    def test_F45_a_version_that_is_a_path_leads_nowhere(self, odd: Server, version: str) -> None:
        assert odd.ask("POST", f"/v1/models/{version}:promote").status in (401, 404, 405, 503)

    def test_F56_who_says_he_is_a_proxy_is_not_believed(self, odd: Server) -> None:
        told = {
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https",
        }
        answer = odd.ask("GET", "/livez", headers=told)

        assert answer.status == 200
        assert b"evil.example" not in answer.body + str(answer.headers).encode()


def _logged(server: Server, event: str, times: int) -> str:
    text = server.log_path.read_text()
    return text if text.count(f'"{event}"') >= times else ""
