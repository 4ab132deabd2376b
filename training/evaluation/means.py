"""Means of what lists are worth, over groups of cardholders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from training.evaluation import metrics
from training.evaluation.bootstrap import intervals
from training.evaluation.ranking import Lists


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Means over the cardholders of one group.

    Parameters
    ----------
    cardholders, pairs : int
        Cardholders with something to find, and what there is to find.
    recall, ndcg, mrr, hit_rate : float
    recall_low, recall_high : float
        95 % bootstrap interval over cardholders.
    """

    cardholders: int
    pairs: int
    recall: float
    ndcg: float
    mrr: float
    hit_rate: float
    recall_low: float
    recall_high: float

    def as_document(self) -> dict[str, Any]:
        """JSON form, rounded to six places."""
        return {name: rounded(getattr(self, name)) for name in Means.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What each cardholder's list of one model is worth.

    Parameters
    ----------
    n_targets : int64, shape (n,)
    recall, ndcg, mrr, hit_rate : float64, shape (n,)
    """

    n_targets: NDArray[np.int64]
    recall: NDArray[np.float64]
    ndcg: NDArray[np.float64]
    mrr: NDArray[np.float64]
    hit_rate: NDArray[np.float64]

    @classmethod
    def of(cls, lists: Lists, *, capped: bool) -> Self:
        """Marks of lists; ``capped`` as in :func:`metrics.recall`."""
        return cls(
            lists.n_targets,
            metrics.recall(lists, capped=capped),
            metrics.ndcg(lists),
            metrics.reciprocal_rank(lists),
            metrics.hit_rate(lists),
        )

    def means(self, group: NDArray[np.bool_], low: float, high: float) -> Means:
        """Means over a group, whose interval of the recall is known."""
        return Means(
            cardholders=int(group.sum()),
            pairs=int(self.n_targets[group].sum()),
            recall=_mean(self.recall[group]),
            ndcg=_mean(self.ndcg[group]),
            mrr=_mean(self.mrr[group]),
            hit_rate=_mean(self.hit_rate[group]),
            recall_low=low,
            recall_high=high,
        )


def means_of(
    marks: Sequence[Marks], group: NDArray[np.bool_], *, seed: int, rounds: int
) -> list[Means]:
    """Means of several models over one group of the same cardholders, on the same resamples.

    Parameters
    ----------
    marks : sequence of Marks
        Of lists of the same cardholders.
    group : bool, shape (n,)
    seed, rounds : int
        Of the resampling.
    """
    recalls = np.stack([of_model.recall[group] for of_model in marks])
    spans = intervals(recalls, seed=seed, rounds=rounds).tolist()
    return [
        of_model.means(group, low, high) for of_model, (low, high) in zip(marks, spans, strict=True)
    ]


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else 0.0


def rounded(value: float) -> float | int:
    """A figure as it is written down: six places."""
    return value if isinstance(value, int) else round(float(value), 6)
