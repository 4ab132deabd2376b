"""The few values of Thrift's compact protocol that a parquet file's own description is made of.

Written after the protocol's specification (apache/thrift, doc/specs/thrift-compact-protocol.md).
"""

from collections.abc import Sequence

INT32, INT64, TEXT, LIST, STRUCT = 5, 6, 8, 9, 12
Field = tuple[int, int, bytes]
"""Number, type and encoded value."""


def varint(number: int) -> bytes:
    """A number of at least 0, seven bits a byte, the lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def zigzag(number: int) -> bytes:
    """A whole number of either sign, of at most 64 bits."""
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def int32(field: int, number: int) -> Field:
    """A field that holds a whole number of 32 bits."""
    return field, INT32, zigzag(number)


def int64(field: int, number: int) -> Field:
    """A field that holds a whole number of 64 bits."""
    return field, INT64, zigzag(number)


def text(field: int, words: str) -> Field:
    """A field that holds text."""
    return field, TEXT, plain_text(words)


def plain_text(words: str) -> bytes:
    """A text as a value of its own."""
    encoded = words.encode()
    return varint(len(encoded)) + encoded


def inner(field: int, *fields: Field) -> Field:
    """A field that holds a structure."""
    return field, STRUCT, struct(*fields)


def several(field: int, kind: int, values: Sequence[bytes]) -> Field:
    """A field that holds a list of values of one type."""
    size = len(values)
    head = bytes([size << 4 | kind]) if size < 15 else bytes([0xF0 | kind]) + varint(size)
    return field, LIST, head + b"".join(values)


def struct(*fields: Field) -> bytes:
    """A structure of fields in ascending order of their numbers, each at most 15 after the last."""
    encoded, last = bytearray(), 0
    for number, kind, value in fields:
        if not 0 < number - last <= 15:
            raise ValueError(f"field {number} cannot follow field {last}")
        encoded.append((number - last) << 4 | kind)
        encoded += value
        last = number
    return bytes(encoded) + b"\0"
