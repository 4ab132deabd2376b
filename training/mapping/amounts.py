"""Amounts as issuers write them, as exact integers of minor units.

Never through a float when the source is text: ``1.234,56``, ``(12.00)``, ``12.00-``, ``£ 1,050.00``
and ``12.00 CR`` are read digit by digit.
"""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from embeddings.catalog.money import EXPONENTS, MAX_MINOR

DECORATION = r"[\s\u{a0}\u{202f}'’£$€¥￥₹元]"
GROUPED = r"^(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3})?(?:\.[0-9]*)?$"
SHORT_SCALE = {places: 10**places for places in range(5)}


@dataclass(frozen=True, slots=True)
class AmountRule:
    """How a source writes amounts.

    Parameters
    ----------
    unit : {"decimal", "minor"}
        Major units with decimals (``12.50``), or an integer of minor units (``1250``).
    decimal : {".", ","}
        The mark before the decimals; the other one groups thousands.
    refund : {"negative", "positive"}
        The sign a refund has.
    """

    unit: Literal["decimal", "minor"] = "decimal"
    decimal: Literal[".", ","] = "."
    refund: Literal["negative", "positive"] = "negative"


def read_amounts(amount: pl.Series, currency: pl.Series, rule: AmountRule) -> pl.DataFrame:
    """Read one column of amounts.

    Parameters
    ----------
    amount : polars.Series
        Text or numbers.
    currency : polars.Series
        ISO 4217 code of each, as long as ``amount``; null counts as two decimals.
    rule : AmountRule
        How the source writes amounts.

    Returns
    -------
    polars.DataFrame
        ``minor`` (Int64, at least 0, null when not read), ``refund`` (Boolean) and ``fault``
        (text or null: ``amount_missing``, ``amount_unreadable``, ``amount_too_precise``,
        ``amount_too_large``), as long as ``amount``.
    """
    frame = pl.DataFrame({"text": _as_text(amount, rule), "currency": currency})
    return (
        _without_sign(frame)
        .with_columns(_exponent(rule), **_parts())
        .with_columns(shift=pl.col("exponent") - pl.col("decimals").str.len_bytes().cast(pl.Int64))
        .with_columns(minor=_minor())
        .with_columns(fault=_fault())
        .select(
            pl.when(pl.col("fault").is_null()).then("minor").alias("minor"),
            (pl.col("negative") == (rule.refund == "negative"))
            .fill_null(value=False)
            .alias("refund"),
            "fault",
        )
    )


def _as_text(amount: pl.Series, rule: AmountRule) -> pl.Series:
    """Amounts as text with a decimal point; floats are rounded to six decimals."""
    if amount.dtype.is_float():
        exact = _as_meant(amount).round(6).cast(pl.Decimal(38, 6), strict=False).cast(pl.String)
        return exact.fill_null("?").zip_with(
            amount.is_not_null(), pl.Series([None], dtype=pl.String)
        )
    text = amount.cast(pl.String).str.strip_chars()
    if rule.decimal == "," and amount.dtype == pl.String():
        text = text.str.replace_all("[.]", "\x00").str.replace_all(",", ".", literal=True)
        text = text.str.replace_all("\x00", ",", literal=True)
    return text.set(text == "", None)


def _as_meant(amount: pl.Series) -> pl.Series:
    """Floats in double precision; single ones below 2^17 as the shortest decimal that gives them.

    99.99 in single precision is 99.98999786…; from 2^17 on such numbers lie more than 0.01 apart,
    so that what was meant cannot be known.
    """
    double = amount.cast(pl.Float64)
    if amount.dtype != pl.Float32():
        return double
    return double.zip_with(amount.abs() >= 2**17, amount.cast(pl.String).cast(pl.Float64))


def _without_sign(frame: pl.DataFrame) -> pl.DataFrame:
    """Add ``negative`` and the unsigned ``digits`` without symbols and the row's own currency."""
    code = pl.col("currency").fill_null("")
    bare = pl.col("text").str.to_uppercase().str.replace_all(DECORATION, "")
    side = pl.col("bare").str.replace("(?:CR|DR)$", "")
    signed = pl.col("side").str.strip_prefix(code).str.strip_suffix(code)
    unsigned = pl.col("signed").str.replace(r"^\((.*)\)$", "${1}").str.replace(r"^[-−+]|[-−+]$", "")
    return (
        frame.with_columns(bare=bare)
        .with_columns(side=side)
        .with_columns(signed=signed)
        .with_columns(
            negative=pl.col("bare").str.ends_with("CR")
            | pl.col("signed").str.contains(r"^[-−(]|[-−]$"),
            digits=unsigned.str.strip_prefix(code).str.strip_suffix(code),
        )
    )


def _parts() -> dict[str, pl.Expr]:
    """Whole and decimals without idle zeros, and whether the digits are an amount at all."""
    digits = pl.col("digits")
    parts = digits.str.replace_all(",", "", literal=True).str.splitn(".", 2)
    return {
        "readable": digits.str.contains(GROUPED) & digits.str.contains("[0-9]"),
        "whole": parts.struct.field("field_0").str.strip_chars_start("0"),
        "decimals": parts.struct.field("field_1").fill_null("").str.strip_chars_end("0"),
    }


def _exponent(rule: AmountRule) -> pl.Expr:
    """Decimals of each row's currency; none for an amount that is in minor units already."""
    if rule.unit == "minor":
        return pl.lit(0, pl.Int64).alias("exponent")
    places = pl.col("currency").replace_strict(EXPONENTS, default=2, return_dtype=pl.Int64)
    return places.alias("exponent")


def _minor() -> pl.Expr:
    """Whole and decimals put together; null where either is not a number that fits."""
    scales = [
        pl.col(name).replace_strict(SHORT_SCALE, default=None, return_dtype=pl.Int64)
        for name in ("exponent", "shift")
    ]
    return _integer("whole") * scales[0] + _integer("decimals") * scales[1]


def _integer(name: str) -> pl.Expr:
    """Digits as a number; no digits are 0, more than 15 are null."""
    digits = pl.when(pl.col(name).str.len_bytes() <= 15).then(name)
    return ("0" + digits).cast(pl.Int64, strict=False)


def _fault() -> pl.Expr:
    """Say what keeps an amount from being read, or null."""
    return (
        pl.when(pl.col("text").is_null())
        .then(pl.lit("amount_missing"))
        .when(~pl.col("readable"))
        .then(pl.lit("amount_unreadable"))
        .when(pl.col("shift") < 0)
        .then(pl.lit("amount_too_precise"))
        .when(pl.col("minor").is_null() | (pl.col("minor") > MAX_MINOR))
        .then(pl.lit("amount_too_large"))
    )
