"""Reads a table of canonical card usage, lazily, after checking that it is one.

``scan`` looks at every row once, as a stream, before it answers: a table that passes has no
missing required value and no value that breaks the rules of :mod:`training.usage.schema`.
"""

from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from training.errors import BadInputError
from training.usage.schema import ID_PATTERN, INSTANT, OPTIONAL, REQUIRED, STATUSES, polars_schema

NEXT_STEP = "bring other columns in with `recsvc-train import --mapping F`"
MAX_ROWS = 2_000_000_000
ROWS_AT_ONCE = 100_000
RULES = {
    "cardholder_id": (ID_PATTERN, "an id of 1 to 128 letters, digits and . _ ~ -"),
    "merchant_id": (ID_PATTERN, "an id of 1 to 128 letters, digits and . _ ~ -"),
    "currency": (r"^[A-Z]{3}$", "three capitals of ISO 4217"),
    "transaction_id": (ID_PATTERN, "an id of 1 to 128 letters, digits and . _ ~ -"),
    "mcc": (r"^[0-9]{4}$", "four digits"),
    "status": (f"^({'|'.join(STATUSES)})$", f"one of {', '.join(STATUSES)}"),
    "card_product_id": (ID_PATTERN, "an id of 1 to 128 letters, digits and . _ ~ -"),
    "category": (ID_PATTERN, "an id of 1 to 128 letters, digits and . _ ~ -"),
    "segment": (ID_PATTERN, "an id of 1 to 128 letters, digits and . _ ~ -"),
}


def scan(path: Path | str) -> pl.LazyFrame:
    """Return a table of card usage as a lazy frame of exactly the canonical columns.

    Nothing is held in memory: rows are checked as a stream, and the frame reads them again when
    it is collected. Optional columns that the table lacks come as columns of nulls, a missing
    ``status`` stays null, and columns we do not know are left out.

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
        The path is missing, empty or of another format, or a column is missing, of another type
        or holds a value that breaks its rule. The message names the column and the row.
    """
    files = _files(Path(path))
    if files[0].suffix == ".csv":
        frame = _typed_csv(files)
        _check_rows([frame], Path(path))
        return frame
    frame, rows = _typed_parquet(files), sum(_parquet_rows(file) for file in files)
    parts = (frame.slice(start, ROWS_AT_ONCE) for start in range(0, rows, ROWS_AT_ONCE))
    _check_rows(parts, Path(path))
    return frame


def _files(path: Path) -> list[Path]:
    """All files of the table, in order of their names; of one kind only."""
    if not path.exists():
        raise BadInputError(f"{path}: there is no such file or folder of card usage")
    found = [path]
    if path.is_dir():
        found = sorted(f for f in path.iterdir() if f.suffix in {".parquet", ".csv"})
    kinds = {f.suffix for f in found}
    if len(kinds) != 1 or not kinds <= {".parquet", ".csv"}:
        raise BadInputError(
            f"{path}: found {', '.join(sorted(kinds)) or 'no file'}, expected card usage as "
            f".parquet or .csv files of one kind; {NEXT_STEP}"
        )
    return found


def _typed_parquet(files: list[Path]) -> pl.LazyFrame:
    """Scan parquet files whose columns already have our types."""
    rows = sum(_parquet_rows(file) for file in files)
    if not 0 < rows <= MAX_ROWS:
        raise BadInputError(f"{files[0]}: {rows:,} rows; card usage has 1 to {MAX_ROWS:,}")
    frame = pl.scan_parquet(files, missing_columns="insert", extra_columns="ignore")
    found = frame.collect_schema()
    _check_names(files[0], found.names())
    return frame.select(_typed_column(files[0], name, found.get(name)) for name in polars_schema())


def _parquet_rows(file: Path) -> int:
    """Rows by the footer, without reading the data."""
    try:
        return int(pq.read_metadata(file).num_rows)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInputError(f"{file}: not a readable parquet file ({error})") from error


