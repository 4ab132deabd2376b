"""A TCP proxy that misbehaves on demand: slow, silent, closed, torn."""

import contextlib
import socket
import threading
import time
from enum import Enum
from typing import Self

CHUNK = 65_536


class Mood(Enum):
    """How the proxy treats what passes through it."""

    PASSES = "passes"
    SLOW = "slow"
    SILENT = "silent"
    """Accepts and never answers, on old and new connections."""
    HALF_OPEN = "half_open"
    """Old connections go silent without being closed; new ones work."""
    CLOSED = "closed"
    """Refuses new connections and resets old ones."""


class FaultProxy:
    """Stands between the service and a store, on a port of its own.

    Parameters
    ----------
    target : host and port behind it
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self.mood = Mood.PASSES
        self.delay_seconds = 0.0
        self._links: list[_Link] = []
        self._lock = threading.Lock()
        self._stopping = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._listener.close()
        self._drop_links()

    def turn(self, mood: Mood, delay_seconds: float = 0.0) -> None:
        """Change how everything is treated from now on."""
        self.delay_seconds = delay_seconds
        self.mood = mood
        if mood is Mood.HALF_OPEN:
            for link in self._open_links():
                link.is_dead = True
        if mood is Mood.CLOSED:
            self._drop_links()

    def _accept(self) -> None:
        while not self._stopping:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._link(client)

    def _link(self, client: socket.socket) -> None:
        if self.mood is Mood.CLOSED:
            _reset(client)
            return
        try:
            server = socket.create_connection(self._target, timeout=2)
        except OSError:
            _reset(client)
            return
        server.settimeout(None)
        link = _Link(self, client, server)
        with self._lock:
            self._links.append(link)
        link.start()

    def _open_links(self) -> list["_Link"]:
        with self._lock:
            return list(self._links)

    def _drop_links(self) -> None:
        with self._lock:
            links, self._links = self._links, []
        for link in links:
            link.close()


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: FaultProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._ends = (client, server)
        self.is_dead = False

    def start(self) -> None:
        for source, sink in (self._ends, self._ends[::-1]):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if self.is_dead or self._proxy.mood is Mood.SILENT:
                    self.is_dead = True  # what was swallowed is not told later
                    continue
                if self._proxy.mood is Mood.SLOW and sink is self._ends[0]:
                    time.sleep(self._proxy.delay_seconds)
                sink.sendall(data)
        self.close()

    def close(self) -> None:
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _reset(client: socket.socket) -> None:
    """Close with RST, as a kernel does where nobody listens."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    client.close()
