"""What cardholders did with items: events in the form of ``POST /v1/events``.

A table is parquet with the columns ``event_id, type, cardholder_id, item_id, occurred_at`` and,
for archived transactions, a struct ``transaction``; or NDJSON with the same fields; or a folder.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from embeddings.catalog import Catalog
from embeddings.compose import own_kind
from embeddings.interactions import EventType
from embeddings.vocabulary import column_id
from training.errors import BadInputError
from training.usage import polars_schema

NEEDED = ("event_id", "type", "cardholder_id", "occurred_at")
INSTANT = pl.Datetime("us", "UTC")
CONTACT_SCHEMA = {
    "cardholder_id": pl.String(),
    "column": pl.String(),
    "type": pl.String(),
    "day": pl.Int32(),
}


def read_responses(path: Path) -> pl.DataFrame:
    """Events of a file or folder, each ``event_id`` once, in order of time.

    Raises
    ------
    BadInputError
        Names the file, and the column that is missing or of another type.
    """
    frames = [_read(file) for file in _files(path)]
    table = pl.concat(frames, how="diagonal_relaxed")
    for name in ("item_id", "transaction"):
        if name not in table.columns:
            table = table.with_columns(pl.lit(None).alias(name))
    return table.sort("occurred_at", "event_id").unique(
        "event_id", keep="first", maintain_order=True
    )


def _files(path: Path) -> list[Path]:
    suffixes = {".parquet", ".ndjson", ".jsonl"}
    if not path.exists():
        raise BadInputError(f"{path}: there is no such file or folder of events")
    found = sorted(f for f in path.rglob("*") if f.suffix in suffixes) if path.is_dir() else [path]
    if not found or found[0].suffix not in suffixes:
        raise BadInputError(f"{path}: expected events as .parquet or .ndjson")
    return found


def _read(file: Path) -> pl.DataFrame:
    try:
        is_parquet = file.suffix == ".parquet"
        table = (
            pl.read_parquet(file) if is_parquet else pl.read_ndjson(file, infer_schema_length=None)
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInputError(f"{file}: not readable as events ({error})") from error
    if missing := [name for name in NEEDED if name not in table.columns]:
        raise BadInputError(
            f"{file}: column {', '.join(missing)} is missing; found {table.columns}"
        )
    if table.schema["occurred_at"] == pl.String():
        instants = pl.col("occurred_at").str.to_datetime("%+", time_unit="us", time_zone="UTC")
        table = table.with_columns(instants)
    kept = [*NEEDED, *(n for n in ("item_id", "transaction") if n in table.columns)]
    return table.select(kept).with_columns(pl.col("occurred_at").cast(INSTANT))


def item_contacts(responses: pl.DataFrame | None, catalog: Catalog) -> tuple[pl.DataFrame, int]:
    """Contacts with items of the catalogue, and how many rows name another item.

    Returns ``cardholder_id, column, type, day`` (days since 1970-01-01 UTC).
    """
    if responses is None:
        return pl.DataFrame(schema=CONTACT_SCHEMA), 0
    columns = pl.DataFrame(
        {
            "item_id": [item.item_id for item in catalog.items],
            "column": [column_id(own_kind(item), item.item_id) for item in catalog.items],
        },
        schema={"item_id": pl.String(), "column": pl.String()},
    )
    counted = [e.value for e in EventType if e is not EventType.TRANSACTION]
    on_items = responses.filter(pl.col("type").is_in(counted)).with_columns(
        pl.col("item_id").cast(pl.String), pl.col("occurred_at").dt.epoch("d").alias("day")
    )
    known = on_items.join(columns, on="item_id", how="inner", maintain_order="left")
    contacts = known.select(pl.col(name).cast(kind) for name, kind in CONTACT_SCHEMA.items())
    return contacts, on_items.height - known.height


def unseen_transactions(responses: pl.DataFrame, usage: Sequence[pl.LazyFrame]) -> pl.DataFrame:
    """Archived transactions that no usage table holds, in canonical columns.

    Those without a ``transaction_id`` are taken as unseen.
    """
    events = responses.filter(pl.col("type") == EventType.TRANSACTION.value)
    if events.is_empty() or not isinstance(events.schema["transaction"], pl.Struct):
        return pl.DataFrame(schema=polars_schema())
    flat = events.select("cardholder_id", "occurred_at", "transaction").unnest("transaction")
    if isinstance(flat.schema.get("amount"), pl.Struct):
        flat = flat.unnest("amount")
    missing = [n for n in polars_schema() if n not in flat.columns]
    flat = flat.with_columns(pl.lit(None).alias(name) for name in missing)
    flat = flat.select(pl.col(name).cast(kind) for name, kind in polars_schema().items())
    for table in usage:
        ids = flat.lazy().select("transaction_id")
        held = table.select("transaction_id").join(ids, on="transaction_id", how="semi")
        seen = held.unique().collect(engine="streaming")
        flat = flat.join(seen, on="transaction_id", how="anti", maintain_order="left")
    return flat
