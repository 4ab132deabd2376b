"""Impressions viewer by viewer, as the fit reads them over and over.

A viewer's vector is read once for all he saw, and viewers who saw equally many items are worked on
together: a stack of small products that stay in a core's cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.appeal.impressions import Impressions

Floats = NDArray[np.float64]
SHARES = 4
"""Parts that may be worked on at once; fixed, so that sums are the same on any number of cores."""

AT_ONCE = 2048
"""Impressions whose vectors are gathered at once: as many as a core's cache holds, and not so few
that two threads wait for each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """What some viewers saw.

    Parameters
    ----------
    tastes : float64, shape (n_viewers, n_factors)
    starts : int32, shape (n_viewers + 1,)
        Where each viewer's impressions begin.
    items : int32, shape (n,)
    looked_into, taken_up : float64, shape (n,)
        1 where it happened, else 0.
    stacks : tuple of (viewers, impressions)
        Slices of viewers who saw equally many items, and of what they saw.
    """

    tastes: Floats
    starts: NDArray[np.int32]
    items: NDArray[np.int32]
    looked_into: Floats
    taken_up: Floats
    stacks: tuple[tuple[slice, slice], ...]

    def interest(self, vectors: Floats, biases: Floats) -> Floats:
        """Product of viewer and item plus the item's bias, shape (n,)."""
        found = np.take(biases, self.items)
        for viewers, cells in self.stacks:
            tastes = self.tastes[viewers]
            met = np.take(vectors, self.items[cells], axis=0).reshape(
                len(tastes), -1, len(tastes.T)
            )
            found[cells] += np.matmul(met, tastes[:, :, None]).ravel()
        return found

    def per_item(self, weights: Floats, n_items: int) -> tuple[Floats, Floats]:
        """Sum over each item's impressions of weight times viewer, and of the weights.

        Returns
        -------
        float64, shapes (n_items, n_factors) and (n_items,)
        """
        cells = (weights, self.items, self.starts)
        table = sparse.csr_matrix(cells, shape=(len(self.tastes), n_items))
        counted = np.bincount(self.items, weights=weights, minlength=n_items)
        return np.asarray(table.T @ self.tastes, np.float64), counted.astype(np.float64)


def shares_of(
    seen: Impressions, viewers: NDArray[np.integer], tastes: Floats, n_shares: int = SHARES
) -> list[Share]:
    """Impressions cut between viewers into parts of about one size.

    Parameters
    ----------
    seen : Impressions
    viewers : integers, shape (n,)
        Row in ``tastes`` of each impression's viewer, ascending; those who saw fewer items first.
    tastes : float64, shape (n_viewers, n_factors)
    n_shares : int
    """
    times = np.bincount(viewers, minlength=len(tastes))
    starts = np.r_[0, np.cumsum(times)].astype(np.int32)
    cuts = np.searchsorted(starts, np.linspace(0, len(seen), n_shares + 1))
    spans = [(int(a), int(b)) for a, b in pairwise(cuts) if a < b]
    return [_share(seen, starts[a : b + 1], tastes[a:b]) for a, b in spans]


def _share(seen: Impressions, starts: NDArray[np.int32], tastes: Floats) -> Share:
    cells = slice(int(starts[0]), int(starts[-1]))
    starts = starts - starts[0]
    return Share(
        tastes,
        starts,
        seen.items[cells].astype(np.int32),
        seen.looked_into[cells].astype(np.float64),
        seen.taken_up[cells].astype(np.float64),
        tuple(_stacks(starts)),
    )


def _stacks(starts: NDArray[np.int32]) -> Iterator[tuple[slice, slice]]:
    """Slices of neighbours with equally many impressions, and of these."""
    times = np.diff(starts)
    edges = np.r_[0, np.flatnonzero(np.diff(times)) + 1, times.size]
    for first, last in pairwise(edges.tolist()):
        step = max(1, AT_ONCE // int(times[first]))
        for start in range(first, last, step):
            stop = min(start + step, last)
            yield slice(start, stop), slice(int(starts[start]), int(starts[stop]))
