"""Texts of source columns: put together, cut and translated as the mapping says."""

from collections.abc import Mapping as Table
from dataclasses import dataclass

import polars as pl

from training.mapping.spec import Column, Mapping
from training.usage.schema import polars_schema

TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Texts:
    """Makes our text columns of a block of source rows.

    Parameters
    ----------
    mapping : Mapping
    """

    mapping: Mapping

    def all(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Values of all our text columns, trimmed; null where nothing stands, however written."""
        found: dict[str, pl.Series | pl.Expr] = {"_line": rows["_line"]}
        for name in polars_schema():
            column = self.mapping.columns.get(name)
            if name in ("amount_minor", "occurred_at"):
                continue
            found[name] = (
                self.of(rows, column)
                if column
                else pl.Series(name, [None], dtype=pl.String).new_from_index(0, rows.height)
            )
        if self.mapping.source.file_column:
            column = Column(columns=(self.mapping.source.file_column,))
            found["_file"] = self.of(rows, column).fill_null("")
        return pl.DataFrame(found).with_columns(
            currency=pl.col("currency").str.to_uppercase().fill_null(self.mapping.source.currency)
        )

    def of(self, rows: pl.DataFrame, column: Column) -> pl.Series:
        """One column of ours as the mapping makes it."""
        parts = [self._part(rows, name) for name in column.columns if name in rows.columns]
        if column.combine:
            filled = [part.fill_null(column.fill) if column.fill else part for part in parts]
            text = pl.select(pl.concat_str(filled, separator=column.separator)).to_series()
            missing = pl.select(pl.all_horizontal([part.is_null() for part in parts])).to_series()
            text = text.set(missing, None)
        else:
            text = pl.select(pl.coalesce(parts)).to_series()
        for pattern in column.remove:
            text = text.str.replace_all(pattern, "")
        if column.patterns:
            text = pl.select(
                pl.coalesce([*(text.str.extract(p) for p in column.patterns), text])
            ).to_series()
        text = text.str.strip_chars()
        return column.prefix + text.set(text == "", None)

    def _part(self, rows: pl.DataFrame, name: str) -> pl.Series:
        """One source column as trimmed text, translated by the mapping's table for it."""
        text = as_text(rows[name]).str.strip_chars()
        nulls = ["", *self.mapping.source.null_values]
        text = text.set(text.is_in(nulls), None)
        table = self.mapping.values.get(name)
        if table is None:
            return text
        return _translated(text, table)


def as_text(values: pl.Series) -> pl.Series:
    """Values of a source column as text; floats to six decimals, whole ones without a point."""
    if values.dtype.is_float():
        values = values.round(6)
        whole = values.is_not_null() & (values == values.floor())
        return (
            values.cast(pl.Int64, strict=False)
            .cast(pl.String)
            .zip_with(whole.fill_null(value=False), values.cast(pl.String))
        )
    return values.cast(pl.String)


def is_empty(values: pl.Series) -> pl.Series:
    """Tell which values are nothing at all."""
    if values.dtype == pl.String():
        return (values.str.strip_chars() == "").fill_null(value=True)
    return values.is_null()


def readable(text: pl.Series) -> pl.Series:
    """Text for people: NFKC, no control or direction characters, at most 200 long."""
    plain = text.str.normalize("NFKC").str.replace_all(r"[\p{Cc}\p{Cf}\s]+", " ")
    short = plain.str.strip_chars().str.slice(0, TEXT_LIMIT)
    return short.set(short == "", None)


def _folded(text: pl.Series) -> pl.Series:
    """Key under which a value is found in a table of the mapping; see ``sections.rules.fold``."""
    return text.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def _translated(text: pl.Series, table: Table[str, str]) -> pl.Series:
    """Values by a table; those it does not name stay."""
    found = looked_up(text, table)
    return found.zip_with(found.is_not_null(), text).set(found == "", None)


def looked_up(text: pl.Series, table: Table[str, str]) -> pl.Series:
    """Values by a table; null for those it does not name."""
    return _folded(text).replace_strict(
        pl.Series(list(table), dtype=pl.String),
        pl.Series(list(table.values()), dtype=pl.String),
        default=None,
        return_dtype=pl.String,
    )
