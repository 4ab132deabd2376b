"""The best single thing for each cardholder, for all cardholders at once.

Maximise the sum of worth over assigned (cardholder, item) pairs, where each cardholder gets at
most one item, item j at most ``budgets[j]`` cardholders and all items together at most
``capacity``. This is a transportation problem, so its linear relaxation is whole-numbered and the
Lagrangian dual (a price for each item and one for the channel) has no gap at its best.

Solved by three steps, each a module of its own:

1. :mod:`prices` finds prices: a projected Newton descent on the smoothed dual, over a sample
   first and then over everybody.
2. each cardholder takes what is worth most to him after prices; full items keep those who would
   lose most, the others choose again (:func:`_settle`).
3. :mod:`exchange` moves cardholders along chains of items that gain, until none gains more.

The dual at the found prices bounds the optimum from above, so the distance is known, not guessed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.audience.exchange import improve
from recsvc.domain.audience.prices import BLOCK_ROWS, Market, dual_value, find_prices

NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """Who gets what, and how good that is.

    Parameters
    ----------
    items : int32, shape (n_cardholders,)   item column, -1 for no push
    total : float                           sum of worth over the assigned pairs
    bound : float                           no assignment can be worth more
    """

    items: NDArray[np.int32]
    total: float
    bound: float

    @property
    def gap(self) -> float:
        """How far below the bound, as a share of the bound; 0 is proven best."""
        return max(0.0, (self.bound - self.total) / self.bound) if self.bound > 0 else 0.0


def assign(
    worth: NDArray[np.float32],
    budgets: NDArray[np.int64],
    capacity: int,
    *,
    seed: int = 0,
    max_exchanges: int = 20_000,
) -> Assignment:
    """Assign at most one item to each cardholder.

    Parameters
    ----------
    worth : float32, shape (n_cardholders, n_items)
        What a push of the item to the cardholder is worth; ``-inf`` where it may not be sent.
        Pairs that are not worth more than 0 are never assigned.
    budgets : int64, shape (n_items,)   at least 0
    capacity : int                      pushes the channel can take, at least 0
    seed : int                          chance of the sample from which prices start
    max_exchanges : int                 bound on the work of the last step

    Raises
    ------
    ValueError
        Negative limits, or shapes that do not belong together; NaN is refused.
    """
    market = Market(worth, np.asarray(budgets, np.int64), capacity)
    prices = find_prices(market, seed=seed)
    items = _settle(market, prices)
    items, proof = improve(market, items, max_exchanges=max_exchanges)
    bounds = [dual_value(market, found) for found in (prices, proof) if found is not None]
    return Assignment(items, market.total(items), min(bounds))


def _settle(market: Market, prices: NDArray[np.float64]) -> NDArray[np.int32]:
    """A feasible assignment near the prices: rounds in which full items keep the keenest."""
    items = np.full(market.n_cardholders, NOBODY, np.int32)
    room, left = market.budgets.copy(), market.capacity
    waiting = np.flatnonzero((market.worth > 0).any(axis=1))
    while waiting.size and left > 0 and (room > 0).any():
        wish, surplus, keenness = _wishes(market, prices, waiting, room)
        takes = _keenest(wish, keenness, room)
        takes = _within(takes, surplus, left)
        if not takes.any():
            break
        items[waiting[takes]] = wish[takes]
        room -= np.bincount(wish[takes], minlength=room.size)
        left -= int(np.count_nonzero(takes))
        waiting = waiting[~takes & (wish != NOBODY)]
    return items


def _wishes(
    market: Market, prices: NDArray[np.float64], rows: NDArray[np.intp], room: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Each one's best item with room, its worth after prices, and how much he loses without it."""
    starts = range(0, max(rows.size, 1), BLOCK_ROWS)  # in parts that stay in the processor's cache
    parts = [_wish(market, prices, rows[at : at + BLOCK_ROWS], room) for at in starts]
    wish, surplus, keenness = zip(*parts, strict=True)
    return np.concatenate(wish), np.concatenate(surplus), np.concatenate(keenness)


def _wish(
    market: Market, prices: NDArray[np.float64], rows: NDArray[np.intp], room: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    worth = market.worth[rows]
    net = np.where((room > 0) & (worth > 0), worth - prices[:-1].astype(np.float32), -np.inf)
    wish = np.argmax(net, axis=1).astype(np.int32)
    at = np.arange(rows.size)
    surplus = net[at, wish].copy()
    net[at, wish] = -np.inf
    second = np.maximum(net.max(axis=1), np.float32(prices[-1]))
    wish[np.isneginf(surplus)] = NOBODY
    keenness = np.where(wish == NOBODY, -np.inf, surplus - second)
    return wish, surplus.astype(np.float32), keenness.astype(np.float32)


def _keenest(
    wish: NDArray[np.int32], keenness: NDArray[np.float32], room: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Those whom their item has room for, keenest first, ties by row."""
    order = np.lexsort((-keenness, wish))
    order = order[wish[order] != NOBODY]
    sorted_wish = wish[order]
    first = np.searchsorted(sorted_wish, sorted_wish)
    takes = np.zeros(wish.size, np.bool_)
    takes[order[np.arange(order.size) - first < room[sorted_wish]]] = True
    return takes


def _within(takes: NDArray[np.bool_], surplus: NDArray[np.float32], left: int) -> NDArray[np.bool_]:
    """Those of the taken whom the channel has room for, largest surplus first, ties by row."""
    chosen = np.flatnonzero(takes)
    if chosen.size <= left:
        return takes
    kept = np.zeros_like(takes)
    kept[chosen[np.argsort(-surplus[chosen], kind="stable")[:left]]] = True
    return kept
