"""The life of a campaign as a marketer leads it: planned, checked, launched, paused, cancelled."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from embeddings.catalog import Money
from recsvc.domain.audience.disclosure import Withheld
from recsvc.domain.campaign.campaign import Campaign, State
from recsvc.domain.campaign.ids import lettered
from recsvc.domain.campaign.launch import Finding, Projection, blockers, cost_of, notices
from recsvc.domain.campaign.room import pushed_of, room
from recsvc.domain.errors import ConflictError, NotFoundError
from recsvc.domain.results.planning import (
    ASSUMED_RATE,
    Baseline,
    cardholders_needed,
    detectable_rate,
)
from recsvc.outreach.estimating import Estimator
from recsvc.outreach.ground import Ground
from recsvc.outreach.selection import item_rows
from recsvc.stores.campaigns import Meant

EXPECTED_LIFT = 0.01
"""What a marketer may hope for: one in a hundred more because of the push."""


class NotReadyError(ConflictError):
    """A campaign may not go live; ``findings`` says why."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("not_launchable", "the campaign may not go live")
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Check:
    """What is known before a launch.

    Parameters
    ----------
    blockers, notices : findings
    reach : rounded cardholders who would be pushed, or why withheld; None without a model
    most_cost : if each of them redeems once; None without a reward that has an amount
    detectable : smallest difference of activation rates that will be seen; None without holdout
    baseline : rate without a push that ``detectable`` is reckoned with
    needed : cardholders of both arms for one in a hundred more to be seen; None without holdout
    """

    blockers: tuple[Finding, ...]
    notices: tuple[Finding, ...]
    reach: int | Withheld | None
    most_cost: Money | None
    detectable: float | None
    baseline: Baseline
    needed: int | None


