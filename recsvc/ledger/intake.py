"""Takes events in and lets them count: durable first, then the uses of items that follow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from embeddings.interactions import EventType
from recsvc.domain.errors import StoreAwayError
from recsvc.domain.lifecycle import EventRecord
from recsvc.domain.lifecycle.dismissals import dismissed_until
from recsvc.domain.lifecycle.offers import Concern
from recsvc.ledger.settling import OfferBooks, Settler
from recsvc.metrics import Metrics
from recsvc.stores.events import Arrival, EventStore, Taken


@dataclass(frozen=True, slots=True)
class Told:
    """An admitted event, whose it is, and what is kept of it for ever."""

    cardholder_id: str
    record: EventRecord
    entry: bytes
    reason: str | None = None


class Intake:
    """Where events enter.

    Parameters
    ----------
    events : EventStore
    settler : Settler
    books : OfferBooks
    clock : aware now
    metrics : Metrics
    """

    def __init__(
        self,
        events: EventStore,
        settler: Settler,
        books: OfferBooks,
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._events = events
        self._settler = settler
        self._books = books
        self._clock = clock
        self._metrics = metrics

    def take(self, issuer_id: str, told: Sequence[Told]) -> tuple[Taken, ...]:
        """Take events in; what is answered is in the durable store.

        Raises
        ------
        StoreAwayError
            None of them may have been taken; send all again.
        """
        arrivals = [self._arrival(issuer_id, one) for one in told]
        taken = self._events.take(issuer_id, arrivals, self._clock())
        pairs = zip(arrivals, taken, strict=True)
        self._settle(
            issuer_id,
            {a.cardholder_id for a, t in pairs if t is Taken.ACCEPTED_AND_COUNTS},
        )
        return taken

    def _arrival(self, issuer_id: str, one: Told) -> Arrival:
        book, record = self._books.of(issuer_id), one.record
        dismissed = record.event_type is EventType.DISMISSED
        return Arrival(
            one.cardholder_id,
            record,
            one.entry,
            dismissed_until(record.occurred_at, one.reason) if dismissed else None,
            Concern.NONE if book is None else book.concern(record),
        )

    def _settle(self, issuer_id: str, cardholder_ids: set[str]) -> None:
        """Let the events count; when the store goes away now they are kept and settled later."""
        if not cardholder_ids:
            return
        try:
            self._settler.settle(issuer_id, cardholder_ids)
        except StoreAwayError:
            self._metrics.happened("settling_postponed")
