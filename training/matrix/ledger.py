"""The one pass over card usage: every row as a few codes, on disk, and what was met.

Decoding and checking text is most of the work of reading, so it is done once: whatever is asked of
the usage later is asked of the codes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embeddings.interactions import SIGN_OF_STATUS, TransactionStatus
from training.matrix.pairs import PairCounts
from training.matrix.scratch import Scratch
from training.memory import let_go
from training.usage import Codebooks, CodedBatch, Table, Text
from training.usage.codebook import Codebook

GROUPS = ("card_product_id", "city", "segment")
CODED = ("cardholder_id", "merchant_id", *GROUPS)
FIELDS = (*CODED, "category", "day", "kind")
MAX_DAY = 2**31 - 1
KIND_OF_STATUS = {s.value: (1 - sign) // 2 for s, sign in SIGN_OF_STATUS.items() if sign}
"""A purchase is 0, a refund 1; a declined transaction is of no kind."""
Rows = dict[str, NDArray[np.int32]]


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """All card usage of a run, declined transactions included.

    Parameters
    ----------
    rows : dict of str to int32, shape (n_rows,)
        ``FIELDS``, mapped from disk. Columns of text are codes, -1 where there is no text;
        ``category`` is the MCC, else the issuer's own word; ``day`` counts from 1970-01-01 UTC;
        ``kind`` is 0 for a purchase, 1 for a refund and -1 for what was declined.
    texts : dict of str to arrow array of large_string
        The texts of the codes, each once, and those of ``merchant_name``.
    first_day, last_day : int
        Of the first and last transaction; the first lies after the last where there is none.
    names, categories : PairCounts
        Of merchants with their names and with their categories.
    """

    rows: Rows
    texts: dict[str, pa.Array]
    first_day: int
    last_day: int
    names: PairCounts
    categories: PairCounts

    def __len__(self) -> int:
        return int(self.rows["day"].size)

    def parts(self, n_rows: int) -> Iterator[Rows]:
        """The rows in their order, at most ``n_rows`` at a time; read ones leave memory."""
        for start in range(0, len(self), n_rows):
            yield {name: column[start : start + n_rows] for name, column in self.rows.items()}
            let_go(*self.rows.values())


class Bookkeeper:
    """Writes a ledger, table after table; a context manager."""

    def __init__(self) -> None:
        self._books = Codebooks()
        self._categories = Codebook()
        self._names_met, self._categories_met = PairCounts(), PairCounts()
        self._first_day, self._last_day = MAX_DAY, -MAX_DAY
        self._scratch = Scratch(**dict.fromkeys(FIELDS, "i4"))

    def read(self, path: Path) -> Table:
        """Look at every row of a file or folder and write it.

        Raises
        ------
        BadInputError
            As :meth:`training.usage.Table.open` and :meth:`training.usage.Table.coded`.
        """
        table = Table.open(path)
        for coded in table.coded(self._books, path):
            self._enter(coded)
        return table

    def take(self, table: Table) -> None:
        """Write all rows of a table of ours; they are not looked at."""
        for batch in table.batches():
            self._enter(self._books.code(batch))

    def _enter(self, coded: CodedBatch) -> None:
        batch = coded.batch
        if not batch.height:
            return
        rows = {name: coded.column(name) for name in CODED}
        rows["category"], _ = self._categories.codes(batch.category())
        rows["day"], rows["kind"] = batch.days(), kinds_of(batch.text("status"))
        self._scratch.append(**rows)
        self._first_day = min(self._first_day, int(rows["day"].min()))
        self._last_day = max(self._last_day, int(rows["day"].max()))
        self._names_met.add(rows["merchant_id"], coded.column("merchant_name"))
        self._categories_met.add(rows["merchant_id"], rows["category"])

    def closed(self) -> Ledger:
        """What was written; nothing is entered after it."""
        texts = {name: self._books.texts(name) for name in (*CODED, "merchant_name")}
        return Ledger(
            self._scratch.mapped(),
            {**texts, "category": self._categories.texts()},
            self._first_day,
            self._last_day,
            self._names_met,
            self._categories_met,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._scratch.__exit__(kind, error, trace)


def ledger_of(table: Table) -> Ledger:
    """Ledger of one table of ours, whose rows are not looked at."""
    with Bookkeeper() as keeper:
        keeper.take(table)
        return keeper.closed()


def no_usage() -> Ledger:
    """Ledger of no rows."""
    with Bookkeeper() as keeper:
        return keeper.closed()


def kinds_of(status: Text) -> NDArray[np.int32]:
    """Kind of each transaction, int32, shape (n_rows,); one without a status is settled."""
    settled = KIND_OF_STATUS[TransactionStatus.SETTLED.value]
    kinds = [KIND_OF_STATUS.get(value, -1) for value in status.values.to_pylist()]
    return np.array([*kinds, settled], np.int32).take(status.codes)
