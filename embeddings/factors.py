"""The numbers: one vector a cardholder, one a column, and the step that ties them together."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


class Transform(StrEnum):
    """How the strength of a cell grows into confidence."""

    BINARY = "binary"
    LINEAR = "linear"
    LOG = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfStep:
    """Parameters of the cardholder half-step of ALS; part of the manifest.

    Parameters
    ----------
    alpha : float
        Confidence of a cell of strength 1 against the weight 1 of an unobserved cell, above 0.
    transform : Transform
        From strength s to its effect: 1, s or log(1 + s).
    activity_exponent : float
        Confidence is divided by (number of the cardholder's columns) to this power, so that a
        busy cardholder's cells count less each.
    regularisation : float
        λ, at least 0.
    frequency_exponent : float
        λ is multiplied by (number of the cardholder's columns) to this power; 0 is plain ALS
        (Rendle et al. 2021, *Revisiting the performance of iALS*, eq. 8, calls it ν).
    """

    alpha: float = 1.0
    transform: Transform = Transform.LOG
    activity_exponent: float = 0.0
    regularisation: float = 0.01
    frequency_exponent: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what has no solution or no meaning."""
        if not (self.alpha > 0 and np.isfinite(self.alpha)):
            raise ValueError(f"alpha: {self.alpha} must be above 0")
        if not (self.regularisation >= 0 and np.isfinite(self.regularisation)):
            raise ValueError(f"regularisation: {self.regularisation} must be at least 0")

    def confidence(
        self,
        strength: NDArray[np.float32],
        column_scale: NDArray[np.float32],
        n_used: int | NDArray[np.integer],
    ) -> NDArray[np.float32]:
        """Confidence of cells, above 0.

        Parameters
        ----------
        strength : float32, shape (n,)        above 0
        column_scale : float32, shape (n,)    the scale of each cell's column
        n_used : int, or integers of shape (n,)    columns of the cell's cardholder
        """
        effect: NDArray[np.floating[Any]] = strength
        if self.transform is Transform.LOG:
            effect = np.log1p(strength)
        elif self.transform is Transform.BINARY:
            effect = np.ones_like(strength)
        busy = np.power(np.maximum(np.asarray(n_used, np.float64), 1.0), -self.activity_exponent)
        return (self.alpha * effect * column_scale * busy).astype(np.float32)

    def ridge(self, n_used: int) -> float:
        """λ for a cardholder with this many columns."""
        return float(self.regularisation * max(n_used, 1) ** self.frequency_exponent)

    def as_document(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Read what :meth:`as_document` wrote."""
        return cls(**{**document, "transform": Transform(document["transform"])})


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """Vectors of all cardholders and columns.

    Parameters
    ----------
    cardholders : float32, shape (n_cardholders, n_factors)
    columns : float32, shape (n_columns, n_factors)
    column_scale : float32, shape (n_columns,)
        Multiplies the confidence of each cell of the column, above 0.
    step : HalfStep
    gram : float64, shape (n_factors, n_factors)
        ``columns.T @ columns``, kept so that a fold-in needs no pass over all columns.
    """

    cardholders: NDArray[np.float32]
    columns: NDArray[np.float32]
    column_scale: NDArray[np.float32]
    step: HalfStep
    gram: NDArray[np.float64]

    @property
    def n_factors(self) -> int:
        """Length of a vector."""
        return int(self.columns.shape[1])

    def fold_in(
        self, rows: NDArray[np.int32], strength: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Vector of a cardholder who has just this history.

        Solves the cardholder half-step of implicit ALS (Hu, Koren, Volinsky 2008, eq. 4) exactly
        against these columns: ``(YᵀY + Yᵤᵀ(Cᵤ - I)Yᵤ + λI) x = YᵤᵀCᵤ1``.

        Parameters
        ----------
        rows : int32, shape (n_used,)        column rows, each at most once
        strength : float32, shape (n_used,)  above 0

        Returns
        -------
        float32, shape (n_factors,); zeros for an empty history
        """
        if rows.size == 0:
            return np.zeros(self.n_factors, np.float32)
        confidence = self.step.confidence(strength, self.column_scale[rows], rows.size)
        used = np.asarray(self.columns[rows], np.float64)
        weighted = used.T * (confidence.astype(np.float64) - 1.0)
        left = self.gram + weighted @ used
        left.flat[:: self.n_factors + 1] += self.step.ridge(rows.size)
        right = confidence.astype(np.float64) @ used
        return np.linalg.solve(left, right).astype(np.float32)


def gram_of(columns: NDArray[np.float32]) -> NDArray[np.float64]:
    """``YᵀY`` in double precision, shape (n_factors, n_factors)."""
    wide = np.asarray(columns, np.float64)
    return np.asarray(wide.T @ wide, np.float64)
