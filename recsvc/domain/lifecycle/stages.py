"""The word for where a cardholder stands with an item."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from embeddings.interactions import EventType
from recsvc.domain.lifecycle.purchases import Purchase
from recsvc.domain.lifecycle.records import EventRecord
from recsvc.domain.lifecycle.uses import Use, UseKind

FINAL = timedelta(days=90)
"""After this long a settled redemption cannot be taken back any more."""


class Stage(StrEnum):
    """eligible → served → viewed → activated → qualified → redeemed → settled, and the ends."""

    ELIGIBLE = "eligible"
    SERVED = "served"
    VIEWED = "viewed"
    ACTIVATED = "activated"
    QUALIFIED = "qualified"
    REDEEMED = "redeemed"
    SETTLED = "settled"
    EXPIRED = "expired"
    REVERSED = "reversed"
    EXHAUSTED = "exhausted"
    SUPPRESSED = "suppressed"


def stage_of(
    item_id: str,
    uses: Sequence[Use],
    records: Iterable[EventRecord],
    purchases: Sequence[Purchase],
    now: datetime,
    *,
    dismissed_until: datetime | None = None,
) -> Stage:
    """The furthest stage that holds now.

    Parameters
    ----------
    item_id : str
    uses : of :func:`recsvc.domain.lifecycle.standing.uses_of`
    records : his events, in any order
    purchases : what they come to
    now : datetime, aware
    dismissed_until : datetime, optional
    """
    kinds = {use.kind for use in uses}
    if UseKind.REDEEMED in kinds:
        return Stage.SETTLED if _all_final(uses, purchases, now) else Stage.REDEEMED
    for kind, stage in (
        (UseKind.QUALIFIED, Stage.QUALIFIED),
        (UseKind.HELD, Stage.ACTIVATED),
        (UseKind.EXHAUSTED, Stage.EXHAUSTED),
        (UseKind.CAPPED, Stage.EXHAUSTED),
    ):
        if kind in kinds:
            return stage
    if dismissed_until is not None and now < dismissed_until:
        return Stage.SUPPRESSED
    return _before_use([r for r in records if r.item_id == item_id], purchases)


def _all_final(uses: Sequence[Use], purchases: Sequence[Purchase], now: datetime) -> bool:
    """Whether every redemption is too old to be taken back."""
    at = {purchase.transaction_id: purchase.at for purchase in purchases}
    redeemed = [use for use in uses if use.kind is UseKind.REDEEMED]
    return all(
        use.transaction_id in at and at[use.transaction_id] + FINAL <= now for use in redeemed
    )


def _before_use(own: list[EventRecord], purchases: Sequence[Purchase]) -> Stage:
    """Where he stands without any use: how far he came, or how it ended."""
    told = {record.event_type for record in own}
    undone = any(purchase.is_undone for purchase in purchases)
    if EventType.ACTIVATED in told or EventType.REDEEMED in told:
        return Stage.REVERSED if undone else Stage.EXPIRED
    if told & {EventType.VIEWED, EventType.CLICKED}:
        return Stage.VIEWED
    return Stage.SERVED if EventType.SERVED in told else Stage.ELIGIBLE
