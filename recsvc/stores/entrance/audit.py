"""The audit log: append-only, a chain (:mod:`recsvc.stores.entrance.audit_chain`) in the store.

It names a cardholder by pseudonym only.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import redis

from recsvc.domain.errors import StoreAwayError
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Script
from recsvc.stores.denylist import DenyList
from recsvc.stores.entrance.audit_chain import (
    BEGINNING,
    AuditEntry,
    Seen,
    Verdict,
    digest_of,
    fault_of,
    line_of,
)
from recsvc.stores.keys.access import AUDIT, MODEL_ON_RECORD

ATTEMPTS = 50
CHUNK = 1000

# Keys: the log and, for an entry about a move, where the place last put on record stands.
# Arguments: hash of the last entry as known, number of the new one, line, its hash, the beginning,
# and for a move its two places. Answers nothing when it was written, the number and hash of the
# entry that came between, or one word when the place on record is another.
APPEND = """
if KEYS[2] and (redis.call('GET', KEYS[2]) or '') ~= ARGV[6] then return {'moved'} end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local hash = last and last[2][4] or ARGV[5]
if hash ~= ARGV[1] then return {last[1], hash} end
redis.call('XADD', KEYS[1], ARGV[2] .. '-1', 'line', ARGV[3], 'hash', ARGV[4])
if KEYS[2] then redis.call('SET', KEYS[2], ARGV[7]) end
return {}
"""


class AuditLog:
    """Appends, lists and verifies the entries of each issuer."""

    def __init__(
        self, durable: Connection, deny_list: DenyList, clock: Callable[[], datetime]
    ) -> None:
        self._durable = durable
        self._deny_list = deny_list
        self._clock = clock
        self._append = Script(APPEND)

    def append(
        self,
        issuer_id: str,
        *,
        actor: str,
        action: str,
        cardholder_id: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> int:
        """Add an entry and return its number.

        Parameters
        ----------
        actor : id of the credential, or ``cli``
        action : one word
        cardholder_id : whom it is about; only his pseudonym is written
        detail : further words and numbers, nothing personal

        Raises
        ------
        StoreAwayError
            it was not written, so what it tells of must not be done
        """
        subject = cardholder_id and self._deny_list.hash_of(issuer_id, cardholder_id)
        told = {"actor": actor, "action": action, "subject": subject, "detail": detail or {}}
        return self._add(issuer_id, told, (AUDIT.key(issuer_id),), ())

    def model_on_record(self, issuer_id: str) -> str | None:
        """The version that the log last told to be current."""
        name = MODEL_ON_RECORD.key(issuer_id)
        found: Any = self._durable.ask(lambda store: store.get(name))
        return found.decode() if found else None

    def model_moved(
        self, issuer_id: str, before: str | None, version: str, *, how: str
    ) -> int | None:
        """Put on record that the shelf's pointer moved, with the place it moved to, in one step.

        Returns
        -------
        int or None
            Number of the entry; None when `before` is no longer what is on record, because
            somebody else told of it.

        Raises
        ------
        StoreAwayError
            it was not written
        """
        detail = {"before": before, "version": version, "how": how}
        told = {"actor": "shelf", "action": "model_current", "subject": None, "detail": detail}
        keys = (AUDIT.key(issuer_id), MODEL_ON_RECORD.key(issuer_id))
        return self._add(issuer_id, told, keys, (before or "", version)) or None

    def _add(
        self, issuer_id: str, told: Mapping[str, Any], keys: tuple[str, ...], move: tuple[str, ...]
    ) -> int:
        """Number of the new entry; 0 when the place on record is not where the move began."""
        number, head = self._last(issuer_id)
        for _ in range(ATTEMPTS):
            number += 1
            line = line_of(number, head, {**told, "at": self._clock()})
            arguments = (head, number, line, digest_of(line), BEGINNING, *move)
            came = self._durable.ask(
                lambda store, arguments=arguments: self._append.run(  # type: ignore[misc]
                    store, keys, arguments
                )
            )
            if not came:
                return number
            if came == [b"moved"]:
                return 0
            number, head = int(came[0].split(b"-")[0]), came[1].decode()
        raise StoreAwayError("audit_log", "contended")

    def _last(self, issuer_id: str) -> tuple[int, str]:
        """The highest number ever given out, and the hash of the last entry that is there.

        They are of one entry, unless somebody dropped the last ones: the next entry then comes
        after the gap and not in it, so that it is written at all and the gap stays seen.
        """
        name = AUDIT.key(issuer_id)
        found, given = self._durable.ask(lambda store: _end_of(store, name))
        head = found[0][1][b"hash"].decode() if found else BEGINNING
        return given, head

    def page(self, issuer_id: str, *, after: int, limit: int) -> list[AuditEntry]:
        """Entries after a number, at most so many."""
        name = AUDIT.key(issuer_id)
        found: Any = self._durable.ask_patiently(
            lambda store: store.xrange(name, f"({after}-1", "+", count=limit)
        )
        return [
            AuditEntry(int(position.split(b"-")[0]), fields[b"line"], fields[b"hash"].decode())
            for position, fields in found
        ]

    def seen(self, issuer_id: str) -> Seen | None:
        """The last entry that is there."""
        name = AUDIT.key(issuer_id)
        found: Any = self._durable.ask_patiently(lambda store: store.xrevrange(name, count=1))
        if not found:
            return None
        position, fields = found[0]
        return Seen(int(position.split(b"-")[0]), fields[b"hash"].decode())

    def holds(self, issuer_id: str, seen: Seen) -> bool:
        """Whether an entry is still there as it was."""
        found = self.page(issuer_id, after=seen.seq - 1, limit=1)
        return [(entry.seq, entry.digest) for entry in found] == [(seen.seq, seen.digest)]

    def verify(self, issuer_id: str, seen: Seen | None = None) -> Verdict:
        """Hold every entry against its hash and the one before, and one against what was noted.

        Parameters
        ----------
        seen : an entry that the log held once; a log that lost it does not hold
        """
        entries, head, fault = self._held(issuer_id, seen)
        if fault is None and self._lost_its_end(issuer_id, entries, seen):
            fault = entries + 1, "missing_at_end"
        broken_seq, reason = fault or (None, None)
        return Verdict(entries, broken_seq, reason, head, None if seen is None else seen.seq)

    def _held(self, issuer_id: str, seen: Seen | None) -> tuple[int, str, tuple[int, str] | None]:
        """How many entries hold, the hash of the last of them, the next one's number and fault."""
        entries, head = 0, BEGINNING
        while found := self.page(issuer_id, after=entries, limit=CHUNK):
            for entry in found:
                reason = fault_of(entry, entries + 1, head)
                if seen is not None and entry.seq == seen.seq and entry.digest != seen.digest:
                    reason = reason or "begun_anew"
                if reason is not None:
                    return entries, head, (entry.seq, reason)
                entries, head = entry.seq, entry.digest
        return entries, head, None

    def _lost_its_end(self, issuer_id: str, entries: int, seen: Seen | None) -> bool:
        """Whether entries came after the last one that is there."""
        if seen is not None and seen.seq > entries:
            return True
        given, _ = self._last(issuer_id)
        return given > entries and not self.page(issuer_id, after=entries, limit=1)


def _end_of(store: redis.Redis, name: str) -> tuple[Any, int]:
    """The last entry of a log, if any, and the highest number that it ever gave out."""
    pipeline = store.pipeline(transaction=True)
    pipeline.xrevrange(name, count=1)
    pipeline.xinfo_stream(name)
    found, info = pipeline.execute(raise_on_error=False)
    if isinstance(found, Exception):
        raise found
    if isinstance(info, Exception):  # there is no such stream yet
        return found, 0
    return found, int(info["last-generated-id"].split(b"-")[0])
