"""Text a line at a time, in blocks of whole lines, so that memory does not grow with the file."""

from collections.abc import Iterator
from pathlib import Path

from training.errors import BadInputError

MAX_LINE_BYTES = 2**20
BLOCK_BYTES = 2**24
PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"BZh", b"\xfd7zXZ")
"""How gzip, zstd, zip, bzip2 and xz begin."""


def line_blocks(path: Path, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The bytes of a text in their order, cut behind ends of lines only.

    Yields
    ------
    bytes of one or more whole lines, at most ``block_bytes`` and one line; the last may lack its
    end

    Raises
    ------
    BadInputError
        A line above ``MAX_LINE_BYTES``, or a packed file; names the file and the line.
    OSError
        It cannot be read.
    """
    rest, number = b"", 1
    with path.open("rb") as text:
        while block := text.read(block_bytes):
            if number == 1 and not rest and block.startswith(PACKED):
                raise BadInputError(f"{path}: is packed; unpack it")
            lines, end, begun = (rest + block).rpartition(b"\n")
            number = _measured(path, lines, number) if end else number
            _measured(path, begun, number)
            rest = begun
            if end:
                yield lines + end
    if rest:
        yield rest


def _measured(path: Path, lines: bytes, number: int) -> int:
    """Number of the line after these; BadInputError when one is too long."""
    for line in lines.split(b"\n"):
        if len(line) > MAX_LINE_BYTES:
            raise BadInputError(f"{path}: line {number:,} is longer than 1 MiB; no event is")
        number += 1
    return number
