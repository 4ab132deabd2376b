"""From candidates to a list: sources in order, caps, promoted places, one place for chance.

Scores are comparable within a source only, so sources are not blended by score: a list is filled
by the first source, then by the next. What a marketer may turn (boosts) is part of each source's
own score; promoted items have ranks of their own; caps and exclusive groups bind all of them.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.candidates import Proposer, Sources, in_turn
from recsvc.domain.eligibility import Eligible
from recsvc.domain.model import Grouping, GroupKeys, ServingModel
from recsvc.domain.policy import RankingPolicy
from recsvc.domain.question import Candidate, Source

Mask = NDArray[np.bool_]
SURPLUS = 6
"""Candidates asked for beyond the free places, so that caps seldom need a second search."""
SURPLUS_FIRST = 12
"""The same for the quick beginning, whose items may be closed to him too."""


class _Cap:
    """The most items of one list in a group of one kind, and how many it holds by now.

    Parameters
    ----------
    groups : Grouping
    most : int
    """

    __slots__ = ("counts", "full", "groups", "key_of", "most")

    def __init__(self, groups: Grouping, most: int) -> None:
        self.groups = groups
        self.most = most
        self.key_of = groups.key_of
        self.counts: dict[int, int] = {}
        self.full: set[int] = set()


class Page:
    """A list while it is filled: what was taken, what is still open, what the caps have counted.

    Parameters
    ----------
    keys : GroupKeys
    policy : RankingPolicy
    eligible : Eligible
    limit : int
    """

    def __init__(
        self, keys: GroupKeys, policy: RankingPolicy, eligible: Eligible, limit: int
    ) -> None:
        self._caps = [
            _Cap(groups, most)
            for groups, most in (
                (keys.merchant, policy.max_per_merchant),
                (keys.category, policy.max_per_category),
                (keys.exclusive, 1),
            )
            if most is not None
        ]
        self._eligible = eligible
        self._open: Mask | None = None
        self._rows: set[int] = set()
        self.limit = limit
        self.taken: list[Candidate] = []

    @property
    def room(self) -> int:
        """Places that are still free."""
        return self.limit - len(self.taken)

    @property
    def open(self) -> Mask:
        """What could still follow, shape (n_items,); not to be changed.

        Worked out when asked for: most lists are full before anyone asks.
        """
        if self._open is None:
            left = self._eligible.mask.copy()
            left[list(self._rows)] = False
            for cap in self._caps:
                for key in cap.full:
                    left[cap.groups.rows(key)] = False
            self._open = left
        return self._open

    def begin(self, best: Iterable[tuple[int, float]]) -> None:
        """Take from his best items, eligible or not, as long as there is room and they suit."""
        bits, meets, taken, limit = (
            self._eligible.bits,
            self._eligible.meets,
            self.taken,
            self.limit,
        )
        for row, score in best:
            if score <= 0 or len(taken) == limit:
                return
            if bits[row] and meets(row) and self._fits(row):
                self._add(Candidate(row, score, Source.PERSONAL))

    def fill(self, proposers: Iterable[Proposer]) -> None:
        """Take from each source in turn until the list is full or none has more."""
        for proposer in proposers:
            while self.room:
                found = proposer.best(self.open, self.room + SURPLUS)
                if not found:
                    break
                self._take(found)
            if not self.room:
                return

    def _take(self, found: Sequence[Candidate]) -> None:
        """Offer candidates in turn while there is room."""
        for candidate in found:
            if len(self.taken) == self.limit:
                return
            self.offer(candidate)

    def offer(self, candidate: Candidate) -> None:
        """Take an eligible candidate if there is room and no cap is against it."""
        if len(self.taken) < self.limit and self._fits(candidate.row):
            self._add(candidate)

    def _fits(self, row: int) -> bool:
        """Whether an item is not on the list yet and no cap is against it."""
        if row in self._rows:
            return False
        for cap in self._caps:  # noqa: SIM110 - every list asks, and `all` takes twice as long
            if cap.full and cap.key_of[row] in cap.full:
                return False
        return True

    def _add(self, candidate: Candidate) -> None:
        """Put an item on the list; count it in each of its groups, and close those full by it."""
        row = candidate.row
        self.taken.append(candidate)
        self._rows.add(row)
        self._open = None
        for cap in self._caps:
            key = cap.key_of[row]
            if key >= 0:
                count = cap.counts[key] = cap.counts.get(key, 0) + 1
                if count >= cap.most:
                    cap.full.add(key)

    def relax(self) -> None:
        """Open again what only the caps on merchants and categories closed."""
        self._caps = self._caps[-1:]
        self._open = None


def ranked(
    model: ServingModel, policy: RankingPolicy, eligible: Eligible, sources: Sources, limit: int
) -> tuple[list[Candidate], Page]:
    """The list, best first, and the page it was filled on.

    Parameters
    ----------
    model : ServingModel
    policy : RankingPolicy
    eligible : Eligible
    sources : in the order in which they are asked
    limit : int

    Returns
    -------
    candidates : at most ``limit``, each item once
    page : Page
        ``page.open`` tells what could still follow.
    """
    page = Page(model.keys, policy, eligible, limit)
    positions = [p for p in policy.promoted_positions if p <= limit]
    if positions:
        _promote(model, page, eligible, len(positions))
    n_promoted = len(page.taken)
    page.begin(sources.first(page.room + SURPLUS_FIRST))
    page.fill(sources)
    if page.room and policy.relax_caps:
        page.relax()
        page.fill(sources)
    promoted, organic = page.taken[:n_promoted], page.taken[n_promoted:]
    return interleaved(organic, promoted, positions), page


def _promote(model: ServingModel, page: Page, eligible: Eligible, most: int) -> None:
    """Take sponsored items, those of the highest priority first."""
    for row in eligible.among(model.sponsored):
        page.offer(Candidate(row, model.catalog.items[row].priority / 1000, Source.PROMOTED))
        if len(page.taken) == most:
            return


def interleaved(
    organic: Sequence[Candidate], promoted: Sequence[Candidate], positions: Sequence[int]
) -> list[Candidate]:
    """Promoted candidates at their ranks, the others around them in their order."""
    found = list(organic)
    for candidate, position in zip(promoted, positions, strict=False):
        found.insert(position - 1, candidate)
    return found


def explored(
    candidates: list[Candidate],
    page: Page,
    proposers: Iterable[Proposer],
    policy: RankingPolicy,
    draw: float,
) -> list[Candidate]:
    """The list with its last place given to chance, if the draw says so.

    With probability ε the last place, unless promoted, goes to one of the pool of next best items,
    each alike; every candidate of that place carries its propensity: ε/n for a chance item of a
    pool of n, 1 - ε for the one that ranking put there.

    Parameters
    ----------
    candidates : the ranked list
    page : what could still follow
    proposers : sources
    policy : RankingPolicy
    draw : float within [0, 1), the only chance there is
    """
    rate = policy.exploration_bps / 10_000
    last = candidates[-1] if len(candidates) > 1 else None
    if rate == 0 or last is None or last.source is Source.PROMOTED or not page.open.any():
        return candidates
    if draw >= rate:
        return [*candidates[:-1], last._replace(propensity=1 - rate)]
    pool = in_turn(proposers, page.open, policy.exploration_pool)
    if not pool:
        return candidates
    chosen = pool[int(draw / rate * len(pool))]
    explorer = chosen._replace(source=Source.EXPLORATION, propensity=rate / len(pool))
    return [*candidates[:-1], explorer]
