"""Which events are taken: what their instants must be like.

A clock that runs ahead by less than :data:`LEEWAY` is forgiven and its instants are set to now;
one further ahead is refused, as are instants from before anything could still come of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

LEEWAY = timedelta(minutes=5)
OLDEST = timedelta(days=2 * 365)


class EventCode(StrEnum):
    """Why an event was refused."""

    INVALID = "invalid_event"
    CARD_NUMBER = "pan_detected"
    RESIDENT_ID = "resident_id_detected"
    MOBILE_NUMBER = "mobile_number_detected"
    IN_FUTURE = "occurred_in_future"
    TOO_OLD = "occurred_too_long_ago"
    ERASED = "cardholder_erased"


@dataclass(frozen=True, slots=True)
class Door:
    """Which instants are let in now; build with :meth:`at`.

    Parameters
    ----------
    now, oldest, latest : datetime    aware; both ends are let in
    """

    now: datetime
    oldest: datetime
    latest: datetime

    @classmethod
    def at(cls, now: datetime) -> Self:
        """Door as it stands at an aware instant."""
        return cls(now, now - OLDEST, now + LEEWAY)

    def admit(self, occurred_at: datetime) -> datetime | EventCode:
        """The instant that counts for an event, or why it is refused.

        Parameters
        ----------
        occurred_at : aware
        """
        if occurred_at <= self.now:
            return occurred_at if occurred_at >= self.oldest else EventCode.TOO_OLD
        return self.now if occurred_at <= self.latest else EventCode.IN_FUTURE
