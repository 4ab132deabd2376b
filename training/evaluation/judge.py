"""Figures of models on one trial, one task and one k."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.evaluation import metrics
from training.evaluation.means import Marks, Means, means_of, rounded
from training.evaluation.ranking import Faced, Lists, rank
from training.evaluation.trial import Scorer, Task, Trial
from training.threads import workers

EVERYONE = ""
"""Name of the group that holds all, beside the groupings of a trial."""

Grouping = dict[str, dict[str, NDArray[np.bool_]]]
"""Which cardholders belong to each group, by grouping and label."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """All there is to say of one model on one task.

    Parameters
    ----------
    overall : Means
    coverage, novelty, popularity_bias : float
        Of all lists together (:mod:`training.evaluation.metrics`).
    reliability : Reliability
    curve : float64, shape (k,)
        Mean recall of each length of the list; without entries where nobody has a target.
    by_segment : mapping
        Grouping → label → means.
    rows : int64, shape (n,)
        Cardholder rows with something to find, for pairing models.
    recall_of, ndcg_of : float64, shape (n,)
    """

    overall: Means
    coverage: float
    novelty: float
    popularity_bias: float
    reliability: metrics.Reliability = field(repr=False)
    curve: NDArray[np.float64] = field(repr=False)
    by_segment: Mapping[str, Mapping[str, Means]]
    rows: NDArray[np.int64]
    recall_of: NDArray[np.float64]
    ndcg_of: NDArray[np.float64]

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of the scores."""
        return self.reliability.error

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
            **{name: rounded(getattr(self, name)) for name in together},
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


def judge(scorer: Scorer, trial: Trial, task: Task, how: Judging) -> Figures:
    """Figures of one model; zeros where nobody has anything to find."""
    return evaluate({"": scorer}, trial, task, how)[""]


def evaluate(
    scorers: Mapping[str, Scorer], trial: Trial, task: Task, how: Judging
) -> dict[str, Figures]:
    """Figures of every model on one task, as :func:`evaluate_tasks` gives them."""
    return evaluate_tasks(scorers, trial, (task,), how)[task]


def evaluate_tasks(
    scorers: Mapping[str, Scorer],
    trial: Trial,
    tasks: Sequence[Task],
    how: Judging,
    n_threads: int = 1,
) -> dict[Task, dict[str, Figures]]:
    """Figures of every model, all on the same cardholders, pairs and resamples.

    Parameters
    ----------
    scorers : mapping of name to Scorer
        The product's own model under the name ``product``.
    trial : Trial
    tasks : sequence of Task
    how : Judging
    n_threads : int
        0 for all cores, 1 for scorers that only one thread may ask at a time; the figures do not
        depend on it.

    Returns
    -------
    dict of task to name to Figures, in the order of ``tasks`` and ``scorers``
    """
    faced = Faced.of(trial, tasks)
    lists = {name: rank(one, trial, faced, how.k, n_threads) for name, one in scorers.items()}
    with ThreadPoolExecutor(workers(n_threads)) as pool:
        return {
            task: _figures({name: of[task] for name, of in lists.items()}, trial, task, how, pool)
            for task in tasks
        }


def _figures(
    lists: Mapping[str, Lists], trial: Trial, task: Task, how: Judging, pool: Executor
) -> dict[str, Figures]:
    """Figures of all models on one task."""
    share, wanted = shares(trial.seen), trial.targets(task).indices
    rows = next(iter(lists.values())).rows
    marks = [Marks.of(of, capped=how.capped) for of in lists.values()]

    def together(of: Lists) -> dict[str, Any]:
        return {
            "coverage": metrics.coverage(of, trial.n_catalogue),
            "novelty": metrics.novelty(of, share),
            "popularity_bias": metrics.popularity_bias(of, share, share[wanted]),
            "reliability": metrics.reliability(of),
            "curve": metrics.recall_curve(of),
        }

    of_lists = pool.map(together, lists.values())
    means = _by_group(marks, _groups(trial, rows), how, pool)
    return {
        name: Figures(
            overall=of_model.pop(EVERYONE)[EVERYONE],
            by_segment=of_model,
            rows=rows,
            recall_of=mark.recall,
            ndcg_of=mark.ndcg,
            **of_all,
        )
        for name, mark, of_model, of_all in zip(lists, marks, means, of_lists, strict=True)
    }


def _groups(trial: Trial, rows: NDArray[np.int64]) -> Grouping:
    """Everyone, then the groups of each grouping: which of the rows belong to it."""
    found = {EVERYONE: {EVERYONE: np.ones(rows.size, np.bool_)}}
    for grouping, labels in trial.segments.items():
        of_rows = labels[rows]
        found[grouping] = {str(label): of_rows == label for label in np.unique(of_rows)}
    return found


def _by_group(
    marks: Sequence[Marks], groups: Grouping, how: Judging, pool: Executor
) -> list[dict[str, dict[str, Means]]]:
    """Means of each model by grouping and label."""
    jobs = [(name, label) for name, labels in groups.items() for label in labels]

    def means(job: tuple[str, str]) -> list[Means]:
        group = groups[job[0]][job[1]]
        return means_of(marks, group, seed=how.seed, rounds=how.bootstrap_rounds)

    found: list[dict[str, dict[str, Means]]] = [{name: {} for name in groups} for _ in marks]
    for (name, label), of_models in zip(jobs, pool.map(means, jobs), strict=True):
        for of_model, one in zip(found, of_models, strict=True):
            of_model[name][label] = one
    return found


def shares(seen: sparse.csr_matrix) -> NDArray[np.float64]:
    """Share of cardholders who have each merchant, above 0 (a half cardholder for none)."""
    met = np.bincount(seen.indices, minlength=seen.shape[1]).astype(np.float64)
    return np.maximum(met, 0.5) / max(seen.shape[0], 1)
