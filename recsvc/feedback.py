"""Assembles what follows an answer: events, activations, budgets and the cardholder's rights."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from recsvc.api.activations import activation_routes
from recsvc.api.audit import audit_routes
from recsvc.api.events import event_routes
from recsvc.api.http.auth import Gate
from recsvc.api.http.cursors import Cursors
from recsvc.api.http.idempotency import OnceOnly
from recsvc.api.http.routing import Routes
from recsvc.api.notice import notice_routes
from recsvc.api.rights import RightsDesk, rights_routes
from recsvc.domain.model import ModelSlot
from recsvc.domain.recommender import Recommender
from recsvc.ledger.activating import Activator
from recsvc.ledger.budget_watch import BudgetWatch
from recsvc.ledger.intake import Intake
from recsvc.ledger.settling import OfferBooks, Settler
from recsvc.metrics import Metrics
from recsvc.settings import Settings
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.events.budget_sums import BudgetSums
from recsvc.stores.people.notice import NoticeStore
from recsvc.stores.rights.erasure import ErasureStore
from recsvc.stores.rights.export import ExportStore
from recsvc.stores.rights.sweeping import Sweeper
from recsvc.upkeep.shelves import Shelves
from recsvc.upkeep.watcher import Round


@dataclass(frozen=True, slots=True)
class Feedback:
    """The parts that take back what became of an answer."""

    settings: Settings
    stores: Stores
    slot: ModelSlot
    recommender: Recommender
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
        recommender: Recommender,
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> Self:
        """Assemble; starts nothing."""
        books = OfferBooks(slot)
        settler = Settler(stores.ledger, books, clock, recommender.zone)
        return cls(settings, stores, slot, recommender, clock, metrics, books, settler)

    def routes(self, gate: Gate, shelves: Shelves) -> tuple[Routes, ...]:
        """Endpoints; beside the shelves stands what was noted of the audit log."""
        limit, bulk = self.settings.body_limit_bytes, self.settings.bulk_body_limit_bytes
        stores, clock = self.stores, self.clock
        intake = Intake(stores.events, self.settler, self.books, clock, self.metrics)
        activator = Activator(
            slot=self.slot,
            states=stores.cardholders,
            ledger=stores.ledger,
            recommender=self.recommender,
            clock=clock,
        )
        once, cursors = OnceOnly(stores.idempotency), Cursors(self.settings.secret_bytes)
        audit = AuditLog(stores.writes, stores.deny_list, clock)
        return (
            event_routes(gate, intake, clock, self.metrics, self.recommender.key, bulk),
            activation_routes(gate, activator, stores.ledger, self.settler, once, limit),
            rights_routes(gate, self._rights(audit), limit),
            notice_routes(gate, NoticeStore(stores.durable), audit, clock, limit),
            audit_routes(gate, audit, shelves, cursors, limit),
        )

    def _rights(self, audit: AuditLog) -> RightsDesk:
        stores = self.stores
        return RightsDesk(
            slot=self.slot,
            cardholders=stores.cardholders,
            erasure=ErasureStore(
                stores.writes, stores.ledger, stores.deny_list, stores.idempotency
            ),
            export=ExportStore(
                stores.durable, Sweeper(stores.durable, stores.cache), stores.idempotency
            ),
            deny_list=stores.deny_list,
            audit=audit,
            clock=self.clock,
        )

    def rounds(self) -> tuple[Round, ...]:
        """What a worker's watcher looks after."""
        watch = BudgetWatch(
            self.stores.ledger,
            BudgetSums(self.stores.durable),
            self.slot,
            self.clock,
            self.recommender.zone,
        )
        return (
            Round("budgets", self.settings.catalog_poll_seconds, watch.follow),
            Round("settling", 1.0, self.sweep),
        )

    def sweep(self) -> None:
        """Settle what lapsed, and what a killed worker left, for every issuer served."""
        for issuer_id in self.slot.issuers():
            self.settler.sweep(issuer_id)