def _typed_column(file: Path, name: str, found: pl.DataType | None) -> pl.Expr:
    """One canonical column out of a parquet file; nulls when it is not there."""
    expected = polars_schema()[name]
    if found is None or found == pl.Null():
        return pl.lit(None, expected).alias(name)
    if isinstance(expected, pl.Datetime) and isinstance(found, pl.Datetime):
        if found.time_zone is None:
            raise BadInputError(f"{file}: column {name} has no time zone; {NEXT_STEP}")
        return pl.col(name).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    text = isinstance(found, pl.Categorical | pl.Enum | pl.String)
    if found == expected or (expected == pl.String() and text):
        return pl.col(name).cast(expected)
    if expected == pl.Int64() and found.is_integer():
        return pl.col(name).cast(expected)
    raise BadInputError(f"{file}: column {name} is {found}, expected {expected}; {NEXT_STEP}")


def _typed_csv(files: list[Path]) -> pl.LazyFrame:
    """Scan csv files: text, then our types; what cannot be read becomes null and is found."""
    for file in files:
        try:
            head = pl.read_csv(file, n_rows=1, infer_schema=False)
        except pl.exceptions.NoDataError as error:
            raise BadInputError(f"{file}: the file is empty") from error
        except pl.exceptions.PolarsError as error:
            raise BadInputError(f"{file}: not a readable csv file ({error})") from error
        _check_names(file, head.columns)
    frame = pl.scan_csv(files, infer_schema=False, missing_columns="insert")
    present = frame.collect_schema().names()
    return frame.select(_parsed_column(name, present) for name in polars_schema())


def _parsed_column(name: str, present: list[str]) -> pl.Expr:
    """One canonical column out of csv text."""
    expected = polars_schema()[name]
    if name not in present:
        return pl.lit(None, expected).alias(name)
    text = pl.col(name).str.strip_chars()
    if isinstance(expected, pl.Datetime):
        parsed = text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
        return parsed.cast(INSTANT)
    if expected == pl.Int64():
        return text.cast(pl.Int64, strict=False)
    return pl.when(text != "").then(text).alias(name)


def _check_names(file: Path, names: list[str]) -> None:
    """Refuse a table that lacks a required column."""
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise BadInputError(
            f"{file}: column {', '.join(missing)} is missing; found {', '.join(names[:20])}; "
            f"{NEXT_STEP}"
        )


def _check_rows(parts: Iterable[pl.LazyFrame], path: Path) -> None:
    """Count, part after part, the values that break their column's rule; refuse the first kind."""
    faults = {name: _fault(name) for name in polars_schema()}
    rows, count, first = 0, dict.fromkeys(faults, 0), dict.fromkeys(faults, 0)
    for part in parts:
        found = _faults_of(part, faults)
        for name, fault in faults.items():
            if found[name] and not count[name]:
                first[name] = rows + _first(part, fault)
            count[name] += found[name]
        rows += found["rows"]
    if not rows:
        raise BadInputError(f"{path}: the table has no rows")
    for name in faults:
        if count[name]:
            raise BadInputError(_bad_value(path, name, rows, count[name], first[name]))


def _faults_of(part: pl.LazyFrame, faults: dict[str, pl.Expr]) -> dict[str, int]:
    """Rows of one part, and how many values of each column are wrong."""
    counts = (fault.sum().alias(name) for name, fault in faults.items())
    found = part.select(pl.len().alias("rows"), *counts)
    return found.collect(engine="streaming").row(0, named=True)


def _first(part: pl.LazyFrame, fault: pl.Expr) -> int:
    """Place of the first wrong value in a part; a stream would not say which of several."""
    return int(part.select(fault.alias("fault")).collect()["fault"].to_numpy().argmax())


def _bad_value(path: Path, name: str, rows: int, count: int, first: int) -> str:
    """Sentence about a column with bad values; the value itself is not repeated."""
    rules = {"amount_minor": "an integer of at least 0", "occurred_at": "RFC 3339 with an offset"}
    rule = RULES[name][1] if name in RULES else rules.get(name, "text")
    return (
        f"{path}: column {name}: {count:,} of {rows:,} values are "
        f"missing or not {rule}, the first in data row {first + 1:,}; "
        "`recsvc-train import --mapping F` puts such rows aside and goes on"
    )


def _fault(name: str) -> pl.Expr:
    """Tell for each row whether this column's value breaks its rule."""
    value = pl.col(name)
    fault = value.is_null() if name in REQUIRED else pl.lit(value=False)
    if name in RULES:
        fault = fault | ~value.str.contains(RULES[name][0]).fill_null(name in OPTIONAL)
    if name == "amount_minor":
        fault = fault | (value < 0).fill_null(value=True)
    return fault
