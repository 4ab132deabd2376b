"""One block of source rows into our columns, each row accepted or with the reason why not.

The order of the checks is the order of the reasons: a row with several faults is counted under
the first.
"""

from collections.abc import Mapping as Table
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from embeddings.identifying import SHORTEST, Identifying, identifying
from training.errors import BadInputError
from training.mapping import ids
from training.mapping.amounts import read_amounts
from training.mapping.currencies import CODES
from training.mapping.instants import in_window, read_instants
from training.mapping.spec import Column, Mapping
from training.usage.numbers import OF_PEOPLE
from training.usage.schema import STATUSES, polars_schema

REFUNDS = ("returned", "reversed")
MAYBE_NUMBER = rf"[\d\p{{No}}](?:[^\d\p{{No}}]{{0,3}}[\d\p{{No}}]){{{SHORTEST - 1}}}"
SEARCHED = (
    "cardholder_id",
    "transaction_id",
    "merchant_id",
    "merchant_name",
    "card_product_id",
    "city",
    "channel",
    "category",
    "segment",
    "status",
)
TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Rows:
    """Accepted rows in our columns and ``_line``; rejected ones with ``_line`` and ``_reason``.

    Parameters
    ----------
    accepted : polars.DataFrame
        Columns of :func:`training.usage.schema.polars_schema`, ``_line``, and ``_file`` when the
        source has a file column.
    rejected : polars.DataFrame
        ``_line``, ``_reason`` and the source's columns as they were read.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame


@dataclass(frozen=True, slots=True)
class RowReader:
    """Applies a mapping to blocks of rows.

    Parameters
    ----------
    mapping : Mapping
        Which column becomes which.
    latest_at : datetime
        Rows at or after it are in the future.
    id_key : bytes or None
        Key of hashed ids; needed when the mapping asks for them.
    """

    mapping: Mapping
    latest_at: datetime
    id_key: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse hashed ids without a key."""
        hashed = [n for n, c in self.mapping.columns.items() if c.id_rule == "hash"]
        if hashed and not self.id_key:
            raise BadInputError(
                f"{self.mapping.name}: columns.{hashed[0]}.id is hash; pass --id-key-file with at "
                "least 16 bytes"
            )

    def read(self, rows: pl.DataFrame) -> Rows:
        """Split one block into accepted and rejected rows; none is lost."""
        frame = self._texts(rows)
        frame = self._amounts(frame, rows)
        frame = frame.with_columns(self._instant(rows))
        frame = frame.with_columns(_status())
        frame = self._ids(frame)
        frame = frame.with_columns(_reason=self._reason(frame, rows))
        good = frame["_reason"].is_null()
        keep = [*polars_schema(), "_line", *(["_file"] if "_file" in frame.columns else [])]
        aside = rows.with_columns(frame["_reason"]).filter(~good)
        return Rows(accepted=frame.filter(good).select(keep), rejected=aside)

    def _texts(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Values of all our text columns, trimmed; nothing is null, whatever nothing looks like."""
        found: dict[str, pl.Series | pl.Expr] = {"_line": rows["_line"]}
        for name in polars_schema():
            column = self.mapping.columns.get(name)
            if name in ("amount_minor", "occurred_at"):
                continue
            found[name] = (
                self._text(rows, column)
                if column
                else pl.Series(name, [None], dtype=pl.String).new_from_index(0, rows.height)
            )
        if self.mapping.source.file_column:
            column = Column(columns=(self.mapping.source.file_column,))
            found["_file"] = self._text(rows, column).fill_null("")
        return pl.DataFrame(found).with_columns(
            currency=pl.col("currency").str.to_uppercase().fill_null(self.mapping.source.currency)
        )

    def _text(self, rows: pl.DataFrame, column: Column) -> pl.Series:
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

    def _amounts(self, frame: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        """Add ``amount_minor``, ``_refund`` and ``_amount_fault``."""
        name = "amount" if "amount" in self.mapping.columns else "amount_minor"
        spellings = [c for c in self.mapping.columns[name].columns if c in rows.columns]
        values = rows[spellings[0]]
        if len(spellings) > 1 or values.dtype == pl.String():
            values = self._text(rows, self.mapping.columns[name])
        read = read_amounts(values, frame["currency"], self.mapping.amount)
        return frame.with_columns(
            read["minor"].alias("amount_minor"),
            read["refund"].alias("_refund"),
            read["fault"].alias("_amount_fault"),
        )

    def _instant(self, rows: pl.DataFrame) -> pl.Series:
        """The column ``occurred_at``; null where none can be read."""
        column = self.mapping.columns["occurred_at"]
        spellings = [c for c in column.columns if c in rows.columns]
        values = rows[spellings[0]]
        if column.combine or len(spellings) > 1 or values.dtype == pl.String():
            values = self._text(rows, column)
        expr = read_instants(
            pl.col("v"), values.dtype, column.formats, self.mapping.source.timezone
        )
        return values.to_frame("v").select(expr.alias("occurred_at")).to_series()

    def _ids(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Turn names into ids, and add ``_number``: what kind of person's number a row holds."""
        number = self._numbers(frame)
        names = frame["merchant_name"]
        made = {
            "merchant_id": self._id(frame, "merchant_id").zip_with(
                frame["merchant_id"].is_not_null(), self.mapping.merchants.ids(names)
            ),
            "merchant_name": _readable(names),
            "mcc": self._mcc(frame),
            "category": ids.labels(frame["category"]),
            "segment": ids.labels(frame["segment"]),
            "city": _readable(frame["city"]),
            "channel": _readable(frame["channel"]),
        }
        for name in ("cardholder_id", "transaction_id", "card_product_id"):
            made[name] = self._id(frame, name)
        raw_status = frame["status"].alias("_status")
        return frame.with_columns(
            *(series.alias(name) for name, series in made.items()), raw_status, number
        )

    def _id(self, frame: pl.DataFrame, name: str) -> pl.Series:
        """One column of ids by the mapping's rule."""
        column = self.mapping.columns.get(name)
        if column is not None and column.id_rule == "hash" and self.id_key:
            return ids.keyed_hashes(frame[name], self.id_key)
        return ids.slugs(frame[name])

    def _mcc(self, frame: pl.DataFrame) -> pl.Series:
        """MCC as four digits, of the row or of its category."""
        own = frame["mcc"].str.replace(r"^(\d{1,4})(?:\.0)?$", "${1}").str.zfill(4)
        own = own.set(own == "0000", None)
        table = self.mapping.categories
        if not table:
            return own
        return pl.select(pl.coalesce([own, _looked_up(frame["category"], table)])).to_series()

    def _numbers(self, frame: pl.DataFrame) -> pl.Series:
        """What kind of number that names a person stands in each row; null where none does."""
        found = pl.Series("_number", [None], pl.String).new_from_index(0, frame.height)
        for name in SEARCHED:
            if name in self.mapping.checks.never_card_numbers:
                continue
            values = frame[name]
            maybe = values.filter(values.str.len_bytes() >= SHORTEST).unique()
            for text in maybe.filter(maybe.str.contains(MAYBE_NUMBER)).to_list():
                what = identifying(text, mobiles=name in OF_PEOPLE)
                if what is not None:
                    found = found.set((values == text).fill_null(value=False), what.value)
        return found

    def _reason(self, frame: pl.DataFrame, rows: pl.DataFrame) -> pl.Series:
        """First fault of each row, or null."""
        used = [name for name in self.mapping.used_columns() if name in rows.columns]
        values = [name for name in used if name != self.mapping.source.file_column]
        empty = pl.select(pl.all_horizontal([_is_empty(rows[n]) for n in values])).to_series()
        texts = [rows[name] for name in used if rows[name].dtype == pl.String()]
        garbled = [text.str.contains("\ufffd", literal=True) for text in texts]
        steps: list[tuple[pl.Expr | pl.Series, str | pl.Expr]] = [
            (empty, "empty_row"),
            (pl.col("_number") == Identifying.CARD_NUMBER.value, "card_number"),
            (pl.col("_number").is_not_null(), "personal_number"),
            *((mark, "undecodable_text") for mark in garbled),
            (pl.col("cardholder_id").is_null(), "cardholder_id_missing"),
            (pl.col("merchant_id").is_null(), "merchant_missing"),
            (pl.col("currency").is_null(), "currency_missing"),
            (~pl.col("currency").is_in(list(CODES)), "currency_unknown"),
            (pl.col("_amount_fault").is_not_null(), pl.col("_amount_fault")),
            (pl.col("amount_minor") == 0, "amount_zero"),
            (pl.col("occurred_at").is_null(), "occurred_at_unreadable"),
            (self._window().is_not_null(), self._window()),
            (~pl.col("_status").is_in(STATUSES), "status_unknown"),
            (~pl.col("mcc").str.contains("^[0-9]{4}$"), "mcc_unreadable"),
        ]
        chosen = pl.coalesce(
            [
                pl.when(test).then(pl.lit(word) if isinstance(word, str) else word)
                for test, word in steps
            ]
        )
        return frame.select(chosen.alias("_reason")).to_series()

    def _window(self) -> pl.Expr:
        """What is wrong with an instant, if anything."""
        return in_window(pl.col("occurred_at"), self.mapping.checks.earliest_at, self.latest_at)


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


def _status() -> pl.Expr:
    """Status of a row: what the source says, else settled, or returned for a refund."""
    said = pl.col("status").str.to_lowercase()
    bought = said.fill_null("settled")
    refunded = pl.col("_refund") & bought.is_in(["settled", "approved"])
    return pl.when(refunded).then(pl.lit("returned")).otherwise(bought).alias("status")


def _is_empty(values: pl.Series) -> pl.Series:
    """Tell which values are nothing at all."""
    if values.dtype == pl.String():
        return (values.str.strip_chars() == "").fill_null(value=True)
    return values.is_null()


def _readable(text: pl.Series) -> pl.Series:
    """Text for people: NFKC, no control or direction characters, at most 200 long."""
    plain = text.str.normalize("NFKC").str.replace_all(r"[\p{Cc}\p{Cf}\s]+", " ")
    short = plain.str.strip_chars().str.slice(0, TEXT_LIMIT)
    return short.set(short == "", None)


def _folded(text: pl.Series) -> pl.Series:
    """Key under which a value is found in a table of the mapping; see ``sections.rules.fold``."""
    return text.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def _translated(text: pl.Series, table: Table[str, str]) -> pl.Series:
    """Values by a table; those it does not name stay."""
    found = _looked_up(text, table)
    return found.zip_with(found.is_not_null(), text).set(found == "", None)


def _looked_up(text: pl.Series, table: Table[str, str]) -> pl.Series:
    """Values by a table; null for those it does not name."""
    return _folded(text).replace_strict(
        pl.Series(list(table), dtype=pl.String),
        pl.Series(list(table.values()), dtype=pl.String),
        default=None,
        return_dtype=pl.String,
    )
