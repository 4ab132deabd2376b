"""How many cardholders fall at each step, in a fixed order, each counted once."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray


class Exclusion(StrEnum):
    """Why a cardholder is not in an audience; judged in this order, the first one counts."""

    NO_CONSENT = "no_consent"
    ERASED = "erased"
    NOT_IN_SEGMENT = "not_in_segment"
    NOT_ELIGIBLE = "not_eligible"
    NOT_IN_FILTER = "not_in_filter"
    FREQUENCY_CAP = "frequency_cap"
    QUIET_HOURS = "quiet_hours"
    HOLDOUT = "holdout"
    BELOW_SCORE = "below_score"
    OVER_SIZE = "over_size"


@dataclass(frozen=True, slots=True, eq=False)
class Waterfall:
    """Where each cardholder fell.

    Parameters
    ----------
    fell_at : int8, shape (n_cardholders,)
        Place of the exclusion in :class:`Exclusion`'s order from 1 on, 0 for those who passed.
    allowed : bool, shape (n_cardholders,)
        Those who passed every step.
    counts : mapping of Exclusion to int
        Exact number who fell at each step that was judged, in order; for no one's eyes.
    """

    fell_at: NDArray[np.int8]
    allowed: NDArray[np.bool_]
    counts: Mapping[Exclusion, int]

    @classmethod
    def of(cls, n_cardholders: int) -> Self:
        """Everybody, before the first step."""
        everybody = np.ones(n_cardholders, np.bool_)
        return cls(np.zeros(n_cardholders, np.int8), everybody, {})

    def fell(self, step: Exclusion) -> NDArray[np.bool_]:
        """Those who fell at a step, shape (n_cardholders,)."""
        return np.asarray(self.fell_at == _CODE[step])

    def then(self, step: Exclusion, passed: NDArray[np.bool_]) -> Self:
        """The waterfall with one more step at its end.

        Raises
        ------
        ValueError
            The step comes before one that was judged, is asked twice, or has another length.
        """
        if self.counts and _CODE[step] <= max(_CODE[done] for done in self.counts):
            raise ValueError(f"{step.value} comes too late; found {', '.join(self.counts)} before")
        if passed.shape != self.allowed.shape or passed.dtype != np.bool_:
            raise ValueError(
                f"{step.value}: must be bool {self.allowed.shape}, "
                f"found {passed.dtype} {passed.shape}"
            )
        falling = self.allowed > passed
        fell_at = self.fell_at + falling.view(np.int8) * np.int8(_CODE[step])
        counts = {**self.counts, step: int(np.count_nonzero(falling))}
        return type(self)(fell_at, self.allowed & passed, counts)


_ORDER = tuple(Exclusion)
_CODE: Mapping[Exclusion, int] = {step: code for code, step in enumerate(_ORDER, start=1)}


def waterfall(n_cardholders: int, passes: Mapping[Exclusion, NDArray[np.bool_]]) -> Waterfall:
    """Judge all cardholders by these steps, in the fixed order whatever the mapping's.

    Parameters
    ----------
    n_cardholders : int
    passes : mapping of Exclusion to bool, shape (n_cardholders,)
        True where the cardholder may stay.

    Raises
    ------
    ValueError
        An array of another length or kind; it names the step.
    """
    result = Waterfall.of(n_cardholders)
    for step in (step for step in _ORDER if step in passes):
        result = result.then(step, passes[step])
    return result
