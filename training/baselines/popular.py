"""Most popular: what everyone has, what everyone took up lately, what one's own kind has."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.trial import Trial


@dataclass(frozen=True, slots=True, eq=False)
class Popular:
    """The same list for all cardholders of one group.

    Parameters
    ----------
    group_of : int64, shape (n_cardholders,)
    popularity : float32, shape (n_groups, n_catalogue)
    """

    group_of: NDArray[np.int64]
    popularity: NDArray[np.float32]

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores, float32, shape (len(rows), n_catalogue)."""
        return self.popularity[self.group_of[rows]]


def counts(trial: Trial, half_life_days: float = np.inf) -> NDArray[np.float64]:
    """Cardholders of each merchant, each halved by the age of his last visit.

    Returns
    -------
    float64, shape (n_catalogue,)
    """
    weight = np.exp2(-trial.ages() / half_life_days)
    return np.bincount(trial.seen.indices, weights=weight, minlength=trial.n_catalogue).astype(
        np.float64
    )


def most_popular(trial: Trial, half_life_days: float = np.inf) -> Popular:
    """By the number of cardholders; with a half-life, by how lately they came."""
    return Popular(
        np.zeros(trial.n_cardholders, np.int64),
        counts(trial, half_life_days)[None].astype(np.float32),
    )


def popular_in_segment(
    trial: Trial, labels: NDArray[np.str_], half_life_days: float = np.inf, prior: float = 5.0
) -> Popular:
    """By the share of one's own segment, drawn towards everyone's by ``prior`` cardholders.

    Parameters
    ----------
    trial : Trial
    labels : str, shape (n_cardholders,)
    half_life_days : float
    prior : float
        Cardholders of everyone's taste that each segment is topped up with, above 0.
    """
    _, group_of = np.unique(labels, return_inverse=True)
    weight = np.exp2(-trial.ages() / half_life_days)
    group_of_cell = np.repeat(group_of, np.diff(trial.seen.indptr))
    places = group_of_cell.astype(np.int64) * trial.n_catalogue + trial.seen.indices
    size = np.bincount(group_of).astype(np.float64)
    met = np.bincount(places, weights=weight, minlength=size.size * trial.n_catalogue)
    everyone = counts(trial, half_life_days) / max(trial.n_cardholders, 1)
    share = (met.reshape(size.size, -1) + prior * everyone) / (size[:, None] + prior)
    return Popular(group_of.astype(np.int64), share.astype(np.float32))
