"""Takes events in and lets them count: uses of items that follow are written in the same stroke.

What a batch comes to is worked out from the accounts as they were just read; who changed between
the reading and the taking is settled afterwards. So a batch costs the store one write to its disk.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from recsvc.domain.errors import StoreAwayError
from recsvc.ledger.settling import OfferBooks, Settler
from recsvc.metrics import Metrics
from recsvc.stores.events.batch import Arrival
from recsvc.stores.events.intake import EventStore, Taken
from recsvc.stores.events.ledger import Account


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

    def take(self, issuer_id: str, arrivals: Sequence[Arrival]) -> tuple[Taken, ...]:
        """Take events in; what is answered is in the durable store.

        Raises
        ------
        StoreAwayError
            None of them may have been taken; send all again.
        """
        book = self._books.of(issuer_id)
        if book is None:
            return self._events.take(issuer_id, arrivals, self._clock()).answers
        concerns = [book.concern(one.told) for one in arrivals]
        foreseen = self._events.foreseen(issuer_id, arrivals, concerns)
        commits = self._settler.commits_of(foreseen, book)
        taken = self._events.take(issuer_id, arrivals, self._clock(), concerns, commits)
        self._settle(issuer_id, taken.accounts)
        return taken.answers

    def _settle(self, issuer_id: str, accounts: Sequence[Account]) -> None:
        """Settle who changed meanwhile; when the store goes away now they are settled later."""
        try:
            self._settler.settle_these(issuer_id, accounts)
        except StoreAwayError:
            self._metrics.happened("settling_postponed")
