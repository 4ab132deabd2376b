"""The few who gain most by a move, kept ready so that a crowd is not looked through each time."""

import heapq
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

LISTED = 256
"""Movers kept ready for each two places; when all have gone, the place is looked at anew."""

Gains = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(slots=True)
class Shortlist:
    """Those of a place who gain most by one move, so that not everybody is looked at each time.

    Parameters
    ----------
    heap : loss (minus the gain) and row; the best first, ties by row
    floor : nobody of the place who is not listed gains more than this
    """

    heap: list[tuple[float, int]]
    floor: float

    @classmethod
    def of(cls, parts: list[tuple[Gains, Rows]]) -> Self:
        """Shortlist of gains and rows, some from each part of a place."""
        if not parts:
            return cls([], -np.inf)
        gains, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
        whole = all(part.size < LISTED for part, _ in parts)
        gains, rows = largest(gains, rows)
        floor = -np.inf if whole and gains.size < LISTED else float(gains.min(initial=np.inf))
        kept = gains > -np.inf
        heap = list(zip((-gains[kept]).tolist(), rows[kept].tolist(), strict=True))
        heapq.heapify(heap)
        return cls(heap, floor)

    def settle(self, at: NDArray[np.int32], place: int) -> bool:
        """Drop those who left the place from the top; whether the top is sure to be the best."""
        while self.heap and at[self.heap[0][1]] != place:
            heapq.heappop(self.heap)
        return self.floor == -np.inf or bool(self.heap and -self.heap[0][0] >= self.floor)

    def best(self) -> tuple[float, int]:
        """The largest gain and its row; ``-inf`` when nobody can move."""
        return (-self.heap[0][0], self.heap[0][1]) if self.heap else (-np.inf, 0)

    def join(self, gain: float, row: int) -> None:
        """Take in one who came to the place."""
        if gain > -np.inf:
            heapq.heappush(self.heap, (-gain, row))


def largest(gains: Gains, rows: Rows) -> tuple[Gains, Rows]:
    """The ``LISTED`` largest gains and their rows, in any order."""
    if gains.size <= LISTED:
        return gains, rows
    kept = np.argpartition(gains, gains.size - LISTED)[gains.size - LISTED :]
    return gains[kept], rows[kept]
