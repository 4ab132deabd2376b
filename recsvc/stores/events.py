"""Takes events in: one script a batch; what it acknowledged is in the durable store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from embeddings.interactions import EventType
from recsvc.domain.eligibility.moment import microseconds
from recsvc.domain.errors import StoreFullError
from recsvc.domain.lifecycle import EventRecord
from recsvc.domain.lifecycle.offers import Concern
from recsvc.stores.client import Connection
from recsvc.stores.denylist import DenyList
from recsvc.stores.event_codec import KEPT_EVENTS, encode_record
from recsvc.stores.event_scripts import EVENTS_TAKE
from recsvc.stores.keys import CARDHOLDER, ERASED, EVENT_SEEN, EVENTS, UNSETTLED
from recsvc.stores.scripts import Argument, Script

LONGEST_BACKLOG = 1_000_000


class Taken(StrEnum):
    """What became of an event; one that counts may change a use of its cardholder."""

    ACCEPTED = "accepted"
    ACCEPTED_AND_COUNTS = "counts"
    DUPLICATE = "duplicate"
    ERASED = "erased"


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
    concern : Concern
        Whether it may change a use of an item.
    """

    cardholder_id: str
    record: EventRecord
    entry: bytes
    lasts_until: datetime | None = None
    concern: Concern = Concern.NONE


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

    def take(self, issuer_id: str, arrivals: Sequence[Arrival], now: datetime) -> tuple[Taken, ...]:
        """Take events in, all or none; exact once by event id, in whatever order.

        Raises
        ------
        StoreAwayError
            No answer in time; whether they were taken is not known, so send them again.
        StoreFullError
            The store, or the stream, takes no more at present.
        """
        if not arrivals:
            return ()
        keys, arguments = self._call(issuer_id, arrivals, now)
        answers = self._durable.ask(lambda store: self._take.run(store, keys, arguments))
        if answers == b"backlog":
            raise StoreFullError(self._durable.name, "backlog")
        return tuple(ANSWERS[answer] for answer in answers)

    def _call(
        self, issuer_id: str, arrivals: Sequence[Arrival], now: datetime
    ) -> tuple[list[str], list[Argument]]:
        """Keys and arguments of the script."""
        number = {one: i for i, one in enumerate(dict.fromkeys(a.cardholder_id for a in arrivals))}
        keys = [EVENTS.key(issuer_id), UNSETTLED.key(issuer_id), ERASED.key(issuer_id)]
        keys += [CARDHOLDER.key(issuer_id, cardholder_id) for cardholder_id in number]
        keys += [EVENT_SEEN.key(issuer_id, arrival.record.event_id) for arrival in arrivals]
        ttl = EVENT_SEEN.ttl_seconds or 0
        arguments: list[Argument] = [
            self._longest_backlog,
            ttl,
            microseconds(now) // 1000,
            KEPT_EVENTS,
            len(number),
        ]
        for cardholder_id in number:
            arguments += (self._deny_list.hash_of(issuer_id, cardholder_id), cardholder_id)
        for arrival in arrivals:
            arguments += (number[arrival.cardholder_id] + 1, arrival.entry, *_merge(arrival))
            arguments.append(_concern(arrival))
        return keys, arguments


def _concern(arrival: Arrival) -> int:
    """The script's number for it; an activation is remembered as one."""
    is_activation = arrival.record.event_type is EventType.ACTIVATED
    return 3 if is_activation and arrival.concern else int(arrival.concern)


def _merge(arrival: Arrival) -> tuple[Argument, ...]:
    """Field, how it merges, and what stands before and after the position."""
    record = arrival.record
    if record.event_type is EventType.SERVED:
        return f"s:{record.item_id}", "max", microseconds(record.occurred_at), ""
    if record.event_type is EventType.DISMISSED:
        until = arrival.lasts_until or record.occurred_at
        return f"d:{record.item_id}", "max", microseconds(until), ""
    before, after = encode_record(record)
    return f"e:{record.event_id}", "set", before, after
