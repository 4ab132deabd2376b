"""Boosted trees (scikit-learn) that foresee spend and silence."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

Floats = NDArray[np.float64]
MIN_LEAF = 20


class Foresees(Protocol):
    """A trained model."""

    def foresee(self, features: NDArray[np.float32]) -> Floats:
        """Score of each row of features, float64, shape (n,)."""


class Constant:
    """Says the same of everybody: what is left when outcomes do not differ."""

    def __init__(self, value: float) -> None:
        self._value = value

    def foresee(self, features: NDArray[np.float32]) -> Floats:
        """The one value, once a row."""
        return np.full(features.shape[0], self._value)


class Value:
    """Expected spend: Poisson deviance, whose trees keep means right and forbid negatives."""

    def __init__(self, features: NDArray[np.float32], spent: Floats, *, seed: int) -> None:
        self._unit = float(spent.mean())
        self._trees = HistGradientBoostingRegressor(
            loss="poisson",
            max_iter=150,
            learning_rate=0.06,
            max_leaf_nodes=15,
            min_samples_leaf=MIN_LEAF,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=seed,
        )
        self._trees.fit(features, spent / self._unit)

    def foresee(self, features: NDArray[np.float32]) -> Floats:
        """Expected spend in minor units, above 0."""
        return np.asarray(self._trees.predict(features) * self._unit, np.float64)


class ChurnRisk:
    """Probability of silence, calibrated on folds that the trees have not seen."""

    def __init__(
        self, features: NDArray[np.float32], silent: NDArray[np.bool_], *, seed: int
    ) -> None:
        trees = HistGradientBoostingClassifier(
            max_iter=120,
            learning_rate=0.06,
            max_leaf_nodes=15,
            min_samples_leaf=MIN_LEAF,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=seed,
        )
        method = "isotonic" if min(silent.sum(), (~silent).sum()) >= 500 else "sigmoid"
        self._model = CalibratedClassifierCV(trees, method=method, cv=3, ensemble=False)
        self._model.fit(features, silent)

    def foresee(self, features: NDArray[np.float32]) -> Floats:
        """Probability within [0, 1]."""
        return np.asarray(self._model.predict_proba(features)[:, 1], np.float64)


def fit_value(features: NDArray[np.float32], spent: Floats, *, seed: int) -> Foresees:
    """Model of spend; a constant when nobody spent."""
    return Value(features, spent, seed=seed) if spent.any() else Constant(0.0)


def fit_churn_risk(
    features: NDArray[np.float32], silent: NDArray[np.bool_], *, seed: int
) -> Foresees:
    """Model of silence; a constant when fewer than ten are silent, or not."""
    if min(silent.sum(), (~silent).sum()) < 10:
        return Constant(float(silent.mean()) if silent.size else 0.0)
    return ChurnRisk(features, silent, seed=seed)
