"""P-TopFreq: what the cardholder does anyway, then what everyone does.

Hu et al. 2020, *Modeling Personalized Item Frequency Information for Next-basket Recommendation*.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.baselines.popular import counts
from training.evaluation.trial import Trial


@dataclass(frozen=True, slots=True, eq=False)
class Habit:
    """Own frequency, each merchant's halved by the age of the last visit there.

    Parameters
    ----------
    trial : Trial
    half_life_days : float
        ``inf`` counts frequency alone.
    filler : float32, shape (n_catalogue,)
        Popularity, below every habit, for the places that habits leave.
    """

    trial: Trial
    half_life_days: float
    filler: NDArray[np.float32]

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores, float32, shape (len(rows), n_catalogue)."""
        seen, (place, cell) = self.trial.seen, self.trial.cells_of(rows)
        fresh = np.exp2(-self.trial.ages()[cell] / self.half_life_days)
        found = np.tile(self.filler, (rows.size, 1))
        found[place, seen.indices[cell]] = 1.0 + np.log1p(seen.data[cell] * fresh)
        return found


def own_habit(trial: Trial, half_life_days: float = np.inf) -> Habit:
    """Habit with the recently popular as filler; the filler stays below 1, a habit above."""
    recent = counts(trial, 60.0)
    filler = recent / (recent.max(initial=0.0) + 1.0)
    return Habit(trial, half_life_days, filler.astype(np.float32))
