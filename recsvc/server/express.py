"""The worker that answers plain requests in its event loop, those of one wake-up together.

A thread for each request costs more than many a list: it is woken, waits for the interpreter, and
hands its connection back. So what is plain is read in the event loop, asked of the store in one
trip with all that came at the same time, decided one after another, and sent; the connection stays
where it is. The loop waits for nobody but the store, and for that as long as one request may wait;
while the store is away it does not ask at all. Then requests are given threads, as are all that
are not plain.
"""

import time
from collections import deque
from functools import partial
from selectors import EVENT_READ
from typing import Any, NamedTuple

from recsvc.api.http.express import MOST_TOGETHER, Express, PlainRequest
from recsvc.app import EXPRESS
from recsvc.server.bounded import BoundedWorker
from recsvc.server.connections import Connection
from recsvc.server.plain import PlainAnswers, plain_request

SENDING_SECONDS = 30.0
"""How long a client has to take an answer that did not fit into the buffers before him."""


class Waiting(NamedTuple):
    """A plain request, the connection it came over, and the bytes it was."""

    conn: Connection
    sent: bytes
    request: PlainRequest


class ExpressWorker(BoundedWorker):
    """A bounded worker whose event loop answers what is plain."""

    def init_process(self) -> None:
        """Prepare the line of those who wait, then start as gunicorn does."""
        self.express: Express | None = None
        self.in_line: deque[Waiting] = deque()
        self.answers = PlainAnswers()
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, and what answers plain requests ahead of it, if anything does.

        Where gunicorn is to speak other protocols, or to log requests itself, all are its own.
        """
        super().load_wsgi()
        is_its_own = (
            self.cfg.is_ssl
            or "h2" in self.cfg.http_protocols
            or self.cfg.proxy_protocol != "off"
            or self.log.access_log_enabled
        )
        self.express = None if is_its_own else self.wsgi.extensions.get(EXPRESS)

    @property
    def reads_here(self) -> bool:
        """Whether requests are read in the event loop now.

        Not those after which a connection or the worker is to end: gunicorn knows how.
        """
        return (
            self.express is not None
            and self.alive
            and self.to_give == 0
            and self.nr + len(self.in_line) + 1 < self.max_requests
            and len(self.keepalived_conns) < self.max_keepalived
            and self.express.is_open
        )

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:  # noqa: ANN401 - a socket
        """Read what a kept connection sent; nothing more while it waits for an answer."""
        if conn.is_in_line:
            return
        if self.reads_here:
            self._read(conn)
        else:
            super().on_client_socket_readable(conn, client)

    def on_pending_socket_readable(self, conn: Connection, client: Any) -> None:  # noqa: ANN401 - a socket
        """Read what a new connection sent first."""
        if not self.reads_here or conn.parser is not None:
            super().on_pending_socket_readable(conn, client)
            return
        self.pending_conns.remove(conn)
        self.poller.modify(client, EVENT_READ, partial(self.on_client_socket_readable, conn))
        self._keep(conn)
        self._read(conn)

    def _keep(self, conn: Connection) -> None:
        conn.set_timeout()
        self.keepalived_conns.append(conn)

    def _leave(self, conn: Connection) -> None:
        """Take a connection out of the event loop."""
        self.poller.unregister(conn.sock)
        self.keepalived_conns.remove(conn)

    def _read(self, conn: Connection) -> None:
        """Put a plain request in line; do with another what is right."""
        sent = self.received(conn)
        if sent is None:
            return
        request = plain_request(sent, time.monotonic()) if self.has_room else None
        if request is None:
            self._leave(conn)
            self.see_to(conn, sent)
            return
        self.outstanding += 1
        conn.is_in_line = True
        self.in_line.append(Waiting(conn, sent, request))
        self.keepalived_conns.remove(conn)
        self._keep(conn)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events and see to them; then answer those in line, some at a time."""
        super().wait_for_and_dispatch_events(0.0 if self.in_line else timeout)
        if self.in_line:
            n_together = min(len(self.in_line), MOST_TOGETHER)
            self._serve([self.in_line.popleft() for _ in range(n_together)])

    def _serve(self, line: list[Waiting]) -> None:
        """Answer requests, each as its answer is ready; give threads to those without one."""
        self.outstanding -= len(line)
        for one in line:
            one.conn.is_in_line = False
        left = dict(enumerate(line))
        now = time.time()
        if self.express is not None and self.alive:
            for place, visit, body in self.express.answer_all([one.request for one in line]):
                self.nr += 1
                self._send(left.pop(place).conn, self.answers.answer(visit, body, now))
        for one in left.values():
            self._leave(one.conn)
            self.give_back(one.conn, one.sent)
            self.let_in(one.conn, one.request.came_at)

    def _send(self, conn: Connection, answer: bytes) -> None:
        """Send an answer; a thread sends what its client does not take at once."""
        try:
            n_sent = conn.sock.send(answer)
        except BlockingIOError:
            n_sent = 0
        except OSError:
            self._leave(conn)
            self.nr_conns -= 1
            conn.close()
            return
        if n_sent < len(answer):
            self._leave(conn)
            conn.unsent = answer[n_sent:]
            self.let_in(conn)

    def handle(self, conn: Connection) -> Any:  # noqa: ANN401 - gunicorn's word for what comes next
        """Send the rest of an answer, or answer one request, in a thread of the pool."""
        if not conn.unsent:
            return super().handle(conn)
        try:
            conn.sock.settimeout(SENDING_SECONDS)
            conn.sock.sendall(conn.unsent)
        except OSError:
            return False
        conn.unsent = b""
        self.give_back(conn, b"")
        return True
