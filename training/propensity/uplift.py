"""What a push changes for whom, learned from responses of treated and holdout cardholders.

The R-learner (Nie and Wager 2021) with the known share of treated: an outcome model m(x) is
fitted across folds, then trees fit ``(y - m(x)) / (w - e)`` with weights ``(w - e)²``, whose
minimiser is the effect of the push at x.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold, cross_val_predict

from training.propensity.figures import qini, uplift_at

Floats = NDArray[np.float64]
FOLDS = 5
LEAST_ARM = 100
SHARES = (0.1, 0.2, 0.3)


class Uplift:
    """Effect of a push for each cardholder."""

    def __init__(
        self,
        features: NDArray[np.float32],
        treated: NDArray[np.bool_],
        outcome: Floats,
        *,
        seed: int,
    ) -> None:
        share = float(treated.mean())
        leaf = max(LEAST_ARM, treated.size // 200)
        folds = KFold(FOLDS, shuffle=True, random_state=seed)
        expected = cross_val_predict(_trees(60, leaf, seed), features, outcome, cv=folds)
        lean = treated - share
        self._trees = _trees(60, leaf, seed)
        self._trees.fit(features, (outcome - expected) / lean, sample_weight=lean**2)

    def foresee(self, features: NDArray[np.float32]) -> Floats:
        """What a push adds to the outcome, float64, shape (n,)."""
        return np.asarray(self._trees.predict(features), np.float64)


def _trees(rounds: int, leaf: int, seed: int) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        max_iter=rounds,
        learning_rate=0.06,
        max_leaf_nodes=8,
        min_samples_leaf=leaf,
        l2_regularization=10.0,
        early_stopping=False,
        random_state=seed,
    )


def fit_uplift(
    features: NDArray[np.float32], treated: NDArray[np.bool_], outcome: Floats, *, seed: int
) -> tuple[Uplift, dict[str, object]]:
    """A model of uplift, and its figures on cardholders it was not fitted to.

    Parameters
    ----------
    features : float32, shape (n, n_features)   as of the moment of the push
    treated : bool, shape (n,)                  pushed; the others were held out by chance
    outcome : float64, shape (n,)               activations, or spend
    seed : int

    Raises
    ------
    ValueError
        An arm with fewer than ``LEAST_ARM`` cardholders: nothing can be learned from it.
    """
    least = int(min(treated.sum(), (~treated).sum()))
    if least < LEAST_ARM:
        raise ValueError(f"responses: an arm has {least} cardholders, needs {LEAST_ARM}")
    foreseen = np.zeros(outcome.size)
    for fit_on, judged in KFold(2, shuffle=True, random_state=seed).split(features):
        part = Uplift(features[fit_on], treated[fit_on], outcome[fit_on], seed=seed)
        foreseen[judged] = part.foresee(features[judged])
    return Uplift(features, treated, outcome, seed=seed), uplift_figures(foreseen, treated, outcome)


def uplift_figures(
    foreseen: Floats, treated: NDArray[np.bool_], outcome: Floats
) -> dict[str, object]:
    """Qini coefficient and uplift among the top tenths, beside that of everybody."""
    return {
        "cardholders": int(outcome.size),
        "treated": int(treated.sum()),
        "uplift_all": float(outcome[treated].mean() - outcome[~treated].mean()),
        "qini": qini(foreseen, treated, outcome),
        **{
            f"uplift_at_{int(100 * share)}": uplift_at(share, foreseen, treated, outcome)
            for share in SHARES
        },
    }
