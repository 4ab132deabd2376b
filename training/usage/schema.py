"""The canonical columns of card usage: names, types and the rules their values keep.

========================  =====================================================================
``cardholder_id``         an id (see :data:`ID_PATTERN`), never a card number
``merchant_id``           an id
``amount_minor``          integer of minor units, at least 0; the direction is in ``status``
``currency``              ISO 4217, three capitals
``occurred_at``           aware instant in UTC, microseconds
``transaction_id``        an id, optional
``mcc``                   four digits as text, optional
``status``                approved, settled, reversed, returned or declined; none means settled
``merchant_name``         text for people, optional
``card_product_id``       an id, optional
``city`` ``channel``      text, optional
``category`` ``segment``  ids: what the issuer calls the kind of purchase, and of cardholder
========================  =====================================================================

A refund is a row of its own with a positive amount and the status ``returned``, as in the events
of the API.
"""

from types import MappingProxyType

import polars as pl
import pyarrow as pa

ID_PATTERN = r"^[A-Za-z0-9._~-]{1,128}$"
STATUSES = ("approved", "settled", "reversed", "returned", "declined")
INSTANT = pl.Datetime("us", "UTC")

REQUIRED = MappingProxyType(
    {
        "cardholder_id": pl.String(),
        "merchant_id": pl.String(),
        "amount_minor": pl.Int64(),
        "currency": pl.String(),
        "occurred_at": INSTANT,
    }
)
"""Columns every usage table has, with their polars type; none of their values is missing."""

OPTIONAL = MappingProxyType(
    {
        name: pl.String()
        for name in (
            "transaction_id",
            "mcc",
            "status",
            "merchant_name",
            "card_product_id",
            "city",
            "channel",
            "category",
            "segment",
        )
    }
)
"""Columns a usage table may lack and whose values may be missing, with their polars type."""


def polars_schema() -> dict[str, pl.DataType]:
    """All canonical columns in the order in which they are written."""
    return {**REQUIRED, **OPTIONAL}


def arrow_schema() -> pa.Schema:
    """Return the same columns as arrow types; required ones are marked not nullable."""
    instant = pa.timestamp("us", tz="UTC")
    kinds = {"amount_minor": pa.int64(), "occurred_at": instant}
    return pa.schema(
        [
            pa.field(name, kinds.get(name, pa.string()), nullable=name in OPTIONAL)
            for name in polars_schema()
        ]
    )
