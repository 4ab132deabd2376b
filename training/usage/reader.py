"""Opens files of canonical card usage: which they are, and what columns they have."""

from pathlib import Path

import polars as pl

from training.errors import BadInputError
from training.usage.limits import refuse_outsized
from training.usage.schema import INSTANT, REQUIRED, polars_schema

NEXT_STEP = "bring other columns in with `recsvc-train import --mapping F`"


def opened(files: list[Path]) -> pl.LazyFrame:
    """Files of one kind as a lazy frame of exactly the canonical columns; no row is read.

    Optional columns that the table lacks come as columns of nulls, a missing ``status`` stays
    null, and columns we do not know are left out.

    Raises
    ------
    BadInputError
        A file is outsized or unreadable, or a column is missing or of another type; names them.
    """
    refuse_outsized(files)
    return _typed_csv(files) if is_csv(files) else _typed_parquet(files)


def is_csv(files: list[Path]) -> bool:
    """Whether the files of a table are text."""
    return files[0].suffix == ".csv"


def files_of(path: Path) -> list[Path]:
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
    frame = pl.scan_parquet(files, missing_columns="insert", extra_columns="ignore")
    found = frame.collect_schema()
    _check_names(files[0], found.names())
    return frame.select(_typed_column(files[0], name, found.get(name)) for name in polars_schema())


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
