"""An event as the stream and the archive keep it; the one place that writes it."""

from datetime import datetime
from typing import Any

import orjson

from recsvc.domain.lifecycle.records import Told, ToldTransaction


def encode_entry(
    told: Told,
    cardholder_id: str,
    occurred_at: datetime,
    *,
    reason: str | None = None,
    serve_token: str | None = None,
) -> bytes:
    """JSON of an event, keys in order and each of them there.

    Parameters
    ----------
    told : Told
    cardholder_id : str
    occurred_at : datetime
        The admitted instant, aware.
    reason : str, optional
        Of a dismissal.
    serve_token : str, optional
        Of the place it came from, when it was served to this cardholder.
    """
    paid = told.transaction
    document = {
        "cardholder_id": cardholder_id,
        "event_id": told.event_id,
        "item_id": told.item_id,
        "occurred_at": occurred_at,
        "reason": reason,
        "serve_token": serve_token,
        "transaction": _transaction(paid) if paid else None,
        "type": told.event_type,
    }
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)


def _transaction(paid: ToldTransaction) -> dict[str, Any]:
    return {
        "amount": {"amount_minor": paid.amount_minor, "currency": paid.currency},
        "city": paid.city,
        "mcc": paid.mcc,
        "merchant_id": paid.merchant_id,
        "status": paid.status,
        "transaction_id": paid.transaction_id,
    }
