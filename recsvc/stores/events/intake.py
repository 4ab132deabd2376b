"""Takes events in: one script a batch; what it acknowledged is in the durable store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from embeddings.erasure import erased_hashes
from recsvc.domain.errors import StoreFullError
from recsvc.domain.lifecycle import EventRecord
from recsvc.domain.lifecycle.offers import Concern
from recsvc.domain.moment import microseconds
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.denylist import DenyList
from recsvc.stores.events.batch import Arrival, Batch
from recsvc.stores.events.codec import KEPT_EVENTS, KEPT_VIEWS, Fields
from recsvc.stores.events.ledger import Account, Commit, account_of
from recsvc.stores.events.take_script import EVENTS_TAKE
from recsvc.stores.keys.cardholders import CARDHOLDER, ERASED, UNSETTLED, USES_DUE
from recsvc.stores.keys.catalog import BUDGET, BUDGETS_SPENT
from recsvc.stores.keys.events import EVENTS, EVENTS_SEEN
from recsvc.stores.keys.family import WEEK_SECONDS

LONGEST_BACKLOG = 1_000_000


class Taken(StrEnum):
    """What became of an event; one that counts may change a use of its cardholder."""

    ACCEPTED = "accepted"
    ACCEPTED_AND_COUNTS = "counts"
    DUPLICATE = "duplicate"
    ERASED = "erased"


SHARED_KEYS = (EVENTS, UNSETTLED, ERASED, USES_DUE, BUDGETS_SPENT)
WEEK_MS = 1000 * WEEK_SECONDS
WEEKS_ASKED = (0, 1, -1, -2, -3, -4, -5)
"""An event is known for at least five weeks; another worker's clock may be in the next one."""
ANSWERS = {2: Taken.ACCEPTED_AND_COUNTS, 1: Taken.ACCEPTED, 0: Taken.DUPLICATE, -1: Taken.ERASED}


@dataclass(frozen=True, slots=True)
class Intaken:
    """What became of a batch.

    Parameters
    ----------
    answers : tuple of Taken     one an event, in the order given
    accounts : tuple of Account  of those whose uses are yet to be settled, as they are now
    """

    answers: tuple[Taken, ...]
    accounts: tuple[Account, ...]


