"""The worker that gunicorn runs: refuses quickly what it cannot take, and waits for no one long.

gunicorn's own threaded worker queues requests without end and waits for whoever sends slowly. This
one

* bounds the queue: beyond the requests being answered and a few that wait, a request is refused
  in the event loop, unread, with 503 and `Retry-After`; the probes of an orchestrator pass; who
  asks again at once is not looked at before a short rest, so that refusing stays cheap;
* takes the thread back from who does not finish the head of a request in time, which runs from
  its first byte, in the queue too;
* tells each request how long it waited, so that deadlines of callers count from arrival.
"""

import math
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from ssl import SSLWantReadError
from typing import Any

from gunicorn.http import get_parser  # type: ignore[import-untyped]
from gunicorn.workers import gthread  # type: ignore[import-untyped]

from recsvc.api.http.lifecycle import WAITED
from recsvc.app import EXTENSION
from recsvc.server.connections import Connection, SharingWorker
from recsvc.server.wire_answers import Overloaded, refused_bytes, status_of
from recsvc.services import Services

PROBES = (b"GET /livez", b"GET /readyz", b"GET /metrics")
LOOK_BYTES = 65_536
BODY_SECONDS = 30.0
LATE_HEAD_SECONDS = 0.1
"""What the head of a request gets when its time ran out in the queue: what was sent is there."""
REST_SECONDS = 0.024
"""How long a connection whose request was refused is not looked at. It was told to come back in a
second; without a rest, those who do not heed it take the processor from who was let in."""
STROKE_SECONDS = 0.004
"""Those who rest are looked at again many at a time, at the strokes of a clock."""
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def is_whole_get(sent: bytes) -> bool:
    """Whether these bytes are one GET request and nothing after it."""
    return sent.startswith(b"GET ") and sent.find(b"\r\n\r\n") == len(sent) - 4


