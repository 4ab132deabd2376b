"""Chains of exchanges that make an assignment better, until none does.

The items and "no push" are places; moving one cardholder from place a to place b gains
``worth(b) - worth(a)``. A closed chain of such moves that gains, found by Bellman-Ford on the
condensed graph of the places, improves a feasible assignment and keeps it feasible; when there is
none, the assignment is best (Klein 1967, cycle cancelling). Room that is left is one more place.
"""

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.audience.prices import Market

LEAST_GAIN = 1e-6
"""Of the largest worth: what float32 cannot tell apart is no gain."""


def improve(
    market: Market, items: NDArray[np.int32], *, max_exchanges: int
) -> tuple[NDArray[np.int32], NDArray[np.float64] | None]:
    """Make an assignment better by at most ``max_exchanges`` chains.

    Parameters
    ----------
    market : Market
    items : int32, shape (n_cardholders,)   feasible; -1 is no push
    max_exchanges : int

    Returns
    -------
    items : int32, shape (n_cardholders,)
    prices : float64, shape (n_items + 1,), or None
        When no chain gains more: the prices that prove it, the channel's last.
    """
    places = _Places(market, items.copy())
    for _ in range(max_exchanges):
        distance, chain = _gaining_cycle(places.gains(), places.least_gain)
        if not chain:
            return places.items, _prices(distance)
        places.move(chain)
    return places.items, None


def _prices(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prices of the items and the channel from the distances to the places."""
    room, none = distance[-1], distance[-2]
    prices = np.append(room - distance[:-2], none - room)
    return np.asarray(np.maximum(prices, 0.0), np.float64)


class _Places:
    """The items, then "no push", then "room"; and the best move between each two."""

    def __init__(self, market: Market, items: NDArray[np.int32]) -> None:
        self.items = items
        self._worth = market.worth
        self._budgets, self._capacity = market.budgets, market.capacity
        self._none = market.budgets.size
        self._room = self._none + 1
        self._gain = np.full((self._none + 1, self._none + 1), -np.inf)
        self._mover = np.zeros(self._gain.shape, np.int64)
        self._members = [np.flatnonzero(items == j) for j in range(self._none)]
        self._members.append(np.flatnonzero(items < 0))
        self.least_gain = LEAST_GAIN * float(market.worth.max(initial=0.0))
        for place in range(self._none + 1):
            for other in range(self._none + 1):
                self._look(place, other)

    def _worth_at(self, rows: NDArray[np.intp], place: int) -> NDArray[np.float64]:
        if place == self._none:
            return np.zeros(rows.size)
        return np.asarray(self._worth[rows, place], np.float64)

    def _look(self, place: int, other: int) -> None:
        """Find the best move from a place to another."""
        rows = self._members[place]
        self._gain[place, other] = -np.inf
        if place != other and rows.size:
            gains = self._worth_at(rows, other) - self._worth_at(rows, place)
            best = int(np.argmax(gains))
            self._gain[place, other], self._mover[place, other] = gains[best], rows[best]

    def _leave(self, row: int, place: int) -> None:
        members = self._members[place]
        self._members[place] = np.delete(members, np.searchsorted(members, row))
        for other in np.flatnonzero((self._mover[place] == row) & (self._gain[place] > -np.inf)):
            self._look(place, int(other))

    def _join(self, row: int, place: int) -> None:
        members = self._members[place]
        self._members[place] = np.insert(members, np.searchsorted(members, row), row)
        self.items[row] = -1 if place == self._none else place
        there = np.append(self._worth[row], 0.0).astype(np.float64)
        gains = there - there[place]
        gains[place] = -np.inf
        better = gains > self._gain[place]
        self._gain[place][better], self._mover[place][better] = gains[better], row

    def gains(self) -> NDArray[np.float64]:
        """Best gain of one move between each two places, ``-inf`` where there is none."""
        table = np.full((self._room + 1, self._room + 1), -np.inf)
        table[:-1, :-1] = self._gain
        used = np.array([rows.size for rows in self._members[:-1]])
        table[: self._none, self._room] = np.where(used < self._budgets, 0.0, -np.inf)
        table[self._none, self._room] = 0.0
        table[self._room, : self._none] = 0.0
        table[self._room, self._none] = 0.0 if used.sum() < self._capacity else -np.inf
        return table

    def move(self, chain: list[int]) -> None:
        """Move one cardholder along each link of a closed chain."""
        links = [
            (a, b)
            for a, b in zip(chain, [*chain[1:], chain[0]], strict=True)
            if self._room not in (a, b)
        ]
        movers = [(int(self._mover[a, b]), a, b) for a, b in links]
        for row, a, b in movers:
            self._leave(row, a)
            self._join(row, b)


def _gaining_cycle(
    gains: NDArray[np.float64], least_gain: float
) -> tuple[NDArray[np.float64], list[int]]:
    """Distances, and the places of a cycle that gains over ``least_gain`` per link, if any."""
    n = gains.shape[0]
    cost = np.where(np.isneginf(gains), np.inf, least_gain - gains)
    distance, before = np.zeros(n), np.full(n, -1)
    changed = np.zeros(n, np.bool_)
    for _ in range(n):
        through = distance[:, None] + cost
        best = np.argmin(through, axis=0)
        reached = through[best, np.arange(n)]
        changed = reached < distance - 1e-12
        if not changed.any():
            return distance, []
        distance = np.where(changed, reached, distance)
        before = np.where(changed, best, before)
    return distance, _cycle_at(before, int(np.flatnonzero(changed)[0]))


def _cycle_at(before: NDArray[np.int_], place: int) -> list[int]:
    """The cycle that the trail back from a place runs into, in forward order."""
    for _ in range(before.size):
        place = int(before[place])
    cycle, at = [place], int(before[place])
    while at != place:
        cycle.append(at)
        at = int(before[at])
    return cycle[::-1]
