"""Lets pushes leave: draws up rosters, judges each push again, sends it at most once.

May be killed at any line, and may run beside others: what was sent is known by its id, what was
not yet judged is taken over, what waits for the morning waits in the store.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from embeddings.catalog import Item
from recsvc.domain.campaign.campaign import Campaign, State
from recsvc.domain.campaign.sending import Refusal
from recsvc.domain.errors import RevisionMismatchError
from recsvc.domain.model import ServingModel
from recsvc.domain.ports import CardholderStates
from recsvc.metrics import Metrics
from recsvc.outreach.assembly import Outreach
from recsvc.stores.codec import OPTIONS
from recsvc.stores.outreach.outbox import Held, Push
from recsvc.stores.outreach.pushes import Dispatch, Sent
from recsvc.workers.judging import Judged, PushJudge

BATCHES_AT_ONCE = 20
IDLE_SECONDS = 60.0


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
    outreach : the assembled parts
    consumer : name of this process among dispatchers
    states : of the cardholders whom pushes go to
    metrics : where what became of pushes is counted
    idle_seconds : after which another's unfinished batch is taken over
    """

    def __init__(
        self,
        outreach: Outreach,
        consumer: str,
        states: CardholderStates,
        metrics: Metrics,
        *,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._ground = outreach.ground
        self._outbox = outreach.outbox
        self._pushes = outreach.pushes
        self._webhooks = outreach.webhooks
        self._maker = outreach.maker
        self._caps = outreach.caps
        self._consumer = consumer
        self._judge = PushJudge(outreach, states)
        self._metrics = metrics
        self._idle_seconds = idle_seconds
        self._made: set[tuple[str, str]] = set()

    def look(self, issuer_id: str) -> Round:
        """One look at an issuer: move campaigns on, fill the outbox, send what may leave."""
        model = self._ground.slot.current(issuer_id)
        if model is None:
            return Round()
        self._tick(issuer_id)
        running = self._ground.book.follow_issuer(issuer_id)
        queued = self._make(issuer_id, running.campaigns)
        woken = self._outbox.wake(issuer_id, self._ground.clock())
        if not self._outbox.take_turn(issuer_id, self._consumer):
            return Round(queued, woken, waits=True)
        try:
            done = self._dispatch(issuer_id, model)
        finally:
            self._outbox.end_turn(issuer_id, self._consumer)
        return Round(queued, woken, waits=True) if done is None else Round(queued, woken, *done)

    def _tick(self, issuer_id: str) -> None:
        """Keep what the clock did to campaigns; another dispatcher may have been first."""
        for campaign in self._ground.campaigns.all(issuer_id):
            ticked = campaign.ticked(self._ground.clock())
            if ticked is not campaign:
                try:
                    self._ground.campaigns.replace(issuer_id, campaign, ticked)
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
        batches = self._outbox.take(
            issuer_id, self._consumer, most=BATCHES_AT_ONCE, idle_seconds=self._idle_seconds
        )
        pushes = [push for batch in batches for push in batch.pushes]
        if not pushes:
            for batch in batches:
                self._outbox.done(issuer_id, batch)
            return 0, 0, 0
        judged = self._judge.judged(issuer_id, model, pushes)
        if not self._outbox.take_turn(issuer_id, self._consumer):
            return None
        result = self._settle(issuer_id, model, judged)
        for batch in batches:
            self._outbox.done(issuer_id, batch)
        return result

    def _settle(self, issuer_id: str, model: ServingModel, judged: Judged) -> tuple[int, int, int]:
        now = self._ground.clock()
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
        self._outbox.hold(issuer_id, held)
        self._pushes.refuse(issuer_id, refused)
        self._count(outcomes, refused)
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

    def _count(self, outcomes: Iterable[Sent], refused: Iterable[tuple[Push, str]]) -> None:
        """Count without the issuer: the number of counters must not grow with issuers."""
        for outcome in outcomes:
            self._metrics.happened(f"push_{outcome.value}")
        for _, reason in refused:
            self._metrics.happened(f"push_refused_{Refusal(reason).value}")


def push_document(
    push: Push, campaign: Campaign, item: Item | None, now: datetime
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
