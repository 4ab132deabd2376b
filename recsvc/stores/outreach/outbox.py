"""The outbox: pushes on their way, taken by one dispatcher at a time, and those that wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import redis
from redis.exceptions import ResponseError

from recsvc.domain.moment import microseconds
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.denylist import DenyList
from recsvc.stores.keys.campaigns import CAMPAIGN_PUSHES, CAMPAIGN_QUEUED
from recsvc.stores.keys.cardholders import ERASED
from recsvc.stores.keys.pushes import PUSH_OUTBOX, PUSH_TURN, PUSHES_DEAD, PUSHES_WAITING
from recsvc.stores.outreach.push_scripts import (
    PART_QUEUE,
    PUSH_WAIT,
    PUSH_WAKE,
    TURN_END,
    TURN_TAKE,
)

GROUP = "dispatch"
WAKE_AT_A_TIME = 500
MOST_DEAD = 10_000


@dataclass(frozen=True, slots=True)
class Push:
    """One push on its way.

    Parameters
    ----------
    push_id : str   stable: the same campaign and cardholder always make the same
    """

    push_id: str
    campaign_id: str
    cardholder_id: str
    item_id: str

    def encoded(self) -> bytes:
        """The push as the outbox keeps it."""
        return orjson.dumps([self.push_id, self.campaign_id, self.cardholder_id, self.item_id])


@dataclass(frozen=True, slots=True)
class Batch:
    """Pushes that were taken from the outbox together; acknowledge when all are judged."""

    entry_id: str
    pushes: tuple[Push, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A push that waits.

    Parameters
    ----------
    again_at : when to ask again
    priority : of its campaign, 0 to 1000; of those that wait for one hour the higher wakes first
    """

    push: Push
    again_at: datetime
    priority: int = 0

    @property
    def score(self) -> str:
        """Its place in the queue: milliseconds, ties by priority within less than one."""
        return f"{microseconds(self.again_at) // 1000 - self.priority / 1024:.4f}"


