"""Who proposes: personal, similar to recent, popular in a segment, new; each best first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.cardholder import Profile
from recsvc.domain.model import ServingModel
from recsvc.domain.policy import RankingPolicy
from recsvc.domain.popularity import Popular, chain
from recsvc.domain.question import Candidate, Source
from recsvc.domain.taste import Taste

CHUNK = 256
RECENT_COLUMNS = 3
Mask = NDArray[np.bool_]


class Proposer(Protocol):
    """One source of candidates."""

    def best(self, eligible: Mask, limit: int) -> list[Candidate]:
        """The best eligible items, best first, ties by row; fewer only when there are no more."""


class Personal:
    """Items by inner product with the cardholder's vector, business boost and own visits.

    ``score = x·v + boost_weight·priority/1000 + visit_weight·log(1 + visits)``, where visits are
    his own at the item's merchants. Only items of which the model knows something, and only
    scores above 0. Exact: the bonus for visits is never negative, so the best are among the best
    by the search and those on his history's columns.

    Parameters
    ----------
    model : ServingModel
    taste : Taste with a vector
    policy : RankingPolicy
    """

    def __init__(self, model: ServingModel, taste: Taste, policy: RankingPolicy) -> None:
        if taste.vector is None:
            raise ValueError("a personal proposer needs a vector; this cardholder has none")
        self._model = model
        self._query = np.append(taste.vector, np.float32(policy.boost_weight))
        self._bonus_rows, self._bonus = _visit_bonus(model, taste, policy.visit_weight)

    def best(self, eligible: Mask, limit: int) -> list[Candidate]:
        """As promised by :class:`Proposer`."""
        known = eligible & self._model.space.known
        rows, scores = self._model.index.search(self._query, limit, known)
        if self._bonus_rows.size:
            rows, scores = self._with_bonus(rows, scores, known, limit)
        return [
            Candidate(row, score, Source.PERSONAL)
            for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
            if score > 0
        ]

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
        return np.empty(0, np.int32), np.empty(0, np.float32)
    items, which = model.space.merchants.on(taste.cells.keys)
    values = (weight * np.log1p(taste.cells.visits[which])).astype(np.float32)
    rows, place = np.unique(items, return_inverse=True)
    bonus = np.zeros(rows.size, np.float32)
    np.maximum.at(bonus, place, values)
    return rows, bonus


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


def proposers(
    model: ServingModel, taste: Taste, profile: Profile, policy: RankingPolicy, *, strict: bool
) -> Sequence[Proposer]:
    """Sources in the order in which they are asked.

    Personal, similar to recent, popular in each segment from the nearest to everyone, new. Without
    a vector only the last two; ``strict`` leaves out those.
    """
    found: list[Proposer] = []
    if taste.vector is not None:
        found = [Personal(model, taste, policy), Similar(model, taste)]
    if strict:
        return found
    popularity = model.popularity
    for segment in popularity.known(chain(profile)):
        found.append(Popularity(model, segment, policy.boost_weight))
    return [*found, InOrder.of_new(model.newest)]


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


def in_turn(sources: Sequence[Proposer], eligible: Mask, limit: int) -> list[Candidate]:
    """The best eligible items, each once and by the first source that proposes it.

    At most ``limit``; the first source is asked for all of them, the next for the rest.
    """
    left = eligible.copy()
    found: list[Candidate] = []
    for source in sources:
        if len(found) < limit:
            found += source.best(left, limit - len(found))
            left[[candidate.row for candidate in found]] = False
    return found
