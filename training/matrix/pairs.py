"""How often two codes came together, counted batch by batch."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

SHIFT = 32
MASK = (1 << SHIFT) - 1


class PairCounts:
    """Counts of pairs of codes; takes memory for each distinct pair only."""

    def __init__(self) -> None:
        self._pairs, self._counts = np.empty(0, np.int64), np.empty(0, np.int64)
        self._new: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []

    def add(self, left: NDArray[np.int32], right: NDArray[np.int32]) -> None:
        """Count the pairs of one batch; those with a code below 0 are none.

        Parameters
        ----------
        left, right : int32, shape (n_rows,)
        """
        pairs = left.astype(np.int64) << SHIFT | right
        pairs = np.sort(pairs[(left >= 0) & (right >= 0)])
        if not pairs.size:
            return
        starts = np.flatnonzero(np.r_[True, pairs[1:] != pairs[:-1]])
        self._new.append((pairs[starts], np.diff(np.r_[starts, pairs.size])))
        if sum(part.size for part, _ in self._new) > self._pairs.size:
            self._merge()

    def _merge(self) -> None:
        """Add what is new to what is known, so that each pair stands once."""
        parts = [(self._pairs, self._counts), *self._new]
        pairs, counts = (np.concatenate(side) for side in zip(*parts, strict=True))
        order = np.argsort(pairs)
        pairs = pairs[order]
        starts = np.flatnonzero(np.r_[True, pairs[1:] != pairs[:-1]])
        self._pairs, self._counts = pairs[starts], np.add.reduceat(counts[order], starts)
        self._new = []

    def most_frequent(self, texts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Each left code, ascending, and the right code it came with most often.

        Parameters
        ----------
        texts : arrow array of large_string
            Of the right codes; of equally frequent ones the first in the order of characters wins.

        Returns
        -------
        left, right : int64, shape (n_left,)
        """
        if self._new:
            self._merge()
        rank = np.empty(len(texts), np.int64)
        rank[np.asarray(pc.sort_indices(texts))] = np.arange(len(texts))
        left, right = self._pairs >> SHIFT, self._pairs & MASK
        order = np.lexsort((rank[right], -self._counts, left))
        first = np.flatnonzero(np.r_[True, left[order][1:] != left[order][:-1]][: left.size])
        return left[order][first], right[order][first]
