"""Csv files as a stream of frames, each row with the line of the file it began on.

A file is read in blocks of whole records, so memory does not depend on its size. Records are cut
here rather than by the parser because only then is the line known: a quoted field may hold line
breaks. Bytes that are not text of the stated encoding become U+FFFD, which the row checks find.
"""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from training.errors import BadInputError
from training.mapping.spec import Source

BLOCK_BYTES = 8 * 2**20
MAX_RECORD_BYTES = 2**20
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one file that were read together.

    Parameters
    ----------
    rows : polars.DataFrame
        The columns asked for, as text for csv, and ``_line`` (Int64).
    ragged : polars.DataFrame
        ``_line`` and ``_text`` of records with another number of fields than the header.
    """

    rows: pl.DataFrame
    ragged: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Records:
    """Whole records as UTF-8, with where each begins, in bytes and in lines of the file."""

    text: bytes
    starts: NDArray[np.int64]
    lines: NDArray[np.int64]


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
    records = _records(path, source)
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
    """Refuse a header that has a wanted column twice."""
    for name in wanted:
        if names.count(name) > 1:
            raise BadInputError(
                f'{path.name}: the header names column "{name}" {names.count(name)} times; '
                "rename one of them"
            )


def _records(path: Path, source: Source) -> Iterator[_Records]:
    """Cut the text of a file into blocks of whole records."""
    rest, line, skip = b"", 1, source.skip_lines
    for chunk, last in _utf8(path, source.encoding):
        text = rest + chunk
        ends = _record_ends(text, source, path, line)
        if last and (not len(ends) or ends[-1] != len(text)) and text:
            ends = np.append(ends, len(text))
        if not len(ends):
            _check_length(path, line, len(text))
            rest = text
            continue
        starts = np.concatenate([[0], ends[:-1]])
        breaks = np.flatnonzero(np.frombuffer(text, np.uint8)[: ends[-1]] == 10)
        lines = line + np.searchsorted(breaks, starts)
        longest = int(np.argmax(ends - starts))
        _check_length(path, int(lines[longest]), int((ends - starts)[longest]))
        line += len(breaks)
        rest = text[ends[-1] :]
        dropped = min(skip, len(starts))
        skip -= dropped
        yield _without_blank(_Records(text[: ends[-1]], starts[dropped:], lines[dropped:]), ends)


def _check_length(path: Path, line: int, length: int) -> None:
    """Refuse a record above 1 MiB: a quote that never closes, or no csv at all."""
    if length > MAX_RECORD_BYTES:
        raise BadInputError(
            f"{path.name}: the record that begins on line {line:,} is longer than 1 MiB; close its "
            'quote, or write quote = "" in [source] if quotes mean nothing'
        )


def _without_blank(records: _Records, ends: NDArray[np.int64]) -> _Records:
    """Leave out records of nothing but a line break, and the bytes before the first one."""
    if not len(records.starts):
        return _Records(b"", records.starts, records.lines)
    ends = ends[len(ends) - len(records.starts) :]
    bytes_of = np.frombuffer(records.text, np.uint8)
    lengths = ends - records.starts
    blank = (lengths == 1) | ((lengths == 2) & (bytes_of[records.starts] == 13))
    if not blank.any() and records.starts[0] == 0:
        return records
    kept = [records.text[s:e] for s, e in zip(records.starts[~blank], ends[~blank], strict=True)]
    starts = np.concatenate([[0], np.cumsum([len(k) for k in kept])[:-1]]).astype(np.int64)
    return _Records(b"".join(kept), starts[: len(kept)], records.lines[~blank])


def _record_ends(text: bytes, source: Source, path: Path, line: int) -> NDArray[np.int64]:
    """Byte after each line break that ends a record, ascending."""
    codes = np.frombuffer(text, np.uint8)
    breaks = np.flatnonzero(codes == 10)
    if not source.quote or not len(breaks) or source.quote.encode() not in text:
        return (breaks + 1).astype(np.int64)
    quotes = np.searchsorted(breaks, np.flatnonzero(codes == ord(source.quote)))
    counts = np.bincount(quotes, minlength=len(breaks) + 1)[: len(breaks)]
    inside = np.zeros(len(breaks), bool)
    odd = np.flatnonzero(counts % 2)
    if len(odd):
        _mark_open(text, source, breaks, counts, inside)
    _check_length(path, line, _longest_open(inside, breaks))
    return (breaks[~inside] + 1).astype(np.int64)


def _longest_open(inside: NDArray[np.bool_], breaks: NDArray[np.int64]) -> int:
    """Bytes since the last break that ended a record; 0 when the text ends outside quotes."""
    if not len(inside) or not inside[-1]:
        return 0
    outside = np.flatnonzero(~inside)
    return int(breaks[-1] - (breaks[outside[-1]] if len(outside) else 0))


def _mark_open(
    text: bytes,
    source: Source,
    breaks: NDArray[np.int64],
    counts: NDArray[np.int64],
    inside: NDArray[np.bool_],
) -> None:
    """Mark the breaks inside a quoted field; only lines with an odd number of quotes can open one.

    A quote opens a field only at its beginning, as the parser has it: ``6" pipe`` opens nothing.
    """
    is_open, row = False, 0
    odd = iter(np.flatnonzero(counts % 2).tolist())
    while row < len(breaks):
        if not is_open:
            row = next((r for r in odd if r >= row), len(breaks))
            if row == len(breaks):
                return
        start = int(breaks[row - 1]) + 1 if row else 0
        if counts[row]:
            is_open = _ends_open(text[start : int(breaks[row])], source, is_open=is_open)
        inside[row] = is_open
        row += 1


def _ends_open(line: bytes, source: Source, *, is_open: bool) -> bool:
    """Tell whether a quoted field is still open at the end of this line."""
    quote, delimiter = ord(source.quote), ord(source.delimiter)
    at_start, position = not is_open, 0
    while position < len(line):
        code = line[position]
        if is_open and code == quote:
            if line[position + 1 : position + 2] == bytes([quote]):
                position += 1
            else:
                is_open = False
        elif not is_open:
            is_open = at_start and code == quote
        at_start = not is_open and code == delimiter
        position += 1
    return is_open


def _utf8(path: Path, encoding: str) -> Iterator[tuple[bytes, bool]]:
    """Blocks of a file as UTF-8 without a byte order mark, and whether each is the last."""
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            block = stream.read(BLOCK_BYTES)
            mark, found = next(((m, e) for m, e in BOMS if block.startswith(m)), (b"", encoding))
            decoder = codecs.getincrementaldecoder(found)("replace")
            block = block[len(mark) :]
            while True:
                following = stream.read(BLOCK_BYTES)
                text = decoder.decode(block, final=not following)
                yield text.replace("\x00", "\ufffd").encode("utf-8", "replace"), not following
                if not following:
                    return
                block = following
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error})") from error


def _take_header(block: _Records, source: Source) -> tuple[list[str], _Records]:
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
    names = [" ".join(name.split()) for name in next(reader)]
    rest = _Records(block.text[end:], block.starts[1:] - end, block.lines[1:])
    return names, rest


def _parse(path: Path, block: _Records, names: list[str], used: list[str], source: Source) -> Block:
    """Rows and ragged records of one block; both know their line."""
    bad: list[arrow_csv.InvalidRow] = []

    def put_aside(row: arrow_csv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    unique = [f"{position}:{name}" for position, name in enumerate(names)]
    wanted = [unique[names.index(name)] for name in used]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(block.text),
            read_options=arrow_csv.ReadOptions(
                column_names=unique, use_threads=False, block_size=max(len(block.text), 1) + 1
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=source.delimiter,
                quote_char=source.quote or False,
                newlines_in_values=bool(source.quote),
                ignore_empty_lines=False,
                invalid_row_handler=put_aside,
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise BadInputError(f"{path.name}: not a readable csv file ({error})") from error
    broken = np.array([row.number - 1 for row in bad], dtype=np.int64)
    if table.num_rows + len(bad) != len(block.lines):
        raise BadInputError(
            f"{path.name}: quotes after line {block.lines[0]:,} do not pair; "
            'write quote = "" in [source] if they mean nothing'
        )
    rows = pl.DataFrame(pl.from_arrow(table)).rename(dict(zip(wanted, used, strict=True)))
    return Block(
        rows=rows.with_columns(pl.Series("_line", np.delete(block.lines, broken))),
        ragged=pl.DataFrame(
            {"_line": block.lines[broken], "_text": [row.text for row in bad]},
            schema={"_line": pl.Int64, "_text": pl.String},
        ),
    )
