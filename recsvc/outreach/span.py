"""When what cardholders do counts for a campaign."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from recsvc.domain.campaign.campaign import Campaign, State
from recsvc.domain.results.credit import Windows


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open; build with :meth:`of` or :meth:`days_of`."""

    opens_at: datetime
    closes_at: datetime

    @classmethod
    def of(cls, campaign: Campaign, windows: Windows) -> Self:
        """From the launch to the end of the last attribution window."""
        return cls(launched_at(campaign), campaign.ends_at + windows.activation)

    @classmethod
    def days_of(cls, campaign: Campaign, days: int) -> Self:
        """So many days from the launch."""
        opens_at = launched_at(campaign)
        return cls(opens_at, opens_at + timedelta(days=days))

    @property
    def pre_period(self) -> "Span":
        """As long a time before, at most 30 days."""
        length = min(self.closes_at - self.opens_at, timedelta(days=30))
        return Span(self.opens_at - length, self.opens_at)

    def holds(self, at: datetime) -> bool:
        """Whether an instant is within."""
        return self.opens_at <= at < self.closes_at


def launched_at(campaign: Campaign) -> datetime:
    """When a campaign that was launched could first reach anybody."""
    return max(campaign.moved_at.get(State.LIVE, campaign.starts_at), campaign.starts_at)
