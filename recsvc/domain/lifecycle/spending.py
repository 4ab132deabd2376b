"""What uses an item up: redemptions that were told as such, and purchases that earn it."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from embeddings.interactions import EventType
from recsvc.domain.cardholder import Profile
from recsvc.domain.lifecycle.past import Past
from recsvc.domain.lifecycle.purchases import Purchase
from recsvc.domain.lifecycle.records import EventRecord
from recsvc.domain.lifecycle.rewards import Item, earns, is_enough, is_for, reward_minor
from recsvc.domain.lifecycle.uses import BY_EVENT, BY_PURCHASE, UseKind

CLEARING = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class Spending:
    """A redemption before it is known whether an activation stands behind it."""

    own_id: str
    at: datetime
    kind: UseKind
    amount_minor: int
    needs_activation: bool
    until: datetime | None = None
    transaction_id: str | None = None


def by_redemptions(item: Item, own: list[EventRecord]) -> list[Spending]:
    """Redemptions that were told as such and name no transaction; each counts by itself."""
    told = (r for r in own if r.event_type is EventType.REDEEMED and r.transaction is None)
    earned = reward_minor(item, 0)
    return [
        Spending(
            f"{BY_EVENT}{record.event_id}",
            record.occurred_at,
            UseKind.REDEEMED,
            earned,
            needs_activation=False,
        )
        for record in told
    ]


def by_purchases(
    item: Item,
    profile: Profile,
    past: Past,
    known: frozenset[str],
    zone: tzinfo,
) -> list[Spending]:
    """Purchases that earn the item, and those that a redemption names."""
    named = {
        r.transaction.transaction_id
        for r in past.records
        if r.item_id == item.item_id and r.event_type is EventType.REDEEMED and r.transaction
    }
    found = []
    for purchase in past.purchases:
        is_named = purchase.transaction_id in named
        is_kept = purchase.transaction_id in known and is_enough(item, purchase)
        is_earned = earns(item, purchase, zone) and is_for(item, profile)
        if not purchase.is_undone and (is_named or is_kept or is_earned):
            found.append(_spending(item, purchase, is_named=is_named))
    return found


def _spending(item: Item, purchase: Purchase, *, is_named: bool) -> Spending:
    cleared = purchase.is_cleared or is_named
    return Spending(
        f"{BY_PURCHASE}{purchase.transaction_id}",
        purchase.at,
        UseKind.REDEEMED if cleared else UseKind.QUALIFIED,
        reward_minor(item, purchase.net_minor),
        needs_activation=item.terms.requires_activation and not is_named,
        until=None if cleared else purchase.at + CLEARING,
        transaction_id=purchase.transaction_id,
    )
