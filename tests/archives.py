"""Archive files, read as the trainer meets them."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from recsvc.workers.archive_files import SCHEMA


def read_rows(path: Path) -> list[dict[str, Any]]:
    """All rows of an archive file, in their order."""
    rows: list[dict[str, Any]] = pq.read_table(path, schema=SCHEMA).to_pylist()
    return rows
