"""How many cardholders a campaign means: its limits count pushes, its arms are both drawn up."""

from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.campaign.holdout import BPS


def both_arms(pushes: int, holdout_bps: int) -> int:
    """Cardholders to be meant for that many pushes to leave, the holdout included."""
    return pushes * BPS // (BPS - holdout_bps)


def pushed_of(meant: int, holdout_bps: int) -> int:
    """Cardholders of the treated arm, of so many in both."""
    return meant - meant * holdout_bps // BPS


def room(campaign: Campaign, n: int) -> int:
    """Cardholders of both arms whom a campaign means, of ``n`` who match."""
    limits = [n]
    if campaign.audience.size is not None:
        limits.append(campaign.audience.size)
    if campaign.budget.pushes is not None:
        limits.append(both_arms(campaign.budget.pushes, campaign.holdout_bps))
    if campaign.budget.per_item is not None:
        whole = campaign.budget.per_item * len(campaign.item_ids)
        limits.append(both_arms(whole, campaign.holdout_bps))
    return min(limits)
