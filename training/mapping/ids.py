"""Ids as the product accepts them, out of whatever an issuer calls its things."""

import hashlib
import hmac
from collections.abc import Callable

import polars as pl

from training.usage.schema import ID_PATTERN

MAX_SLUG = 100


def slugs(values: pl.Series) -> pl.Series:
    """Ids of texts: what matches our pattern stays, anything else becomes a slug with a check.

    ``A & B`` becomes ``A-B-`` and eight digits of its hash, so that it and ``A-B`` stay two. Null
    stays null.
    """
    return _mapped(values, _slug)


def keyed_hashes(values: pl.Series, key: bytes) -> pl.Series:
    """Ids of texts as the first 32 hexadecimal digits of HMAC-SHA-256; null stays null."""
    return _mapped(
        values,
        lambda text: hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32],
        only_bad=False,
    )


def labels(values: pl.Series) -> pl.Series:
    """Categories and segments as ids: spellings that differ in case and marks become one.

    ``Books & Periodicals`` becomes ``books-periodicals``; what has no Latin letter or digit
    becomes ``x`` and a hash.
    """
    return _mapped(values, _label, only_bad=False)


def _mapped(values: pl.Series, make: Callable[[str], str], *, only_bad: bool = True) -> pl.Series:
    """Apply a function to the distinct values that need it."""
    distinct = values.unique().drop_nulls()
    if only_bad:
        distinct = distinct.filter(~distinct.str.contains(ID_PATTERN))
    if distinct.is_empty():
        return values
    made = [make(text) for text in distinct.to_list()]
    return values.replace(distinct, pl.Series(made, dtype=pl.String))


def _slug(text: str) -> str:
    """Readable part and check of one text."""
    readable = _readable(text)[:MAX_SLUG]
    check = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    return f"{readable}-{check}" if readable else f"x-{check}"


def _label(text: str) -> str:
    """One category or segment as an id."""
    readable = _readable(text.lower())[:MAX_SLUG]
    return readable or f"x{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"


def _readable(text: str) -> str:
    """Only letters and digits of ASCII, runs of anything else as one dash."""
    kept = (c if c.isascii() and (c.isalnum() or c in "._~") else " " for c in text)
    return "-".join("".join(kept).split())
