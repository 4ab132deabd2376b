"""A worker's own picture of the campaigns that run, and who is left out of them in the app."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from recsvc.domain.campaign.campaign import Campaign, State
from recsvc.domain.campaign.hashing import digests
from recsvc.domain.campaign.holdout import EVERY_CAMPAIGN, Holdout
from recsvc.domain.campaign.ids import lettered_each
from recsvc.domain.model import ModelSlot
from recsvc.stores.outreach.campaigns import CampaignStore

NOTHING: frozenset[str] = frozenset()
PUSH_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Running:
    """The live campaigns of one issuer."""

    campaigns: tuple[Campaign, ...]
    holdouts: Mapping[str, Holdout]
    everywhere: Holdout

    def withheld(self, cardholder_id: str) -> frozenset[str]:
        """Items of the campaigns that leave a cardholder out."""
        if not self.campaigns:
            return NOTHING
        out_of_all = self.everywhere.holds(cardholder_id)
        return NOTHING.union(
            *(
                campaign.item_ids
                for campaign in self.campaigns
                if out_of_all or self.holdouts[campaign.campaign_id].holds(cardholder_id)
            )
        )


class CampaignBook:
    """Follows campaigns; a request looks here and asks no store.

    Parameters
    ----------
    store : CampaignStore
    slot : the models that serve, for the issuers
    global_holdout_bps : share that no campaign ever reaches
    clock : aware now
    """

    def __init__(
        self,
        store: CampaignStore,
        slot: ModelSlot,
        *,
        global_holdout_bps: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._slot = slot
        self._global_holdout_bps = global_holdout_bps
        self._clock = clock
        self._running: dict[str, Running] = {}
        self._keys: dict[str, bytes] = {}

    def follow(self) -> None:
        """Look once at the campaigns of every issuer served."""
        for issuer_id in self._slot.issuers():
            self.follow_issuer(issuer_id)

    def follow_issuer(self, issuer_id: str) -> Running:
        """Look once at the campaigns of an issuer."""
        now = self._clock()
        ticked = [campaign.ticked(now) for campaign in self._store.all(issuer_id)]
        live = tuple(one for one in ticked if one.state in (State.LIVE, State.PAUSED))
        holdouts = {one.campaign_id: self.holdout(issuer_id, one) for one in live}
        running = Running(live, holdouts, self.everywhere(issuer_id))
        self._running[issuer_id] = running
        return running

    def holdout(self, issuer_id: str, campaign: Campaign) -> Holdout:
        """Holdout of a campaign."""
        return Holdout(self._key(issuer_id), campaign.campaign_id, campaign.holdout_bps)

    def everywhere(self, issuer_id: str) -> Holdout:
        """The holdout that no campaign reaches."""
        return Holdout(self._key(issuer_id), EVERY_CAMPAIGN, self._global_holdout_bps)

    def push_id(self, issuer_id: str, campaign_id: str, cardholder_id: str) -> str:
        """The one id of a campaign's push to a cardholder; tells nothing of him."""
        return self.push_ids(issuer_id, campaign_id, (cardholder_id,))[0]

    def push_ids(
        self, issuer_id: str, campaign_id: str, cardholder_ids: Sequence[str]
    ) -> list[str]:
        """The ids of a campaign's pushes to many cardholders, in their order."""
        begun = hashlib.blake2b(
            f"{campaign_id}\n".encode(),
            digest_size=PUSH_ID_BYTES,
            key=self._key(issuer_id),
            person=b"push",
        )
        return lettered_each(digests(cardholder_ids, begun), PUSH_ID_BYTES)

    def withheld(self, issuer_id: str, cardholder_id: str) -> frozenset[str]:
        """Items not to be shown to a cardholder in the app, as campaigns leave him out."""
        running = self._running.get(issuer_id)
        return running.withheld(cardholder_id) if running else NOTHING

    def _key(self, issuer_id: str) -> bytes:
        if issuer_id not in self._keys:
            self._keys[issuer_id] = self._store.holdout_key(issuer_id)
        return self._keys[issuer_id]
