"""What cardholders did with items: events in the form of ``POST /v1/events``.

A table is parquet with the columns ``event_id, type, cardholder_id, item_id, occurred_at`` and,
for archived transactions, a struct ``transaction``; or NDJSON with the same fields; or a folder.
Most events were served and no more; they are read past (:mod:`training.matrix.events`) and never
held.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from embeddings.catalog import Catalog
from embeddings.compose import own_kind
from embeddings.interactions import EventType, EventWeights
from embeddings.vocabulary import column_id
from training.matrix.events import Place, event_batches
from training.usage import polars_schema, refuse_numbers

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
        catalogue; its texts are categories or enums, a few bytes a row.
    unknown_items : int
        Events that would count, were their item in the catalogue.
    transactions : polars.DataFrame
        Archived card transactions in canonical columns.
    through : str or None
        The furthest place of an event, of any type, in the issuer's stream, as
        ``milliseconds-number``; None where no event tells its place.
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
        Names the file, and the column that is missing, of another type, or in which numbers
        stand that name a person.
    """
    types = [e.value for e in EventType if e is not EventType.TRANSACTION and rule.of(e) > 0]
    items = pl.Enum([item.item_id for item in catalog.items])
    answers, paid = [], []
    through: Place | None = None
    for batch in event_batches(path, {*types, EventType.TRANSACTION.value}):
        refuse_numbers(path, "cardholder_id", batch.rows["cardholder_id"].to_arrow())
        answers.append(_answers(batch.rows, types, items))
        is_paid = batch.rows["type"] == EventType.TRANSACTION.value
        if is_paid.any():
            paid.append(batch.rows.filter(is_paid))
        through = max(filter(None, (through, batch.through)), default=None)
    if not answers:
        return no_responses()
    contacts, unknown = _on_items(_first_of_each(answers), catalog)
    archived = _canonical(_once(paid))
    for name in ("merchant_id", "city"):
        refuse_numbers(path, name, archived[name].to_arrow())
    return Responses(contacts, unknown, archived, _written(through))


def _written(place: Place | None) -> str | None:
    return None if place is None else f"{place[0]}-{place[1]}"


def _answers(batch: pl.DataFrame, types: list[str], items: pl.Enum) -> pl.DataFrame:
    """What counts of one batch, in few bytes; the item is null where the catalogue has none."""
    answers = batch.lazy().filter(pl.col("type").is_in(types))
    return answers.select(
        pl.col("event_id").hash(),
        pl.col("cardholder_id").cast(pl.Categorical()),
        pl.col("item_id").cast(items, strict=False),
        pl.col("type").cast(pl.Enum(types)),
        pl.col("occurred_at").dt.epoch("d").cast(pl.Int32).alias("day"),
    ).collect()


def _first_of_each(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """All parts in their order, each event once, without its id."""
    hashes = np.concatenate([part["event_id"].to_numpy() for part in parts])
    answers = pl.concat([part.drop("event_id") for part in parts])
    ordered = np.sort(hashes)
    if (ordered[1:] != ordered[:-1]).all():
        return answers
    is_first = np.zeros(hashes.size, np.bool_)
    is_first[np.unique(hashes, return_index=True)[1]] = True
    return answers.filter(pl.Series(is_first))


def _once(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """All parts in their order, each event once."""
    if not parts:
        return pl.DataFrame()
    table = pl.concat(parts, how="diagonal_relaxed")
    return table.unique("event_id", keep="first", maintain_order=True)


def _on_items(answers: pl.DataFrame, catalog: Catalog) -> tuple[pl.DataFrame, int]:
    """Contacts with items of the catalogue, and how many rows name another item."""
    names = [column_id(own_kind(item), item.item_id) for item in catalog.items]
    known = answers.drop_nulls("item_id")
    column = known["item_id"].to_physical().cast(pl.UInt32).cat.to(pl.Enum(names))
    contacts = known.select("cardholder_id", column.alias("column"), "type", "day")
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
