"""Parquet columns of any writer as the few types that rows are read from."""

from pathlib import Path

import pyarrow as pa
from pyarrow import types

from training.errors import BadInputError

MOST_DIGITS = 38
READABLE = (
    types.is_string,
    types.is_large_string,
    types.is_string_view,
    types.is_integer,
    types.is_floating,
    types.is_decimal,
    types.is_boolean,
    types.is_date,
    types.is_timestamp,
    types.is_null,
)
BYTES = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)


def plain(path: Path, batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of the same rows without codes, bytes, offsets and long decimals.

    Bytes become text; what is no UTF-8 in them becomes U+FFFD, which the row checks find.
    Timestamps of any zone or fixed offset become the same instants in UTC, decimals of up to 76
    digits decimals of 38.

    Raises
    ------
    BadInputError
        A column holds lists, structs or another type that no column of ours is made of, or a
        decimal that does not fit; the message names it.
    """
    columns = []
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        try:
            columns.append(_plain(values))
        except (pa.ArrowException, TypeError) as error:
            raise BadInputError(
                f'{path.name}: column "{name}" is of type {values.type}, which cannot be read as '
                f"text, a number or an instant ({error}); write it as one of them"
            ) from error
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _plain(values: pa.Array) -> pa.Array:
    kind = values.type
    if types.is_dictionary(kind):
        return _plain(values.dictionary_decode())
    if types.is_decimal256(kind):
        return values.cast(pa.decimal128(MOST_DIGITS, kind.scale))
    if types.is_timestamp(kind) and kind.tz:
        return values.cast(pa.timestamp(kind.unit, "UTC"))
    if any(is_kind(kind) for is_kind in BYTES):
        return _text(values)
    if any(is_kind(kind) for is_kind in READABLE):
        return values
    raise TypeError("no single value a row")


def _text(values: pa.Array) -> pa.Array:
    try:
        return values.cast(pa.large_binary()).cast(pa.large_string())
    except pa.ArrowInvalid:
        texts = [
            None if item is None else item.decode(errors="replace") for item in values.to_pylist()
        ]
        return pa.array(texts, pa.large_string())
