"""How long a dismissed item stays away."""

from datetime import datetime, timedelta

FOR_NOW = timedelta(days=7)
FOR_LONG = timedelta(days=90)
SHORT_REASONS = frozenset({"not_now", "later", "seen_too_often"})


def dismissed_until(occurred_at: datetime, reason: str | None) -> datetime:
    """When a dismissed item may be shown again: after a week for "not now", else after 90 days."""
    return occurred_at + (FOR_NOW if reason in SHORT_REASONS else FOR_LONG)
