"""Makes the ledger of uses what the cardholders' events say it is.

Reads an account, lets the domain decide, commits against the revision that was read, and starts
again when something came between. Settling twice is settling once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo

from embeddings.catalog import Item
from recsvc.domain.budgets import BudgetLimits
from recsvc.domain.lifecycle import Past, uses_of
from recsvc.domain.lifecycle.offers import OfferBook
from recsvc.domain.model import ModelSlot
from recsvc.domain.moment import day_number
from recsvc.stores.events.ledger import Account, Commit, Committed, Entry, LedgerStore

ATTEMPTS = 8
SWEEP = 200


@dataclass(frozen=True, slots=True, eq=False)
class Book(OfferBook):
    """An offer book with the limits of its items, each worked out when it is first asked for."""

    limits: dict[str, BudgetLimits] = field(default_factory=dict)

    def limits_of(self, item: Item) -> BudgetLimits:
        """Limits of an item of this catalogue."""
        found = self.limits.get(item.item_id)
        if found is None:
            found = self.limits[item.item_id] = BudgetLimits.of(item)
        return found


class OfferBooks:
    """The offer book of each issuer's present catalogue, compiled once a catalogue."""

    def __init__(self, slot: ModelSlot) -> None:
        self._slot = slot
        self._books: dict[str, tuple[str, Book]] = {}

    def of(self, issuer_id: str) -> Book | None:
        """Book of an issuer; None while no catalogue is loaded."""
        model = self._slot.current(issuer_id)
        if model is None:
            return None
        version, book = self._books.get(issuer_id, ("", None))
        if book is None or version != model.catalog_version:
            book = Book.of(model.catalog)
            self._books[issuer_id] = (model.catalog_version, book)
        return book


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the issuer's zone: its number since 1970-01-01 and its end."""

    number: int
    ends_at: datetime

    @classmethod
    def of(cls, now: datetime, zone: tzinfo) -> "Day":
        """Day in which an instant lies."""
        local = now.astimezone(zone).date()
        ends_at = datetime.combine(local + timedelta(days=1), time(), zone)
        return cls(day_number(local), ends_at)


class Settler:
    """Settles cardholders.

    Parameters
    ----------
    ledger : LedgerStore
    books : OfferBooks
    clock : aware now
    zone : the issuers' zone
    """

    def __init__(
        self,
        ledger: LedgerStore,
        books: OfferBooks,
        clock: Callable[[], datetime],
        zone: tzinfo,
    ) -> None:
        self._ledger = ledger
        self._books = books
        self._clock = clock
        self._zone = zone

    def settle(self, issuer_id: str, cardholder_ids: Iterable[str]) -> int:
        """Settle cardholders; returns how many could not be, because they kept changing.

        Raises
        ------
        StoreAwayError
            what is not settled then stays marked, and is swept up later
        """
        return self.settle_these(
            issuer_id, self._ledger.accounts(issuer_id, sorted(set(cardholder_ids)))
        )

    def settle_these(self, issuer_id: str, accounts: Sequence[Account]) -> int:
        """Settle accounts as they were just read; those that moved meanwhile are read again.

        Returns and raises as :meth:`settle`.
        """
        book = self._books.of(issuer_id)
        if book is None:
            return len(accounts)
        for _ in range(ATTEMPTS):
            if not accounts:
                return 0
            commits = self.commits_of(accounts, book)
            done = self._ledger.commit(issuer_id, commits)
            moved = [
                one.cardholder_id
                for one, did in zip(accounts, done, strict=True)
                if did is Committed.MOVED
            ]
            accounts = self._ledger.accounts(issuer_id, moved)
        return len(accounts)

    def commits_of(self, accounts: Sequence[Account], book: Book) -> list[Commit]:
        """The change that makes each account what its events say."""
        now = self._clock()
        day = Day.of(now, self._zone)
        return [
            Commit(
                account=account,
                entries=self._entries(account, book, now),
                day=day.number,
                day_ends_at=day.ends_at,
                is_whole=True,
            )
            for account in accounts
        ]

    def _entries(self, account: Account, book: Book, now: datetime) -> Sequence[Entry]:
        """Uses of every item that his events or his record tell of, where they changed."""
        past = Past.of(account.records)
        entries = []
        for item in book.touched(account.records, account.uses):
            recorded = account.uses.get(item.item_id, ())
            uses = uses_of(item, account.profile, past, now, zone=self._zone, recorded=recorded)
            if uses != recorded:
                entries.append(Entry(item.item_id, book.limits_of(item), uses))
        if account.uses:
            entries += _lapsed(account, book, now)
        return entries

    def sweep(self, issuer_id: str) -> int:
        """Settle those whose uses lapsed, or whom a killed worker left; returns how many."""
        due = self._ledger.due(issuer_id, self._clock(), SWEEP)
        if due:
            self.settle(issuer_id, due)
        return len(due)


def _lapsed(account: Account, book: OfferBook, now: datetime) -> Iterator[Entry]:
    """What lapsed of items that the catalogue no longer has; nothing of them is earned any more.

    Else it would stay due for ever, and those who come after it would never be swept.
    """
    for item_id, recorded in account.uses.items():
        if book.catalog.get(item_id) is None:
            live = tuple(use for use in recorded if use.until is None or now < use.until)
            if live != recorded:
                yield Entry(item_id, BudgetLimits.none(), live)
