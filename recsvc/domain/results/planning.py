"""What a campaign is able to see: before its launch, and with the arms it has."""

import math
from dataclasses import dataclass

from recsvc.domain.results.normal import quantile

ASSUMED_RATE = 0.05
"""Share of cardholders who take an item of which nothing is known yet."""

LEAST_SEEN = 10
"""Activations below which a rate is not known: its standard error is a third of it or more."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The share of cardholders who activate without a push; a smaller one shows smaller effects.

    Parameters
    ----------
    rate : float        within 0 and 1
    is_assumed : bool   because too few were seen to tell
    """

    rate: float = ASSUMED_RATE
    is_assumed: bool = True

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate: {self.rate} must be within 0 and 1")

    @classmethod
    def seen(cls, activated: int, holdout: int) -> "Baseline":
        """The holdout's own rate, once ten of it activated; the assumed one until then.

        Before a launch nobody has, so that the same arms show the same effect before and after it
        for as long as nothing new is known.
        """
        if activated < LEAST_SEEN:
            return cls()
        return cls(activated / holdout, is_assumed=False)


def detectable_difference(
    treated: int, holdout: int, *, variance: float, confidence: float = 0.95, power: float = 0.8
) -> float | None:
    """The smallest effect on a mean that will be found with this power; None without two arms.

    ``(z_{1-α/2} + z_{power}) sqrt(variance (1/n_t + 1/n_h))``; for a rate p the variance is
    ``p (1 - p)``.
    """
    if treated < 1 or holdout < 1:
        return None
    reach = quantile(0.5 + confidence / 2) + quantile(power)
    return reach * math.sqrt(variance * (1 / treated + 1 / holdout))


def detectable_rate(
    treated: int, holdout: int, *, rate: float, confidence: float = 0.95, power: float = 0.8
) -> float | None:
    """The same for a rate such as activation; ``rate`` is that of the holdout."""
    variance = Baseline(rate).rate * (1 - rate)
    return detectable_difference(
        treated, holdout, variance=variance, confidence=confidence, power=power
    )


def cardholders_needed(
    difference: float,
    holdout_bps: int,
    *,
    variance: float,
    confidence: float = 0.95,
    power: float = 0.8,
) -> int:
    """Cardholders in both arms together for a difference to be found with this power."""
    share = holdout_bps / 10_000
    if difference <= 0 or not 0 < share < 1:
        raise ValueError("difference must be above 0 and holdout_bps from 1 to 9999")
    reach = quantile(0.5 + confidence / 2) + quantile(power)
    return math.ceil(variance * (reach / difference) ** 2 * (1 / share + 1 / (1 - share)))
