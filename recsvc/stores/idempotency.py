"""One request, one effect: the first run of an idempotency key is remembered for a day."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import redis

from recsvc.stores.client import Connection
from recsvc.stores.keys import IDEMPOTENCY
from recsvc.stores.scripts import IDEMPOTENCY_BEGIN, Script

FLIGHT_SECONDS = 60


class Begun(StrEnum):
    """What a request with an idempotency key is to do."""

    FIRST = "first"
    IN_FLIGHT = "in_flight"
    OTHER_BODY = "other_body"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class Beginning:
    """The verdict, and for a replay the answer of the first run."""

    begun: Begun
    status: int = 0
    body: bytes = b""


class IdempotencyStore:
    """Remembers the answers of requests by issuer, route and key."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable
        self._begin = Script(IDEMPOTENCY_BEGIN)

    def begin(self, issuer_id: str, route: str, key: str, body: bytes) -> Beginning:
        """Claim a key for this body, or learn what became of it; one script, so one winner.

        A claim that is neither finished nor released lapses after a minute, so that a worker
        that was killed blocks nobody for long.
        """
        arguments = (fingerprint(body), FLIGHT_SECONDS)
        word, status, answer = self._durable.ask(
            lambda store: self._begin.run(store, (_key(issuer_id, route, key),), arguments)
        )
        return Beginning(Begun(word.decode()), int(status), answer)

    def finish(self, issuer_id: str, route: str, key: str, *, status: int, body: bytes) -> None:
        """Remember the answer of the first run for a day."""
        name = _key(issuer_id, route, key)
        ttl = IDEMPOTENCY.ttl_seconds or 0

        def write(store: redis.Redis) -> None:
            pipeline = store.pipeline(transaction=True)
            pipeline.hset(name, mapping={"state": "done", "status": status, "answer": body})
            pipeline.expire(name, ttl)
            pipeline.execute()

        self._durable.ask(write)

    def release(self, issuer_id: str, route: str, key: str) -> None:
        """Forget a claim whose request changed nothing, so that it may be tried again."""
        name = _key(issuer_id, route, key)
        self._durable.ask(lambda store: store.delete(name))


def fingerprint(body: bytes) -> str:
    """What tells one body from another."""
    return hashlib.sha256(body).hexdigest()


def _key(issuer_id: str, route: str, key: str) -> str:
    return IDEMPOTENCY.key(issuer_id, hashlib.sha256(f"{route}\x00{key}".encode()).hexdigest())
