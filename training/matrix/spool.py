"""Second pass over card usage: every contact as a few numbers, by cardholder, on disk.

Rows of one range of cardholders go to one file without a name: memory stays flat whatever the
number of transactions, and a killed process leaves nothing behind.
"""

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embeddings.interactions import SIGN_OF_STATUS, EventType, EventWeights, TransactionStatus
from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from training.errors import BadInputError
from training.matrix.inputs import Inputs
from training.matrix.survey import GROUPS, Survey
from training.usage import Batch, Text

TEXT = pa.large_string()
ROWS_PER_PART = 200_000
RESPONSES_AT_ONCE = 200_000
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
        """An empty spool with parts of about ``ROWS_PER_PART`` rows, at most 512."""
        n_parts = int(np.clip(n_rows // ROWS_PER_PART, 1, min(512, max(n_cardholders, 1))))
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
    coder = _Coder.of(found)
    spool = Spool.open(len(found.cardholders), found.transactions + inputs.contacts.height)
    try:
        for batch in inputs.batches(WANTED):
            spool.append(coder.of_usage(batch))
        for some in inputs.contacts.iter_slices(RESPONSES_AT_ONCE):
            spool.append(coder.of_responses(some))
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


WANTED = ("cardholder_id", "merchant_id", "mcc", "category", "occurred_at", "status", *GROUPS)
GROUP_FIELDS = dict(zip(GROUPS, ("product", "city", "segment"), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class _Numbers:
    """Known texts and a number of each.

    Parameters
    ----------
    texts : arrow array of large_string, shape (n,)
    numbers : int32, shape (n,)
    """

    texts: pa.Array
    numbers: NDArray[np.int32]

    @classmethod
    def of(cls, numbers: dict[str, int]) -> Self:
        return cls(pa.array(list(numbers), TEXT), np.array([*numbers.values()], np.int32))


@dataclass(frozen=True, slots=True, eq=False)
class _Coder:
    """Turns batches of card usage, and responses, into contacts.

    Parameters
    ----------
    numbers : dict
        Field of a contact → texts and their numbers there.
    """

    numbers: dict[str, _Numbers]

    @classmethod
    def of(cls, found: Survey) -> Self:
        kinds = {s.value: (1 - sign) // 2 for s, sign in SIGN_OF_STATUS.items() if sign}
        everyone, columns = _texts_of(found.cardholders), _texts_of(found.columns)
        groups = {
            field: _Numbers.of({name: n for n, name in enumerate(found.groups[group])})
            for group, field in GROUP_FIELDS.items()
        }
        return cls(
            {
                "cardholder": _Numbers(everyone, np.arange(len(everyone), dtype=np.int32)),
                "column": _Numbers.of(_of_kind(found.columns, ColumnKind.MERCHANT)),
                "category": _Numbers.of(_of_kind(found.columns, ColumnKind.CATEGORY)),
                "item": _Numbers(columns, np.arange(len(columns), dtype=np.int32)),
                "kind": _Numbers.of(kinds),
                "response": _Numbers.of({e.value: n for n, (e, _) in enumerate(KINDS) if n >= 2}),
                **groups,
            }
        )

    def of_usage(self, batch: Batch) -> NDArray[np.void]:
        """One batch of card usage, without declined transactions and the erased."""
        settled = pa.array([TransactionStatus.SETTLED.value], TEXT)
        unsaid = Text(np.zeros(batch.height, np.int32), settled)
        rows = np.empty(batch.height, CONTACT)
        rows["day"] = batch.days()
        rows["cardholder"] = self._numbers("cardholder", batch.text("cardholder_id"))
        rows["column"] = self._numbers("column", batch.text("merchant_id"))
        rows["category"] = self._numbers("category", batch.category())
        rows["kind"] = self._numbers("kind", batch.text("status").or_else(unsaid))
        for group, field in GROUP_FIELDS.items():
            rows[field] = self._numbers(field, batch.text(group))
        return rows[(rows["kind"] >= 0) & (rows["cardholder"] >= 0)]

    def of_responses(self, contacts: pl.DataFrame) -> NDArray[np.void]:
        """Responses of cardholders who are not erased, without category and groups."""
        rows = np.full(contacts.height, -1, CONTACT)
        rows["day"] = contacts["day"].to_numpy()
        rows["cardholder"] = self._numbers("cardholder", _text_of(contacts["cardholder_id"]))
        rows["column"] = self._numbers("item", _text_of(contacts["column"]))
        rows["kind"] = self._numbers("response", _text_of(contacts["type"]))
        return rows[(rows["kind"] >= 0) & (rows["cardholder"] >= 0) & (rows["column"] >= 0)]

    def _numbers(self, field: str, text: Text) -> NDArray[np.int32]:
        """Number of each row's text, -1 where it has none."""
        known = self.numbers[field]
        place = pc.index_in(text.values, known.texts).fill_null(-1).to_numpy()
        of_value = np.r_[np.r_[known.numbers, np.int32(-1)][place], np.int32(-1)]
        return np.asarray(of_value[text.codes], np.int32)


def _texts_of(names: Vocabulary) -> pa.Array:
    """All ids of a vocabulary, without a copy."""
    buffers = [None, pa.py_buffer(names.offsets), pa.py_buffer(names.text)]
    return pa.Array.from_buffers(TEXT, len(names), buffers)


def _of_kind(columns: Vocabulary, kind: ColumnKind) -> dict[str, int]:
    """Rows of one kind of column, by their outside ids."""
    prefix = column_id(kind, "")
    named = ((name, row) for row, name in enumerate(columns) if name.startswith(prefix))
    return {name.removeprefix(prefix): row for name, row in named}


def _text_of(values: pl.Series) -> Text:
    """A column of strings, categories or an enum."""
    column = values.to_arrow(compat_level=pl.CompatLevel.oldest())
    return Batch(len(values), {values.name: column}).text(values.name)
