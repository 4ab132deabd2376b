"""Takes events in: one script a batch; what it acknowledged is in the durable store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import repeat

from embeddings.erasure import erased_hash
from embeddings.interactions import EventType
from recsvc.domain.eligibility.moment import microseconds
from recsvc.domain.errors import StoreFullError
from recsvc.domain.lifecycle import EventRecord
from recsvc.domain.lifecycle.offers import Concern
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.events.codec import KEPT_EVENTS, KEPT_VIEWS, encode_record
from recsvc.stores.events.ledger import Account, account_of
from recsvc.stores.events.scripts import EVENTS_TAKE
from recsvc.stores.keys.cardholders import CARDHOLDER, ERASED, UNSETTLED
from recsvc.stores.keys.events import EVENTS, EVENTS_SEEN
from recsvc.stores.keys.family import WEEK_SECONDS
from recsvc.stores.rights.denylist import DenyList

LONGEST_BACKLOG = 1_000_000


class Taken(StrEnum):
    """What became of an event; one that counts may change a use of its cardholder."""

    ACCEPTED = "accepted"
    ACCEPTED_AND_COUNTS = "counts"
    DUPLICATE = "duplicate"
    ERASED = "erased"


SERVED, DISMISSED, ACTIVATED = EventType.SERVED, EventType.DISMISSED, EventType.ACTIVATED
ACTIVATES = 3
"""Beside the numbers of `Concern`, for the script: an event that may, and is an activation."""
WEEK_MS = 1000 * WEEK_SECONDS
WEEKS_ASKED = (0, 1, -1, -2, -3, -4, -5)
"""An event is known for at least five weeks; another worker's clock may be in the next one."""
ANSWERS = {2: Taken.ACCEPTED_AND_COUNTS, 1: Taken.ACCEPTED, 0: Taken.DUPLICATE, -1: Taken.ERASED}


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event on its way in.

    Parameters
    ----------
    cardholder_id : str
    record : EventRecord
    entry : bytes
        The event as the stream and the archive keep it.
    lasts_until : datetime, optional
        Until when a dismissal holds.
    """

    cardholder_id: str
    record: EventRecord
    entry: bytes
    lasts_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Intaken:
    """What became of a batch.

    Parameters
    ----------
    answers : tuple of Taken     one an event, in the order given
    accounts : tuple of Account  of those cardholders whose uses may change, as they are now
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

    def take(
        self,
        issuer_id: str,
        arrivals: Sequence[Arrival],
        now: datetime,
        concerns: Sequence[Concern] = (),
    ) -> Intaken:
        """Take events in, all or none; exact once by event id, in whatever order.

        Parameters
        ----------
        issuer_id : str
        arrivals : sequence of Arrival
        now : datetime, aware
        concerns : sequence of Concern
            Whether each may change a use of an item; empty when none does.

        Raises
        ------
        StoreAwayError
            No answer in time; whether they were taken is not known, so send them again.
        StoreFullError
            The store, or the stream, takes no more at present.
        """
        if not arrivals:
            return Intaken((), ())
        cardholder_ids = list(dict.fromkeys(arrival.cardholder_id for arrival in arrivals))
        keys = self._keys(issuer_id, cardholder_ids, now)
        arguments = self._arguments(issuer_id, cardholder_ids, now)
        number = {one: place for place, one in enumerate(cardholder_ids, 1)}
        for one, concern in zip(arrivals, concerns or repeat(Concern.NONE), strict=False):
            arguments += (one.record.event_id, number[one.cardholder_id], one.entry)
            arguments += _change(one, concern)
        found = self._durable.ask(lambda store: self._take.run(store, keys, arguments))
        if found == b"backlog":
            raise StoreFullError(self._durable.name, "backlog")
        answers, accounts = found
        return Intaken(
            tuple(ANSWERS[answer] for answer in answers),
            tuple(
                account_of(cardholder_ids[number - 1], dict(zip(*[iter(flat)] * 2, strict=True)))
                for number, flat in zip(*[iter(accounts)] * 2, strict=True)
            ),
        )

    def _keys(self, issuer_id: str, cardholder_ids: Sequence[str], now: datetime) -> list[str]:
        week = microseconds(now) // 1000 // WEEK_MS
        holder = CARDHOLDER.key(issuer_id, "")
        return [
            EVENTS.key(issuer_id),
            UNSETTLED.key(issuer_id),
            ERASED.key(issuer_id),
            *(EVENTS_SEEN.key(issuer_id, str(week + weeks)) for weeks in WEEKS_ASKED),
            *(holder + cardholder_id for cardholder_id in cardholder_ids),
        ]

    def _arguments(
        self, issuer_id: str, cardholder_ids: Sequence[str], now: datetime
    ) -> list[Argument]:
        """What the script is told before the events."""
        arguments: list[Argument] = [
            self._longest_backlog,
            EVENTS_SEEN.ttl_seconds or 0,
            microseconds(now) // 1000,
            KEPT_EVENTS,
            KEPT_VIEWS,
            len(WEEKS_ASKED),
            len(cardholder_ids),
            len(CARDHOLDER.key(issuer_id, "")),
        ]
        key = self._deny_list.key_of(issuer_id)
        arguments += [erased_hash(key, cardholder_id) for cardholder_id in cardholder_ids]
        return arguments


def _change(arrival: Arrival, concern: Concern) -> tuple[Argument, ...]:
    """What the event is to the script, and two words more."""
    record = arrival.record
    if record.event_type is SERVED:
        return "max", f"s:{record.item_id}", microseconds(record.occurred_at)
    if record.event_type is DISMISSED:
        until = arrival.lasts_until or record.occurred_at
        return "max", f"d:{record.item_id}", microseconds(until)
    if record.event_type is ACTIVATED and concern:
        return ACTIVATES, *encode_record(record)
    return int(concern), *encode_record(record)
