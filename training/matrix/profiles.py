"""Profiles of cardholders, NDJSON in the form of the API: products and city."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from embeddings.catalog.file import lines_of
from embeddings.identifying import identifying
from training.errors import BadInputError
from training.usage.numbers import OF_PEOPLE, names_a_person

AT_ONCE = 10_000
TEXT = pa.large_string()
FIELD_OF = {"cardholder_id": "cardholder_id", "products": "card_products", "city": "city"}
"""Column of the table → field of the profile that it is read from."""
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
        with path.open("rb") as file:
            lines = enumerate(lines_of(file), start=1)
            table = pl.concat([pl.DataFrame(schema=SCHEMA), *_tables(path, lines)])
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from error
    if table["cardholder_id"].is_duplicated().any():
        raise BadInputError(f"{path}: a cardholder has two profiles; keep one line each")
    return table


def _tables(path: Path, lines: Iterator[tuple[int, bytes]]) -> Iterator[pl.DataFrame]:
    """All profiles; only so many at a time are held as objects."""
    while some := list(islice(lines, AT_ONCE)):
        profiles = _Profiles()
        for number, line in some:
            if line.strip():
                profiles.add(path, number, line)
        yield profiles.table(path)


@dataclass(slots=True)
class _Profiles:
    """Some profiles, a list of each field; ``ends`` says where each one's products end."""

    numbers: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    cities: list[str | None] = field(default_factory=list)

    def add(self, path: Path, number: int, line: bytes) -> None:
        """Take what is kept of one line; BadInputError when it is no profile."""
        try:
            document = orjson.loads(line)
            cards = [card["card_product_id"] for card in document.get("card_products", ())]
            self.ids.append(document["cardholder_id"])
            self.cities.append(document.get("city"))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise _no_profile(path, number, error) from None
        self.products.extend(cards)
        self.ends.append(len(self.products))
        self.numbers.append(number)

    def table(self, path: Path) -> pl.DataFrame:
        """All of them, screened for numbers that name a person."""
        try:
            texts = {
                "cardholder_id": pa.array(self.ids, TEXT),
                "products": pa.array(self.products, TEXT),
                "city": pa.array(self.cities, TEXT),
            }
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            raise self._first_without_text(path) from None
        for name, column in texts.items():
            self._refuse_numbers(path, name, column)
        offsets = pa.array([0, *self.ends], pa.int64())
        products = pa.LargeListArray.from_arrays(offsets, texts["products"])
        return pl.DataFrame({**texts, "products": products}, SCHEMA)

    def _refuse_numbers(self, path: Path, name: str, column: pa.Array) -> None:
        found = np.flatnonzero(names_a_person(name, column))
        if not found.size:
            return
        row = int(found[0])
        if name == "products":
            row = int(np.searchsorted(self.ends, row, side="right"))
        word = identifying(column[int(found[0])].as_py(), mobiles=name in OF_PEOPLE)
        where = f"{path}: line {self.numbers[row]}: {FIELD_OF[name]}"
        raise BadInputError(f"{where}: holds what must not come in: {word}")

    def _first_without_text(self, path: Path) -> BadInputError:
        """Names the first profile of which something is no text."""
        cards = np.split(np.array(self.products, object), self.ends[:-1])
        rows = zip(self.numbers, self.ids, cards, self.cities, strict=True)
        number, kind = next(
            (number, type(value).__name__)
            for number, one, some, city in rows
            for value in (one, *some, city)
            if not isinstance(value, str | None)
        )
        return _no_profile(path, number, TypeError(f"{kind} where text belongs"))


def _no_profile(path: Path, number: int, error: Exception) -> BadInputError:
    told = f"{error.args[0]} is missing" if isinstance(error, KeyError) else error
    return BadInputError(f"{path}: line {number}: no profile: {told}")
