"""What each column's values must be, and where they are not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.ahead import read_ahead
from training.errors import BadInputError
from training.usage.batches import Batch
from training.usage.codebook import Codebooks, CodedBatch
from training.usage.numbers import SCREENED, names_a_person
from training.usage.schema import ID_PATTERN, OPTIONAL, REQUIRED, STATUSES, polars_schema
from training.usage.spelling import are_ids

AN_ID = (ID_PATTERN, "an id of 1 to 128 letters, digits and . _ ~ -")
PATTERNS = {
    "cardholder_id": AN_ID,
    "merchant_id": AN_ID,
    "currency": (r"^[A-Z]{3}$", "three capitals of ISO 4217"),
    "transaction_id": AN_ID,
    "mcc": (r"^[0-9]{4}$", "four digits"),
    "status": (f"^({'|'.join(STATUSES)})$", f"one of {', '.join(STATUSES)}"),
    "card_product_id": AN_ID,
    "category": AN_ID,
    "segment": AN_ID,
}
"""Pattern of a column of text, and the same in words."""
IN_WORDS = {
    **{name: words for name, (_, words) in PATTERNS.items()},
    "amount_minor": "an integer of at least 0",
    "occurred_at": "RFC 3339 with an offset",
}
RULED = tuple(name for name in polars_schema() if name in REQUIRED or name in PATTERNS)


@dataclass(slots=True)
class _Fault:
    """Wrong values of one column: how many, and the row of the first, counted from 0."""

    count: int = 0
    first: int = 0

    def add(self, is_wrong: NDArray[np.bool_], rows_before: int) -> None:
        wrong = int(np.count_nonzero(is_wrong))
        if wrong and not self.count:
            self.first = rows_before + int(is_wrong.argmax())
        self.count += wrong


@dataclass(slots=True)
class _Check:
    """What was found in the batches so far."""

    rows: int = 0
    faults: dict[str, _Fault] = field(default_factory=lambda: {n: _Fault() for n in RULED})
    numbers: dict[str, _Fault] = field(default_factory=lambda: {n: _Fault() for n in SCREENED})

    @property
    def is_clean(self) -> bool:
        """Whether nothing wrong was found."""
        return not any(fault.count for fault in (*self.faults.values(), *self.numbers.values()))

    def add(self, batch: Batch, fresh: Mapping[str, pa.Array]) -> None:
        """Look at a batch.

        Parameters
        ----------
        batch : Batch
        fresh : by column, what is to be looked at; all other values of it were found right before.
            Of columns that are not in it every value is looked at.
        """
        for name, column in batch.columns.items():
            values = fresh.get(name, _distinct(column))
            if name in self.faults and not _all_right(name, column, values):
                self.faults[name].add(_wrong(name, column), self.rows)
            if name in self.numbers and names_a_person(name, values).any():
                self.numbers[name].add(names_a_person(name, column), self.rows)
        self.rows += batch.height

    def refuse(self, path: Path) -> None:
        """BadInputError when there is no row or something was wrong, as :func:`checked` says."""
        if not self.rows:
            raise BadInputError(f"{path}: the table has no rows")
        for name, fault in self.faults.items():
            if fault.count:
                raise self._error(path, name, fault, f"are missing or not {IN_WORDS[name]}")
        for name, fault in self.numbers.items():
            if fault.count:
                words = "hold a card number, resident id or mobile number"
                raise self._error(path, name, fault, words)

    def _error(self, path: Path, name: str, fault: _Fault, words: str) -> BadInputError:
        return BadInputError(
            f"{path}: column {name}: {fault.count:,} of {self.rows:,} values {words}, the first in "
            f"data row {fault.first + 1:,}; "
            "`recsvc-train import --mapping F` puts such rows aside and goes on"
        )


def checked(batches: Iterator[Batch], books: Codebooks, path: Path) -> Iterator[CodedBatch]:
    """The batches in codes, after every value of every column that has a rule was looked at.

    A text is looked at when it is met for the first time. From the first batch with something
    wrong on none is handed on, and what is wrong is counted only. A batch is coded while the one
    before is used.

    Parameters
    ----------
    batches : with at least the columns in ``RULED`` or ``SCREENED`` that the table has
    books : of this table, and of tables that were checked before
    path : named by errors

    Raises
    ------
    BadInputError
        There is no row, or a column holds wrong values, or numbers that name a person; after the
        last batch. Names the column and the first row.
    """
    check = _Check()
    for coded in read_ahead(books.code(batch) for batch in batches):
        check.add(coded.batch, coded.fresh if check.is_clean else {})
        if check.is_clean:
            yield coded
    check.refuse(path)


def _distinct(column: pa.Array) -> pa.Array:
    """The values of a column, those of a coded one once each."""
    return column.dictionary if pa.types.is_dictionary(column.type) else column


def _all_right(name: str, column: pa.Array, values: pa.Array) -> bool:
    """Whether no row breaks the column's rule, when all values but these keep it."""
    if name not in OPTIONAL and (column.null_count or values.null_count):
        return False
    if name in PATTERNS and not pa.types.is_null(values.type):
        if PATTERNS[name] is AN_ID:
            return are_ids(values)
        matched = pc.match_substring_regex(values, PATTERNS[name][0])
        return bool(pc.all(matched, min_count=0).as_py())
    least = pc.min(values).as_py() if name == "amount_minor" else None
    return least is None or bool(least >= 0)


def _wrong(name: str, column: pa.Array) -> NDArray[np.bool_]:
    """Tell for each row whether this column's value breaks its rule."""
    if pa.types.is_dictionary(column.type):
        of_value = np.r_[_wrong(name, column.dictionary), name not in OPTIONAL]
        codes = np.asarray(column.indices.cast(pa.int64()).fill_null(len(column.dictionary)))
        return np.asarray(of_value[codes], np.bool_)
    if pa.types.is_null(column.type):
        return np.full(len(column), name not in OPTIONAL)
    broken = pc.is_null(column)
    if name in PATTERNS:
        broken = pc.invert(pc.match_substring_regex(column, PATTERNS[name][0]))
    elif name == "amount_minor":
        broken = pc.less(column, 0)
    return np.asarray(pc.fill_null(broken, name not in OPTIONAL))
