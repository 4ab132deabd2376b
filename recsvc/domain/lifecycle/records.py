"""What is kept of an event."""

from datetime import datetime
from typing import NamedTuple, Protocol, Self

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


class _Paid(NamedTuple):
    """Fields of a :class:`CardTransaction`: hundreds are made a request, so they are tuples."""

    transaction_id: str
    merchant_id: str
    status: TransactionStatus
    amount_minor: int
    currency: str
    mcc: str | None
    city: str | None


class CardTransaction(_Paid):
    """The card transaction an event tells of.

    Parameters
    ----------
    transaction_id, merchant_id : str
    status : TransactionStatus
    amount_minor : int    at least 0, in minor units of ``currency``
    currency : str        ISO 4217
    mcc, city : str, optional
    """

    __slots__ = ()

    def __new__(  # noqa: PLR0913, PLR0917 - as the fields
        cls,
        transaction_id: str,
        merchant_id: str,
        status: TransactionStatus,
        amount_minor: int,
        currency: str,
        mcc: str | None = None,
        city: str | None = None,
    ) -> Self:
        """Refuse an amount below 0: a refund is a status, not a sign."""
        if amount_minor < 0:
            raise ValueError("amount_minor: below 0; a refund is the status returned or reversed")
        paid = (transaction_id, merchant_id, status, amount_minor, currency, mcc, city)
        return tuple.__new__(cls, paid)

    @classmethod
    def of(cls, told: ToldTransaction) -> Self:
        """What is kept of a transaction that was told."""
        return cls(
            told.transaction_id,
            told.merchant_id,
            told.status,
            told.amount_minor,
            told.currency,
            told.mcc,
            told.city,
        )


class _Kept(NamedTuple):
    """Fields of an :class:`EventRecord`, a tuple for the same reason."""

    event_id: str
    event_type: EventType
    occurred_at: datetime
    item_id: str | None
    transaction: CardTransaction | None
    position: str | None


class EventRecord(_Kept):
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

    __slots__ = ()

    def __new__(
        cls,
        event_id: str,
        event_type: EventType,
        occurred_at: datetime,
        item_id: str | None = None,
        transaction: CardTransaction | None = None,
        position: str | None = None,
    ) -> Self:
        """Refuse an instant without a zone, and an event without its subject."""
        if occurred_at.tzinfo is None:
            raise ValueError("occurred_at: has no zone; give an aware instant")
        if event_type is TRANSACTION:
            if transaction is None:
                raise ValueError("transaction: missing in an event of type transaction")
        elif item_id is None:
            raise ValueError(f"item_id: missing in an event of type {event_type.value}")
        kept = (event_id, event_type, occurred_at, item_id, transaction, position)
        return tuple.__new__(cls, kept)

    @classmethod
    def of(cls, told: Told, occurred_at: datetime) -> Self:
        """What is kept of an event that was told, as of an admitted instant."""
        paid = told.transaction
        return cls(
            told.event_id,
            told.event_type,
            occurred_at,
            told.item_id,
            CardTransaction.of(paid) if paid else None,
        )

    @property
    def order(self) -> tuple[datetime, str]:
        """Place among others: by time, ties by id."""
        return self.occurred_at, self.event_id
