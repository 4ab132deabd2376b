"""What must hold before a campaign goes live, and what its marketer should know first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from embeddings.catalog import Benefit, Item, Money, RewardType
from recsvc.domain.campaign.campaign import Campaign, State


class Blocker(StrEnum):
    """Why a campaign may not go live."""

    NO_IMPACT_ASSESSMENT = "pia_ref_missing"
    NO_CONSENT_BASIS = "consent_basis_missing"
    ITEM_UNKNOWN = "item_unknown"
    ITEM_NOT_LIVE = "item_not_live"
    ITEM_WINDOW = "item_outside_window"
    ITEM_CHANNEL = "item_not_on_channel"
    NO_BUDGET = "budget_missing"
    BUDGET_EXCEEDED = "budget_exceeded"
    MIXED_CURRENCIES = "mixed_currencies"
    WINDOW_OVER = "window_over"
    AUDIENCE_TOO_SMALL = "audience_below_minimum"
    NO_MODEL = "model_missing"


OF_AN_ITEM = frozenset(
    {Blocker.ITEM_UNKNOWN, Blocker.ITEM_NOT_LIVE, Blocker.ITEM_WINDOW, Blocker.ITEM_CHANNEL}
)
"""Blockers that are about one item of the campaign, and name it."""


class Notice(StrEnum):
    """What does not forbid a launch but should be known before it."""

    OVERLAP = "overlapping_campaign"
    NO_HOLDOUT = "no_holdout"
    WEAK = "effect_too_small_to_see"


@dataclass(frozen=True, slots=True)
class Finding:
    """One blocker or warning and what it is about: an item's or campaign's id, else a field."""

    code: Blocker | Notice
    about: str

    def pointer(self, item_ids: Sequence[str]) -> str:
        """JSON pointer into a campaign of these items at what the finding is about."""
        if self.code in OF_AN_ITEM:
            return f"/item_ids/{item_ids.index(self.about)}"
        return f"/{self.about.replace('.', '/')}"


@dataclass(frozen=True, slots=True)
class Projection:
    """What a campaign would reach and cost, reckoned from what may be told.

    Parameters
    ----------
    reached : int               cardholders who would be pushed
    held_out : int              those of the campaign's own holdout
    expected_redemptions : float   by the model's rate; None when not known
    most_cost : Money           if every pushed cardholder redeems once; None without a reward
    """

    reached: int
    held_out: int
    expected_redemptions: float | None
    most_cost: Money | None


def blockers(
    campaign: Campaign,
    items: Mapping[str, Item],
    projection: Projection | None,
    *,
    purpose_version: str | None,
    at: datetime,
    minimum: int,
) -> tuple[Finding, ...]:
    """Everything that forbids the launch, in a fixed order; empty when it may go live.

    Parameters
    ----------
    campaign : Campaign
    items : catalogue items by id
    projection : None when there is no model to rank cardholders with
    purpose_version : the version of the notice that marketing consent refers to; None for none
    at : now
    minimum : int   the smallest audience that may be exported
    """
    found = [*_of_papers(campaign, purpose_version, at)]
    for item_id in campaign.item_ids:
        found += _of_item(campaign, item_id, items.get(item_id))
    known = [items[item_id] for item_id in campaign.item_ids if item_id in items]
    found += _of_money(campaign, known, projection)
    if projection is None:
        found.append(Finding(Blocker.NO_MODEL, "audience"))
    elif projection.reached < minimum:
        found.append(Finding(Blocker.AUDIENCE_TOO_SMALL, "audience"))
    return tuple(found)


def _of_papers(campaign: Campaign, purpose_version: str | None, at: datetime) -> Iterable[Finding]:
    if not campaign.pia_ref:
        yield Finding(Blocker.NO_IMPACT_ASSESSMENT, "pia_ref")
    if not purpose_version:
        yield Finding(Blocker.NO_CONSENT_BASIS, "purpose_version")
    if at >= campaign.ends_at:
        yield Finding(Blocker.WINDOW_OVER, "ends_at")


def _of_item(campaign: Campaign, item_id: str, item: Item | None) -> Iterable[Finding]:
    if item is None:
        yield Finding(Blocker.ITEM_UNKNOWN, item_id)
        return
    if item.state != "live":
        yield Finding(Blocker.ITEM_NOT_LIVE, item_id)
    terms = item.terms
    begun = terms.starts_at is None or terms.starts_at <= campaign.starts_at
    lasting = terms.ends_at is None or terms.ends_at >= campaign.ends_at
    if not (begun and lasting):
        yield Finding(Blocker.ITEM_WINDOW, item_id)
    if terms.channels and campaign.channel not in terms.channels:
        yield Finding(Blocker.ITEM_CHANNEL, item_id)


def _of_money(
    campaign: Campaign, items: list[Item], projection: Projection | None
) -> Iterable[Finding]:
    costs = [cost for item in items if (cost := cost_of(item)) is not None]
    limit = campaign.budget.amount
    currencies = {money.currency for money in ([*costs, limit] if limit else costs)}
    if len(currencies) > 1:
        yield Finding(Blocker.MIXED_CURRENCIES, "budget.amount")
    if costs and limit is None and not all(_has_own_budget(item) for item in items):
        yield Finding(Blocker.NO_BUDGET, "budget.amount")
    expected = _expected_cost(projection)
    if limit and len(currencies) == 1 and expected is not None and expected > limit.amount_minor:
        yield Finding(Blocker.BUDGET_EXCEEDED, "budget.amount")


def _has_own_budget(item: Item) -> bool:
    return cost_of(item) is None or (item.budget is not None and item.budget.total is not None)


def _expected_cost(projection: Projection | None) -> float | None:
    """Cost if as many redeem as the model expects; if all do, when it expects nothing."""
    if projection is None or projection.most_cost is None:
        return None
    if projection.expected_redemptions is None or not projection.reached:
        return float(projection.most_cost.amount_minor)
    share = projection.expected_redemptions / projection.reached
    return projection.most_cost.amount_minor * share


def cost_of(item: Item) -> Money | None:
    """The most that one redemption costs the issuer or merchant; None when it has no amount.

    A rate costs at most its cap; without a cap its cost is not known before the purchase.
    """
    if isinstance(item, Benefit):
        return None
    if item.reward.type is RewardType.SPEND_AND_GET:
        return item.reward.value
    return item.reward.max_value or item.reward.value


def notices(
    campaign: Campaign, others: Iterable[Campaign], *, detectable: float | None, expected: float
) -> tuple[Finding, ...]:
    """What should be known before the launch.

    Parameters
    ----------
    others : campaigns of the issuer; those that are over are passed by
    detectable : smallest effect that the audience's size can show; None without a holdout
    expected : effect that the marketer counts on, in the same unit
    """
    standing = (State.SCHEDULED, State.LIVE, State.PAUSED)
    found = [
        Finding(Notice.OVERLAP, other.campaign_id)
        for other in sorted(others, key=lambda other: other.campaign_id)
        if other.state in standing and campaign.overlaps(other)
    ]
    if campaign.holdout_bps == 0:
        found.append(Finding(Notice.NO_HOLDOUT, "holdout_bps"))
    elif detectable is not None and detectable > expected:
        found.append(Finding(Notice.WEAK, "holdout_bps"))
    return tuple(found)
