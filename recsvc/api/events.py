"""``POST /v1/events``: what cardholders did."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from embeddings.interactions import EventType
from recsvc.api.event_bodies import EventAnswer, EventBatch, EventBody, Refused
from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.problems import FieldFault
from recsvc.api.http.routing import Routes
from recsvc.domain.lifecycle import Door, EventCode
from recsvc.domain.lifecycle.admission import LEEWAY, OLDEST
from recsvc.domain.lifecycle.dismissals import dismissed_until
from recsvc.domain.serve_token import is_of
from recsvc.ledger.intake import Intake
from recsvc.metrics import Metrics
from recsvc.stores.events.batch import Arrival
from recsvc.stores.events.entry import encode_entry
from recsvc.stores.events.intake import Taken

Result = dict[str, Any]
"""What became of one event, as it is answered."""
INSTANTS = {
    EventCode.INVALID: "Lies outside the years 1 to 9999 of UTC.",
    EventCode.IN_FUTURE: f"Lies more than {LEEWAY.seconds // 60} minutes ahead of our clock.",
    EventCode.TOO_OLD: f"Lies more than {OLDEST.days} days back.",
}
DISMISSED = EventType.DISMISSED
STATUSES = {
    Taken.ACCEPTED: "accepted",
    Taken.ACCEPTED_AND_COUNTS: "accepted",
    Taken.DUPLICATE: "duplicate",
}


def event_routes(
    gate: Gate,
    intake: Intake,
    clock: Callable[[], datetime],
    metrics: Metrics,
    key: bytes,
    body_limit_bytes: int,
) -> Routes:
    """The endpoint of events.

    A serve token that was not made with `key` for this very cardholder and item is not kept; the
    event counts all the same.
    """
    routes = Routes("events", gate, body_limit_bytes)

    def is_served(issuer_id: str, event: EventBody) -> bool:
        token = event.serve_token
        if token is None or is_of(token, key, issuer_id, event.cardholder_id, event.item_id):
            return True
        metrics.happened("serve_token_unknown")
        return False

    def post_events(caller: Caller, body: EventBatch) -> Any:  # noqa: ANN401
        """Tell what cardholders did; send again what was not acknowledged."""
        door, is_ours = Door.at(clock()), partial(is_served, caller.issuer_id)
        judged = [judge(one, door, is_ours) for one in body.events]
        arrivals = [one for one in judged if isinstance(one, Arrival)]
        taken = iter(intake.take(caller.issuer_id, arrivals))
        results = [
            _rejected(one) if isinstance(one, Refused) else _result(one, next(taken))
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


def judge(
    event: EventBody | Refused, door: Door, is_served: Callable[[EventBody], bool]
) -> Arrival | Refused:
    """The event as it is kept, or why it is refused; with its token only where it was served."""
    if isinstance(event, Refused):
        return event
    try:
        at = door.admit(event.occurred_at.astimezone(UTC))
    except OverflowError:
        return _refused_instant(event, EventCode.INVALID)
    if isinstance(at, EventCode):
        return _refused_instant(event, at)
    token = event.serve_token
    if token is not None and not is_served(event):
        token = None
    entry = encode_entry(event, event.cardholder_id, at, reason=event.reason, serve_token=token)
    until = dismissed_until(at, event.reason) if event.event_type is DISMISSED else None
    return Arrival(event.cardholder_id, event, at, entry, until)


def _refused_instant(event: EventBody, code: EventCode) -> Refused:
    """An event that is refused for when it occurred."""
    fault = FieldFault(pointer="/occurred_at", code=code.value, message=INSTANTS[code])
    return Refused(event.event_id, code, (fault,))


def _result(one: Arrival, taken: Taken) -> Result:
    if taken is Taken.ERASED:
        return _rejected(Refused(one.told.event_id, EventCode.ERASED))
    return {"event_id": one.told.event_id, "status": STATUSES[taken]}


def _rejected(refused: Refused) -> Result:
    errors = [fault.model_dump() for fault in refused.errors]
    told = {"event_id": refused.event_id, "status": "rejected", "code": refused.code.value}
    return {**told, "errors": errors}


def _count(results: Sequence[Result], metrics: Metrics) -> None:
    for code in {result["code"] for result in results if "code" in result}:
        metrics.happened(f"event_{code}")
