"""Events of a cardholder, naming only what matters to a test."""

from datetime import UTC, datetime, timedelta
from typing import Any

from embeddings.interactions import EventType, TransactionStatus
from recsvc.domain.lifecycle import CardTransaction, EventRecord

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def an_event(
    kind: str = "activated", event_id: str = "", at: float = 0.0, **fields: Any
) -> EventRecord:
    """Event of a kind, so many hours after noon, on the item `offer_1`."""
    fields.setdefault("item_id", "offer_1")
    occurred_at = NOON + timedelta(hours=at)
    name = event_id or f"{kind}-{at}"
    return EventRecord(event_id=name, event_type=EventType(kind), occurred_at=occurred_at, **fields)


def a_payment(
    status: str = "settled",
    transaction_id: str = "tx_1",
    at: float = 1.0,
    amount_minor: int = 20_000,
    **fields: Any,
) -> EventRecord:
    """Event of a card transaction at the merchant `m_0`, so many hours after noon."""
    transaction = CardTransaction(
        transaction_id=transaction_id,
        merchant_id=fields.pop("merchant_id", "m_0"),
        mcc=fields.pop("mcc", "5812"),
        status=TransactionStatus(status),
        amount_minor=amount_minor,
        currency=fields.pop("currency", "CNY"),
    )
    return EventRecord(
        event_id=fields.pop("event_id", f"{transaction_id}-{status}-{at}"),
        event_type=EventType.TRANSACTION,
        occurred_at=NOON + timedelta(hours=at),
        transaction=transaction,
    )
