"""How texts are spelled, told of many at once by their bytes: a quick yes that is never wrong.

A pattern is matched text by text; most columns are settled by one look at all their bytes.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

ID_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-"
LONGEST_ID = 128
AT_ONCE = 50_000
FIRST_OF_MANY = 0xC0
"""From this byte on, a byte of UTF-8 begins a character beyond ASCII."""


def are_ids(texts: pa.Array) -> bool:
    """Whether every text that is there is an id (:data:`training.usage.schema.ID_PATTERN`)."""
    present = texts.drop_null() if texts.null_count else texts
    if not len(present):
        return True
    offsets, content = _parts(present)
    sizes = np.diff(offsets)
    if sizes.min() < 1 or sizes.max() > LONGEST_ID:
        return False
    return not content[offsets[0] : offsets[-1]].tobytes().translate(None, ID_BYTES)


def with_digits(texts: pa.Array, least: int) -> NDArray[np.int64]:
    """Places of the texts that may have so many digits, ascending.

    Any character beyond ASCII is taken for a digit, and every other text with as many is told.

    Parameters
    ----------
    texts : arrow array of string or large_string, without nulls
    least : at least 1
    """
    found = [
        start + _with_digits(texts[start : start + AT_ONCE], least)
        for start in range(0, len(texts), AT_ONCE)
    ]
    return np.concatenate([np.empty(0, np.int64), *found])


def _with_digits(texts: pa.Array, least: int) -> NDArray[np.int64]:
    offsets, content = _parts(texts)
    if np.diff(offsets).max() < least:
        return np.empty(0, np.int64)
    letters = content[offsets[0] : offsets[-1]]
    may_be_digit = (letters - np.uint8(ord("0")) < 10) | (letters >= FIRST_OF_MANY)
    so_far = np.r_[0, np.cumsum(may_be_digit, dtype=np.int32)]
    digits = np.diff(so_far[offsets - offsets[0]])
    return np.flatnonzero(digits >= least)


def _parts(texts: pa.Array) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Where each text begins and the last ends, and the bytes of all."""
    kind = np.dtype(np.int64 if pa.types.is_large_string(texts.type) else np.int32)
    _, offsets, content = texts.buffers()
    begin = texts.offset
    letters = np.frombuffer(content, np.uint8) if content is not None else np.empty(0, np.uint8)
    return np.frombuffer(offsets, kind)[begin : begin + len(texts) + 1], letters
