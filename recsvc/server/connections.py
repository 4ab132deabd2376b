"""How a worker comes to its connections and parts with them.

gunicorn's own threaded worker gives a thread to every connection that is opened, takes whatever it
wakes for, and ends a connection in the event loop, which waits up to two seconds until the client
has closed it too. This one

* gives a new connection a thread only when it has sent something;
* takes a few new ones at a time, and leaves them to a worker that has fewer, if one takes them at
  once;
* closes connections after their answer, with `Connection: close`, while others have far fewer;
* waits in the poller for clients to close what it has ended.
"""

import errno
import socket
import time
from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from recsvc.server.fair_share import FairShare

NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
PAUSE_SECONDS = 0.01
MORE_AT_ONCE = 3
"""Connections beyond the fewest that a worker takes in one wake-up, as it may have lists to make
until the next; so few that they need not be given away again."""
LEFT_SECONDS = 0.002
"""How long a connection is left to workers that have fewer."""
SHARING_SECONDS = 0.1
"""How often a worker asks whether it has connections to give."""
LINGER_SECONDS = 2.0
"""How long a client has to close a connection that was ended."""
DISCARDED_BYTES = 65_536


class Connection(TConn):  # type: ignore[misc] # gunicorn has no types
    """A connection that is ended without making anybody wait.

    Parameters
    ----------
    worker : who is told when it is to end; the others are gunicorn's
    """

    def __init__(
        self,
        worker: "SharingWorker",
        client: socket.socket,
        address: Any,  # noqa: ANN401 - a pair, or text of a unix socket
        server: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(worker.cfg, client, address, server)
        self.end: Callable[[socket.socket], None] = worker.end
        self.queued_at = 0.0
        self.is_given = False
        """Whether its next answer ends it, for another worker's good."""
        self.is_in_line = False
        """Whether its request waits in the event loop."""
        self.unsent = memoryview(b"")
        """What is left of its answer."""

    def close(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002 - as gunicorn calls it
        """Close it at once; gracefully: so that the last answer arrives."""
        if graceful:
            self.end(self.sock)
        else:
            super().close()


class SharingWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """A threaded worker that shares connections evenly with the others of its arbiter."""

    fair_share: FairShare
    head_seconds = 5.0

    @classmethod
    def setup(cls) -> None:
        """Prepare what workers share; gunicorn calls it before the first fork, and then again."""
        if "fair_share" not in cls.__dict__:
            cls.fair_share = FairShare()

    def init_process(self) -> None:
        """Prepare the books, then start as gunicorn does."""
        self.left_until: float | None = None
        self.share_at = 0.0
        self.to_give = 0
        self.ended: dict[socket.socket, float] = {}
        super().init_process()

    @property
    def has_room(self) -> bool:
        """Whether one more request would be let in."""
        return True

    def accept(self, listener: Any) -> None:  # noqa: ANN401 - a listening socket
        """Take a connection, unless others have fewer: they may have it for a moment."""
        if self.left_until is not None:
            return  # a second listener, of the same wake-up
        now = time.monotonic()
        fewest = self.fair_share.fewest(now)
        if self.nr_conns <= fewest:
            most = min(fewest + 1 + MORE_AT_ONCE, self.worker_connections)
            while self.nr_conns < most and self._take(listener):
                pass
            return
        self.left_until = now + LEFT_SECONDS
        for each in self.sockets:
            self.poller.unregister(each)

    def _take(self, listener: Any) -> bool:  # noqa: ANN401 - a listening socket
        """Take a connection, if one is there; it waits in the event loop until it has sent."""
        try:
            client, address = listener.accept()
        except OSError as error:  # gone again, or another worker was quicker
            if error.errno in NO_ROOM:
                time.sleep(PAUSE_SECONDS)  # until a connection ends, the door cannot be closed
            return False
        self.nr_conns += 1
        conn = Connection(self, client, address, listener.getsockname())
        conn.timeout = time.monotonic() + self.head_seconds
        self.pending_conns.append(conn)
        self.poller.register(client, EVENT_READ, partial(self.on_pending_socket_readable, conn))
        return True

    def _stand_at_the_door(self) -> None:
        self.left_until = None
        for listener in self.sockets:
            self.poller.register(listener, EVENT_READ, self.accept)

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - as gunicorn calls it
        """Open or close the door; for the last time, those who stand before it are let in.

        gunicorn leaves them in the listener's backlog until it ends, and there they are reset.
        """
        if self.left_until is not None:
            self._stand_at_the_door()
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            self.fair_share.leave(self.age)
            for listener in self.sockets:
                self._let_in_all(listener)
                listener.close()  # whoever comes now is refused at once, and asks elsewhere

    def _let_in_all(self, listener: Any) -> None:  # noqa: ANN401 - a listening socket
        while self._take(listener):
            pass

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events and see to them; no longer than a connection is left to others."""
        now = time.monotonic()
        if self.alive:
            self._share(now)
        if self.left_until is not None:
            timeout = min(timeout, max(self.left_until - now, 0.0))
        super().wait_for_and_dispatch_events(timeout)
        if self.left_until is not None and time.monotonic() >= self.left_until:
            self._stand_at_the_door()
            for listener in self.sockets:
                self._take(listener)

    def _share(self, now: float) -> None:
        self.fair_share.tell(self.age, self.nr_conns, has_room=self.has_room, now=now)
        if now >= self.share_at:
            self.share_at = now + SHARING_SECONDS
            self.to_give = self.fair_share.surplus(self.age, self.nr_conns, now)

    def enqueue_req(self, conn: Connection) -> None:
        """Queue a request; if its connection is one too many, its answer will end it."""
        if self.to_give > 0 and conn.initialized:
            self.to_give -= 1
            conn.is_given = True
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: Connection) -> Any:  # noqa: ANN401 - gunicorn's own
        """Answer a request, saying so if it is the last of its connection."""
        if conn.is_given:
            req.force_close()
        return super().handle_request(req, conn)

    def end(self, channel: socket.socket) -> None:
        """End a connection that was answered; it counts until its client closes it too."""
        try:
            channel.settimeout(0.0)
            channel.shutdown(socket.SHUT_WR)
            self.poller.register(channel, EVENT_READ, self._discard)
        except OSError:  # he was quicker
            channel.close()
            return
        self.nr_conns += 1
        self.ended[channel] = time.monotonic() + LINGER_SECONDS

    def _discard(self, channel: socket.socket) -> None:
        """Read what comes on an ended connection, until its client closes it."""
        try:
            more = channel.recv(DISCARDED_BYTES)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        if not more:
            self._forget(channel)

    def _forget(self, channel: socket.socket) -> None:
        del self.ended[channel]
        self.poller.unregister(channel)
        channel.close()
        self.nr_conns -= 1

    def murder_pending(self) -> None:
        """Close what waited too long."""
        super().murder_pending()
        now = time.monotonic()
        while self.ended and (oldest := next(iter(self.ended.items())))[1] <= now:
            self._forget(oldest[0])
