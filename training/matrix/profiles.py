"""Profiles of cardholders, NDJSON in the form of the API: products and city."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import orjson
import polars as pl

from embeddings.catalog.file import lines_of
from training.errors import BadInputError

AT_ONCE = 10_000
Profile = tuple[str, list[str], str | None]
SCHEMA = {"cardholder_id": pl.String(), "products": pl.List(pl.String()), "city": pl.String()}


def read_profiles(path: Path) -> pl.DataFrame:
    """Read ``{"cardholder_id", "card_products": [{"card_product_id"}], "city"}``, one a line.

    Other fields are left alone. Returns ``cardholder_id, products, city``, each cardholder once.

    Raises
    ------
    BadInputError
        Names the file and line that is no profile, or the id that came twice.
    """
    try:
        with path.open("rb") as lines:
            table = _table(_profiles(path, lines_of(lines)))
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from error
    if table["cardholder_id"].is_duplicated().any():
        raise BadInputError(f"{path}: a cardholder has two profiles; keep one line each")
    return table


def _table(profiles: Iterator[Profile]) -> pl.DataFrame:
    """All profiles; only so many at a time are held as objects."""
    parts = [pl.DataFrame(schema=SCHEMA)]
    while some := list(islice(profiles, AT_ONCE)):
        parts.append(pl.DataFrame(some, SCHEMA, orient="row"))
    return pl.concat(parts)


def _profiles(path: Path, lines: Iterator[bytes]) -> Iterator[Profile]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            document = orjson.loads(line)
            products = [card["card_product_id"] for card in document.get("card_products", [])]
            yield document["cardholder_id"], products, document.get("city")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise BadInputError(f"{path}: line {number}: no profile: {error!r}") from None
