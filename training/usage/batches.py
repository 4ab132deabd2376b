"""Card usage in batches, its text as codes: a value that stands in many rows is looked at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from training.errors import BadInputError
from training.parquet import row_batches, schema_of
from training.usage.schema import INSTANT, polars_schema

BATCH_ROWS = 50_000
US_PER_DAY = 86_400_000_000
TEXT = pa.large_string()
UNIQUE = "transaction_id"
"""The one column whose values hardly ever repeat; codes of it would only cost memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """One column of text.

    Parameters
    ----------
    codes : int32, shape (n_rows,)
        Place in ``values``; -1 where there is none.
    values : arrow array of string or large_string
        No nulls; may hold values that no row of the batch has, and one twice.
    """

    codes: NDArray[np.int32]
    values: pa.Array

    def met(self, among: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Places of the values that at least one row of the mask has, ascending."""
        codes = self.codes[among]
        is_met = np.zeros(len(self.values) + 1 if codes.size else 1, np.bool_)
        is_met[codes] = True
        return np.flatnonzero(is_met[:-1])

    def or_else(self, other: "Text") -> "Text":
        """The same with another column's value where there is none."""
        if not len(other.values):
            return self
        moved = np.where(other.codes >= 0, other.codes + len(self.values), -1)
        values = pa.concat_arrays([self.values.cast(TEXT), other.values.cast(TEXT)])
        return Text(np.where(self.codes >= 0, self.codes, moved).astype(np.int32), values)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some rows of card usage; columns that the table lacks are not among them.

    Parameters
    ----------
    height : int
        Rows.
    columns : dict of str to arrow array
        Canonical columns: text (plain or dictionary), int64, timestamp[us, UTC].
    """

    height: int
    columns: dict[str, pa.Array]

    def text(self, name: str) -> Text:
        """A column of text as codes; all -1 where the table lacks it."""
        found = self.columns.get(name)
        if found is None or pa.types.is_null(found.type):
            return Text(np.full(self.height, -1, np.int32), pa.array([], TEXT))
        coded = found if pa.types.is_dictionary(found.type) else found.dictionary_encode()
        indices = coded.indices.fill_null(-1) if coded.null_count else coded.indices
        return Text(np.asarray(indices, np.int32), coded.dictionary)

    def days(self) -> NDArray[np.int32]:
        """Day of each row, int32, days since 1970-01-01 UTC."""
        instants = np.asarray(self.columns["occurred_at"].cast(pa.int64()), np.int64)
        return (instants // US_PER_DAY).astype(np.int32)

    def category(self) -> Text:
        """What kind of purchase each row is: the MCC, else the issuer's own word."""
        return self.text("mcc").or_else(self.text("category"))


def parquet_batches(files: Sequence[Path], names: Sequence[str]) -> Iterator[Batch]:
    """The named columns of parquet files that :func:`training.usage.reader.opened` has let pass.

    Only as much of a file is held as a few batches need.

    Raises
    ------
    BadInputError
        A file is damaged behind its footer, or its text is no UTF-8; names it.
    """
    for path in files:
        try:
            yield from _of_file(path, names)
        except (pa.ArrowException, OSError) as error:
            raise BadInputError(f"{path}: not a readable parquet file ({error})") from error


def _of_file(path: Path, names: Sequence[str]) -> Iterator[Batch]:
    known = schema_of(path)
    coded = [n for n in known.names if n != UNIQUE and _is_text(known.field(n).type)]
    present = [name for name in names if name in known.names]
    for rows in row_batches(path, present, n_rows=BATCH_ROWS, coded=coded):
        yield _typed(rows)


def frame_batches(frames: Iterator[pl.DataFrame]) -> Iterator[Batch]:
    """Batches of frames that have canonical columns and types."""
    for frame in frames:
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
        yield from (_typed(rows) for rows in table.to_batches(BATCH_ROWS))


def _typed(rows: pa.RecordBatch) -> Batch:
    """The columns in the canonical types."""
    kinds = {pl.Int64(): pa.int64(), INSTANT: pa.timestamp("us", "UTC"), pl.String(): TEXT}
    columns = {}
    for name, column in zip(rows.schema.names, rows.columns, strict=True):
        is_ready = pa.types.is_dictionary(column.type) or pa.types.is_null(column.type)
        kind = kinds[polars_schema()[name]]
        columns[name] = column if is_ready else column.cast(kind, safe=False)
    return Batch(rows.num_rows, columns)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
