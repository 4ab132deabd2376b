"""One connection to one store: short waits, no retries, and a breaker that leaves it alone."""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MaxConnectionsError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from recsvc.domain.errors import StoreAwayError, StoreFullError
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.connection.breaker import Breaker
from recsvc.stores.connection.deadline import BoundedPool, BudgetSpentError, Deadline
from recsvc.stores.connection.lanes import Lanes, packed

Answer = TypeVar("Answer")
PATIENT_SECONDS = 5.0
SECRET_BYTES = 32
REASONS: tuple[tuple[type[RedisError], str], ...] = (
    (MaxConnectionsError, "pool_exhausted"),
    (BusyLoadingError, "loading"),
    (AuthenticationError, "not_authorised"),
    (BudgetSpentError, "budget_spent"),
    (RedisTimeoutError, "timeout"),
    (RedisConnectionError, "connection"),
    (OutOfMemoryError, "full"),
    (ReadOnlyError, "read_only"),
    (ResponseError, "refused"),
)


def open_client(
    url: str, *, wait_seconds: float, connections: int, deadline: Deadline
) -> redis.Redis:
    """Client that waits once and never retries; opens no socket until it is asked something.

    Parameters
    ----------
    url : redis://, rediss:// or unix://
    wait_seconds : longest wait for a connection, for an answer, and for a free place in the pool
    connections : most sockets held
    deadline : of the asking thread's request, past which none of these waits goes on
    """
    pool = BoundedPool.from_url(
        url,
        deadline=deadline,
        max_connections=connections,
        timeout=wait_seconds,
        socket_timeout=wait_seconds,
        socket_connect_timeout=wait_seconds,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
    )
    return redis.Redis(connection_pool=pool)


class Connection:
    """Asks one store, within bounds.

    Parameters
    ----------
    name : word for the log and for `degraded`
    url : address of the store
    wait_seconds : longest wait of a request for one answer
    connections : most sockets a worker holds to it
    log, metrics : where its absence is told
    monotonic : clock of the breaker, in seconds
    deadline : shared by the connections that one request asks; one of its own unless given
    """

    def __init__(  # noqa: PLR0913 - handed in by the assembly, by name
        self,
        name: str,
        url: str,
        *,
        wait_seconds: float,
        connections: int,
        log: Log,
        metrics: Metrics,
        monotonic: Callable[[], float] = time.monotonic,
        deadline: Deadline | None = None,
    ) -> None:
        self.name = name
        self.deadline = deadline or Deadline()
        self._log = log
        self._metrics = metrics
        self._breaker = Breaker(monotonic)
        self._quick = open_client(
            url, wait_seconds=wait_seconds, connections=connections, deadline=self.deadline
        )
        self._patient = open_client(
            url, wait_seconds=PATIENT_SECONDS, connections=4, deadline=self.deadline
        )
        self._lanes = Lanes(self._quick.connection_pool)
        self._patient_lanes = Lanes(self._patient.connection_pool)
        self._is_away = False

    @property
    def is_away(self) -> bool:
        """Whether the last answer was a failure."""
        return self._is_away

    def ask(self, question: Callable[[redis.Redis], Answer]) -> Answer:
        """Answer of a request's question.

        Raises
        ------
        StoreAwayError
            At once while the breaker is open or the request's time is spent, else after at most
            the wait.
        """
        if not self._breaker.allows():
            raise StoreAwayError(self.name, "breaker_open")
        return self._put(question, self._quick)

    def read_together(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        """Raw answers of several reading commands in one round trip; a hash is a flat list.

        A fraction of the cost of the client library's own pipeline, which matters on the path of
        every request.

        Raises
        ------
        StoreAwayError
            as for `ask`
        """
        return self.ask(lambda _: self._lanes.read(commands))

    def ask_patiently(self, question: Callable[[redis.Redis], Answer]) -> Answer:
        """Answer of a long question; asks even while the breaker is open.

        Because watchers ask this way twice a second, a store that returns is noticed at once.

        Raises
        ------
        StoreAwayError
            after at most five seconds a command, and never past the request's deadline
        """
        return self._put(question, self._patient)

    def read_together_patiently(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        """Raw answers as of :meth:`read_together`, in the time of :meth:`ask_patiently`.

        For watchers, which look at thousands of keys beside the requests.

        Raises
        ------
        StoreAwayError
            as for `ask_patiently`
        """
        return self.ask_patiently(lambda _: self._patient_lanes.read(commands))

    def _put(self, question: Callable[[redis.Redis], Answer], client: redis.Redis) -> Answer:
        try:
            answer = question(client)
        except (RedisError, OSError) as error:
            raise self._failed(error) from None
        self._breaker.succeeded()
        if self._is_away:
            self._is_away = False
            self._log.info("store_back", store=self.name)
        return answer

    def _failed(self, error: Exception) -> StoreAwayError:
        reason = reason_of(error)
        self._metrics.happened(f"{self.name}_{reason}")
        if reason in ("full", "read_only"):
            self._log.warning("store_refuses_writes", store=self.name, reason=reason)
            return StoreFullError(self.name, reason)
        if reason == "budget_spent":
            self._breaker.gave_up()
            return StoreAwayError(self.name, reason)
        self._breaker.failed()
        if not self._is_away:
            self._is_away = True
            self._log.warning("store_away", store=self.name, reason=reason)
        return StoreAwayError(self.name, reason)

    def close(self) -> None:
        """Close all sockets."""
        self._lanes.close()
        self._patient_lanes.close()
        self._quick.connection_pool.disconnect()
        self._patient.connection_pool.disconnect()


def hash_of(store: redis.Redis, key: str) -> dict[bytes, bytes]:
    """All fields of a hash; empty when there is none."""
    return cast("dict[bytes, bytes]", store.hgetall(key))


def field_of(store: redis.Redis, key: str, field: str) -> bytes | None:
    """One field of a hash, or None."""
    return cast("bytes | None", store.hget(key, field))


def secret_in(store: redis.Redis, key: str) -> bytes:
    """The secret of a key; drawn by whoever asks first, and the same for everybody since.

    It is only written where there is none: a store that is full, or a replica, still tells it.
    """
    kept = store.get(key)
    if kept is not None:
        return cast("bytes", kept)
    pipeline = store.pipeline(transaction=True)
    pipeline.set(key, secrets.token_bytes(SECRET_BYTES), nx=True)
    pipeline.get(key)
    return cast("bytes", pipeline.execute()[1])


def tell_together(store: redis.Redis, commands: Sequence[Sequence[bytes | str | int]]) -> None:
    """Send several commands whose answers tell nothing, in one round trip.

    Half the cost of the client library's own pipeline, for what is written of every request.

    Raises
    ------
    RedisError, OSError
        when one was refused or the store gave no answer; those before it were carried out
    """
    pool = store.connection_pool
    connection: Any = pool.get_connection()
    try:
        connection.send_packed_command([packed(commands)], check_health=False)
        for _ in commands:
            connection.read_response()
    except BaseException:
        connection.disconnect()  # unread answers must not reach another question
        raise
    finally:
        pool.release(connection)


def reason_of(error: Exception) -> str:
    """One word for what went wrong."""
    for kind, word in REASONS:
        if isinstance(error, kind):
            return word
    return "unreachable"
