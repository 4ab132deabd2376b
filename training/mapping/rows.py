"""One block of source rows into our columns, each row accepted or with the reason why not.

The order of the checks is the order of the reasons: a row with several faults is counted under
the first.
"""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from embeddings.identifying import SHORTEST, Identifying, identifying
from training.errors import BadInputError
from training.mapping import ids
from training.mapping.amounts import read_amounts
from training.mapping.currencies import CODES
from training.mapping.instants import in_window, read_instants
from training.mapping.spec import Mapping
from training.mapping.texts import Texts, is_empty, looked_up, readable
from training.usage.numbers import OF_PEOPLE
from training.usage.schema import STATUSES, polars_schema

REFUNDS = ("returned", "reversed")
MAYBE_NUMBER = rf"[\d\p{{No}}](?:[^\d\p{{No}}]{{0,3}}[\d\p{{No}}]){{{SHORTEST - 1}}}"
TOO_SHORT = ("currency", "mcc")
SEARCHED = tuple(
    name for name, kind in polars_schema().items() if kind == pl.String and name not in TOO_SHORT
)
"""Columns in which a number that names a person may stand: all of text."""


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
        frame = Texts(self.mapping).all(rows)
        frame = self._amounts(frame, rows)
        frame = frame.with_columns(self._instant(rows))
        frame = frame.with_columns(_status())
        frame = self._ids(frame)
        frame = frame.with_columns(_reason=self._reason(frame, rows))
        good = frame["_reason"].is_null()
        keep = [*polars_schema(), "_line", *(["_file"] if "_file" in frame.columns else [])]
        aside = rows.with_columns(frame["_reason"]).filter(~good)
        return Rows(accepted=frame.filter(good).select(keep), rejected=aside)

    def _amounts(self, frame: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        """Add ``amount_minor``, ``_refund`` and ``_amount_fault``."""
        name = "amount" if "amount" in self.mapping.columns else "amount_minor"
        spellings = [c for c in self.mapping.columns[name].columns if c in rows.columns]
        values = rows[spellings[0]]
        if len(spellings) > 1 or values.dtype == pl.String():
            values = Texts(self.mapping).of(rows, self.mapping.columns[name])
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
            values = Texts(self.mapping).of(rows, column)
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
            "merchant_name": readable(names),
            "mcc": self._mcc(frame),
            "category": ids.labels(frame["category"]),
            "segment": ids.labels(frame["segment"]),
            "city": readable(frame["city"]),
            "channel": readable(frame["channel"]),
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
        return pl.select(pl.coalesce([own, looked_up(frame["category"], table)])).to_series()

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
        empty = pl.select(pl.all_horizontal([is_empty(rows[n]) for n in values])).to_series()
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


def _status() -> pl.Expr:
    """Status of a row: what the source says, else settled, or returned for a refund."""
    said = pl.col("status").str.to_lowercase()
    bought = said.fill_null("settled")
    refunded = pl.col("_refund") & bought.is_in(["settled", "approved"])
    return pl.when(refunded).then(pl.lit("returned")).otherwise(bought).alias("status")
