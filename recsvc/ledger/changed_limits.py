"""Budgets whose limits were changed: whether they have room is looked at anew.

The ledger marks a budget as used up when something is taken from it or given back, by the limits of
that moment. When a marketer raises or lowers a limit nothing is taken, so the mark stays what it
was; here it is overruled until the ledger's own mark agrees.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice

from embeddings.catalog import Catalog, Item
from recsvc.domain.budgets import BudgetLimits, Spent

A_TURN = 1000
"""Budgets asked for at a look: with twenty thousand, each has its turn every ten seconds."""
LATE = timedelta(seconds=5)
"""So long another worker may still count by the limits that were."""


class ChangedLimits:
    """The changed limits of one issuer; call :meth:`follow` and then :meth:`judge`."""

    def __init__(self) -> None:
        self._catalog: Catalog | None = None
        self._limited: dict[str, Item] = {}
        self._doubts: dict[str, datetime] = {}
        self._open: set[str] = set()
        self._shut: set[str] = set()

    def follow(self, catalog: Catalog, now: datetime) -> None:
        """Find what a new catalogue changed; of the first one everything is looked at."""
        if catalog is self._catalog:
            return
        limited = {item.item_id: item for item in catalog.items if item.budget is not None}
        for item_id, item in limited.items():
            if _is_changed(self._limited.get(item_id), item):
                self._doubts[item_id] = now + LATE
        self._catalog, self._limited = catalog, limited
        for gone in self._doubts.keys() - limited.keys():
            del self._doubts[gone]

    def turn(self) -> Sequence[str]:
        """Ids of the items whose sums :meth:`judge` wants."""
        return tuple(islice(self._doubts, A_TURN))

    def judge(
        self,
        marked: frozenset[str],
        sums: Sequence[tuple[Spent, Spent]],
        now: datetime,
    ) -> frozenset[str]:
        """Items without room.

        Parameters
        ----------
        marked : items that the ledger says are used up
        sums : taken in total and today, of the items of this turn
        now : datetime, aware
        """
        for item_id, (total, today) in zip(self.turn(), sums, strict=True):
            has_room = BudgetLimits.of(self._limited[item_id]).has_room(total, today)
            self._weigh(item_id, has_room=has_room, is_marked=item_id in marked, now=now)
        return frozenset(
            item_id for item_id in (marked - self._open) | self._shut if item_id in self._limited
        )

    def _weigh(self, item_id: str, *, has_room: bool, is_marked: bool, now: datetime) -> None:
        """Overrule a mark that is wrong, and look again; trust one that is right by now."""
        until = self._doubts.pop(item_id)
        self._open.discard(item_id)
        self._shut.discard(item_id)
        if has_room is is_marked:
            (self._open if has_room else self._shut).add(item_id)
        if has_room is is_marked or now < until:
            self._doubts[item_id] = until


def _is_changed(before: Item | None, item: Item) -> bool:
    """Whether an item is limited otherwise than before."""
    if before is item:
        return False
    return before is None or BudgetLimits.of(before) != BudgetLimits.of(item)
