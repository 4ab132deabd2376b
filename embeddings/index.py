"""Exact search by inner product: the one door to FAISS, and the one guarded function behind it."""

import os
import signal
import threading
from functools import cached_property
from itertools import pairwise
from math import inf, isfinite
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

SELF_TEST_ROWS = 20_000
SELF_TEST_SECONDS = 5
MOST_BEST = 256
"""Most vectors looked at before it is cheaper to leave out the others by their rows."""
SURPLUS = 8
"""Vectors asked for beyond the limit, so that a tie or a closed row seldom needs a second pass."""

LIST_BYTES = 64
"""What Python takes for a list, beside its places."""

Found = tuple[NDArray[np.int32], NDArray[np.float32]]


class ItemIndex:
    """A flat inner-product index over item rows; immutable, safe to share between threads.

    Items that hang on the same merchant mostly have the very same vector, so each distinct vector
    is kept and scored once.

    Parameters
    ----------
    vectors : float32, shape (n_items, n_factors); finite
    part : (int64 number of each vector, int32 ascending rows), optional
        Made by :meth:`narrowed`: what is known of the vectors, and the rows that are searched.
    """

    __slots__ = ("__dict__", "_index", "_members", "_numbers", "_scratch", "_starts", "_vectors")

    def __init__(
        self,
        vectors: NDArray[np.float32],
        part: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None,
    ) -> None:
        if vectors.ndim != 2 or (part is None and not np.isfinite(vectors).all()):
            raise ValueError(f"item vectors of shape {vectors.shape} must be finite and 2-d")
        self._vectors = np.ascontiguousarray(vectors, np.float32)
        whole = np.arange(len(vectors), dtype=np.int32)
        self._numbers, rows = part or (_numbers_of(self._vectors), whole)
        numbers = self._numbers[rows]
        order = np.argsort(numbers, kind="stable")
        starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
        self._members = rows[order]
        self._starts = np.append(starts, rows.size).astype(np.int64)
        self._index = faiss.IndexFlatIP(self._vectors.shape[1])
        if rows.size:
            self._index.add(self._vectors[self._members[starts]])
        self._scratch = _Scratch(self._index.d)

    def __len__(self) -> int:
        return int(self._members.size)

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors of all items, shape (n_items, n_factors); read-only by agreement."""
        return self._vectors

    @property
    def nbytes(self) -> int:
        """Bytes that a narrowed index holds for itself."""
        lists = LIST_BYTES * self._index.ntotal + 8 * self._members.size
        return int(4 * self._index.ntotal * self._index.d + self._members.nbytes + lists)

    def narrowed(self, eligible: NDArray[np.bool_]) -> Self:
        """An index of these rows only, close together: searched in a fraction of the time.

        It answers as this one does for any part of these rows, to the last bit.

        Parameters
        ----------
        eligible : bool, shape (n_items,)
        """
        rows = np.flatnonzero(eligible).astype(np.int32)
        return type(self)(self._vectors, (self._numbers, rows))

    def best_first(self, query: NDArray[np.float32], wanted: int) -> list[tuple[int, float]]:
        """Rows of the largest inner products with their scores, in the order of :meth:`search`.

        For whoever takes what he likes until he has enough: it ends after about as many vectors as
        wanted, and before where the order of what follows is not proven. What it gives costs a
        fraction of a search.

        Parameters
        ----------
        query : float32, shape (n_factors,); finite
        wanted : int, at least 1; at most 256 vectors are looked at

        Raises
        ------
        ValueError
            A query that is not finite.
        """
        scores, groups = self._scratch.search(self._index, query, min(wanted, MOST_BEST))
        if not scores:
            return []
        if groups[0] < 0 or not isfinite(scores[0]):  # FAISS knows no best of what is no number
            raise ValueError("a query must be finite")
        last = scores[-1] if len(scores) < self._index.ntotal else -inf
        rows_of = self._rows_of_each
        found = [
            (row, score)
            for score, group in zip(scores, groups, strict=True)
            if score > last
            for row in rows_of[group]
        ]
        if len({*scores}) < len(scores):
            found.sort(key=lambda one: (-one[1], one[0]))
        return found

    @cached_property
    def _rows_of_each(self) -> list[list[int]]:
        """Rows of each vector, ascending; made when first asked for."""
        bounds, members = self._starts.tolist(), self._members.tolist()
        return [members[start:end] for start, end in pairwise(bounds)]

    def search(
        self, query: NDArray[np.float32], limit: int, eligible: NDArray[np.bool_] | None = None
    ) -> Found:
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
        asked = np.ascontiguousarray(query[None], np.float32)
        n_eligible = len(self) if eligible is None else int(np.count_nonzero(eligible))
        found = self._first(asked, limit, eligible, n_eligible)
        rows, scores = found or self._selected(asked, limit, eligible)
        order = np.lexsort((rows, -scores))[:limit]
        return rows[order], scores[order]

    def _first(
        self,
        query: NDArray[np.float32],
        limit: int,
        eligible: NDArray[np.bool_] | None,
        n_eligible: int,
    ) -> Found | None:
        """A superset of the answer out of the best vectors; None when they do not prove it.

        They do when enough rows lie strictly above the last vector looked at, or none is left.
        Not tried where so few are eligible that the best vectors would seldom hold enough.
        """
        wanted = min((limit + SURPLUS) * len(self) // max(n_eligible, 1), self._index.ntotal)
        if wanted == 0:
            return _nothing()
        if wanted > MOST_BEST and n_eligible < len(self):
            return None
        scores, groups = self._index.search(query, wanted)
        rows, of_each = self._rows_of(scores[0], groups[0], limit, eligible)
        is_all = wanted == self._index.ntotal
        proven = rows.size >= limit and of_each[limit - 1] > scores[0][-1]
        return (rows, of_each) if is_all or proven else None

    def _selected(
        self, query: NDArray[np.float32], limit: int, eligible: NDArray[np.bool_] | None
    ) -> Found:
        """A superset of the answer, by a search among the eligible vectors only."""
        is_open = np.ones(len(self._vectors), np.bool_) if eligible is None else eligible
        groups_open = np.logical_or.reduceat(is_open[self._members], self._starts[:-1])
        wanted = min(limit, int(np.count_nonzero(groups_open)))
        if wanted == 0:
            return _nothing()
        bitmap = np.packbits(groups_open, bitorder="little")
        selected = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bitmap))  # type: ignore[call-arg, arg-type]
        scores, groups = (found[0] for found in self._index.search(query, wanted, params=selected))
        tied = float(np.nextafter(scores[-1], np.float32(-np.inf)))
        _, scores, groups = self._index.range_search(query, tied, params=selected)
        order = np.argsort(-scores, kind="stable")
        return self._rows_of(scores[order], groups[order], limit, eligible)

    def _rows_of(
        self,
        scores: NDArray[np.float32],
        groups: NDArray[np.int64],
        limit: int,
        eligible: NDArray[np.bool_] | None,
    ) -> Found:
        """Eligible rows of vectors, best first, to at least the limit and the ties of its last."""
        firsts = self._starts[groups]
        sizes = self._starts[groups + 1] - firsts
        ends = sizes.cumsum()
        if ends[-1] == sizes.size:  # each of these vectors is of one row
            rows, of_each = self._members[firsts], scores
        else:
            places = (firsts - ends + sizes).repeat(sizes) + np.arange(ends[-1])
            rows, of_each = self._members[places], scores.repeat(sizes)
        if eligible is not None:
            kept = eligible[rows]
            rows, of_each = rows[kept], of_each[kept]
        if rows.size > limit:
            n_kept = int(np.count_nonzero(of_each >= of_each[limit - 1]))
            rows, of_each = rows[:n_kept], of_each[:n_kept]
        return rows, of_each

    @classmethod
    def empty(cls, n_factors: int) -> Self:
        """An index without rows."""
        return cls(np.empty((0, n_factors), np.float32))


class _Scratch(threading.local):
    """Arrays of each thread that searches write to, with what FAISS knows them by.

    Its own wrapper makes and looks at them anew for each search, which costs as much as searching
    a thousand vectors.

    Parameters
    ----------
    n_factors : length of a query
    """

    def __init__(self, n_factors: int) -> None:
        self._query = np.empty((1, n_factors), np.float32)
        self._asked = faiss.swig_ptr(self._query)
        self._found: dict[int, tuple[Any, ...]] = {}

    def search(
        self, index: faiss.IndexFlatIP, query: NDArray[np.float32], wanted: int
    ) -> tuple[list[float], list[int]]:
        """Scores and numbers of the best vectors, best first."""
        wanted = min(wanted, index.ntotal)
        if wanted == 0:
            return [], []
        found = self._found.get(wanted)
        if found is None:
            scores, groups = np.empty(wanted, np.float32), np.empty(wanted, np.int64)
            found = (scores, groups, faiss.swig_ptr(scores), faiss.swig_ptr(groups))
            self._found[wanted] = found
        self._query[0] = query
        index.search_c(1, self._asked, wanted, found[2], found[3])  # type: ignore[attr-defined]
        return found[0].tolist(), found[1].tolist()


def _numbers_of(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """A number for each row, the same for the same vector, shape (n_items,)."""
    if not vectors.size:
        return np.zeros(len(vectors), np.int64)
    own = vectors + np.float32(0)  # makes -0 a plain 0, so that equal vectors are equal bytes
    whole = own.view(np.dtype((np.void, own.itemsize * own.shape[1]))).ravel()
    return np.unique(whole, return_inverse=True)[1]


def _nothing() -> Found:
    return np.empty(0, np.int32), np.empty(0, np.float32)


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
