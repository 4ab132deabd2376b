"""Where cardholders go, and what a visit there usually costs."""

from dataclasses import dataclass

import polars as pl

from embeddings.catalog.money import exponent
from embeddings.interactions import SIGN_OF_STATUS
from training.illustrate.trades import UNKNOWN, category_of, is_for_offers
from training.mapping.merchants import MerchantRules

MAX_NAME = 40
MAX_LABEL = 64
MAJORITY = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """A merchant as card usage shows it.

    Parameters
    ----------
    merchant_id : str
    name : str                  for people; the id when usage gives none
    mcc : str or None           the code that most of its purchases carry
    category : str              a word for people
    currency : str
    typical : float             median of a purchase, in major units, above 0
    cardholders : int
    """

    merchant_id: str
    name: str
    mcc: str | None
    category: str
    currency: str
    typical: float
    cardholders: int


def most_visited(usage: pl.LazyFrame, limit: int) -> list[Place]:
    """Merchants that most cardholders visit, those left out at which no bank would advertise.

    Ties go to the one with more purchases, then to the lesser id.

    Parameters
    ----------
    usage : polars.LazyFrame of the canonical columns
    limit : int, at least 1
    """
    counted = _counted(usage)
    known = counted.with_columns(
        pl.when(pl.col("mcc_share") > MAJORITY).then("mcc").alias("mcc")
    ).filter(pl.col("mcc").map_elements(is_for_offers, pl.Boolean).fill_null(value=True))
    best = known.sort(
        "cardholders", "purchases", "merchant_id", descending=[True, True, False]
    ).head(limit)
    names = MerchantRules().readable(best["merchant_name"])
    return [_place(row, name) for row, name in zip(best.to_dicts(), names, strict=True)]


def _counted(usage: pl.LazyFrame) -> pl.DataFrame:
    """One row a merchant: who came, how often, and what most rows say of it."""
    bought = [status.value for status, sign in SIGN_OF_STATUS.items() if sign > 0]
    purchases = usage.filter(
        pl.col("status").is_null() | pl.col("status").is_in(bought), pl.col("amount_minor") > 0
    )
    usual = (_mode(name) for name in ("merchant_name", "mcc", "category", "currency"))
    return (
        purchases.group_by("merchant_id")
        .agg(
            pl.col("cardholder_id").n_unique().alias("cardholders"),
            pl.len().alias("purchases"),
            pl.col("amount_minor").median().alias("typical_minor"),
            (pl.col("mcc").drop_nulls().unique_counts().max() / pl.len()).alias("mcc_share"),
            *usual,
        )
        .collect(engine="streaming")
    )


def _mode(name: str) -> pl.Expr:
    """Most frequent value that is not missing; ties by the value itself."""
    return pl.col(name).drop_nulls().mode().sort().first().alias(name)


def _place(row: dict[str, object], name: str | None) -> Place:
    mcc, currency = row["mcc"], str(row["currency"])
    typical = float(str(row["typical_minor"])) / 10 ** exponent(currency)
    return Place(
        merchant_id=str(row["merchant_id"]),
        name=(name or str(row["merchant_id"]))[:MAX_NAME].strip(),
        mcc=None if mcc is None else str(mcc),
        category=_word(None if mcc is None else str(mcc), row["category"]),
        currency=currency,
        typical=max(typical, 0.01),
        cardholders=int(str(row["cardholders"])),
    )


def _word(mcc: str | None, own: object) -> str:
    """The code's word, else the issuer's own name of the category, else ``shopping``."""
    if mcc is not None:
        return category_of(mcc)
    return UNKNOWN if own is None else str(own).replace("-", " ")[:MAX_LABEL].strip()