class EventStore:
    """The stream of events, and the recent ones of each cardholder.

    Parameters
    ----------
    durable : Connection
    deny_list : DenyList
    longest_backlog : events in the stream above which no more are taken
    """

    def __init__(
        self, durable: Connection, deny_list: DenyList, longest_backlog: int = LONGEST_BACKLOG
    ) -> None:
        self._durable = durable
        self._deny_list = deny_list
        self._longest_backlog = longest_backlog
        self._take = Script(EVENTS_TAKE)

    def foreseen(
        self, issuer_id: str, arrivals: Sequence[Arrival], concerns: Sequence[Concern]
    ) -> list[Account]:
        """Accounts of those whose uses these events may change, as they are once they are taken.

        In the order of their first events, in which they find room in budgets.

        Parameters
        ----------
        issuer_id, arrivals, concerns : as for :meth:`take`

        Raises
        ------
        StoreAwayError
        """
        told: dict[str, Concern] = {}
        for one, concern in zip(arrivals, concerns, strict=True):
            known = told.setdefault(one.cardholder_id, concern)
            if concern > known:
                told[one.cardholder_id] = concern
        chosen = self._concerned(issuer_id, told)
        new: dict[str, list[EventRecord]] = {cardholder_id: [] for cardholder_id in chosen}
        for one in arrivals:
            if one.cardholder_id in new and not one.is_replaced:
                new[one.cardholder_id].append(one.record)
        hashes = self._read("HGETALL", issuer_id, chosen)
        return [
            account_of(cardholder_id, _fields(flat), new[cardholder_id])
            for cardholder_id, flat in zip(chosen, hashes, strict=True)
        ]

    def _concerned(self, issuer_id: str, told: Mapping[str, Concern]) -> list[str]:
        """Cardholders whom events concern always, or who activated something; in order told."""
        lax = [one for one, concern in told.items() if concern is Concern.IF_ACTIVATED]
        acts = self._read("HEXISTS", issuer_id, lax, "act")
        passive = {one for one, has_activated in zip(lax, acts, strict=True) if not has_activated}
        return [one for one, concern in told.items() if concern and one not in passive]

    def _read(
        self, command: str, issuer_id: str, cardholder_ids: Sequence[str], *words: str
    ) -> list[Any]:
        """Answers of a reading command on each cardholder's hash, in one round trip."""
        if not cardholder_ids:
            return []
        holder = CARDHOLDER.key(issuer_id, "")
        return self._durable.read_together(
            [(command, holder + cardholder_id, *words) for cardholder_id in cardholder_ids]
        )

    def take(
        self,
        issuer_id: str,
        arrivals: Sequence[Arrival],
        now: datetime,
        concerns: Sequence[Concern] = (),
        commits: Sequence[Commit] = (),
    ) -> Intaken:
        """Take events in, all or none; exact once by event id, in whatever order.

        An id is known for five weeks at least, and an event that comes again as it was for as
        long as it is kept of its cardholder.

        Parameters
        ----------
        issuer_id : str
        arrivals : sequence of Arrival
        now : datetime, aware
        concerns : sequence of Concern
            Whether each may change a use of an item; empty when none does.
        commits : sequence of Commit
            Of accounts that were foreseen. Carried out in the same stroke where that came true;
            the others' accounts are handed back, to be settled.

        Raises
        ------
        StoreAwayError
            No answer in time; whether they were taken is not known, so send them again.
        StoreFullError
            The store, or the stream, takes no more at present.
        """
        if not arrivals:
            return Intaken((), ())
        batch = Batch.of(arrivals, concerns or (Concern.NONE,) * len(arrivals), commits)
        keys, key = self._keys(issuer_id, now), self._deny_list.key_of(issuer_id)
        hashes = erased_hashes(key, batch.numbers)
        holder = CARDHOLDER.key(issuer_id, "")
        arguments = [*self._head(issuer_id, batch, now), *batch.columns(holder, now, hashes)]
        found = self._durable.ask(lambda store: self._take.run(store, keys, arguments))
        if found == b"backlog":
            raise StoreFullError(self._durable.name, "backlog")
        answers, accounts = found
        cardholder_ids = list(batch.numbers)
        return Intaken(
            tuple(map(ANSWERS.__getitem__, answers)),
            tuple(
                account_of(cardholder_ids[number - 1], _fields(flat))
                for number, flat in zip(*[iter(accounts)] * 2, strict=True)
            ),
        )

    def _keys(self, issuer_id: str, now: datetime) -> list[str]:
        week = microseconds(now) // 1000 // WEEK_MS
        return [
            *(family.key(issuer_id) for family in SHARED_KEYS),
            *(EVENTS_SEEN.key(issuer_id, str(week + weeks)) for weeks in WEEKS_ASKED),
        ]

    def _head(self, issuer_id: str, batch: Batch, now: datetime) -> list[Argument]:
        """What the script is told before the columns."""
        commit = next(iter(batch.commits), None)
        return [
            self._longest_backlog,
            EVENTS_SEEN.ttl_seconds or 0,
            microseconds(now) // 1000,
            KEPT_EVENTS,
            KEPT_VIEWS,
            CARDHOLDER.key(issuer_id, ""),
            BUDGET.key(issuer_id, ""),
            commit.day if commit else "",
            microseconds(commit.day_ends_at) // 1000 if commit else "",
        ]


def _fields(flat: Sequence[bytes]) -> Fields:
    """A hash as the store's own protocol gives it: name, value, name, value and so on."""
    return dict(zip(*[iter(flat)] * 2, strict=True))
