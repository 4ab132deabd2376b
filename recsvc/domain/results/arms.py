"""What each side of a campaign did, as sums that can be added day by day and shard by shard."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Arm:
    """Sums over the cardholders of one arm, for one outcome and the same before the campaign.

    Parameters
    ----------
    n : int                          cardholders, those without any outcome included
    total, squares : float           sum and sum of squares of the outcome
    before, before_squares : float   of the covariate: the same outcome in the pre-period
    product : float                  sum of outcome times covariate
    """

    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    before: float = 0.0
    before_squares: float = 0.0
    product: float = 0.0

    @classmethod
    def of(cls, outcome: NDArray[np.float64], before: NDArray[np.float64] | None = None) -> Self:
        """Sums of cardholders.

        Parameters
        ----------
        outcome, before : float64, shape (n,)   ``before`` 0 for everybody when not given
        """
        y = np.asarray(outcome, np.float64)
        x = np.zeros_like(y) if before is None else np.asarray(before, np.float64)
        return cls(y.size, float(y.sum()), float(y @ y), float(x.sum()), float(x @ x), float(x @ y))

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.n + other.n,
            self.total + other.total,
            self.squares + other.squares,
            self.before + other.before,
            self.before_squares + other.before_squares,
            self.product + other.product,
        )

    @property
    def mean(self) -> float:
        """Mean outcome; 0 for nobody."""
        return self.total / self.n if self.n else 0.0

    @property
    def mean_before(self) -> float:
        """Mean covariate; 0 for nobody."""
        return self.before / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """Variance of the outcome (n - 1), at least 0; 0 for fewer than two."""
        return _centred(self.squares, self.total, self.total, self.n)

    @property
    def variance_before(self) -> float:
        """Variance of the covariate (n - 1)."""
        return _centred(self.before_squares, self.before, self.before, self.n)

    @property
    def covariance(self) -> float:
        """Covariance of outcome and covariate (n - 1), of any sign."""
        return _cross(self.product, self.total, self.before, self.n)


def _cross(product: float, one: float, other: float, n: int) -> float:
    return (product - one * other / n) / (n - 1) if n > 1 else 0.0


def _centred(product: float, one: float, other: float, n: int) -> float:
    return max(0.0, _cross(product, one, other, n))
