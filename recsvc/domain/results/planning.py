"""What a campaign will be able to see, before it is launched."""

import math

from recsvc.domain.results.normal import quantile


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
    if not 0 <= rate <= 1:
        raise ValueError(f"rate: {rate} must be within 0 and 1")
    return detectable_difference(
        treated, holdout, variance=rate * (1 - rate), confidence=confidence, power=power
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
