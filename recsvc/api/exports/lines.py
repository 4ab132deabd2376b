"""Audience lists as NDJSON and csv; no cell of a csv is a formula to any spreadsheet."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters by which spreadsheets take a cell for a formula (OWASP, CSV injection)."""

Cell = str | int | float | None


def safe_cell(value: Cell) -> Cell:
    """The value; text that a spreadsheet would execute is prefixed with an apostrophe.

    Numbers stay numbers: a negative score is no formula. A text is judged after leading blanks,
    which some programs strip.
    """
    if isinstance(value, str) and (
        value.startswith(FORMULA_STARTS) or value.lstrip(" \u00a0\u3000").startswith(FORMULA_STARTS)
    ):
        return "'" + value
    return value


def csv_lines(fields: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Lines of a csv by RFC 4180, header first, every text quoted, made one by one.

    Raises
    ------
    ValueError
        A row with another number of cells than there are fields.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    for number, row in enumerate(itertools.chain((fields,), rows)):
        if len(row) != len(fields):
            raise ValueError(f"row {number}: {len(row)} cells, expected {len(fields)}")
        writer.writerow(["" if cell is None else safe_cell(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def ndjson_lines(documents: Iterable[Mapping[str, Cell]]) -> Iterator[bytes]:
    """One JSON object a line, made one by one; a number that is none becomes null."""
    return (orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE) for document in documents)
