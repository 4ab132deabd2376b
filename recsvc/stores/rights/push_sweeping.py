"""Takes erased cardholders out of pushes on their way: the outbox, the night's, the unreadable.

What became of a push stays in its campaign's own record under the push's id, which names nobody,
so a push that was taken out, or comes back from a backup, is still sent at most once.
"""

import re
from collections.abc import Callable
from typing import Any

import orjson
import redis

from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.connection.streams import entries_of
from recsvc.stores.keys.pushes import PUSH_OUTBOX, PUSHES_DEAD, PUSHES_WAITING
from recsvc.stores.outreach.outbox import GROUP

IsGone = Callable[[str], bool]
AT_A_TIME = 200
"""Entries of one round trip; each holds a hundred pushes."""
WORD = re.compile(rb"[A-Za-z0-9._~-]{1,128}")
"""What may be an id, in bytes that nobody can read."""

# Key: outbox. Arguments: group, entry, its batch without the erased ('' when nobody is left).
# A dispatcher that holds the entry goes on: what it sends is known by its id to the next.
OUTBOX_REPLACE = """
if redis.call('XDEL', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
if ARGV[3] ~= '' then redis.call('XADD', KEYS[1], '*', 'batch', ARGV[3]) end
return 1
"""
REPLACE = Script(OUTBOX_REPLACE)


def sweep_pushes(store: redis.Redis, issuer_id: str, is_gone: IsGone) -> int:
    """Remove the pushes of those who are gone; returns how many.

    Those of the night come first: what wakes meanwhile is then found in the outbox.
    """
    waiting = _sweep_waiting(store, PUSHES_WAITING.key(issuer_id), is_gone)
    queued = _sweep_outbox(store, PUSH_OUTBOX.key(issuer_id), is_gone)
    return waiting + queued + _sweep_dead(store, PUSHES_DEAD.key(issuer_id), is_gone)


def _sweep_waiting(store: redis.Redis, name: str, is_gone: IsGone) -> int:
    gone = [member for member, _ in store.zscan_iter(name) if _is_of(member, is_gone)]
    if gone:
        store.zrem(name, *gone)
    return len(gone)


def _is_of(push: bytes, is_gone: IsGone) -> bool:
    return any(is_gone(row[2]) for row in _rows(b"[" + push + b"]") or ())


def _sweep_outbox(store: redis.Redis, name: str, is_gone: IsGone) -> int:
    removed = 0
    for entry_id, fields in entries_of(store, name, at_a_time=AT_A_TIME):
        rows = _rows(fields.get(b"batch", b""))
        kept = [row for row in rows or () if not is_gone(row[2])]
        if rows is not None and len(kept) < len(rows):
            arguments: list[Argument] = [GROUP, entry_id, orjson.dumps(kept) if kept else b""]
            REPLACE.run(store, [name], arguments)
            removed += len(rows) - len(kept)
    return removed


def _sweep_dead(store: redis.Redis, name: str, is_gone: IsGone) -> int:
    """Nobody can read these, so an entry in which any word is an erased id goes whole."""
    gone = [
        entry_id
        for entry_id, fields in entries_of(store, name, at_a_time=AT_A_TIME)
        if any(is_gone(word) for word in _words(fields))
    ]
    if gone:
        store.xdel(name, *gone)
    return len(gone)


def _words(fields: dict[bytes, bytes]) -> set[str]:
    return {word.decode() for value in fields.values() for word in WORD.findall(value)}


def queued_of(store: redis.Redis, issuer_id: str, cardholder_id: str) -> list[Any]:
    """Pushes to a cardholder in the outbox: push id, campaign, cardholder, item."""
    batches = entries_of(store, PUSH_OUTBOX.key(issuer_id), at_a_time=AT_A_TIME)
    rows = (row for _, fields in batches for row in _rows(fields.get(b"batch", b"")) or ())
    return [row for row in rows if row[2] == cardholder_id]


def waiting_of(store: redis.Redis, issuer_id: str, cardholder_id: str) -> list[Any]:
    """Pushes to a cardholder that wait for his quiet hours to end."""
    members = (member for member, _ in store.zscan_iter(PUSHES_WAITING.key(issuer_id)))
    return [orjson.loads(one) for one in members if _is_of(one, cardholder_id.__eq__)]


def dead_of(store: redis.Redis, issuer_id: str, cardholder_id: str) -> list[str]:
    """Entries that cannot be read and hold his id, as they are; without what is no text."""
    found = (
        fields for _, fields in entries_of(store, PUSHES_DEAD.key(issuer_id), at_a_time=AT_A_TIME)
    )
    return [
        b" ".join(fields.values()).decode(errors="replace")
        for fields in found
        if cardholder_id in _words(fields)
    ]


def _rows(batch: bytes) -> list[list[str]] | None:
    """Pushes of a batch; None when it is none."""
    try:
        rows: list[list[str]] = orjson.loads(batch)
    except orjson.JSONDecodeError:
        return None
    is_batch = isinstance(rows, list) and all(_is_push(row) for row in rows)
    return rows if is_batch else None


def _is_push(row: object) -> bool:
    return isinstance(row, list) and len(row) == 4 and all(isinstance(part, str) for part in row)
