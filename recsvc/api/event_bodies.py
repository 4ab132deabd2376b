"""Events as they are sent: each is judged by itself, so that one bad one holds back no other."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, Self

import orjson
from pydantic import (
    AwareDatetime,
    BaseModel,
    Field,
    InstanceOf,
    Strict,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from embeddings.catalog.money import Money
from embeddings.catalog.text import Label, Mcc
from embeddings.interactions import EventType, TransactionStatus
from recsvc.api.http.json_text import has_keys_once, read_json
from recsvc.api.http.parsing import faults_of
from recsvc.api.http.problems import FieldFault
from recsvc.api.http.schemas import Body, OutsideId, Parameters
from recsvc.api.http.screening import faults_in_value, may_hold_numbers
from recsvc.domain.lifecycle import EventCode
from recsvc.domain.lifecycle.records import TRANSACTION

MOST_EVENTS, MOST_ERRORS = 500, 5
"""Events of a batch, and wrong fields that are told of one of them."""


Instant = Annotated[AwareDatetime, Strict()]
"""An instant as RFC 3339 text; a number could mean seconds or milliseconds, so it is refused."""


class TransactionBody(Parameters):
    """The card transaction an event tells of."""

    transaction_id: OutsideId
    merchant_id: OutsideId
    mcc: Mcc | None = None
    amount: Money
    status: TransactionStatus
    city: Label | None = None

    @property
    def amount_minor(self) -> int:
        """In minor units of the currency."""
        return self.amount.amount_minor

    @property
    def currency(self) -> str:
        """ISO 4217."""
        return self.amount.currency


class EventBody(Parameters):
    """One event: what a cardholder did, or what was shown to him."""

    event_id: Annotated[OutsideId, Field(description="yours; sent twice it counts once")]
    event_type: Annotated[EventType, Field(alias="type")]
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
        if self.event_type is TRANSACTION:
            if self.transaction is None:
                raise ValueError("transaction: An event of this type tells of one.")
        elif self.item_id is None:
            raise ValueError("item_id: An event of this type is about an item.")
        return self


class Refused:
    """An event that cannot be taken: its id where that can be told, and why.

    Parameters
    ----------
    event_id : as sent when it is a proper id and no card number, else None
    code : EventCode
    errors : its wrong fields; pointers are into the event
    """

    __slots__ = ("code", "errors", "event_id")

    def __init__(
        self, event_id: str | None, code: EventCode, errors: Sequence[FieldFault] = ()
    ) -> None:
        self.event_id = event_id
        self.code = code
        self.errors = errors[:MOST_ERRORS]


ID: TypeAdapter[str] = TypeAdapter(OutsideId)


EventOrRefused = Annotated[
    EventBody | SkipJsonSchema[InstanceOf[Refused]], Field(union_mode="left_to_right")
]


class EventBatch(Body):
    """Up to 500 events, each answered by itself."""

    events: Annotated[tuple[EventOrRefused, ...], Field(max_length=MOST_EVENTS)]

    @classmethod
    def of_json(cls, body: bytes) -> Self:
        """Batch of a JSON text; most hold nothing to refuse and are looked at as a whole."""
        if not may_hold_numbers(body):
            with suppress(ValidationError):
                batch = cls.model_validate_json(body)
                if has_keys_once(body, 1 + sum(map(_keys_in, batch.events))):
                    return batch
        sent = _Envelope.model_validate(read_json(body)).events
        return cls.model_validate({"events": tuple(map(_event_or_refused, sent))})


def _keys_in(event: EventBody | Refused) -> int:
    """How many keys the JSON of an event had."""
    if isinstance(event, Refused):
        return 0
    own, paid = len(event.__pydantic_fields_set__), event.transaction
    return own if paid is None else own + len(paid.__pydantic_fields_set__) + 2


class _Envelope(Body):
    """A batch whose events have not been looked at."""

    events: Annotated[list[Any], Field(max_length=MOST_EVENTS)]


def _event_or_refused(value: object) -> EventBody | Refused:
    """The event, or why it is none; numbers that name a person come before anything else."""
    text = _text_of(value)
    numbers = faults_in_value(value) if may_hold_numbers(text) else ()
    if numbers:
        return Refused(None, EventCode(numbers[0].code), numbers)
    try:
        return EventBody.model_validate_json(text)
    except ValidationError as error:
        return Refused(_id_of(value), EventCode.INVALID, _wrong_fields(error))


def _wrong_fields(error: ValidationError) -> list[FieldFault]:
    """Each wrong field of an event, the subject that it lacks among them."""
    return [_at_its_field(fault) for fault in faults_of(error)]


def _at_its_field(fault: FieldFault) -> FieldFault:
    """The fault; one of the whole event that begins with a field's name is put there."""
    name, told, message = fault.message.partition(": ")
    if fault.pointer or name not in EventBody.model_fields or not told:
        return fault
    return FieldFault(pointer=f"/{name}", code="missing", message=message)


def _text_of(value: object) -> bytes:
    """JSON text of a decoded value."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # numbers beyond 64 bits, halves of characters
        return json.dumps(value).encode()


def _id_of(value: object) -> str | None:
    """The event's id when it is one."""
    try:
        return ID.validate_python(value.get("event_id") if isinstance(value, dict) else None)
    except ValidationError:
        return None


class EventResult(BaseModel):
    """What became of one event."""

    event_id: str | None
    status: Annotated[str, Field(description="accepted, duplicate or rejected")]
    code: EventCode | None = None
    errors: Annotated[
        list[FieldFault],
        Field(description="the wrong fields of a rejected event; pointers are into the event"),
    ] = []


class EventAnswer(BaseModel):
    """What became of each event, in the order sent; accepted ones are on disk."""

    results: list[EventResult]
