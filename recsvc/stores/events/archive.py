"""The archiver's view of the stream: a consumer group, commits, dead letters, trimming."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import ResponseError

from recsvc.stores.connection.client import Connection, hash_of
from recsvc.stores.connection.scripts import Script
from recsvc.stores.keys.events import ARCHIVE_COMMITS, EVENTS, EVENTS_DEAD

GROUP = "archive"

# Keys: stream, commits. Arguments: group, consumer, file, ids. Answers 'done' or 'lost': an entry
# that another consumer took over meanwhile is his to archive.
COMMIT = """
for i = 4, #ARGV do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if #pending == 0 then return 'lost' end
end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[2], ARGV[3], '') end
for i = 4, #ARGV do redis.call('XACK', KEYS[1], ARGV[1], ARGV[i]) end
return 'done'
"""

# Keys: stream, dead letters. Arguments: group, id, reason.
BURY = """
local found = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])
if #found > 0 then
  redis.call('XADD', KEYS[2], '*', 'event', found[1][2][2], 'position', ARGV[2],
             'reason', ARGV[3])
end
return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
"""


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One entry of the stream: its position and the event as it was taken in."""

    position: str
    event: bytes


class ArchiveStore:
    """Reads the stream of events through a consumer group.

    Parameters
    ----------
    durable : Connection
    consumer : name of this reader, of no other
    """

    def __init__(self, durable: Connection, consumer: str) -> None:
        self._durable = durable
        self._consumer = consumer
        self._commit = Script(COMMIT)
        self._bury = Script(BURY)

    def open(self, issuer_id: str) -> bool:
        """Make the group when it is not there; returns whether it was made."""
        name = EVENTS.key(issuer_id)

        def make(store: redis.Redis) -> bool:
            try:
                store.xgroup_create(name, GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise
                return False
            return True

        return self._durable.ask_patiently(make)

    def read(self, issuer_id: str, count: int) -> list[StreamEntry]:
        """Entries nobody has read yet, oldest first."""
        name = EVENTS.key(issuer_id)
        found: Any = self._durable.ask_patiently(
            lambda store: store.xreadgroup(GROUP, self._consumer, {name: ">"}, count=count)
        )
        return [_entry(one) for _, entries in found or [] for one in entries]

    def take_over(self, issuer_id: str, idle_ms: int, count: int) -> tuple[list[StreamEntry], int]:
        """Entries that a reader left lying, and how many of his are gone from the stream."""
        name = EVENTS.key(issuer_id)
        _, entries, gone = self._durable.ask_patiently(
            lambda store: store.xautoclaim(name, GROUP, self._consumer, idle_ms, count=count)
        )
        return [_entry(one) for one in entries if one[1]], len(gone)

    def deliveries(self, issuer_id: str, positions: Sequence[str]) -> dict[str, int]:
        """How often each of these entries was handed out."""
        name = EVENTS.key(issuer_id)

        def ask(store: redis.Redis) -> list[Any]:
            pipeline = store.pipeline(transaction=False)
            for position in positions:
                pipeline.xpending_range(name, GROUP, position, position, 1)
            return list(pipeline.execute())

        rows = self._durable.ask_patiently(ask)
        return {
            row["message_id"].decode(): row["times_delivered"] for found in rows for row in found
        }

    def commit(self, issuer_id: str, file: str, positions: Sequence[str]) -> bool:
        """Settle that a file, or none for "", holds these entries; False when they are not ours."""
        keys = (EVENTS.key(issuer_id), ARCHIVE_COMMITS.key(issuer_id))
        arguments = (GROUP, self._consumer, file, *positions)
        answer = self._durable.ask_patiently(lambda store: self._commit.run(store, keys, arguments))
        return bool(answer == b"done")

    def commits(self, issuer_id: str) -> list[str]:
        """Files that are settled and may not have their name yet."""
        name = ARCHIVE_COMMITS.key(issuer_id)
        found = self._durable.ask_patiently(lambda store: hash_of(store, name))
        return sorted(file.decode() for file in found)

    def named(self, issuer_id: str, file: str) -> None:
        """Tell that a settled file has its name."""
        name = ARCHIVE_COMMITS.key(issuer_id)
        self._durable.ask_patiently(lambda store: store.hdel(name, file))

    def bury(self, issuer_id: str, position: str, reason: str) -> None:
        """Move an entry to the dead letters."""
        keys = (EVENTS.key(issuer_id), EVENTS_DEAD.key(issuer_id))
        self._durable.ask_patiently(
            lambda store: self._bury.run(store, keys, (GROUP, position, reason))
        )

    def trim(self, issuer_id: str, now_ms: int) -> None:
        """Drop entries past their time, and never one that some group still has to read."""
        name, dead = EVENTS.key(issuer_id), EVENTS_DEAD.key(issuer_id)
        oldest = now_ms - (EVENTS.ttl_seconds or 0) * 1000
        oldest_dead = now_ms - (EVENTS_DEAD.ttl_seconds or 0) * 1000

        def drop(store: redis.Redis) -> None:
            keep = min([(oldest, 0), *_needed(store, name)])
            store.xtrim(name, minid=f"{keep[0]}-{keep[1]}", approximate=False)
            store.xtrim(dead, minid=f"{oldest_dead}-0", approximate=False)

        self._durable.ask_patiently(drop)

    def lag(self, issuer_id: str) -> int:
        """Entries that are in the stream and not archived yet."""

        def count(store: redis.Redis) -> int:
            groups: Any = store.xinfo_groups(EVENTS.key(issuer_id))
            own = [group for group in groups if group["name"] == GROUP.encode()]
            return sum((group["lag"] or 0) + group["pending"] for group in own)

        return self._durable.ask_patiently(count)


def _needed(store: redis.Redis, name: str) -> list[tuple[int, int]]:
    """The oldest position that each group still needs."""
    found = []
    groups: Any = store.xinfo_groups(name)
    for group in groups:
        pending: Any = store.xpending(name, group["name"])
        lowest = pending["min"] or group["last-delivered-id"]
        milliseconds, _, number = lowest.decode().partition("-")
        found.append((int(milliseconds), int(number)))
    return found


def _entry(one: tuple[bytes, dict[bytes, bytes]]) -> StreamEntry:
    return StreamEntry(one[0].decode(), one[1].get(b"event", b""))
