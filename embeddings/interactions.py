"""What a cardholder can do, and what one contact of each kind weighs.

A *contact* is one dated event between a cardholder and a column; what contacts add up to is told by
:mod:`embeddings.cells`.
"""

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Self

import numpy as np


class EventType(StrEnum):
    """What a cardholder can do, or have done to him."""

    SERVED = "served"
    VIEWED = "viewed"
    CLICKED = "clicked"
    ACTIVATED = "activated"
    REDEEMED = "redeemed"
    DISMISSED = "dismissed"
    TRANSACTION = "transaction"


class TransactionStatus(StrEnum):
    """Where a card transaction stands."""

    APPROVED = "approved"
    SETTLED = "settled"
    REVERSED = "reversed"
    RETURNED = "returned"
    DECLINED = "declined"


SIGN_OF_STATUS = {
    TransactionStatus.APPROVED: 1,
    TransactionStatus.SETTLED: 1,
    TransactionStatus.REVERSED: -1,
    TransactionStatus.RETURNED: -1,
    TransactionStatus.DECLINED: 0,
}
"""How a transaction counts: a purchase once, a refund against it, a decline not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWeights:
    """What one contact of each kind weighs, how it fades and how much one day may bring.

    Part of the manifest: serving reads the weights a bundle was trained with.

    Parameters
    ----------
    transaction, viewed, clicked, activated, redeemed : float
        Weight of one contact, at least 0. ``served`` and ``dismissed`` never make a cell.
    half_life_days : float
        Age at which a contact counts half; ``inf`` for no decay.
    daily_cap : float
        The most that one day may add to one cell, above 0: a commuter's taps must not drown
        the rest.
    """

    transaction: float = 1.0
    viewed: float = 0.0
    clicked: float = 0.5
    activated: float = 1.0
    redeemed: float = 2.0
    half_life_days: float = 365.0
    daily_cap: float = 2.0

    def __post_init__(self) -> None:
        """Refuse weights that are negative, not finite or without effect."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not value >= 0 or (np.isinf(value) and field.name != "half_life_days"):
                raise ValueError(f"{field.name}: {value} is not a weight; it must be 0 or above")
        if self.half_life_days == 0 or self.daily_cap == 0:
            raise ValueError("half_life_days and daily_cap must be above 0")

    def of(self, event_type: EventType) -> float:
        """Weight of one contact of this type; 0 for types that never make a cell."""
        if event_type in (EventType.SERVED, EventType.DISMISSED):
            return 0.0
        return float(getattr(self, event_type.value))

    def as_document(self) -> dict[str, Any]:
        """Return the JSON form; an infinite half-life is null."""
        document = asdict(self)
        if np.isinf(self.half_life_days):
            document["half_life_days"] = None
        return document

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Read what :meth:`as_document` wrote."""
        half_life = document["half_life_days"]
        return cls(**{**document, "half_life_days": np.inf if half_life is None else half_life})
