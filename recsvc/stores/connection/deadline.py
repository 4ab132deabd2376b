"""When a request must be done with the stores: one moment, whatever it asks of them.

A wait for a connection, a connect and an answer each have a longest wait of their own; many of
them one after another would add up to any time. So each waits for what is left of the request.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from recsvc.stores.connection.wire import Wire


class BudgetSpentError(RedisTimeoutError):
    """The request has no time left; tells nothing about the store."""


class _Own(threading.local):
    """Of each thread: the moment until which it may wait, None for no bound."""

    until: float | None = None


class Deadline:
    """The deadline of the request that the asking thread is answering, if it is answering one.

    Parameters
    ----------
    monotonic : clock that never jumps, in seconds
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._own = _Own()

    def begin(self, seconds: float) -> None:
        """Bound what this thread asks from now on to so many seconds in all."""
        self._own.until = self._monotonic() + seconds

    def end(self) -> None:
        """Bound it no longer."""
        self._own.until = None

    def wait(self, most: float) -> float:
        """Seconds to wait now: what is left of the request, at most `most`.

        Raises
        ------
        BudgetSpentError
            nothing is left
        """
        until = self._own.until
        if until is None:
            return most
        left = until - self._monotonic()
        if left <= 0:
            raise BudgetSpentError("the request's budget is spent")
        return min(left, most)


class BoundedPool(redis.BlockingConnectionPool):
    """A pool whose waits end with the request.

    Parameters
    ----------
    deadline : of the asking thread
    options : as the client library's own; `timeout` and the sockets' waits are numbers
    """

    def __init__(self, *, deadline: Deadline, **options: Any) -> None:  # noqa: ANN401 - as theirs
        self._deadline = deadline
        kind = options.pop("connection_class", redis.Connection)
        super().__init__(  # type: ignore[no-untyped-call]
            connection_class=_bounded(kind, deadline), **options
        )

    def get_connection(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as theirs
        """A connection of the pool; BudgetSpentError when none came free in the request's time."""
        try:
            return super().get_connection(*args, **options)  # type: ignore[no-untyped-call]
        except RedisConnectionError:
            self._deadline.wait(0.0)
            raise

    @property
    def timeout(self) -> float:
        """Seconds to wait for a free connection."""
        return self._deadline.wait(self._timeout)

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._timeout = seconds


def _bounded(kind: type[Any], deadline: Deadline) -> type[Any]:
    """A kind of connection (tcp, tls, unix) that waits no longer than the request may."""

    class Bounded(kind):  # type: ignore[misc]
        def _connect(self) -> Any:  # noqa: ANN401 - a socket
            most: float = self.socket_connect_timeout  # type: ignore[has-type]
            self.socket_connect_timeout = deadline.wait(most)
            try:
                opened = super()._connect()
            except TimeoutError:
                deadline.wait(most)  # says so when it was the request that had no time left
                raise
            finally:
                self.socket_connect_timeout = most
            self.wire = Wire(opened, lambda: deadline.wait(self.socket_timeout))
            return opened

        def send_packed_command(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
            deadline.wait(self.socket_timeout)
            super().send_packed_command(*args, **options)

        def read_response(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401
            try:
                wait = deadline.wait(self.socket_timeout)
            except BudgetSpentError:
                self.disconnect()  # an answer that comes late must not reach another question
                raise
            if wait == self.socket_timeout:
                return super().read_response(*args, **options)
            try:
                return super().read_response(*args, **{**options, "timeout": wait})
            except RedisTimeoutError:
                deadline.wait(wait)
                raise

    return Bounded
