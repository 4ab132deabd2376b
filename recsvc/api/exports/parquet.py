"""Tables of text as parquet, made row group by row group; the serving image needs no library.

Only what a list of ids needs: required columns of text, plain encoding, gzip, one page a column and
row group (apache/parquet-format: README.md, Encodings.md, parquet.thrift). Any reader reads it.
"""

import gzip
import itertools
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from recsvc.api.exports import thrift

MAGIC = b"PAR1"
ROWS_AT_ONCE = 50_000
"""Rows of a group: what is held in memory while one is made."""

BYTE_ARRAY, REQUIRED, UTF8, PLAIN, RLE, GZIP, DATA_PAGE, VERSION = 6, 0, 0, 0, 3, 2, 0, 1
"""Numbers of parquet.thrift."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One column of one row group: what the file says of it."""

    name: str
    rows: int
    offset: int
    plain_size: int
    packed_size: int

    def described(self) -> bytes:
        """ColumnChunk of parquet.thrift."""
        return thrift.struct(
            thrift.int64(2, self.offset),
            thrift.inner(
                3,
                thrift.int32(1, BYTE_ARRAY),
                thrift.several(2, thrift.INT32, [thrift.zigzag(PLAIN)]),
                thrift.several(3, thrift.TEXT, [thrift.plain_text(self.name)]),
                thrift.int32(4, GZIP),
                thrift.int64(5, self.rows),
                thrift.int64(6, self.plain_size),
                thrift.int64(7, self.packed_size),
                thrift.int64(9, self.offset),
            ),
        )


def parquet_parts(fields: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Bytes of a parquet file, some at a time.

    Parameters
    ----------
    fields : names of the columns, at least one, each once
    rows : as many texts each as there are fields

    Raises
    ------
    ValueError
        No columns or one that comes twice; a row with another number of cells.
    """
    if not fields or len(set(fields)) < len(fields):
        raise ValueError(f"fields: {', '.join(fields) or 'none'}; name at least one, each once")
    left, groups, offset = iter(rows), list[list[Chunk]](), len(MAGIC)
    yield MAGIC
    while some := list(itertools.islice(left, ROWS_AT_ONCE)):
        chunks = []
        for name, cells in zip(fields, _columns(fields, some), strict=True):
            head, body, plain_size = _page(cells)
            packed = len(head) + len(body)
            chunks.append(Chunk(name, len(cells), offset, len(head) + plain_size, packed))
            yield head + body
            offset += packed
        groups.append(chunks)
    footer = _footer(fields, groups)
    yield footer + struct.pack("<i", len(footer)) + MAGIC


def _columns(fields: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[Sequence[str]]:
    for row in rows:
        if len(row) != len(fields):
            raise ValueError(f"a row of {len(row)} cells, expected {len(fields)}")
    return zip(*rows, strict=True)


def _page(cells: Sequence[str]) -> tuple[bytes, bytes, int]:
    """Head and body of a page of texts, and the body's size before it was packed."""
    encoded = [cell.encode() for cell in cells]
    body = b"".join(part for one in encoded for part in (struct.pack("<i", len(one)), one))
    packed = gzip.compress(body, compresslevel=4, mtime=0)
    head = thrift.struct(
        thrift.int32(1, DATA_PAGE),
        thrift.int32(2, len(body)),
        thrift.int32(3, len(packed)),
        thrift.inner(
            5,
            thrift.int32(1, len(cells)),
            thrift.int32(2, PLAIN),
            thrift.int32(3, RLE),
            thrift.int32(4, RLE),
        ),
    )
    return head, packed, len(body)


def _footer(fields: Sequence[str], groups: Sequence[Sequence[Chunk]]) -> bytes:
    """FileMetaData of parquet.thrift."""
    root = thrift.struct(thrift.text(4, "schema"), thrift.int32(5, len(fields)))
    return thrift.struct(
        thrift.int32(1, VERSION),
        thrift.several(2, thrift.STRUCT, [root, *map(_column, fields)]),
        thrift.int64(3, sum(chunks[0].rows for chunks in groups)),
        thrift.several(4, thrift.STRUCT, [_group(chunks) for chunks in groups]),
        thrift.text(6, "recsvc"),
    )


def _column(name: str) -> bytes:
    """SchemaElement of a required column of text, in the older words and in the newer."""
    return thrift.struct(
        thrift.int32(1, BYTE_ARRAY),
        thrift.int32(3, REQUIRED),
        thrift.text(4, name),
        thrift.int32(6, UTF8),
        thrift.inner(10, thrift.inner(1)),
    )


def _group(chunks: Sequence[Chunk]) -> bytes:
    return thrift.struct(
        thrift.several(1, thrift.STRUCT, [chunk.described() for chunk in chunks]),
        thrift.int64(2, sum(chunk.plain_size for chunk in chunks)),
        thrift.int64(3, chunks[0].rows),
    )