class BoundedWorker(SharingWorker):
    """A threaded worker with a bounded queue; `gunicorn_conf` sets its bounds after the fork."""

    waiting_limit = 32

    def init_process(self) -> None:
        """Prepare the queue's bounds, then start as gunicorn does."""
        self.outstanding = 0
        self.most_outstanding: int = self.cfg.threads + self.waiting_limit
        self.shed = 0
        self.overloaded = Overloaded()
        self.resting: deque[tuple[float, Connection]] = deque()
        self.turn = threading.local()
        self.reading: dict[Any, float] = {}
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application and let it know how long each request waited."""
        super().load_wsgi()
        self.wsgi.wsgi_app = self._stamped(self.wsgi.wsgi_app)

    def _stamped(self, app: App) -> App:
        turn, reading = self.turn, self.reading

        def stamped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401
            environ[WAITED] = turn.waited
            reading[turn.conn] = time.monotonic() + BODY_SECONDS
            return app(environ, start_response)

        return stamped

    def handle(self, conn: Connection) -> Any:  # noqa: ANN401 - gunicorn's word for what comes next
        """Answer one request of a connection, in a thread of the pool."""
        now = time.monotonic()
        self.turn.waited, self.turn.conn = now - conn.queued_at, conn
        self.reading[conn] = max(conn.queued_at + self.head_seconds, now + LATE_HEAD_SECONDS)
        try:
            return self._greet(conn) if self._is_unknown(conn) else super().handle(conn)
        finally:
            self.reading.pop(conn, None)

    def _is_unknown(self, conn: Connection) -> bool:
        return bool(self.cfg.is_ssl) and not conn.initialized

    def _greet(self, conn: Connection) -> Any:  # noqa: ANN401 - gunicorn's word for what comes next
        """Shake hands as TLS has it, and give the thread back until a request comes."""
        try:
            conn.init()
        except OSError:
            self.log.debug("A TLS handshake failed.")
            return False
        return super().handle(conn) if conn.is_http2 or conn.sock.pending() else gthread._DEFER  # noqa: SLF001 - its word

    @property
    def has_room(self) -> bool:
        """Whether one more request would be let in."""
        return self.outstanding < self.most_outstanding

    def enqueue_req(self, conn: Connection) -> None:
        """Queue a request, or refuse it at once when too many wait."""
        if self.has_room or not self._can_be_read(conn):
            self.let_in(conn)
        else:
            self._look_at(conn)

    def let_in(self, conn: Connection, came_at: float | None = None) -> None:
        """Queue what a connection sent, now or at a moment of the monotonic clock."""
        self.outstanding += 1
        conn.queued_at = time.monotonic() if came_at is None else came_at
        super().enqueue_req(conn)

    def finish_request(self, conn: Connection, fs: Any) -> None:  # noqa: ANN401 - a future
        """Take note of an answer; runs in the event loop."""
        self.outstanding -= 1
        super().finish_request(conn, fs)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:  # noqa: ANN401, ARG002
        """Answer bytes that are no request, or a worker's own failure; neither is repeated.

        gunicorn would write the request line into its answer and into its log.
        """
        status = status_of(exc)
        self._services.log.warning("bytes_refused", kind=type(exc).__name__, status=status.value)
        with suppress(OSError):
            client.sendall(refused_bytes(status))

    @property
    def _services(self) -> Services:
        services: Services = self.wsgi.extensions[EXTENSION]
        return services

    def _can_be_read(self, conn: Connection) -> bool:
        """Whether the event loop can see what a connection sent.

        Not before the handshake of TLS, which takes a thread; nor when it was read already.
        """
        if conn.parser is None:
            return not self.cfg.is_ssl
        return not (conn.is_http2 or conn.parser.unreader.buf.getvalue())

    def _look_at(self, conn: Connection) -> None:
        """Do what is right with what a connection sent, which is in no poller now."""
        sent = self.received(conn)
        if sent is None:
            self._watch(conn)
        else:
            self.see_to(conn, sent)

    def received(self, conn: Connection) -> bytes | None:
        """What a connection sent; empty when it ended, None where nothing is there yet."""
        try:
            return bytes(conn.sock.recv(LOOK_BYTES))
        except (BlockingIOError, SSLWantReadError):
            return None
        except OSError:
            return b""

    def see_to(self, conn: Connection, sent: bytes) -> None:
        """Let in what was read from a connection that is in no poller now, or refuse it."""
        if not sent:  # he went away; nobody need be given a thread to see that
            self.nr_conns -= 1
            conn.close()
        elif self.has_room or sent.startswith(PROBES):
            self.give_back(conn, sent)
            self.let_in(conn)
        else:
            self._refuse(conn, sent)

    def keep(self, conn: Connection) -> None:
        """Count a connection as idle from now on; not for long once the worker stops."""
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + gthread.STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)

    def _watch(self, conn: Connection) -> None:
        self.keep(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def give_back(self, conn: Connection, sent: bytes) -> None:
        """Let the parser of a connection read what was read from it already."""
        if conn.parser is None:
            conn.parser = get_parser(self.cfg, conn.sock, conn.client)
        conn.parser.unreader.unread(sent)
        conn.data_ready = True

    def _refuse(self, conn: Connection, sent: bytes) -> None:
        keep = self.alive and is_whole_get(sent)
        self.shed += 1
        try:
            conn.sock.send(self.overloaded.answer(keep=keep))
        except OSError:
            keep = False
        if keep:
            strokes = math.ceil((time.monotonic() + REST_SECONDS) / STROKE_SECONDS)
            self.resting.append((strokes * STROKE_SECONDS, conn))
        else:
            self.nr_conns -= 1
            conn.close(graceful=True)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events and see to them; no longer than a connection rests."""
        if self.resting:
            timeout = min(timeout, max(self.resting[0][0] - time.monotonic(), 0.0))
        super().wait_for_and_dispatch_events(timeout)
        self._wake_rested()
        if self.shed:
            self._services.metrics.happened("request_shed", self.shed)
            self.shed = 0

    def _wake_rested(self) -> None:
        """Look again at connections that rested; at all of them once the worker stops."""
        now = time.monotonic()
        while self.resting and (self.resting[0][0] <= now or not self.alive):
            self._look_at(self.resting.popleft()[1])

    def murder_pending(self) -> None:
        """Close what waited too long, and take threads back from who sends too slowly."""
        super().murder_pending()
        now = time.monotonic()
        for conn, until in list(self.reading.items()):
            if now >= until:
                self.reading.pop(conn, None)
                _end_reading(conn.sock)


def _end_reading(channel: socket.socket) -> None:
    """Let a blocked read see the end of what the client sent; answers can still be written."""
    with suppress(OSError):
        channel.shutdown(socket.SHUT_RD)
