"""All stores of the service, opened together."""

from dataclasses import dataclass
from typing import Self

from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.settings import Settings
from recsvc.stores.catalog import CatalogStore
from recsvc.stores.changes import ChangeWatch
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.deadline import Deadline
from recsvc.stores.denylist import DenyList
from recsvc.stores.entrance.api_keys import ApiKeyStore
from recsvc.stores.entrance.idempotency import IdempotencyStore
from recsvc.stores.events.intake import EventStore
from recsvc.stores.events.ledger import LedgerStore
from recsvc.stores.people.cardholders import CardholderStore


@dataclass(frozen=True, slots=True)
class Stores:
    """What the service remembers in, each store on the connection of its role."""

    cache: Connection
    durable: Connection
    writes: Connection
    api_keys: ApiKeyStore
    cardholders: CardholderStore
    catalog: CatalogStore
    changes: ChangeWatch
    deny_list: DenyList
    events: EventStore
    ledger: LedgerStore
    idempotency: IdempotencyStore

    @classmethod
    def of(cls, cache: Connection, durable: Connection, writes: Connection | None = None) -> Self:
        """Stores on these connections.

        Parameters
        ----------
        cache, durable : the two roles
        writes : to the durable store with a longer wait, for what must reach the disk
        """
        patient = writes or durable
        deny_list = DenyList(durable)
        return cls(
            cache,
            durable,
            patient,
            ApiKeyStore(durable),
            CardholderStore(durable, patient, deny_list),
            CatalogStore(durable, patient),
            ChangeWatch(durable),
            deny_list,
            EventStore(patient, deny_list),
            LedgerStore(patient, deny_list),
            IdempotencyStore(patient, deny_list),
        )

    @property
    def deadline(self) -> Deadline:
        """Of the request that the asking thread is answering."""
        return self.durable.deadline

    def close(self) -> None:
        """Close all sockets."""
        self.cache.close()
        self.durable.close()
        self.writes.close()


def open_stores(settings: Settings, log: Log, metrics: Metrics) -> Stores:
    """Stores at the addresses of the settings; no socket is opened before the first question."""
    quick = settings.store_timeout_ms
    connections = settings.threads + 4
    deadline = Deadline()

    def connect(name: str, url: str, wait_ms: int) -> Connection:
        return Connection(
            name,
            url,
            wait_seconds=wait_ms / 1000,
            connections=connections,
            log=log,
            metrics=metrics,
            deadline=deadline,
        )

    return Stores.of(
        connect("cache_store", settings.redis_url, quick),
        connect("profile_store", settings.durable_url, quick),
        connect("event_store", settings.durable_url, settings.write_timeout_ms),
    )
