"""Campaigns, and the rosters of those whom they mean."""

import hashlib
import itertools
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import redis
from numpy.typing import NDArray

from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.campaign.hashing import digests
from recsvc.domain.errors import NotFoundError, RevisionMismatchError
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.keys.campaigns import (
    CAMPAIGN_PUSHES,
    CAMPAIGN_QUEUED,
    CAMPAIGN_REVIEW,
    CAMPAIGN_ROSTER,
    CAMPAIGNS,
    HOLDOUT_KEY,
)
from recsvc.stores.keys.pushes import PUSH_OUTBOX
from recsvc.stores.outreach.campaign_codec import decode_campaign, encode_campaign

PART_SIZE = 500
MOST_PARTS = 100_000

# Key: campaigns. Arguments: id, revision that was read ('' for a new one), document.
# A document carries its revision; '"revision":N' is looked for in what is stored.
CAMPAIGN_SAVE = """
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[2] == '' then
  if stored then return 0 end
elseif not stored or cjson.decode(stored)['revision'] ~= tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""

# Keys: queued parts, outbox. Arguments: part, seconds the queued parts live, then batches.
PART_QUEUE = """
if redis.call('SADD', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[2])
for i = 3, #ARGV do redis.call('XADD', KEYS[2], '*', 'batch', ARGV[i]) end
return 1
"""


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
DRAFT_SECONDS = 60 * 60

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


class CampaignStore:
    """Campaigns of all issuers in the durable store."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable
        self._save = Script(CAMPAIGN_SAVE)
        self._queue = Script(PART_QUEUE)
        self._keep = Script(ROSTER_KEEP)

    def add(self, issuer_id: str, campaign: Campaign) -> None:
        """Keep a new campaign; RevisionMismatchError when the id is taken."""
        self._write(issuer_id, campaign, "")

    def replace(self, issuer_id: str, before: Campaign, after: Campaign) -> None:
        """Keep a changed campaign; RevisionMismatchError when it changed since it was read."""
        self._write(issuer_id, after, str(before.revision))

    def _write(self, issuer_id: str, campaign: Campaign, revision: str) -> None:
        keys = [CAMPAIGNS.key(issuer_id)]
        document = encode_campaign(campaign)
        arguments: list[Argument] = [campaign.campaign_id, revision, document]
        if not self._durable.ask(lambda store: self._save.run(store, keys, arguments)):
            raise RevisionMismatchError

    def get(self, issuer_id: str, campaign_id: str) -> Campaign:
        """One campaign; NotFoundError when the issuer has none of this id."""
        name = CAMPAIGNS.key(issuer_id)
        stored: Any = self._durable.ask(lambda store: store.hget(name, campaign_id))
        if stored is None:
            raise NotFoundError
        return decode_campaign(stored)

    def all(self, issuer_id: str) -> list[Campaign]:
        """All campaigns of an issuer, by id."""
        name = CAMPAIGNS.key(issuer_id)
        stored: Any = self._durable.ask_patiently(lambda store: store.hvals(name))
        return sorted(map(decode_campaign, stored), key=lambda campaign: campaign.campaign_id)

    def holdout_key(self, issuer_id: str) -> bytes:
        """Key of an issuer's holdouts and push ids; made at the first question."""
        name = HOLDOUT_KEY.key(issuer_id)

        def read(store: redis.Redis) -> bytes:
            pipeline = store.pipeline(transaction=True)
            pipeline.set(name, secrets.token_bytes(32), nx=True)
            pipeline.get(name)
            return bytes(pipeline.execute()[1])

        return self._durable.ask_patiently(read)

    def put_roster(self, issuer_id: str, campaign_id: str, parts: Sequence[Part]) -> bool:
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

    def amend_roster(self, issuer_id: str, campaign_id: str, parts: Mapping[int, Part]) -> None:
        """Write some parts of a roster anew."""
        name = CAMPAIGN_ROSTER.key(issuer_id, campaign_id)
        changed: dict[Any, Any] = {str(n): orjson.dumps(part) for n, part in parts.items()}
        self._durable.ask_patiently(lambda store: store.hset(name, mapping=changed))

    def has_roster(self, issuer_id: str, campaign_id: str) -> bool:
        """Whether a whole roster was written."""
        name = CAMPAIGN_ROSTER.key(issuer_id, campaign_id)
        return bool(self._durable.ask_patiently(lambda store: store.hexists(name, "parts")))

    def roster(self, issuer_id: str, campaign_id: str) -> Iterator[tuple[int, list[Meant]]]:
        """Number and cardholders of each part of a roster; nothing before it is drawn up."""
        for number, part in self.parts(issuer_id, campaign_id):
            yield number, [Meant(*row) for row in part]

    def parts(self, issuer_id: str, campaign_id: str) -> Iterator[tuple[int, Part]]:
        """The same as plain rows."""
        name = CAMPAIGN_ROSTER.key(issuer_id, campaign_id)
        told: Any = self._durable.ask_patiently(lambda store: store.hkeys(name))
        for number in sorted(int(field) for field in told if field != b"parts"):
            yield number, self._part(name, number)

    def _part(self, name: str, number: int) -> Part:
        part: Any = self._durable.ask_patiently(lambda store: store.hget(name, str(number)))
        rows: Part = orjson.loads(part)
        return rows

    def queued(self, issuer_id: str, campaign_id: str) -> frozenset[int]:
        """Parts of a roster that are in the outbox already."""
        name = CAMPAIGN_QUEUED.key(issuer_id, campaign_id)
        members: Any = self._durable.ask_patiently(lambda store: store.smembers(name))
        return frozenset(int(member) for member in members)

    def queue(
        self, issuer_id: str, campaign_id: str, parts: Sequence[tuple[int, Sequence[bytes]]]
    ) -> int:
        """Put the batches of parts into the outbox, each part at most once however often tried.

        Returns
        -------
        How many parts were not there before.
        """
        keys = [CAMPAIGN_QUEUED.key(issuer_id, campaign_id), PUSH_OUTBOX.key(issuer_id)]
        seconds = CAMPAIGN_QUEUED.ttl_seconds or 0
        calls: list[list[Argument]] = [[part, seconds, *batches] for part, batches in parts]
        return sum(
            self._durable.ask_patiently(lambda store: self._queue.run_each(store, keys, calls))
        )

    def pushes(self, issuer_id: str, campaign_id: str) -> dict[str, str]:
        """What became of each push: milliseconds when it left, or why it did not."""
        name = CAMPAIGN_PUSHES.key(issuer_id, campaign_id)

        def read(store: redis.Redis) -> dict[str, str]:
            return {k.decode(): v.decode() for k, v in store.hscan_iter(name, count=5_000)}

        return self._durable.ask_patiently(read)

    def put_review(self, issuer_id: str, campaign_id: str, document: bytes) -> None:
        """Keep a campaign's results."""
        name = CAMPAIGN_REVIEW.key(issuer_id)
        self._durable.ask_patiently(lambda store: store.hset(name, campaign_id, document))

    def review(self, issuer_id: str, campaign_id: str) -> bytes | None:
        """Results as last worked out, or None."""
        name = CAMPAIGN_REVIEW.key(issuer_id)
        stored: Any = self._durable.ask(lambda store: store.hget(name, campaign_id))
        return stored if isinstance(stored, bytes) else None

    def forget(self, issuer_id: str, cardholder_id: str) -> int:
        """Take an erased cardholder out of every roster; returns out of how many."""
        names = self._rosters(issuer_id).values()
        return sum(self._forget(name, cardholder_id) for name in names)

    def _forget(self, name: str, cardholder_id: str) -> int:
        return self._durable.ask_patiently(lambda store: _forget(store, name, cardholder_id))

    def _rosters(self, issuer_id: str) -> dict[str, str]:
        """Name of the roster of each campaign."""
        ids = [campaign.campaign_id for campaign in self.all(issuer_id)]
        return {campaign_id: CAMPAIGN_ROSTER.key(issuer_id, campaign_id) for campaign_id in ids}

    def meant_of(self, issuer_id: str, cardholder_id: str) -> list[tuple[str, Meant]]:
        """Campaigns that mean a cardholder, and how, for his data export."""
        return [
            (campaign_id, Meant(*row))
            for campaign_id, name in self._rosters(issuer_id).items()
            for row in self._rows(name, cardholder_id)
            if row[0] == cardholder_id
        ]

    def _rows(self, name: str, cardholder_id: str) -> list[Any]:
        return self._durable.ask_patiently(lambda store: _part_of(store, name, cardholder_id)[1])


def part_of(cardholder_id: str, parts: int) -> int:
    """Number of the part in which a cardholder stands, so that he is found without a search."""
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


def _part_of(store: redis.Redis, name: str, cardholder_id: str) -> tuple[int, list[Any]]:
    parts: Any = store.hget(name, "parts")
    if parts is None:
        return 0, []
    number = part_of(cardholder_id, int(parts))
    stored: Any = store.hget(name, str(number))
    return number, orjson.loads(stored) if stored else []


def _forget(store: redis.Redis, name: str, cardholder_id: str) -> int:
    number, rows = _part_of(store, name, cardholder_id)
    kept = [row for row in rows if row[0] != cardholder_id]
    if len(kept) == len(rows):
        return 0
    store.hset(name, str(number), orjson.dumps(kept))
    return 1
