"""Events and uses to fields of a cardholder's hash and back.

========  =============================================================================
field     value
========  =============================================================================
e:EVENT   ``microseconds|position|[type, item, transaction…]``: one recent event
d:ITEM    ``until|at``: what he said last of the item, see `encode_word`; microseconds
s:ITEM    microseconds of the last serve
u:ITEM    uses, ``id,kind,day,amount,until,transaction,currency`` each, ``;`` between
f:COLUMN  microseconds at which the cardholder deleted this interest
rev       another with each change of the above
act       there once the cardholder has activated anything
========  =============================================================================
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from embeddings.interactions import EventType, TransactionStatus
from recsvc.domain.cardholder import Activation, Contact, DayUse, ItemUse
from recsvc.domain.lifecycle import CardTransaction, EventRecord, Use, UseKind
from recsvc.domain.lifecycle.records import Told
from recsvc.domain.lifecycle.uses import UNCOUNTED
from recsvc.domain.moment import EPOCH, microseconds

Fields = Mapping[bytes, bytes]
KEPT_EVENTS = 200
KEPT_VIEWS = 50
"""Of the kept, views beyond so many give way to whatever else he did."""
VIEWED = b'|["viewed"'
TYPES = {kind.value: kind for kind in EventType}
STATUSES = {status.value: status for status in TransactionStatus}
USE_KINDS = {kind.value: kind for kind in UseKind}


def instant(stored: bytes | str | int) -> datetime:
    """Aware instant of microseconds since 1970."""
    return EPOCH + timedelta(0, 0, int(stored))


def encode_event(told: Told, occurred_at: datetime) -> tuple[str, bytes]:
    """What stands before and after the position of an event in its field."""
    return f"{microseconds(occurred_at)}|", b"|" + orjson.dumps(_compact(told))


def _compact(told: Told) -> list[Any]:
    paid = told.transaction
    if paid is None:
        return [told.event_type, told.item_id]
    return [
        told.event_type,
        told.item_id,
        paid.transaction_id,
        paid.merchant_id,
        paid.mcc,
        paid.status,
        paid.amount_minor,
        paid.currency,
        paid.city,
    ]


def _split(value: bytes) -> tuple[datetime, str, list[Any]]:
    at, position, document = value.split(b"|", 2)
    return EPOCH + timedelta(0, 0, int(at)), position.decode(), orjson.loads(document)


def newest_events(fields: Fields) -> list[tuple[bytes, bytes]]:
    """Name and value of the newest events, at most so many as are kept, whatever the order.

    Who looks at screen after screen must not be forgotten to have paid: of the views all but the
    newest few go before anything else does.
    """
    found = [(name, value) for name, value in fields.items() if name.startswith(b"e:")]
    if len(found) <= KEPT_EVENTS:
        return found
    found.sort(key=lambda pair: (int(pair[1].split(b"|", 1)[0]), pair[0]), reverse=True)
    views = [pair for pair in found if VIEWED in pair[1]]
    if len(views) > KEPT_VIEWS:
        first_to_go = {*views[KEPT_VIEWS:]}
        found.sort(key=first_to_go.__contains__)
    return found[:KEPT_EVENTS]


def records_of(fields: Fields) -> list[EventRecord]:
    """The newest events of a cardholder, whole."""
    return [_record(name[2:].decode(), value) for name, value in newest_events(fields)]


def every_record_of(fields: Fields) -> list[EventRecord]:
    """All events that are still kept of a cardholder, also those that no answer looks at."""
    found = ((name, value) for name, value in fields.items() if name.startswith(b"e:"))
    return [_record(name[2:].decode(), value) for name, value in found]


def records_with(fields: Fields, more: Sequence[EventRecord]) -> list[EventRecord]:
    """The newest events of a cardholder once these are among them, in any order."""
    found = newest_events(fields)
    if len(found) + len(more) > KEPT_EVENTS:
        return records_of({**fields, **dict(map(_field, more))})
    return [*more, *(_record(name[2:].decode(), value) for name, value in found)]


def _field(record: EventRecord) -> tuple[bytes, bytes]:
    """Name and value of an event that has no position yet."""
    before, after = encode_event(record, record.occurred_at)
    return f"e:{record.event_id}".encode(), before.encode() + after


def _record(event_id: str, value: bytes) -> EventRecord:
    at, position, (kind, item_id, *paid) = _split(value)
    transaction = _transaction(paid) if paid else None
    return EventRecord(event_id, TYPES[kind], at, item_id, transaction, position)


def _transaction(paid: list[Any]) -> CardTransaction:
    transaction_id, merchant_id, mcc, status, amount_minor, currency, city = paid
    known = STATUSES[status]
    return CardTransaction(transaction_id, merchant_id, known, amount_minor, currency, mcc, city)


def contacts_of(fields: Fields) -> tuple[Contact, ...]:
    """The newest events of a cardholder, as a recommendation needs them."""
    return tuple(_contact(value) for _, value in newest_events(fields))


def _contact(value: bytes) -> Contact:
    at, position, (kind, item_id, *paid) = _split(value)
    if kind != EventType.TRANSACTION.value:
        return Contact(event_type=TYPES[kind], occurred_at=at, item_id=item_id, position=position)
    return Contact(
        event_type=EventType.TRANSACTION,
        occurred_at=at,
        transaction_id=paid[0],
        merchant_id=paid[1],
        mcc=paid[2],
        status=STATUSES[paid[3]],
        position=position,
    )


def instants_of(fields: Fields, prefix: bytes) -> dict[str, datetime]:
    """Instants by what stands after a prefix: serves, deleted interests."""
    return {
        name[len(prefix) :].decode(): instant(value)
        for name, value in fields.items()
        if name.startswith(prefix)
    }


def encode_word(at: datetime, until: datetime | None = None) -> str:
    """What a cardholder said of an item: dismissed at an instant until another, or took then.

    The scripts keep of two words the one that `lifecycle.dismissals` says stays.
    """
    return f"{'' if until is None else microseconds(until)}|{microseconds(at)}"


def dismissals_of(fields: Fields) -> dict[str, datetime]:
    """Until when each item is dismissed whose last word is a dismissal."""
    return {
        name[2:].decode(): instant(until)
        for name, value in fields.items()
        if name.startswith(b"d:") and (until := value.partition(b"|")[0])
    }


def words_at(fields: Fields) -> dict[str, datetime]:
    """When the cardholder last dismissed each item, or took it."""
    return {
        name[2:].decode(): instant(at)
        for name, value in fields.items()
        if name.startswith(b"d:") and (at := value.partition(b"|")[2])
    }


def uses_by_item(fields: Fields) -> dict[str, tuple[Use, ...]]:
    """Uses on record, by item."""
    return {
        name[2:].decode(): decode_uses(value)
        for name, value in fields.items()
        if name.startswith(b"u:")
    }


def decode_uses(value: bytes) -> tuple[Use, ...]:
    """Uses of one field."""
    return tuple(_use(entry) for entry in value.decode().split(";") if entry)


def _use(entry: str) -> Use:
    use_id, kind, day, amount, until, transaction_id, currency = entry.split(",")
    return Use(
        use_id,
        USE_KINDS[kind],
        int(day),
        int(amount),
        instant(until) if until else None,
        transaction_id or None,
        currency or None,
    )


def use_arguments(use: Use) -> tuple[str | int, ...]:
    """A use as the ledger's script takes it; numbers that it does not reckon with as texts."""
    until = "" if use.until is None else str(microseconds(use.until))
    return (
        use.use_id,
        use.kind.value,
        str(use.day),
        use.amount_minor,
        until,
        use.transaction_id or "",
        use.currency or "",
    )


def item_use(uses: tuple[Use, ...]) -> ItemUse:
    """What eligibility needs of the uses of one item; exhausted ones count for nothing."""
    counted = [use for use in uses if use.kind not in UNCOUNTED]
    kinds = {use.kind for use in counted}
    activation = Activation.AVAILABLE
    if UseKind.HELD in kinds:
        activation = Activation.ACTIVATED
    elif kinds:
        activation = Activation.REDEEMED
    return ItemUse(activation, tuple(DayUse(u.day, 1, u.amount_minor) for u in counted))
