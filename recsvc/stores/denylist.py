"""Who was erased: keyed hashes of ids, looked at in the same round trip as everything else."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

import orjson
import redis

from embeddings.erasure import ErasedList, erased_hash
from recsvc.stores.codec import OPTIONS
from recsvc.stores.connection.client import Connection, secret_in
from recsvc.stores.keys.cardholders import ERASED, ERASURE_KEY

TRUSTED_SECONDS = 5.0


class DenyList:
    """Hashes ids, and tells who was erased.

    The key of an issuer's hashes is kept in the durable store and asked for again every few
    seconds, so that a store that lost it and made a new one is followed.

    Parameters
    ----------
    durable : Connection
    monotonic : a clock that never jumps, in seconds
    """

    def __init__(
        self, durable: Connection, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._durable = durable
        self._monotonic = monotonic
        self._keys: dict[str, tuple[float, bytes]] = {}

    def hash_of(self, issuer_id: str, cardholder_id: str) -> str:
        """Stand-in of an id on the list; StoreAwayError when its key cannot be had."""
        return erased_hash(self.key_of(issuer_id), cardholder_id)

    def key_of(self, issuer_id: str) -> bytes:
        """Key of an issuer's hashes; made at the first question."""
        until, key = self._keys.get(issuer_id, (0.0, b""))
        if self._monotonic() < until:
            return key
        key = self._durable.ask(lambda store: secret_in(store, ERASURE_KEY.key(issuer_id)))
        self._keys[issuer_id] = (self._monotonic() + TRUSTED_SECONDS, key)
        return key

    def all(self, issuer_id: str) -> ErasedList:
        """The whole list, as the trainer takes it."""
        hashes = self._durable.ask_patiently(lambda store: _hashes(store, issuer_id))
        return ErasedList(issuer_id, self.key_of(issuer_id), hashes)

    def receipt(self, issuer_id: str, cardholder_id: str) -> dict[str, object] | None:
        """Receipt of an erasure, or None when there was none."""
        field = self.hash_of(issuer_id, cardholder_id)
        stored = self._durable.ask(lambda store: store.hget(ERASED.key(issuer_id), field))
        return orjson.loads(stored) if isinstance(stored, bytes) else None

    def finished(self, issuer_id: str, hashes: Sequence[str], at: datetime) -> None:
        """Write into receipts that streams, archive and the trainer's list are done with."""
        name = ERASED.key(issuer_id)

        def write(store: redis.Redis) -> None:
            stored: list[bytes | None] = store.hmget(name, list(hashes))  # type: ignore[assignment]
            for one, receipt in zip(hashes, stored, strict=True):
                if receipt is not None:
                    document = {**orjson.loads(receipt), "finished_at": at}
                    store.hset(name, one, orjson.dumps(document, option=OPTIONS))

        self._durable.ask_patiently(write)


def _hashes(store: redis.Redis, issuer_id: str) -> frozenset[str]:
    found: list[bytes] = store.hkeys(ERASED.key(issuer_id))  # type: ignore[assignment]
    return frozenset(one.decode() for one in found)
