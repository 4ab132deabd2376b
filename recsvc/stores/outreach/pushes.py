"""Pushes that leave: at most once to the gateway by their ids, within what the store holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import redis

from recsvc.domain.campaign.pressure import FrequencyCap
from recsvc.domain.moment import EPOCH, microseconds
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.denylist import DenyList
from recsvc.stores.keys.access import NOTICE
from recsvc.stores.keys.campaigns import CAMPAIGN_PUSHES
from recsvc.stores.keys.cardholders import CARDHOLDER, ERASED
from recsvc.stores.keys.family import DAY_SECONDS
from recsvc.stores.keys.pushes import (
    PUSH_GATEWAY,
    PUSH_LOG,
    WEBHOOK_DELIVERY,
    WEBHOOK_DUE,
)
from recsvc.stores.outreach.outbox import Push
from recsvc.stores.outreach.push_scripts import PUSH_SEND

GATEWAY_DAYS = 7


class Sent(StrEnum):
    """What became of an attempt to send."""

    SENT = "sent"
    KNOWN = "known"
    ERASED = "erased"
    NO_CONSENT = "consent"
    CAP = "cap"
    BUDGET = "budget"


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


class PushStore:
    """Pushes of all issuers that left or never will, in the durable store."""

    def __init__(self, durable: Connection, deny_list: DenyList) -> None:
        self._durable = durable
        self._deny_list = deny_list
        self._send = Script(PUSH_SEND)

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

    def trim(self, issuer_id: str, now: datetime) -> None:
        """Forget what left the gateway's stream to seven days ago."""
        oldest = microseconds(now) // 1000 - GATEWAY_DAYS * DAY_SECONDS * 1000
        name = PUSH_GATEWAY.key(issuer_id)
        self._durable.ask_patiently(
            lambda store: store.xtrim(name, minid=f"{oldest}-0", approximate=False)
        )


def _logged(member: bytes, score: float) -> tuple[str, datetime]:
    channel = member.decode().partition("|")[0]
    return channel, EPOCH + timedelta(milliseconds=score)
