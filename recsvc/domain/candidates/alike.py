"""Items like others: by cosine to where the cardholder was last, or to one item."""

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.candidates.proposer import Mask
from recsvc.domain.model import ServingModel
from recsvc.domain.question import Candidate, Source
from recsvc.domain.taste import Taste

RECENT_COLUMNS = 3


class Similar:
    """Items nearest by cosine to the columns he met last; only scores above 0.

    Parameters
    ----------
    model : ServingModel
    taste : Taste
    """

    def __init__(self, model: ServingModel, taste: Taste) -> None:
        self._model = model
        self._taste = taste
        self._scores: NDArray[np.float32] | None = None

    def best(self, eligible: Mask, limit: int) -> list[Candidate]:
        """As promised by :class:`Proposer`; works its scores out when first asked."""
        if self._scores is None:
            direction = _recent_direction(self._model, self._taste)
            self._scores = cosines(self._model.space.vectors, direction)
        rows = best_rows(self._scores, eligible & self._model.space.known, limit)
        scores = self._scores[rows]
        return [
            Candidate(row, score, Source.SIMILAR)
            for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
            if score > 0
        ]


def _recent_direction(model: ServingModel, taste: Taste) -> NDArray[np.float32]:
    """Mean direction of the trained columns he met last; zeros when none of his is trained."""
    cells = taste.cells
    trained = np.flatnonzero(cells.keys < model.space.columns.n_trained)
    if model.bundle is None or trained.size == 0:
        return np.zeros(model.space.vectors.shape[1], np.float32)
    order = np.lexsort((trained, -cells.strength[trained], -cells.last_day[trained].astype(int)))
    recent = cells.keys[trained[order[:RECENT_COLUMNS]]]
    vectors = np.asarray(model.bundle.model.factors.columns[recent])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray((vectors / np.maximum(lengths, 1e-12)).mean(axis=0), np.float32)


def cosines(vectors: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine of each vector with the query, shape (n,); 0 where either has no direction."""
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    products = vectors @ query
    safe = np.where(lengths > 0, lengths, 1)
    return np.asarray(np.where(lengths > 0, products / safe, 0), np.float32)


def best_rows(scores: NDArray[np.float32], eligible: Mask, limit: int) -> NDArray[np.int32]:
    """Rows of the largest scores among the eligible, best first, ties by row."""
    rows = np.flatnonzero(eligible)
    own = scores[rows]
    if rows.size > limit:
        floor = np.partition(own, rows.size - limit)[rows.size - limit]
        kept = own >= floor
        rows, own = rows[kept], own[kept]
    return rows[np.lexsort((rows, -own))][:limit].astype(np.int32)
