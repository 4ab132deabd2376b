"""Events as they are sent: each is judged by itself, so that one bad one holds back no other."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

import orjson
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from embeddings.catalog.money import Money
from embeddings.catalog.text import Label, Mcc
from embeddings.interactions import EventType, TransactionStatus
from recsvc.api.schemas import Body, OutsideId, Parameters
from recsvc.api.screening import found_in_value, may_hold_numbers
from recsvc.domain.identifying import Identifying
from recsvc.domain.lifecycle import CardTransaction, EventCode, EventRecord

MOST_EVENTS = 500


def written(value: object) -> object:
    """An instant that is text; a number could mean seconds or milliseconds, so it is refused."""
    return value if isinstance(value, str) else {}


Instant = Annotated[AwareDatetime, BeforeValidator(written)]


class TransactionBody(Parameters):
    """The card transaction an event tells of."""

    transaction_id: OutsideId
    merchant_id: OutsideId
    mcc: Mcc | None = None
    amount: Money
    status: TransactionStatus
    city: Label | None = None


class EventBody(Parameters):
    """One event: what a cardholder did, or what was shown to him."""

    event_id: Annotated[OutsideId, Field(description="yours; sent twice it counts once")]
    type: EventType
    cardholder_id: OutsideId
    item_id: Annotated[
        OutsideId | None, Field(description="needed by all types but transaction")
    ] = None
    occurred_at: Instant
    serve_token: Annotated[str | None, Field(max_length=1024)] = None
    reason: Annotated[Label | None, Field(description="of a dismissal")] = None
    transaction: TransactionBody | None = None

    @model_validator(mode="after")
    def _has_its_subject(self) -> Self:
        if self.type is EventType.TRANSACTION and self.transaction is None:
            raise ValueError("transaction: an event of this type tells of one")
        if self.type is not EventType.TRANSACTION and self.item_id is None:
            raise ValueError("item_id: an event of this type is about an item")
        return self

    def record(self, occurred_at: datetime) -> EventRecord:
        """What is kept of it, as of an admitted instant."""
        paid = self.transaction
        return EventRecord(
            event_id=self.event_id,
            event_type=self.type,
            occurred_at=occurred_at,
            item_id=self.item_id,
            transaction=_transaction(paid) if paid else None,
        )


def _transaction(paid: TransactionBody) -> CardTransaction:
    return CardTransaction(
        transaction_id=paid.transaction_id,
        merchant_id=paid.merchant_id,
        status=paid.status,
        amount_minor=paid.amount.amount_minor,
        currency=paid.amount.currency,
        mcc=paid.mcc,
        city=paid.city,
    )


class Refused:
    """An event that cannot be taken: its id where that can be told, and why.

    Parameters
    ----------
    event_id : as sent when it is a proper id and no card number, else None
    code : EventCode
    """

    __slots__ = ("code", "event_id")

    def __init__(self, event_id: str | None, code: EventCode) -> None:
        self.event_id = event_id
        self.code = code


ID: TypeAdapter[str] = TypeAdapter(OutsideId)


def _or_refused(value: Any, check: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401 - any JSON
    """The event, or why it is none; numbers that name a person come before anything else."""
    number = _number_in(value)
    if number is not None:
        return Refused(None, EventCode(number.value))
    try:
        return check(value)
    except ValidationError:
        return Refused(_id_of(value), EventCode.INVALID)


def _id_of(value: object) -> str | None:
    """The event's id when it is one."""
    try:
        return ID.validate_python(value.get("event_id") if isinstance(value, dict) else None)
    except ValidationError:
        return None


def _number_in(value: object) -> Identifying | None:
    """Which number that names a person stands in an event; the close look only where one may."""
    try:
        if not may_hold_numbers(orjson.dumps(value).decode()):
            return None
    except orjson.JSONEncodeError:
        pass  # a number beyond 64 bits: look closely
    return found_in_value(value)


EventOrRefused = Annotated[EventBody, WrapValidator(_or_refused)]


class EventBatch(Body):
    """Up to 500 events, each answered by itself."""

    SCREENS_ITSELF: ClassVar[bool] = True

    events: Annotated[tuple[EventOrRefused, ...], Field(max_length=MOST_EVENTS)]


class EventResult(BaseModel):
    """What became of one event."""

    event_id: str | None
    status: Annotated[str, Field(description="accepted, duplicate or rejected")]
    code: EventCode | None = None


class EventAnswer(BaseModel):
    """What became of each event, in the order sent; accepted ones are on disk."""

    results: list[EventResult]
