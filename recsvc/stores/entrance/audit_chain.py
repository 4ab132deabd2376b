"""The chain of an audit log: each entry is bound to the one before by its hash.

An entry is a line of canonical JSON with ``seq`` and ``prev``, the hash of the entry before; its
own hash is the sha256 of the line. So nobody can change, drop or insert one without breaking every
hash after it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from recsvc.stores.codec import OPTIONS

BEGINNING = "0" * 64
"""What the first entry is bound to."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry: its number from 1, its line and the hash on record."""

    seq: int
    line: bytes
    digest: str

    def document(self) -> dict[str, Any]:
        """The entry as the API tells it."""
        return {**orjson.loads(self.line), "hash": self.digest}


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry that the log held at some time: its number and its hash."""

    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a log holds.

    Parameters
    ----------
    entries : int              how many hold, from the first
    broken_seq : int or None   number of the first that does not
    reason : str or None       why, one word
    head : str                 hash of the last that holds
    witnessed : int or None    number of the entry that was noted of the log; None where none was
    """

    entries: int
    broken_seq: int | None
    reason: str | None
    head: str
    witnessed: int | None

    def document(self) -> dict[str, Any]:
        """The verdict as the API and the command tell it."""
        return {
            "holds": self.broken_seq is None,
            "entries": self.entries,
            "broken_seq": self.broken_seq,
            "reason": self.reason,
            "head": self.head,
            "witnessed": self.witnessed,
        }


def line_of(seq: int, prev: str, told: Mapping[str, Any]) -> bytes:
    """Canonical JSON of an entry: sorted keys, no blanks, UTF-8."""
    return orjson.dumps({**told, "seq": seq, "prev": prev}, option=OPTIONS)


def digest_of(line: bytes) -> str:
    """Hash of an entry."""
    return hashlib.sha256(line).hexdigest()


def fault_of(entry: AuditEntry, seq: int, prev: str) -> str | None:
    """What is wrong with an entry in its place; None when nothing is."""
    if digest_of(entry.line) != entry.digest:
        return "changed"
    document = orjson.loads(entry.line)
    if entry.seq != seq or document["seq"] != seq:
        return "missing_before"
    return None if document["prev"] == prev else "chain_broken"
