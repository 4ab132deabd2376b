"""Csv files as a stream of frames, each row with the line of the file it began on.

A file is read in blocks of whole records, so memory does not depend on its size.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from training.errors import BadInputError
from training.mapping.csv_records import Records, read_records
from training.mapping.spec import Source

MAX_COLUMNS = 4_096


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one file that were read together.

    Parameters
    ----------
    rows : polars.DataFrame
        The columns asked for, as text for csv, and ``_line`` (Int64).
    ragged : polars.DataFrame
        ``_line`` and ``_text`` of records with another number of fields than the header.
    header : tuple of str
        All columns of the file, asked for or not.
    """

    rows: pl.DataFrame
    ragged: pl.DataFrame
    header: tuple[str, ...]


def read_csv(path: Path, source: Source, wanted: tuple[str, ...]) -> Iterator[Block]:
    """Blocks of one csv file, in its order.

    Parameters
    ----------
    path : Path
        A csv file, compressed or not.
    source : Source
        How it is written.
    wanted : tuple of str
        Columns to read; those the file lacks are left out.

    Raises
    ------
    BadInputError
        The file cannot be read, is empty, or has a record above 1 MiB.
    """
    records = read_records(path, source)
    names = list(source.names)
    for block in records:
        if not names:
            names, block = _take_header(block, source)  # noqa: PLW2901
            _check_header(path, names, wanted)
        if len(block.lines):
            yield _parse(path, block, names, [n for n in names if n in wanted], source)
    if not names:
        raise BadInputError(f"{path.name}: the file is empty; a header and rows were expected")


def _check_header(path: Path, names: list[str], wanted: tuple[str, ...]) -> None:
    """Refuse a header that has a wanted column twice, or more columns than anything has."""
    if len(names) > MAX_COLUMNS:
        raise BadInputError(
            f"{path.name}: the header names {len(names):,} columns, more than {MAX_COLUMNS:,}; "
            "check source.delimiter"
        )
    for name in wanted:
        if names.count(name) > 1:
            raise BadInputError(
                f'{path.name}: the header names column "{name}" {names.count(name)} times; '
                "rename one of them"
            )


def _take_header(block: Records, source: Source) -> tuple[list[str], Records]:
    """Column names of the first record, and the records after it."""
    if not len(block.starts):
        return [], block
    end = int(block.starts[1]) if len(block.starts) > 1 else len(block.text)
    text = block.text[:end].decode().strip("\r\n")
    reader = csv.reader(
        [text],
        delimiter=source.delimiter,
        quotechar=source.quote or None,
        quoting=csv.QUOTE_MINIMAL if source.quote else csv.QUOTE_NONE,
    )
    try:
        fields = next(reader)
    except csv.Error:  # a line break amid the header: the encoding is not the one stated
        fields = [text]
    names = [" ".join(name.split()) for name in fields]
    rest = Records(block.text[end:], block.starts[1:] - end, block.lines[1:])
    return names, rest


def _parse(path: Path, block: Records, names: list[str], used: list[str], source: Source) -> Block:
    """Rows and ragged records of one block; both know their line."""
    unique = [f"{position}:{name}" for position, name in enumerate(names)]
    wanted = [unique[names.index(name)] for name in used]
    table, bad = _read(path, block, unique, wanted, source)
    if table.num_rows + len(bad) != len(block.lines):
        raise _torn(path, block, names)
    rows = pl.DataFrame(pl.from_arrow(table)).rename(dict(zip(wanted, used, strict=True)))
    broken = np.array([row.number - 1 for row in bad], dtype=np.int64)
    return Block(
        rows=rows.with_columns(pl.Series("_line", np.delete(block.lines, broken))),
        ragged=pl.DataFrame(
            {"_line": block.lines[broken], "_text": [row.text for row in bad]},
            schema={"_line": pl.Int64, "_text": pl.String},
        ),
        header=tuple(names),
    )


def _read(
    path: Path, block: Records, names: list[str], wanted: list[str], source: Source
) -> tuple[pa.Table, list[arrow_csv.InvalidRow]]:
    """The wanted columns as text, and the records that have more or fewer fields than names."""
    bad: list[arrow_csv.InvalidRow] = []

    def put_aside(row: arrow_csv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(block.text),
            read_options=arrow_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=max(len(block.text), 1) + 1
            ),
            parse_options=_parse_options(source, put_aside),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise BadInputError(f"{path.name}: not a readable csv file ({error})") from error
    return table, bad


def _parse_options(
    source: Source, put_aside: Callable[[arrow_csv.InvalidRow], str]
) -> arrow_csv.ParseOptions:
    """How fields and records are told apart."""
    return arrow_csv.ParseOptions(
        delimiter=source.delimiter,
        quote_char=source.quote or False,
        newlines_in_values=bool(source.quote),
        ignore_empty_lines=False,
        invalid_row_handler=put_aside,
    )


def _torn(path: Path, block: Records, names: list[str]) -> BadInputError:
    """Why a block came out as other records than it was cut into."""
    if any("\ufffd" in name for name in names):
        return BadInputError(
            f"{path.name}: its letters are of another encoding; write the right one in "
            "source.encoding"
        )
    return BadInputError(
        f"{path.name}: quotes after line {block.lines[0]:,} do not pair; "
        'write quote = "" in [source] if they mean nothing'
    )
