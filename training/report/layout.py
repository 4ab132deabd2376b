"""Vectors on a plane, those alike close together: exact t-SNE (van der Maaten and Hinton 2008)."""

import numpy as np
from numpy.typing import NDArray

ROUNDS = 300
EARLY_ROUNDS = 75
EXAGGERATION = 6.0


def plane_of(directions: NDArray[np.float64], perplexity: float = 20.0) -> NDArray[np.float64]:
    """Two coordinates for each of a few hundred unit vectors; the same for the same input.

    Parameters
    ----------
    directions : float64, shape (n, n_factors)
        Of unit length, n at least 3.
    perplexity : float
        About how many neighbours count as near; held below a third of n.

    Returns
    -------
    float64, shape (n, 2); centred
    """
    n = len(directions)
    distance = np.maximum(2 - 2 * directions @ directions.T, 0)
    likeness = _likeness(distance, min(perplexity, (n - 1) / 3))
    placed = _start(directions)
    speed = np.zeros_like(placed)
    for number in range(ROUNDS):
        pull = likeness * (EXAGGERATION if number < EARLY_ROUNDS else 1.0)
        near = 1 / (1 + _squared(placed))
        np.fill_diagonal(near, 0)
        force = (pull - near / near.sum()) * near
        slope = 4 * (force.sum(axis=1)[:, None] * placed - force @ placed)
        speed = (0.5 if number < EARLY_ROUNDS else 0.8) * speed - max(n / 12, 10) * slope
        placed = placed + speed
    return np.asarray(placed - placed.mean(axis=0), np.float64)


def _start(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The two main axes, small; the sign of each axis is decided by its largest entry."""
    centred = directions - directions.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    axes = left[:, :2] * size[:2]
    axes = np.pad(axes, ((0, 0), (0, 2 - axes.shape[1])))
    peak = axes[np.abs(axes).argmax(axis=0), np.arange(2)]
    signed = axes * np.where(peak < 0, -1.0, 1.0)
    return np.asarray(1e-2 * signed / max(float(signed.std()), 1e-12), np.float64)


def _squared(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances of all pairs."""
    square = (points**2).sum(axis=1)
    return np.asarray(np.maximum(square[:, None] + square - 2 * points @ points.T, 0), np.float64)


def _likeness(distance: NDArray[np.float64], perplexity: float) -> NDArray[np.float64]:
    """Symmetric probabilities; each row's bandwidth is found by halving."""
    n = len(distance)
    low, high = np.zeros(n), np.full(n, np.inf)
    width = np.full(n, 1.0)
    for _ in range(40):
        chance = _chances(distance, width)
        entropy = -(chance * np.log(np.maximum(chance, 1e-300))).sum(axis=1)
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, width, low), np.where(wide, high, width)
        width = np.where(np.isinf(high), width * 2, (low + np.minimum(high, 1e300)) / 2)
    return np.asarray((chance + chance.T) / (2 * n), np.float64)


def _chances(distance: NDArray[np.float64], width: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian neighbours of each row, summing to 1, itself left out."""
    logits = -distance * width[:, None]
    np.fill_diagonal(logits, -np.inf)
    weight = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), np.float64)
