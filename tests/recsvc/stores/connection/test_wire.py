"""What comes over a store's own socket: whole, in pieces, refused, cut off."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from recsvc.domain.errors import StoreAwayError
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.wire import READ_BYTES, Wire
from tests.certificates import a_certificate
from tests.service import a_connection

Behaves = Callable[[socket.socket], None]


@contextmanager
def a_store_that(behaves: Behaves, waits: float = 5.0) -> Iterator[Wire]:
    """A wire to somebody who answers one packed command in a way of his own."""
    ours, theirs = socket.socketpair()
    ours.settimeout(waits)
    thread = threading.Thread(target=behaves, args=(theirs,))
    thread.start()
    with ours, theirs:
        yield Wire(ours, lambda: waits)
        ours.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def in_pieces(theirs: socket.socket) -> None:
    theirs.recv(1)
    for byte in b"*2\r\n$3\r\none\r\n$-1\r\n:7\r\n+OK\r\n":
        theirs.sendall(bytes([byte]))


def then_closes(theirs: socket.socket) -> None:
    theirs.recv(1)
    theirs.sendall(b"$3\r\non")
    theirs.shutdown(socket.SHUT_RDWR)


def in_no_known_way(theirs: socket.socket) -> None:
    theirs.recv(1)
    theirs.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def never_to_the_end(theirs: socket.socket) -> None:
    theirs.recv(1)
    theirs.sendall(b"$3\r\non")
    theirs.recv(1)


def test_answers_that_come_byte_by_byte_are_put_together() -> None:
    with a_store_that(in_pieces) as wire:
        assert wire.ask(b"x", 3) == [[b"one", None], 7, b"OK"]


@pytest.mark.parametrize("behaves", [then_closes, in_no_known_way])
def test_an_answer_that_breaks_off_or_is_none_is_a_failed_connection(behaves: Behaves) -> None:
    with a_store_that(behaves) as wire, pytest.raises(RedisConnectionError):
        wire.ask(b"x", 1)


def test_an_answer_without_an_end_is_waited_for_no_longer_than_it_may_last() -> None:
    with a_store_that(never_to_the_end, 0.1) as wire, pytest.raises(RedisTimeoutError):
        wire.ask(b"x", 1)


def test_an_answer_larger_than_what_is_read_at_once_is_whole(durable: Connection) -> None:
    long = b"x" * (3 * READ_BYTES + 1)
    durable.ask(lambda store: store.set("long", long))

    assert durable.read_together([("GET", "long"), ("ECHO", "after")]) == [long, b"after"]


def test_a_refusal_is_told_in_the_client_library_s_words_and_harms_nothing(
    durable: Connection, metrics: Metrics
) -> None:
    durable.ask(lambda store: store.set("text", "1"))
    with pytest.raises(StoreAwayError, match="refused"):
        durable.read_together([("HGETALL", "text"), ("GET", "text")])

    assert durable.read_together([("GET", "text")]) == [b"1"]
    assert b'recsvc_happenings_total{event="profile_store_refused"} 1.0' in metrics.exposition()


def test_a_store_that_wants_a_password_is_told_apart(log: Log, metrics: Metrics) -> None:
    def asks_who_it_is(theirs: socket.socket) -> None:
        with theirs:
            while theirs.recv(4096):
                theirs.sendall(b"-NOAUTH Authentication required.\r\n")

    with listening(asks_who_it_is) as port:
        connection = a_connection(f"redis://127.0.0.1:{port}/0", log=log, metrics=metrics)
        with pytest.raises(StoreAwayError, match="not_authorised"):
            connection.read_together([("GET", "x")])
        connection.close()


def test_what_is_read_together_goes_over_tls_too(
    tmp_path: Path, store_url: str, log: Log, metrics: Metrics
) -> None:
    host, _, port = store_url.removeprefix("redis://").removesuffix("/0").partition(":")
    certificate = a_certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def relays(theirs: socket.socket) -> None:
        with (
            context.wrap_socket(theirs, server_side=True) as inside,
            socket.create_connection((host, int(port))) as store,
        ):
            while asked := inside.recv(65_536):
                store.sendall(asked)
                inside.sendall(store.recv(65_536))

    with listening(relays) as door:
        url = f"rediss://localhost:{door}/0?ssl_ca_certs={certificate}"
        connection = a_connection(url, log=log, metrics=metrics)
        answers = [connection.read_together([("ECHO", str(n))]) for n in range(3)]
        connection.close()

    assert answers == [[b"0"], [b"1"], [b"2"]]


@contextmanager
def listening(behaves: Behaves) -> Iterator[int]:
    """A port at which each comer is dealt with in a thread of his own."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def accept() -> None:
            while True:
                try:
                    comer, _ = door.accept()
                except OSError:
                    return
                threading.Thread(target=behaves, args=(comer,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield int(door.getsockname()[1])
        door.shutdown(socket.SHUT_RDWR)
