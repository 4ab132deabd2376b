"""What there is: how much card usage, whose, where and when."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa

from embeddings.erasure import ErasedList
from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from training.errors import BadInputError
from training.matrix.inputs import Inputs
from training.matrix.ledger import GROUPS, Ledger
from training.matrix.pairs import PairCounts

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What the usage tells.

    Parameters
    ----------
    transactions : int
        Rows, declined ones included.
    first_day, last_day : int
        Days since 1970-01-01 UTC of the first and last transaction.
    cardholders : Vocabulary
        Everyone who used a card or answered an offer, but for the erased.
    columns : Vocabulary
        Every merchant, category and item that was met.
    names : dict
        Merchant column → the name most rows give it.
    parents : dict
        Merchant column → its most frequent category column.
    groups : dict
        ``card_product_id``, ``city`` and ``segment`` → their values, ascending.
    """

    transactions: int
    first_day: int
    last_day: int
    cardholders: Vocabulary
    columns: Vocabulary
    names: dict[str, str]
    parents: dict[str, str]
    groups: dict[str, list[str]]

    @property
    def window(self) -> tuple[datetime, datetime]:
        """``[starts_at, ends_at)`` in whole UTC days."""
        return EPOCH + timedelta(self.first_day), EPOCH + timedelta(self.last_day + 1)


def survey(inputs: Inputs, key: bytes, erased: ErasedList | None = None) -> Survey:
    """Everyone and everything that usage and responses name.

    Parameters
    ----------
    inputs : Inputs
    key : bytes
        Of the vocabularies' hashes; decides the order of rows.
    erased : ErasedList, optional
        Cardholders to leave out, so that nothing of them reaches the matrix.

    Raises
    ------
    BadInputError
        There is no transaction.
    """
    ledger = inputs.ledger
    if not len(ledger):
        raise BadInputError("usage: the tables hold no transaction; there is nothing to learn from")
    texts = ledger.texts
    parents = _most_frequent(ledger, ledger.categories, "category")
    return Survey(
        len(ledger),
        ledger.first_day,
        ledger.last_day,
        Vocabulary.build(_holders(inputs, erased), key),
        Vocabulary.build(_columns(texts, inputs.contacts), key),
        _most_frequent(ledger, ledger.names, "merchant_name"),
        {name: column_id(ColumnKind.CATEGORY, parent) for name, parent in parents.items()},
        {name: sorted(texts[name].to_pylist()) for name in GROUPS},
    )


def _holders(inputs: Inputs, erased: ErasedList | None) -> set[str]:
    """Everyone who used a card or answered an offer, but for the erased."""
    paid = inputs.ledger.texts["cardholder_id"].to_pylist()
    holders = {*paid, *inputs.contacts["cardholder_id"].unique()}
    return holders if erased is None else holders - erased.erased_of(holders)


def _columns(texts: dict[str, pa.Array], contacts: pl.DataFrame) -> set[str]:
    return {
        *(column_id(ColumnKind.MERCHANT, one) for one in texts["merchant_id"].to_pylist()),
        *(column_id(ColumnKind.CATEGORY, one) for one in texts["category"].to_pylist()),
        *contacts["column"].unique(),
    }


def _most_frequent(ledger: Ledger, counts: PairCounts, name: str) -> dict[str, str]:
    """Each merchant's column and the value most of its rows have; ties by the value itself."""
    codes, best = counts.most_frequent(ledger.texts[name])
    merchants = ledger.texts["merchant_id"].take(pa.array(codes)).to_pylist()
    values = ledger.texts[name].take(pa.array(best)).to_pylist()
    named = sorted(zip(merchants, values, strict=True))
    return {column_id(ColumnKind.MERCHANT, merchant): value for merchant, value in named}


def texts_of(names: Vocabulary) -> pa.Array:
    """All ids of a vocabulary, without a copy."""
    buffers = [None, pa.py_buffer(names.offsets), pa.py_buffer(names.text)]
    return pa.Array.from_buffers(pa.large_string(), len(names), buffers)
