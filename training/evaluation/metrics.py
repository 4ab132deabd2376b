"""What a list is worth: one figure a cardholder, or one for all lists together.

recall, nDCG, MRR and hit rate judge each cardholder's list. Coverage, novelty, popularity bias and
calibration judge what all lists do together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.ranking import Lists

RELIABILITY_BINS = 10


def recall(lists: Lists, *, capped: bool = True) -> NDArray[np.float64]:
    """Hits over targets, shape (n,), within [0, 1].

    Parameters
    ----------
    lists : Lists
    capped : bool
        Divide by ``min(k, targets)``, so that a perfect list reaches 1; False divides by all
        targets, as the published tables do.
    """
    most = np.minimum(lists.n_targets, lists.k) if capped else lists.n_targets
    return np.asarray(lists.hits.sum(axis=1) / most, np.float64)


def recall_curve(lists: Lists) -> NDArray[np.float64]:
    """Mean recall of the first 1 to k places, over ``min(places, targets)``, shape (k,).

    Without entries where there is no list.
    """
    if not lists.rows.size:
        return np.empty(0)
    hits = np.cumsum(lists.hits, axis=1)
    most = np.minimum(lists.n_targets[:, None], np.arange(1, lists.k + 1))
    return np.asarray((hits / most).mean(axis=0), np.float64)


def ndcg(lists: Lists) -> NDArray[np.float64]:
    """Discounted gain ``Σ 1 / log2(rank + 1)`` over that of a perfect list, shape (n,)."""
    discount = 1.0 / np.log2(np.arange(2, lists.k + 2))
    ideal = np.r_[0.0, np.cumsum(discount)][np.minimum(lists.n_targets, lists.k)]
    gain: NDArray[np.float64] = (lists.hits * discount).sum(axis=1) / ideal
    return gain


def reciprocal_rank(lists: Lists) -> NDArray[np.float64]:
    """One over the rank of the first hit, 0 without one, shape (n,)."""
    first = lists.hits.argmax(axis=1)
    found: NDArray[np.float64] = lists.hits.any(axis=1) / (first + 1.0)
    return found


def hit_rate(lists: Lists) -> NDArray[np.float64]:
    """1 for a list with a hit, 0 without, shape (n,)."""
    caught: NDArray[np.float64] = np.any(lists.hits, axis=1).astype(np.float64)
    return caught


def coverage(lists: Lists, n_catalogue: int) -> float:
    """Share of the catalogue that at least one list shows; 0 for an empty catalogue."""
    if not n_catalogue:
        return 0.0
    is_shown = np.zeros(n_catalogue, np.bool_)
    is_shown[lists.shown[lists.shown >= 0]] = True
    return float(np.count_nonzero(is_shown) / n_catalogue)


def novelty(lists: Lists, share: NDArray[np.float64]) -> float:
    """Mean self-information ``-log2(share)`` of what is shown, in bits; 0 for no list.

    Parameters
    ----------
    lists : Lists
    share : float64, shape (n_catalogue,)
        Share of cardholders who have each merchant, above 0 (Vargas and Castells 2011).
    """
    shown = lists.shown[lists.shown >= 0]
    return float(-np.log2(share[shown]).mean()) if shown.size else 0.0


def popularity_bias(
    lists: Lists, share: NDArray[np.float64], wanted_share: NDArray[np.float64]
) -> float:
    """How much more popular the shown merchants are than the wanted ones; 1 is no bias.

    Parameters
    ----------
    lists : Lists
    share : float64, shape (n_catalogue,)
        Share of cardholders who have each merchant.
    wanted_share : float64, shape (n_pairs,)
        That share for the merchant of each target.

    Returns
    -------
    float : mean share of what is shown over the mean share of the targets; 0 without either
    """
    shown = lists.shown[lists.shown >= 0]
    if not shown.size or not wanted_share.size or wanted_share.mean() == 0:
        return 0.0
    return float(share[shown].mean() / wanted_share.mean())


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """What a score promises and what comes of it, by bins of the score.

    Parameters
    ----------
    promised : float64, shape (n_bins,)  hit rate of the bin among one half of the cardholders
    kept : float64, shape (n_bins,)      hit rate of the same bin among the other half
    shown : int64, shape (n_bins,)       list places of the other half in the bin
    """

    promised: NDArray[np.float64]
    kept: NDArray[np.float64]
    shown: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error: mean of ``|promised - kept|``, weighted by ``shown``."""
        total = self.shown.sum()
        return (
            float((np.abs(self.promised - self.kept) * self.shown).sum() / total) if total else 0.0
        )


def reliability(lists: Lists, n_bins: int = RELIABILITY_BINS) -> Reliability:
    """Whether a score means the same for everyone.

    Scores are no probabilities, so a bin promises the hit rate it has among the cardholders at
    even places; the others tell whether it is kept. Bins hold equally many scores.
    """
    places = lists.shown >= 0
    half = np.broadcast_to((np.arange(lists.rows.size) % 2 == 0)[:, None], places.shape)[places]
    scores, hits = lists.scores[places], lists.hits[places]
    if not (half.any() and (~half).any()):
        return Reliability(np.empty(0), np.empty(0), np.empty(0, np.int64))
    edges = np.unique(np.quantile(scores[half], np.linspace(0, 1, n_bins + 1)[1:-1]))
    bins = np.searchsorted(edges, scores, side="right")
    promised, _ = _rate(bins[half], hits[half], edges.size + 1)
    kept, shown = _rate(bins[~half], hits[~half], edges.size + 1)
    return Reliability(promised, kept, shown)


def _rate(
    bins: NDArray[np.int64], hits: NDArray[np.bool_], n_bins: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Hit rate and size of each bin; rate 0 for an empty bin."""
    shown = np.bincount(bins, minlength=n_bins)
    caught = np.bincount(bins, weights=hits.astype(np.float64), minlength=n_bins)
    return caught / np.maximum(shown, 1), shown.astype(np.int64)
