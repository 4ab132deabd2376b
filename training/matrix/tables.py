"""A table of card usage that is read batch by batch, so that memory does not grow with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl

from training.usage import Batch, files_of, frame_batches, is_csv, parquet_batches, scan

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
        """Table of a file or folder; BadInputError names what is wrong with it."""
        frame, files = scan(path), files_of(path)
        return cls(frame, () if is_csv(files) else tuple(files))

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """The named columns of all rows in their order."""
        if self.files:
            return parquet_batches(self.files, names)
        return frame_batches(
            self.frame.select(names).collect_batches(
                chunk_size=BATCH_ROWS, maintain_order=True, engine="streaming"
            )
        )
