"""What changed in the durable store since a worker last looked: one round trip for everything."""

from collections.abc import Sequence
from dataclasses import dataclass

import redis

from recsvc.stores.connection.client import Connection
from recsvc.stores.keys.access import ISSUERS
from recsvc.stores.keys.catalog import ALLIANCES, ALLIANCES_JOINED, CATALOG_STATE
from recsvc.stores.keys.family import EVERY_ISSUER


@dataclass(frozen=True, slots=True)
class CatalogMark:
    """How far a catalogue has come; versions count within an epoch, None where there is none."""

    epoch: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Marks:
    """How far everything has come.

    Parameters
    ----------
    issuers : all that have a key
    catalogs : how far the catalogue of each issuer asked for has come
    alliances : the open alliances that each issuer asked for has joined, in order of their ids
    """

    issuers: frozenset[str]
    catalogs: dict[str, CatalogMark]
    alliances: dict[str, tuple[str, ...]]


class ChangeWatch:
    """Reads the marks."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable

    def marks(self, issuer_ids: Sequence[str]) -> Marks:
        """Marks now, of the catalogues of these issuers; StoreAwayError when there is no answer."""
        answers = self._durable.ask_patiently(lambda store: _ask(store, issuer_ids))
        issuers, opened, *told = answers
        return Marks(
            frozenset(issuer.decode() for issuer in issuers),
            {i: _mark(state) for i, state in zip(issuer_ids, told[::2], strict=True)},
            {
                i: tuple(sorted(one.decode() for one in joined & opened))
                for i, joined in zip(issuer_ids, told[1::2], strict=True)
            },
        )


def _ask(store: redis.Redis, issuer_ids: Sequence[str]) -> list:  # type: ignore[type-arg]
    pipeline = store.pipeline(transaction=False)
    pipeline.smembers(ISSUERS.key(EVERY_ISSUER))
    pipeline.smembers(ALLIANCES.key(EVERY_ISSUER))
    for issuer_id in issuer_ids:
        pipeline.hmget(CATALOG_STATE.key(issuer_id), "epoch", "version")
        pipeline.smembers(ALLIANCES_JOINED.key(issuer_id))
    return pipeline.execute()


def _mark(state: Sequence[bytes | None]) -> CatalogMark:
    epoch, version = state
    return CatalogMark(epoch.decode() if epoch else None, int(version or 0))
