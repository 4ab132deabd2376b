"""Spreading a budget over its window, by showing an item less and never by refusing a use.

Even pacing: by the share ``t`` of the window that is over, at most the head start and the share
``t`` of the rest should be used. An item ahead of that is left out of lists until time catches up;
who has it before his eyes may still activate it, as long as the budget lasts.
"""

from datetime import datetime

from embeddings.catalog import Item
from recsvc.domain.budgets.limits import BudgetLimits, Spent

HEAD_START = 0.1
HEAD_START_USES = 50


def is_paced(item: Item) -> bool:
    """Whether an item has a total budget, and both ends of a window to spread it over."""
    limits, terms = BudgetLimits.of(item), item.terms
    has_window = terms.starts_at is not None and terms.ends_at is not None
    return has_window and (limits.total_count is not None or limits.total_minor is not None)


def is_ahead_of_pace(item: Item, spent: Spent, now: datetime) -> bool:
    """Whether so much was used that the item should rest.

    False without a total budget or without both ends of a window, and for the first fifty uses:
    a small budget is first come, first served.

    Parameters
    ----------
    item : Item
    spent : Spent       in total
    now : datetime, aware
    """
    limits, terms = BudgetLimits.of(item), item.terms
    if terms.starts_at is None or terms.ends_at is None or spent.count < HEAD_START_USES:
        return False
    over = (now - terms.starts_at) / (terms.ends_at - terms.starts_at)
    allowed = HEAD_START + (1 - HEAD_START) * min(max(over, 0.0), 1.0)
    shares = (
        (spent.count, limits.total_count),
        (spent.amount_minor, limits.total_minor),
    )
    return any(limit is not None and used > allowed * limit for used, limit in shares)
