"""First pass over card usage: how much there is, whose, where and when."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from training.errors import BadInputError
from training.matrix.inputs import Inputs

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CATEGORY = pl.coalesce("mcc", "category")


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
        Everyone who used a card or answered an offer.
    columns : Vocabulary
        Every merchant, category and item that was met.
    names : dict
        Merchant column → the name most rows give it.
    parents : dict
        Merchant column → its most frequent category column.
    homes : polars.DataFrame
        ``cardholder_id, products, city, segment``: from profiles, else the most used.
    """

    transactions: int
    first_day: int
    last_day: int
    cardholders: Vocabulary
    columns: Vocabulary
    names: dict[str, str]
    parents: dict[str, str]
    homes: pl.DataFrame

    @property
    def window(self) -> tuple[datetime, datetime]:
        """``[starts_at, ends_at)`` in whole UTC days."""
        return EPOCH + timedelta(self.first_day), EPOCH + timedelta(self.last_day + 1)


def survey(inputs: Inputs, key: bytes) -> Survey:
    """Pass once over all usage, as a stream.

    Parameters
    ----------
    inputs : Inputs
    key : bytes
        Of the vocabularies' hashes; decides the order of rows.

    Raises
    ------
    BadInputError
        There is no transaction that was not declined.
    """
    usage = inputs.usage
    day = pl.col("occurred_at").dt.epoch("d")
    merchants = usage.group_by("merchant_id", "merchant_name", CATEGORY.alias("category")).len()
    people = usage.group_by("cardholder_id", "card_product_id", "city", "segment").len()
    totals = usage.select(pl.len(), day.min().alias("first"), day.max().alias("last"))
    found = pl.collect_all([totals, merchants, people], engine="streaming")
    count, first, last = found[0].row(0)
    if not count:
        raise BadInputError("usage: the tables hold no transaction; there is nothing to learn from")
    homes = _homes(found[2], inputs.profiles)
    holders = {*homes["cardholder_id"], *inputs.contacts["cardholder_id"]}
    names = _most_frequent(found[1], "merchant_id", "merchant_name")
    parents = _most_frequent(found[1], "merchant_id", "category")
    columns = _columns(found[1], inputs.contacts)
    return Survey(
        int(count),
        int(first),
        int(last),
        Vocabulary.build(holders, key),
        Vocabulary.build(columns, key),
        {column_id(ColumnKind.MERCHANT, m): str(n) for m, n in names.iter_rows()},
        {
            column_id(ColumnKind.MERCHANT, m): column_id(ColumnKind.CATEGORY, c)
            for m, c in parents.iter_rows()
        },
        homes,
    )


def _columns(merchants: pl.DataFrame, contacts: pl.DataFrame) -> set[str]:
    shops = merchants["merchant_id"].unique()
    categories = merchants["category"].drop_nulls().unique()
    return {
        *(column_id(ColumnKind.MERCHANT, m) for m in shops),
        *(column_id(ColumnKind.CATEGORY, c) for c in categories),
        *contacts["column"].unique(),
    }


def _most_frequent(counted: pl.DataFrame, key: str, value: str) -> pl.DataFrame:
    """``key, value`` with the value most rows have; ties by the value itself; nulls left out."""
    summed = counted.drop_nulls(value).group_by(key, value).agg(pl.col("len").sum())
    ordered = summed.sort(key, "len", value, descending=[False, True, False])
    return ordered.unique(key, keep="first", maintain_order=True).select(key, value)


def _homes(counted: pl.DataFrame, profiles: pl.DataFrame | None) -> pl.DataFrame:
    """Product, city and segment of each cardholder: the profile's, else the most used."""
    homes = counted.select(pl.col("cardholder_id").unique().sort())
    for value in ("card_product_id", "city", "segment"):
        most = _most_frequent(counted, "cardholder_id", value)
        homes = homes.join(most, on="cardholder_id", how="left", maintain_order="left")
    product = pl.col("card_product_id")
    used = pl.when(product.is_not_null()).then(pl.concat_list(product)).otherwise([])
    homes = homes.select("cardholder_id", used.alias("products"), "city", "segment")
    if profiles is None:
        return homes
    told = homes.join(
        profiles, on="cardholder_id", how="left", suffix="_told", maintain_order="left"
    )
    return told.select(
        "cardholder_id",
        pl.coalesce("products_told", "products").alias("products"),
        pl.coalesce("city_told", "city").alias("city"),
        "segment",
    )
