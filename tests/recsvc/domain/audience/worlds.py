"""Markets of tastes that agree more or less, and what a queue makes of them."""

import numpy as np
from numpy.typing import NDArray


def taste_world(
    n: int, m: int, seed: int, *, forbidden: float = 0.3
) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    """Cardholders whose tastes agree more or less, items whose budgets are scarce."""
    chance = np.random.default_rng(seed)
    taste = chance.normal(size=(n, 4)) @ chance.normal(size=(4, m)) / 2 + chance.normal(size=m)
    worth = (1 / (1 + np.exp(-taste))).astype(np.float32)
    worth[chance.random(worth.shape) < forbidden] = -np.inf
    budgets = chance.integers(0, n // m + 2, m)
    return worth, budgets, int(chance.integers(0, n + 1))


def first_come(
    worth: NDArray[np.float32], budgets: NDArray[np.int64], capacity: int
) -> NDArray[np.int32]:
    """What a queue would do, in order of rows: the baseline that an assignment must beat.

    Returns
    -------
    int32, shape (n_cardholders,); -1 for no push
    """
    room = np.asarray(budgets, np.int64).copy()
    items = np.full(worth.shape[0], -1, np.int32)
    for row in range(worth.shape[0]):
        offered = np.where(room > 0, worth[row], -np.inf)
        best = int(np.argmax(offered)) if offered.size else 0
        if capacity > 0 and offered.size and offered[best] > 0:
            items[row], room[best], capacity = best, room[best] - 1, capacity - 1
    return items