class OutboxStore:
    """Outboxes of all issuers in the durable store."""

    def __init__(self, durable: Connection, deny_list: DenyList) -> None:
        self._durable = durable
        self._deny_list = deny_list
        self._queue = Script(PART_QUEUE)
        self._wait = Script(PUSH_WAIT)
        self._wake = Script(PUSH_WAKE)
        self._take_turn = Script(TURN_TAKE)
        self._end_turn = Script(TURN_END)

    def queued(self, issuer_id: str, campaign_id: str) -> frozenset[int]:
        """Parts of a roster that are in the outbox already."""
        name = CAMPAIGN_QUEUED.key(issuer_id, campaign_id)
        members: Any = self._durable.ask_patiently(lambda store: store.smembers(name))
        return frozenset(int(member) for member in members)

    def queue(
        self, issuer_id: str, campaign_id: str, parts: Sequence[tuple[int, Sequence[bytes]]]
    ) -> int:
        """Put the batches of parts into the outbox, each part at most once however often tried.

        Returns
        -------
        How many parts were not there before.
        """
        keys = [CAMPAIGN_QUEUED.key(issuer_id, campaign_id), PUSH_OUTBOX.key(issuer_id)]
        seconds = CAMPAIGN_QUEUED.ttl_seconds or 0
        calls: list[list[Argument]] = [[part, seconds, *batches] for part, batches in parts]
        return sum(
            self._durable.ask_patiently(lambda store: self._queue.run_each(store, keys, calls))
        )

    def take_turn(self, issuer_id: str, consumer: str) -> bool:
        """Whether it is this consumer's turn to judge and send, for a few seconds from now.

        One at a time, so that batches leave in the order of the outbox, which is that of their
        campaigns' priorities. The turn of one that was killed ends by itself.
        """
        keys, lasts = (PUSH_TURN.key(issuer_id),), 1000 * (PUSH_TURN.ttl_seconds or 0)
        answer = self._durable.ask_patiently(
            lambda store: self._take_turn.run(store, keys, (consumer, lasts))
        )
        return bool(answer)

    def end_turn(self, issuer_id: str, consumer: str) -> None:
        """Let another have the turn; nothing when it is another's already."""
        keys = (PUSH_TURN.key(issuer_id),)
        self._durable.ask_patiently(lambda store: self._end_turn.run(store, keys, (consumer,)))

    def take(self, issuer_id: str, consumer: str, *, most: int, idle_seconds: float) -> list[Batch]:
        """Batches to judge: first those that another took and left idle, then new ones."""
        name = PUSH_OUTBOX.key(issuer_id)

        def read(store: redis.Redis) -> list[Any]:
            _make_group(store, name)
            idle = int(idle_seconds * 1000)
            _, left, *_ = store.xautoclaim(name, GROUP, consumer, idle, "0-0", count=most)
            if len(left) >= most:
                return list(left)
            fresh: Any = store.xreadgroup(GROUP, consumer, {name: ">"}, count=most - len(left))
            return [*left, *(fresh[0][1] if fresh else ())]

        batches: list[Batch] = []
        for entry_id, fields in self._durable.ask_patiently(read):
            batch = _batch(entry_id, fields)
            if batch is None:
                self._bury(issuer_id, entry_id, fields)
            else:
                batches.append(batch)
        return batches

    def _bury(self, issuer_id: str, entry_id: bytes, fields: dict[bytes, bytes]) -> None:
        """Lay a batch that cannot be read aside, so that the others go on."""
        name, dead = PUSH_OUTBOX.key(issuer_id), PUSHES_DEAD.key(issuer_id)
        kept: dict[Any, Any] = {**(fields or {}), b"reason": b"unreadable", b"was": entry_id}

        def move(store: redis.Redis) -> None:
            pipeline = store.pipeline(transaction=True)
            pipeline.xadd(dead, kept, maxlen=MOST_DEAD)
            pipeline.expire(dead, PUSHES_DEAD.ttl_seconds or 0)
            pipeline.xack(name, GROUP, entry_id)
            pipeline.xdel(name, entry_id)
            pipeline.execute()

        self._durable.ask_patiently(move)

    def done(self, issuer_id: str, batch: Batch) -> None:
        """Forget a batch that was judged to its end."""
        name = PUSH_OUTBOX.key(issuer_id)

        def forget(store: redis.Redis) -> None:
            pipeline = store.pipeline(transaction=True)
            pipeline.xack(name, GROUP, batch.entry_id)
            pipeline.xdel(name, batch.entry_id)
            pipeline.execute()

        self._durable.ask_patiently(forget)

    def hold(self, issuer_id: str, held: Sequence[Held]) -> None:
        """Keep pushes until their cardholders' quiet hours end."""
        calls = [self._wait_call(issuer_id, one) for one in held]
        if calls:
            self._durable.ask_patiently(lambda store: self._wait.run_all(store, calls))

    def _wait_call(self, issuer_id: str, one: Held) -> tuple[list[str], list[Argument]]:
        push = one.push
        keys = [
            CAMPAIGN_PUSHES.key(issuer_id, push.campaign_id),
            PUSHES_WAITING.key(issuer_id),
            ERASED.key(issuer_id),
        ]
        hashed = self._deny_list.hash_of(issuer_id, push.cardholder_id)
        return keys, [push.push_id, one.score, push.encoded(), hashed]

    def wake(self, issuer_id: str, now: datetime) -> int:
        """Move pushes whose quiet hours are over back to the outbox; returns how many."""
        keys = [PUSHES_WAITING.key(issuer_id), PUSH_OUTBOX.key(issuer_id)]
        arguments = [microseconds(now) // 1000, WAKE_AT_A_TIME]
        return int(
            self._durable.ask_patiently(lambda store: self._wake.run(store, keys, arguments))
        )


def _make_group(store: redis.Redis, name: str) -> None:
    """Make sure that the group is there, also after the store lost it."""
    try:
        store.xgroup_create(name, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def _batch(entry_id: bytes, fields: dict[bytes, bytes]) -> Batch | None:
    """Batch of an entry; None for one that is none."""
    try:
        rows = orjson.loads(fields[b"batch"])
        return Batch(entry_id.decode(), tuple(_push(row) for row in rows))
    except (KeyError, TypeError, ValueError):
        return None


def _push(row: list[str]) -> Push:
    if len(row) != 4 or not all(isinstance(part, str) for part in row):
        raise ValueError("a push is four texts")
    return Push(*row)
