"""Items in an order that was worked out before: popular ones, and the newest."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.candidates.proposer import Mask
from recsvc.domain.model import ServingModel
from recsvc.domain.popularity import Popular
from recsvc.domain.question import Candidate, Source

CHUNK = 256


class InOrder:
    """Items in an order that was worked out before: popular ones, or the newest.

    Parameters
    ----------
    rows : int32, shape (n,), best first
    scores : float32, shape (n,)
    source : Source
    segment : str, optional
    """

    def __init__(
        self,
        rows: NDArray[np.int32],
        scores: NDArray[np.float32],
        source: Source,
        segment: str | None = None,
    ) -> None:
        self._rows = rows
        self._scores = scores
        self._source = source
        self._segment = segment

    @classmethod
    def of_popular(cls, popular: Popular) -> "InOrder":
        """Items that a segment uses."""
        return cls(popular.rows, popular.scores, Source.POPULAR, popular.segment)

    @classmethod
    def of_new(cls, rows: NDArray[np.int32]) -> "InOrder":
        """Items of which no usage is known, latest start first; their score is 0."""
        return cls(rows, np.zeros(rows.size, np.float32), Source.NEW)

    def best(self, eligible: Mask, limit: int) -> list[Candidate]:
        """As promised by :class:`Proposer`; looks no further down than it must."""
        found: list[Candidate] = []
        for start in range(0, self._rows.size, CHUNK):
            rows = self._rows[start : start + CHUNK]
            places = np.flatnonzero(eligible[rows])[: limit - len(found)]
            scores = self._scores[start + places].tolist()
            found += [
                Candidate(row, score, self._source, self._segment)
                for row, score in zip(rows[places].tolist(), scores, strict=True)
            ]
            if len(found) == limit:
                break
        return found


@dataclass(frozen=True, slots=True)
class Popularity:
    """Items that one segment uses; worked out only when asked."""

    model: ServingModel
    segment: str
    boost_weight: float

    def best(self, eligible: Mask, limit: int) -> list[Candidate]:
        """As promised by :class:`Proposer`."""
        popular = self.model.popularity.of(self.segment, self.boost_weight)
        return InOrder.of_popular(popular).best(eligible, limit)
