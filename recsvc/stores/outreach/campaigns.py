"""Campaigns as they were planned, what became of their pushes, and their results."""

from typing import Any

import redis

from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.errors import NotFoundError, RevisionMismatchError
from recsvc.stores.connection.client import Connection, secret_in
from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.keys.campaigns import (
    CAMPAIGN_PUSHES,
    CAMPAIGN_REVIEW,
    CAMPAIGNS,
    HOLDOUT_KEY,
)
from recsvc.stores.outreach.campaign_codec import decode_campaign, encode_campaign

# Key: campaigns. Arguments: id, revision that was read ('' for a new one), document.
# A document carries its revision.
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


class CampaignStore:
    """Campaigns of all issuers in the durable store."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable
        self._save = Script(CAMPAIGN_SAVE)

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
        return self._durable.ask_patiently(lambda store: secret_in(store, name))

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
