"""Card usage in our own columns: what they are, how a table of them is read and written.

Everything that training knows of a transaction passes through here, so the rest of the room may
rely on names, types and values.
"""

from training.usage.batches import Batch, Text
from training.usage.codebook import Codebooks, CodedBatch
from training.usage.numbers import refuse_numbers
from training.usage.schema import OPTIONAL, REQUIRED, arrow_schema, polars_schema
from training.usage.table import Table, scan

__all__ = [
    "OPTIONAL",
    "REQUIRED",
    "Batch",
    "Codebooks",
    "CodedBatch",
    "Table",
    "Text",
    "arrow_schema",
    "polars_schema",
    "refuse_numbers",
    "scan",
]
