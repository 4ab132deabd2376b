"""How sure a mean is: resampling of cardholders, who are independent where their pairs are not."""

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
CELLS_PER_CHUNK = 4_000_000


def interval(
    values: NDArray[np.float64], *, seed: int, rounds: int = 1000, level: float = LEVEL
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean.

    Parameters
    ----------
    values : float64, shape (n,)       one figure a cardholder
    seed, rounds : int
    level : float within (0, 1)

    Returns
    -------
    low, high : float; both 0 for no value, both the value for one
    """
    if values.size == 0:
        return 0.0, 0.0
    low, high = np.quantile(_means(values, seed, rounds), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_difference(
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    *,
    seed: int,
    rounds: int = 1000,
    clusters: NDArray[np.integer] | None = None,
) -> tuple[float, float, float]:
    """Mean of ``ours - theirs`` and its interval, resampling pairs.

    Parameters
    ----------
    ours, theirs : float64, shape (n,)
        Figures of two models for the same cardholder and split, in the same order.
    seed, rounds : int
    clusters : integers, shape (n,), optional
        Cardholder of each pair when several splits are pooled: his pairs are drawn together.

    Returns
    -------
    mean, low, high : float
    """
    if ours.shape != theirs.shape:
        raise ValueError(f"{ours.size} figures cannot be paired with {theirs.size}")
    difference = ours - theirs
    if difference.size == 0:
        return 0.0, 0.0, 0.0
    if clusters is None:
        return (float(difference.mean()), *interval(difference, seed=seed, rounds=rounds))
    _, who = np.unique(clusters, return_inverse=True)
    total = np.bincount(who, weights=difference).astype(np.float64)
    count = np.bincount(who).astype(np.float64)
    means = _ratios(total, count, seed, rounds)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(difference.mean()), float(low), float(high)


def _means(values: NDArray[np.float64], seed: int, rounds: int) -> NDArray[np.float64]:
    return _ratios(values, np.ones_like(values), seed, rounds)


def _ratios(
    total: NDArray[np.float64], count: NDArray[np.float64], seed: int, rounds: int
) -> NDArray[np.float64]:
    """``Σ total / Σ count`` over each resample, shape (rounds,)."""
    chance = np.random.default_rng(seed)
    step = max(1, CELLS_PER_CHUNK // total.size)
    found = []
    for start in range(0, rounds, step):
        drawn = chance.integers(0, total.size, (min(step, rounds - start), total.size))
        found.append(total[drawn].sum(axis=1) / count[drawn].sum(axis=1))
    return np.concatenate(found)
