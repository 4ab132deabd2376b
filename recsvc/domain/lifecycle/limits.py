"""How many uses, and how much of a reward, each cardholder may have of an item."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from embeddings.catalog import Benefit, Period
from recsvc.domain.eligibility.moment import EPOCH_DATE, period_start
from recsvc.domain.lifecycle.rewards import Item
from recsvc.domain.lifecycle.uses import Use, UseKind

PersonalLimit = tuple[Period, int | None, int | None]


def capped(item: Item, uses: list[Use]) -> tuple[Use, ...]:
    """The uses within the cardholder's own cap, earliest first; those beyond earn nothing."""
    kept: list[Use] = []
    limits = personal_limits(item) if uses else []
    for use in uses:
        if has_room(limits, kept, use.day):
            kept.append(use)
        elif use.kind is not UseKind.HELD:
            kept.append(replace(use, kind=UseKind.EXHAUSTED, amount_minor=0))
    return tuple(kept)


def has_room(limits: Iterable[PersonalLimit], uses: Iterable[Use], day: int) -> bool:
    """Whether one more use on a day is within what each cardholder may have of an item."""
    counted = [use for use in uses if use.kind is not UseKind.EXHAUSTED]
    if not counted:
        return all(count != 0 and amount != 0 for _, count, amount in limits)
    return all(
        _within(counted, count, amount, _since(period, day)) for period, count, amount in limits
    )


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


def _within(uses: list[Use], count: int | None, amount: int | None, since: int) -> bool:
    recent = [use for use in uses if use.day >= since]
    if count is not None and len(recent) >= count:
        return False
    return amount is None or sum(use.amount_minor for use in recent) < amount


def _since(period: Period, day: int) -> int:
    return period_start(period, EPOCH_DATE + timedelta(days=day))
