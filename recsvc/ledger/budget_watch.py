"""Brings used-up and too fast used budgets into a worker's lists; runs in its watcher's thread."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from embeddings.catalog import Catalog, Item
from recsvc.domain.budgets import is_ahead_of_pace, is_paced
from recsvc.domain.model import ModelSlot, ServingModel
from recsvc.ledger.changed_limits import A_TURN, ChangedLimits
from recsvc.ledger.settling import Day
from recsvc.stores.events.budget_sums import BudgetSums
from recsvc.stores.events.ledger import LedgerStore


class BudgetWatch:
    """Leaves items without budget, or ahead of their pace, out of lists.

    An activation asks the ledger itself, which is exact; this only keeps such items from being
    shown.

    Parameters
    ----------
    ledger : LedgerStore
    sums : BudgetSums
    slot : the models that serve
    clock : aware now
    zone : the issuers' zone, in which the days of budgets are counted
    """

    def __init__(
        self,
        ledger: LedgerStore,
        sums: BudgetSums,
        slot: ModelSlot,
        clock: Callable[[], datetime],
        zone: tzinfo,
    ) -> None:
        self._ledger = ledger
        self._sums = sums
        self._slot = slot
        self._clock = clock
        self._zone = zone
        self._paced: dict[str, _Paced] = {}
        self._changed: dict[str, ChangedLimits] = {}

    def follow(self) -> None:
        """Look once at the budgets of every issuer served."""
        for issuer_id in self._slot.issuers():
            model = self._slot.current(issuer_id)
            if model is not None:
                self._follow(issuer_id, model)

    def _follow(self, issuer_id: str, model: ServingModel) -> None:
        now = self._clock()
        resting = self._used_up(issuer_id, model, now) | self._ahead(issuer_id, model, now)
        if resting != model.tables.exhausted:
            self._slot.refine(model, model.with_exhausted(resting))

    def _used_up(self, issuer_id: str, model: ServingModel, now: datetime) -> frozenset[str]:
        """Items whose budget has no room, by the limits of the catalogue that serves."""
        changed = self._changed.setdefault(issuer_id, ChangedLimits())
        changed.follow(model.catalog, now)
        day = Day.of(now, self._zone).number
        sums = self._sums.with_day(issuer_id, changed.turn(), day)
        return changed.judge(self._ledger.exhausted(issuer_id, now), sums, now)

    def _ahead(self, issuer_id: str, model: ServingModel, now: datetime) -> frozenset[str]:
        """Items whose budget is used faster than their window passes."""
        paced = self._paced_of(issuer_id, model)
        turn = paced.turn()
        spent = self._sums.totals(issuer_id, [item.item_id for item in turn])
        for item, used in zip(turn, spent, strict=True):
            if is_ahead_of_pace(item, used, now):
                paced.ahead.add(item.item_id)
            else:
                paced.ahead.discard(item.item_id)
        return frozenset(paced.ahead)

    def _paced_of(self, issuer_id: str, model: ServingModel) -> "_Paced":
        """What is paced of an issuer's catalogue; looked for once, as it may be large."""
        kept = self._paced.get(issuer_id)
        if kept is None or kept.catalog is not model.catalog:
            items = tuple(item for item in model.catalog.items if is_paced(item))
            before = kept.ahead if kept else set()
            kept = _Paced(model.catalog, items, before & {item.item_id for item in items})
            self._paced[issuer_id] = kept
        return kept


@dataclass(slots=True)
class _Paced:
    """Items of a catalogue with a budget to spread, and those found ahead of their pace.

    Parameters
    ----------
    catalog : Catalog
    items : tuple of Item
    ahead : set of str     as of each item's last turn
    next : int             place of the first item of the next turn
    """

    catalog: Catalog
    items: tuple[Item, ...]
    ahead: set[str]
    next: int = 0

    def turn(self) -> tuple[Item, ...]:
        """The items whose turn it is: all where they are few, the next thousand where many."""
        found = self.items[self.next : self.next + A_TURN]
        self.next = self.next + A_TURN if self.next + A_TURN < len(self.items) else 0
        return found
