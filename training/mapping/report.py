"""What became of every row of an import."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from training.errors import TrainingError
from training.mapping.rows import REFUNDS


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of every row: ``rows_read`` is accepted plus all rejected.

    Parameters
    ----------
    rows_read, rows_accepted : int
        Rows of the files that were read; of a duplicate file none is.
    rows_rejected : dict of str to int
        Reason → rows, the most frequent first; repeats are there as ``duplicate_row``.
    duplicate_files : int
        Files left out because another has the same content.
    duplicate_rows : int
        Rows dropped because they repeat another.
    repeats_kept : int
        Rows that equal an earlier one of their own file and count as purchases of their own.
    refunds, cardholders, merchants : int
        Of the accepted rows: those returned or reversed, distinct cardholders, merchants.
    first_at, last_at : datetime or None
        Of the accepted rows, in UTC.
    """

    rows_read: int
    rows_accepted: int
    rows_rejected: dict[str, int]
    duplicate_files: int
    duplicate_rows: int
    repeats_kept: int
    refunds: int = 0
    cardholders: int = 0
    merchants: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    def as_document(self) -> dict[str, Any]:
        """Return the JSON form."""
        found = {name: getattr(self, name) for name in self.__slots__}
        for name in ("first_at", "last_at"):
            found[name] = found[name] and found[name].strftime("%Y-%m-%dT%H:%M:%SZ")
        return found


class TooManyRejectedError(TrainingError):
    """More rows were rejected than the mapping allows; no usage was written."""

    def __init__(self, message: str, report: ImportReport) -> None:
        super().__init__(message)
        self.report = report


def described(path: Path) -> dict[str, Any]:
    """Counts and dates of a written table, read in batches; ids are counted by their hash."""
    seen = {name: np.empty(0, np.uint64) for name in ("cardholder_id", "merchant_id")}
    refunds = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(500_000, columns=[*seen, "status", "occurred_at"]):
            frame = pl.DataFrame(pl.from_arrow(batch))
            refunds += int(frame["status"].is_in(REFUNDS).sum())
            for name, hashes in seen.items():
                seen[name] = np.union1d(hashes, frame[name].hash().unique().to_numpy())
            at = frame["occurred_at"]
            known = [first_at, last_at, at.min(), at.max()]
            dates = [date for date in known if isinstance(date, datetime)]
            first_at, last_at = min(dates), max(dates)
    return {
        "refunds": refunds,
        "cardholders": len(seen["cardholder_id"]),
        "merchants": len(seen["merchant_id"]),
        "first_at": first_at,
        "last_at": last_at,
    }
