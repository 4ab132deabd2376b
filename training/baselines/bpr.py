"""BPR of ``implicit``: factors that put what a cardholder has above what he has not.

Rendle et al. 2009, *BPR: Bayesian Personalized Ranking from Implicit Feedback*. One thread: with
more, ``implicit``'s result depends on who comes first.
"""

from dataclasses import dataclass

import numpy as np
from implicit.cpu.bpr import BayesianPersonalizedRanking
from numpy.typing import NDArray

from training.baselines.tables import Growth, grown
from training.evaluation.trial import Trial

N_FACTORS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Bpr:
    """Scores are inner products; the biases are among the factors.

    Parameters
    ----------
    cardholders : float32, shape (n_cardholders, n_factors + 1)
    merchants : float32, shape (n_catalogue, n_factors + 1)
    """

    cardholders: NDArray[np.float32]
    merchants: NDArray[np.float32]

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores, float32, shape (len(rows), n_catalogue)."""
        return np.asarray(self.cardholders[rows] @ self.merchants.T, np.float32)


def bpr(trial: Trial, *, learning_rate: float, regularisation: float, seed: int) -> Bpr:
    """Factors by stochastic gradient on pairs of met and not met."""
    model = BayesianPersonalizedRanking(
        factors=N_FACTORS,
        learning_rate=learning_rate,
        regularization=regularisation,
        iterations=100,
        num_threads=1,
        random_state=seed,
    )
    model.fit(grown(trial.seen, Growth.BINARY), show_progress=False)
    cardholders = np.array(model.user_factors)
    cardholders[np.diff(trial.seen.indptr) == 0, :-1] = 0  # without a history: the biases alone
    return Bpr(cardholders, np.array(model.item_factors))
