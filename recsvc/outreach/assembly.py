"""Assembles what reaches out to cardholders, for the API and for the dispatcher alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from recsvc.domain.campaign.pressure import FrequencyCap
from recsvc.domain.model import ModelSlot
from recsvc.domain.zones import Zones
from recsvc.outreach.book import CampaignBook
from recsvc.outreach.estimating import Estimator
from recsvc.outreach.launching import CampaignDesk
from recsvc.outreach.reviewing import Reviewer
from recsvc.outreach.rosters import RosterMaker
from recsvc.settings import Settings
from recsvc.stores.assembly import Stores
from recsvc.stores.behaviours import BehaviourStore
from recsvc.stores.campaigns import CampaignStore
from recsvc.stores.disclosures import DisclosureStore
from recsvc.stores.pushes import PushStore
from recsvc.stores.standings import StandingStore
from recsvc.stores.webhooks import WebhookStore
from recsvc.upkeep.watcher import Round

FOLLOW_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outreach:
    """The parts of campaigns, audiences and pushes."""

    settings: Settings
    slot: ModelSlot
    clock: Callable[[], datetime]
    zone: ZoneInfo
    zones: Zones
    caps: tuple[FrequencyCap, ...]
    campaigns: CampaignStore
    pushes: PushStore
    webhooks: WebhookStore
    standings: StandingStore
    book: CampaignBook
    estimator: Estimator
    maker: RosterMaker
    desk: CampaignDesk
    reviewer: Reviewer

    @classmethod
    def of(
        cls, settings: Settings, stores: Stores, slot: ModelSlot, clock: Callable[[], datetime]
    ) -> Self:
        """Assemble; starts nothing."""
        durable, zone = stores.writes, ZoneInfo(settings.timezone)
        zones = Zones.named(settings.timezone, dict(settings.issuer_timezones))
        caps = push_caps(settings)
        campaigns, pushes = CampaignStore(durable), PushStore(durable, stores.deny_list)
        standings = StandingStore(durable, stores.deny_list)
        share = settings.global_holdout_bps
        book = CampaignBook(campaigns, slot, global_holdout_bps=share, clock=clock)
        estimator = Estimator(
            slot=slot,
            standings=standings,
            pushes=pushes,
            disclosures=DisclosureStore(durable),
            caps=caps,
            minimum=settings.min_report,
            clock=clock,
        )
        maker = RosterMaker(
            slot=slot,
            store=campaigns,
            standings=standings,
            book=book,
            zone=zone,
            zones=zones,
            clock=clock,
        )
        webhooks = WebhookStore(durable)
        desk = CampaignDesk(
            store=campaigns,
            standings=standings,
            estimator=estimator,
            book=book,
            slot=slot,
            zone=zone,
            zones=zones,
            minimum=settings.min_export,
            clock=clock,
        )
        reviewer = Reviewer(
            campaigns=campaigns,
            behaviours=BehaviourStore(durable),
            book=book,
            zone=zone,
            clock=clock,
            minimum=settings.min_report,
            kept=timedelta(days=settings.retention_days),
        )
        return cls(
            settings, slot, clock, zone, zones, caps,
            campaigns, pushes, webhooks, standings, book, estimator, maker, desk, reviewer,
        )  # fmt: skip

    def rounds(self) -> tuple[Round, ...]:
        """What a worker's watcher looks after."""
        return (Round("campaigns", FOLLOW_SECONDS, self.book.follow),)


def push_caps(settings: Settings) -> tuple[FrequencyCap, ...]:
    """What one cardholder may get on one channel, over all campaigns."""
    return (
        FrequencyCap(settings.pushes_per_day, "day"),
        FrequencyCap(settings.pushes_per_week, "week"),
    )
