"""The limits of an item in the numbers that the ledger counts."""

from dataclasses import dataclass
from typing import Self

from embeddings.catalog import Item, Limit
from recsvc.domain.lifecycle.rewards import currency_of, reserved_minor


@dataclass(frozen=True, slots=True)
class Spent:
    """What was taken from an item's budget.

    Parameters
    ----------
    count : int           open activations and redemptions
    amount_minor : int    what they earn, or the most they can
    """

    count: int = 0
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """Limits in total and on each day; None where there is none.

    An amount limits only a reward in money, which is in its currency (`MerchantOffer`).

    Parameters
    ----------
    total_count, total_minor, daily_count, daily_minor : int or None
    unit_minor : int      what one more use sets aside
    """

    total_count: int | None
    total_minor: int | None
    daily_count: int | None
    daily_minor: int | None
    unit_minor: int

    @classmethod
    def of(cls, item: Item) -> Self:
        """Limits of an item."""
        budget = item.budget
        total = budget.total if budget else None
        daily = budget.daily if budget else None
        return cls(
            total.count if total else None,
            _minor(total, item),
            daily.count if daily else None,
            _minor(daily, item),
            reserved_minor(item),
        )

    def has_room(self, total: Spent, today: Spent) -> bool:
        """Whether one more use fits, as the ledger reckons it.

        Parameters
        ----------
        total, today : what was taken in all, and today
        """
        return all(
            limit is None or used + more <= limit
            for limit, used, more in (
                (self.total_count, total.count, 1),
                (self.total_minor, total.amount_minor, self.unit_minor),
                (self.daily_count, today.count, 1),
                (self.daily_minor, today.amount_minor, self.unit_minor),
            )
            if more
        )

    @classmethod
    def none(cls) -> Self:
        """Limits of what has none."""
        return cls(None, None, None, None, 0)


def _minor(limit: Limit | None, item: Item) -> int | None:
    if limit is None or limit.amount is None or limit.amount.currency != currency_of(item):
        return None
    return limit.amount.amount_minor
