"""The outbox and what leaves it: at most once to the gateway by its id, none lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson
import redis
from redis.exceptions import ResponseError

from recsvc.domain.campaign.pressure import FrequencyCap
from recsvc.domain.eligibility.moment import EPOCH, microseconds
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.keys.access import NOTICE
from recsvc.stores.keys.campaigns import CAMPAIGN_PUSHES
from recsvc.stores.keys.cardholders import CARDHOLDER, ERASED
from recsvc.stores.keys.family import DAY_SECONDS
from recsvc.stores.keys.pushes import (
    PUSH_GATEWAY,
    PUSH_LOG,
    PUSH_OUTBOX,
    PUSH_TURN,
    PUSHES_DEAD,
    PUSHES_WAITING,
    WEBHOOK_DELIVERY,
    WEBHOOK_DUE,
)
from recsvc.stores.outreach.push_scripts import PUSH_SEND, PUSH_WAIT, PUSH_WAKE, TURN_END, TURN_TAKE
from recsvc.stores.rights.denylist import DenyList

GROUP = "dispatch"
WAKE_AT_A_TIME = 500
GATEWAY_DAYS = 7
MOST_DEAD = 10_000


class Sent(StrEnum):
    """What became of an attempt to send."""

    SENT = "sent"
    KNOWN = "known"
    ERASED = "erased"
    NO_CONSENT = "consent"
    CAP = "cap"
    BUDGET = "budget"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A push that may leave, and what the store holds it to once more.

    Parameters
    ----------
    push : Push
    body : bytes         what the gateway and the webhooks get
    channel : str
    caps : of the cardholder on this channel, over all campaigns
    most : pushes of the campaign; None for no limit
    webhooks : ids of those to tell
    """

    push: Push
    body: bytes
    channel: str
    caps: tuple[FrequencyCap, ...]
    most: int | None
    webhooks: tuple[str, ...] = ()


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


class PushStore:
    """Pushes of all issuers in the durable store."""

    def __init__(self, durable: Connection, deny_list: DenyList) -> None:
        self._durable = durable
        self._deny_list = deny_list
        self._send = Script(PUSH_SEND)
        self._wait = Script(PUSH_WAIT)
        self._wake = Script(PUSH_WAKE)
        self._take_turn = Script(TURN_TAKE)
        self._end_turn = Script(TURN_END)

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

    def logs(
        self, issuer_id: str, cardholder_ids: Sequence[str]
    ) -> list[list[tuple[str, datetime]]]:
        """Channel and instant of each push that left lately, for each cardholder."""
        keys = [PUSH_LOG.key(issuer_id, one) for one in cardholder_ids]

        def read(store: redis.Redis) -> list[Any]:
            pipeline = store.pipeline(transaction=False)
            for key in keys:
                pipeline.zrange(key, 0, -1, withscores=True)
            return list(pipeline.execute())

        answers = self._durable.ask_patiently(read)
        return [[_logged(member, score) for member, score in rows] for rows in answers]

    def send(self, issuer_id: str, dispatches: Sequence[Dispatch], now: datetime) -> list[Sent]:
        """Let pushes leave, each whole or not at all; one round trip for all."""
        if not dispatches:
            return []
        calls = [self._send_call(issuer_id, one, now) for one in dispatches]
        answers = self._durable.ask_patiently(lambda store: self._send.run_all(store, calls))
        return [Sent(answer.decode()) for answer in answers]

    def _send_call(
        self, issuer_id: str, one: Dispatch, now: datetime
    ) -> tuple[list[str], list[Argument]]:
        push = one.push
        keys = [
            CAMPAIGN_PUSHES.key(issuer_id, push.campaign_id),
            PUSH_LOG.key(issuer_id, push.cardholder_id),
            PUSH_GATEWAY.key(issuer_id),
            ERASED.key(issuer_id),
            CARDHOLDER.key(issuer_id, push.cardholder_id),
            NOTICE.key(issuer_id),
        ]
        for webhook_id in one.webhooks:
            keys.append(WEBHOOK_DUE.key(issuer_id, webhook_id))
            keys.append(WEBHOOK_DELIVERY.key(issuer_id, webhook_id, push.push_id))
        arguments: list[Argument] = [
            push.push_id,
            microseconds(now) // 1000,
            one.body,
            "" if one.most is None else one.most,
            PUSH_LOG.ttl_seconds or 0,
            CAMPAIGN_PUSHES.ttl_seconds or 0,
            WEBHOOK_DELIVERY.ttl_seconds or 0,
            len(one.caps),
        ]
        for cap in one.caps:
            arguments += (cap.count, int(cap.span / timedelta(milliseconds=1)))
        hashed = self._deny_list.hash_of(issuer_id, push.cardholder_id)
        return keys, [*arguments, one.channel, hashed]

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

    def refuse(self, issuer_id: str, refused: Sequence[tuple[Push, str]]) -> None:
        """Remember why pushes will never leave; what is known of one already stays."""
        if not refused:
            return

        def write(store: redis.Redis) -> None:
            pipeline = store.pipeline(transaction=False)
            for push, reason in refused:
                name = CAMPAIGN_PUSHES.key(issuer_id, push.campaign_id)
                pipeline.hsetnx(name, push.push_id, reason)
                pipeline.expire(name, CAMPAIGN_PUSHES.ttl_seconds or 0)
            pipeline.execute()

        self._durable.ask_patiently(write)

    def wake(self, issuer_id: str, now: datetime) -> int:
        """Move pushes whose quiet hours are over back to the outbox; returns how many."""
        keys = [PUSHES_WAITING.key(issuer_id), PUSH_OUTBOX.key(issuer_id)]
        arguments = [microseconds(now) // 1000, WAKE_AT_A_TIME]
        return int(
            self._durable.ask_patiently(lambda store: self._wake.run(store, keys, arguments))
        )

    def trim(self, issuer_id: str, now: datetime) -> None:
        """Forget what left the gateway's stream to seven days ago."""
        oldest = microseconds(now) // 1000 - GATEWAY_DAYS * DAY_SECONDS * 1000
        name = PUSH_GATEWAY.key(issuer_id)
        self._durable.ask_patiently(
            lambda store: store.xtrim(name, minid=f"{oldest}-0", approximate=True)
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


def _logged(member: bytes, score: float) -> tuple[str, datetime]:
    channel = member.decode().partition("|")[0]
    return channel, EPOCH + timedelta(milliseconds=score)
