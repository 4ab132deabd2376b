"""Takes erased cardholders out of streams and queues, where ids stand inside values."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson
import redis

from recsvc.domain.errors import StoreAwayError
from recsvc.domain.moment import microseconds
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.streams import documents_of
from recsvc.stores.keys.campaigns import CAMPAIGN_ROSTER, CAMPAIGNS
from recsvc.stores.keys.cardholders import UNSETTLED, USES_DUE
from recsvc.stores.keys.events import EVENTS, EVENTS_DEAD
from recsvc.stores.keys.family import Family
from recsvc.stores.keys.pushes import PUSH_GATEWAY
from recsvc.stores.keys.requests import SERVES
from recsvc.stores.outreach.rosters import numbers_in, part_in
from recsvc.stores.rights.push_sweeping import sweep_pushes

STREAMS: tuple[tuple[Family, bytes], ...] = (
    (EVENTS, b"event"),
    (EVENTS_DEAD, b"event"),
    (SERVES, b"serve"),
    (PUSH_GATEWAY, b"push"),
)
"""Streams of JSON objects with a ``cardholder_id``, and the field they stand in."""
QUEUES = (UNSETTLED, USES_DUE)
CHUNK = 1000


class Sweeper:
    """Looks through everything of one issuer; meant for the archiver, not for requests."""

    def __init__(self, durable: Connection, cache: Connection) -> None:
        self._durable = durable
        self._cache = cache

    def sweep(self, issuer_id: str, is_gone: Callable[[str], bool]) -> int:
        """Remove all entries of those who are gone; returns how many."""
        removed = 0
        for family, field in STREAMS:
            connection = self._durable if family.role == "durable" else self._cache
            name = family.key(issuer_id)
            removed += connection.ask_patiently(
                lambda store, name=name, field=field: _sweep_stream(store, name, field, is_gone)  # type: ignore[misc]
            )
        for family in QUEUES:
            name = family.key(issuer_id)
            removed += self._durable.ask_patiently(
                lambda store, name=name: _sweep_queue(store, name, is_gone)  # type: ignore[misc]
            )
        removed += self._durable.ask_patiently(
            lambda store: _sweep_rosters(store, issuer_id, is_gone)
        )
        return removed + self._durable.ask_patiently(
            lambda store: sweep_pushes(store, issuer_id, is_gone)
        )

    def end_serves(self, issuer_id: str, now: datetime) -> None:
        """End what was served longer ago than is kept; their number alone would not, where few are.

        A cache that is away loses them by itself, or is asked again next time.
        """
        oldest = microseconds(now) // 1000 - (SERVES.ttl_seconds or 0) * 1000
        name = SERVES.key(issuer_id)
        with suppress(StoreAwayError):
            self._cache.ask_patiently(
                lambda store: store.xtrim(name, minid=f"{oldest}-0", approximate=False)
            )

    def entries_of(self, issuer_id: str, cardholder_id: str) -> dict[str, list[Any]]:
        """All entries of a cardholder, by the name of the stream."""
        found = {}
        for family, field in STREAMS:
            connection = self._durable if family.role == "durable" else self._cache
            name = family.key(issuer_id)
            found[family.name] = connection.ask_patiently(
                lambda store, name=name, field=field: [  # type: ignore[misc]
                    document
                    for _, document in documents_of(store, name, field)
                    if _whose(document) == cardholder_id
                ]
            )
        return found


def _whose(document: dict[str, Any]) -> str | None:
    """Whom an entry is about; pushes say so in their data."""
    inner = document.get("data")
    found = document.get("cardholder_id") or (
        inner.get("cardholder_id") if isinstance(inner, dict) else None
    )
    return found if isinstance(found, str) else None


def _sweep_stream(
    store: redis.Redis, name: str, field: bytes, is_gone: Callable[[str], bool]
) -> int:
    gone = [
        position
        for position, document in documents_of(store, name, field)
        if (whose := _whose(document)) is not None and is_gone(whose)
    ]
    for start in range(0, len(gone), CHUNK):
        store.xdel(name, *gone[start : start + CHUNK])
    return len(gone)


def _sweep_queue(store: redis.Redis, name: str, is_gone: Callable[[str], bool]) -> int:
    members = [member for member, _ in store.zscan_iter(name)]
    gone = [one for one in members if is_gone(one.decode().partition("|")[0])]
    if gone:
        store.zrem(name, *gone)
    return len(gone)


def _sweep_rosters(store: redis.Redis, issuer_id: str, is_gone: Callable[[str], bool]) -> int:
    """Take rows of those who are gone out of every campaign's roster."""
    removed = 0
    campaigns: Any = store.hkeys(CAMPAIGNS.key(issuer_id))
    for campaign_id in campaigns:
        name = CAMPAIGN_ROSTER.key(issuer_id, campaign_id.decode())
        for number in numbers_in(store, name):
            rows = part_in(store, name, number)
            kept = [row for row in rows if not is_gone(row[0])]
            if len(kept) < len(rows):
                store.hset(name, str(number), orjson.dumps(kept))
                removed += len(rows) - len(kept)
    return removed
