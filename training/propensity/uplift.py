"""What a push changes for whom, learned from responses of treated and holdout cardholders.

The R-learner (Nie and Wager 2021) with the known share of treated ``e`` of each campaign: an
outcome model m(x) is fitted across folds, then trees fit ``(y - m(x)) / (w - e)`` with weights
``(w - e)²``, whose minimiser is the effect of the push at x.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold, cross_val_predict

from training.propensity.figures import qini, uplift_at

Floats = NDArray[np.float64]
FOLDS = 5
LEAST_ARM = 100
SHARES = (0.1, 0.2, 0.3)


@dataclass(frozen=True, slots=True, eq=False)
class Arms:
    """Cardholders who were pushed or held out by chance.

    Parameters
    ----------
    features : float32, shape (n, n_features)   as of the moment of the push
    treated : bool, shape (n,)                  pushed; the others were held out
    outcome : float64, shape (n,)               activations, or spend
    share : float64, shape (n,)                 share of treated in each one's campaign
    """

    features: NDArray[np.float32]
    treated: NDArray[np.bool_]
    outcome: Floats
    share: Floats

    @classmethod
    def of(cls, features: NDArray[np.float32], treated: NDArray[np.bool_], outcome: Floats) -> Self:
        """Arms of one campaign."""
        share = float(treated.mean()) if treated.size else 0.0
        return cls(features, treated, outcome, np.full(treated.size, share))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Arms of several campaigns, each with its own share."""
        names = ("features", "treated", "outcome", "share")
        return cls(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))

    def where(self, kept: NDArray[np.intp]) -> "Arms":
        """Some of them."""
        return Arms(self.features[kept], self.treated[kept], self.outcome[kept], self.share[kept])

    @property
    def least(self) -> int:
        """Cardholders of the smaller arm."""
        return int(min(self.treated.sum(), (~self.treated).sum()))


class Uplift:
    """Effect of a push for each cardholder."""

    def __init__(self, arms: Arms, *, seed: int) -> None:
        leaf = max(LEAST_ARM, arms.treated.size // 200)
        folds = KFold(FOLDS, shuffle=True, random_state=seed)
        trees = _trees(60, leaf, seed)
        expected = cross_val_predict(trees, arms.features, arms.outcome, cv=folds)
        lean = arms.treated - arms.share
        self._trees = _trees(60, leaf, seed)
        self._trees.fit(arms.features, (arms.outcome - expected) / lean, sample_weight=lean**2)

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


def fit_uplift(campaigns: Sequence[Arms], *, seed: int) -> tuple[Uplift, dict[str, object]]:
    """A model of uplift, and its figures on cardholders it was not fitted to.

    Judged by time where that can be: the latest campaign by a model of those before it; else each
    half of all by a model of the other.

    Parameters
    ----------
    campaigns : sequence of Arms, in order of time
    seed : int

    Raises
    ------
    ValueError
        An arm with fewer than ``LEAST_ARM`` cardholders: nothing can be learned from it.
    """
    usable = [one for one in campaigns if one.least > 0]
    least = sum(one.least for one in usable)
    if least < LEAST_ARM:
        raise ValueError(f"an arm has {least} cardholders, needs {LEAST_ARM}")
    everyone = Arms.joined(usable)
    figures = {"campaigns": len(usable), **_judged(usable, everyone, seed)}
    return Uplift(everyone, seed=seed), figures


def _judged(usable: Sequence[Arms], everyone: Arms, seed: int) -> dict[str, object]:
    """Figures on those whom a model was not fitted to."""
    latest = usable[-1]
    if len(usable) > 1 and min(latest.least, sum(one.least for one in usable[:-1])) >= LEAST_ARM:
        foreseen = Uplift(Arms.joined(usable[:-1]), seed=seed).foresee(latest.features)
        figures = uplift_figures(foreseen, latest.treated, latest.outcome)
        return {"judged_on": "the latest campaign, by those before it", **figures}
    foreseen = np.zeros(everyone.outcome.size)
    halves = KFold(2, shuffle=True, random_state=seed).split(everyone.features)
    for fit_on, judged in halves:
        part = Uplift(everyone.where(fit_on), seed=seed)
        foreseen[judged] = part.foresee(everyone.features[judged])
    figures = uplift_figures(foreseen, everyone.treated, everyone.outcome)
    return {"judged_on": "each half, by the other", **figures}


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
