"""The two distributions that the results need, from the standard library alone."""

import math
from statistics import NormalDist

_STANDARD = NormalDist()


def quantile(probability: float) -> float:
    """Quantile of the standard normal; 1.95996 at 0.975."""
    return _STANDARD.inv_cdf(probability)


def two_sided_p(z: float) -> float:
    """Probability that a standard normal is at least as far from 0 as ``z``."""
    return math.erfc(abs(z) / math.sqrt(2))


def chi_square_p(statistic: float) -> float:
    """Probability that a chi-square with one degree of freedom is at least this large."""
    return math.erfc(math.sqrt(max(statistic, 0.0) / 2))
