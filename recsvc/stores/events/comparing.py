"""Lists served and deeds done, as the streams have them, for comparing rankings."""

from collections.abc import Iterator

import redis

from recsvc.domain.results.rankings import Deed, Served
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.streams import documents_of
from recsvc.stores.keys.events import EVENTS
from recsvc.stores.keys.requests import SERVES


class ComparingStore:
    """Reads both streams from an instant on; for a command, not for requests.

    Parameters
    ----------
    durable, cache : Connection
    """

    def __init__(self, durable: Connection, cache: Connection) -> None:
        self._durable = durable
        self._cache = cache

    def served(self, issuer_id: str, since_ms: int) -> list[Served]:
        """Personalised lists since then, oldest first."""
        name = SERVES.key(issuer_id)
        return self._cache.ask_patiently(lambda store: list(_served(store, name, since_ms)))

    def deeds(self, issuer_id: str, since_ms: int) -> list[Deed]:
        """What was done with items since then, in order of arrival."""
        name = EVENTS.key(issuer_id)
        return self._durable.ask_patiently(lambda store: list(_deeds(store, name, since_ms)))


def _served(store: redis.Redis, name: str, since_ms: int) -> Iterator[Served]:
    for position, told in documents_of(store, name, b"serve", first=f"{since_ms}-0"):
        if told.get("personalised"):
            items = tuple(place[0] for place in told["items"])
            yield Served(_ms(position), told["cardholder_id"], told["ranking"], items)


def _deeds(store: redis.Redis, name: str, since_ms: int) -> Iterator[Deed]:
    for position, told in documents_of(store, name, b"event", first=f"{since_ms}-0"):
        item_id = told.get("item_id")
        if item_id is not None:
            yield Deed(_ms(position), told["cardholder_id"], told["type"], item_id)


def _ms(position: bytes) -> int:
    return int(position.partition(b"-")[0])
