"""The catalogue of each issuer: items with revisions, and what changed since a version.

Every change takes the next version and marks its item with it, in one script, so that a reader
that knows a version can ask for exactly what came later.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
import redis

from embeddings.catalog import Item
from embeddings.catalog.item import ItemKind, item_document, parse_item
from recsvc.domain.errors import ConflictError, NotFoundError, RevisionMismatchError
from recsvc.stores.catalog_scripts import CATALOG_CHANGES_SINCE, CATALOG_DELETE, CATALOG_PUT
from recsvc.stores.connection.client import Connection, field_of
from recsvc.stores.connection.scripts import Script
from recsvc.stores.keys.catalog import CATALOG, CATALOG_CHANGES, CATALOG_LIST, CATALOG_STATE

BATCH = 500
PAGE = 1000


class Written(StrEnum):
    """What a write did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KIND_CONFLICT = "kind_conflict"


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item and the version of the catalogue that wrote it."""

    item: Item
    revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """An item as it is now; None in its place when it was deleted or cannot be read any more."""

    item_id: str
    version: int
    stored: StoredItem | None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What came after a version; ask again from `through` until nothing comes."""

    epoch: str | None
    version: int
    changes: tuple[Change, ...]

    @property
    def through(self) -> int:
        """Version up to which these changes are complete."""
        return self.changes[-1].version if self.changes else self.version


class CatalogStore:
    """Reads and writes items in the durable store.

    Parameters
    ----------
    durable : where items are read
    writes : the same store with a longer wait, for what must reach the disk
    """

    def __init__(self, durable: Connection, writes: Connection) -> None:
        self._durable = durable
        self._writes = writes
        self._put = Script(CATALOG_PUT)
        self._delete = Script(CATALOG_DELETE)
        self._changes = Script(CATALOG_CHANGES_SINCE)

    def put(self, issuer_id: str, item: Item, *, expected: str = "") -> tuple[Written, int]:
        """Write one item.

        Parameters
        ----------
        expected : "" for anything, "*" for one that exists, "-" for none, or the revision

        Returns
        -------
        what the write did, and the revision now

        Raises
        ------
        ConflictError
            ``kind_conflict``: the id belongs to an item of the other kind
        RevisionMismatchError
            it is not as expected
        """
        arguments = _put_arguments(item, expected)
        answer = self._writes.ask(lambda store: self._put.run(store, _keys(issuer_id), arguments))
        return _written(answer)

    def put_many(self, issuer_id: str, items: Sequence[Item]) -> list[tuple[Written, int]]:
        """Write items whatever is there; one round trip for every 500.

        A kind conflict is told in its place and changes nothing.
        """
        written: list[tuple[Written, int]] = []
        for start in range(0, len(items), BATCH):
            batch = items[start : start + BATCH]
            arguments = [_put_arguments(item, "") for item in batch]
            answers = self._durable.ask_patiently(
                lambda store, arguments=arguments: self._put.run_each(  # type: ignore[misc]
                    store, _keys(issuer_id), arguments
                )
            )
            written.extend((Written(word.decode()), int(number)) for word, number in answers)
        return written

    def get(self, issuer_id: str, item_id: str, kind: ItemKind) -> StoredItem:
        """One item of a kind; NotFoundError when there is none."""
        stored = self._durable.ask(lambda store: field_of(store, CATALOG.key(issuer_id), item_id))
        if stored is None or _kind_of(stored) is not kind:
            raise NotFoundError
        return decode(stored)

    def delete(self, issuer_id: str, item_id: str, kind: ItemKind, *, expected: str = "") -> None:
        """Delete one item of a kind.

        Raises
        ------
        NotFoundError
            there is none
        RevisionMismatchError
            it is not as expected
        """
        arguments = (item_id, kind.value, expected)
        answer = self._writes.ask(
            lambda store: self._delete.run(store, _keys(issuer_id), arguments)
        )
        if answer == b"missing":
            raise NotFoundError
        if answer == b"mismatch":
            raise RevisionMismatchError

    def page(
        self, issuer_id: str, kind: ItemKind, *, after: str | None, limit: int
    ) -> list[StoredItem]:
        """Items of a kind in order of their ids, those after an id, at most so many."""
        first = f"({after}" if after is not None else "-"

        def read(store: redis.Redis) -> list[bytes | None]:
            listed = CATALOG_LIST.key(issuer_id, kind.value)
            ids: Any = store.zrangebylex(listed, first, "+", start=0, num=limit)
            values: Any = store.hmget(CATALOG.key(issuer_id), ids) if ids else []
            return list(values)

        return [decode(value) for value in self._durable.ask(read) if value is not None]

    def changes_since(self, issuer_id: str, version: int) -> Changes:
        """What changed after a version, oldest first, at most a thousand items."""
        arguments = (version, PAGE)
        epoch, now, rows = self._durable.ask_patiently(
            lambda store: self._changes.run(store, _keys(issuer_id), arguments)
        )
        return Changes(epoch.decode() if epoch else None, int(now), tuple(map(_change, rows)))


def _keys(issuer_id: str) -> tuple[str, ...]:
    return (
        CATALOG.key(issuer_id),
        CATALOG_STATE.key(issuer_id),
        CATALOG_CHANGES.key(issuer_id),
        CATALOG_LIST.key(issuer_id, ItemKind.BENEFIT.value),
        CATALOG_LIST.key(issuer_id, ItemKind.MERCHANT_OFFER.value),
    )


def _put_arguments(item: Item, expected: str) -> tuple[str | bytes, ...]:
    document = orjson.dumps(item_document(item), option=orjson.OPT_SORT_KEYS)
    return (item.item_id, item.kind, document, expected, secrets.token_hex(4))


def _written(answer: Iterable[Any]) -> tuple[Written, int]:
    word, revision = answer
    if word == b"mismatch":
        raise RevisionMismatchError
    if word == b"kind_conflict":
        raise ConflictError("kind_conflict", "This id belongs to an item of the other kind.")
    return Written(word.decode()), int(revision)


def decode(stored: bytes) -> StoredItem:
    """Item of stored bytes: revision, kind and JSON, a line each."""
    revision, _, document = stored.split(b"\n", 2)
    return StoredItem(parse_item(orjson.loads(document)), int(revision))


def _kind_of(stored: bytes) -> ItemKind:
    return ItemKind(stored.split(b"\n", 2)[1].decode())


def _change(row: Sequence[bytes]) -> Change:
    item_id, version, value = row
    if not value:
        return Change(item_id.decode(), int(version), None)
    try:
        return Change(item_id.decode(), int(version), decode(value))
    except ValueError as error:
        return Change(item_id.decode(), int(version), None, fault=type(error).__name__)
