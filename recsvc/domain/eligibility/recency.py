"""Customer recency for all items at once: for newcomers only, or for regulars only."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog import Item
from embeddings.catalog.terms import CustomerRecency
from recsvc.domain.eligibility.circumstances import Circumstances
from recsvc.domain.eligibility.terms import Attachments

NEVER = int(np.iinfo(np.int32).min)
NO_LIMIT = int(np.iinfo(np.int32).max)
LastDays = tuple[NDArray[np.int64], NDArray[np.int32]]
"""Column rows, and the day of the last purchase on each."""


@dataclass(frozen=True, slots=True, eq=False)
class RecencyTable:
    """The items with a recency term, the columns it looks at, and its bounds.

    Parameters
    ----------
    items : int32, shape (n,)            item rows, ascending
    closed_to_strangers : int32, shape (n_closed,)
        Rows of the items that one who never bought there may not have.
    places_on : mapping of a column row to the places in ``items`` that look at it
    is_looked_at : bool, shape (n_columns,)
        Whether any does; the last one is False, and so is every column beyond.
    place_of : mapping of an item row to its place in ``items``
    columns_of : for each place, the column rows that it looks at
    bounds_of : for each place, the fewest and the most days since he bought
    """

    items: NDArray[np.int32]
    closed_to_strangers: NDArray[np.int32]
    places_on: Mapping[int, Sequence[int]]
    is_looked_at: NDArray[np.bool_]
    place_of: Mapping[int, int]
    columns_of: Sequence[Sequence[int]]
    bounds_of: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, items: Sequence[Item], merchants: Attachments, categories: Attachments) -> Self:
        """Table of the items that have a recency term."""
        found = [(row, i.terms.customer_recency) for row, i in enumerate(items)]
        limited = [(row, term) for row, term in found if term is not None]
        place = {row: position for position, (row, _) in enumerate(limited)}
        pairs = [*_pairs(merchants, limited, "merchant"), *_pairs(categories, limited, "category")]
        terms = [term for _, term in limited]
        places_on: dict[int, list[int]] = defaultdict(list)
        columns_of: list[list[int]] = [[] for _ in limited]
        for column, row in pairs:
            places_on[column].append(place[row])
            columns_of[place[row]].append(column)
        bounds = [(t.min_days or 0, t.max_days or NO_LIMIT) for t in terms]
        return cls(
            np.array([row for row, _ in limited], np.int32),
            np.array([row for row, t in limited if t.max_days is not None], np.int32),
            dict(places_on),
            _marked(places_on),
            place,
            columns_of,
            bounds,
        )

    def clear(self, mask: NDArray[np.bool_], asked: Circumstances, last_days: LastDays) -> None:
        """Take out of the mask the items whose recency term he does not meet.

        Parameters
        ----------
        mask : bool, shape (n_items,); changed
        asked : Circumstances
        last_days : (int64 column rows, int32 days since 1970-01-01 UTC), of equal shape
        """
        if self.items.size == 0:
            return
        if not asked.sees_history:
            mask[self.items] = False
            return
        met, unmet = self._judged(self._last(last_days), asked.moment.utc_day)
        mask[unmet] = False
        if self.closed_to_strangers.size:
            open_to_him = [row for row in met if mask[row]]
            mask[self.closed_to_strangers] = False
            mask[open_to_him] = True

    def judge_of(self, asked: Circumstances, last_days: LastDays) -> Callable[[int], bool]:
        """What tells of one item row whether its term is met; says of each what `clear` does."""
        place_of = self.place_of
        if not asked.sees_history:
            return lambda row: row not in place_of
        last = _OnceMade(last_days)
        today = asked.moment.utc_day

        def meets(row: int) -> bool:
            place = place_of.get(row)
            return place is None or self._is_met(place, last.by_column, today)

        return meets

    def _is_met(self, place: int, last: Mapping[int, int], today: int) -> bool:
        """Whether his last purchase where an item looks lies within its bounds."""
        least, most = self.bounds_of[place]
        day = NEVER
        for column in self.columns_of[place]:
            day = max(day, last.get(column, NEVER))
        if day == NEVER:
            return most == NO_LIMIT
        return least <= max(today - day, 0) <= most

    def _judged(self, last: Mapping[int, int], today: int) -> tuple[list[int], list[int]]:
        """Rows of the items where he bought, those whose term he meets and the others."""
        rows = self.items.data
        met: list[int] = []
        unmet: list[int] = []
        for place, day in last.items():
            least, most = self.bounds_of[place]
            is_met = least <= max(today - day, 0) <= most
            (met if is_met else unmet).append(rows[place])
        return met, unmet

    def _last(self, last_days: LastDays) -> dict[int, int]:
        """Day of his last purchase by place of the item, where he ever bought."""
        columns, days = last_days
        last: dict[int, int] = {}
        looked_at = self.is_looked_at.take(columns, mode="clip") & (days != NEVER)
        for column, day in zip(columns[looked_at].tolist(), days[looked_at].tolist(), strict=True):
            for place in self.places_on[column]:
                last[place] = max(day, last.get(place, NEVER))
        return last

    def last_purchase_day(self, row: int, last_days: LastDays) -> int | None:
        """Day of his last purchase where one item looks; None without one or without a term."""
        place = int(np.searchsorted(self.items, row))
        if place == self.items.size or self.items[place] != row:
            return None
        return self._last(last_days).get(place)


class _OnceMade:
    """The day of his last purchase by column, made when an item is met that looks at it."""

    __slots__ = ("__dict__", "_last_days")

    def __init__(self, last_days: LastDays) -> None:
        self._last_days = last_days

    @cached_property
    def by_column(self) -> Mapping[int, int]:
        columns, days = self._last_days
        return dict(zip(columns.tolist(), days.tolist(), strict=True))


def _marked(columns: Collection[int]) -> NDArray[np.bool_]:
    """True at these columns; one longer than the largest of them needs."""
    marks = np.zeros(max(columns, default=-1) + 2, np.bool_)
    marks[list(columns)] = True
    return marks


def _pairs(
    attached: Attachments, limited: list[tuple[int, CustomerRecency]], at: str
) -> Iterator[tuple[int, int]]:
    """The (column, item row) pairs of items whose term looks at this kind of column."""
    rows = {row for row, term in limited if term.at == at}
    for column, item in zip(
        attached.column_of_each().tolist(), attached.items.tolist(), strict=True
    ):
        if item in rows:
            yield column, item
