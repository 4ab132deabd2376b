"""Items that suit the cardholder's own vector and history."""

import numpy as np
from numpy.typing import NDArray

from embeddings.index import ItemIndex
from recsvc.domain.candidates.proposer import Mask
from recsvc.domain.model import ServingModel
from recsvc.domain.policy import RankingPolicy
from recsvc.domain.question import Candidate, Source
from recsvc.domain.taste import Taste

NO_BONUS = np.empty(0, np.int32), np.empty(0, np.float32)


class Personal:
    """Items by inner product with the cardholder's vector, business boost and own visits.

    ``score = [x, 1]·pull + boost_weight·priority/1000 + visit_weight·log(1 + visits)``, where
    visits are his own at the item's merchants. Only items of which the model knows something, and
    only scores above 0. Exact: the bonus for visits is never negative, so the best are among the
    best by the search and those on his history's columns.

    Parameters
    ----------
    model : ServingModel
    taste : Taste with a vector
    policy : RankingPolicy
    index : ItemIndex, optional
        A narrowed one, when it holds all that may be asked for.
    """

    def __init__(
        self,
        model: ServingModel,
        taste: Taste,
        policy: RankingPolicy,
        index: ItemIndex | None = None,
    ) -> None:
        if taste.vector is None:
            raise ValueError("a personal proposer needs a vector; this cardholder has none")
        self._model = model
        self._index = model.index if index is None else index
        self._query = model.space.query(taste.vector, policy.boost_weight)
        self._bonus_rows, self._bonus = _visit_bonus(model, taste, policy.visit_weight)

    def best(self, eligible: Mask, limit: int) -> list[Candidate]:
        """As promised by :class:`Proposer`."""
        known = eligible & self._model.space.known
        rows, scores = self._index.search(self._query, limit, known)
        if self._bonus_rows.size:
            rows, scores = self._with_bonus(rows, scores, known, limit)
        source = Source.PERSONAL
        return [
            Candidate(row, score, source)
            for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
            if score > 0
        ]

    def first(self, limit: int) -> list[tuple[int, float]]:
        """Rows and scores of the best items, eligible or not, in the order of :meth:`best`.

        For a list of about so many: what comes after the end is left to :meth:`best`. Empty where
        visits count, since those may bring any item forward, and without a narrowed index, which
        holds nothing but items of which the model knows something.
        """
        if self._index is self._model.index or self._bonus_rows.size:
            return []
        return self._index.best_first(self._query, limit)

    def score(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Scores of given items, shape (n_rows,)."""
        scores = self._model.index.vectors[rows] @ self._query
        if self._bonus_rows.size:
            scores = scores + self._bonus_of(rows)
        return np.asarray(scores, np.float32)

    def _with_bonus(
        self, rows: NDArray[np.int32], scores: NDArray[np.float32], known: Mask, limit: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Best of the rows found and of those on his history's columns, with the bonus."""
        own = self._bonus_rows[known[self._bonus_rows]]
        further = np.setdiff1d(own, rows)
        both = np.concatenate([rows, further]).astype(np.int32)
        plain = self._model.index.vectors[further] @ self._query
        totals = np.concatenate([scores, plain]) + self._bonus_of(both)
        order = np.lexsort((both, -totals))[:limit]
        return both[order], totals[order]

    def _bonus_of(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        place = np.searchsorted(self._bonus_rows, rows)
        place = np.minimum(place, self._bonus_rows.size - 1)
        found = np.where(self._bonus_rows[place] == rows, self._bonus[place], 0)
        return np.asarray(found, np.float32)


def _visit_bonus(
    model: ServingModel, taste: Taste, weight: float
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Item rows on his history's merchants, ascending, and what his visits there add."""
    if weight == 0:
        return NO_BONUS
    items, which = model.space.merchants.on(taste.cells.keys)
    values = (weight * np.log1p(taste.cells.visits[which])).astype(np.float32)
    rows, place = np.unique(items, return_inverse=True)
    bonus = np.zeros(rows.size, np.float32)
    np.maximum.at(bonus, place, values)
    return rows, bonus
