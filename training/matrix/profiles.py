"""Profiles of cardholders, NDJSON in the form of the API: products and city."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import orjson
import polars as pl

from embeddings.catalog.file import lines_of
from embeddings.identifying import identifying
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
        Names the file and line that is no profile or holds a number that names a person, or says
        that an id came twice.
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
            profile = document["cardholder_id"], products, document.get("city")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise BadInputError(f"{path}: line {number}: no profile: {error!r}") from None
        _refuse_numbers(f"{path}: line {number}", profile)
        yield profile


def _refuse_numbers(where: str, profile: Profile) -> None:
    """BadInputError when a number that names a person stands in what is kept of a profile."""
    cardholder_id, products, city = profile
    names: dict[str, list[str | None]] = {
        "cardholder_id": [cardholder_id],
        "card_products": [*products],
        "city": [city],
    }
    for name, values in names.items():
        for value in values:
            found = value and identifying(str(value), mobiles=name != "card_products")
            if found:
                raise BadInputError(f"{where}: {name}: holds what must not come in: {found}")
