"""When nobody is disturbed: hours of the cardholder's own clock, 21:00 to 08:00 unless told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_STEP = timedelta(minutes=1)
_DAYS = 3


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
        is set back over it; or with a leap of the clock, forward over it or back before ``starts``.
        """
        if not self.silence(at, zone):
            return at
        ends = (*self._ends(at, zone), *_leaps(at.replace(second=0, microsecond=0), zone))
        return min(end for end in ends if end > at and not self.silence(end, zone))

    def _ends(self, at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Instants about ``at`` and the days after it at which the wall clock shows ``ends``."""
        day = at.astimezone(zone).date()
        for later in range(_DAYS):
            local = datetime.combine(day + timedelta(days=later), self.ends, zone)
            yield from (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def _leaps(at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants within the days after ``at``, a whole minute, at which the clock is changed."""
    for later in range(_DAYS):
        before = at.astimezone(UTC) + timedelta(days=later)
        after = before + timedelta(days=1)
        if _offset(before, zone) != _offset(after, zone):
            yield _leap(before, after, zone)


def _leap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant, to the minute, at which the clock is changed between two."""
    while after - before > _STEP:
        middle = before + (after - before) // _STEP // 2 * _STEP
        if _offset(middle, zone) == _offset(after, zone):
            after = middle
        else:
            before = middle
    return after


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
