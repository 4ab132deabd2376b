"""Parquet files as a stream of frames, each row with its number in the file.

A few hundred kilobytes of parquet can declare billions of rows, so the footer's count is asked
before anything is read, and batches are bounded by rows.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from training.errors import BadInputError
from training.mapping.csv_source import MAX_COLUMNS, Block
from training.mapping.parquet_types import plain
from training.mapping.spec import Source

BATCH_ROWS = 131_072
NO_RAGGED = pl.DataFrame(schema={"_line": pl.Int64, "_text": pl.String})


def read_parquet(path: Path, source: Source, wanted: tuple[str, ...]) -> Iterator[Block]:
    """Blocks of one parquet file, in its order; ``_line`` counts its rows from 1.

    Raises
    ------
    BadInputError
        The file is not parquet, is empty, or declares more rows than the mapping allows.
    """
    try:
        with pq.ParquetFile(path) as file:
            _check_size(path, file.metadata, source)
            header = tuple(file.schema_arrow.names)
            names = [name for name in header if name in wanted]
            line = 1
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=names):
                rows = pl.DataFrame(pl.from_arrow(plain(path, batch)))
                lines = pl.Series("_line", np.arange(line, line + batch.num_rows))
                yield Block(rows.with_columns(lines), NO_RAGGED, header)
                line += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise BadInputError(f"{path}: not a readable parquet file ({error})") from error


def _check_size(path: Path, footer: pq.FileMetaData, source: Source) -> None:
    """Refuse a file by its footer: no rows, too many, or too many columns."""
    if not footer.num_rows:
        raise BadInputError(f"{path.name}: the file is empty; rows were expected")
    if footer.num_rows > source.max_rows or footer.num_columns > MAX_COLUMNS:
        raise BadInputError(
            f"{path.name}: declares {footer.num_rows:,} rows in {footer.num_columns:,} columns, "
            f"more than {source.max_rows:,} or {MAX_COLUMNS:,}; raise max_rows in [source] if "
            "that is true"
        )
