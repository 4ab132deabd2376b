"""Fetches one small document from one configured address, within a time that nobody can stretch."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

WAIT_SECONDS = 2.0
"""For a connection, and for each of its answers."""
WHOLE_SECONDS = 6.0
"""For all of it: who sends a byte now and then keeps the keys of no other provider waiting."""


class NotFetchedError(Exception):
    """It did not come, or not whole; the message says which."""


def fetched(url: str, most_bytes: int, whole_seconds: float = WHOLE_SECONDS) -> bytes:
    """The body of a 200 answer, of at most so many bytes and one; no redirect, no proxy.

    Raises
    ------
    NotFetchedError
        another status, or not whole in time
    OSError, http.client.HTTPException
        as the library's own
    """
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=WAIT_SECONDS)
    try:
        connection.connect()
        with _ended_after(whole_seconds, connection.sock) as is_cut:
            target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            connection.request("GET", target, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            body = answer.read(most_bytes + 1)
    finally:
        connection.close()
    if is_cut.is_set():  # what came until then looks like a whole answer
        raise NotFetchedError("not whole in time")
    if answer.status != 200:
        raise NotFetchedError(f"status {answer.status}")
    return body


@contextlib.contextmanager
def _ended_after(seconds: float, wire: socket.socket) -> Iterator[threading.Event]:
    """End a socket from another thread when the block takes longer; the event tells that it did."""
    is_cut = threading.Event()

    def cut() -> None:
        is_cut.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(wire, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_cut
    finally:
        timer.cancel()
