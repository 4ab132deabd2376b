"""Brings used-up and too fast used budgets into a worker's lists; runs in its watcher's thread."""

from collections.abc import Callable
from datetime import datetime

from embeddings.catalog import Catalog
from recsvc.domain.budgets import is_ahead_of_pace
from recsvc.domain.model import Item, ModelSlot, ServingModel
from recsvc.stores.ledger import LedgerStore


class BudgetWatch:
    """Leaves items without budget, or ahead of their pace, out of lists.

    An activation asks the ledger itself, which is exact; this only keeps such items from being
    shown.

    Parameters
    ----------
    ledger : LedgerStore
    slot : the models that serve
    clock : aware now
    """

    def __init__(self, ledger: LedgerStore, slot: ModelSlot, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._slot = slot
        self._clock = clock
        self._paced: dict[str, tuple[Catalog, tuple[Item, ...]]] = {}

    def follow(self) -> None:
        """Look once at the budgets of every issuer served."""
        for issuer_id in self._slot.issuers():
            model = self._slot.current(issuer_id)
            if model is not None:
                self._follow(issuer_id, model)

    def _follow(self, issuer_id: str, model: ServingModel) -> None:
        now = self._clock()
        resting = self._ledger.exhausted(issuer_id, now) | self._ahead(issuer_id, model, now)
        if resting != model.tables.exhausted:
            self._slot.swap(model.with_exhausted(resting))

    def _ahead(self, issuer_id: str, model: ServingModel, now: datetime) -> frozenset[str]:
        """Items whose budget is used faster than their window passes."""
        paced = self._paced_of(issuer_id, model)
        if not paced:
            return frozenset()
        spent = self._ledger.spent(issuer_id, [item.item_id for item in paced])
        return frozenset(
            item.item_id
            for item, used in zip(paced, spent, strict=True)
            if is_ahead_of_pace(item, used, now)
        )

    def _paced_of(self, issuer_id: str, model: ServingModel) -> tuple[Item, ...]:
        """Items with a total budget; looked for once in each catalogue, as it may be large."""
        kept = self._paced.get(issuer_id)
        if kept is None or kept[0] is not model.catalog:
            items = model.catalog.items
            found = tuple(item for item in items if item.budget and item.budget.total)
            kept = self._paced[issuer_id] = (model.catalog, found)
        return kept[1]
