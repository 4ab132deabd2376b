"""Works out what a campaign earned, from the roster and from what its cardholders did since."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
from numpy.typing import NDArray

from embeddings.interactions import EventType
from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.lifecycle.uses import SPENT
from recsvc.domain.moment import day_number
from recsvc.domain.results.credit import (
    Conversion,
    Payment,
    Spending,
    Touch,
    Windows,
    credited,
    spending,
)
from recsvc.domain.results.planning import ASSUMED_RATE
from recsvc.domain.results.review import Measure, Plan, Roster, review
from recsvc.domain.results.withholding import told
from recsvc.outreach.ground import Ground
from recsvc.outreach.span import Span
from recsvc.stores.codec import OPTIONS
from recsvc.stores.events.behaviours import Behaviour, BehaviourStore
from recsvc.stores.outreach.rosters import Meant

CONFIDENCE = 0.95
KEPT_FOR = timedelta(minutes=5)
"""How long results are told unchanged; a dispatcher works them out anew as often."""

MOST_AT_ONCE = 20_000


class Reviewer:
    """Works out results.

    Parameters
    ----------
    ground : what outreach stands on
    behaviours : what cardholders did
    minimum : cardholders below which nothing is told
    kept : how long a cardholder's events are kept
    windows : attribution
    """

    def __init__(
        self,
        ground: Ground,
        behaviours: BehaviourStore,
        *,
        minimum: int,
        kept: timedelta,
        windows: Windows | None = None,
    ) -> None:
        self._ground = ground
        self._campaigns = ground.campaigns
        self._behaviours = behaviours
        self._minimum = minimum
        self._kept = kept
        self._windows = windows or Windows()

    def results(self, issuer_id: str, campaign: Campaign) -> dict[str, Any]:
        """Results as last worked out; worked out now when there are none and it is quickly done.

        Those from before the roster was drawn up are never kept: they say that nobody was meant.
        """
        stored = self._campaigns.review(issuer_id, campaign.campaign_id)
        if stored is not None:
            kept: dict[str, Any] = orjson.loads(stored)
            age = self._ground.clock() - datetime.fromisoformat(kept["as_of"])
            is_fresh = kept["cardholders"] > 0 and age < KEPT_FOR
            if is_fresh or kept["cardholders"] > MOST_AT_ONCE:
                return kept
        return self.refresh(issuer_id, campaign)

    def refresh(self, issuer_id: str, campaign: Campaign) -> dict[str, Any]:
        """Work out and keep the results of a campaign."""
        parts = self._ground.rosters.meant(issuer_id, campaign.campaign_id)
        meant = [one for part in parts for one in part]
        roster = self._roster(issuer_id, campaign, meant)
        found = review(roster, campaign.holdout_bps, confidence=CONFIDENCE, plan=_plan(roster))
        now = self._ground.clock()
        document: dict[str, Any] = {
            "campaign_id": campaign.campaign_id,
            "state": campaign.state.value,
            "as_of": now.isoformat(),
            "fresh_until": (now + KEPT_FOR).isoformat() if meant else None,
            "cardholders": len(meant),
            "past_retention": self._is_past_retention(campaign),
        }
        for view in ("issuer", "merchant"):
            document[view] = told(
                found,
                minimum=self._minimum,
                confidence=CONFIDENCE,
                for_merchant=view == "merchant",
            )
        stored = orjson.dumps(document, option=OPTIONS)
        self._campaigns.put_review(issuer_id, campaign.campaign_id, stored)
        kept: dict[str, Any] = orjson.loads(stored)
        return kept

    def _is_past_retention(self, campaign: Campaign) -> bool:
        """Whether events of the campaign's first days have come to their end already."""
        return Span.of(campaign, self._windows).opens_at < self._ground.clock() - self._kept

    def _roster(self, issuer_id: str, campaign: Campaign, meant: Sequence[Meant]) -> Roster:
        pushes = self._campaigns.pushes(issuer_id, campaign.campaign_id)
        span = Span.of(campaign, self._windows)
        values = {measure: np.zeros(len(meant)) for measure in Measure}
        before = np.array([one.before_minor for one in meant], np.float64)
        has_scores = bool(before.any())
        behaviours = self._behaviours.read(issuer_id, [one.cardholder_id for one in meant])
        for row, (one, did) in enumerate(zip(meant, behaviours, strict=True)):
            push_id = self._ground.book.push_id(issuer_id, campaign.campaign_id, one.cardholder_id)
            values[Measure.SENT][row] = pushes.get(push_id, "").isdigit()
            for measure, value in self._measured(did, one.item_id, span).items():
                values[measure][row] = value
            if not has_scores:
                before[row] = _spent(did, span.pre_period).spend_minor
        segments = sorted({one.segment for one in meant if one.segment})
        return Roster(
            np.array([one.treated for one in meant], np.bool_),
            _numbered([one.item_id for one in meant], campaign.item_ids),
            _numbered([one.segment for one in meant], segments),
            values,
            before,
            campaign.item_ids,
            tuple(segments),
        )

    def _measured(self, did: Behaviour, item_id: str, span: Span) -> dict[Measure, float]:
        """What one cardholder did with his item, and spent, within the span."""
        within = [
            r.event_type for r in did.records if r.item_id == item_id and span.holds(r.occurred_at)
        ]
        first = day_number(_local(span.opens_at, self._ground.zone))
        last = day_number(_local(span.closes_at, self._ground.zone))
        uses = [
            use
            for use in did.uses.get(item_id, ())
            if use.kind in SPENT and first <= use.day <= last
        ]
        spent, shown = _spent(did, span), did.shown_at.get(item_id)
        return {
            Measure.SERVED: shown is not None and span.holds(shown),
            Measure.VIEWED: EventType.VIEWED in within or EventType.CLICKED in within,
            Measure.ACTIVATED: EventType.ACTIVATED in within,
            Measure.REDEEMED: len(uses),
            Measure.ATTRIBUTED: self._owed(did, item_id, span),
            Measure.VISITS: spent.visits,
            Measure.SPEND: spent.spend_minor,
            Measure.COST: sum(use.amount_minor for use in uses),
            Measure.CUT_SHORT: did.is_cut_short(span.opens_at),
        }

    def _owed(self, did: Behaviour, item_id: str, span: Span) -> int:
        """Redemptions of the item that a view or an activation in time earned, last touch."""
        own = [record for record in did.records if record.item_id == item_id]
        conversions = [
            Conversion(did.cardholder_id, item_id, r.occurred_at, r.event_id)
            for r in own
            if r.event_type is EventType.REDEEMED and span.holds(r.occurred_at)
        ]
        touches = [
            Touch(did.cardholder_id, item_id, "", r.event_type, r.occurred_at, r.event_id)
            for r in own
        ]
        return len(credited(conversions, touches, self._windows))


