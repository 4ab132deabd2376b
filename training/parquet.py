"""Parquet, a few rows at a time, in as little memory as a batch of one row group needs."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from training.ahead import read_ahead
from training.memory import give_back

BUFFER_BYTES = 1 << 16
GIVE_BACK_BYTES = 1 << 26
"""So much is decoded before memory is handed back: doing so costs the time of taking it again."""


def schema_of(path: Path) -> pa.Schema:
    """Names and types of the columns.

    Raises
    ------
    pyarrow.ArrowInvalid, OSError
        The file is no parquet, or cannot be read.
    """
    with pq.ParquetFile(path) as file:
        return file.schema_arrow


def shared_values(dictionary: pa.Array, before: pa.Array | None) -> int:
    """How many first values of a dictionary are those of the batch before: all of its, or none.

    The batches of one row group have one dictionary that grows, so what was found out about its
    values need not be found out again.
    """
    n = 0 if before is None else len(before)
    return n if n and dictionary[:n].equals(before) else 0


def row_batches(
    path: Path, names: Sequence[str], *, n_rows: int, coded: Sequence[str] = ()
) -> Iterator[pa.RecordBatch]:
    """The named columns in batches of at most ``n_rows``, in the order of the rows.

    Row group by row group: one reader over all of them would hold what is coded to its end. A
    batch is decoded while the one before is used.

    Parameters
    ----------
    path : Path
    names : columns that the file has
    n_rows : int
    coded : columns of text to read as codes of their distinct values

    Raises
    ------
    pyarrow.ArrowInvalid, OSError
        The file is damaged, or text in it is no UTF-8.
    """
    return read_ahead(_decoded(path, list(names), n_rows, list(coded)))


def _decoded(
    path: Path, names: list[str], n_rows: int, coded: list[str]
) -> Generator[pa.RecordBatch]:
    decoded = 0
    with pq.ParquetFile(path, read_dictionary=coded, buffer_size=BUFFER_BYTES) as file:
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(
                n_rows, row_groups=[group], columns=names, use_threads=False
            ):
                batch.validate(full=True)
                yield batch
            decoded += file.metadata.row_group(group).total_byte_size
            if decoded >= GIVE_BACK_BYTES:
                give_back()
                decoded = 0
