"""Numbers that name a person in columns of card usage: looked for in each distinct text once."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embeddings.identifying import SHORTEST, identifying, may_hold_many_digits
from training.errors import BadInputError
from training.usage.spelling import with_digits

OF_PEOPLE = frozenset(("cardholder_id", "merchant_name", "city", "channel", "segment"))
SCREENED = (*sorted(OF_PEOPLE), "merchant_id", "card_product_id", "category")
"""Columns that a bundle may be made of. A ``transaction_id`` goes into none, and such numbers pass
a card's check by chance."""
BETWEEN_TEXTS = "x"
"""No digit, and nothing that stands between the digits of one number."""


def names_a_person(name: str, column: pa.Array) -> NDArray[np.bool_]:
    """Tell for each value of a text column whether a person's number stands in it.

    Mobile numbers have no check digit, so they are looked for where people and words stand only.

    Parameters
    ----------
    name : of the column
    column : text, plain or dictionary; null is no number

    Returns
    -------
    bool, shape (n_rows,)
    """
    if pa.types.is_null(column.type):
        return np.zeros(len(column), np.bool_)
    if pa.types.is_dictionary(column.type):
        of_value = np.append(names_a_person(name, column.dictionary), False)
        codes = np.asarray(column.indices.cast(pa.int64()).fill_null(len(column.dictionary)))
        return np.asarray(of_value[codes], np.bool_)
    found = np.zeros(len(column), np.bool_)
    rows = with_digits(column.fill_null(""), SHORTEST)
    if not rows.size:
        return found
    texts = column.take(pa.array(rows)).to_pylist()
    if not may_hold_many_digits(BETWEEN_TEXTS.join(texts).encode()):
        return found
    for row, text in zip(rows.tolist(), texts, strict=True):
        if may_hold_many_digits(text.encode()):
            found[row] = identifying(text, mobiles=name in OF_PEOPLE) is not None
    return found


def refuse_numbers(path: Path, name: str, column: pa.Array) -> None:
    """Refuse a column of text in which a person's number stands.

    Raises
    ------
    BadInputError
        Names the file, the column and how many distinct values; never the values.
    """
    found = column.filter(pa.array(names_a_person(name, column)))
    if count := len(found.unique()):
        raise BadInputError(
            f"{path}: {name}: {count:,} distinct values hold a card number, resident id or mobile "
            "number; send ids of your own and take those rows out"
        )
