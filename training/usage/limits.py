"""Files that would not fit: refused by their footer or their line ends, before anything is held.

A few kilobytes can declare billions of rows, a packed text can unfold a thousandfold, and a text
without a line end is one line however long. What is small enough here is read in batches.
"""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from training.errors import BadInputError
from training.lines import MAX_LINE_BYTES, PACKED

MAX_ROWS = 2_000_000_000
MAX_COLUMNS = 4_096
MAX_GROUP_BYTES = 4 * 2**30


def refuse_outsized(files: list[Path]) -> None:
    """Look at the size of each file of a table without holding it.

    Raises
    ------
    BadInputError
        More than ``MAX_ROWS`` rows in all or none, more than ``MAX_COLUMNS`` columns, a row group
        above ``MAX_GROUP_BYTES`` when unpacked, a line above ``MAX_LINE_BYTES``, a packed text,
        or no parquet. Names the file and the next step.
    """
    if files[0].suffix == ".csv":
        for file in files:
            _refuse_long_lines(file)
        return
    rows = sum(_rows(file) for file in files)
    if not 0 < rows <= MAX_ROWS:
        raise BadInputError(f"{files[0]}: {rows:,} rows; card usage has 1 to {MAX_ROWS:,}")


def _rows(file: Path) -> int:
    """Rows by the footer, without reading the data."""
    try:
        footer = pq.read_metadata(file)
    except (pa.ArrowException, OSError) as error:
        raise BadInputError(f"{file}: not a readable parquet file ({error})") from error
    _refuse_wide(file, footer.num_columns)
    _refuse_twice(file, [footer.schema.column(n).path for n in range(footer.num_columns)])
    for number in range(footer.num_row_groups):
        size = footer.row_group(number).total_byte_size
        if size > MAX_GROUP_BYTES:
            raise BadInputError(
                f"{file}: row group {number} unpacks to {size:,} bytes, more than "
                f"{MAX_GROUP_BYTES:,}; write smaller row groups"
            )
    return int(footer.num_rows)


def _refuse_twice(file: Path, names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise BadInputError(f"{file}: column {twice[0]} comes twice; leave one of them out")


def _refuse_wide(file: Path, columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise BadInputError(
            f"{file}: {columns:,} columns, more than {MAX_COLUMNS:,}; leave out those that card "
            "usage does not have"
        )


def _refuse_long_lines(file: Path) -> None:
    """Read a text once, a block at a time, and measure its lines."""
    try:
        with file.open("rb") as text:
            begun, line = 0, 1
            block = text.read(MAX_LINE_BYTES)
            _refuse_packed(file, block)
            _refuse_wide(file, block.partition(b"\n")[0].count(b",") + 1)
            while block:
                end = block.find(b"\n")
                if begun + (len(block) if end < 0 else end) > MAX_LINE_BYTES:
                    raise BadInputError(
                        f"{file}: line {line:,} is longer than 1 MiB; card usage has no such line"
                    )
                line += block.count(b"\n")
                begun = begun + len(block) if end < 0 else len(block) - 1 - block.rfind(b"\n")
                block = text.read(MAX_LINE_BYTES)
    except OSError as error:
        raise BadInputError(f"{file}: cannot be read ({error.strerror})") from error


def _refuse_packed(file: Path, block: bytes) -> None:
    if block.startswith(PACKED):
        raise BadInputError(
            f"{file}: is packed; unpack it, or bring it in with `recsvc-train import --mapping F`"
        )
