"""What may be asked of a simulation; nothing impossible can be asked."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from training.errors import BadInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Size, time, seed and behaviour of a simulated issuer.

    Parameters
    ----------
    cardholders, merchants, transactions, items : int
        How many of each; ``transactions`` counts all rows of card usage, refunds included.
    seed : int
        At least 0. The same parameters give the same content, byte for byte.
    ends_at : datetime
        Aware; card usage ends at this instant's UTC+8 midnight, offers live around it.
    days : int
        Length of the usage window, at least 30.
    exposures : float
        Mean number of items served to a cardholder; each is viewed, clicked, ... or not.
    push_effect : float
        Scale of what a push adds to the log-odds of activation; 0 for no effect at all.
    cold_items, cold_cardholders : float
        Shares in [0, 1) without any response, and with a card only for weeks.
    """

    cardholders: int
    merchants: int
    transactions: int
    seed: int
    ends_at: datetime
    items: int = 400
    days: int = 365
    exposures: float = 25.0
    push_effect: float = 0.8
    cold_items: float = 0.15
    cold_cardholders: float = 0.08

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn, naming the option."""
        _within("--cardholders", self.cardholders, 1, 20_000_000)
        _within("--merchants", self.merchants, 1, 200_000)
        _within("--transactions", self.transactions, 1, 2_000_000_000)
        _within("--items", self.items, 1, 100_000)
        _within("--seed", self.seed, 0, 2**63 - 1)
        _within("--days", self.days, 30, 1_825)
        _within("--exposures", self.exposures, 0.0, 1_000.0)
        _within("--push-effect", self.push_effect, -5.0, 5.0)
        _within("--cold-items", self.cold_items, 0.0, 0.95)
        _within("--cold-cardholders", self.cold_cardholders, 0.0, 0.95)
        if self.ends_at.tzinfo is None:
            raise BadInputError("--ends-at: needs a UTC offset, such as 2026-01-01T00:00:00+08:00")

    @property
    def closes_at(self) -> datetime:
        """First instant after the usage window: local midnight at or before ``ends_at``, as UTC."""
        local = self.ends_at.astimezone(UTC) + _LOCAL
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - _LOCAL

    @property
    def opens_at(self) -> datetime:
        """First instant of the usage window, UTC."""
        return self.closes_at - timedelta(days=self.days)

    def as_document(self) -> dict[str, Any]:
        """All parameters as JSON values."""
        return {**asdict(self), "ends_at": self.closes_at.isoformat().replace("+00:00", "Z")}


_LOCAL = timedelta(hours=8)


def _within(option: str, value: float, low: float, high: float) -> None:
    """BadInputError that names the option unless ``low ≤ value ≤ high``; NaN is refused."""
    if not low <= value <= high:
        raise BadInputError(
            f"{option}: {value} is out of range; give a number from {low} to {high}"
        )


def chance(seed: int, *path: int) -> np.random.Generator:
    """Independent stream of random numbers for one place of the simulation.

    Each part draws from its own stream, so one part may change without moving the others.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=path)))
