"""Figures of models on one trial, one task and one k."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.evaluation import metrics
from training.evaluation.bootstrap import interval
from training.evaluation.ranking import Lists, rank
from training.evaluation.trial import Scorer, Task, Trial


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
        return {name: _rounded(getattr(self, name)) for name in Means.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """All there is to say of one model on one task.

    Parameters
    ----------
    overall : Means
    coverage, novelty, popularity_bias, calibration_error : float
        Of all lists together (:mod:`training.evaluation.metrics`).
    by_segment : mapping
        Grouping → label → means.
    rows : int64, shape (n,)
        Cardholder rows with something to find, for pairing models.
    recall_of, ndcg_of : float64, shape (n,)
    lists : Lists
    """

    overall: Means
    coverage: float
    novelty: float
    popularity_bias: float
    calibration_error: float
    by_segment: Mapping[str, Mapping[str, Means]]
    rows: NDArray[np.int64]
    recall_of: NDArray[np.float64]
    ndcg_of: NDArray[np.float64]
    lists: Lists = field(repr=False)

    @property
    def recall(self) -> float:
        """Mean recall."""
        return self.overall.recall

    @property
    def ndcg(self) -> float:
        """Mean nDCG."""
        return self.overall.ndcg

    def as_document(self) -> dict[str, Any]:
        """JSON form: the overall means, the figures of all lists, the means by segment."""
        together = ("coverage", "novelty", "popularity_bias", "calibration_error")
        return {
            **self.overall.as_document(),
            **{name: _rounded(getattr(self, name)) for name in together},
            "segments": {
                grouping: {label: means.as_document() for label, means in groups.items()}
                for grouping, groups in self.by_segment.items()
            },
        }


@dataclass(frozen=True, slots=True)
class Judging:
    """How figures are made.

    Parameters
    ----------
    k : int
        Length of the lists, at least 1.
    seed, bootstrap_rounds : int
    capped : bool
        Whether recall divides by ``min(k, targets)`` (:func:`metrics.recall`).
    """

    k: int = 20
    seed: int = 0
    bootstrap_rounds: int = 1000
    capped: bool = True


def evaluate(
    scorers: Mapping[str, Scorer], trial: Trial, task: Task, how: Judging
) -> dict[str, Figures]:
    """Figures of every model, all on the same cardholders, pairs and resamples.

    Parameters
    ----------
    scorers : mapping of name to Scorer
        The product's own model under the name ``product``.
    trial : Trial
    task : Task
    how : Judging

    Returns
    -------
    dict of name to Figures, in the order of ``scorers``
    """
    return {name: judge(scorer, trial, task, how) for name, scorer in scorers.items()}


def judge(scorer: Scorer, trial: Trial, task: Task, how: Judging) -> Figures:
    """Figures of one model; zeros where nobody has anything to find."""
    lists = rank(scorer, trial, task, how.k)
    share = shares(trial.seen)
    recall_of = metrics.recall(lists, capped=how.capped)
    ndcg_of = metrics.ndcg(lists)
    everyone = np.ones(lists.rows.size, np.bool_)
    return Figures(
        overall=_means(lists, recall_of, ndcg_of, everyone, how),
        coverage=metrics.coverage(lists, trial.n_catalogue),
        novelty=metrics.novelty(lists, share),
        popularity_bias=metrics.popularity_bias(lists, share, share[trial.targets(task).indices]),
        calibration_error=metrics.reliability(lists).error,
        by_segment={
            grouping: {
                str(label): _means(lists, recall_of, ndcg_of, labels[lists.rows] == label, how)
                for label in np.unique(labels[lists.rows])
            }
            for grouping, labels in trial.segments.items()
        },
        rows=lists.rows,
        recall_of=recall_of,
        ndcg_of=ndcg_of,
        lists=lists,
    )


def shares(seen: sparse.csr_matrix) -> NDArray[np.float64]:
    """Share of cardholders who have each merchant, above 0 (a half cardholder for none)."""
    met = np.bincount(seen.indices, minlength=seen.shape[1]).astype(np.float64)
    return np.maximum(met, 0.5) / max(seen.shape[0], 1)


def _means(
    lists: Lists,
    recall_of: NDArray[np.float64],
    ndcg_of: NDArray[np.float64],
    group: NDArray[np.bool_],
    how: Judging,
) -> Means:
    low, high = interval(recall_of[group], seed=how.seed, rounds=how.bootstrap_rounds)
    return Means(
        cardholders=int(group.sum()),
        pairs=int(lists.n_targets[group].sum()),
        recall=_mean(recall_of[group]),
        ndcg=_mean(ndcg_of[group]),
        mrr=_mean(metrics.reciprocal_rank(lists)[group]),
        hit_rate=_mean(metrics.hit_rate(lists)[group]),
        recall_low=low,
        recall_high=high,
    )


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else 0.0


def _rounded(value: float) -> float | int:
    return value if isinstance(value, int) else round(float(value), 6)
