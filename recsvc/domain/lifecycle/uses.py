"""One use of an item: how far it has come, what it earns and what spent it."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

BY_EVENT, BY_PURCHASE = "e~", "t~"
"""What the id of a use begins with that has no activation behind it."""


class UseKind(StrEnum):
    """How far a use has come; one letter each, as it is stored."""

    HELD = "h"
    QUALIFIED = "q"
    REDEEMED = "r"
    EXHAUSTED = "x"
    CAPPED = "c"


SPENT = frozenset({UseKind.QUALIFIED, UseKind.REDEEMED})
UNCOUNTED = frozenset({UseKind.EXHAUSTED, UseKind.CAPPED})


class Use(NamedTuple):
    """One use of an item, or the place that an open activation keeps for one.

    Parameters
    ----------
    use_id : str
        Id of the activation; of the transaction or event, after ``t~`` or ``e~``, without one.
    kind : UseKind
        ``EXHAUSTED`` when the budget had no room for it: it counts for nothing, also when others
        give their places back later. ``CAPPED`` when he had no more of his own: it counts for
        nothing while that is so.
    day : int
        Days since 1970-01-01 in the issuer's zone: the day whose budget it is taken from.
    amount_minor : int
        What it earns; for an open activation the most it can.
    until : datetime or None
        When an open activation lapses, or an approval that was never settled.
    transaction_id : str or None
        The purchase that spent it; of a redemption that names none its event, after ``e~``.
    currency : str or None
        ISO 4217, of the amount; None when it earns no money.
    """

    use_id: str
    kind: UseKind
    day: int
    amount_minor: int
    until: datetime | None = None
    transaction_id: str | None = None
    currency: str | None = None
