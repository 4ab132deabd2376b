"""What is kept of an event."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from embeddings.interactions import EventType, TransactionStatus

TRANSACTION = EventType.TRANSACTION
"""Looked up once: five hundred events a request are asked for it."""


class ToldTransaction(Protocol):
    """What a :class:`CardTransaction` is made of."""

    @property
    def transaction_id(self) -> str: ...  # noqa: D102 - as there
    @property
    def merchant_id(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> TransactionStatus: ...  # noqa: D102
    @property
    def amount_minor(self) -> int: ...  # noqa: D102
    @property
    def currency(self) -> str: ...  # noqa: D102
    @property
    def mcc(self) -> str | None: ...  # noqa: D102
    @property
    def city(self) -> str | None: ...  # noqa: D102


class Told(Protocol):
    """What an :class:`EventRecord` is made of, where it is needed: most are only passed on."""

    @property
    def event_id(self) -> str: ...  # noqa: D102 - as there
    @property
    def event_type(self) -> EventType: ...  # noqa: D102
    @property
    def item_id(self) -> str | None: ...  # noqa: D102
    @property
    def transaction(self) -> ToldTransaction | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTransaction:
    """The card transaction an event tells of.

    Parameters
    ----------
    transaction_id, merchant_id : str
    status : TransactionStatus
    amount_minor : int    at least 0, in minor units of ``currency``
    currency : str        ISO 4217
    mcc, city : str, optional
    """

    transaction_id: str
    merchant_id: str
    status: TransactionStatus
    amount_minor: int
    currency: str
    mcc: str | None = None
    city: str | None = None

    def __post_init__(self) -> None:
        """Refuse an amount below 0: a refund is a status, not a sign."""
        if self.amount_minor < 0:
            raise ValueError("amount_minor: below 0; a refund is the status returned or reversed")

    @classmethod
    def of(cls, told: ToldTransaction) -> Self:
        """What is kept of a transaction that was told."""
        return cls(
            transaction_id=told.transaction_id,
            merchant_id=told.merchant_id,
            status=told.status,
            amount_minor=told.amount_minor,
            currency=told.currency,
            mcc=told.mcc,
            city=told.city,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One event of a cardholder.

    Parameters
    ----------
    event_id : str
    event_type : EventType
    occurred_at : datetime              aware
    item_id : str, optional             of all types but transactions
    transaction : CardTransaction, optional
        Of a transaction; a redemption may name the one that earned it.
    position : str, optional
        Where it stands in the issuer's stream of events.
    """

    event_id: str
    event_type: EventType
    occurred_at: datetime
    item_id: str | None = None
    transaction: CardTransaction | None = None
    position: str | None = None

    def __post_init__(self) -> None:
        """Refuse an instant without a zone, and an event without its subject."""
        if self.occurred_at.tzinfo is None:
            raise ValueError("occurred_at: has no zone; give an aware instant")
        if self.event_type is TRANSACTION:
            if self.transaction is None:
                raise ValueError("transaction: missing in an event of type transaction")
        elif self.item_id is None:
            raise ValueError(f"item_id: missing in an event of type {self.event_type.value}")

    @classmethod
    def of(cls, told: Told, occurred_at: datetime) -> Self:
        """What is kept of an event that was told, as of an admitted instant."""
        paid = told.transaction
        return cls(
            event_id=told.event_id,
            event_type=told.event_type,
            occurred_at=occurred_at,
            item_id=told.item_id,
            transaction=CardTransaction.of(paid) if paid else None,
        )

    @property
    def order(self) -> tuple[datetime, str]:
        """Place among others: by time, ties by id."""
        return self.occurred_at, self.event_id
