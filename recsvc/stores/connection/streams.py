"""Streams read from one entry to the last, some at a time, however long they are."""

from collections.abc import Iterator
from typing import Any

import orjson
import redis

AT_A_TIME = 1_000
Fields = dict[bytes, bytes]


def entries_of(
    store: redis.Redis, name: str | bytes, *, first: str = "-", at_a_time: int = AT_A_TIME
) -> Iterator[tuple[bytes, Fields]]:
    """Position and fields of each entry from one on, oldest first; none without such a stream.

    Parameters
    ----------
    first : position of the first that is meant
    at_a_time : entries of one round trip
    """
    start = first
    while True:
        entries: Any = store.xrange(name, start, "+", count=at_a_time)
        yield from entries
        if len(entries) < at_a_time:
            return
        start = f"({entries[-1][0].decode()}"


def documents_of(
    store: redis.Redis, name: str, field: bytes, *, first: str = "-"
) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Position and JSON object of each entry from one on; what is no object is empty."""
    for position, fields in entries_of(store, name, first=first):
        yield position, _object(fields.get(field, b""))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
