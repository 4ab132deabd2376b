"""Small tables that lend their columns to the rows: products to purchases, for instance."""

from pathlib import Path

import polars as pl

from training.errors import BadInputError
from training.mapping.csv_source import read_csv
from training.mapping.parquet_source import read_parquet
from training.mapping.spec import Lookup, Mapping
from training.mapping.texts import as_text

MAX_ROWS = 5_000_000


def read_lookups(mapping: Mapping, folder: Path) -> dict[str, pl.DataFrame]:
    """Read the lookup tables of a mapping: key column → the table, its key as text and unique.

    Raises
    ------
    BadInputError
        A table is not there, too large, lacks its key, or has a key twice.
    """
    return {lookup.on: _read(lookup, mapping, folder) for lookup in mapping.lookups}


def join_lookups(rows: pl.DataFrame, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the rows with the columns of all tables, in the same order; none is lost."""
    for key, table in tables.items():
        keyed = rows.with_columns(as_text(rows[key]).alias("_key"))
        rows = keyed.join(table, on="_key", how="left", maintain_order="left").drop("_key")
    return rows


def _read(lookup: Lookup, mapping: Mapping, folder: Path) -> pl.DataFrame:
    """Read one table."""
    path = folder / lookup.file
    if not path.is_file():
        raise BadInputError(f"{mapping.name}: lookup.file: {path} is not there")
    read = read_parquet if path.suffix == ".parquet" else read_csv
    blocks, rows = [], 0
    for block in read(path, mapping.source, mapping.used_columns()):
        rows += block.rows.height
        if rows > MAX_ROWS:
            raise BadInputError(f"{path.name}: more than {MAX_ROWS:,} rows are no lookup table")
        blocks.append(block.rows.drop("_line"))
    return _keyed(pl.concat(blocks), lookup, path)


def _keyed(table: pl.DataFrame, lookup: Lookup, path: Path) -> pl.DataFrame:
    """Put the key in ``_key`` as text and refuse one that stands for two rows."""
    if lookup.on not in table.columns:
        raise BadInputError(f'{path.name}: column "{lookup.on}" is missing; lookup.on names it')
    keyed = table.with_columns(as_text(table[lookup.on]).alias("_key")).drop(lookup.on)
    if keyed["_key"].is_duplicated().any():
        raise BadInputError(f'{path.name}: column "{lookup.on}" has a value twice; keys are unique')
    return keyed
