"""Writes a table of canonical card usage: whole, or not at all."""

from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
import pyarrow.parquet as pq

from training.usage.draft import Draft
from training.usage.schema import arrow_schema, polars_schema


class UsageWriter:
    """Streams frames of canonical columns into one parquet file beside its final place.

    Nothing is at ``path`` before :meth:`publish`; leaving the block without it removes what was
    written.

    Parameters
    ----------
    path : Path
        Where the table will be; an old one there is replaced at once, never partly.
    """

    def __init__(self, path: Path) -> None:
        self._draft = Draft(path)
        self._writer: pq.ParquetWriter | None = None

    @property
    def draft(self) -> Path:
        """The file that is being written; whole once :meth:`close` has returned."""
        return self._draft.file

    def __enter__(self) -> Self:
        """Open the draft."""
        self._writer = self._draft.opened(
            lambda file: pq.ParquetWriter(file, arrow_schema(), compression="zstd")
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the draft unless it was published."""
        self.close()
        self._draft.remove()

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows; the frame has at least the canonical columns, in any order."""
        if frame.is_empty():
            return
        if self._writer is None:
            raise ValueError("the writer is closed")
        table = frame.select(list(polars_schema())).to_arrow().cast(arrow_schema())
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the draft; writing after it is an error."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def publish(self) -> None:
        """Put the table in its place: bytes on disk first, then one rename."""
        self.close()
        self._draft.publish()
