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
from recsvc.outreach.checking import Checker
from recsvc.outreach.estimating import Estimator
from recsvc.outreach.ground import Ground
from recsvc.outreach.launching import CampaignDesk
from recsvc.outreach.outcomes import OutcomeReader
from recsvc.outreach.reviewing import Reviewer
from recsvc.outreach.rosters import RosterMaker
from recsvc.settings import Settings
from recsvc.stores.assembly import Stores
from recsvc.stores.events.behaviours import BehaviourStore
from recsvc.stores.outreach.campaigns import CampaignStore
from recsvc.stores.outreach.disclosures import DisclosureStore
from recsvc.stores.outreach.outbox import OutboxStore
from recsvc.stores.outreach.pushes import PushStore
from recsvc.stores.outreach.rosters import RosterStore
from recsvc.stores.outreach.webhooks import WebhookStore
from recsvc.stores.people.standings import StandingStore
from recsvc.upkeep.watcher import Round

FOLLOW_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outreach:
    """The parts of campaigns, audiences and pushes."""

    settings: Settings
    ground: Ground
    caps: tuple[FrequencyCap, ...]
    outbox: OutboxStore
    pushes: PushStore
    webhooks: WebhookStore
    behaviours: BehaviourStore
    estimator: Estimator
    maker: RosterMaker
    checker: Checker
    desk: CampaignDesk
    reviewer: Reviewer

    @classmethod
    def of(
        cls, settings: Settings, stores: Stores, slot: ModelSlot, clock: Callable[[], datetime]
    ) -> Self:
        """Assemble; starts nothing."""
        durable, caps = stores.writes, push_caps(settings)
        pushes, behaviours = PushStore(durable, stores.deny_list), BehaviourStore(durable)
        outbox = OutboxStore(durable, stores.deny_list)
        ground = _ground(settings, stores, slot, clock)
        estimator = Estimator(
            ground,
            pushes=pushes,
            disclosures=DisclosureStore(durable),
            caps=caps,
            minimum=settings.min_report,
        )
        checker = Checker(ground, estimator, minimum=settings.min_export)
        return cls(
            settings=settings,
            ground=ground,
            caps=caps,
            outbox=outbox,
            pushes=pushes,
            webhooks=WebhookStore(durable),
            behaviours=behaviours,
            estimator=estimator,
            maker=RosterMaker(ground, outbox),
            checker=checker,
            desk=CampaignDesk(ground, checker, minimum=settings.min_export),
            reviewer=Reviewer(
                ground,
                behaviours,
                minimum=settings.min_report,
                kept=timedelta(days=settings.retention_days),
            ),
        )

    @property
    def campaigns(self) -> CampaignStore:
        """Where campaigns are kept."""
        return self.ground.campaigns

    @property
    def rosters(self) -> RosterStore:
        """Where it is kept whom campaigns mean."""
        return self.ground.rosters

    @property
    def book(self) -> CampaignBook:
        """Holdouts, and the campaigns that run."""
        return self.ground.book

    @property
    def clock(self) -> Callable[[], datetime]:
        """Aware now."""
        return self.ground.clock

    def outcomes(self, days: int) -> OutcomeReader:
        """Reads what became of those whom campaigns meant, so many days after each launch."""
        kept = timedelta(days=self.settings.retention_days)
        return OutcomeReader(self.ground, self.behaviours, days=days, kept=kept)

    def rounds(self) -> tuple[Round, ...]:
        """What a worker's watcher looks after."""
        return (Round("campaigns", FOLLOW_SECONDS, self.book.follow),)


def _ground(
    settings: Settings, stores: Stores, slot: ModelSlot, clock: Callable[[], datetime]
) -> Ground:
    campaigns = CampaignStore(stores.writes)
    share = settings.global_holdout_bps
    return Ground(
        slot=slot,
        campaigns=campaigns,
        rosters=RosterStore(stores.writes),
        standings=StandingStore(stores.writes, stores.deny_list),
        states=stores.cardholders,
        book=CampaignBook(campaigns, slot, global_holdout_bps=share, clock=clock),
        zone=ZoneInfo(settings.timezone),
        zones=Zones.named(settings.timezone, dict(settings.issuer_timezones)),
        clock=clock,
    )


def push_caps(settings: Settings) -> tuple[FrequencyCap, ...]:
    """What one cardholder may get on one channel, over all campaigns."""
    return (
        FrequencyCap(settings.pushes_per_day, "day"),
        FrequencyCap(settings.pushes_per_week, "week"),
    )
