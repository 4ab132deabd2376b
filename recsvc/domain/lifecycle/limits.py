"""How many uses, and how much of a reward, each cardholder may have of an item."""

from collections.abc import Iterable
from datetime import timedelta

from embeddings.catalog import Benefit, Item, Period
from recsvc.domain.lifecycle.rewards import is_rated
from recsvc.domain.lifecycle.uses import UNCOUNTED, Use, UseKind
from recsvc.domain.moment import EPOCH_DATE, period_start

PersonalLimit = tuple[Period, int | None, int | None]


def capped(item: Item, uses: list[Use]) -> tuple[Use, ...]:
    """The uses within the cardholder's own cap, earliest first; those beyond earn nothing."""
    limits = personal_limits(item) if uses else []
    if not limits:
        return tuple(uses)
    kept: list[Use] = []
    for use in uses:
        amount = _granted(item, limits, kept, use)
        if amount is not None:
            kept.append(use if amount == use.amount_minor else use._replace(amount_minor=amount))
        elif use.kind is not UseKind.HELD:
            kind = use.kind if use.kind in UNCOUNTED else UseKind.CAPPED
            kept.append(use._replace(kind=kind, amount_minor=0))
    return tuple(kept)


def _granted(
    item: Item, limits: Iterable[PersonalLimit], uses: Iterable[Use], use: Use
) -> int | None:
    """How much of one more use the cardholder may still have of an item; None for nothing.

    Of a rate the rest of the limit is given, as far as it goes; any other reward whole or not.
    """
    if use.kind in UNCOUNTED:
        return None
    counted = [one for one in uses if one.kind not in UNCOUNTED]
    amount = use.amount_minor
    for period, count, most in limits:
        since = _since(period, use.day) if counted else 0
        recent = [one for one in counted if one.day >= since]
        if count is not None and len(recent) >= count:
            return None
        if most is not None:
            left = most - sum(one.amount_minor for one in recent)
            if left <= 0 or (left < amount and not is_rated(item)):
                return None
            amount = min(amount, left)
    return amount


def personal_limits(item: Item) -> list[PersonalLimit]:
    """Period, most uses and most minor units of each limit that a cardholder has."""
    limits: list[PersonalLimit] = []
    cap = item.budget.per_cardholder if item.budget else None
    if cap is not None:
        amount = cap.amount.amount_minor if cap.amount else None
        limits.append((cap.period, cap.count, amount))
    if isinstance(item, Benefit) and item.quota is not None:
        limits.append((item.quota.period, item.quota.count, None))
    return limits


def _since(period: Period, day: int) -> int:
    return period_start(period, EPOCH_DATE + timedelta(days=day))
