"""Second pass over card usage: every contact as a few numbers, by cardholder, on disk.

Rows of one range of cardholders go to one file without a name: memory stays flat whatever the
number of transactions, and a killed process leaves nothing behind.
"""

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from embeddings.interactions import SIGN_OF_STATUS, EventType, EventWeights, TransactionStatus
from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from training.errors import BadInputError
from training.matrix.inputs import Inputs
from training.matrix.survey import CATEGORY, DAY, GROUPS, Survey

ROWS_PER_PART = 500_000
CONTACT = np.dtype(
    [
        ("cardholder", "<i4"),
        ("column", "<i4"),
        ("category", "<i4"),
        ("day", "<i4"),
        ("product", "<i2"),
        ("city", "<i2"),
        ("segment", "<i2"),
        ("kind", "i1"),
    ]
)
"""One contact. ``kind`` counts into ``KINDS``; ``category`` is a column; ``product``, ``city`` and
``segment`` count into the survey's groups; each of the four is -1 where it is not known."""

MAX_GROUPS = 32_767

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

    @property
    def rows(self) -> int:
        """Contacts in all parts."""
        return sum(file.tell() for file in self.files) // CONTACT.itemsize

    def part(self, number: int) -> NDArray[np.void]:
        """All contacts of one part, in the order they were written."""
        file = self.files[number]
        file.seek(0)
        return np.frombuffer(file.read(), CONTACT)  # and leaves the file at its end

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
        with ExitStack() as closing:
            for file in self.files:
                closing.callback(file.close)


def spool_contacts(inputs: Inputs, found: Survey) -> Spool:
    """Pass over usage and responses and write every contact that counts.

    Declined transactions and responses that never make a cell are left out.
    """
    _check_groups(found)
    coders = _coders(found)
    spool = Spool.open(len(found.cardholders), found.transactions + inputs.contacts.height)
    try:
        for batch in inputs.batches(WANTED):
            spool.append(_usage_rows(batch, coders))
        spool.append(_response_rows(inputs.contacts, found))
    except BaseException:
        spool.__exit__(None, None, None)
        raise
    return spool


def _check_groups(found: Survey) -> None:
    for name, values in found.groups.items():
        if len(values) > MAX_GROUPS:
            raise BadInputError(
                f"usage: column {name} has {len(values):,} values, more than {MAX_GROUPS:,}; "
                "it should name a group of cardholders"
            )


WANTED = ("cardholder_id", "merchant_id", CATEGORY, DAY, "status", *GROUPS)


def _coders(found: Survey) -> list[tuple[str, pl.DataFrame]]:
    """Tables to join a batch with, one for each text column."""
    columns = found.columns
    return [
        ("cardholder_id", _codes(found.cardholders, "cardholder_id", "cardholder")),
        ("merchant_id", _column_codes(columns, ColumnKind.MERCHANT, "merchant_id", "column")),
        ("category_id", _column_codes(columns, ColumnKind.CATEGORY, "category_id", "category")),
        *(
            (group, _codes(found.groups[group], group, f"{name}_code"))
            for group, name in zip(GROUPS, ("product", "city", "segment"), strict=True)
        ),
        ("status", _kinds_of_status()),
    ]


def _kinds_of_status() -> pl.DataFrame:
    """Kind of each status that counts; a declined transaction has none."""
    kind = {s.value: (1 - sign) // 2 for s, sign in SIGN_OF_STATUS.items() if sign}
    return pl.DataFrame(
        {"status": list(kind), "kind": list(kind.values())},
        schema={"status": pl.String(), "kind": pl.Int8()},
    )


def _usage_rows(batch: pl.DataFrame, coders: list[tuple[str, pl.DataFrame]]) -> NDArray[np.void]:
    """One batch of card usage as contacts, without declined transactions and the erased."""
    coded = batch.with_columns(pl.col("status").fill_null(TransactionStatus.SETTLED.value))
    for name, codes in coders:
        coded = coded.join(codes, on=name, how="left", maintain_order="left").drop(name)
    groups = {f"{name}_code": name for name in ("product", "city", "segment")}
    return _packed(coded.drop_nulls(["kind", "cardholder"]).rename(groups))


def _packed(table: pl.DataFrame) -> NDArray[np.void]:
    rows = np.empty(table.height, CONTACT)
    for name in CONTACT.names or ():
        rows[name] = table[name].fill_null(-1).to_numpy() if name in table.columns else -1
    return rows


def _codes(ids: Iterable[str], id_name: str, row_name: str) -> pl.DataFrame:
    """Ids and their rows as a table to join with."""
    names = list(ids)
    return pl.DataFrame(
        {id_name: names, row_name: np.arange(len(names), dtype=np.int32)},
        schema={id_name: pl.String(), row_name: pl.Int32()},
    )


def _column_codes(
    columns: Vocabulary, kind: ColumnKind, id_name: str, row_name: str
) -> pl.DataFrame:
    """Outside ids of one kind of column and their rows."""
    prefix = column_id(kind, "")
    return (
        _codes(columns, id_name, row_name)
        .filter(pl.col(id_name).str.starts_with(prefix))
        .with_columns(pl.col(id_name).str.strip_prefix(prefix))
    )


def _response_rows(contacts: pl.DataFrame, found: Survey) -> NDArray[np.void]:
    kinds = {event.value: number for number, (event, _) in enumerate(KINDS) if number >= 2}
    holders = _codes(found.cardholders, "cardholder_id", "cardholder")
    columns = _codes(found.columns, "column_id", "column")
    return _packed(
        contacts.filter(pl.col("type").is_in(list(kinds)))
        .with_columns(pl.col("type").replace_strict(kinds, return_dtype=pl.Int8).alias("kind"))
        .join(holders, on="cardholder_id", maintain_order="left")
        .rename({"column": "column_id"})
        .join(columns, on="column_id", maintain_order="left")
    )
