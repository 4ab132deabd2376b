"""A table of card usage that is read batch by batch, so that memory does not grow with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl

from training.usage import scan

BATCH_ROWS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Canonical card usage.

    Parameters
    ----------
    frame : polars.LazyFrame
        Of the canonical columns.
    rows : int or None
        Number of rows where slices are cheap (parquet, memory); None where a slice would read
        everything before it again (csv).
    """

    frame: pl.LazyFrame
    rows: int | None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Table of a file or folder; BadInputError names what is wrong with it."""
        frame = scan(path)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        if any(file.suffix == ".csv" for file in files):
            return cls(frame, None)
        return cls(frame, int(frame.select(pl.len()).collect().item()))

    def batches(self, wanted: Sequence[pl.Expr | str]) -> Iterator[pl.DataFrame]:
        """The wanted columns of all rows in their order, ``BATCH_ROWS`` at a time."""
        chosen = self.frame.select(wanted)
        if self.rows is None:
            yield from chosen.collect_batches(
                chunk_size=BATCH_ROWS, maintain_order=True, engine="streaming"
            )
            return
        for start in range(0, self.rows, BATCH_ROWS):
            yield chosen.slice(start, BATCH_ROWS).collect(engine="streaming")
