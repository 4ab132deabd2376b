"""What each column's values must be, and where they are not."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.errors import BadInputError
from training.usage.batches import Batch
from training.usage.numbers import SCREENED, names_a_person
from training.usage.schema import ID_PATTERN, OPTIONAL, REQUIRED, STATUSES, polars_schema

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
CHECKED = tuple(name for name in polars_schema() if name in RULED or name in SCREENED)


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

    def add(self, batch: Batch) -> None:
        for name, fault in self.faults.items():
            if name in batch.columns:
                fault.add(_wrong(name, batch.columns[name]), self.rows)
        for name, fault in self.numbers.items():
            if name in batch.columns:
                fault.add(names_a_person(name, batch.columns[name]), self.rows)
        self.rows += batch.height


def check_rows(batches: Iterable[Batch], path: Path) -> None:
    """Look at every value of every column that has a rule.

    Raises
    ------
    BadInputError
        There is no row, or a column holds wrong values, or numbers that name a person; names the
        column and the first row.
    """
    check = _Check()
    for batch in batches:
        check.add(batch)
    if not check.rows:
        raise BadInputError(f"{path}: the table has no rows")
    for name, fault in check.faults.items():
        if fault.count:
            raise BadInputError(
                f"{path}: column {name}: {fault.count:,} of {check.rows:,} values are "
                f"missing or not {IN_WORDS[name]}, the first in data row {fault.first + 1:,}; "
                "`recsvc-train import --mapping F` puts such rows aside and goes on"
            )
    for name, fault in check.numbers.items():
        if fault.count:
            raise BadInputError(
                f"{path}: column {name}: {fault.count:,} of {check.rows:,} values hold a card "
                f"number, resident id or mobile number, the first in data row {fault.first + 1:,}; "
                "`recsvc-train import --mapping F` puts such rows aside and goes on"
            )


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
