"""Second pass over card usage: every contact as a few numbers, by cardholder, on disk.

Rows of one range of cardholders go to one file without a name: memory stays flat whatever the
number of transactions, and a killed process leaves nothing behind.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from embeddings.interactions import SIGN_OF_STATUS, EventType, EventWeights, TransactionStatus
from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from training.matrix.inputs import Inputs
from training.matrix.survey import CATEGORY, Survey

ROWS_PER_PART = 500_000
BATCH_ROWS = 250_000
CONTACT = np.dtype(
    [("cardholder", "<i4"), ("column", "<i4"), ("category", "<i4"), ("day", "<i4"), ("kind", "i1")]
)
"""One contact. ``category`` is the category's column or -1; ``kind`` counts into ``KINDS``."""

KINDS: tuple[tuple[EventType, int], ...] = (
    (EventType.TRANSACTION, 1),
    (EventType.TRANSACTION, -1),
    (EventType.VIEWED, 1),
    (EventType.CLICKED, 1),
    (EventType.ACTIVATED, 1),
    (EventType.REDEEMED, 1),
)
"""What a contact was and whether it counts for or against."""


def kind_weights(rule: EventWeights) -> NDArray[np.float32]:
    """Signed weight of each of ``KINDS``, float32, shape (n_kinds,)."""
    return np.array([sign * rule.of(event) for event, sign in KINDS], np.float32)


def kind_visits() -> NDArray[np.int32]:
    """Signed visits of each of ``KINDS``, int32, shape (n_kinds,)."""
    return np.array([sign for _, sign in KINDS], np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Spool:
    """Contacts in parts, one for each range of cardholder rows; a context manager.

    Parameters
    ----------
    fences : int64, shape (n_parts + 1,)
        Part ``p`` holds cardholder rows ``fences[p]`` to ``fences[p + 1]``, the last left out.
    files : tuple of binary files
    """

    fences: NDArray[np.int64]
    files: tuple[IO[bytes], ...]

    @classmethod
    def open(cls, n_cardholders: int, n_rows: int) -> Self:
        """An empty spool with parts of about ``ROWS_PER_PART`` rows, at most 256."""
        n_parts = int(np.clip(n_rows // ROWS_PER_PART, 1, min(256, max(n_cardholders, 1))))
        fences = np.linspace(0, n_cardholders, n_parts + 1).astype(np.int64)
        with ExitStack() as opened:
            files = tuple(opened.enter_context(tempfile.TemporaryFile()) for _ in range(n_parts))
            opened.pop_all()
        return cls(fences, files)

    def append(self, rows: NDArray[np.void]) -> None:
        """Write contacts to the parts of their cardholders, keeping their order."""
        part = np.searchsorted(self.fences, rows["cardholder"], side="right") - 1
        order = np.argsort(part.astype(np.int16), kind="stable")
        bounds = np.searchsorted(part[order], np.arange(len(self.files) + 1))
        for number, file in enumerate(self.files):
            file.write(rows[order[bounds[number] : bounds[number + 1]]].tobytes())

    def part(self, number: int) -> NDArray[np.void]:
        """All contacts of one part, in the order they were written."""
        file = self.files[number]
        file.seek(0)
        return np.frombuffer(file.read(), CONTACT)

    def __len__(self) -> int:
        return len(self.files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self.files:
            file.close()


def spool_contacts(inputs: Inputs, found: Survey) -> Spool:
    """Pass over usage and responses and write every contact that counts.

    Declined transactions and responses that never make a cell are left out.
    """
    spool = Spool.open(len(found.cardholders), found.transactions + inputs.contacts.height)
    try:
        for batch in _usage_batches(inputs.usage, found):
            spool.append(batch)
        spool.append(_response_rows(inputs.contacts, found))
    except BaseException:
        spool.__exit__(None, None, None)
        raise
    return spool


def _usage_batches(usage: pl.LazyFrame, found: Survey) -> Iterator[NDArray[np.void]]:
    signs = {status.value: SIGN_OF_STATUS[status] for status in TransactionStatus}
    sign = pl.col("status").fill_null(TransactionStatus.SETTLED.value)
    kind = sign.replace_strict({s: (1 - sign) // 2 for s, sign in signs.items() if sign})
    counted = usage.filter(pl.col("status").is_null() | (pl.col("status") != "declined"))
    coded = (
        counted.select(
            "cardholder_id",
            "merchant_id",
            CATEGORY.alias("category_id"),
            pl.col("occurred_at").dt.epoch("d").cast(pl.Int32).alias("day"),
            kind.cast(pl.Int8).alias("kind"),
        )
        .join(_codes(found.cardholders, "cardholder_id", "cardholder"), on="cardholder_id")
        .join(
            _column_codes(found.columns, ColumnKind.MERCHANT, "merchant_id", "column"),
            on="merchant_id",
        )
        .join(
            _column_codes(found.columns, ColumnKind.CATEGORY, "category_id", "category"),
            on="category_id",
            how="left",
        )
        .select("cardholder", "column", pl.col("category").fill_null(-1), "day", "kind")
    )
    for batch in coded.collect_batches(
        chunk_size=BATCH_ROWS, maintain_order=False, engine="streaming"
    ):
        yield _packed(batch)


def _packed(table: pl.DataFrame) -> NDArray[np.void]:
    rows = np.empty(table.height, CONTACT)
    for name in CONTACT.names or ():
        rows[name] = table[name].to_numpy()
    return rows


def _codes(vocabulary: Vocabulary, id_name: str, row_name: str) -> pl.LazyFrame:
    """Ids and their rows as a table to join with."""
    return pl.LazyFrame(
        {id_name: list(vocabulary), row_name: np.arange(len(vocabulary), dtype=np.int32)},
        schema={id_name: pl.String(), row_name: pl.Int32()},
    )


def _column_codes(
    columns: Vocabulary, kind: ColumnKind, id_name: str, row_name: str
) -> pl.LazyFrame:
    """Outside ids of one kind of column and their rows."""
    prefix = column_id(kind, "")
    return (
        _codes(columns, id_name, row_name)
        .filter(pl.col(id_name).str.starts_with(prefix))
        .with_columns(pl.col(id_name).str.strip_prefix(prefix))
    )


def _response_rows(contacts: pl.DataFrame, found: Survey) -> NDArray[np.void]:
    kinds = {event.value: number for number, (event, _) in enumerate(KINDS) if number >= 2}
    rows = (
        contacts.lazy()
        .filter(pl.col("type").is_in(list(kinds)))
        .with_columns(pl.col("type").replace_strict(kinds, return_dtype=pl.Int8).alias("kind"))
        .join(_codes(found.cardholders, "cardholder_id", "cardholder"), on="cardholder_id")
        .rename({"column": "column_id"})
        .join(_codes(found.columns, "column_id", "column"), on="column_id")
        .with_columns(pl.lit(-1, pl.Int32).alias("category"))
        .collect()
    )
    return _packed(rows)
