"""A table of card usage that is read batch by batch, so that memory does not grow with its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl

from training.usage.batches import Batch, frame_batches, parquet_batches
from training.usage.codebook import Codebooks, CodedBatch
from training.usage.reader import files_of, is_csv, opened
from training.usage.rules import checked
from training.usage.schema import polars_schema

BATCH_ROWS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Canonical card usage.

    Parameters
    ----------
    frame : polars.LazyFrame
        Of the canonical columns.
    files : tuple of Path
        Parquet files with the same rows; none where the rows are text or in memory.
    """

    frame: pl.LazyFrame
    files: tuple[Path, ...] = ()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Table of a file or folder; its rows are not read yet.

        Raises
        ------
        BadInputError
            The path is missing, empty, outsized or of another format, or a column is missing or of
            another type. The message names the file and the column.
        """
        files = files_of(path)
        return cls(opened(files), () if is_csv(files) else tuple(files))

    def batches(self, names: Sequence[str] = tuple(polars_schema())) -> Iterator[Batch]:
        """The named columns of all rows in their order."""
        if self.files:
            return parquet_batches(self.files, names)
        return frame_batches(
            self.frame.select(names).collect_batches(
                chunk_size=BATCH_ROWS, maintain_order=True, engine="streaming"
            )
        )

    def coded(self, books: Codebooks, path: Path) -> Iterator[CodedBatch]:
        """All rows in codes, looked at on the way.

        Parameters
        ----------
        books : of this table, and of tables that were read before
        path : named by errors

        Raises
        ------
        BadInputError
            After the last row: there is none, or a column holds a value that breaks its rule. The
            message names the column and the row.
        """
        return checked(self.batches(), books, path)


def scan(path: Path | str) -> pl.LazyFrame:
    """Return a table of card usage as a lazy frame of exactly the canonical columns.

    Every row is looked at once before this answers, and the frame reads them again when it is
    collected: a table that passes has no missing required value and no value that breaks the rules
    of :mod:`training.usage.schema`. Of the rows only distinct texts are held meanwhile.

    Parameters
    ----------
    path : Path or str
        A ``.parquet`` or ``.csv`` file, or a folder of such files of one kind.

    Returns
    -------
    polars.LazyFrame
        Columns and types of :func:`training.usage.schema.polars_schema`, in that order.

    Raises
    ------
    BadInputError
        As :meth:`Table.open` and :meth:`Table.coded`.
    """
    table = Table.open(Path(path))
    for _ in table.coded(Codebooks(), Path(path)):
        pass
    return table.frame
