"""Prices at which demand meets budgets: the dual of the assignment, smoothed and descended.

With a price p_j for each item and λ for the channel the dual is
``D(p, λ) = Σ_j b_j p_j + C λ + Σ_i max(0, max_j(w_ij - p_j - λ))``, convex, and above every
assignment's worth. The maximum is smoothed by ``τ log(1 + Σ_j exp(· / τ))`` (Nesterov 2005), whose
gradient and Hessian come from the shares with which cardholders choose; projected Newton steps
(Bertsekas 1982) at falling temperatures τ find its floor.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_ROWS = 20_000
BLOCK_ROWS = 20_000
STEPS_PER_TEMPERATURE = 20
CLOSE = 1e-3
"""Demand off by this share of the largest limit is near enough for one temperature."""

FAINT = np.float32(-40)
"""Below this a share is as good as none; its square is still a number processors are fast with."""

TEMPERATURES = (0.3, 0.1, 0.03, 0.01, 0.003)
"""In units of the mean positive worth."""


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """What is to be assigned.

    Parameters
    ----------
    worth : float32, shape (n_cardholders, n_items)   ``-inf`` where forbidden, never NaN
    budgets : int64, shape (n_items,)                 at least 0
    capacity : int                                    at least 0
    """

    worth: NDArray[np.float32]
    budgets: NDArray[np.int64]
    capacity: int

    def __post_init__(self) -> None:
        """Refuse what is no market."""
        if self.worth.ndim != 2 or self.budgets.shape != self.worth.shape[1:]:
            raise ValueError(f"budgets {self.budgets.shape} do not fit worth {self.worth.shape}")
        if self.capacity < 0 or (self.budgets < 0).any():
            raise ValueError("budgets and capacity must be at least 0")
        if np.isnan(self.worth).any() or np.isposinf(self.worth).any():
            raise ValueError("worth must be finite, or -inf where a push is forbidden")

    @property
    def n_cardholders(self) -> int:
        """How many cardholders there are."""
        return int(self.worth.shape[0])

    def total(self, items: NDArray[np.int32]) -> float:
        """Worth of an assignment; -1 is nobody."""
        rows = np.flatnonzero(items >= 0)
        return float(self.worth[rows, items[rows]].sum(dtype=np.float64))

    def limits(self) -> NDArray[np.float64]:
        """Budgets and, last, the capacity; no more than there are cardholders."""
        every = np.append(self.budgets, self.capacity).astype(np.float64)
        return np.asarray(np.minimum(every, self.n_cardholders), np.float64)


def dual_value(market: Market, prices: NDArray[np.float64]) -> float:
    """An upper bound of every assignment's worth, for any prices of at least 0.

    Parameters
    ----------
    market : Market
    prices : float64, shape (n_items + 1,)   the channel's price is last
    """
    level = (prices[:-1] + prices[-1]).astype(np.float64)
    surplus = 0.0
    for block in _blocks(market.worth):
        if block.size:
            surplus += float(np.maximum((block - level).max(axis=1), 0.0).sum())
    return float(market.limits() @ prices) + surplus


def find_prices(market: Market, *, seed: int) -> NDArray[np.float64]:
    """Prices near the floor of the dual.

    Returns
    -------
    float64, shape (n_items + 1,), at least 0; the channel's price is last
    """
    positive = market.worth[market.worth > 0]
    prices = np.zeros(market.budgets.size + 1)
    if not positive.size:
        return prices
    unit = float(positive.mean(dtype=np.float64))
    sample, share = _sample(market, seed)
    for temperature in TEMPERATURES:
        prices = _descend(sample, market.limits() * share, prices, temperature * unit)
    if share < 1:
        prices = _descend(market.worth, market.limits(), prices, TEMPERATURES[-1] * unit, steps=2)
    return prices


def _sample(market: Market, seed: int) -> tuple[NDArray[np.float32], float]:
    """Worth of some cardholders, and which share of all they are."""
    if market.n_cardholders <= SAMPLE_ROWS:
        return market.worth, 1.0
    chosen = np.random.default_rng(seed).choice(market.n_cardholders, SAMPLE_ROWS, replace=False)
    return market.worth[np.sort(chosen)], SAMPLE_ROWS / market.n_cardholders


def _descend(
    worth: NDArray[np.float32],
    limits: NDArray[np.float64],
    prices: NDArray[np.float64],
    temperature: float,
    steps: int = STEPS_PER_TEMPERATURE,
) -> NDArray[np.float64]:
    """Projected Newton steps, damped until they descend (Levenberg 1944)."""
    value, gradient, hessian = _smoothed(worth, limits, prices, temperature)
    damping = 1e-3
    for _ in range(steps):
        free = (prices > 0) | (gradient < 0)
        if not free.any() or np.abs(gradient[free]).max() <= CLOSE * max(1.0, limits.max()):
            break
        moved = _newton(prices, gradient, hessian, free, damping)
        attempt = _smoothed(worth, limits, moved, temperature)
        if attempt[0] < value:
            prices, (value, gradient, hessian) = moved, attempt
            damping *= 0.2
        else:
            damping *= 8.0
    return prices


def _newton(
    prices: NDArray[np.float64],
    gradient: NDArray[np.float64],
    hessian: NDArray[np.float64],
    free: NDArray[np.bool_],
    damping: float,
) -> NDArray[np.float64]:
    """Prices after one damped step of those that are free to move."""
    part = hessian[np.ix_(free, free)]
    weight = np.diag(part) + 1e-3 * np.diag(part).max() + 1e-12
    moved = prices.copy()
    moved[free] -= np.linalg.solve(part + damping * np.diag(weight), gradient[free])
    return np.maximum(moved, 0.0)


def _smoothed(
    worth: NDArray[np.float32],
    limits: NDArray[np.float64],
    prices: NDArray[np.float64],
    temperature: float,
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Value, gradient and Hessian of the smoothed dual."""
    level = (prices[:-1] + prices[-1]).astype(np.float32)
    value = float(limits @ prices)
    demand, pairs = np.zeros(level.size), np.zeros((level.size, level.size))
    chosen_pairs, taken, taken_by = 0.0, 0.0, np.zeros(level.size)
    for block in _blocks(worth):
        scaled = (block - level) / np.float32(temperature)
        peak = np.maximum(scaled.max(axis=1, keepdims=True), 0.0)
        shares = np.exp(np.maximum(scaled - peak, FAINT))
        mass = shares.sum(axis=1, keepdims=True) + np.exp(-peak)
        shares /= mass
        value += temperature * float((peak + np.log(mass)).sum(dtype=np.float64))
        some = shares.sum(axis=1)
        demand += shares.sum(axis=0, dtype=np.float64)
        pairs += shares.T @ shares
        taken_by += shares.T @ some
        taken += float(some.sum(dtype=np.float64))
        chosen_pairs += float((some * some).sum(dtype=np.float64))
    gradient = limits - np.r_[demand, taken]
    hessian = np.empty((level.size + 1, level.size + 1))
    hessian[:-1, :-1] = np.diag(demand) - pairs
    hessian[:-1, -1] = hessian[-1, :-1] = demand - taken_by
    hessian[-1, -1] = taken - chosen_pairs
    return value, gradient, hessian / temperature


def _blocks(worth: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Views of some rows each."""
    return [worth[at : at + BLOCK_ROWS] for at in range(0, worth.shape[0], BLOCK_ROWS)]
