"""Lets pushes leave: draws up rosters, judges each push again, sends it at most once.

May be killed at any line, and may run beside others: what was sent is known by its id, what was
not yet judged is taken over, what waits for the morning waits in the store.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

import orjson

from embeddings.catalog import Benefit, MerchantOffer
from recsvc.domain.campaign.campaign import Campaign, State
from recsvc.domain.campaign.pressure import FrequencyCap
from recsvc.domain.campaign.sending import Addressee, Policy, Refusal, Verdict, judge
from recsvc.domain.cardholder import CardholderState
from recsvc.domain.eligibility import Moment
from recsvc.domain.errors import RevisionMismatchError
from recsvc.domain.model import ModelSlot, ServingModel
from recsvc.domain.ports import CardholderStates
from recsvc.domain.question import Question
from recsvc.domain.recommender import circumstances
from recsvc.domain.taste import taste_of
from recsvc.domain.zones import Zones
from recsvc.metrics import Metrics
from recsvc.outreach.assembly import Outreach
from recsvc.outreach.book import CampaignBook
from recsvc.outreach.rosters import RosterMaker
from recsvc.stores.codec import OPTIONS
from recsvc.stores.outreach.campaigns import CampaignStore
from recsvc.stores.outreach.pushes import Dispatch, Held, Push, PushStore, Sent
from recsvc.stores.outreach.webhooks import WebhookStore

BATCHES_AT_ONCE = 20
IDLE_SECONDS = 60.0

Judged = list[tuple[Push, Campaign, Verdict]]
Log = Sequence[tuple[str, datetime]]


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at an issuer did; `waits` while another dispatcher has its turn."""

    queued_parts: int = 0
    woken: int = 0
    sent: int = 0
    refused: int = 0
    held: int = 0
    waits: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to do."""
        return self == Round()


class Dispatcher:
    """Moves the pushes of issuers along.

    Parameters
    ----------
    consumer : name of this process among dispatchers
    slot : the models that serve
    campaigns, pushes, webhooks, states : what is remembered
    book, maker : campaigns at work
    caps : on each channel, over all campaigns
    zone : in which the days of terms are counted
    zones : in which quiet hours are kept
    clock : aware now
    metrics : where what became of pushes is counted
    idle_seconds : after which another's unfinished batch is taken over
    """

    def __init__(  # noqa: PLR0913 - handed in by the assembly, by name
        self,
        consumer: str,
        *,
        slot: ModelSlot,
        campaigns: CampaignStore,
        pushes: PushStore,
        webhooks: WebhookStore,
        states: CardholderStates,
        book: CampaignBook,
        maker: RosterMaker,
        caps: tuple[FrequencyCap, ...],
        zone: ZoneInfo,
        zones: Zones,
        clock: Callable[[], datetime],
        metrics: Metrics,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._consumer = consumer
        self._slot = slot
        self._campaigns = campaigns
        self._pushes = pushes
        self._webhooks = webhooks
        self._states = states
        self._book = book
        self._maker = maker
        self._caps = caps
        self._zone = zone
        self._zones = zones
        self._clock = clock
        self._metrics = metrics
        self._idle_seconds = idle_seconds
        self._made: set[tuple[str, str]] = set()

    @classmethod
    def of(
        cls,
        outreach: Outreach,
        consumer: str,
        states: CardholderStates,
        metrics: Metrics,
        *,
        idle_seconds: float = IDLE_SECONDS,
    ) -> Self:
        """A dispatcher of assembled parts."""
        ground = outreach.ground
        return cls(
            consumer,
            slot=ground.slot,
            campaigns=ground.campaigns,
            pushes=outreach.pushes,
            webhooks=outreach.webhooks,
            states=states,
            book=ground.book,
            maker=outreach.maker,
            caps=outreach.caps,
            zone=ground.zone,
            zones=ground.zones,
            clock=ground.clock,
            metrics=metrics,
            idle_seconds=idle_seconds,
        )

    def look(self, issuer_id: str) -> Round:
        """One look at an issuer: move campaigns on, fill the outbox, send what may leave."""
        model = self._slot.current(issuer_id)
        if model is None:
            return Round()
        self._tick(issuer_id)
        running = self._book.follow_issuer(issuer_id)
        queued = self._make(issuer_id, running.campaigns)
        woken = self._pushes.wake(issuer_id, self._clock())
        if not self._pushes.take_turn(issuer_id, self._consumer):
            return Round(queued, woken, waits=True)
        try:
            done = self._dispatch(issuer_id, model)
        finally:
            self._pushes.end_turn(issuer_id, self._consumer)
        return Round(queued, woken, waits=True) if done is None else Round(queued, woken, *done)

    def _tick(self, issuer_id: str) -> None:
        """Keep what the clock did to campaigns; another dispatcher may have been first."""
        for campaign in self._campaigns.all(issuer_id):
            ticked = campaign.ticked(self._clock())
            if ticked is not campaign:
                try:
                    self._campaigns.replace(issuer_id, campaign, ticked)
                except RevisionMismatchError:
                    continue

    def _make(self, issuer_id: str, campaigns: Iterable[Campaign]) -> int:
        """Fill the outbox, campaigns of higher priority first, before anything is taken from it."""
        queued = 0
        for campaign in sorted(campaigns, key=lambda one: (-one.priority, one.campaign_id)):
            mark = (issuer_id, campaign.campaign_id)
            if campaign.state is State.LIVE and mark not in self._made:
                queued += self._maker.make(issuer_id, campaign)
                if self._maker.has_made(issuer_id, campaign):
                    self._made.add(mark)
        return queued

    def _dispatch(self, issuer_id: str, model: ServingModel) -> tuple[int, int, int] | None:
        """Judge and send batches; a batch is done when each of its pushes is.

        None when judging took longer than its turn: whoever takes the batches over judges anew.
        """
        batches = self._pushes.take(
            issuer_id, self._consumer, most=BATCHES_AT_ONCE, idle_seconds=self._idle_seconds
        )
        pushes = [push for batch in batches for push in batch.pushes]
        if not pushes:
            for batch in batches:
                self._pushes.done(issuer_id, batch)
            return 0, 0, 0
        judged = self._judged(issuer_id, model, pushes)
        if not self._pushes.take_turn(issuer_id, self._consumer):
            return None
        result = self._settle(issuer_id, model, judged)
        for batch in batches:
            self._pushes.done(issuer_id, batch)
        return result

    def _judged(self, issuer_id: str, model: ServingModel, pushes: Sequence[Push]) -> Judged:
        """Pushes with their verdicts, campaigns of higher priority first."""
        campaigns = {one.campaign_id: one for one in self._campaigns.all(issuer_id)}
        known = [push for push in pushes if push.campaign_id in campaigns]
        ids = [push.cardholder_id for push in known]
        states, logs = self._states.states_of(issuer_id, ids), self._pushes.logs(issuer_id, ids)
        now = self._clock()
        found = [
            (push, campaign, self._verdict(issuer_id, model, campaign, (push, state, log), now))
            for push, state, log in zip(known, states, logs, strict=True)
            for campaign in (campaigns[push.campaign_id],)
        ]
        return sorted(found, key=lambda one: (-one[1].priority, one[0].push_id))

    def _verdict(
        self,
        issuer_id: str,
        model: ServingModel,
        campaign: Campaign,
        about: tuple[Push, CardholderState, Log],
        now: datetime,
    ) -> Verdict:
        push, state, log = about
        addressee = Addressee(
            push.cardholder_id,
            state.consent,
            self._zones.of(issuer_id, state.profile.timezone),
            [at for channel, at in log if channel == campaign.channel.value],
            erased=state.erased,
            eligible=self._may_have(model, campaign, push, state, now),
        )
        policy = Policy(None, self._caps, (self._book.everywhere(issuer_id),))
        return judge(campaign, self._book.holdout(issuer_id, campaign), policy, addressee, now)

    def _may_have(
        self,
        model: ServingModel,
        campaign: Campaign,
        push: Push,
        state: CardholderState,
        now: datetime,
    ) -> bool:
        question = Question(
            request_id=push.push_id, cardholder_id=push.cardholder_id, channel=campaign.channel
        )
        asked = circumstances(state, question, Moment.of(now, self._zone))
        return not model.tables.refusals(push.item_id, asked, taste_of(model, state).last_days)

    def _settle(self, issuer_id: str, model: ServingModel, judged: Judged) -> tuple[int, int, int]:
        now = self._clock()
        leaving = [(push, campaign) for push, campaign, verdict in judged if not verdict.refusal]
        held = [
            Held(push, v.again_at, campaign.priority)
            for push, campaign, v in judged
            if v.again_at is not None
        ]
        refused = [
            (push, v.refusal.value) for push, _, v in judged if v.refusal and v.again_at is None
        ]
        webhooks = tuple(self._webhooks.open_ids(issuer_id)) if leaving else ()
        dispatches = [self._dispatch_of(model, *one, webhooks, now) for one in leaving]
        outcomes = self._pushes.send(issuer_id, dispatches, now)
        self._pushes.hold(issuer_id, held)
        self._pushes.refuse(issuer_id, refused)
        self._count(issuer_id, outcomes, refused)
        return outcomes.count(Sent.SENT), len(refused), len(held)

    def _dispatch_of(
        self,
        model: ServingModel,
        push: Push,
        campaign: Campaign,
        webhooks: tuple[str, ...],
        now: datetime,
    ) -> Dispatch:
        own = (campaign.frequency_cap,) if campaign.frequency_cap else ()
        item = model.catalog.get(push.item_id)
        return Dispatch(
            push=push,
            body=orjson.dumps(push_document(push, campaign, item, now), option=OPTIONS),
            channel=campaign.channel.value,
            caps=(*self._caps, *own),
            most=campaign.budget.pushes,
            webhooks=webhooks,
        )

    def _count(
        self, issuer_id: str, outcomes: Iterable[Sent], refused: Iterable[tuple[Push, str]]
    ) -> None:
        del issuer_id  # counters carry no issuer: their number must not grow with them
        for outcome in outcomes:
            self._metrics.happened(f"push_{outcome.value}")
        for _, reason in refused:
            self._metrics.happened(f"push_refused_{Refusal(reason).value}")


def push_document(
    push: Push, campaign: Campaign, item: Benefit | MerchantOffer | None, now: datetime
) -> Mapping[str, object]:
    """What the gateway gets: the item's terms as in the catalogue, and the way out."""
    return {
        "push_id": push.push_id,
        "campaign_id": push.campaign_id,
        "cardholder_id": push.cardholder_id,
        "item_id": push.item_id,
        "channel": campaign.channel.value,
        "title": item.title if item else None,
        "url": item.url if item else None,
        "ends_at": campaign.ends_at,
        "sent_at": now,
        "opt_out": {"method": "PUT", "href": f"/v1/cardholders/{push.cardholder_id}/consent"},
    }
