"""Card usage in our own columns: what they are, how a table of them is read and written.

Everything that training knows of a transaction passes through here, so the rest of the room may
rely on names, types and values.
"""

from training.usage.batches import Batch, Text, frame_batches, parquet_batches
from training.usage.reader import files_of, is_csv, scan
from training.usage.schema import OPTIONAL, REQUIRED, arrow_schema, polars_schema

__all__ = [
    "OPTIONAL",
    "REQUIRED",
    "Batch",
    "Text",
    "arrow_schema",
    "files_of",
    "frame_batches",
    "is_csv",
    "parquet_batches",
    "polars_schema",
    "scan",
]
