"""Parquet, a few rows at a time, in as little memory as a batch of one row group needs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from training.memory import give_back

BUFFER_BYTES = 1 << 16


def schema_of(path: Path) -> pa.Schema:
    """Names and types of the columns.

    Raises
    ------
    pyarrow.ArrowInvalid, OSError
        The file is no parquet, or cannot be read.
    """
    with pq.ParquetFile(path) as file:
        return file.schema_arrow


def row_batches(
    path: Path, names: Sequence[str], *, n_rows: int, coded: Sequence[str] = ()
) -> Iterator[pa.RecordBatch]:
    """The named columns in batches of at most ``n_rows``, in the order of the rows.

    Row group by row group: one reader over all of them would hold what is coded to its end.

    Parameters
    ----------
    path : Path
    names : columns that the file has
    n_rows : int
    coded : columns of text to read as codes of their distinct values
    """
    with pq.ParquetFile(path, read_dictionary=list(coded), buffer_size=BUFFER_BYTES) as file:
        for group in range(file.num_row_groups):
            yield from file.iter_batches(
                n_rows, row_groups=[group], columns=list(names), use_threads=False
            )
            give_back()
