"""What a push added: the difference of two arms, with an interval.

The unadjusted effect is the difference of means with Welch's variance and normal quantiles (the
arms are large). CUPED (Deng, Xu, Kohavi, Walker 2013) subtracts from each outcome what the same
cardholder's pre-period foretold, ``theta (x - mean x)`` with ``theta = cov(x, y) / var(x)`` pooled
over both arms; the campaign cannot have changed the past, so the effect stays what it was and its
variance falls by the square of the correlation.
"""

import math
from dataclasses import dataclass

from recsvc.domain.results.arms import Arm
from recsvc.domain.results.normal import chi_square_p, quantile, two_sided_p

ALARM = 0.001
"""Below this p-value the sample ratio is taken for broken (Fabijan et al. 2019)."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference of means per cardholder.

    Parameters
    ----------
    estimate : float    treated minus holdout
    error : float       its standard error
    low, high : float   bounds of the interval
    p_value : float     two-sided, of no difference
    """

    estimate: float
    error: float
    low: float
    high: float
    p_value: float

    def times(self, factor: float) -> "Effect":
        """The effect in another unit, or of that many cardholders together."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Effect(self.estimate * factor, self.error * abs(factor), low, high, self.p_value)

    def told(self) -> dict[str, float]:
        """What is told of it outside, as JSON values; the interval stands for the error."""
        return {
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "p_value": self.p_value,
        }


def difference(treated: Arm, holdout: Arm, *, confidence: float = 0.95) -> Effect | None:
    """Difference of mean outcomes; None when an arm has fewer than two cardholders."""
    if min(treated.n, holdout.n) < 2:
        return None
    variance = treated.variance / treated.n + holdout.variance / holdout.n
    return interval(treated.mean - holdout.mean, variance, confidence=confidence)


def interval(estimate: float, variance: float, *, confidence: float = 0.95) -> Effect:
    """Normal interval about an estimate of known variance."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: {confidence} must be between 0 and 1")
    error = math.sqrt(max(variance, 0.0))
    reach = quantile(0.5 + confidence / 2) * error
    certain = 1.0 if estimate == 0 else 0.0
    p_value = two_sided_p(estimate / error) if error > 0 else certain
    return Effect(estimate, error, estimate - reach, estimate + reach, p_value)


def cuped(treated: Arm, holdout: Arm, *, confidence: float = 0.95) -> Effect | None:
    """Difference of means adjusted by the pre-period; None as in :func:`difference`.

    Equals the unadjusted one when the covariate does not vary.
    """
    if min(treated.n, holdout.n) < 2:
        return None
    theta = _theta(treated, holdout)
    estimate = (treated.mean - theta * treated.mean_before) - (
        holdout.mean - theta * holdout.mean_before
    )
    variance = sum(_adjusted_variance(arm, theta) / arm.n for arm in (treated, holdout))
    return interval(estimate, variance, confidence=confidence)


def _theta(treated: Arm, holdout: Arm) -> float:
    """Slope of the outcome on the covariate, pooled within the arms."""
    weight = [arm.n - 1 for arm in (treated, holdout)]
    spread = sum(w * arm.variance_before for w, arm in zip(weight, (treated, holdout), strict=True))
    joint = sum(w * arm.covariance for w, arm in zip(weight, (treated, holdout), strict=True))
    return joint / spread if spread > 0 else 0.0


def _adjusted_variance(arm: Arm, theta: float) -> float:
    return max(0.0, arm.variance - 2 * theta * arm.covariance + theta * theta * arm.variance_before)


@dataclass(frozen=True, slots=True)
class RatioCheck:
    """Whether the arms have the sizes that the holdout's share promised.

    Parameters
    ----------
    expected_holdout : float   cardholders
    statistic : float          chi-square, one degree of freedom
    p_value : float
    """

    expected_holdout: float
    statistic: float
    p_value: float

    @property
    def is_broken(self) -> bool:
        """Whether the arms were not made by chance alone: no result may then be trusted."""
        return self.p_value < ALARM


def sample_ratio(treated: int, holdout: int, holdout_bps: int) -> RatioCheck | None:
    """Chi-square check of the arms' sizes; None where nothing was promised or nobody came."""
    share, total = holdout_bps / 10_000, treated + holdout
    if not 0 < share < 1 or total == 0:
        return None
    expected = total * share
    statistic = (holdout - expected) ** 2 / expected + (holdout - expected) ** 2 / (
        total - expected
    )
    return RatioCheck(expected, statistic, chi_square_p(statistic))
