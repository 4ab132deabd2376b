"""Exact search by inner product: the one door to FAISS, and the one guarded function behind it."""

import os
import signal
from typing import Self

import faiss
import numpy as np
from numpy.typing import NDArray

SELF_TEST_ROWS = 20_000
SELF_TEST_SECONDS = 5
TIE_SURPLUS = 8
"""Rows asked for beyond the limit, so that a tie at the cut seldom needs a second pass."""


class ItemIndex:
    """A flat inner-product index over item rows; immutable, safe to share between threads.

    Parameters
    ----------
    vectors : float32, shape (n_items, n_factors); finite
    """

    __slots__ = ("_index", "_vectors")

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        if vectors.ndim != 2 or not np.isfinite(vectors).all():
            raise ValueError(f"item vectors of shape {vectors.shape} must be finite and 2-d")
        self._vectors = np.ascontiguousarray(vectors, np.float32)
        self._index = faiss.IndexFlatIP(self._vectors.shape[1])
        if self._vectors.shape[0]:
            self._index.add(self._vectors)

    def __len__(self) -> int:
        return int(self._vectors.shape[0])

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The indexed vectors, shape (n_items, n_factors); read-only by agreement."""
        return self._vectors

    def search(
        self, query: NDArray[np.float32], limit: int, eligible: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Rows of the largest inner products among the eligible rows, best first.

        Parameters
        ----------
        query : float32, shape (n_factors,); finite
        limit : int, at least 1; above the number of rows it is that number
        eligible : bool, shape (n_items,); all rows when None

        Returns
        -------
        rows : int32, shape (n_found,); each row at most once; ties by ascending row
        scores : float32, shape (n_found,); descending
            ``n_found = min(limit, number of eligible rows)``

        Raises
        ------
        ValueError
            A query that is not finite or of another length; a limit below 1.
        """
        if query.shape != (self._index.d,) or not np.isfinite(query).all():
            raise ValueError(f"a query must be {self._index.d} finite numbers")
        if limit < 1:
            raise ValueError(f"limit: {limit} must be at least 1")
        n_eligible = len(self) if eligible is None else int(np.count_nonzero(eligible))
        wanted = min(limit, n_eligible)
        if wanted == 0:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        scores, rows = self._ask(query, min(wanted + TIE_SURPLUS, n_eligible), eligible)
        if rows.size < n_eligible and scores[-1] == scores[wanted - 1]:
            rows, scores = self._all_from(query, scores[-1], eligible)
        order = np.lexsort((rows, -scores))[:wanted]
        return rows[order].astype(np.int32), scores[order]

    def _ask(
        self, query: NDArray[np.float32], wanted: int, eligible: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """FAISS' answer without its padding of missing hits by -1."""
        parameters = None
        if eligible is not None:
            bitmap = np.packbits(eligible, bitorder="little")
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bitmap))  # type: ignore[call-arg, arg-type]
        scores, rows = self._index.search(
            np.ascontiguousarray(query[None], np.float32), wanted, params=parameters
        )
        real = rows[0] >= 0
        return scores[0][real], rows[0][real]

    def _all_from(
        self, query: NDArray[np.float32], floor: np.float32, eligible: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Every eligible row at or above a score, so that ties at the cut are decided by row."""
        limits, scores, rows = self._index.range_search(
            np.ascontiguousarray(query[None], np.float32), float(np.nextafter(floor, -np.inf))
        )
        kept = np.ones(int(limits[1]), np.bool_) if eligible is None else eligible[rows]
        return rows[kept], scores[kept]

    @classmethod
    def empty(cls, n_factors: int) -> Self:
        """An index without rows."""
        return cls(np.empty((0, n_factors), np.float32))


def fork_self_test() -> bool:
    """Whether a search survives a fork after a search; False means it hung and was ended.

    A FAISS search, a fork and a search in the child hang for ever with more than one OpenMP
    thread once a catalogue is large (upstream issue 5206). The child gets a few seconds.
    """
    vectors = np.ones((SELF_TEST_ROWS, 8), np.float32)
    index = ItemIndex(vectors)
    index.search(vectors[0], 10)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SELF_TEST_SECONDS)
        index.search(vectors[0], 10)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return status == 0
