"""``POST /v1/events``: what cardholders did."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import orjson

from recsvc.api.auth import Caller, Gate
from recsvc.api.event_bodies import EventAnswer, EventBatch, EventBody, Refused
from recsvc.api.routing import Routes
from recsvc.domain.lifecycle import EventCode, admit
from recsvc.ledger.intake import Intake, Told
from recsvc.metrics import Metrics
from recsvc.stores.codec import OPTIONS
from recsvc.stores.events import Taken


def event_routes(
    gate: Gate,
    intake: Intake,
    clock: Callable[[], datetime],
    metrics: Metrics,
    body_limit_bytes: int,
) -> Routes:
    """The endpoint of events."""
    routes = Routes("events", gate, body_limit_bytes)

    def post_events(caller: Caller, body: EventBatch) -> Any:  # noqa: ANN401
        """Tell what cardholders did; send again what was not acknowledged."""
        now = clock()
        judged = [judge(event, now) for event in body.events]
        told = [one for one in judged if isinstance(one, Told)]
        taken = iter(intake.take(caller.issuer_id, told))
        results = [
            _result(one.record.event_id, next(taken)) if isinstance(one, Told) else _rejected(one)
            for one in judged
        ]
        _count(results, metrics)
        return {"results": results}

    routes.add(
        "POST",
        "/v1/events",
        post_events,
        scope="events:write",
        answers={200: EventAnswer},
    )
    return routes


def judge(event: EventBody | Refused, now: datetime) -> Told | Refused:
    """The event as it is kept, or why it is refused."""
    if isinstance(event, Refused):
        return event
    admission = admit(event.occurred_at, now)
    if admission.refused is not None:
        return Refused(event.event_id, admission.refused)
    record = event.record(admission.occurred_at)
    return Told(event.cardholder_id, record, entry_of(event, admission.occurred_at), event.reason)


def entry_of(event: EventBody, occurred_at: datetime) -> bytes:
    """The event as the stream and the archive keep it."""
    paid = event.transaction
    document = {
        "event_id": event.event_id,
        "type": event.type.value,
        "cardholder_id": event.cardholder_id,
        "item_id": event.item_id,
        "occurred_at": occurred_at,
        "serve_token": event.serve_token,
        "reason": event.reason,
        "transaction": paid
        and {
            "transaction_id": paid.transaction_id,
            "merchant_id": paid.merchant_id,
            "mcc": paid.mcc,
            "amount": {
                "amount_minor": paid.amount.amount_minor,
                "currency": paid.amount.currency,
            },
            "status": paid.status.value,
            "city": paid.city,
        },
    }
    return orjson.dumps(document, option=OPTIONS)


def _result(event_id: str, taken: Taken) -> dict[str, str | None]:
    if taken is Taken.ERASED:
        return _rejected(Refused(event_id, EventCode.ERASED))
    status = Taken.DUPLICATE if taken is Taken.DUPLICATE else Taken.ACCEPTED
    return {"event_id": event_id, "status": status.value}


def _rejected(refused: Refused) -> dict[str, str | None]:
    return {"event_id": refused.event_id, "status": "rejected", "code": refused.code.value}


def _count(results: Sequence[dict[str, str | None]], metrics: Metrics) -> None:
    for code in {result["code"] for result in results if "code" in result}:
        metrics.happened(f"event_{code}")
