"""What the model is told: how cells weigh, how many factors, how long to fit.

The defaults are the preset ``cards``, which ``recsvc-train run`` uses when no configuration is
given. They are a rule, not a fit: confidence, regularisation and exponents are the same for cards
and for places, and were chosen on slices cut from train (docs/figures.md).
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embeddings.blend import Blend
from embeddings.factors import HalfStep, Transform
from embeddings.interactions import EventWeights
from training.sums import cells_per_column, row_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParameters:
    """Everything that decides the factors of a ready matrix, but for the seed.

    Parameters
    ----------
    n_factors : int
        Length of a vector, 1 to 2048.
    iterations : int
        Alternations of the fit, 1 to 1000.
    popularity_exponent : float
        Confidence of a cell is divided by (number of the column's cardholders) to this power, so
        that a column everybody has says less of each, 0 to 1.
    step : HalfStep
        The cardholder's half-step: the same offline and online.
    events : EventWeights
        From dated contacts to strengths; applied when the matrix is built. Tastes last, so five
        years; what is recent counts in the blend.
    blend : Blend
        Habit and trend beside the inner product.
    """

    n_factors: int = 64
    iterations: int = 15
    popularity_exponent: float = 0.3
    step: HalfStep = field(
        default_factory=lambda: HalfStep(
            alpha=40.0, transform=Transform.LOG, activity_exponent=0.3, regularisation=30.0
        )
    )
    events: EventWeights = field(default_factory=lambda: EventWeights(half_life_days=1825.0))
    blend: Blend = field(default_factory=Blend)

    def __post_init__(self) -> None:
        """Refuse what cannot be fitted, by the field's name."""
        _within("n_factors", self.n_factors, 1, 2048)
        _within("iterations", self.iterations, 1, 1000)
        _within("popularity_exponent", self.popularity_exponent, 0.0, 1.0)

    def as_document(self) -> dict[str, Any]:
        """JSON form."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "step": self.step.as_document(),
            "events": self.events.as_document(),
            "blend": self.blend.as_document(),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Read what :meth:`as_document` wrote; absent fields take their default."""
        known = dict(document)
        base = cls()
        if "step" in known:
            known["step"] = HalfStep.from_document({**asdict(base.step), **known["step"]})
        if "events" in known:
            known["events"] = EventWeights.from_document(
                {**base.events.as_document(), **known["events"]}
            )
        if "blend" in known:
            known["blend"] = Blend.from_document({**asdict(base.blend), **known["blend"]})
        return cls(**known)


_PLAIN = ("n_factors", "iterations", "popularity_exponent")


def column_scale(
    cardholders_per_column: NDArray[np.int32], popularity_exponent: float
) -> NDArray[np.float32]:
    """Scale of each column's confidence: ``max(n, 1) ** -popularity_exponent``.

    Parameters
    ----------
    cardholders_per_column : integers, shape (n_columns,)
    popularity_exponent : float

    Returns
    -------
    float32, shape (n_columns,); 1 for a column that nobody has
    """
    met = np.maximum(cardholders_per_column, 1).astype(np.float64)
    return np.power(met, -popularity_exponent).astype(np.float32)


def confidence_matrix(
    strength: sparse.csr_matrix, parameters: ModelParameters
) -> tuple[sparse.csr_matrix, NDArray[np.float32]]:
    """Confidence of every cell, and the scale of every column.

    Parameters
    ----------
    strength : CSR float32, shape (n_cardholders, n_columns); stored cells above 0
    parameters : ModelParameters

    Returns
    -------
    confidence : CSR float32 of the same cells
    scale : float32, shape (n_columns,)
    """
    per_column = cells_per_column(strength).astype(np.int32)
    scale = column_scale(per_column, parameters.popularity_exponent)
    confidence = np.empty(strength.nnz, np.float32)
    for start, stop in row_parts(strength.indptr):
        cells = slice(int(strength.indptr[start]), int(strength.indptr[stop]))
        per_row = np.diff(strength.indptr[start : stop + 1])
        confidence[cells] = parameters.step.confidence(
            strength.data[cells], scale[strength.indices[cells]], np.repeat(per_row, per_row)
        )
    parts = (confidence, strength.indices, strength.indptr)
    return sparse.csr_matrix(parts, shape=strength.shape), scale


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: {value} lies outside {low} to {high}")
