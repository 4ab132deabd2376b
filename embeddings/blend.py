"""What adds to the inner product: the cardholder's own habits, and what is met of late.

``score = x·y + trend + habit``. The vectors say what suits him; the trend says what everyone has
taken up lately (a merchant that closed fades, a new one rises); the habit says what he does anyway,
which decides *repeat* visits. Both terms are read from the same cells as the vectors.

The habit has a level and a slope: that he was there at all puts a merchant before most where he
never was, and how often and how lately ranks his own among each other, beside the vectors.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """Weights of the two terms; part of the manifest.

    Parameters
    ----------
    trend_weight : float
        What the column that most cardholders met of late adds to a score, at least 0.
    trend_half_life_days : float
        Days after which a cardholder's last contact counts half in the trend, above 0.
    known_weight : float
        What being in his own history at all adds to a column's score, at least 0.
    habit_weight : float
        What ``log(1 + strength)`` of today adds to the score of a column in his own history,
        at least 0; 0, like ``known_weight``, for offers that should only win new customers.
    habit_half_life_days : float
        Days after his last contact at which a habit has half its strength, above 0.
    """

    trend_weight: float = 0.2
    trend_half_life_days: float = 60.0
    known_weight: float = 0.25
    habit_weight: float = 0.7
    habit_half_life_days: float = 100.0

    def __post_init__(self) -> None:
        """Refuse weights below 0 and half-lives without meaning, by the field's name."""
        for field in fields(self):
            value = getattr(self, field.name)
            lowest = 0.0 if field.name.endswith("weight") else 1e-9
            if not (np.isfinite(value) and value >= lowest):
                raise ValueError(f"{field.name}: {value} must be finite and at least {lowest:g}")

    @property
    def has_habit(self) -> bool:
        """Whether a cardholder's own history adds anything."""
        return self.known_weight > 0 or self.habit_weight > 0

    def habit(
        self, strength: NDArray[np.float32], age_days: NDArray[np.floating[Any]]
    ) -> NDArray[np.float32]:
        """What his own history adds to the scores of its columns.

        Parameters
        ----------
        strength : float32, shape (n,)      of his cells, above 0
        age_days : floats, shape (n,)       days since the last contact of each, at least 0

        Returns
        -------
        float32, shape (n,); at least ``known_weight``, descending with age
        """
        faded = strength * np.exp2(-np.maximum(age_days, 0.0) / self.habit_half_life_days)
        return np.asarray(self.known_weight + self.habit_weight * np.log1p(faded), np.float32)

    def trend(
        self,
        columns: NDArray[np.integer[Any]],
        age_days: NDArray[np.floating[Any]],
        n_columns: int,
    ) -> NDArray[np.float32]:
        """What each column's recent cardholders add to its score.

        Cardholders are counted by the age of their last contact, halved every half-life; the
        count enters by its logarithm, and the largest gets ``trend_weight``.

        Parameters
        ----------
        columns : integers, shape (n_cells,)    column of each cell of all cardholders
        age_days : floats, shape (n_cells,)     days since the last contact of each
        n_columns : int

        Returns
        -------
        float32, shape (n_columns,); within [0, trend_weight], zeros without cells
        """
        faded = np.exp2(-np.maximum(age_days, 0.0) / self.trend_half_life_days)
        met = np.log1p(np.bincount(columns, weights=faded, minlength=n_columns))
        most = float(met.max(initial=0.0))
        if most == 0.0:
            return np.zeros(n_columns, np.float32)
        return np.asarray(self.trend_weight * met / most, np.float32)

    def as_document(self) -> dict[str, float]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, float]) -> Self:
        """Read what :meth:`as_document` wrote."""
        return cls(**document)
