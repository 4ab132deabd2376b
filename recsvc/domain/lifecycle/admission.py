"""Which events are taken: what their instants must be like.

A clock that runs ahead by less than :data:`LEEWAY` is forgiven and its instants are set to now;
one further ahead is refused, as are instants from before anything could still come of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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
class Admission:
    """The instant that counts, or why there is none."""

    occurred_at: datetime
    refused: EventCode | None = None


def admit(occurred_at: datetime, now: datetime) -> Admission:
    """Judge the instant of an event.

    Parameters
    ----------
    occurred_at, now : aware
    """
    if occurred_at > now + LEEWAY:
        return Admission(occurred_at, EventCode.IN_FUTURE)
    if occurred_at < now - OLDEST:
        return Admission(occurred_at, EventCode.TOO_OLD)
    return Admission(min(occurred_at, now))