class CampaignDesk:
    """Leads campaigns.

    Parameters
    ----------
    ground : what outreach stands on
    estimator : counts audiences
    minimum : cardholders below which nothing is launched or exported
    """

    def __init__(self, ground: Ground, estimator: Estimator, *, minimum: int) -> None:
        self._ground = ground
        self._store = ground.campaigns
        self._estimator = estimator
        self._minimum = minimum

    def create(self, issuer_id: str, plan: Callable[[str], Campaign]) -> Campaign:
        """Keep a draft under an id of its own; InvalidError names a field that makes no sense."""
        campaign = plan(f"cmp_{lettered(secrets.token_bytes(8))}")
        self._store.add(issuer_id, campaign)
        return campaign

    def get(self, issuer_id: str, campaign_id: str) -> Campaign:
        """A campaign as the clock leaves it; NotFoundError when there is none."""
        return self._store.get(issuer_id, campaign_id).ticked(self._ground.clock())

    def all(self, issuer_id: str) -> list[Campaign]:
        """All campaigns as the clock leaves them, by id."""
        return [campaign.ticked(self._ground.clock()) for campaign in self._store.all(issuer_id)]

    def check(self, issuer_id: str, campaign: Campaign) -> Check:
        """Everything that speaks against a launch, and what it would reach."""
        model = self._ground.slot.current(issuer_id)
        items = {item.item_id: item for item in model.catalog.items} if model else {}
        projection, told = self._projection(issuer_id, campaign)
        baseline = Baseline()
        detectable = (
            detectable_rate(projection.reached, projection.held_out, rate=baseline.rate)
            if projection
            else None
        )
        return Check(
            blockers(
                campaign,
                items,
                projection,
                purpose_version=self._basis(issuer_id, projection),
                at=self._ground.clock(),
                minimum=self._minimum,
            ),
            notices(campaign, self.all(issuer_id), detectable=detectable, expected=EXPECTED_LIFT),
            told,
            projection.most_cost if projection else None,
            detectable,
            baseline,
            _needed(campaign.holdout_bps),
        )

    def _basis(self, issuer_id: str, projection: Projection | None) -> str | None:
        """What consents refer to: the notice in force, or what each was recorded under."""
        notice = self._ground.standings.notice(issuer_id)
        return notice or ("as_recorded" if projection and projection.reached else None)

    def _projection(
        self, issuer_id: str, campaign: Campaign
    ) -> tuple[Projection | None, int | Withheld | None]:
        """Reach and cost, and the reach as it may be told.

        All of it is reckoned from what an estimate would tell: cost and smallest effect would give
        an exact reach away, and a launch that is refused below the minimum a single cardholder.
        None without a model, or while an item is not in the catalogue.
        """
        try:
            estimate = self._estimator.estimate(issuer_id, self._ground.asked(issuer_id, campaign))
        except NotFoundError:
            return None, None
        meant = room(campaign, estimate.least)
        reached = pushed_of(meant, campaign.holdout_bps)
        expected = reached * self._rate(issuer_id, campaign)
        cost = self._cost(issuer_id, campaign, reached)
        found = Projection(reached, meant - reached, expected, cost)
        told = estimate.matched if isinstance(estimate.matched, Withheld) else reached
        return found, told

    def _rate(self, issuer_id: str, campaign: Campaign) -> float:
        """The largest share of cardholders who took one of the items in the model's history."""
        model = self._ground.slot.current(issuer_id)
        if model is None or model.bundle is None:
            return ASSUMED_RATE
        own = model.space.own[item_rows(model, campaign.item_ids)]
        took = model.bundle.model.column_cardholders
        shares = [took[row] / len(model.bundle.model.cardholders) for row in own if row >= 0]
        return float(max(shares)) if len(shares) == own.size else ASSUMED_RATE

    def _cost(self, issuer_id: str, campaign: Campaign, reached: int) -> Money | None:
        costs, currency = self._costs(issuer_id, campaign), self.currency(issuer_id, campaign)
        if not costs or currency is None:
            return None
        most = max(cost.amount_minor for cost in costs)
        return Money(amount_minor=most * reached, currency=currency)

    def _costs(self, issuer_id: str, campaign: Campaign) -> list[Money]:
        model = self._ground.slot.current(issuer_id)
        items = [model.catalog.get(item_id) for item_id in campaign.item_ids] if model else []
        return [cost for item in items if item is not None and (cost := cost_of(item))]

    def currency(self, issuer_id: str, campaign: Campaign) -> str | None:
        """Of the campaign's rewards or, without any, of its budget; None for none or several."""
        limit = campaign.budget.amount
        costs = self._costs(issuer_id, campaign) or ([limit] if limit else [])
        found = {cost.currency for cost in costs}
        return found.pop() if len(found) == 1 else None

    def launch(self, issuer_id: str, campaign_id: str) -> Campaign:
        """Let a campaign go live, or resume it.

        Raises
        ------
        NotReadyError
            Names everything that forbids it.
        ConflictError
            Its state forbids it.
        """
        campaign = self._store.get(issuer_id, campaign_id)
        launched = campaign.launched(self._ground.clock())
        found = self.check(issuer_id, campaign).blockers
        if found:
            raise NotReadyError(found)
        self._store.replace(issuer_id, campaign, launched)
        return launched

    def move(self, issuer_id: str, campaign_id: str, state: State) -> Campaign:
        """Pause or cancel a campaign; felt by every push that has not left."""
        campaign = self._store.get(issuer_id, campaign_id)
        moved = campaign.ticked(self._ground.clock()).moved(state, self._ground.clock())
        self._store.replace(issuer_id, campaign, moved)
        return moved

    def audience(self, issuer_id: str, campaign_id: str) -> Iterator[Meant]:
        """Cardholders whom a campaign addresses, the holdout left out, part by part.

        Raises
        ------
        ConflictError
            ``not_drawn_up`` before the dispatcher drew up the roster, ``audience_below_minimum``
            for one that is too small to be told.
        """
        self._store.get(issuer_id, campaign_id)
        if not self._store.has_roster(issuer_id, campaign_id):
            raise ConflictError(
                "not_drawn_up",
                "not drawn up yet: once launched, a running dispatcher does so within seconds",
            )
        treated = 0
        for _, part in self._store.roster(issuer_id, campaign_id):
            treated += sum(one.treated for one in part)
        if treated < self._minimum:
            raise ConflictError(
                "audience_below_minimum", f"fewer than {self._minimum} cardholders are never told"
            )
        return self._treated(issuer_id, campaign_id)

    def _treated(self, issuer_id: str, campaign_id: str) -> Iterator[Meant]:
        for _, part in self._store.roster(issuer_id, campaign_id):
            ids = [one.cardholder_id for one in part]
            channel = self._store.get(issuer_id, campaign_id).channel.value
            standings = self._ground.standings.read(issuer_id, ids, channel)
            allowed = standings.consents & ~standings.erased
            for row in np.flatnonzero(allowed).tolist():
                if part[row].treated:
                    yield part[row]


def _needed(holdout_bps: int) -> int | None:
    """Cardholders of both arms together for the hoped-for lift to be seen."""
    if holdout_bps == 0:
        return None
    variance = ASSUMED_RATE * (1 - ASSUMED_RATE)
    return cardholders_needed(EXPECTED_LIFT, holdout_bps, variance=variance)
