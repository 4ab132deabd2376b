"""Which catalogues are an alliance's, and which issuer has opted into which."""

from typing import Any

import redis

from recsvc.domain.errors import ConflictError, NotFoundError
from recsvc.stores.connection.client import Connection
from recsvc.stores.keys.catalog import ALLIANCES, ALLIANCES_JOINED
from recsvc.stores.keys.family import EVERY_ISSUER

OPEN = ALLIANCES.key(EVERY_ISSUER)


class AllianceStore:
    """Opens and joins alliances in the durable store.

    It takes two: the operator opens a catalogue to others, and each issuer joins for himself.
    """

    def __init__(self, durable: Connection) -> None:
        self._durable = durable

    def open(self, alliance_id: str) -> None:
        """Let issuers join; again is no harm."""
        self._durable.ask(lambda store: store.sadd(OPEN, alliance_id))

    def close(self, alliance_id: str) -> None:
        """Take the catalogue from all who joined; NotFoundError when it is not open."""
        if not self._durable.ask(lambda store: store.srem(OPEN, alliance_id)):
            raise NotFoundError

    def join(self, issuer_id: str, alliance_id: str) -> None:
        """Take an alliance's catalogue beside the issuer's own; again is no harm.

        Raises
        ------
        NotFoundError
            no such alliance is open
        ConflictError
            ``own_alliance``: it is this issuer's own catalogue
        """
        if issuer_id == alliance_id:
            raise ConflictError("own_alliance", "An issuer has his own catalogue anyway.")
        if alliance_id not in self.opened():
            raise NotFoundError
        name = ALLIANCES_JOINED.key(issuer_id)
        self._durable.ask(lambda store: store.sadd(name, alliance_id))

    def leave(self, issuer_id: str, alliance_id: str) -> None:
        """Take it no longer; NotFoundError when the issuer had not joined."""
        name = ALLIANCES_JOINED.key(issuer_id)
        if not self._durable.ask(lambda store: store.srem(name, alliance_id)):
            raise NotFoundError

    def opened(self) -> frozenset[str]:
        """Alliances that may be joined."""
        return self._durable.ask(lambda store: _members(store, OPEN))

    def joined(self, issuer_id: str) -> frozenset[str]:
        """Alliances that an issuer has joined, closed ones included."""
        name = ALLIANCES_JOINED.key(issuer_id)
        return self._durable.ask(lambda store: _members(store, name))


def _members(store: redis.Redis, name: str) -> frozenset[str]:
    found: Any = store.smembers(name)
    return frozenset(one.decode() for one in found)
