"""Archived events as parquet: the one door of the service to pyarrow.

The archiver is a program of its own (`recsvc worker archive`, extra `archive`), so that what
answers requests carries no data library. Files are what the trainer reads beside card usage.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from embeddings.durable import force

INSTANT = pa.timestamp("us", tz="UTC")
TRANSACTION = pa.struct(
    [
        ("transaction_id", pa.string()),
        ("merchant_id", pa.string()),
        ("mcc", pa.string()),
        ("amount", pa.struct([("amount_minor", pa.int64()), ("currency", pa.string())])),
        ("status", pa.string()),
        ("city", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [
        ("event_id", pa.string()),
        ("type", pa.string()),
        ("cardholder_id", pa.string()),
        ("item_id", pa.string()),
        ("occurred_at", INSTANT),
        ("received_at", INSTANT),
        ("serve_token", pa.string()),
        ("reason", pa.string()),
        ("transaction", TRANSACTION),
        ("position", pa.string()),
    ]
)
"""Columns of an archive file; ``position`` is the event's place in the issuer's stream."""


def check_row(row: dict[str, Any]) -> None:
    """Raise pyarrow's ValueError or TypeError for a row that a file cannot hold."""
    pa.Table.from_pylist([row], schema=SCHEMA)


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows in their order, and force them to disk."""
    pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA), path, compression="zstd")
    force(path)
    force(path.parent)


def rows_of(path: Path, cardholder_id: str) -> list[dict[str, Any]]:
    """Rows of one cardholder, the filter applied while reading."""
    wanted = [("cardholder_id", "=", cardholder_id)]
    rows: list[dict[str, Any]] = pq.read_table(path, schema=SCHEMA, filters=wanted).to_pylist()
    return rows


def count_rows_of(path: Path, cardholder_id: str) -> int | None:
    """How many rows a cardholder has in a file; None for one that was not written to its end."""
    try:
        return len(rows_of(path, cardholder_id))
    except FileNotFoundError:  # got its name, or was swept up, meanwhile
        return 0
    except pa.ArrowInvalid:
        return None


def remove_rows(path: Path, is_gone: Callable[[str], bool]) -> int:
    """Rewrite a file without the rows of some cardholders; returns how many rows went.

    The file is replaced whole, and removed when nothing is left of it.
    """
    table = pq.read_table(path, schema=SCHEMA)
    gone = [one for one in table["cardholder_id"].unique().to_pylist() if is_gone(one)]
    if not gone:
        return 0
    kept = table.filter(pc.invert(pc.is_in(table["cardholder_id"], pa.array(gone, pa.string()))))
    if kept.num_rows == 0:
        path.unlink()
    else:
        draft = path.with_suffix(".draft")
        pq.write_table(kept, draft, compression="zstd")
        force(draft)
        draft.replace(path)
    force(path.parent)
    return int(table.num_rows - kept.num_rows)


def settle_file(draft: Path, place: Path) -> None:
    """Give a draft its name; one that has it already is left alone."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        draft.replace(place)
    except FileNotFoundError:
        if not place.is_file():
            raise
    force(place.parent)
