"""A small load generator: keep-alive connections, one request in flight on each, one process.

A connection whose answer says `Connection: close` is opened anew, as any client does.
"""

import selectors
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
OK = b"http/1.1 200 "
LAST = b"\r\nconnection: close\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of requests came to.

    Parameters
    ----------
    requests : int
    failures : int              answers other than 200
    seconds : float
    latencies : tuple of float  seconds, ascending
    refused : tuple of float    of those, the latencies of answers other than 200, ascending
    """

    requests: int
    failures: int
    seconds: float
    latencies: tuple[float, ...]
    refused: tuple[float, ...] = ()

    @property
    def goodput(self) -> float:
        """Requests a second that were answered with 200."""
        return (self.requests - self.failures) / self.seconds

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    def quantile(self, share: float) -> float:
        """Latency in seconds below which this share of the requests lies."""
        return self.latencies[min(int(share * len(self.latencies)), len(self.latencies) - 1)]


@dataclass(slots=True)
class _Lane:
    """One connection and what it waits for."""

    channel: socket.socket
    asked_at: float = 0.0
    received: bytes = b""

    def ask(self, request: bytes) -> None:
        """Send a request; what is received from now on is its answer."""
        self.received = b""
        self.channel.sendall(request)
        self.asked_at = time.perf_counter()


def requests_for(paths: Sequence[str], host: str, key: str | None) -> list[bytes]:
    """GET requests of these paths, as bytes on the wire."""
    credential = f"Authorization: Bearer {key}\r\n" if key else ""
    return [f"GET {p} HTTP/1.1\r\nHost: {host}\r\n{credential}\r\n".encode() for p in paths]


def generate(address: str, requests: Sequence[bytes], lanes: int, seconds: float) -> Load:
    """Ask over so many connections for so long, from a process of its own.

    Returns
    -------
    Load; answers that came after the end are not counted
    """
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(_generate, address, list(requests), lanes, seconds).result()


def _generate(address: str, requests: list[bytes], lanes: int, seconds: float) -> Load:
    wanted = cycle(requests)
    selector = selectors.DefaultSelector()
    opened = [_Lane(_connected(address)) for _ in range(lanes)]  # before the first asks and waits
    for new in opened:
        _ask_first(selector, new, next(wanted))
    latencies: list[float] = []
    refused: list[float] = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for key, _ in selector.select(timeout=0.5):
            lane: _Lane = key.data
            lane.received += lane.channel.recv(262_144)
            if (answer := _finished(lane.received)) is None:
                continue
            now = time.perf_counter()
            latencies.append(now - lane.asked_at)
            if not answer.startswith(OK):
                refused.append(now - lane.asked_at)
            if LAST in answer:
                selector.unregister(lane.channel)
                lane.channel.close()
                _ask_first(selector, _Lane(_connected(address)), next(wanted))
            else:
                lane.ask(next(wanted))
    elapsed = time.perf_counter() - start
    for key in list(selector.get_map().values()):
        key.data.channel.close()
    every, others = tuple(sorted(latencies)), tuple(sorted(refused))
    return Load(len(every), len(others), elapsed, every, others)


def _connected(address: str) -> socket.socket:
    host, port = address.rsplit(":", 1)
    channel = socket.create_connection((host, int(port)))
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return channel


def _ask_first(selector: selectors.BaseSelector, lane: _Lane, request: bytes) -> None:
    selector.register(lane.channel, selectors.EVENT_READ, lane)
    lane.ask(request)


def _finished(received: bytes) -> bytes | None:
    """Head of a whole answer, in small letters; None while part of it is still to come."""
    head, found, body = received.partition(HEAD_END)
    if not found:
        if not received:
            raise ConnectionError("the server closed a connection that was to be kept alive")
        return None
    head = head.lower() + b"\r\n"
    place = head.find(LENGTH)
    length = int(head[place + len(LENGTH) :].split(b"\r\n", 1)[0])
    return head if len(body) >= length else None
