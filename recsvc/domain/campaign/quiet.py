"""When nobody is disturbed: hours of the cardholder's own clock, 21:00 to 08:00 unless told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

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

        Quiet hours end when the wall clock shows ``ends``: once on most days, twice where the clock
        is set back over it, and with the leap itself where it is set forward over it.
        """
        if not self.silence(at, zone):
            return at
        found = min(end for end in self._ends_after(at, zone) if not self.silence(end, zone))
        while found - _STEP >= at and not self.silence(found - _STEP, zone):
            found -= _STEP
        return found

    def _ends_after(self, at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Instants after ``at`` at which the wall clock shows, or leaps over, ``ends``."""
        day = at.astimezone(zone).date()
        for later in range(3):
            local = datetime.combine(day + timedelta(days=later), self.ends, zone)
            first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
            leaps = (_leap(second, first, zone),) if second < first else ()
            yield from (end for end in (first, second, *leaps) if end > at)


def _leap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant, to the minute, at which a clock that is set forward between two is set."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > _STEP:
        middle = before + (after - before) // _STEP // 2 * _STEP
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after