def _spent(did: Behaviour, span: Span) -> Spending:
    payments = [
        Payment(
            record.transaction.transaction_id,
            did.cardholder_id,
            record.transaction.amount_minor,
            record.transaction.status,
            record.occurred_at,
        )
        for record in did.records
        if record.transaction is not None and record.event_type is EventType.TRANSACTION
    ]
    found = spending(payments, span.opens_at, span.closes_at)
    return found.get(did.cardholder_id, Spending())


def _local(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def _numbered(names: Sequence[str], known: Sequence[str]) -> NDArray[np.int32]:
    """Place of each name among those known; -1 for one that is not."""
    places = {name: place for place, name in enumerate(known)}
    return np.array([places.get(name, -1) for name in names], np.int32)


def _plan(roster: Roster) -> Plan:
    """What was known before the first look: the arms' sizes and the spread of the pre-period.

    The any-time interval of a rate is narrowest at the assumed one; any other is covered as well.
    """
    treated = int(np.count_nonzero(roster.treated))
    rate = ASSUMED_RATE * (1 - ASSUMED_RATE)
    spread = float(roster.before_minor.var(ddof=1)) if roster.before_minor.size > 1 else 0.0
    variances = {Measure.ACTIVATED: rate, Measure.REDEEMED: rate, Measure.SPEND: spread}
    return Plan(treated, roster.treated.size - treated, variances)
