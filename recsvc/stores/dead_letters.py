"""What was laid aside because it could not be read: how much, why and when, never whom it names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.streams import Fields, entries_of
from recsvc.stores.keys.events import EVENTS_DEAD
from recsvc.stores.keys.pushes import PUSHES_DEAD

QUEUES = {"events": EVENTS_DEAD, "pushes": PUSHES_DEAD}
"""Queue → where its dead letters lie: events of the archiver, batches of the dispatcher."""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The dead letters of one queue that were laid aside for one reason.

    Parameters
    ----------
    queue : a key of QUEUES
    reason : str                  a fixed word
    count : int                   above 0
    first_at, last_at : datetime  aware UTC; when the first and the last were laid aside
    """

    queue: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime


class DeadLetterStore:
    """Counts the dead letters of an issuer.

    Parameters
    ----------
    durable : Connection
    """

    def __init__(self, durable: Connection) -> None:
        self._durable = durable

    def of(self, issuer_id: str) -> list[DeadLetters]:
        """The dead letters that are still kept, by queue and then by reason."""
        return [
            letters
            for queue, family in QUEUES.items()
            for letters in self._queue(queue, family.key(issuer_id))
        ]

    def _queue(self, queue: str, name: str) -> list[DeadLetters]:
        found = self._durable.ask_patiently(lambda store: _counted(entries_of(store, name)))
        return [
            DeadLetters(queue, reason, count, _instant(first), _instant(last))
            for reason, (count, first, last) in sorted(found.items())
        ]


def _counted(entries: Iterable[tuple[bytes, Fields]]) -> dict[str, tuple[int, bytes, bytes]]:
    """Reason → how many entries, oldest first, have it, and the positions of first and last."""
    found: dict[str, tuple[int, bytes, bytes]] = {}
    for position, fields in entries:
        reason = fields[b"reason"].decode()
        count, first, _ = found.get(reason, (0, position, position))
        found[reason] = count + 1, first, position
    return found


def _instant(position: bytes) -> datetime:
    """When an entry was added, from its position in milliseconds since 1970."""
    return datetime.fromtimestamp(int(position.partition(b"-")[0]) / 1000, UTC)
