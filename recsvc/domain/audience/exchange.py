"""Chains of exchanges that make an assignment better, until none does.

The items and "no push" are places; moving one cardholder from place a to place b gains
``worth(b) - worth(a)``. A closed chain of such moves that gains, found by Bellman-Ford on the
condensed graph of the places, improves a feasible assignment and keeps it feasible; when there is
none, the assignment is best (Klein 1967, cycle cancelling). Room that is left is one more place.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.audience.prices import BLOCK_ROWS, Market
from recsvc.domain.audience.shortlist import Shortlist, largest

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
    places, left = _Places(market, items), max_exchanges
    while left > 0:
        gains = places.gains()
        distance, chain = _gaining_cycle(gains, places.least_gain)
        if not chain:
            return places.items, _prices(distance)
        while left > 0 and _is_gaining(chain, gains, places.least_gain):
            places.move(chain)
            gains, left = places.gains(), left - 1
    return places.items, None


def _is_gaining(chain: list[int], gains: NDArray[np.float64], least_gain: float) -> bool:
    """Whether a closed chain gains over ``least_gain`` per link."""
    links = zip(chain, [*chain[1:], chain[0]], strict=True)
    return sum(float(gains[a, b]) - least_gain for a, b in links) > 0


def _prices(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prices of the items and the channel from the distances to the places."""
    room, none = distance[-1], distance[-2]
    prices = np.append(room - distance[:-2], none - room)
    return np.asarray(np.maximum(prices, 0.0), np.float64)


class _Places:
    """The items, then "no push", then "room"; and the best move between each two."""

    def __init__(self, market: Market, items: NDArray[np.int32]) -> None:
        self._none = market.budgets.size
        self._room = self._none + 1
        self._at = np.where(items < 0, self._none, items).astype(np.int32)
        self._worth = market.worth
        self._budgets, self._capacity = market.budgets, market.capacity
        self._used = np.bincount(self._at, minlength=self._none + 1)
        self.least_gain = LEAST_GAIN * float(market.worth.max(initial=0.0))
        self._gain = np.full((self._none + 1, self._none + 1), -np.inf)
        self._mover = np.zeros(self._gain.shape, np.int64)
        self._lists = [self._listed(place, range(self._none + 1)) for place in range(self._room)]
        for place in range(self._room):
            self._look(place)

    @property
    def items(self) -> NDArray[np.int32]:
        """The assignment as it stands."""
        return np.where(self._at == self._none, np.int32(-1), self._at).astype(np.int32)

    def _listed(self, place: int, others: Sequence[int]) -> dict[int, Shortlist]:
        """Shortlists of the moves from a place to others."""
        rows = np.flatnonzero(self._at == place)
        found: dict[int, list[tuple[NDArray[np.float64], NDArray[np.intp]]]]
        found = {other: [] for other in others if other != place}
        for start in range(0, rows.size, BLOCK_ROWS):
            part = rows[start : start + BLOCK_ROWS]
            here = self._worth_at(part, place)
            for other, best in found.items():
                best.append(largest(self._worth_at(part, other) - here, part))
        return {other: Shortlist.of(best) for other, best in found.items()}

    def _worth_at(self, rows: NDArray[np.intp], place: int) -> NDArray[np.float64]:
        if place == self._none:
            return np.zeros(rows.size)
        return np.asarray(self._worth[rows, place], np.float64)

    def _look(self, place: int) -> None:
        """Find the best moves from a place, after somebody left or joined it."""
        lists = self._lists[place]
        for other, shortlist in lists.items():
            if not shortlist.settle(self._at, place):
                lists[other] = self._listed(place, (other,))[other]
                lists[other].settle(self._at, place)
            self._gain[place, other], self._mover[place, other] = lists[other].best()

    def _move(self, row: int, place: int, other: int) -> None:
        self._at[row] = other
        self._used[place] -= 1
        self._used[other] += 1
        there = [*self._worth[row].astype(np.float64).tolist(), 0.0]
        for onward, shortlist in self._lists[other].items():
            shortlist.join(there[onward] - there[other], row)

    def gains(self) -> NDArray[np.float64]:
        """Best gain of one move between each two places, ``-inf`` where there is none."""
        table = np.full((self._room + 1, self._room + 1), -np.inf)
        table[:-1, :-1] = self._gain
        used = self._used[:-1]
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
            self._move(row, a, b)
        for place in {place for link in links for place in link}:
            self._look(place)


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
        trails = _long_trails(before)
        if trails.size:
            return distance, _cycle_at(before, int(trails[0]))
    return distance, _cycle_at(before, int(np.flatnonzero(changed)[0]))


def _long_trails(before: NDArray[np.int_]) -> NDArray[np.intp]:
    """Places whose trail back never ends; it runs into a cycle, and such a cycle always gains."""
    end = before.size
    jump = np.append(np.where(before < 0, end, before), end)
    for _ in range(end.bit_length()):
        jump = jump[jump]
    return np.flatnonzero(jump[:-1] < end)


def _cycle_at(before: NDArray[np.int_], place: int) -> list[int]:
    """The cycle that the trail back from a place runs into, in forward order."""
    for _ in range(before.size):
        place = int(before[place])
    cycle, at = [place], int(before[place])
    while at != place:
        cycle.append(at)
        at = int(before[at])
    return cycle[::-1]
