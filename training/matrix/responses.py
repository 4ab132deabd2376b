"""What cardholders did with items: events in the form of ``POST /v1/events``.

A table is parquet with the columns ``event_id, type, cardholder_id, item_id, occurred_at`` and,
for archived transactions, a struct ``transaction``; or NDJSON with the same fields; or a folder.
Most events were served and no more; they are read past, batch by batch, and never held.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from embeddings.catalog import Catalog
from embeddings.compose import own_kind
from embeddings.interactions import EventType, EventWeights
from embeddings.vocabulary import column_id
from training.errors import BadInputError
from training.matrix.tables import BATCH_ROWS
from training.usage import polars_schema

NEEDED = ("event_id", "type", "cardholder_id", "occurred_at")
OPTIONAL = ("item_id", "transaction")
INSTANT = pl.Datetime("us", "UTC")
CONTACT_SCHEMA = {
    "cardholder_id": pl.String(),
    "column": pl.String(),
    "type": pl.String(),
    "day": pl.Int32(),
}


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """What counts of a table of events, each ``event_id`` once.

    Parameters
    ----------
    contacts : polars.DataFrame
        ``cardholder_id, column, type, day`` (days since 1970-01-01 UTC) with items of the
        catalogue.
    unknown_items : int
        Events that would count, were their item in the catalogue.
    transactions : polars.DataFrame
        Archived card transactions in canonical columns.
    through : str or None
        RFC 3339 instant of the last event of any type.
    """

    contacts: pl.DataFrame
    unknown_items: int
    transactions: pl.DataFrame
    through: str | None


def no_responses() -> Responses:
    """Nobody did anything."""
    nothing = pl.DataFrame(schema=CONTACT_SCHEMA)
    return Responses(nothing, 0, pl.DataFrame(schema=polars_schema()), None)


def read_responses(path: Path, catalog: Catalog, rule: EventWeights) -> Responses:
    """Events of a file or folder; types that weigh nothing are left out.

    Raises
    ------
    BadInputError
        Names the file, and the column that is missing or of another type.
    """
    types = [e.value for e in EventType if e is not EventType.TRANSACTION and rule.of(e) > 0]
    items = pl.Enum([item.item_id for item in catalog.items])
    answers, paid, last = [], [], ""
    for batch in (b for file in _files(path) for b in _batches(file)):
        answers.append(_answers(batch, types, items))
        paid.append(batch.filter(pl.col("type") == EventType.TRANSACTION.value))
        instants = batch["occurred_at"].dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        last = max(last, str(instants.max() or ""))
    if not answers:
        return no_responses()
    contacts, unknown = _on_items(_once(answers), catalog)
    return Responses(contacts, unknown, _canonical(_once(paid)), last or None)


def log_of(path: Path, catalog: Catalog, cardholder_ids: Sequence[str]) -> pl.DataFrame:
    """Every event of some cardholders with items of the catalogue, whatever it weighs.

    What was shown and left alone makes no cell, but tells what an item is worth.

    Returns
    -------
    polars.DataFrame of ``cardholder_id, column, type, day``, each event once
    """
    types = [e.value for e in EventType if e is not EventType.TRANSACTION]
    items = pl.Enum([item.item_id for item in catalog.items])
    holders = pl.DataFrame({"cardholder_id": cardholder_ids}, {"cardholder_id": pl.String()})
    parts = [
        _answers(batch.join(holders, on="cardholder_id", how="semi"), types, items)
        for file in _files(path)
        for batch in _batches(file)
    ]
    return _on_items(_once(parts), catalog)[0] if parts else pl.DataFrame(schema=CONTACT_SCHEMA)


def _answers(batch: pl.DataFrame, types: list[str], items: pl.Enum) -> pl.DataFrame:
    """What counts of one batch, in few bytes; the item is null where the catalogue has none."""
    return batch.filter(pl.col("type").is_in(types)).select(
        pl.col("event_id").hash(),
        "occurred_at",
        "cardholder_id",
        pl.col("item_id").cast(items, strict=False),
        pl.col("type").cast(pl.Enum(types)),
    )


def _files(path: Path) -> list[Path]:
    suffixes = {".parquet", ".ndjson", ".jsonl"}
    if not path.exists():
        raise BadInputError(f"{path}: there is no such file or folder of events")
    found = sorted(f for f in path.rglob("*") if f.suffix in suffixes) if path.is_dir() else [path]
    if not path.is_dir() and path.suffix not in suffixes:
        raise BadInputError(f"{path}: expected events as .parquet or .ndjson")
    return found


def _batches(file: Path) -> Iterator[pl.DataFrame]:
    """Events of one file in our types, ``BATCH_ROWS`` at a time."""
    try:
        if file.suffix == ".parquet":
            frame = pl.scan_parquet(file)
        else:
            frame = pl.read_ndjson(file, infer_schema_length=None).lazy()
        columns = frame.collect_schema().names()
        if missing := [name for name in NEEDED if name not in columns]:
            found = ", ".join(columns)
            raise BadInputError(f"{file}: column {', '.join(missing)} is missing; found {found}")
        kept = frame.select(*NEEDED, *(name for name in OPTIONAL if name in columns))
        for start in range(0, int(frame.select(pl.len()).collect().item()), BATCH_ROWS):
            yield _typed(kept.slice(start, BATCH_ROWS).collect())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInputError(f"{file}: not readable as events ({error})") from error


def _typed(batch: pl.DataFrame) -> pl.DataFrame:
    if batch.schema["occurred_at"] == pl.String():
        instants = pl.col("occurred_at").str.to_datetime("%+", time_unit="us", time_zone="UTC")
        batch = batch.with_columns(instants)
    lacking = [pl.lit(None).alias(name) for name in OPTIONAL if name not in batch.columns]
    batch = batch.with_columns(*lacking).select(*NEEDED, *OPTIONAL)
    return batch.with_columns(
        pl.col("occurred_at").cast(INSTANT), pl.col("item_id").cast(pl.String)
    )


def _once(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """All parts in their order, each event once."""
    table = pl.concat(parts, how="diagonal_relaxed")
    return table.unique("event_id", keep="first", maintain_order=True)


def _on_items(answers: pl.DataFrame, catalog: Catalog) -> tuple[pl.DataFrame, int]:
    """Contacts with items of the catalogue, and how many rows name another item."""
    names = [column_id(own_kind(item), item.item_id) for item in catalog.items]
    known = answers.drop_nulls("item_id")
    contacts = known.select(
        "cardholder_id",
        pl.Series(names, dtype=pl.String).gather(known["item_id"].to_physical()).alias("column"),
        pl.col("type").cast(pl.String),
        pl.col("occurred_at").dt.epoch("d").cast(pl.Int32).alias("day"),
    )
    return contacts, answers.height - known.height


def _canonical(paid: pl.DataFrame) -> pl.DataFrame:
    """Archived transactions in the columns of card usage."""
    if paid.is_empty() or not isinstance(paid.schema["transaction"], pl.Struct):
        return pl.DataFrame(schema=polars_schema())
    flat = paid.select("cardholder_id", "occurred_at", "transaction").unnest("transaction")
    if isinstance(flat.schema.get("amount"), pl.Struct):
        flat = flat.unnest("amount")
    missing = [n for n in polars_schema() if n not in flat.columns]
    flat = flat.with_columns(pl.lit(None).alias(name) for name in missing)
    return flat.select(pl.col(name).cast(kind) for name, kind in polars_schema().items())


def unseen(archived: pl.DataFrame, usage: Sequence[pl.LazyFrame]) -> pl.DataFrame:
    """Archived transactions that no usage table holds.

    Those without a ``transaction_id`` are taken as unseen.
    """
    for table in usage if not archived.is_empty() else ():
        ids = archived.lazy().select("transaction_id")
        held = table.select("transaction_id").join(ids, on="transaction_id", how="semi")
        seen = held.unique().collect(engine="streaming")
        archived = archived.join(seen, on="transaction_id", how="anti", maintain_order="left")
    return archived
