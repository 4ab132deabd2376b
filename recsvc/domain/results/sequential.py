"""Intervals that may be looked at every day.

A normal-mixture boundary (Robbins 1970; mSPRT of Johari, Koomen, Pekelis, Walsh 2022) in the sum's
own clock: let ``m = n_t n_h / (n_t + n_h)``, S = m times the estimate, T the variance of S. With
any ρ fixed before the first look, ``|S - truth| ≤ sqrt((T + ρ) (2 log(1/α) + log((T + ρ) / ρ)))``
at all looks together with probability at least 1 - α. It holds when T grows because cardholders
join, and when it grows because the same cardholders go on spending: their sums are then more alike
from look to look than a Brownian motion's, so they cross less often (Slepian 1962).

The interval is wider than one that is read once; that is the price of looking. The p-value is the
smallest α whose interval leaves 0 out.
"""

import math

from recsvc.domain.results.effect import Effect

LEAST_ARM = 100
"""Cardholders in the smaller arm before the first look: the variance must be known by then."""


def effective_size(treated: int, holdout: int) -> float:
    """``n_t n_h / (n_t + n_h)``; 0 when an arm is empty."""
    return treated * holdout / (treated + holdout) if treated and holdout else 0.0


def mixture(planned_time: float, *, confidence: float = 0.95) -> float:
    """The ρ whose interval is narrowest when the clock T reads ``planned_time``.

    ``planned_time`` is the effective size times the outcome's variance that are planned for the
    end. Solves ``z = 2 log(1/α) + log(1 + z)`` for ``z = T / ρ`` by fixed-point steps.
    """
    if planned_time <= 0:
        raise ValueError(f"planned_time: {planned_time} must be above 0")
    alarm = 2 * math.log(1 / (1 - confidence))
    ratio = alarm
    for _ in range(60):
        ratio = alarm + math.log1p(ratio)
    return planned_time / ratio


def always_valid(effect: Effect, size: float, rho: float, *, confidence: float = 0.95) -> Effect:
    """An effect whose interval and p-value hold however often one looks.

    Parameters
    ----------
    effect : of all that was seen so far; its standard error is taken from it
    size : float   effective size of the arms that it comes from
    rho : float    of :func:`mixture`, fixed before the first look, the same at every look
    """
    if rho <= 0 or size <= 0:
        raise ValueError("rho and size must be above 0")
    time = (effect.error * size) ** 2
    spread = math.log((time + rho) / rho)
    reach = math.sqrt((time + rho) * (2 * math.log(1 / (1 - confidence)) + spread)) / size
    lead = (effect.estimate * size) ** 2 / (2 * (time + rho))
    p_value = math.exp(min(spread / 2 - lead, 0.0))
    low, high = effect.estimate - reach, effect.estimate + reach
    return Effect(effect.estimate, effect.error, low, high, p_value)
