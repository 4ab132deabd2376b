"""One instant as the rules need it: in UTC for windows, in the issuer's zone for days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Self

from embeddings.catalog import Period

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DATE = date(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
BEFORE_ALL = -(2**62)
AFTER_ALL = 2**62


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, exactly."""
    return (instant - EPOCH) // MICROSECOND


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH_DATE).days


@dataclass(frozen=True, slots=True)
class Moment:
    """When a question is asked.

    Parameters
    ----------
    at : datetime
        Aware.
    microsecond : int     since 1970-01-01 UTC
    utc_day : int         days since 1970-01-01 UTC
    local_day : date      in the issuer's zone
    """

    at: datetime
    microsecond: int
    utc_day: int
    local_day: date

    @classmethod
    def of(cls, now: datetime, zone: tzinfo) -> Self:
        """Moment of an instant; ValueError when it has no zone of its own."""
        if now.tzinfo is None:
            raise ValueError("now: has no zone; give an aware instant")
        since = microseconds(now)
        return cls(now, since, since // 86_400_000_000, now.astimezone(zone).date())

    @property
    def weekday(self) -> int:
        """1 for Monday to 7 for Sunday, in the issuer's zone."""
        return self.local_day.isoweekday()


def period_start(period: Period, day: date) -> int:
    """First day of the period that a day is in, in days since 1970-01-01 of the same zone.

    Weeks begin on Monday; ``TOTAL`` began before every day.
    """
    if period is Period.TOTAL:
        return BEFORE_ALL
    if period is Period.WEEK:
        return day_number(day) - day.weekday()
    if period is Period.MONTH:
        day = day.replace(day=1)
    elif period is Period.YEAR:
        day = day.replace(month=1, day=1)
    return day_number(day)
