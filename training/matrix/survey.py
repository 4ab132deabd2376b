"""First pass over card usage: how much there is, whose, where and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from embeddings.erasure import ErasedList
from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from training.errors import BadInputError
from training.matrix.inputs import Inputs

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CATEGORY = pl.coalesce("mcc", "category").alias("category_id")
DAY = pl.col("occurred_at").dt.epoch("d").cast(pl.Int32).alias("day")
MAX_DAY = 2**31 - 1
GROUPS = ("card_product_id", "city", "segment")


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What one pass over the usage tells.

    Parameters
    ----------
    transactions : int
        Rows, declined ones included.
    first_day, last_day : int
        Days since 1970-01-01 UTC of the first and last transaction.
    cardholders : Vocabulary
        Everyone who used a card or answered an offer, but for the erased.
    columns : Vocabulary
        Every merchant, category and item that was met.
    names : dict
        Merchant column → the name most rows give it.
    parents : dict
        Merchant column → its most frequent category column.
    groups : dict
        ``card_product_id``, ``city`` and ``segment`` → their values, ascending.
    """

    transactions: int
    first_day: int
    last_day: int
    cardholders: Vocabulary
    columns: Vocabulary
    names: dict[str, str]
    parents: dict[str, str]
    groups: dict[str, list[str]]

    @property
    def window(self) -> tuple[datetime, datetime]:
        """``[starts_at, ends_at)`` in whole UTC days."""
        return EPOCH + timedelta(self.first_day), EPOCH + timedelta(self.last_day + 1)


class _Tally:
    """What is kept of the batches seen so far."""

    def __init__(self) -> None:
        self.rows = 0
        self.first_day, self.last_day = MAX_DAY, -MAX_DAY
        self.cardholders: set[str] = set()
        self.merchants: pl.DataFrame | None = None
        self.groups: dict[str, set[str]] = {name: set() for name in GROUPS}

    def add(self, batch: pl.DataFrame) -> None:
        """Count one batch."""
        if batch.is_empty():
            return
        self.rows += batch.height
        days = batch["day"].to_numpy()
        self.first_day = min(self.first_day, int(days.min()))
        self.last_day = max(self.last_day, int(days.max()))
        self.cardholders.update(batch["cardholder_id"].unique())
        for name, values in self.groups.items():
            values.update(batch[name].drop_nulls().unique())
        counted = batch.group_by("merchant_id", "merchant_name", "category_id").len()
        if self.merchants is not None:
            counted = pl.concat([self.merchants, counted])
        self.merchants = counted.group_by("merchant_id", "merchant_name", "category_id").agg(
            pl.col("len").sum()
        )


def survey(inputs: Inputs, key: bytes, erased: ErasedList | None = None) -> Survey:
    """Pass once over all usage, batch by batch.

    Parameters
    ----------
    inputs : Inputs
    key : bytes
        Of the vocabularies' hashes; decides the order of rows.
    erased : ErasedList, optional
        Cardholders to leave out, so that nothing of them reaches the matrix.

    Raises
    ------
    BadInputError
        There is no transaction.
    """
    tally = _Tally()
    for batch in inputs.batches(
        ["cardholder_id", "merchant_id", "merchant_name", CATEGORY, DAY, *GROUPS]
    ):
        tally.add(batch)
    if tally.merchants is None:
        raise BadInputError("usage: the tables hold no transaction; there is nothing to learn from")
    merchants = tally.merchants
    holders = tally.cardholders.union(inputs.contacts["cardholder_id"])
    if erased is not None:
        holders -= erased.erased_of(holders)
    return Survey(
        tally.rows,
        tally.first_day,
        tally.last_day,
        Vocabulary.build(holders, key),
        Vocabulary.build(_columns(merchants, inputs.contacts), key),
        dict(_most_frequent(merchants, "merchant_name")),
        {m: column_id(ColumnKind.CATEGORY, c) for m, c in _most_frequent(merchants, "category_id")},
        {name: sorted(values) for name, values in tally.groups.items()},
    )


def _columns(merchants: pl.DataFrame, contacts: pl.DataFrame) -> set[str]:
    categories = merchants["category_id"].drop_nulls().unique()
    return {
        *(column_id(ColumnKind.MERCHANT, m) for m in merchants["merchant_id"].unique()),
        *(column_id(ColumnKind.CATEGORY, c) for c in categories),
        *contacts["column"].unique(),
    }


def _most_frequent(merchants: pl.DataFrame, value: str) -> Iterable[tuple[str, str]]:
    """Each merchant's column and the value most of its rows have; ties by the value itself."""
    summed = merchants.drop_nulls(value).group_by("merchant_id", value).agg(pl.col("len").sum())
    ordered = summed.sort("merchant_id", "len", value, descending=[False, True, False])
    first = ordered.unique("merchant_id", keep="first", maintain_order=True)
    for merchant, most in first.select("merchant_id", value).iter_rows():
        yield column_id(ColumnKind.MERCHANT, merchant), most
