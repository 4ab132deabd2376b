"""What a marketer should know before a launch: what forbids it, its reach, cost and power."""

from dataclasses import dataclass

from embeddings.catalog import Item, Money
from recsvc.domain.audience.disclosure import Withheld
from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.campaign.launch import Finding, Projection, blockers, cost_of, notices
from recsvc.domain.campaign.room import pushed_of, room
from recsvc.domain.errors import NotFoundError
from recsvc.domain.model import ServingModel
from recsvc.domain.results.planning import (
    ASSUMED_RATE,
    Baseline,
    cardholders_needed,
    detectable_rate,
)
from recsvc.outreach.estimating import Estimator
from recsvc.outreach.ground import Ground
from recsvc.outreach.selection import item_rows

EXPECTED_LIFT = 0.01
"""What a marketer may hope for: one in a hundred more because of the push."""


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


class Checker:
    """Looks at campaigns before they are launched.

    Parameters
    ----------
    ground : what outreach stands on
    estimator : counts audiences
    minimum : cardholders below which nothing is launched
    """

    def __init__(self, ground: Ground, estimator: Estimator, *, minimum: int) -> None:
        self._ground = ground
        self._estimator = estimator
        self._minimum = minimum

    def check(self, issuer_id: str, campaign: Campaign) -> Check:
        """Everything that speaks against a launch, and what it would reach."""
        model = self._ground.slot.current(issuer_id)
        items = {item.item_id: item for item in _items(model, campaign)}
        projection, told = self._projection(issuer_id, model, campaign)
        baseline, others = Baseline(), self._ground.all_campaigns(issuer_id)
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
            notices(campaign, others, detectable=detectable, expected=EXPECTED_LIFT),
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
        self, issuer_id: str, model: ServingModel | None, campaign: Campaign
    ) -> tuple[Projection | None, int | Withheld | None]:
        """Reach and cost, and the reach as it may be told.

        All of it is reckoned from what an estimate would tell: cost and smallest effect would give
        an exact reach away, and a launch that is refused below the minimum a single cardholder.
        None without a model, or while an item is not in the catalogue.
        """
        try:
            estimate = self._estimator.estimate(issuer_id, self._ground.asked(issuer_id, campaign))
            rate = _rate(model, campaign)
        except NotFoundError:
            return None, None
        meant = room(campaign, estimate.least)
        reached = pushed_of(meant, campaign.holdout_bps)
        cost = _cost(model, campaign, reached)
        found = Projection(reached, meant - reached, reached * rate, cost)
        told = estimate.matched if isinstance(estimate.matched, Withheld) else reached
        return found, told

    def currency(self, issuer_id: str, campaign: Campaign) -> str | None:
        """Of the campaign's rewards or, without any, of its budget; None for none or several."""
        return _currency(self._ground.slot.current(issuer_id), campaign)


def _items(model: ServingModel | None, campaign: Campaign) -> list[Item]:
    """The campaign's items as far as the catalogue has them."""
    found = [model.catalog.get(item_id) for item_id in campaign.item_ids] if model else []
    return [item for item in found if item is not None]


def _rate(model: ServingModel | None, campaign: Campaign) -> float:
    """The largest share of cardholders who took one of the items in the model's history."""
    if model is None or model.bundle is None:
        return ASSUMED_RATE
    own = model.space.own[item_rows(model, campaign.item_ids)]
    took = model.bundle.model.column_cardholders
    shares = [took[row] / len(model.bundle.model.cardholders) for row in own if row >= 0]
    return float(max(shares)) if len(shares) == own.size else ASSUMED_RATE


def _cost(model: ServingModel | None, campaign: Campaign, reached: int) -> Money | None:
    costs, currency = _costs(model, campaign), _currency(model, campaign)
    if not costs or currency is None:
        return None
    most = max(cost.amount_minor for cost in costs)
    return Money(amount_minor=most * reached, currency=currency)


def _costs(model: ServingModel | None, campaign: Campaign) -> list[Money]:
    return [cost for item in _items(model, campaign) if (cost := cost_of(item))]


def _currency(model: ServingModel | None, campaign: Campaign) -> str | None:
    limit = campaign.budget.amount
    costs = _costs(model, campaign) or ([limit] if limit else [])
    found = {cost.currency for cost in costs}
    return found.pop() if len(found) == 1 else None


def _needed(holdout_bps: int) -> int | None:
    """Cardholders of both arms together for the hoped-for lift to be seen."""
    if holdout_bps == 0:
        return None
    variance = ASSUMED_RATE * (1 - ASSUMED_RATE)
    return cardholders_needed(EXPECTED_LIFT, holdout_bps, variance=variance)
