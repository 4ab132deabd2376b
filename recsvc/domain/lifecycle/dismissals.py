"""How long a dismissed item stays away, and what ends that before its time.

Law: what he did last with an item counts, by when it occurred and not by when it was told. A
dismissal keeps the item away until it lapses; taking the item, by an activation or a redemption
that is told as such, ends every dismissal before it. Of several at one instant taking counts, else
the dismissal that lasts longest. A purchase says nothing of an item, though it may earn one; giving
an activation back neither takes nor dismisses.
"""

from datetime import datetime, timedelta

from embeddings.interactions import EventType

ACTIVATED, REDEEMED = EventType.ACTIVATED, EventType.REDEEMED
FOR_NOW = timedelta(days=7)
FOR_LONG = timedelta(days=90)
SHORT_REASONS = frozenset({"not_now", "later", "seen_too_often"})


def dismissed_until(occurred_at: datetime, reason: str | None) -> datetime:
    """When a dismissed item may be shown again: after a week for "not now", else after 90 days."""
    return occurred_at + (FOR_NOW if reason in SHORT_REASONS else FOR_LONG)


def takes(kind: EventType) -> bool:
    """Whether an event of this type says that he took the item."""
    return kind is ACTIVATED or kind is REDEEMED
