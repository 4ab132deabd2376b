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
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, NamedTuple

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from recsvc.api.http.express import MOST_TOGETHER, Express, PlainRequest
from recsvc.app import EXPRESS
from recsvc.server.bounded import BoundedWorker
from recsvc.server.connections import Connection
from recsvc.server.plain import PlainAnswers, is_read_alike, plain_request


class Waiting(NamedTuple):
    """A plain request, the connection it came over, and the bytes it was."""

    conn: Connection
    sent: bytes
    request: PlainRequest


class ExpressWorker(BoundedWorker):
    """A bounded worker whose event loop answers what is plain."""

    taking_seconds = 30.0
    """How long a client has to take an answer that did not fit into the buffers before him."""

    def init_process(self) -> None:
        """Prepare the line of those who wait, then start as gunicorn does.

        Who waits for an answer, or takes one slowly, is not idle: he is no kept connection, which
        gunicorn closes when its time has come.
        """
        self.express: Express | None = None
        self.in_line: deque[Waiting] = deque()
        self.taking: dict[Connection, float] = {}
        self.answers = PlainAnswers()
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, and what answers plain requests ahead of it, if anything does.

        Where gunicorn is to read in another way, to keep no connections, or to log or count
        requests itself, all are its own.
        """
        super().load_wsgi()
        is_told = self.log.access_log_enabled or type(self.log).access is not Logger.access
        is_its_own = is_told or not self.cfg.keepalive or not is_read_alike(self.cfg)
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
            and self.n_kept < self.max_keepalived
            and self.express.is_open
        )

    @property
    def n_kept(self) -> int:
        """Connections that are kept in the event loop."""
        return len(self.keepalived_conns) + len(self.in_line) + len(self.taking)

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
        self.keep(conn)
        self._read(conn)

    def _read(self, conn: Connection) -> None:
        """Put a plain request in line; do with another what is right."""
        sent = self.received(conn)
        if sent is None:
            return
        self.keepalived_conns.remove(conn)
        request = plain_request(sent, time.monotonic()) if self.has_room else None
        if request is None:
            self.poller.unregister(conn.sock)
            super().see_to(conn, sent)
        else:
            self._line_up(conn, sent, request)

    def see_to(self, conn: Connection, sent: bytes) -> None:
        """Do what is right with what a connection sent that rested, and is in no poller now."""
        has_turn = self.has_room and self.reads_here
        request = plain_request(sent, time.monotonic()) if has_turn else None
        if request is None:
            super().see_to(conn, sent)
            return
        readable = partial(self.on_client_socket_readable, conn)
        self.poller.register(conn.sock, EVENT_READ, readable)
        self._line_up(conn, sent, request)

    def _line_up(self, conn: Connection, sent: bytes, request: PlainRequest) -> None:
        self.outstanding += 1
        conn.is_in_line = True
        self.in_line.append(Waiting(conn, sent, request))

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
            self.poller.unregister(one.conn.sock)
            self.give_back(one.conn, one.sent)
            self.let_in(one.conn, one.request.came_at)

    def _send(self, conn: Connection, answer: bytes) -> None:
        """Send an answer; what its client does not take at once, as he takes it."""
        n_sent = self._sent(conn, answer)
        if n_sent == len(answer):
            self.keep(conn)
        elif n_sent is not None:
            conn.unsent = memoryview(answer)[n_sent:]
            self.taking[conn] = time.monotonic() + self.taking_seconds
            self.poller.modify(conn.sock, EVENT_WRITE, partial(self._send_on, conn))

    def _send_on(self, conn: Connection, client: Any) -> None:  # noqa: ANN401 - a socket
        """Send more of an answer; when it is whole, the connection is kept for the next request."""
        n_sent = self._sent(conn, conn.unsent)
        if n_sent is None:
            del self.taking[conn]
            return
        conn.unsent = conn.unsent[n_sent:]
        if not conn.unsent:
            del self.taking[conn]
            self.poller.modify(client, EVENT_READ, partial(self.on_client_socket_readable, conn))
            self.keep(conn)

    def _sent(self, conn: Connection, some: bytes | memoryview) -> int | None:
        """How many of these bytes were taken now; None where the client is gone."""
        try:
            return int(conn.sock.send(some))
        except BlockingIOError:
            return 0
        except OSError:
            self._drop(conn)
            return None

    def _drop(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close what waited too long, and what takes its answer too slowly."""
        super().murder_pending()
        now = time.monotonic()
        while self.taking and (slowest := next(iter(self.taking.items())))[1] <= now:
            del self.taking[slowest[0]]
            self._drop(slowest[0])
