"""All cardholders ranked for one item, in one pass over the memory-mapped factors."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHUNK_ROWS = 16_384
"""Rows scored at a time: 4 MiB of 64 float32 factors, so that scores are judged while in cache."""

SPARE = 3
"""Candidates kept before the best are cut out again, in multiples of what is wanted."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The best cardholders for an item.

    Parameters
    ----------
    rows : int64, shape (n,)      cardholder rows, best first, ties by row
    scores : float32, shape (n,)  inner products, descending
    matched : int                 allowed cardholders at or above the least score, also beyond n;
                                  without a least score, all who are allowed
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    matched: int


def rank_cardholders(
    factors: NDArray[np.float32],
    item_vector: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    *,
    size: int,
    min_score: float | None = None,
) -> Ranked:
    """Find the ``size`` allowed cardholders whose inner product with the item is largest.

    Equal to a full sort by (score descending, row ascending); memory does not grow with the
    number of cardholders.

    Parameters
    ----------
    factors : float32, shape (n_cardholders, n_factors)   may be memory-mapped
    item_vector : float32, shape (n_factors,)
    allowed : bool, shape (n_cardholders,)
    size : int          at least 0
    min_score : float   the least score that counts as a match; None for no such limit

    Returns
    -------
    Ranked; empty for nobody allowed. A row whose score is not a number is never ranked.

    Raises
    ------
    ValueError
        Shapes that do not belong together, or a negative size.
    """
    _require_shapes(factors, item_vector, allowed, size)
    best = _Best(size, -np.inf if min_score is None else min_score)
    for start, scores in _scores(factors, item_vector):
        best.offer(start, scores, allowed[start : start + scores.size])
    return best.ranked()


def _scores(
    factors: NDArray[np.float32], item_vector: NDArray[np.float32]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """First row and scores of each chunk; the scores are overwritten by the next chunk."""
    vector = np.ascontiguousarray(item_vector, np.float32)
    buffer = np.empty(CHUNK_ROWS, np.float32)
    for start in range(0, factors.shape[0], CHUNK_ROWS):
        chunk = factors[start : start + CHUNK_ROWS]
        yield start, np.matmul(chunk, vector, out=buffer[: chunk.shape[0]])


class _Best:
    """Keeps the best rows seen so far under a threshold that only rises."""

    def __init__(self, size: int, min_score: float) -> None:
        self._size = size
        self._least = np.float32(min_score)
        self._above: np.float32 | None = None
        self._rows: list[NDArray[np.int64]] = []
        self._scores: list[NDArray[np.float32]] = []
        self._held = 0
        self._matched = 0

    def offer(self, start: int, scores: NDArray[np.float32], allowed: NDArray[np.bool_]) -> None:
        """Take in the rows from ``start`` on; rows must come in ascending order."""
        self._matched += self._matching(scores, allowed)
        if self._above is None:
            places = np.flatnonzero((scores >= self._least) & allowed)
        else:
            places = np.flatnonzero(scores > self._above)
            places = places[allowed[places]]
        if places.size and self._size:
            self._rows.append(places + start)
            self._scores.append(scores[places])
            self._held += places.size
        if self._held > SPARE * self._size + CHUNK_ROWS:
            self._cut()

    def _matching(self, scores: NDArray[np.float32], allowed: NDArray[np.bool_]) -> int:
        """How many of a chunk are a match; without a least score no score need be looked at."""
        if np.isneginf(self._least):
            return int(np.count_nonzero(allowed))
        return int(np.count_nonzero((scores >= self._least) & allowed))

    def _cut(self) -> None:
        """Keep the best only; what comes later must beat the last of them, ties lose."""
        rows, scores = np.concatenate(self._rows), np.concatenate(self._scores)
        if scores.size > self._size:
            last = np.partition(scores, scores.size - self._size)[scores.size - self._size]
            kept = scores > last
            level = np.flatnonzero(scores == last)[: self._size - int(np.count_nonzero(kept))]
            kept[level] = True
            rows, scores, self._above = rows[kept], scores[kept], last
        self._rows, self._scores, self._held = [rows], [scores], rows.size

    def ranked(self) -> Ranked:
        """Best first, ties by row."""
        if not self._held:
            return Ranked(np.empty(0, np.int64), np.empty(0, np.float32), self._matched)
        self._cut()
        order = np.argsort(-self._scores[0], kind="stable")
        return Ranked(self._rows[0][order], self._scores[0][order], self._matched)


def _require_shapes(
    factors: NDArray[np.float32],
    item_vector: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    size: int,
) -> None:
    if factors.ndim != 2 or item_vector.shape != factors.shape[1:]:
        raise ValueError(f"item_vector {item_vector.shape} does not fit factors {factors.shape}")
    if allowed.shape != factors.shape[:1] or allowed.dtype != np.bool_:
        raise ValueError(
            f"allowed must be bool {factors.shape[:1]}, found {allowed.dtype} {allowed.shape}"
        )
    if size < 0:
        raise ValueError(f"size: {size} must be at least 0")
