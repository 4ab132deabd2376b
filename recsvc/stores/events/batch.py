"""A batch of events in the words of the script that takes it in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self

import orjson

from embeddings.interactions import EventType
from recsvc.domain.lifecycle import EventRecord
from recsvc.domain.lifecycle.dismissals import takes
from recsvc.domain.lifecycle.offers import Concern
from recsvc.domain.lifecycle.records import Told
from recsvc.domain.moment import microseconds
from recsvc.stores.connection.scripts import Argument
from recsvc.stores.events.codec import encode_event, encode_word
from recsvc.stores.events.ledger import Commit, items_arguments

SERVED, DISMISSED, ACTIVATED = EventType.SERVED, EventType.DISMISSED, EventType.ACTIVATED
ACTIVATES = 3
"""Beside the numbers of `Concern`, for the script: an event that may, and is an activation."""
KINDS, OLD_KINDS = "0123", "abcd"
"""The script's letter for each of these numbers, and that of an event whose id may be forgotten."""
SURELY_KNOWN = timedelta(weeks=4)
"""What occurred no longer ago came no longer ago either, clocks apart; ids are known for five."""


class Arrival(NamedTuple):
    """An event on its way in.

    Parameters
    ----------
    cardholder_id : str
    told : Told
    occurred_at : datetime
        The admitted instant.
    entry : bytes
        The event as the stream and the archive keep it.
    lasts_until : datetime, optional
        Until when a dismissal holds.
    """

    cardholder_id: str
    told: Told
    occurred_at: datetime
    entry: bytes
    lasts_until: datetime | None = None

    @property
    def record(self) -> EventRecord:
        """What is kept of the event; made anew each time."""
        return EventRecord.of(self.told, self.occurred_at)

    @property
    def is_replaced(self) -> bool:
        """Whether only the last such word on an item is kept, not the event."""
        kind = self.told.event_type
        return kind is SERVED or kind is DISMISSED


@dataclass(frozen=True, slots=True)
class Batch:
    """Events, the cardholders they are of, and what is to be committed with them.

    Parameters
    ----------
    arrivals : sequence of Arrival
    concerns : sequence of Concern     one an event
    commits : sequence of Commit       of different cardholders
    numbers : mapping of str to int    cardholders, from 1 in order of their first events
    """

    arrivals: Sequence[Arrival]
    concerns: Sequence[Concern]
    commits: Sequence[Commit]
    numbers: Mapping[str, int]

    @classmethod
    def of(
        cls, arrivals: Sequence[Arrival], concerns: Sequence[Concern], commits: Sequence[Commit]
    ) -> Self:
        """Batch of these events."""
        cardholder_ids = dict.fromkeys(one.cardholder_id for one in arrivals)
        return cls(arrivals, concerns, commits, {one: n for n, one in enumerate(cardholder_ids, 1)})

    def columns(self, holder: str, now: datetime, hashes: Sequence[str]) -> list[bytes | str]:
        """What the script is told of cardholders, events and commits, as of an aware instant.

        Parameters
        ----------
        holder : what the key of a cardholder begins with
        now : datetime, aware
        hashes : of the cardholders, of 32 characters each, in the order of their numbers
        """
        arrivals, numbers, oldest = self.arrivals, self.numbers, now - SURELY_KNOWN
        changes = [
            _change(one, concern, oldest)
            for one, concern in zip(arrivals, self.concerns, strict=True)
        ]
        of_whom = [numbers[one.cardholder_id] for one in arrivals]
        kinds, firsts, seconds, taken = zip(*changes, strict=True)
        return [
            orjson.dumps([holder + one for one in numbers]),
            "".join(hashes),
            orjson.dumps([one.told.event_id for one in arrivals]),
            orjson.dumps(of_whom),
            "".join(kinds),
            orjson.dumps(firsts),
            b"\n".join([*seconds, b""]),
            orjson.dumps(self._words(Counter(of_whom))),
            orjson.dumps([word for n, of in enumerate(taken, 1) if of for word in (n, of)]),
            *[one.entry for one in arrivals],
        ]

    def _words(self, counts: Mapping[int, int]) -> list[Argument]:
        """What the script is told of the commits; counts of events by their cardholder's number."""
        told = list[Argument]()
        for commit in self.commits:
            number = self.numbers[commit.account.cardholder_id]
            own: list[Argument] = [number, counts[number], commit.account.revision]
            own += items_arguments(commit.entries)
            told += (len(own), *own)
        return told


def _change(arrival: Arrival, concern: Concern, oldest: datetime) -> tuple[str, str, bytes, str]:
    """What the event is to the script, two words more, and the field of the item it takes."""
    _, told, at, _, _ = arrival
    kind = told.event_type
    if kind is SERVED:
        return "g", f"s:{told.item_id}", b"%d" % microseconds(at), ""
    if kind is DISMISSED:
        return "w", f"d:{told.item_id}", encode_word(at, arrival.lasts_until or at).encode(), ""
    what = ACTIVATES if kind is ACTIVATED and concern else concern
    taken = f"d:{told.item_id}" if takes(kind) else ""
    before, after = encode_event(told, at)
    return (OLD_KINDS if at < oldest else KINDS)[what], before, after, taken
