"""How often one cardholder may be disturbed, over all campaigns, by channel."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

DAY = timedelta(days=1)
SPANS = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}

Period = Literal["day", "week", "month"]


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """At most ``count`` pushes in any span of this length; a moving window, no calendar's edge.

    Parameters
    ----------
    count : int, 1 to 1000
    period : day (24 hours), week (7 days) or month (30 days)
    """

    count: int
    period: Period

    def __post_init__(self) -> None:
        """Refuse a cap that caps nothing."""
        if not 1 <= self.count <= 1_000:
            raise ValueError(f"frequency_cap.count: {self.count} must be from 1 to 1000")
        if self.period not in SPANS:
            raise ValueError("frequency_cap.period: must be day, week or month")

    @property
    def span(self) -> timedelta:
        """Length of the window."""
        return SPANS[self.period]

    def allows(self, sent_at: Iterable[datetime], at: datetime) -> bool:
        """Whether one more may be sent at ``at``, given when others were sent."""
        return sum(at - self.span < sent <= at for sent in sent_at) < self.count


def allowed_by_all(caps: Iterable[FrequencyCap], sent_at: Sequence[datetime], at: datetime) -> bool:
    """Whether every cap allows one more push at ``at``."""
    return all(cap.allows(sent_at, at) for cap in caps)
