"""Activations of an item: which there were, and how long each is open."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta, tzinfo
from typing import NamedTuple

from embeddings.catalog import Item
from embeddings.interactions import EventType
from recsvc.domain.lifecycle.past import Past
from recsvc.domain.lifecycle.records import EventRecord
from recsvc.domain.lifecycle.uses import BY_EVENT, BY_PURCHASE, Use, UseKind
from recsvc.domain.moment import EPOCH_DATE

ACTIVATION_DAYS = 30
ACTIVATED = EventType.ACTIVATED


class Activation(NamedTuple):
    """An activation and how long it is open."""

    event_id: str
    at: datetime
    until: datetime


def activations_of(item: Item, own: Iterable[EventRecord]) -> list[Activation]:
    """Activations in order of time."""
    told = [r for r in own if r.event_type is ACTIVATED]
    told.sort(key=lambda r: r.order)
    return [Activation(r.event_id, r.occurred_at, open_until(item, r.occurred_at)) for r in told]


def remembered(item: Item, recorded: Iterable[Use], past: Past, zone: tzinfo) -> list[Activation]:
    """Activations of uses on record whose own events are no longer kept.

    A cardholder's events are bounded, so whoever looks at much loses the oldest; what he holds, or
    earned with it, stays his. Of such an activation only the day is known, so it counts from the
    day's start.
    """
    found = []
    for use in recorded:
        if use.use_id in past.event_ids or use.use_id.startswith((BY_EVENT, BY_PURCHASE)):
            continue
        opened = datetime.combine(EPOCH_DATE + timedelta(days=use.day), time(), zone)
        is_held = use.kind is UseKind.HELD and use.until is not None
        until = use.until if is_held else open_until(item, opened + timedelta(days=1))
        found.append(Activation(use.use_id, opened, until or opened))
    return found


def open_until(item: Item, activated_at: datetime) -> datetime:
    """When an activation lapses: after thirty days, or with the item."""
    last = activated_at + timedelta(days=ACTIVATION_DAYS)
    ends_at = item.terms.ends_at
    return last if ends_at is None else min(last, ends_at)
