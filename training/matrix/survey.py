"""First pass over card usage: how much there is, whose, where and when."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa

from embeddings.erasure import ErasedList
from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from training.errors import BadInputError
from training.matrix.inputs import Inputs
from training.usage import Batch, Text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_DAY = 2**31 - 1
GROUPS = ("card_product_id", "city", "segment")


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What one pass over the usage tells.

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


WANTED = (
    "cardholder_id",
    "merchant_id",
    "merchant_name",
    "mcc",
    "category",
    "occurred_at",
    *GROUPS,
)

Merchant = tuple[str, str | None, str | None]
"""Id of a merchant, a name and a category of it."""


class Distinct:
    """Distinct texts of many batches; takes little more memory than the texts."""

    def __init__(self) -> None:
        self._known = pa.array([], pa.large_string())
        self._new: list[pa.Array] = []

    def add(self, texts: pa.Array) -> None:
        """Take the texts of one batch."""
        self._new.append(texts)
        if sum(len(part) for part in self._new) > len(self._known):
            self.values()

    def values(self) -> pa.Array:
        """Each text once."""
        self._known = pa.concat_arrays([self._known, *self._new]).unique()
        self._new = []
        return self._known


class _Tally:
    """What is kept of the batches seen so far."""

    def __init__(self) -> None:
        self.rows = 0
        self.first_day, self.last_day = MAX_DAY, -MAX_DAY
        self.cardholders = Distinct()
        self.merchants: Counter[Merchant] = Counter()
        self.groups: dict[str, set[str]] = {name: set() for name in GROUPS}

    def add(self, batch: Batch) -> None:
        """Count one batch."""
        if not batch.height:
            return
        self.rows += batch.height
        days = batch.days()
        self.first_day = min(self.first_day, int(days.min()))
        self.last_day = max(self.last_day, int(days.max()))
        self.cardholders.add(batch.text("cardholder_id").used())
        for name, values in self.groups.items():
            values.update(batch.text(name).used().to_pylist())
        self._count(batch.text("merchant_id"), batch.text("merchant_name"), batch.category())

    def _count(self, ids: Text, names: Text, categories: Text) -> None:
        """Add the rows of each merchant under each name and category."""
        texts = (ids, names, categories)
        _, width, depth = (len(text.values) + 1 for text in texts)
        keys = (ids.codes.astype(np.int64) * width + names.codes + 1) * depth + categories.codes + 1
        met, counts = np.unique(keys, return_counts=True)
        places = (met // depth // width, met // depth % width - 1, met % depth - 1)
        named = (
            text.values.take(pa.array(at, mask=at < 0)).to_pylist()
            for text, at in zip(texts, places, strict=True)
        )
        for merchant, count in zip(zip(*named, strict=True), counts.tolist(), strict=True):
            self.merchants[merchant] += count


def survey(inputs: Inputs, key: bytes, erased: ErasedList | None = None) -> Survey:
    """Pass once over all usage, batch by batch.

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
    tally = _Tally()
    for batch in inputs.batches(WANTED):
        tally.add(batch)
    if not tally.rows:
        raise BadInputError("usage: the tables hold no transaction; there is nothing to learn from")
    merchants = tally.merchants
    holders = {*tally.cardholders.values().to_pylist(), *inputs.contacts["cardholder_id"].unique()}
    if erased is not None:
        holders -= erased.erased_of(holders)
    return Survey(
        tally.rows,
        tally.first_day,
        tally.last_day,
        Vocabulary.build(holders, key),
        Vocabulary.build(_columns(merchants, inputs.contacts), key),
        _most_frequent((m, name, n) for (m, name, _), n in merchants.items()),
        {
            merchant: column_id(ColumnKind.CATEGORY, category)
            for merchant, category in _most_frequent(
                (m, category, n) for (m, _, category), n in merchants.items()
            ).items()
        },
        {name: sorted(values) for name, values in tally.groups.items()},
    )


def _columns(merchants: Iterable[Merchant], contacts: pl.DataFrame) -> set[str]:
    pairs = {(merchant, category) for merchant, _, category in merchants}
    return {
        *(column_id(ColumnKind.MERCHANT, merchant) for merchant, _ in pairs),
        *(column_id(ColumnKind.CATEGORY, category) for _, category in pairs if category),
        *contacts["column"].unique(),
    }


def _most_frequent(counted: Iterable[tuple[str, str | None, int]]) -> dict[str, str]:
    """Each merchant's column and the value most of its rows have; ties by the value itself."""
    totals: Counter[tuple[str, str]] = Counter()
    for merchant, value, count in counted:
        if value is not None:
            totals[merchant, value] += count
    best: dict[str, tuple[int, str]] = {}
    for (merchant, value), count in totals.items():
        best[merchant] = min(best.get(merchant, (0, value)), (-count, value))
    return {column_id(ColumnKind.MERCHANT, m): value for m, (_, value) in sorted(best.items())}
