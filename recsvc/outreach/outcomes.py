"""What became of everybody whom campaigns meant: what the next training learns uplift from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from embeddings.interactions import EventType
from recsvc.domain.campaign.campaign import Campaign
from recsvc.outreach.ground import Ground
from recsvc.outreach.span import Span
from recsvc.stores.events.behaviours import BehaviourStore


class Unfit(StrEnum):
    """Why nothing can be learned from a campaign."""

    NO_HOLDOUT = "no_holdout"
    NOT_DRAWN_UP = "not_drawn_up"
    TOO_EARLY = "too_early"
    PAST_RETENTION = "past_retention"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cardholder of one campaign.

    Parameters
    ----------
    assigned_at : when the campaign was launched; the same of everyone in it
    treated : meant to be pushed; the others were held out by chance
    activated : whether he then activated his item, pushed or not
    is_cut_short : whether he did more since than is remembered, so that an activation may be gone
    """

    campaign_id: str
    cardholder_id: str
    item_id: str
    assigned_at: datetime
    treated: bool
    activated: bool
    is_cut_short: bool


class OutcomeReader:
    """Reads outcomes from rosters and from what cardholders did.

    Parameters
    ----------
    ground : what outreach stands on
    behaviours : what cardholders did
    days : from a launch, in which an activation counts
    kept : how long a cardholder's events are kept
    """

    def __init__(
        self, ground: Ground, behaviours: BehaviourStore, *, days: int, kept: timedelta
    ) -> None:
        self._ground = ground
        self._behaviours = behaviours
        self._days = days
        self._kept = kept

    def unfit(self, issuer_id: str, campaign: Campaign) -> Unfit | None:
        """Why a campaign tells nothing of uplift; None when it does."""
        now, span = self._ground.clock(), Span.days_of(campaign, self._days)
        if campaign.holdout_bps == 0:
            return Unfit.NO_HOLDOUT
        if not self._ground.rosters.has(issuer_id, campaign.campaign_id):
            return Unfit.NOT_DRAWN_UP
        if now < span.closes_at:
            return Unfit.TOO_EARLY
        return Unfit.PAST_RETENTION if span.opens_at < now - self._kept else None

    def of(self, issuer_id: str, campaign: Campaign) -> Iterator[Outcome]:
        """Everybody whom a campaign meant, both arms, as dealt; without those who were erased."""
        span = Span.days_of(campaign, self._days)
        erased = self._ground.standings.erased(issuer_id)
        for part in self._ground.rosters.meant(issuer_id, campaign.campaign_id):
            meant = [one for one in part if not erased.covers(one.cardholder_id)]
            did = self._behaviours.read(issuer_id, [one.cardholder_id for one in meant])
            for one, behaviour in zip(meant, did, strict=True):
                activated = any(
                    record.item_id == one.item_id
                    and record.event_type is EventType.ACTIVATED
                    and span.holds(record.occurred_at)
                    for record in behaviour.records
                )
                yield Outcome(
                    campaign.campaign_id,
                    one.cardholder_id,
                    one.item_id,
                    span.opens_at,
                    one.treated,
                    activated,
                    behaviour.is_cut_short(span.opens_at),
                )
