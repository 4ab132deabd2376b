"""What uses an item up: redemptions that were told as such, and purchases that earn it."""

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from embeddings.catalog import Item
from embeddings.interactions import EventType
from recsvc.domain.cardholder import Profile
from recsvc.domain.lifecycle.past import Past
from recsvc.domain.lifecycle.purchases import Purchase
from recsvc.domain.lifecycle.records import EventRecord
from recsvc.domain.lifecycle.rewards import (
    currency_of,
    earned,
    earns,
    is_enough,
    is_for,
    reward_minor,
)
from recsvc.domain.lifecycle.uses import BY_EVENT, BY_PURCHASE, UseKind

CLEARING = timedelta(days=10)
REDEEMED = EventType.REDEEMED


class Spending(NamedTuple):
    """A redemption before it is known whether an activation stands behind it."""

    own_id: str
    at: datetime
    kind: UseKind
    amount_minor: int
    needs_activation: bool
    until: datetime | None = None
    transaction_id: str | None = None
    currency: str | None = None


def by_redemptions(item: Item, own: Iterable[EventRecord]) -> list[Spending]:
    """Redemptions that were told as such and name no transaction; each counts by itself."""
    told = [r for r in own if r.event_type is REDEEMED and r.transaction is None]
    if not told:
        return []
    amount_minor = reward_minor(item, 0)
    return [
        Spending(
            f"{BY_EVENT}{record.event_id}",
            record.occurred_at,
            UseKind.REDEEMED,
            amount_minor,
            needs_activation=False,
            currency=currency_of(item),
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
        for r in past.about(item.item_id)
        if r.event_type is REDEEMED and r.transaction
    }
    found = []
    for purchase in past.purchases:
        if purchase.is_undone:
            continue
        is_named = purchase.transaction_id in named
        if (
            is_named
            or (purchase.transaction_id in known and is_enough(item, purchase))
            or (earns(item, purchase, zone) and is_for(item, profile))
        ):
            found.append(_spending(item, purchase, is_named=is_named))
    return found


def _spending(item: Item, purchase: Purchase, *, is_named: bool) -> Spending:
    cleared = purchase.is_cleared or is_named
    amount_minor, currency = earned(item, purchase)
    return Spending(
        f"{BY_PURCHASE}{purchase.transaction_id}",
        purchase.at,
        UseKind.REDEEMED if cleared else UseKind.QUALIFIED,
        amount_minor,
        needs_activation=item.terms.requires_activation and not is_named,
        until=None if cleared else purchase.at + CLEARING,
        transaction_id=purchase.transaction_id,
        currency=currency,
    )
