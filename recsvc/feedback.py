"""Assembles what follows an answer: events, activations, budgets and the cardholder's rights."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from recsvc.api.auth import Gate
from recsvc.api.events import event_routes
from recsvc.api.routing import Routes
from recsvc.budget_watch import BudgetWatch
from recsvc.domain.model import ModelSlot
from recsvc.intake import Intake
from recsvc.metrics import Metrics
from recsvc.settings import Settings
from recsvc.settling import OfferBooks, Settler
from recsvc.stores.assembly import Stores
from recsvc.watcher import Round


@dataclass(frozen=True, slots=True)
class Feedback:
    """The parts that take back what became of an answer."""

    settings: Settings
    stores: Stores
    slot: ModelSlot
    clock: Callable[[], datetime]
    metrics: Metrics
    books: OfferBooks
    settler: Settler

    @classmethod
    def of(
        cls,
        settings: Settings,
        stores: Stores,
        slot: ModelSlot,
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> Self:
        """Assemble; starts nothing."""
        books, zone = OfferBooks(slot), ZoneInfo(settings.timezone)
        settler = Settler(stores.ledger, books, clock, zone)
        return cls(settings, stores, slot, clock, metrics, books, settler)

    def routes(self, gate: Gate) -> tuple[Routes, ...]:
        """Endpoints."""
        bulk = self.settings.bulk_body_limit_bytes
        intake = Intake(self.stores.events, self.settler, self.books, self.clock, self.metrics)
        return (event_routes(gate, intake, self.clock, self.metrics, bulk),)

    def rounds(self) -> tuple[Round, ...]:
        """What a worker's watcher looks after."""
        watch = BudgetWatch(self.stores.ledger, self.slot, self.clock)
        return (
            Round("budgets", self.settings.catalog_poll_seconds, watch.follow),
            Round("settling", 1.0, self.sweep),
        )

    def sweep(self) -> None:
        """Settle what lapsed, and what a killed worker left, for every issuer served."""
        for issuer_id in self.slot.issuers():
            self.settler.sweep(issuer_id)
