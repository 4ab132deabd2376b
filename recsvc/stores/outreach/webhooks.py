"""Webhooks of issuers, and what is still to be delivered to each."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import redis

from recsvc.domain.campaign.ids import lettered
from recsvc.domain.errors import NotFoundError
from recsvc.domain.moment import microseconds
from recsvc.stores.connection.client import Connection
from recsvc.stores.keys.pushes import PUSH_GATEWAY, WEBHOOK_DELIVERY, WEBHOOK_DUE, WEBHOOKS

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 - how Standard Webhooks marks a secret
LEASE_SECONDS = 60

# Keys: due. Arguments: now in ms, end of the lease in ms, most at a time. Takes what is due and
# leaves it due again at the end of the lease, so that a killed worker's share comes back.
WEBHOOK_LEASE = """
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, id in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[2], id) end
return due
"""


# Keys: webhooks. Arguments: webhook id, why. Switches one off where there still is one.
WEBHOOK_DISABLE = """
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if not kept then return 0 end
local document = cjson.decode(kept)
document[3] = ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(document))
return 1
"""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where an issuer wants its pushes told.

    Parameters
    ----------
    webhook_id, url : str
    secret : str            ``whsec_`` and base64, shown once
    disabled : str          why nothing is sent any more; None while it is open
    """

    webhook_id: str
    url: str
    secret: str
    disabled: str | None = None

    @property
    def key(self) -> bytes:
        """Bytes that sign."""
        return base64.b64decode(self.secret.removeprefix(SECRET_PREFIX))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One push for one webhook."""

    push_id: str
    body: bytes
    attempts: int


class WebhookStore:
    """Webhooks in the durable store."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable

    def add(self, issuer_id: str, url: str) -> Webhook:
        """Keep a new webhook, with a secret of its own."""
        secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        webhook = Webhook(f"wh_{lettered(secrets.token_bytes(8))}", url, secret)
        self._write(issuer_id, webhook)
        return webhook

    def _write(self, issuer_id: str, webhook: Webhook) -> None:
        name = WEBHOOKS.key(issuer_id)
        document = orjson.dumps([webhook.url, webhook.secret, webhook.disabled])
        self._durable.ask(lambda store: store.hset(name, webhook.webhook_id, document))

    def all(self, issuer_id: str) -> list[Webhook]:
        """Webhooks of an issuer, by id."""
        name = WEBHOOKS.key(issuer_id)
        stored: Any = self._durable.ask_patiently(lambda store: store.hgetall(name))
        found = [Webhook(k.decode(), *orjson.loads(document)) for k, document in stored.items()]
        return sorted(found, key=lambda webhook: webhook.webhook_id)

    def open_ids(self, issuer_id: str) -> list[str]:
        """Ids of webhooks that are not switched off."""
        return [one.webhook_id for one in self.all(issuer_id) if one.disabled is None]

    def get(self, issuer_id: str, webhook_id: str) -> Webhook:
        """One webhook; NotFoundError when the issuer has none of this id."""
        found = next((w for w in self.all(issuer_id) if w.webhook_id == webhook_id), None)
        if found is None:
            raise NotFoundError
        return found

    def disable(self, issuer_id: str, webhook_id: str, reason: str) -> None:
        """Switch a webhook off; one that was deleted meanwhile stays deleted."""
        name = WEBHOOKS.key(issuer_id)
        self._durable.ask_patiently(
            lambda store: store.eval(WEBHOOK_DISABLE, 1, name, webhook_id, reason)
        )

    def remove(self, issuer_id: str, webhook_id: str) -> None:
        """Forget a webhook and what was to be delivered; NotFoundError when there is none."""
        name, due = WEBHOOKS.key(issuer_id), WEBHOOK_DUE.key(issuer_id, webhook_id)
        if not self._durable.ask(lambda store: store.hdel(name, webhook_id)):
            raise NotFoundError
        self._durable.ask(lambda store: store.delete(due))

    def lease(
        self, issuer_id: str, webhook_id: str, now: datetime, most: int
    ) -> Sequence[Delivery]:
        """Deliveries that are due, for a minute nobody else's."""
        due, now_ms = WEBHOOK_DUE.key(issuer_id, webhook_id), microseconds(now) // 1000
        lease_ms = now_ms + 1000 * LEASE_SECONDS

        def read(store: redis.Redis) -> list[Delivery]:
            ids: Any = store.eval(WEBHOOK_LEASE, 1, due, now_ms, lease_ms, most)
            found = self._deliveries(store, issuer_id, webhook_id, ids)
            gone = [push_id for push_id, delivery in zip(ids, found, strict=True) if not delivery]
            if gone:
                store.zrem(due, *gone)
            return [delivery for delivery in found if delivery]

        return self._durable.ask_patiently(read)

    def _deliveries(
        self, store: redis.Redis, issuer_id: str, webhook_id: str, push_ids: Sequence[bytes]
    ) -> list[Delivery | None]:
        """Deliveries of pushes; None where the push is gone, with its cardholder or its time.

        Bodies are read from the gateway's stream, so that what is erased there is erased here.
        """
        pipeline = store.pipeline(transaction=False)
        for push_id in push_ids:
            pipeline.hgetall(WEBHOOK_DELIVERY.key(issuer_id, webhook_id, push_id.decode()))
        rows = pipeline.execute()
        gateway = PUSH_GATEWAY.key(issuer_id)
        for row in rows:
            position = row.get(b"position", b"0-1")
            pipeline.xrange(gateway, position, position)
        entries = pipeline.execute()
        return [_delivery(*one) for one in zip(push_ids, rows, entries, strict=True)]

    def delivered(self, issuer_id: str, webhook_id: str, push_id: str, status: int) -> None:
        """Nothing more is to be tried; the push stays in the stream for a replay."""
        self._end(issuer_id, webhook_id, push_id, f"delivered {status}")

    def given_up(self, issuer_id: str, webhook_id: str, push_id: str, reason: str) -> None:
        """Nothing more is tried, though it was not delivered."""
        self._end(issuer_id, webhook_id, push_id, f"given up: {reason}")

    def _end(self, issuer_id: str, webhook_id: str, push_id: str, outcome: str) -> None:
        due = WEBHOOK_DUE.key(issuer_id, webhook_id)
        delivery = WEBHOOK_DELIVERY.key(issuer_id, webhook_id, push_id)

        def write(store: redis.Redis) -> None:
            pipeline = store.pipeline(transaction=True)
            pipeline.zrem(due, push_id)
            pipeline.hset(delivery, "outcome", outcome)
            pipeline.expire(delivery, WEBHOOK_DELIVERY.ttl_seconds or 0)
            pipeline.execute()

        self._durable.ask_patiently(write)

    def retry(self, issuer_id: str, webhook_id: str, push_id: str, again_at: datetime) -> None:
        """Try a delivery again later; one more attempt is on record.

        What is no longer due, as its webhook was deleted, stays so.
        """
        due = WEBHOOK_DUE.key(issuer_id, webhook_id)
        delivery = WEBHOOK_DELIVERY.key(issuer_id, webhook_id, push_id)

        def write(store: redis.Redis) -> None:
            pipeline = store.pipeline(transaction=True)
            pipeline.zadd(due, {push_id: microseconds(again_at) // 1000}, xx=True)
            pipeline.hincrby(delivery, "attempts", 1)
            pipeline.execute()

        self._durable.ask_patiently(write)

    def replay(self, issuer_id: str, webhook_id: str, push_id: str, now: datetime) -> None:
        """Deliver a push of the last seven days again; NotFoundError when it is not kept."""
        self.get(issuer_id, webhook_id)
        due = WEBHOOK_DUE.key(issuer_id, webhook_id)
        delivery = WEBHOOK_DELIVERY.key(issuer_id, webhook_id, push_id)

        def write(store: redis.Redis) -> bool:
            if not store.exists(delivery):
                return False
            store.hset(delivery, "attempts", "0")
            store.zadd(due, {push_id: microseconds(now) // 1000})
            store.expire(due, WEBHOOK_DUE.ttl_seconds or 0)
            return True

        if not self._durable.ask(write):
            raise NotFoundError

    def outcome(self, issuer_id: str, webhook_id: str, push_id: str) -> str | None:
        """What became of a delivery; None while it is under way or when it is not kept."""
        name = WEBHOOK_DELIVERY.key(issuer_id, webhook_id, push_id)
        stored: Any = self._durable.ask(lambda store: store.hget(name, "outcome"))
        return stored.decode() if isinstance(stored, bytes) else None


def _delivery(push_id: bytes, row: dict[bytes, bytes], entries: list[Any]) -> Delivery | None:
    if not row or not entries:
        return None
    body: bytes = entries[0][1][b"push"]
    return Delivery(push_id.decode(), body, int(row[b"attempts"]))
