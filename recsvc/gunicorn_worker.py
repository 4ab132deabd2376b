"""The worker that gunicorn runs: refuses quickly what it cannot take, and waits for no one long.

gunicorn's own threaded worker queues requests without end and gives a thread to every client that
opens a connection, however slowly he sends. This one

* bounds the queue: beyond the requests being answered and a few that wait, a request is refused
  in the event loop, unread, with 503 and `Retry-After`; the probes of an orchestrator pass;
* gives a new connection a thread only when it has sent something;
* takes the thread back from who does not finish the head of a request in time, which runs from
  its first byte, in the queue too;
* tells each request how long it waited, so that deadlines of callers count from arrival.
"""

import contextlib
import errno
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ
from typing import Any

from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from recsvc.api.http.lifecycle import WAITED
from recsvc.api.http.problems import DETAILS, MEDIA_TYPE, body_of
from recsvc.app import EXTENSION
from recsvc.services import Services

PROBES = (b"GET /livez", b"GET /readyz", b"GET /metrics")
PEEK_BYTES = 16_384
BODY_SECONDS = 30.0
LATE_HEAD_SECONDS = 0.1
"""What the head of a request gets when its time ran out in the queue: what was sent is there."""
PAUSE_SECONDS = 0.01
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
REFUSED_BYTES: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.ExpectationFailed, HTTPStatus.EXPECTATION_FAILED),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def problem_bytes(status: HTTPStatus, code: str, detail: str, *, keep: bool = False) -> bytes:
    """The answer to a request that no part of the application sees, as bytes on the wire."""
    request_id = secrets.token_hex(16)
    body = body_of(status.value, code, detail, request_id)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"X-Request-Id: {request_id}\r\nX-Content-Type-Options: nosniff\r\n"
        f"Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keep else 'close'}\r\n"
    )
    retry = "Retry-After: 1\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
    return f"{head}{retry}\r\n".encode() + body


def overloaded(*, keep: bool) -> bytes:
    """The answer to a request for which there is no room."""
    detail = "More requests than can be answered; retry later."
    return problem_bytes(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", detail, keep=keep)


def is_whole_get(sent: bytes) -> bool:
    """Whether these bytes are one GET request and nothing after it."""
    return sent.startswith(b"GET ") and sent.find(b"\r\n\r\n") == len(sent) - 4


class BoundedWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """A threaded worker with a bounded queue; `gunicorn_conf` sets its bounds after the fork."""

    waiting_limit = 32
    head_seconds = 5.0

    def init_process(self) -> None:
        """Prepare the queue's bounds, then start as gunicorn does."""
        self.outstanding = 0
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

    def handle(self, conn: TConn) -> Any:  # noqa: ANN401 - gunicorn's word for what comes next
        """Answer one request of a connection, in a thread of the pool."""
        now = time.monotonic()
        self.turn.waited, self.turn.conn = now - conn.queued_at, conn
        self.reading[conn] = max(conn.queued_at + self.head_seconds, now + LATE_HEAD_SECONDS)
        try:
            return super().handle(conn)
        finally:
            self.reading.pop(conn, None)

    def accept(self, listener: Any) -> None:  # noqa: ANN401 - a listening socket
        """Take a connection; it waits in the event loop until it has sent something."""
        try:
            client, address = listener.accept()
        except OSError as error:  # gone again, or another worker was quicker
            if error.errno in NO_ROOM:
                time.sleep(PAUSE_SECONDS)  # until a connection ends, the door cannot be closed
            return
        self.nr_conns += 1
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.timeout = time.monotonic() + self.head_seconds
        self.pending_conns.append(conn)
        self.poller.register(client, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - as gunicorn calls it
        """Open or close the door; for the last time, those who stand before it are let in.

        gunicorn leaves them in the listener's backlog until it ends, and there they are reset.
        """
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                self._let_in_all(listener)
                listener.close()  # whoever comes now is refused at once, and asks elsewhere

    def _let_in_all(self, listener: Any) -> None:  # noqa: ANN401 - a listening socket
        before = -1
        while before != self.nr_conns:
            before = self.nr_conns
            self.accept(listener)

    def enqueue_req(self, conn: TConn) -> None:
        """Queue a request, or refuse it at once when too many wait."""
        most = self.cfg.threads + self.waiting_limit
        if self.outstanding >= most and self._refuse(conn):
            return
        self.outstanding += 1
        conn.queued_at = time.monotonic()
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: Any) -> None:  # noqa: ANN401 - a future
        """Take note of an answer; runs in the event loop."""
        self.outstanding -= 1
        super().finish_request(conn, fs)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:  # noqa: ANN401, ARG002
        """Answer bytes that are no request, or a worker's own failure; neither is repeated.

        gunicorn would write the request line into its answer and into its log.
        """
        status = next(
            (status for kind, status in REFUSED_BYTES if isinstance(exc, kind)),
            HTTPStatus.INTERNAL_SERVER_ERROR,
        )
        self._services.log.warning("bytes_refused", kind=type(exc).__name__, status=status.value)
        code, detail = DETAILS.get(status, ("bad_request", f"{status.description}."))
        if status is HTTPStatus.BAD_REQUEST:
            detail = f"{detail} An address is ASCII, with every other byte written as %XX."
        with contextlib.suppress(OSError):
            client.sendall(problem_bytes(status, code, detail))

    @property
    def _services(self) -> Services:
        services: Services = self.wsgi.extensions[EXTENSION]
        return services

    def _refuse(self, conn: TConn) -> bool:
        """Refuse what a connection sent; False when it must be looked at after all."""
        if self.cfg.is_ssl:
            return False
        try:
            sent = conn.sock.recv(PEEK_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            return False
        if not sent or sent.startswith(PROBES):
            return False
        keep = is_whole_get(sent)
        try:
            conn.sock.recv(len(sent), socket.MSG_DONTWAIT)
            conn.sock.send(overloaded(keep=keep), socket.MSG_DONTWAIT)
        except OSError:
            keep = False
        self._services.metrics.happened("request_shed")
        self._after_refusal(conn, keep=keep)
        return True

    def _after_refusal(self, conn: TConn, *, keep: bool) -> None:
        if not keep or not self.alive:
            self.nr_conns -= 1
            conn.close()
            return
        conn.sock.settimeout(0.0)
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

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
    with contextlib.suppress(OSError):
        channel.shutdown(socket.SHUT_RD)
