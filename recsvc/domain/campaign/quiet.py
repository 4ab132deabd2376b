"""When nobody is disturbed: hours of the cardholder's own clock, 21:00 to 08:00 unless told."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from recsvc.domain.errors import InvalidError

DEFAULT_ZONE = "Asia/Shanghai"
_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A daily span ``[from, until)`` of local time; over midnight when ``until`` is earlier.

    Parameters
    ----------
    starts, ends : time   whole minutes without a zone; equal for no quiet hours at all
    """

    starts: time = time(21)
    ends: time = time(8)

    def __post_init__(self) -> None:
        """Refuse times with a zone or with seconds."""
        for moment in (self.starts, self.ends):
            if moment.tzinfo is not None or moment.second or moment.microsecond:
                raise ValueError(f"quiet_hours: {moment} must be hours and minutes without a zone")

    def cover(self, local: time) -> bool:
        """Whether a local time of day is quiet."""
        if self.starts <= self.ends:
            return self.starts <= local < self.ends
        return local >= self.starts or local < self.ends

    def silence(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether an aware instant is quiet for a cardholder of this zone."""
        return self.cover(at.astimezone(zone).time().replace(fold=0))

    def next_sending_at(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The first instant from ``at`` on that is not quiet, in UTC.

        Found on the wall clock, then walked by the minute, so that a clock change that skips or
        repeats the hour is right.
        """
        if not self.silence(at, zone):
            return at
        local = at.astimezone(zone)
        day = local.date() + timedelta(days=1 if local.time() >= self.ends else 0)
        found = datetime.combine(day, self.ends, zone).astimezone(UTC)
        while self.silence(found, zone):
            found += _STEP
        return found


def zone_of(name: str | None) -> ZoneInfo:
    """Zone of an IANA name; the default for none.

    Raises
    ------
    InvalidError
        No such zone.
    """
    try:
        return ZoneInfo(name or DEFAULT_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidError("zone", "is no zone of the IANA table, such as Asia/Shanghai") from None
