"""How sure a mean is: resampling of cardholders, who are independent where their pairs are not."""

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
CELLS_AT_ONCE = 100_000
"""Drawn at once: as many as stay in a core's cache until every figure was read by them."""

Floats = NDArray[np.float64]


def interval(
    values: Floats, *, seed: int, rounds: int = 1000, level: float = LEVEL
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
    low, high = intervals(values[None], seed=seed, rounds=rounds, level=level)[0]
    return float(low), float(high)


def intervals(values: Floats, *, seed: int, rounds: int = 1000, level: float = LEVEL) -> Floats:
    """Percentile bootstrap intervals of the means of several figures, all on the same resamples.

    Parameters
    ----------
    values : float64, shape (n_figures, n)       each figure of each cardholder
    seed, rounds : int
    level : float within (0, 1)

    Returns
    -------
    float64, shape (n_figures, 2)    low and high, as :func:`interval` gives them
    """
    if values.shape[1] == 0:
        return np.zeros((values.shape[0], 2))
    means = _sums(values, seed, rounds) / values.shape[1]
    found: Floats = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=1).T
    return found


def paired_difference(
    ours: Floats,
    theirs: Floats,
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
    of_each = (np.bincount(who, weights=difference), np.bincount(who))
    total, count = _sums(np.array(of_each, np.float64), seed, rounds)
    low, high = np.quantile(total / count, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(difference.mean()), float(low), float(high)


def _sums(values: Floats, seed: int, rounds: int) -> Floats:
    """Sum of each figure over each resample, shape (n_figures, rounds)."""
    chance, n = np.random.default_rng(seed), values.shape[1]
    step = max(1, CELLS_AT_ONCE // n)
    found = np.empty((len(values), rounds), np.float64)
    for start in range(0, rounds, step):
        drawn = chance.integers(0, n, (min(step, rounds - start), n))
        for figure, of_each in zip(found, values, strict=True):
            figure[start : start + step] = np.take(of_each, drawn).sum(axis=1)
    return found
