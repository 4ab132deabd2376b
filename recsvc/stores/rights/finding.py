"""Looks for an id anywhere in the stores: every key and every value of an issuer."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import redis

from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.streams import entries_of
from recsvc.stores.keys.family import LAYOUT

GLOB = re.compile(r"([\\*?\[\]])")


class Finder:
    """Finds ids; for proofs, not for requests: it reads everything.

    Parameters
    ----------
    connections : the stores to look through
    """

    def __init__(self, connections: Iterable[Connection]) -> None:
        self._connections = tuple(connections)

    def keys_with(self, issuer_id: str, outside_id: str) -> list[str]:
        """Names of the keys that hold, or are named after, this very id."""
        wanted = re.compile(
            rb"(?<![A-Za-z0-9._~-])" + re.escape(outside_id.encode()) + rb"(?![A-Za-z0-9._~-])"
        )
        found: set[str] = set()
        for connection in self._connections:
            found.update(
                connection.ask_patiently(lambda store: list(_keys_with(store, issuer_id, wanted)))
            )
        return sorted(found)


def _keys_with(store: redis.Redis, issuer_id: str, wanted: re.Pattern[bytes]) -> Iterator[str]:
    own = f"{LAYOUT}:" + "{" + GLOB.sub(r"\\\1", issuer_id) + "}:*"
    for name in store.scan_iter(own, count=1000):
        values = (name, *_values(store, name))
        if any(wanted.search(value) for value in values):
            yield name.decode()


def _values(store: redis.Redis, name: bytes) -> Iterator[bytes]:
    """Every value of a key as bytes, fields and members included."""
    kind: Any = store.type(name)
    if kind == b"string":
        value: Any = store.get(name)
        yield value or b""
    elif kind == b"hash":
        for field, value in store.hscan_iter(name):
            yield from (field, value)
    elif kind == b"set":
        yield from store.sscan_iter(name)
    elif kind == b"zset":
        yield from (member for member, _ in store.zscan_iter(name))
    elif kind == b"stream":
        for _, fields in entries_of(store, name):
            yield from (part for pair in fields.items() for part in pair)
