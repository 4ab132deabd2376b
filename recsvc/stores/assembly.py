"""All stores of the service, opened together."""

from dataclasses import dataclass
from typing import Self

from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.settings import Settings
from recsvc.stores.api_keys import ApiKeyStore
from recsvc.stores.cardholders import CardholderStore
from recsvc.stores.catalog import CatalogStore
from recsvc.stores.changes import ChangeWatch
from recsvc.stores.client import Connection


@dataclass(frozen=True, slots=True)
class Stores:
    """What the service remembers in, each store on the connection of its role."""

    cache: Connection
    durable: Connection
    api_keys: ApiKeyStore
    cardholders: CardholderStore
    catalog: CatalogStore
    changes: ChangeWatch

    @classmethod
    def of(cls, cache: Connection, durable: Connection) -> Self:
        """Stores on these two connections."""
        return cls(
            cache,
            durable,
            ApiKeyStore(durable),
            CardholderStore(durable),
            CatalogStore(durable),
            ChangeWatch(durable),
        )

    def close(self) -> None:
        """Close all sockets."""
        self.cache.close()
        self.durable.close()


def open_stores(settings: Settings, log: Log, metrics: Metrics) -> Stores:
    """Stores at the addresses of the settings; no socket is opened before the first question."""
    wait_seconds = settings.store_timeout_ms / 1000
    connections = settings.threads + 4

    def connect(name: str, url: str) -> Connection:
        return Connection(
            name,
            url,
            wait_seconds=wait_seconds,
            connections=connections,
            log=log,
            metrics=metrics,
        )

    return Stores.of(
        connect("cache_store", settings.redis_url), connect("profile_store", settings.durable_url)
    )
