"""A csv file as blocks of whole records, each with the line of the file it began on.

Records are cut here rather than by the parser because only then is the line known: a quoted field
may hold line breaks. Lines end in LF or CR LF, or, in a file whose first block has no LF, in CR.
Bytes that are not text of the stated encoding become U+FFFD, which the row checks find.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.errors import BadInputError
from training.mapping.header import check_kind
from training.mapping.spec import Source

BLOCK_BYTES = 4 * 2**20
MAX_RECORD_BYTES = 2**20
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Records:
    """Whole records as UTF-8, with where each begins, in bytes and in lines of the file."""

    text: bytes
    starts: NDArray[np.int64]
    lines: NDArray[np.int64]


def read_records(path: Path, source: Source) -> Iterator[Records]:
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
        yield _without_blank(Records(text[: ends[-1]], starts[dropped:], lines[dropped:]), ends)


def _check_length(path: Path, line: int, length: int) -> None:
    """Refuse a record above 1 MiB: a quote that never closes, or no csv at all."""
    if length > MAX_RECORD_BYTES:
        raise BadInputError(
            f"{path.name}: the record that begins on line {line:,} is longer than 1 MiB; close its "
            'quote, or write quote = "" in [source] if quotes mean nothing'
        )


def _without_blank(records: Records, ends: NDArray[np.int64]) -> Records:
    """Leave out records of nothing but a line break, and the bytes before the first one."""
    if not len(records.starts):
        return Records(b"", records.starts, records.lines)
    ends = ends[len(ends) - len(records.starts) :]
    bytes_of = np.frombuffer(records.text, np.uint8)
    lengths = ends - records.starts
    blank = (lengths == 1) | ((lengths == 2) & (bytes_of[records.starts] == 13))
    if not blank.any() and records.starts[0] == 0:
        return records
    kept = [records.text[s:e] for s, e in zip(records.starts[~blank], ends[~blank], strict=True)]
    starts = np.concatenate([[0], np.cumsum([len(k) for k in kept])[:-1]]).astype(np.int64)
    return Records(b"".join(kept), starts[: len(kept)], records.lines[~blank])


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
            check_kind(path, block)
            mark, found = next(((m, e) for m, e in BOMS if block.startswith(m)), (b"", encoding))
            decoder = codecs.getincrementaldecoder(found)("replace")
            block = block[len(mark) :]
            old_mac = None
            while True:
                following = stream.read(BLOCK_BYTES)
                text = decoder.decode(block, final=not following)
                if old_mac is None:
                    old_mac = "\n" not in text
                if old_mac:
                    text = text.replace("\r", "\n")
                yield text.replace("\x00", "\ufffd").encode("utf-8", "replace"), not following
                if not following:
                    return
                block = following
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error})") from error
