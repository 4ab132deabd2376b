"""One request, one effect: the first run of an idempotency key is remembered for a day."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import redis

from recsvc.stores.connection.client import Connection, field_of
from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.denylist import DenyList
from recsvc.stores.keys.requests import IDEMPOTENCY, IDEMPOTENCY_OF

FLIGHT_SECONDS = 60

# Keys: the claim and, for a request about one cardholder, the list of his. Arguments: fingerprint
# of the body, seconds a claim may stay unfinished, seconds his list is kept.
IDEMPOTENCY_BEGIN = """
local known = redis.call('HMGET', KEYS[1], 'body', 'state', 'status', 'answer')
if not known[1] then
  redis.call('HSET', KEYS[1], 'body', ARGV[1], 'state', 'running')
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  if KEYS[2] then
    redis.call('SADD', KEYS[2], KEYS[1])
    redis.call('EXPIRE', KEYS[2], ARGV[3])
  end
  return {'first', 0, ''}
end
if known[1] ~= ARGV[1] then return {'other_body', 0, ''} end
if known[2] ~= 'done' then return {'in_flight', 0, ''} end
return {'replay', tonumber(known[3]), known[4]}
"""

# Key: the claim. Arguments: status, answer, seconds it is kept. Writes nothing for a claim that is
# gone: whom it was about may have been erased meanwhile.
IDEMPOTENCY_FINISH = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'state', 'done', 'status', ARGV[1], 'answer', ARGV[2])
return redis.call('EXPIRE', KEYS[1], ARGV[3])
"""


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

    def __init__(self, durable: Connection, deny_list: DenyList) -> None:
        self._durable = durable
        self._deny_list = deny_list
        self._begin = Script(IDEMPOTENCY_BEGIN)
        self._finish = Script(IDEMPOTENCY_FINISH)

    def begin(
        self, issuer_id: str, route: str, key: str, body: bytes, cardholder_id: str | None = None
    ) -> Beginning:
        """Claim a key for this body, or learn what became of it; one script, so one winner.

        A claim that is neither finished nor released lapses after a minute, so that a worker
        that was killed blocks nobody for long. One about a cardholder is found when he is erased.
        """
        keys = [_key(issuer_id, route, key)]
        if cardholder_id is not None:
            keys.append(self._list_of(issuer_id, cardholder_id))
        kept = IDEMPOTENCY_OF.ttl_seconds or 0
        arguments: tuple[Argument, ...] = (fingerprint(body), FLIGHT_SECONDS, kept)
        word, status, answer = self._durable.ask(
            lambda store: self._begin.run(store, keys, arguments)
        )
        return Beginning(Begun(word.decode()), int(status), answer)

    def finish(self, issuer_id: str, route: str, key: str, *, status: int, body: bytes) -> None:
        """Remember the answer of the first run for a day, unless the claim is gone."""
        keys = (_key(issuer_id, route, key),)
        arguments: tuple[Argument, ...] = (status, body, IDEMPOTENCY.ttl_seconds or 0)
        self._durable.ask(lambda store: self._finish.run(store, keys, arguments))

    def release(self, issuer_id: str, route: str, key: str) -> None:
        """Forget a claim whose request changed nothing, so that it may be tried again."""
        name = _key(issuer_id, route, key)
        self._durable.ask(lambda store: store.delete(name))

    def forget(self, issuer_id: str, cardholder_id: str) -> None:
        """Forget every claim and answer about a cardholder; a run under way leaves none."""
        name = self._list_of(issuer_id, cardholder_id)

        def unlink(store: redis.Redis) -> None:
            claims: set[bytes] = store.smembers(name)  # type: ignore[assignment]
            store.unlink(name, *claims)

        self._durable.ask(unlink)

    def answers_of(self, issuer_id: str, cardholder_id: str) -> list[bytes]:
        """Answers that are kept about a cardholder, in the order of their keys."""
        name = self._list_of(issuer_id, cardholder_id)

        def read(store: redis.Redis) -> list[bytes | None]:
            claims: set[bytes] = store.smembers(name)  # type: ignore[assignment]
            return [field_of(store, claim.decode(), "answer") for claim in sorted(claims)]

        return [answer for answer in self._durable.ask_patiently(read) if answer]

    def _list_of(self, issuer_id: str, cardholder_id: str) -> str:
        """Key of what is about a cardholder; it does not name him."""
        return IDEMPOTENCY_OF.key(issuer_id, self._deny_list.hash_of(issuer_id, cardholder_id))


def fingerprint(body: bytes) -> str:
    """What tells one body from another."""
    return hashlib.sha256(body).hexdigest()


def _key(issuer_id: str, route: str, key: str) -> str:
    return IDEMPOTENCY.key(issuer_id, hashlib.sha256(f"{route}\x00{key}".encode()).hexdigest())
