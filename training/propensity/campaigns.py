"""Campaigns with a holdout, from a file: who was pushed, who was held out, and who activated.

One row a cardholder and campaign, parquet or NDJSON: ``campaign_id``, ``cardholder_id``,
``assigned_at`` (UTC), ``treated``, ``activated``; other columns are not looked at. Those held out
must have been so by chance.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.errors import BadInputError
from training.lines import line_blocks

INSTANT = pl.Datetime("us", "UTC")
COLUMNS: dict[str, pl.DataType] = {
    "campaign_id": pl.String(),
    "cardholder_id": pl.String(),
    "assigned_at": INSTANT,
    "treated": pl.Boolean(),
    "activated": pl.Boolean(),
}


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """What became of cardholders of a campaign with a holdout.

    Parameters
    ----------
    cardholder_ids : who took part
    treated : bool, shape (n,)      pushed, or held out
    outcome : float64, shape (n,)   activations, or spend, after the push
    pushed_at : aware instant       features are taken as of it
    """

    cardholder_ids: Sequence[str]
    treated: NDArray[np.bool_]
    outcome: NDArray[np.float64]
    pushed_at: datetime


def read_campaigns(path: Path) -> tuple[Responses, ...]:
    """Campaigns of a file, in order of their first assignment.

    Raises
    ------
    BadInputError
        Names the file, and the column that is missing, of another type or has empty values.
    """
    rows = _rows(path)
    found = [
        Responses(
            table["cardholder_id"].to_list(),
            table["treated"].to_numpy().astype(np.bool_),
            table["activated"].to_numpy().astype(np.float64),
            table["assigned_at"][0],
        )
        for table in rows.partition_by("campaign_id", maintain_order=True)
    ]
    return tuple(sorted(found, key=lambda one: one.pushed_at))


def _of_lines(path: Path) -> pl.DataFrame:
    """All lines of NDJSON; BadInputError names a line that is too long."""
    blocks = [pl.read_ndjson(io.BytesIO(block)) for block in line_blocks(path) if block.strip()]
    return pl.concat(blocks, how="diagonal_relaxed")


def _rows(path: Path) -> pl.DataFrame:
    """Checked rows, the first assignment of each campaign first."""
    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else _of_lines(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInputError(
            f"--pushes: {path}: not readable as parquet or NDJSON: {error}"
        ) from error
    return pl.DataFrame({name: _column(path, frame, name) for name in COLUMNS}).sort(
        "assigned_at", "campaign_id", "cardholder_id"
    )


def _column(path: Path, frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        raise BadInputError(f"--pushes: {path}: no column {name}; needed are {', '.join(COLUMNS)}")
    column = frame[name]
    if name == "assigned_at" and column.dtype == pl.String():
        column = column.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    if name == "assigned_at" and isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
        column = column.cast(INSTANT)
    if column.dtype != COLUMNS[name]:
        raise BadInputError(
            f"--pushes: {path}: column {name} is {column.dtype}, needs {COLUMNS[name]}"
        )
    if column.null_count():
        row = int(column.is_null().arg_max() or 0) + 1
        raise BadInputError(f"--pushes: {path}: column {name} is empty or unreadable in row {row}")
    return column
