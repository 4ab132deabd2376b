"""One socket a thread for what every request reads, so that none waits for a free one."""

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import redis
from hiredis import ReplyError, pack_command
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

Commands = Sequence[tuple[str, ...]]


class Lanes:
    """Reads over a socket of the asking thread's own.

    A pool takes a lock, looks whether its socket is still alive and gives it back again: more
    than the reading itself. Here a socket that turns out to be closed is opened again once.

    Parameters
    ----------
    pool : redis.ConnectionPool
        How its connections are made, of a
        :class:`~recsvc.stores.connection.deadline.BoundedPool`; its waits hold here too.
    """

    def __init__(self, pool: redis.ConnectionPool) -> None:
        self._pool = pool
        self._own = threading.local()
        self._all: weakref.WeakSet[Any] = weakref.WeakSet()
        self._generation = 0

    def read(self, commands: Commands) -> list[Any]:
        """Raw answers of reading commands in one round trip; a hash is a flat list.

        Raises
        ------
        RedisError, OSError
            as the client library's own; after a connection or a wait that failed, never twice
            the same commands over a socket that was new
        """
        lane = getattr(self._own, "lane", None)
        if lane is None or not lane.is_connected or self._own.generation != self._generation:
            return self._exchange(self._open(lane), commands)
        try:
            return self._exchange(lane, commands)
        except RedisConnectionError:
            return self._exchange(self._open(lane), commands)

    def _open(self, before: Any) -> Any:  # noqa: ANN401 - the client library's connection
        """A new socket in place of the one before."""
        if before is not None:
            before.disconnect()
        self._own.generation = self._generation
        lane = self._pool.connection_class(**self._pool.connection_kwargs)
        lane.connect()
        self._own.lane = lane
        self._all.add(lane)
        return lane

    def _exchange(self, lane: Any, commands: Commands) -> list[Any]:  # noqa: ANN401 - as above
        try:
            answers: list[Any] = lane.wire.ask(packed(commands), len(commands))
        except RedisTimeoutError:
            lane.disconnect()
            self._generation += 1  # sockets as old as this one may be half-open too: open all anew
            raise
        except BaseException:
            lane.disconnect()  # unread answers must not reach another request
            raise
        return self._in_its_words(lane, commands) if ReplyError in map(type, answers) else answers

    def _in_its_words(self, lane: Any, commands: Commands) -> list[Any]:  # noqa: ANN401 - as above
        """Ask once more, now by the client library, which knows what the store's refusals mean."""
        try:
            lane.send_packed_command([packed(commands)], check_health=False)
            return [lane.read_response() for _ in commands]
        except BaseException:
            lane.disconnect()
            raise

    def close(self) -> None:
        """Close every socket."""
        for lane in list(self._all):
            lane.disconnect()


def packed(commands: Sequence[Sequence[bytes | str | int]]) -> bytes:
    """Commands as they go over the wire, at a fraction of the client library's own cost."""
    return b"".join([pack_command(tuple(command)) for command in commands])  # type: ignore[arg-type]
