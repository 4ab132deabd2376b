"""The product's own score, for whole rows at once: what serving adds up, item by item."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.blend import Blend
from embeddings.factors import Factors
from training.evaluation.trial import Trial

PRODUCT, VECTORS = "product", "vectors"
"""What the model is called beside its rivals, and what it is without habit and trend."""

BARE = Blend(trend_weight=0.0, known_weight=0.0, habit_weight=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class ProductScorer:
    """``x·y + trend + habit`` over a catalogue.

    Parameters
    ----------
    cardholders : float32, shape (n_cardholders, n_factors)
    catalogue : float32, shape (n_catalogue, n_factors)
    trend : float32, shape (n_catalogue,)
    blend : Blend
    trial : Trial
        Whose ``seen`` cells and ages the habit reads.
    """

    cardholders: NDArray[np.float32]
    catalogue: NDArray[np.float32]
    trend: NDArray[np.float32]
    blend: Blend
    trial: Trial

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores, float32, shape (len(rows), n_catalogue)."""
        found = np.asarray(self.cardholders[rows] @ self.catalogue.T + self.trend, np.float32)
        if self.blend.has_habit:
            self._add_habits(found, rows)
        return found

    def _add_habits(self, found: NDArray[np.float32], rows: NDArray[np.int64]) -> None:
        seen, (place, cell) = self.trial.seen, self.trial.cells_of(rows)
        habit = self.blend.habit(seen.data[cell], self.trial.ages()[cell])
        found[place, seen.indices[cell]] += habit  # a cardholder has each merchant once


def product_scorer(
    factors: Factors, catalogue_rows: NDArray[np.integer], blend: Blend, trial: Trial
) -> ProductScorer:
    """Scorer of fitted factors.

    Parameters
    ----------
    factors : Factors
        Fitted to all columns; its cardholder rows are those of the trial.
    catalogue_rows : integers, shape (n_catalogue,)
        Column row of each merchant of the trial.
    blend : Blend
    trial : Trial
    """
    trend = blend.trend(trial.seen.indices, trial.ages(), trial.n_catalogue)
    return ProductScorer(factors.cardholders, factors.columns[catalogue_rows], trend, blend, trial)


def vectors_scorer(
    factors: Factors, catalogue_rows: NDArray[np.integer], trial: Trial
) -> ProductScorer:
    """The same without habit and trend: inner products alone."""
    return product_scorer(factors, catalogue_rows, BARE, trial)
