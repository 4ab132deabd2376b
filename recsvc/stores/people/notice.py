"""The privacy notice in force; a new version asks every cardholder again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from recsvc.stores.codec import OPTIONS
from recsvc.stores.connection.client import Connection, hash_of
from recsvc.stores.keys.access import NOTICE


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """A notice as it was published: its version, its content and since when."""

    version: str
    content: dict[str, Any]
    published_at: datetime


class NoticeStore:
    """Reads and publishes notices."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable

    def current(self, issuer_id: str) -> StoredNotice | None:
        """The notice in force; None when the issuer has published none."""
        name = NOTICE.key(issuer_id)
        stored = self._durable.ask(lambda store: hash_of(store, name))
        if not stored:
            return None
        at = datetime.fromisoformat(stored[b"published_at"].decode())
        return StoredNotice(stored[b"version"].decode(), orjson.loads(stored[b"content"]), at)

    def publish(self, issuer_id: str, notice: StoredNotice) -> None:
        """Put a notice in force; consents to another version count no more from now on."""
        fields: dict[Any, Any] = {
            "version": notice.version,
            "content": orjson.dumps(notice.content, option=OPTIONS),
            "published_at": notice.published_at.isoformat(),
        }
        self._durable.ask(lambda store: store.hset(NOTICE.key(issuer_id), mapping=fields))
