"""Rosters: whom each campaign means, in parts in which anyone is found without a search."""

import hashlib
import itertools
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import orjson
import redis
from numpy.typing import NDArray

from recsvc.domain.campaign.hashing import digests
from recsvc.stores.connection.client import Connection, field_of
from recsvc.stores.connection.scripts import Script
from recsvc.stores.keys.campaigns import CAMPAIGN_ROSTER

PART_SIZE = 500
MOST_PARTS = 100_000
DRAFT_SECONDS = 60 * 60

# Keys: a draft, roster. Arguments: seconds the roster lives. The first whole draft becomes the
# roster, since parts of it are in the outbox at once; any later one is thrown away.
ROSTER_KEEP = """
if redis.call('HEXISTS', KEYS[2], 'parts') == 1 then
  redis.call('UNLINK', KEYS[1])
  return 0
end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('EXPIRE', KEYS[2], ARGV[1])
return 1
"""

Row = tuple[str, str, bool, str, float]
"""A :class:`Meant` as it is written: its fields in their order."""
Part = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Meant:
    """A cardholder whom a campaign means.

    Parameters
    ----------
    cardholder_id : str
    item_id : str         what he gets, or would have got
    treated : bool        False is holdout
    segment : str         "" for none
    before_minor : float  expected or past spend, for the pre-period
    """

    cardholder_id: str
    item_id: str
    treated: bool
    segment: str
    before_minor: float


class RosterStore:
    """Rosters of all campaigns in the durable store."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable
        self._keep = Script(ROSTER_KEEP)

    def put(self, issuer_id: str, campaign_id: str, parts: Sequence[Part]) -> bool:
        """Keep a roster whole, unless there is one; whether it is this one now.

        Two may draw one up at a time, and what they see may differ: the first one holds for both.

        Parameters
        ----------
        parts : of :func:`parts_of`
        """
        name = CAMPAIGN_ROSTER.key(issuer_id, campaign_id)
        draft = CAMPAIGN_ROSTER.key(issuer_id, campaign_id, "draft", secrets.token_hex(8))
        keys, arguments = (draft, name), (CAMPAIGN_ROSTER.ttl_seconds or 0,)

        def write(store: redis.Redis) -> int:
            store.hset(draft, "parts", len(parts))
            store.expire(draft, DRAFT_SECONDS)
            pipeline = store.pipeline(transaction=False)
            for number, part in enumerate(parts):
                pipeline.hset(draft, str(number), orjson.dumps(part))
                if len(pipeline) >= 100:
                    pipeline.execute()
            pipeline.execute()
            return int(self._keep.run(store, keys, arguments))

        return bool(self._durable.ask_patiently(write))

    def amend(self, issuer_id: str, campaign_id: str, parts: Mapping[int, Part]) -> None:
        """Write some parts of a roster anew."""
        name = CAMPAIGN_ROSTER.key(issuer_id, campaign_id)
        changed: dict[Any, Any] = {str(n): orjson.dumps(part) for n, part in parts.items()}
        self._durable.ask_patiently(lambda store: store.hset(name, mapping=changed))

    def has(self, issuer_id: str, campaign_id: str) -> bool:
        """Whether a whole roster was written."""
        name = CAMPAIGN_ROSTER.key(issuer_id, campaign_id)
        return bool(self._durable.ask_patiently(lambda store: store.hexists(name, "parts")))

    def meant(self, issuer_id: str, campaign_id: str) -> Iterator[list[Meant]]:
        """Cardholders of a roster, part by part; nothing before it is drawn up."""
        for _, part in self.parts(issuer_id, campaign_id):
            yield [Meant(*row) for row in part]

    def parts(self, issuer_id: str, campaign_id: str) -> Iterator[tuple[int, Part]]:
        """Number and plain rows of each part; nothing before the roster is drawn up."""
        name = CAMPAIGN_ROSTER.key(issuer_id, campaign_id)
        for number in self._durable.ask_patiently(lambda store: numbers_in(store, name)):
            part = self._durable.ask_patiently(
                lambda store, number=number: part_in(store, name, number)  # type: ignore[misc]
            )
            yield number, part


def numbers_in(store: redis.Redis, name: str) -> list[int]:
    """Numbers of the parts of a stored roster, in order."""
    told = cast("list[bytes]", store.hkeys(name))
    return sorted(int(field) for field in told if field != b"parts")


def part_in(store: redis.Redis, name: str, number: int) -> Part:
    """One part of a stored roster; empty when it is not there any more."""
    stored = field_of(store, name, str(number))
    rows: Part = orjson.loads(stored) if stored else ()
    return rows


def rows_in(store: redis.Redis, name: str, cardholder_id: str) -> list[Row]:
    """Rows of a cardholder in a stored roster; of all parts only his is read."""
    count = field_of(store, name, "parts")
    if count is None:
        return []
    part = part_in(store, name, part_of(cardholder_id, int(count)))
    return [row for row in part if row[0] == cardholder_id]


def part_of(cardholder_id: str, parts: int) -> int:
    """Number of the part in which a cardholder stands."""
    return int(_places((cardholder_id,), parts)[0])


def _places(cardholder_ids: Iterable[str], parts: int) -> NDArray[np.int64]:
    """Number of the part of each cardholder."""
    numbers = np.frombuffer(digests(cardholder_ids, hashlib.blake2b(digest_size=8)), ">u8")
    return np.asarray(numbers % np.uint64(parts), np.int64)


def parts_of(rows: Sequence[Row]) -> list[Part]:
    """Rows of each part, in the order given; no part is left out, an empty one included."""
    count = min(MOST_PARTS, max(1, -(-len(rows) // PART_SIZE)))
    places = _places((row[0] for row in rows), count)
    order = np.argsort(places, kind="stable")
    ends = np.cumsum(np.bincount(places, minlength=count)).tolist()
    sorted_rows = [rows[row] for row in order.tolist()]
    return [sorted_rows[start:end] for start, end in itertools.pairwise((0, *ends))]
