"""Which interests cardholders deleted, as the trainer is told of it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import redis

from embeddings.deleted_interests import DeletedInterests, Deletions
from recsvc.domain.moment import EPOCH, microseconds
from recsvc.stores.connection.client import Connection, field_of
from recsvc.stores.denylist import DenyList
from recsvc.stores.keys.cardholders import DELETED_INTERESTS

REVISION = "revision"
AT_ONCE = 1_000
SETTLED = timedelta(minutes=1)
"""A deletion bears the instant of the process that was asked for it; after so long it is on record,
though that process was slow and its clock ahead or behind."""


class DeletedInterestStore:
    """Reads deletions; `CardholderStore.delete_interest` writes them, an erasure removes them."""

    def __init__(self, durable: Connection, deny_list: DenyList) -> None:
        self._durable = durable
        self._deny_list = deny_list

    def revision(self, issuer_id: str) -> int | None:
        """Grows with each change; None where nothing was ever deleted."""
        name = DELETED_INTERESTS.key(issuer_id)
        told = self._durable.ask_patiently(lambda store: field_of(store, name, REVISION))
        return None if told is None else int(told)

    def key_of(self, issuer_id: str) -> bytes:
        """Key of the hashes on an issuer's list."""
        return self._deny_list.key_of(issuer_id)

    def read(self, issuer_id: str, revision: int, now: datetime) -> DeletedInterests:
        """The whole list, at least as of a revision that was read before."""
        found = self._durable.ask_patiently(lambda store: _fields(store, issuer_id))
        deletions: dict[str, dict[str, int]] = {}
        for field, deleted_at in found.items():
            hashed, separator, column = field.decode().partition("|")
            if separator:
                deletions.setdefault(hashed, {})[column] = int(deleted_at)
        key, through = self.key_of(issuer_id), _through(deletions, now)
        return DeletedInterests(issuer_id, key, revision, deletions, through)


def is_settled(deleted: DeletedInterests) -> bool:
    """Whether every deletion on the list is one that it vouches for."""
    newest = _newest(deleted.deletions.values())
    return newest is None or (deleted.through is not None and newest <= deleted.through)


def _through(deletions: dict[str, dict[str, int]], now: datetime) -> datetime | None:
    """The newest deletion that was on record for certain when the list was read."""
    until = microseconds(now - SETTLED)
    settled = ({c: at for c, at in one.items() if at <= until} for one in deletions.values())
    return _newest(settled)


def _newest(deletions: Iterable[Deletions]) -> datetime | None:
    newest = max((at for one in deletions for at in one.values()), default=None)
    return None if newest is None else EPOCH + timedelta(microseconds=newest)


def _fields(store: redis.Redis, issuer_id: str) -> dict[bytes, bytes]:
    """All fields, a few at a time: the store answers others in between."""
    return dict(store.hscan_iter(DELETED_INTERESTS.key(issuer_id), count=AT_ONCE))
