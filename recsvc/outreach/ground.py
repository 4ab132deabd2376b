"""What every part of outreach stands on: who serves, what is remembered, which clocks are kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.model import ModelSlot, ServingModel
from recsvc.domain.ports import CardholderStates
from recsvc.domain.zones import Zones
from recsvc.outreach.book import CampaignBook
from recsvc.outreach.rewriting import rewritten
from recsvc.outreach.selection import Asked, Crowd
from recsvc.stores.outreach.campaigns import CampaignStore
from recsvc.stores.outreach.rosters import RosterStore
from recsvc.stores.people.standings import StandingStore


@dataclass(frozen=True, slots=True)
class Ground:
    """Handed to each part by the assembly.

    Parameters
    ----------
    slot : the models that serve
    campaigns, rosters, standings : what is remembered
    states : all that is known of a cardholder
    book : holdouts and ids of pushes
    zone : in which the days of terms and budgets are counted
    zones : in which quiet hours are kept, each cardholder's own
    clock : aware now
    """

    slot: ModelSlot
    campaigns: CampaignStore
    rosters: RosterStore
    standings: StandingStore
    states: CardholderStates
    book: CampaignBook
    zone: ZoneInfo
    zones: Zones
    clock: Callable[[], datetime]

    def asked(self, issuer_id: str, campaign: Campaign) -> Asked:
        """Whom a campaign asks for, its own holdout included.

        The holdout is meant as well: it is what the treated are held against.
        """
        return Asked(
            item_ids=campaign.item_ids,
            channel=campaign.channel,
            audience=campaign.audience,
            zone=self.zone,
            zones=self.zones,
            holdouts=(self.book.everywhere(issuer_id),),
            quiet_hours=campaign.quiet_hours,
            window=(campaign.starts_at, campaign.ends_at),
        )

    def crowd(
        self, model: ServingModel, rows: NDArray[np.int64], channel: str, capped: NDArray[np.bool_]
    ) -> Crowd:
        """Cardholders of a model that has a bundle, and what is known of them."""
        assert model.bundle is not None  # noqa: S101 - rows are of it
        ids = model.bundle.model.cardholders.ids(rows)
        standings = self.standings.read(model.issuer_id, ids, channel)
        found = rewritten(model, self.states, ids, standings.forgot)
        return Crowd(rows, ids, standings, capped, found)

    def all_campaigns(self, issuer_id: str) -> list[Campaign]:
        """All campaigns of an issuer as the clock leaves them, by id."""
        now = self.clock()
        return [campaign.ticked(now) for campaign in self.campaigns.all(issuer_id)]
